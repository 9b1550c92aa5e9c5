"""Figures about groups, and the attacker who learns of nobody from them."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from program.checkins.figures import OTHERS, Figure, Participation, Rule, Tally, figure, groups, participation, reserve
from program.privacy.privacy_settings import PrivacySettings
from tests.program.checkins.attacker import BANDS, SILENT, Attacker, Someone, Year

RULE = Rule()
EVERY_STATUS = (SILENT, *BANDS)


def learned(year: Year) -> list[str]:
    """What anybody learns of anybody else."""
    everybody = range(len(year.people))
    return [
        f"{me} of {other}: {what}"
        for me, other in product(everybody, everybody)
        if me != other
        for what in Attacker(year, me, other).learns()
    ]


def month_of(answers: list[str], rule: Rule = RULE) -> Year:
    return Year([Someone(("A",), (answer,)) for answer in answers], rule)


# What is shown ----------------------------------------------------------------------------------


def test_a_mood_is_what_more_than_half_answered() -> None:
    assert figure(Tally(high=4, low=3), 9, 0, RULE) == Figure(5, "well")
    assert figure(Tally(low=5), 9, 0, RULE) == Figure(5, "hard")
    assert figure(Tally(high=3, low=3), 9, 0, RULE) == Figure(5, "mixed")
    assert figure(Tally(middle=6), 9, 0, RULE) == Figure(5, "mixed")


def test_too_few_answers_show_nothing_and_all_answers_look_like_fewer() -> None:
    assert figure(Tally(high=4), 9, 0, RULE) == Figure()
    assert figure(Tally(high=5), 6, 0, RULE) == Figure(), "whatever is answered, such a group is too small"
    assert figure(Tally(high=12), 12, 0, RULE) == Figure(10, "well")
    assert figure(Tally(high=11), 11, 0, RULE) == Figure(5, "well"), "ten of eleven would say too much"


def test_a_unanimous_group_looks_like_a_divided_one() -> None:
    assert figure(Tally(high=7), 9, 0, RULE) == figure(Tally(high=4, middle=1, low=2), 9, 0, RULE)


def test_small_cohorts_are_taken_together_and_everybody_counts_once() -> None:
    by_place = groups({"A": range(8), "B": range(10, 14), "C": range(20, 24)}, RULE)
    assert {place: len(inside) for place, inside in by_place.items()} == {"A": 8, OTHERS: 8}
    assert groups({"A": range(8), "B": range(10, 14)}, RULE).keys() == {"A"}


def test_the_years_counts_need_a_group_that_can_keep_the_reserve() -> None:
    assert participation({"A": 16}, 9, 9, RULE) is None
    assert participation({"A": 17, "B": 8}, 5, 4, RULE) == Participation("A", True, False, 5)
    assert participation({}, 0, 0, RULE) is None


def test_the_reserve_goes_with_the_people_who_were_there() -> None:
    said = Participation("A", True, True, 10)
    assert [reserve(said, there) for there in (12, 10, 3, 0)] == [10, 10, 3, 0]
    assert reserve(None, 12) == 0


def test_no_threshold_below_three() -> None:
    with pytest.raises(ValueError, match="protects nobody"):
        PrivacySettings(threshold=2)


# The attacker -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [Rule(), Rule(threshold=3), Rule(threshold=4)])
@pytest.mark.parametrize("size", range(5, 12))
def test_no_month_of_any_group_tells_anything(rule: Rule, size: int) -> None:
    """Every possible month of groups of these sizes, up to who is who."""
    for silent in range(size + 1):
        for low in range(size + 1 - silent):
            for middle in range(size + 1 - silent - low):
                high = size - silent - low - middle
                counts = zip(EVERY_STATUS, (silent, low, middle, high), strict=True)
                answers = [status for status, count in counts for _ in range(count)]
                year = month_of(answers, rule)
                first = {status: answers.index(status) for status in set(answers)}
                pairs = [(me, other) for me in first.values() for other in range(size) if other != me]
                one_each = {(answers[me], answers[other]): (me, other) for me, other in pairs}
                for me, other in one_each.values():
                    assert Attacker(year, me, other).learns() == []


def test_known_answers_do_not_tell_either() -> None:
    """Even who knows exactly who answered, and their own number, learns nobody else's from the mood."""
    for answered in range(5, 14):
        for mine in BANDS:
            for mood in ("hard", "mixed", "well"):
                others = [
                    (low, middle, answered - 1 - low - middle)
                    for low in range(answered)
                    for middle in range(answered - low)
                    if _mood_with(mine, low, middle, answered) == mood
                ]
                assert others
                assert not any(answered - 1 in other for other in others) or len(others) > 1


def _mood_with(mine: str, low: int, middle: int, answered: int) -> str:
    base = {band: int(band == mine) for band in BANDS}
    high = answered - 1 - low - middle
    tally = Tally(base["low"] + low, base["middle"] + middle, base["high"] + high)
    return figure(tally, 99, 0, RULE).mood


