"""What may be told of messages and due moments: in the digest, the log and the metrics.

A message whose sending depends on somebody's answer, decline, pause, share or dispute is private. That it failed,
waits or was sent is told to nobody: who is told of a failed reminder knows who has not answered. Whether people can
be reached is told from messages that everybody gets alike.
"""

from __future__ import annotations

from collections.abc import Mapping

# What a digest calls a failed message of each kind that may be told of. A kind that is not here is private.
REPORTED: Mapping[str, str] = {
    "activity.decide": "a request to decide",
    "activity.own": "an answer about an activity",
    "attendance.chase": "a reminder of attendance",
    "attendance.differs": "a question about attendance",
    "attendance.differs.mentor": "a question about attendance",
    "attendance.escalate": "a note about attendance",
    "attendance.here": "the “I'm here” card",
    "attendance.roster": "a roster",
    "cohort.hello": "a greeting",
    "cohort.visited": "a note about a channel",
    "completion.ask": "a question for your approval",
    "completion.done": "a certificate",
    "completion.left": "a goodbye",
    "digest": "a digest",
    "hello": "a greeting",
    "identity.ask": "the question who somebody is",
    "identity.gone": "a note about an account",
    "identity.kept": "a note about an account",
    "identity.replaced": "a note about an account",
    "identity.replacing": "a question about an account",
    "identity.untold": "a note about an account",
    "integrity": "a warning about records",
    "leave.answer": "an answer about leave",
    "leave.back": "a note about leave",
    "leave.decide": "a request to decide",
    "meeting.announcement": "an announcement",
    "meeting.cancelled": "a cancellation",
    "meeting.moved": "a changed time",
    "meeting.reminder": "a reminder",
    "meetings.cancelled": "a cancellation",
    "record.changed": "a change of a record",
    "retention.told": "a note about how long reflections are kept",
    "summary": "a summary",
    "summary.chase": "a reminder of a summary",
    "visit": "a visit to a channel",
    "welcome": "a welcome",
}
PRIVATE_MOMENTS = ("checkins.close", "checkins.expire", "checkins.nudge", "checkins.open")
PRIVATE_ACTS = ("checkins", "consent", "disputes", "forgetting", "holds", "privacy", "reflections")
PRIVATE = "private"


def is_reported(kind: str) -> bool:
    """Whether a delivery of this kind may appear in a digest, the log or the metrics."""
    return kind in REPORTED


def act_in_log(name: str) -> str:
    """The name of a button or form for the log; "private" where it tells that somebody takes part."""
    return PRIVATE if name.partition(".")[0] in PRIVATE_ACTS else name
