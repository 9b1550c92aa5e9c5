from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.core.dates import read_day

TODAY = date(2026, 11, 21)  # a Saturday
PARTS = st.sampled_from(["dec", "25", "friday", "next", "in", "weeks", "9999999", "years", "ago", "-", "/", "1e9"])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("12/1", date(2026, 12, 1)),
        ("1/5", date(2027, 1, 5)),
        ("1/5/27", date(2027, 1, 5)),
        ("25/12", date(2026, 12, 25)),
        ("25.12.2026", date(2026, 12, 25)),
        ("Dec 25", date(2026, 12, 25)),
        ("until Dec. 25", date(2026, 12, 25)),
        ("December 25th, 2026", date(2026, 12, 25)),
        ("the 25th of December", date(2026, 12, 25)),
        ("Fri, Dec 4", date(2026, 12, 4)),
        ("Jan 5", date(2027, 1, 5)),
        ("Monday", date(2026, 11, 23)),
        ("next Friday", date(2026, 11, 27)),
        ("saturday", date(2026, 11, 28)),
        ("sat", date(2026, 11, 28)),
        ("tomorrow", date(2026, 11, 22)),
        ("next week", date(2026, 11, 28)),
        ("in 2 weeks", date(2026, 12, 5)),
        ("for two weeks", date(2026, 12, 5)),
        ("3 days", date(2026, 11, 24)),
        ("yesterday", date(2026, 11, 20)),
        ("Nov 1, 2025", date(2025, 11, 1)),
        ("2026-02-30", None),
        ("Feb 30", None),
        ("soon", None),
        ("I feel better", None),
        ("January", None),
        ("the 3rd", None),
        ("3", None),
        ("a", None),
        ("12.25", None),
        ("25 décembre", None),
        ("x" * 5000, None),
        ("", None),
    ],
)
def test_days_as_people_type_them(text: str, day: date | None) -> None:
    assert read_day(text, TODAY) == day


@given(st.one_of(st.lists(PARTS, max_size=5).map(" ".join), st.text(max_size=20)))
def test_no_text_breaks_it(text: str) -> None:
    read_day(text, TODAY)


def test_the_parser_is_imported_only_where_somebody_types_a_day() -> None:
    look = "import sys, handlers.features; sys.exit('dateparser' in sys.modules)"
    subprocess.run([sys.executable, "-c", look], check=True, timeout=60)
