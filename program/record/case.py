"""Everything about one mentee that their requirements are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from program.record.calendar import Calendar
from program.record.counting import Frame, Item, items, standing_lines
from program.record.ledger import Credit, Enrolment, Record, Waiver
from program.record.periods import Away, Period, ProgramYear, program_years, shifted, year_of
from program.record.policy import Policy, Track, known
from program.record.policy_fields import MOST_YEARS


@dataclass(frozen=True, slots=True)
class Case:
    """Everything about one mentee that the rules look at."""

    policy: Policy
    track: Track | None
    starts: date
    today: date
    away: Away
    paused: Away  # the leaves that let something off: an open one until today
    years: tuple[ProgramYear, ...]
    whole: Period
    items: Sequence[Item]  # what happened, and the meetings that have no entries
    credits: Sequence[Credit]
    waivers: Sequence[Waiver]


def case_of(policy: Policy, enrolment: Enrolment, record: Record, calendar: Calendar, today: date) -> Case:
    """One mentee's case on a day, from the policy, the enrolment, the record and the cohort's calendar."""
    track = policy.track(enrolment.track)
    leaves = standing_lines(record.leaves)
    starts = _start(policy, enrolment.starts, [(leave.starts, leave.ends) for leave in leaves], today)
    until_known = [(leave.starts, leave.ends or max(today, leave.starts)) for leave in leaves]
    pauses = known(policy.leave.pauses_year_from_days) if policy.leave else None
    count = _count_of_years(policy, track, starts, today)
    away = Away.of([(leave.starts, leave.ends or date.max) for leave in leaves])
    paused = Away() if pauses is None else Away.of(until_known)
    years = program_years(policy.program, starts, count, paused, pauses)
    whole = Period("the whole program", years[0].period.starts, years[-1].period.ends)
    frame = _frame(policy, enrolment, record, starts, today)
    counted = items(policy, record, frame)
    settled = {item.id for item in counted}
    here = max([frame.since, *(transfer.on for transfer in standing_lines(record.transfers) if transfer.on <= today)])
    counted += [item for item in _open(policy, calendar, here, away) if item.id not in settled]
    credits = [*standing_lines(record.credits), *_track_credits(track)]
    return Case(
        policy, track, starts, today, away, paused, years, whole, counted, credits, standing_lines(record.waivers)
    )


def _start(policy: Policy, starts: date, leaves: list[tuple[date, date | None]], today: date) -> date:
    """The program start; a leave long enough to end all credit makes the day after it the start."""
    expires = known(policy.leave.credit_expires_after_days) if policy.leave else None
    if expires is None:
        return starts
    for begins, ends in Away.of([(day, other or max(today, day)) for day, other in leaves]).spans:
        if ends >= starts and ends < today and (ends - begins).days + 1 > expires:
            starts = max(starts, shifted(ends, 1))
    return starts


def _frame(policy: Policy, enrolment: Enrolment, record: Record, starts: date, today: date) -> Frame:
    since, before = starts, "before the program start"
    if starts > enrolment.starts:
        before = "before a long leave that ended earlier credit"
    if policy.transfer is not None and policy.transfer.credit_stays is False:
        moves = [transfer.on for transfer in standing_lines(record.transfers) if transfer.on <= today]
        if moves and max(moves) > since:
            since, before = max(moves), "before the transfer"
    return Frame(today, since, before)


def _count_of_years(policy: Policy, track: Track | None, starts: date, today: date) -> int:
    """The number of program years; where it is unset, those that have begun."""
    count = track.years if track and track.years is not None else policy.program.years
    if isinstance(count, int):
        return count
    begun = year_of(today, policy.program.boundary) - year_of(starts, policy.program.boundary) + 1
    return min(MOST_YEARS, max(1, begun))


def _open(policy: Policy, calendar: Calendar, since: date, away: Away) -> list[Item]:
    """Meetings without entries: they can still count, if the mentee is there.

    ``since``: what a new cohort did before the transfer was never the mentee's to attend.
    """
    return [item for item in calendar.unattended(policy) if item.day >= since and not away.holds(item.day)]


def _track_credits(track: Track | None) -> list[Credit]:
    if track is None:
        return []
    credits_due = [(track_credit, track_credit.amount) for track_credit in track.credit]
    return [
        Credit(UUID(int=0), track_credit.rule, track_credit.year, amount)
        for track_credit, amount in credits_due
        if isinstance(amount, int)
    ]
