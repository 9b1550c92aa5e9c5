"""Somebody who has no role anymore is told so, and whom to ask; help says what they may still send."""

from __future__ import annotations

import pytest

from handlers.features import router
from tests.world import Person, said

NOT_IN_A_COHORT = "You're not in a cohort now"
ASK = "Ask your coordinator, Carol Dietz, to add you to one."


@pytest.fixture
async def removed(ruth: Person, carol: Person) -> Person:
    """A mentor who was removed from their only cohort."""
    await carol.presses(await carol.sends("person ruth ellison"), "Remove as mentor of Ozarks")
    return ruth


@pytest.mark.parametrize("words", ["meetings", "cohort", "next", "progress"])
async def test_what_is_about_a_cohort_says_that_there_is_none_of_theirs(removed: Person, words: str) -> None:
    shown = said(await removed.sends(words))
    assert NOT_IN_A_COHORT in shown
    assert ASK in shown
    assert "roster import" not in shown


async def test_home_says_it_once_and_promises_no_meeting(removed: Person) -> None:
    shown = said(await removed.opens_home())
    assert shown.count(NOT_IN_A_COHORT) == 1
    assert "your mentor schedules" not in shown


async def test_help_lists_what_may_still_be_sent_and_it_is_answered(removed: Person) -> None:
    shown = said(await removed.sends("help"))
    assert len(router.help_of("former")) == 3
    for spec in router.help_of("former"):
        assert f"- {spec.words}: " in shown
        answer = said(await removed.sends(spec.words))
        assert "is only for" not in answer
        assert NOT_IN_A_COHORT not in answer


async def test_a_coordinator_of_no_cohort_is_asked_which_one(carol: Person) -> None:
    assert "Which cohort?" in said(await carol.sends("meetings"))
