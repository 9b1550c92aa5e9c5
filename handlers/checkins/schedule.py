"""The check-in schedule: each person's next check-in, updated when something changes that it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from uuid import UUID

from handlers.core.calls import Call
from program.checkins.schedule import next_checkin
from program.core.times import local_day, to_utc
from program.meetings.series import Break, break_on
from storage.checkins import checkins, pauses
from storage.checkins.checkins import Schedule
from storage.core.work import Work
from storage.meetings import breaks
from storage.outbox import due, moments
from storage.record import leaves


def refresh_schedule(work: Work, people: Sequence[UUID] | None = None) -> None:
    """Set the next check-in of these people (None: of everybody) and plan its moment."""
    schedules = checkins.schedules(work.tx, people)
    if people is not None:
        gone = set(people) - {schedule.person_id for schedule in schedules}
        checkins.drop_next(work, list(gone))
    set_schedules(work, schedules)


def set_schedules(work: Work, schedules: Sequence[Schedule]) -> None:
    """Set each next check-in to the first time after now that the rhythm, breaks and the person's pause allow."""
    planned = _planned(work, schedules)
    checkins.set_next(work, planned)
    for at in sorted({at for _, at in planned}):
        due.plan(work, moments.CHECKINS_OPEN, at, at.isoformat())


def _planned(work: Work, schedules: Sequence[Schedule]) -> list[tuple[UUID, datetime]]:
    """When the next check-in of each comes."""
    off = DaysOff(work, [schedule.person_id for schedule in schedules])
    next_at = cache(next_checkin)  # most people share a rhythm
    planned: list[tuple[UUID, datetime]] = []
    for schedule in schedules:
        after = work.now
        if schedule.snoozed_until is not None:
            awake = to_utc(datetime.combine(schedule.snoozed_until, time()), schedule.zone)
            after = max(after, awake - timedelta(seconds=1))
        at = next_at(after, schedule.zone, schedule.cycle, off.of(schedule.person_id, schedule.cohort_id))
        planned.append((schedule.person_id, at))
    return planned


def next_checkin_of(call: Call) -> datetime | None:
    """When the next check-in comes that the asker's account asks for; None where none is planned.

    The schedule goes by what every account of the asker sees; this account may see a longer pause.
    """
    at = checkins.next_at(call.work.tx, call.my_id)
    until = pauses.of_view(call.work.tx, call.my_id, call.me.view).snoozed_until
    if at is None or until is None or local_day(at, call.me.zone) >= until:
        return at
    schedules = checkins.schedules(call.work.tx, [call.my_id])
    paused = [replace(schedule, snoozed_until=until) for schedule in schedules]
    return next((at for _, at in _planned(call.work, paused)), None)


class DaysOff:
    """The days off of people: the program's breaks, their cohort's, and their own leaves."""

    def __init__(self, work: Work, people: Sequence[UUID] | None = None) -> None:
        self._breaks = _breaks(work)
        self._leaves = leaves.of_people(work.tx, people)

    def of(self, person_id: UUID, cohort_id: UUID) -> tuple[Break, ...]:
        """The breaks that hold for somebody in a cohort: the program's, the cohort's, and their own leaves."""
        return (*self._breaks.get(None, ()), *self._breaks.get(cohort_id, ()), *self._leaves.get(person_id, ()))

    def on(self, schedule: Schedule, day: date) -> bool:
        """Whether a day is off for somebody, in the cohort that sets their rhythm."""
        return break_on(day, self.of(schedule.person_id, schedule.cohort_id)) is not None


def _breaks(work: Work) -> dict[UUID | None, tuple[Break, ...]]:
    by_cohort: dict[UUID | None, tuple[Break, ...]] = {}
    for item in breaks.of_program(work.tx):
        by_cohort[item.cohort_id] = (*by_cohort.get(item.cohort_id, ()), item.days)
    return by_cohort
