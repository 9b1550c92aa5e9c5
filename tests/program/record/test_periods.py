"""Years and their parts: boundaries at midnight, clock changes, 29 February and 30 June in the policy's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.record.ledger import Attendance, Enrolment, Record
from program.record.periods import Away, calendar_year, day_of, on, program_years, shifted, year_of
from program.record.policy import ProgramCalendar
from program.record.policy_reading import read_policy
from program.record.standing import Standing, standing
from tests.program.record.ledger import policy_of, rule, text_of


def program_of(boundary: str) -> ProgramCalendar:
    return read_policy(text_of().replace('"07-01"', f'"{boundary}"')).program


CHICAGO = program_of("07-01")
LEAP = program_of("02-29")


def attended(at: datetime, today: date, text: str | None = None, starts: date = date(2025, 7, 1)) -> Standing:
    policy = read_policy(text) if text else policy_of()
    line = Attendance(UUID(int=1), at, 60, "confirmed", "present")
    return standing(policy, Enrolment(starts), Record(attendance=(line,)), (), today)


@pytest.mark.parametrize(
    ("at", "years"),
    [
        (datetime(2026, 7, 1, 4, 59, tzinfo=UTC), [1, 0]),  # 30 June, 23:59 in Missouri
        (datetime(2026, 7, 1, 5, 0, tzinfo=UTC), [0, 1]),  # 1 July, midnight
        (datetime(2027, 7, 1, 4, 59, tzinfo=UTC), [0, 1]),
        (datetime(2027, 7, 1, 5, 0, tzinfo=UTC), [0, 0]),  # after the second year
        (datetime(2025, 7, 1, 4, 59, tzinfo=UTC), [0, 0]),  # before the start
        (datetime(2025, 7, 1, 5, 0, tzinfo=UTC), [1, 0]),
    ],
)
def test_the_last_minute_of_30_june_and_the_first_of_1_july(at: datetime, years: list[int]) -> None:
    result = attended(at, date(2027, 8, 1))
    assert [year.requirements[0].have for year in result.years] == years


def test_the_boundary_is_that_of_the_policys_zone() -> None:
    at = datetime(2026, 7, 1, 4, 30, tzinfo=UTC)  # 30 June in Chicago, 1 July in New York
    east = text_of().replace("America/Chicago", "America/New_York")
    assert [year.requirements[0].have for year in attended(at, date(2026, 8, 1)).years] == [1, 0]
    assert [year.requirements[0].have for year in attended(at, date(2026, 8, 1), east).years] == [0, 1]


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2025, 11, 1, 4, 59, tzinfo=UTC), "October 2025"),  # before the clocks go back: UTC-5
        (datetime(2025, 12, 1, 5, 59, tzinfo=UTC), "November 2025"),  # after: UTC-6
        (datetime(2026, 3, 1, 5, 59, tzinfo=UTC), "February 2026"),
        (datetime(2026, 4, 1, 4, 59, tzinfo=UTC), "March 2026"),  # the clocks went forward on 8 March
        (datetime(2025, 11, 2, 6, 30, tzinfo=UTC), "November 2025"),  # 01:30, for the first time
        (datetime(2025, 11, 2, 7, 30, tzinfo=UTC), "November 2025"),  # 01:30, for the second time
    ],
)
def test_months_across_clock_changes(at: datetime, month: str) -> None:
    result = attended(at, date(2026, 6, 30), text_of(rule(per="month")))
    met = [requirement.period.label for requirement in result.requirements if requirement.have]
    assert met == [month]


def test_29_february_is_a_day_like_any_other() -> None:
    at = datetime(2028, 3, 1, 5, 30, tzinfo=UTC)  # 29 February, 23:30
    result = attended(at, date(2028, 6, 1), text_of(rule(per="month")), date(2027, 7, 1))
    assert [requirement.period.label for requirement in result.requirements if requirement.have] == ["February 2028"]
    february = next(
        requirement.period for requirement in result.requirements if requirement.period.label == "February 2028"
    )
    assert february.ends == date(2028, 2, 29)


def test_a_start_on_29_february_and_its_latest_finish() -> None:
    leave = '[leave]\napprover = "coordinator"\nreasons = {}\nmaximum_years = 3\n'
    text = text_of(rule(), leave)
    result = standing(read_policy(text), Enrolment(date(2024, 2, 29)), Record(), (), date(2024, 3, 1))
    assert result.must_finish == date(2027, 2, 28)


def test_a_boundary_on_29_february_is_1_march_in_other_years() -> None:
    assert [on(year, (2, 29)) for year in (2027, 2028)] == [date(2027, 3, 1), date(2028, 2, 29)]
    assert year_of(date(2027, 2, 28), (2, 29)) == 2026
    assert year_of(date(2027, 3, 1), (2, 29)) == 2027
    assert year_of(date(2028, 2, 29), (2, 29)) == 2028
    assert calendar_year(LEAP, 2027).ends == date(2028, 2, 28)


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.sampled_from(["07-01", "02-29", "01-01", "12-31", "08-15"]))
def test_every_day_lies_in_one_program_year(day: date, boundary: str) -> None:
    program = program_of(boundary)
    year = year_of(day, program.boundary)
    assert calendar_year(program, year).holds(day)
    assert not calendar_year(program, year - 1).holds(day)
    assert calendar_year(program, year - 1).ends + timedelta(days=1) == calendar_year(program, year).starts


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_instant_is_without_a_day(at: datetime) -> None:
    assert abs((day_of(at, "Pacific/Kiritimati") - at.date()).days) <= 1


def test_leaves_that_overlap_are_one() -> None:
    spans = [(date(2026, 1, 5), date(2026, 1, 9)), (date(2026, 1, 1), date(2026, 1, 6))]
    backwards = (date(2026, 2, 1), date(2026, 1, 1))
    away = Away.of([*spans, backwards])
    assert away.spans == ((date(2026, 1, 1), date(2026, 1, 9)),)
    assert away.days_in(date(2026, 1, 8), date(2026, 1, 31)) == 2
    assert away.holds(date(2026, 1, 9))
    assert not away.holds(date(2026, 1, 10))


def test_two_paused_years_in_a_row() -> None:
    away = Away.of([(date(2025, 9, 1), date(2027, 5, 1))])
    first, second = program_years(CHICAGO, date(2025, 7, 1), 2, away, 90)
    assert (first.period.label, first.open.label) == ("Year 1 (2025-28)", "Year 1 (2027-28)")
    assert second.period.label == "Year 2 (2028-29)"


def test_the_calendars_ends_raise_nothing() -> None:
    assert shifted(date.max, 1) == date.max
    assert shifted(date.min, -1) == date.min
    assert on(10_000, (7, 1)) == date.max
    assert on(0, (7, 1)) == date.min
    forever = Away.of([(date.min, date.max)])
    assert len(program_years(CHICAGO, date(2025, 7, 1), 2, forever, 1)) == 2
