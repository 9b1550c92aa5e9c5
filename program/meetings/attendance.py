"""Attendance: its statuses, and today's state from the append-only entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from program.record.policy import Policy

Status = Literal["present", "partial", "excused", "absent"]
STATUSES: dict[Status, str] = {
    "present": "Present",
    "partial": "Partly there",
    "excused": "Excused",
    "absent": "Absent",
}
Step = Literal["tapped", "confirmed", "corrected"]

OPENS_BEFORE = timedelta(minutes=15)
CHASE_AFTER = timedelta(hours=24)
ESCALATE_AFTER = timedelta(hours=72)

REASONS = {
    "late_entry": "The first entry was wrong",
    "told_later": "I learned about it later",
    "mentee_asked": "The mentee told me",
    "wrong_person": "I marked the wrong person",
}


def correction_reasons(policies: Iterable[Policy]) -> dict[str, str]:
    """The reasons for a correction that these policies name, by code; ours where they name none."""
    named = {
        code: words for policy in policies if policy.corrections for code, words in policy.corrections.reasons.items()
    }
    return named or dict(REASONS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as far as today's state needs it. Entries come in the order of recording."""

    person: UUID
    step: Step
    status: Status
    minutes: int | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one person stands in one meeting: what they tapped, and what a mentor settled."""

    tapped: bool = False
    status: Status | None = None  # None: open, never assumed
    minutes: int | None = None
    corrected: bool = False
    tapped_at: datetime | None = None  # UTC; None: no tap, or its time is not asked for
    history: tuple[Status, ...] = ()  # every status that was settled, in the order of recording

    @property
    def version(self) -> int:
        """How many lines have settled it; a form carries it to tell what it showed."""
        return len(self.history)

    def status_at(self, version: int) -> Status | None:
        """What was settled when it had this version; None: nothing was, or it never had it."""
        return self.history[version - 1] if 0 < version <= len(self.history) else None

    @property
    def there(self) -> bool:
        """Whether this person was there as far as is known: recorded so, or tapped and not yet confirmed."""
        return self.tapped if self.status is None else counts(self.status)


def marks(entries: Iterable[Entry]) -> dict[UUID, Mark]:
    """The last word on each person. A tap says "I'm here"; only a confirmation settles."""
    state: dict[UUID, Mark] = {}
    for entry in entries:
        before = state.get(entry.person, Mark())
        if entry.step == "tapped":
            state[entry.person] = replace(before, tapped=True, tapped_at=entry.recorded_at)
        else:
            corrected = entry.step == "corrected"
            state[entry.person] = replace(
                before,
                status=entry.status,
                minutes=entry.minutes,
                corrected=corrected,
                history=(*before.history, entry.status),
            )
    return state


def counts(status: Status | None) -> bool:
    """Whether a settled status is an attended meeting."""
    return status in ("present", "partial")
