"""Program years and their parts: semesters, months and weeks, counted by the policy's boundary and zone.

Days far outside of anybody's program are cut at the calendar's ends, so that no date, however odd, raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from program.core.times import local_day
from program.record.policy import AtLeast, Per, ProgramCalendar

MOST_PAUSED = 50  # program years in a row; a longer leave ends the search, not the process
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``starts`` to ``ends``, both included, of the mentee's program year ``year`` (None: all)."""

    label: str
    starts: date
    ends: date
    year: int | None = None

    def holds(self, day: date) -> bool:
        """Whether the day lies in the period; its last day does."""
        return self.starts <= day <= self.ends

    @property
    def days(self) -> int:
        """How many days it has, the first and the last included."""
        return (self.ends - self.starts).days + 1


@dataclass(frozen=True, slots=True)
class ProgramYear:
    """A mentee's program year. A paused year moves its end: ``open`` are the parts in which periods are asked."""

    period: Period
    open: Period  # the last calendar program year in it, the one that is not paused

    @property
    def number(self) -> int:
        """1 for the first program year."""
        return self.period.year or 0


@lru_cache(maxsize=65536)
def day_of(instant: datetime, zone: str) -> date:
    """The local day of an instant."""
    try:
        return local_day(instant, zone)
    except (OverflowError, ValueError):  # at the very ends of the calendar
        return instant.replace(tzinfo=UTC).date()


def shifted(day: date, days: int) -> date:
    """A day so many days later; the calendar's first or last day where it would lie outside."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def on(year: int, month_day: tuple[int, int]) -> date:
    """A month and day in a year; 02-29 is 1 March where there is none."""
    if year < 1 or year > 9999:
        return date.min if year < 1 else date.max
    try:
        return date(year, *month_day)
    except ValueError:
        return date(year, 3, 1)


def year_of(day: date, boundary: tuple[int, int]) -> int:
    """The calendar year in which the program year of ``day`` began."""
    return day.year if day >= on(day.year, boundary) else day.year - 1


def year_label(number: int, first: int, last: int) -> str:
    """A program year's title: "Year 1 (2026-27)"."""
    return f"Year {number} ({first}-{(last + 1) % 100:02d})"


def calendar_year(program: ProgramCalendar, year: int, number: int | None = None) -> Period:
    """The program year that began in the calendar year ``year``."""
    ends = shifted(on(year + 1, program.boundary), -1)
    starts = min(on(year, program.boundary), ends)
    label = f"{year}-{(year + 1) % 100:02d}" if number is None else year_label(number, year, year)
    return Period(label, starts, ends, number)


# Leave -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Away:
    """Disjoint spans of leave, by time, both ends included."""

    spans: tuple[tuple[date, date], ...] = ()

    @classmethod
    def of(cls, spans: Sequence[tuple[date, date]]) -> Away:
        """The days of these spans; spans that meet or overlap become one."""
        merged: list[tuple[date, date]] = []
        for starts, ends in sorted(spans):
            if ends < starts:
                continue
            if merged and starts <= shifted(merged[-1][1], 1):
                merged[-1] = (merged[-1][0], max(ends, merged[-1][1]))
            else:
                merged.append((starts, ends))
        return cls(tuple(merged))

    def holds(self, day: date) -> bool:
        """Whether somebody is away on a day."""
        return any(starts <= day <= ends for starts, ends in self.spans)

    def days_in(self, starts: date, ends: date) -> int:
        """How many days between two days, both included, somebody is away."""
        return sum(max(0, (min(ends, last) - max(starts, first)).days + 1) for first, last in self.spans)


