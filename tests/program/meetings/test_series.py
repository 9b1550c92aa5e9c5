from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.meetings.series import MOST_MEETINGS, Break, Repeat, SeriesProblem, series_dates

FIRST = datetime(2026, 9, 10, 15, 30)


def days(repeat: Repeat, until: date | None, first: datetime = FIRST, breaks: tuple[Break, ...] = ()) -> list[str]:
    return [f"{start:%m-%d}" for start in series_dates(first, repeat, until, breaks).kept]


def test_once_needs_no_end() -> None:
    assert days("once", None) == ["09-10"]


def test_weekly_and_every_two_weeks() -> None:
    assert days("weekly", date(2026, 9, 24)) == ["09-10", "09-17", "09-24"]
    assert days("biweekly", date(2026, 10, 8)) == ["09-10", "09-24", "10-08"]


def test_local_time_stays_across_a_clock_change() -> None:
    starts = series_dates(datetime(2026, 10, 29, 15, 30), "weekly", date(2026, 11, 5), ()).kept
    assert [start.time() for start in starts] == [FIRST.time(), FIRST.time()]


def test_a_month_without_a_31st_meets_on_its_last_day() -> None:
    first = datetime(2026, 8, 31, 15, 30)
    assert days("monthly_date", date(2027, 2, 28), first) == [
        "08-31",
        "09-30",
        "10-31",
        "11-30",
        "12-31",
        "01-31",
        "02-28",
    ]


def test_monthly_by_weekday() -> None:
    assert days("monthly_weekday", date(2026, 11, 30)) == ["09-10", "10-08", "11-12"]


def test_a_fifth_weekday_means_the_last_one() -> None:
    assert days("monthly_weekday", date(2026, 11, 30), datetime(2026, 9, 30, 9, 0)) == ["09-30", "10-28", "11-25"]


def test_breaks_are_skipped_and_named() -> None:
    off = Break(date(2026, 9, 14), date(2026, 9, 18), "Fair week")
    dates = series_dates(FIRST, "weekly", date(2026, 9, 24), (off,))
    assert [start.day for start in dates.kept] == [10, 24]
    assert [(start.day, in_break.label) for start, in_break in dates.skipped] == [(17, "Fair week")]


@pytest.mark.parametrize(
    ("repeat", "until", "field"),
    [("weekly", None, "until"), ("weekly", date(2026, 9, 1), "until"), ("weekly", date(2036, 9, 1), "until")],
)
def test_what_cannot_be_a_series_is_said_at_its_field(repeat: Repeat, until: date | None, field: str) -> None:
    with pytest.raises(SeriesProblem) as problem:
        series_dates(FIRST, repeat, until, ())
    assert problem.value.field == field


def test_a_series_all_in_a_break_is_refused() -> None:
    with pytest.raises(SeriesProblem, match="Summer"):
        series_dates(FIRST, "once", None, (Break(FIRST.date(), FIRST.date(), "Summer"),))


@given(
    first=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(microsecond=0)),
    repeat=st.sampled_from(["weekly", "biweekly", "monthly_date", "monthly_weekday"]),
    weeks=st.integers(0, 60),
)
def test_series_begin_with_the_first_date_and_rise(first: datetime, repeat: Repeat, weeks: int) -> None:
    until = date.fromordinal(first.toordinal() + weeks * 7)
    kept = series_dates(first, repeat, until, ()).kept
    assert kept[0] == first
    assert list(kept) == sorted(set(kept))
    assert kept[-1].date() <= until
    assert len(kept) <= MOST_MEETINGS
