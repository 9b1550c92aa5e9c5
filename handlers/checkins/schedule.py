"""The check-in schedule: each person's next check-in, updated when something changes that it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from uuid import UUID

from program.checkins.schedule import next_checkin
from program.core.times import to_utc
from program.meetings.series import Break, break_on
from storage.checkins import checkins
from storage.checkins.checkins import Turn
from storage.core.work import Work
from storage.meetings import breaks
from storage.outbox import due
from storage.record import leaves


def refresh_turns(work: Work, people: Sequence[UUID] | None = None) -> None:
    """Set the next turn of these people (None: of everybody) and plan the moments of it."""
    found = checkins.turns(work.tx, people)
    if people is not None:
        gone = set(people) - {turn.person_id for turn in found}
        checkins.drop_turns(work, list(gone))
    set_turns(work, found)


def set_turns(work: Work, found: Sequence[Turn]) -> None:
    """Set each turn to the first time after now that the rhythm, breaks and the person's pause allow."""
    off = Off(work, [turn.person_id for turn in found])
    next_at = cache(next_checkin)  # most people share a rhythm
    turns: list[tuple[UUID, datetime]] = []
    for turn in found:
        after = work.now
        if turn.snoozed_until is not None:
            awake = to_utc(datetime.combine(turn.snoozed_until, time()), turn.zone)
            after = max(after, awake - timedelta(seconds=1))
        at = next_at(after, turn.zone, turn.cycle, off.of(turn.person_id, turn.cohort_id))
        turns.append((turn.person_id, at))
    checkins.set_turns(work, turns)
    for at in sorted({at for _, at in turns}):
        due.plan(work, "checkins.open", at, at.isoformat())


class Off:
    """The days off of people: the program's breaks, their cohort's, and their own leaves."""

    def __init__(self, work: Work, people: Sequence[UUID] | None = None) -> None:
        self._breaks = _breaks(work)
        self._leaves = leaves.of_people(work.tx, people)

    def of(self, person_id: UUID, cohort_id: UUID) -> tuple[Break, ...]:
        return (*self._breaks.get(None, ()), *self._breaks.get(cohort_id, ()), *self._leaves.get(person_id, ()))

    def on(self, turn: Turn, day: date) -> bool:
        """Whether a day is off for somebody, in the cohort that sets their rhythm."""
        return break_on(day, self.of(turn.person_id, turn.cohort_id)) is not None


def _breaks(work: Work) -> dict[UUID | None, tuple[Break, ...]]:
    found: dict[UUID | None, tuple[Break, ...]] = {}
    for item in breaks.of_program(work.tx):
        found[item.cohort_id] = (*found.get(item.cohort_id, ()), item.days)
    return found
