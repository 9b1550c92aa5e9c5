"""When a repeating meeting happens: local times, breaks skipped and said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Literal

from dateutil.rrule import MONTHLY, WEEKLY, rrule, weekday

Repeat = Literal["once", "weekly", "biweekly", "monthly_date", "monthly_weekday"]
REPEATS: dict[Repeat, str] = {
    "once": "Once",
    "weekly": "Every week",
    "biweekly": "Every two weeks",
    "monthly_date": "Every month on the same date",
    "monthly_weekday": "Every month on the same weekday",
}
MOST_MEETINGS = 110  # two school years of weekly meetings


class SeriesProblem(ValueError):
    """These dates cannot make a series; the text says why, the field says where."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Break:
    """Days without meetings, reminders or check-ins, both ends included."""

    starts: date
    ends: date
    label: str

    def holds(self, day: date) -> bool:
        """Whether the day lies in the break; its last day does."""
        return self.starts <= day <= self.ends


@dataclass(frozen=True, slots=True)
class Dates:
    """The local starts of a series, and those that fall into a break."""

    kept: tuple[datetime, ...]
    skipped: tuple[tuple[datetime, Break], ...]


def break_on(day: date, breaks: Iterable[Break]) -> Break | None:
    """The first break that a day lies in."""
    return next((item for item in breaks if item.holds(day)), None)


def series_dates(first: datetime, repeat: Repeat, until: date | None, breaks: Iterable[Break]) -> Dates:
    """The dates of a series that begins at the naive local time ``first``.

    Raises:
        SeriesProblem: without an end, with one before the beginning, with too many or no meetings at all.
    """
    breaks = tuple(breaks)
    starts = [first] if repeat == "once" else _repeated(first, repeat, until)
    skipped = tuple((start, in_break) for start in starts if (in_break := break_on(start.date(), breaks)))
    left_out = {start for start, _ in skipped}
    kept = tuple(start for start in starts if start not in left_out)
    if not kept:
        raise SeriesProblem("day", f"Every date is during a break ({skipped[0][1].label}). Choose other dates.")
    return Dates(kept, skipped)


def _repeated(first: datetime, repeat: Repeat, until: date | None) -> list[datetime]:
    if until is None:
        raise SeriesProblem("until", "Choose the last date.")
    if until < first.date():
        raise SeriesProblem("until", "The last date must be after the first date.")
    end = datetime.combine(until, first.time())
    if repeat in ("weekly", "biweekly"):
        interval = 1 if repeat == "weekly" else 2
        rule = rrule(WEEKLY, interval=interval, dtstart=first, until=end)
    elif repeat == "monthly_date":
        # A month without a 31st (30th, 29th) meets on its last day instead of not at all.
        days = tuple(range(min(first.day, 28), first.day + 1))
        rule = rrule(MONTHLY, dtstart=first, until=end, bymonthday=days, bysetpos=-1)
    else:
        nth = (first.day - 1) // 7 + 1
        which = -1 if nth == 5 else nth  # a fifth Tuesday means the last one
        rule = rrule(MONTHLY, dtstart=first, until=end, byweekday=weekday(first.weekday())(which))
    starts: list[datetime] = list(islice(rule, MOST_MEETINGS + 1))
    if len(starts) > MOST_MEETINGS:
        raise SeriesProblem("until", f"That makes more than {MOST_MEETINGS} meetings. Choose an earlier last date.")
    return starts