@st.composite
def years(draw: st.DrawFn, rule: Rule = RULE) -> Year:
    """Months in which people join, leave, change cohorts, alone or many together, decline and pause."""
    months = draw(st.integers(2, 4))
    size = draw(st.sampled_from([8, 10, 12, 17, 18, 20, 25]))
    # Most people come and go alike, a few do as they please: those few are whom differences could tell about.
    movers = draw(st.integers(0, 3))
    shy = draw(st.sampled_from([0.0, 0.3, 0.5]))
    busy = draw(st.sampled_from([0.0, 0.15]))
    chance = random.Random(draw(st.integers(0, 2**32)))
    small = draw(st.sampled_from([0, 2, 4, 7, 8]))
    split = small + draw(st.sampled_from([0, 0, 7, 12]))
    people = []
    for number in range(size):
        home = "B" if number < small else "A"
        cohorts = [home] * months
        if small <= number < split:  # a part of the cohort goes elsewhere, together
            cohorts[1:] = ["C"] * (months - 1)
        if number >= size - movers:
            cohorts = [chance.choice(["A", "B", "C", ""]) for _ in range(months)]
        declined = chance.random() < shy
        paused = not declined and chance.random() < shy
        mood = chance.choice([("high",), ("low",), BANDS])
        answers = [SILENT if chance.random() < busy else chance.choice(mood) for _ in range(months)]
        people.append(Someone(tuple(cohorts), tuple(answers), declined, paused))
    return Year(people, rule)


@given(year=years(), data=st.data())
@settings(max_examples=120, deadline=None)
def test_a_year_of_figures_tells_nothing_of_anybody(year: Year, data: st.DataObject) -> None:
    me = data.draw(st.integers(0, len(year.people) - 1), label="me")
    for other in range(len(year.people)):
        if other != me:
            assert Attacker(year, me, other).learns() == []


# Weaker rules are caught ------------------------------------------------------------------------


def test_an_attacker_finds_out_where_a_group_is_as_small_as_the_threshold() -> None:
    everybody = ["high", "high", "high", "low", "middle"]
    assert "0 of 1: month 0: they answered" in learned(month_of(everybody, Rule(spare=0)))
    silent_me = [SILENT, "high", "high", "high", "low", "middle"]
    assert "0 of 1: month 0: they answered" in learned(month_of(silent_me, Rule(spare=1)))
    assert learned(month_of(everybody)) == learned(month_of(silent_me)) == []


def test_an_attacker_finds_out_from_the_mood_of_three() -> None:
    rule = Rule(threshold=3, spare=0, mood_from=3)
    assert "0 of 1: month 0: if they answered, it was high" in learned(month_of(["low", "high", "high"], rule))


def test_an_attacker_finds_out_who_declined_where_nobody_is_kept_in_reserve() -> None:
    """Ten people, five of whom declined. One of those leaves, and still five answer."""
    stays, leaves = ("A", "A"), ("A", "")
    people = [
        *(Someone(stays, ("high", "high")) for _ in range(5)),
        *(Someone(stays, (SILENT, SILENT), declined=True) for _ in range(4)),
        Someone(leaves, (SILENT, SILENT), declined=True),
    ]
    assert "5 of 9: whether they declined" in learned(Year(people, Rule(reserve=False)))
    assert learned(Year(people, RULE)) == []


def scattered() -> list[Someone]:
    """Seventeen people, five of whom declined, are spread over other groups; who joins there declined nothing."""

    def people(count: int, to: str, *, declined: bool = False, there: str = "A") -> list[Someone]:
        answer = SILENT if declined else "high"
        return [Someone((there, to), (answer, answer), declined) for _ in range(count)]

    most = people(10, "B") + people(2, "B", declined=True)
    some = people(2, "C") + people(2, "C", declined=True) + people(3, "C", there="")
    alone = people(1, "D", declined=True) + people(6, "D", there="")
    return most + some + alone


def test_an_attacker_finds_out_who_declined_where_the_reserve_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the twelve and the four at most two each may have declined, so the fifth is the one who came alone."""
    assert learned(Year(scattered(), RULE)) == []
    monkeypatch.setattr("tests.program.checkins.attacker.reserve", lambda _said, _there: 0)
    assert "0 of 19: whether they declined" in learned(Year(scattered(), RULE))


def test_an_attacker_finds_out_from_exact_counts_as_people_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that says how many answered, to the one."""

    def exact(tally: Tally, _could: int, _reserved: int, _rule: Rule) -> Figure:
        return Figure(tally.answered, "mixed")

    monkeypatch.setattr("tests.program.checkins.attacker.figure", exact)
    everybody = month_of(["low"] * 9, Rule(threshold=6))
    assert "0 of 1: month 0: they answered" in learned(everybody)
