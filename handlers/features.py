"""Every feature, registered: importing this gives the whole :data:`router`."""

from handlers.checkins import checkins, figures, pauses, prompts, pulses, reflections, typed
from handlers.core import help
from handlers.core.router import router
from handlers.meetings import attendance, breaks, differences, meetings, rescheduling, summaries, upcoming
from handlers.people import cohorts, homes, identity, removals, replacing
from handlers.privacy import forgetting, holds, privacy, recovery, retention
from handlers.program_desk import digest, exports, integrity, overview
from handlers.record import (
    activities,
    certificates,
    changed_notice,
    completion,
    credits,
    departures,
    disputes,
    leave,
    person_page,
    policy,
    policy_move,
    progress,
    settling,
)

__all__ = [
    "activities",
    "attendance",
    "breaks",
    "certificates",
    "changed_notice",
    "checkins",
    "cohorts",
    "completion",
    "credits",
    "departures",
    "differences",
    "digest",
    "disputes",
    "exports",
    "figures",
    "forgetting",
    "help",
    "holds",
    "homes",
    "identity",
    "integrity",
    "leave",
    "meetings",
    "overview",
    "pauses",
    "person_page",
    "policy",
    "policy_move",
    "privacy",
    "progress",
    "prompts",
    "pulses",
    "recovery",
    "reflections",
    "removals",
    "replacing",
    "rescheduling",
    "retention",
    "router",
    "settling",
    "summaries",
    "typed",
    "upcoming",
]
