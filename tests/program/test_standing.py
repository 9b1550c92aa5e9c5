from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.attendance import Entry, Status, marks
from program.policy import BadPolicy, read_policy
from program.standing import standing
from storage import policies

EXAMPLE = policies.get(policies.EXAMPLE)
DESE = policies.get(policies.MISSOURI)
TODAY = date(2026, 11, 21)


def test_the_shipped_policies() -> None:
    assert EXAMPLE.meetings_per_year == 8
    assert "not DESE policy" in EXAMPLE.label
    assert DESE.meetings_per_year is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("id = ", "not TOML"), ("version = '1'", "program.boundary is missing"), ("[program]\nboundary='07-01'", "id is")],
)
def test_a_broken_policy_is_named(text: str, sentence: str) -> None:
    with pytest.raises(BadPolicy, match=sentence):
        read_policy(text)


def test_years_are_counted_by_the_boundary() -> None:
    entries: list[tuple[date, Status]] = [(date(2026, 6, 30), "present"), (date(2026, 7, 1), "present")]
    found = standing(EXAMPLE, date(2025, 9, 1), entries, TODAY, 8)
    assert [(year.label, year.have) for year in found.years] == [("Year 1 (2025-26)", 1), ("Year 2 (2026-27)", 1)]


def test_a_past_year_with_missing_meetings_is_behind() -> None:
    assert standing(EXAMPLE, date(2025, 9, 1), [], TODAY, 8).state == "behind"


def test_somebody_new_is_on_track_though_nothing_is_scheduled() -> None:
    assert standing(EXAMPLE, date(2026, 7, 1), [], TODAY, 0).state == "on track"


def test_an_unset_number_never_passes() -> None:
    many: list[tuple[date, Status]] = [(date(2026, 9, 1), "present")] * 50
    assert standing(DESE, date(2026, 7, 1), many, TODAY, 0).state == "not set"


def test_absences_that_can_no_longer_be_made_up_are_behind() -> None:
    entries: list[tuple[date, Status]] = [(date(2026, 9, 1), "absent")]
    assert standing(EXAMPLE, date(2026, 7, 1), entries, TODAY, 7).state == "behind"
    assert standing(EXAMPLE, date(2026, 7, 1), entries, TODAY, 8).state == "on track"


statuses = st.lists(
    st.tuples(
        st.dates(date(2026, 7, 1), date(2028, 6, 30)), st.sampled_from(["present", "partial", "excused", "absent"])
    )
)


@given(entries=statuses, day=st.dates(date(2026, 7, 1), date(2028, 6, 30)))
def test_one_more_attended_meeting_never_lowers_a_count(entries: list[tuple[date, Status]], day: date) -> None:
    before = standing(EXAMPLE, date(2026, 7, 1), entries, TODAY, 4)
    after = standing(EXAMPLE, date(2026, 7, 1), [*entries, (day, "present")], TODAY, 4)
    assert all(a.have >= b.have for a, b in zip(after.years, before.years, strict=True))
    assert sum(year.have for year in after.years) == sum(year.have for year in before.years) + 1


def test_the_last_word_counts_and_a_tap_settles_nothing() -> None:
    person = UUID(int=1)
    tapped = marks([Entry(person, "tapped", "present")])
    assert (tapped[person].tapped, tapped[person].status) == (True, None)
    settled = marks(
        [
            Entry(person, "tapped", "present"),
            Entry(person, "confirmed", "absent"),
            Entry(person, "corrected", "partial", 20),
        ]
    )
    assert (settled[person].status, settled[person].minutes, settled[person].corrected) == ("partial", 20, True)