# Years and their parts ---------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # most of a program's mentees share a start
def program_years(
    program: ProgramCalendar, starts: date, count: int, away: Away, pauses_from_days: int | None
) -> tuple[ProgramYear, ...]:
    """The mentee's program years: a calendar program year that a leave pauses is joined to the next one."""
    years: list[ProgramYear] = []
    calendar = year_of(starts, program.boundary)
    for number in range(1, count + 1):
        first = calendar
        whole = calendar_year(program, calendar, number)
        while _paused(whole, away, pauses_from_days) and calendar - first < MOST_PAUSED and calendar < 9998:
            calendar += 1
            whole = calendar_year(program, calendar, number)
        begins = calendar_year(program, first, number).starts
        period = Period(year_label(number, first, calendar), begins, whole.ends, number)
        years.append(ProgramYear(period, whole))
        calendar += 1
    return tuple(years)


def _paused(year: Period, away: Away, from_days: int | None) -> bool:
    return from_days is not None and away.days_in(year.starts, year.ends) >= from_days


def parts(
    program: ProgramCalendar, rule: AtLeast, year: ProgramYear, starts: date, away: Away
) -> tuple[list[Period], list[Period]]:
    """The semesters, months or weeks of a program year: those asked for, and those let off.

    A part is asked only where the mentee was there for more than half of it: after the start, not on leave.
    In the paused part of a year nothing is asked.
    """
    asked: list[Period] = []
    off: list[Period] = []
    for period in _parts(program, rule, year, starts):
        if rule.in_months and period.starts.month not in rule.in_months:
            continue
        there = 2 * _there(period, starts, away) > period.days and period.ends >= year.open.starts
        (asked if there else off).append(period)
    return asked, off


def _parts(program: ProgramCalendar, rule: AtLeast, year: ProgramYear, starts: date) -> Iterator[Period]:
    if isinstance(rule.first_weeks, int):
        yield from _first_weeks(rule.first_weeks, year, starts)
        return
    calendar = year_of(year.period.starts, program.boundary)
    while (period := calendar_year(program, calendar, year.number)).starts < year.open.starts:
        yield from _split(program, rule.per, period)
        calendar += 1
    yield from _split(program, rule.per, year.open)


def _there(part: Period, starts: date, away: Away) -> int:
    begins = max(part.starts, starts)
    if begins > part.ends:
        return 0
    return (part.ends - begins).days + 1 - away.days_in(begins, part.ends)


def _first_weeks(count: int, year: ProgramYear, starts: date) -> Iterator[Period]:
    """Seven days each, from the mentee's start on, as far as they begin in this program year."""
    for number in range(min(count, 520)):
        begins = shifted(starts, 7 * number)
        if year.period.holds(begins):
            yield Period(f"Week {number + 1}", begins, shifted(begins, 6), year.number)


def _split(program: ProgramCalendar, per: Per, year: Period) -> Iterator[Period]:
    match per:
        case "semester":
            yield from _semesters(program, year)
        case "month":
            yield from _months(year)
        case "week":
            yield from _weeks(year)
        case _:
            yield year


def _semesters(program: ProgramCalendar, year: Period) -> Iterator[Period]:
    second = on(year.starts.year, program.second_semester or program.boundary)
    if second <= year.starts:
        second = on(year.starts.year + 1, program.second_semester or program.boundary)
    if not year.starts < second <= year.ends:
        yield year
        return
    yield Period("First semester", year.starts, shifted(second, -1), year.year)
    yield Period("Second semester", second, year.ends, year.year)


def _months(year: Period) -> Iterator[Period]:
    """Calendar months; where the boundary is not the first of a month, its first and last month are cut."""
    begins = year.starts
    while begins <= year.ends:
        following = on(begins.year + begins.month // 12, (begins.month % 12 + 1, 1))
        ends = min(year.ends, shifted(following, -1)) if following > begins else year.ends
        yield Period(f"{begins:%B} {begins.year}", begins, ends, year.year)
        if ends >= date.max - DAY:
            return
        begins = ends + DAY


def _weeks(year: Period) -> Iterator[Period]:
    """Monday to Sunday; a week belongs to the program year in which its Monday lies."""
    begins = shifted(year.starts, -year.starts.weekday() % 7)
    while begins <= year.ends:
        yield Period(f"Week of {begins:%b} {begins.day}", begins, shifted(begins, 6), year.year)
        if begins >= date.max - 7 * DAY:
            return
        begins += 7 * DAY
