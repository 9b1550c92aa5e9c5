"""A mentee measured against the policy: have, need, missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from program.attendance import Status, counts
from program.policy import Policy

State = Literal["complete", "on track", "behind", "not set"]


@dataclass(frozen=True, slots=True)
class YearStanding:
    """One program year; ``year`` is the calendar year it begins in. ``need`` None: unset by the policy."""

    number: int  # 1, 2
    year: int
    have: int
    need: int | None
    excused: int
    absent: int
    past: bool
    current: bool

    @property
    def label(self) -> str:
        return f"Year {self.number} ({self.year}-{(self.year + 1) % 100:02d})"

    @property
    def missing(self) -> int | None:
        return None if self.need is None else max(0, self.need - self.have)


@dataclass(frozen=True, slots=True)
class Standing:
    years: tuple[YearStanding, ...]
    state: State


def standing(
    policy: Policy, starts: date, attended: Iterable[tuple[date, Status]], today: date, still_to_come: int
) -> Standing:
    """Where a mentee stands who began on ``starts``.

    ``attended``: local days and settled statuses; ``still_to_come``: meetings scheduled for the rest of
    the present program year. Somebody is behind when a past year lacks meetings, or when this year's
    meetings to come are too few for what is missing.
    """
    entries = list(attended)
    years = tuple(
        _year(policy, number, year, entries, today) for number, year in enumerate(policy.years_from(starts), start=1)
    )
    return Standing(years, _state(policy, years, still_to_come))


def _year(policy: Policy, number: int, year: int, entries: list[tuple[date, Status]], today: date) -> YearStanding:
    mine = [status for day, status in entries if policy.year_of(day) == year]
    return YearStanding(
        number=number,
        year=year,
        have=sum(counts(status) for status in mine),
        need=policy.meetings_per_year,
        excused=mine.count("excused"),
        absent=mine.count("absent"),
        past=policy.year_of(today) > year,
        current=policy.year_of(today) == year,
    )


def _state(policy: Policy, years: tuple[YearStanding, ...], still_to_come: int) -> State:
    if policy.meetings_per_year is None:
        return "not set"
    missing = [(year, year.missing or 0) for year in years]
    if all(count == 0 for _, count in missing):
        return "complete"
    late = any(count for year, count in missing if year.past)
    short = any(year.current and (year.absent or year.excused) and count > still_to_come for year, count in missing)
    return "behind" if late or short else "on track"
