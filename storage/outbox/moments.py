"""The kinds of due moments, one object each: ``due.plan`` takes it, and its handler registers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MomentKind:
    """``name`` is stored. ``private``: when it comes depends on who paused or answered, so it is told to nobody."""

    name: str
    private: bool = False


ATTENDANCE_CHASE = MomentKind("attendance.chase")
ATTENDANCE_ESCALATE = MomentKind("attendance.escalate")
ATTENDANCE_OPEN = MomentKind("attendance.open")
ATTENDANCE_ROSTER = MomentKind("attendance.roster")
CHECKINS_CLOSE = MomentKind("checkins.close", private=True)
CHECKINS_EXPIRE = MomentKind("checkins.expire", private=True)
CHECKINS_NUDGE = MomentKind("checkins.nudge", private=True)
CHECKINS_OPEN = MomentKind("checkins.open", private=True)
COMPLETION_LOOK = MomentKind("completion.look")
DIGEST_WEEKLY = MomentKind("digest.weekly")
FIGURES_MONTH = MomentKind("figures.month")
IDENTITY_REPLACE = MomentKind("identity.replace")
MEETING_REMINDER = MomentKind("meeting.reminder")
RETENTION_LOOK = MomentKind("retention.look")
SUMMARY_CHASE = MomentKind("summary.chase")
TIDYING = MomentKind("tidying")

ALL: Mapping[str, MomentKind] = {kind.name: kind for kind in tuple(globals().values()) if isinstance(kind, MomentKind)}
PRIVATE = tuple(kind.name for kind in ALL.values() if kind.private)
