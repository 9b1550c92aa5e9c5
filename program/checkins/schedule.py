"""The rhythm of check-ins and the prompts' rotation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from program.core.times import next_weekday, to_local, to_utc
from program.meetings.series import Break, break_on

PROMPTS_A_CHECKIN = 3
OPEN_DAYS = 7  # how long a check-in takes answers and edits
NUDGE_AFTER = timedelta(days=3)  # the one reminder to those who have not answered
EPOCH = date(2024, 1, 1)  # a Monday; weeks are counted from here, so that a cycle is the same for everyone

Item = TypeVar("Item")

DEFAULT_PROMPTS = (
    "What went well since the last check-in?",
    "What was hard, and what did you try?",
    "What would you like to talk through with your mentor or cohort?",
    "Where did you feel most like a school counselor?",
    "What surprised you about how your building works?",
    "What is one thing you want to do differently in the next two weeks?",
    "What are you doing to take care of yourself?",
    "Which part of your program needs more of your time than it gets?",
    "Who did you work with, and what did you learn from them?",
)


@dataclass(frozen=True, slots=True)
class Cycle:
    """Every ``every_weeks`` weeks on ``weekday`` (Monday 0) at ``at``, local time."""

    weekday: int = 3
    at: time = time(15, 0)
    every_weeks: int = 2


def next_checkin(after: datetime, zone: str, cycle: Cycle, breaks: Iterable[Break]) -> datetime:
    """The next check-in's instant strictly after ``after``, outside of breaks; at most two years ahead."""
    breaks = tuple(breaks)
    day = next_weekday(to_local(after, zone).date(), cycle.weekday)
    last = day + timedelta(days=730)
    while day <= last:
        in_cycle = ((day - EPOCH).days // 7) % cycle.every_weeks == 0
        instant = to_utc(datetime.combine(day, cycle.at), zone)
        if in_cycle and instant > after and break_on(day, breaks) is None:
            return instant
        day += timedelta(days=7)
    return to_utc(datetime.combine(last, cycle.at), zone)


def choose_prompts(prompts: Sequence[Item], period: int) -> tuple[Item, ...]:
    """The prompts of the ``period``-th check-in: they rotate, so that all come up before one returns."""
    if not prompts:
        return ()
    start = period * PROMPTS_A_CHECKIN
    count = min(PROMPTS_A_CHECKIN, len(prompts))
    return tuple(prompts[(start + step) % len(prompts)] for step in range(count))


def period_number(day: date, cycle: Cycle) -> int:
    """The number of the check-in period that a day lies in; the first one is 0."""
    return (day - EPOCH).days // (7 * cycle.every_weeks)
