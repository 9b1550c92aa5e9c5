"""The kinds of messages that the bot sends, one object each: ``deliveries`` takes it, and a card builder registers it.

A message whose sending depends on somebody's answer, decline, pause, share or dispute is private. That it failed,
waits or was sent is told to nobody: who is told of a failed reminder knows who has not answered. Whether people can
be reached is told from messages that everybody gets alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryKind:
    """``name`` is stored with each delivery. ``reported``: what a digest calls a failed one; empty: it is private."""

    name: str
    reported: str = ""


ACTIVITY_DECIDE = DeliveryKind("activity.decide", "a request to decide")
ACTIVITY_OWN = DeliveryKind("activity.own", "an answer about an activity")
ATTENDANCE_CHASE = DeliveryKind("attendance.chase", "a reminder of attendance")
ATTENDANCE_DIFFERS = DeliveryKind("attendance.differs", "a question about attendance")
ATTENDANCE_DIFFERS_MENTOR = DeliveryKind("attendance.differs.mentor", "a question about attendance")
ATTENDANCE_ESCALATE = DeliveryKind("attendance.escalate", "a note about attendance")
ATTENDANCE_HERE = DeliveryKind("attendance.here", "the “I'm here” card")
ATTENDANCE_ROSTER = DeliveryKind("attendance.roster", "a roster")
CHECKIN = DeliveryKind("checkin")
CHECKIN_NUDGE = DeliveryKind("checkin.nudge")
CHECKIN_REACH = DeliveryKind("checkin.reach")
COHORT_HELLO = DeliveryKind("cohort.hello", "a greeting")
COHORT_VISITED = DeliveryKind("cohort.visited", "a note about a channel")
COMPLETION_ASK = DeliveryKind("completion.ask", "a question for your approval")
COMPLETION_DONE = DeliveryKind("completion.done", "a certificate")
COMPLETION_LEFT = DeliveryKind("completion.left", "a goodbye")
DIGEST = DeliveryKind("digest", "a digest")
DISPUTE = DeliveryKind("dispute")
DISPUTE_OWN = DeliveryKind("dispute.own")
FORGOTTEN = DeliveryKind("forgotten")
HELLO = DeliveryKind("hello", "a greeting")
IDENTITY_ASK = DeliveryKind("identity.ask", "the question who somebody is")
IDENTITY_GONE = DeliveryKind("identity.gone", "a note about an account")
IDENTITY_KEPT = DeliveryKind("identity.kept", "a note about an account")
IDENTITY_OFFER = DeliveryKind("identity.offer")
IDENTITY_REPLACED = DeliveryKind("identity.replaced", "a note about an account")
IDENTITY_REPLACING = DeliveryKind("identity.replacing", "a question about an account")
IDENTITY_UNTOLD = DeliveryKind("identity.untold", "a note about an account")
INTEGRITY = DeliveryKind("integrity", "a warning about records")
KEYS_LOST = DeliveryKind("keys.lost")
LEAVE_ANSWER = DeliveryKind("leave.answer", "an answer about leave")
LEAVE_BACK = DeliveryKind("leave.back", "a note about leave")
LEAVE_DECIDE = DeliveryKind("leave.decide", "a request to decide")
MEETING_ANNOUNCEMENT = DeliveryKind("meeting.announcement", "an announcement")
MEETING_CANCELLED = DeliveryKind("meeting.cancelled", "a cancellation")
MEETING_MOVED = DeliveryKind("meeting.moved", "a changed time")
MEETING_REMINDER = DeliveryKind("meeting.reminder", "a reminder")
MEETINGS_CANCELLED = DeliveryKind("meetings.cancelled", "a cancellation")
RECORD_CHANGED = DeliveryKind("record.changed", "a change of a record")
RETENTION_TOLD = DeliveryKind("retention.told", "a note about how long reflections are kept")
SHARE = DeliveryKind("share")
SUMMARY = DeliveryKind("summary", "a summary")
SUMMARY_CHASE = DeliveryKind("summary.chase", "a reminder of a summary")
VISIT = DeliveryKind("visit", "a visit to a channel")  # no message: the bot enters a channel
WELCOME = DeliveryKind("welcome", "a welcome")

ALL: Mapping[str, DeliveryKind] = {
    kind.name: kind for kind in tuple(globals().values()) if isinstance(kind, DeliveryKind)
}
REPORTED: Mapping[str, str] = {kind.name: kind.reported for kind in ALL.values() if kind.reported}


def is_reported(name: str) -> bool:
    """Whether a delivery of the kind with this name may appear in a digest, the log or the metrics."""
    return name in REPORTED
