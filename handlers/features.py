"""Every feature, registered: importing this gives the whole :data:`router`."""

from handlers import (
    activities,
    attendance,
    breaks,
    checkins,
    cohorts,
    completion,
    digest,
    disputes,
    exports,
    help,
    identity,
    leave,
    meetings,
    policy,
    progress,
    records,
    summaries,
)
from handlers.router import router

__all__ = [
    "activities",
    "attendance",
    "breaks",
    "checkins",
    "cohorts",
    "completion",
    "digest",
    "disputes",
    "exports",
    "help",
    "identity",
    "leave",
    "meetings",
    "policy",
    "progress",
    "records",
    "router",
    "summaries",
]
