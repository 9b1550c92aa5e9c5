"""Everybody's next check-in: kept up to date whenever something changes that it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from program.checkins import next_checkin
from program.series import Break, break_on
from program.times import to_utc
from storage import breaks, checkins, cohorts, due, leaves
from storage.checkins import Turn
from storage.work import Work


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
    for turn in found:
        after = work.now
        if turn.snoozed_until is not None:
            awake = to_utc(datetime.combine(turn.snoozed_until, time()), turn.zone)
            after = max(after, awake - timedelta(seconds=1))
        at = next_checkin(after, turn.zone, turn.cycle, off.of(turn.person_id, turn.cohort_id))
        checkins.set_turn(work, turn.person_id, at)
        due.plan(work, "checkins.open", at, at.isoformat())


class Off:
    """The days off of people: the program's breaks, their cohort's, and their own leaves."""

    def __init__(self, work: Work, people: Sequence[UUID] | None = None) -> None:
        self._breaks = _breaks(work)
        self._leaves = leaves.of_people(work.tx, people)

    def of(self, person_id: UUID, cohort_id: UUID) -> tuple[Break, ...]:
        return (*self._breaks.get(None, ()), *self._breaks.get(cohort_id, ()), *self._leaves.get(person_id, ()))


def on_break(work: Work, person_id: UUID, day: date) -> bool:
    """Whether a day is off for somebody: for the program, for every cohort they are in, or by a leave."""
    off = _breaks(work)
    if break_on(day, off.get(None, ())) or break_on(day, leaves.of_people(work.tx, [person_id]).get(person_id, ())):
        return True
    own = cohorts.shared_cohorts(work.tx, person_id)
    return bool(own) and all(break_on(day, off.get(one.id, ())) for one in own)


def _breaks(work: Work) -> dict[UUID | None, tuple[Break, ...]]:
    found: dict[UUID | None, tuple[Break, ...]] = {}
    for item in breaks.of_program(work.tx):
        found[item.cohort_id] = (*found.get(item.cohort_id, ()), item.days)
    return found
