"""What may be told in the log of what people pressed and sent."""

from __future__ import annotations

PRIVATE_ACTS = ("checkins", "consent", "disputes", "forgetting", "holds", "privacy", "reflections")
PRIVATE = "private"


def act_in_log(name: str) -> str:
    """The name of a button or form for the log; "private" where it tells that somebody takes part."""
    return PRIVATE if name.partition(".")[0] in PRIVATE_ACTS else name
