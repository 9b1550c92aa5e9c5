from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from program.core.times import is_zone, program_year, say_minutes, to_local, to_utc


def test_a_skipped_hour_happens_an_hour_later() -> None:
    at = to_utc(datetime(2026, 3, 8, 2, 30), "America/Chicago")
    assert to_local(at, "America/Chicago") == datetime(2026, 3, 8, 3, 30)


def test_a_repeated_hour_is_the_first_of_the_two() -> None:
    assert to_utc(datetime(2026, 11, 1, 1, 30), "America/Chicago") == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_an_aware_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        to_utc(datetime(2026, 1, 1, tzinfo=UTC), "America/Chicago")


@pytest.mark.parametrize(
    ("day", "year"), [(date(2026, 6, 30), 2025), (date(2026, 7, 1), 2026), (date(2028, 2, 29), 2027)]
)
def test_the_program_year_begins_on_the_first_of_july(day: date, year: int) -> None:
    assert program_year(day) == year


@pytest.mark.parametrize(
    ("name", "known"), [("America/Chicago", True), ("Mars/Base", False), ("", False), ("/etc", False)]
)
def test_zones_are_known_or_not(name: str, known: bool) -> None:
    assert is_zone(name) is known


@pytest.mark.parametrize(("minutes", "words"), [(1440, "1 day"), (60, "1 hour"), (90, "90 minutes"), (1, "1 minute")])
def test_lengths_are_said_in_the_largest_unit(minutes: int, words: str) -> None:
    assert say_minutes(minutes) == words
