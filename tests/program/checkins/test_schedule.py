from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from program.checkins.schedule import Cycle, choose_prompts, next_checkin
from program.core.times import to_local
from program.meetings.series import Break

ZONE = "America/Chicago"


def test_every_two_weeks_on_thursday_at_three() -> None:
    first = next_checkin(datetime(2026, 9, 7, tzinfo=UTC), ZONE, Cycle(), ())
    second = next_checkin(first, ZONE, Cycle(), ())
    assert to_local(first, ZONE).strftime("%a %H:%M") == "Thu 15:00"
    assert second - first == timedelta(days=14)


def test_local_time_stays_across_a_clock_change() -> None:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    for _ in range(6):
        at = next_checkin(at, ZONE, Cycle(), ())
        assert to_local(at, ZONE).time() == time(15, 0)


def test_a_time_that_occurs_twice_gives_one_checkin() -> None:
    cycle = Cycle(weekday=6, at=time(1, 30), every_weeks=1)
    at = datetime(2026, 10, 30, tzinfo=UTC)
    days = []
    for _ in range(3):
        at = next_checkin(at, ZONE, cycle, ())
        days.append(to_local(at, ZONE).date())
    assert days == [date(2026, 11, 1), date(2026, 11, 8), date(2026, 11, 15)]


def test_breaks_are_passed_over() -> None:
    off = Break(date(2026, 9, 1), date(2026, 9, 30), "Break")
    at = next_checkin(datetime(2026, 9, 7, tzinfo=UTC), ZONE, Cycle(every_weeks=1), (off,))
    assert to_local(at, ZONE).date() == date(2026, 10, 1)


@given(count=st.integers(1, 12), start=st.integers(0, 500))
def test_prompts_rotate_until_all_came_up(count: int, start: int) -> None:
    prompts = list(range(count))
    seen = {choose_prompt for turn in range(start, start + count) for choose_prompt in choose_prompts(prompts, turn)}
    assert seen == set(prompts)
    assert len(set(choose_prompts(prompts, start))) == min(3, count)


def test_no_prompts_no_questions() -> None:
    assert choose_prompts([], 4) == ()
