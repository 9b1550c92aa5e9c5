"""The button “Correct it” is offered to those alone who can correct."""

from __future__ import annotations

from datetime import timedelta

from handlers.core.forms import ChoiceField, Form
from handlers.core.requests import Submit
from tests.handlers.record.test_corrections import corrections
from tests.handlers.record.test_settling import disputes_newest, settle_form
from tests.handlers.scenes import absent, message, options, steps, transferred, verified_contact
from tests.world import Person, World, buttons_of, said

OPEN = "You can't correct this record. A coordinator can. The dispute stays open until then."


def labels(world: World, who: Person, words: str) -> list[str]:
    return [button.label for button in buttons_of(message(world, who, words).card)]


def outcomes(form: Form) -> tuple[list[str], str]:
    """What the form to settle a dispute offers, and what it says below."""
    outcome = form.fields[0]
    assert isinstance(outcome, ChoiceField)
    return [option.label for option in outcome.options], outcome.hint


async def cannot_correct(world: World, mentor: Person, dana: Person) -> None:
    """A mentor may read the dispute, and is neither offered nor able to correct what it is about."""
    assert labels(world, mentor, "A record is disputed") == ["Read it", "Settle it"]
    form = await settle_form(mentor, world)
    assert outcomes(form) == (
        ["The record stands"],
        "If it is wrong: Leave the dispute open. A coordinator can correct the record.",
    )
    forged = await mentor.does(Submit(form.action, {"outcome": ("corrected",)}))
    assert said(forged) == OPEN
    assert steps(world, dana)[-1] == ("dispute", "opened")


async def test_a_new_cohort_s_mentor_does_not_correct_a_meeting_of_the_earlier_one(
    world: World, ruth: Person, tom: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await absent(world, ruth, dana)
    world.clock.at += timedelta(hours=1)
    await transferred(world, carol, "dana reyes", "Gateway", "2026-09-10")
    await disputes_newest(dana, "absent", "mentor")
    await cannot_correct(world, tom, dana)
    asked = message(world, carol, "A record is disputed")
    assert (await carol.presses(asked, "Correct it")).form is not None


async def test_an_earlier_cohort_s_mentor_does_not_correct_an_activity_anymore(
    world: World, ruth: Person, tom: Person, dana: Person, carol: Person
) -> None:
    await verified_contact(world, dana, ruth)
    await disputes_newest(dana, "One-to-one", "mentor")
    assert labels(world, ruth, "A record is disputed") == ["Read it", "Correct it", "Settle it"]
    world.clock.at += timedelta(hours=1)
    await transferred(world, carol, "dana reyes", "Gateway")
    form = await settle_form(ruth, world)
    assert outcomes(form)[0] == ["The record stands"]
    assert said(await ruth.does(Submit(form.action, {"outcome": ("corrected",)}))) == OPEN


async def test_where_the_policy_says_so_the_card_about_a_tap_offers_mentors_no_correction(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    corrections(world, '[corrections]\napprover = "coordinator"\nreasons = { typo = "A slip of the pen" }\n')
    await absent(world, ruth, dana, tap=True)
    asked = message(world, ruth, "A mentee says they were there")
    assert [button.label for button in buttons_of(asked.card)] == ["Keep it"]
    assert "If it is wrong, ask your coordinator to correct it." in asked.text
    await disputes_newest(dana, "absent", "mentor")
    await cannot_correct(world, ruth, dana)
    settle = await settle_form(carol, world)
    assert [option.label for option in options(settle)] == ["The record is wrong: correct it", "The record stands"]


async def test_where_mentors_correct_the_card_about_a_tap_offers_it(world: World, ruth: Person, dana: Person) -> None:
    await absent(world, ruth, dana, tap=True)
    assert labels(world, ruth, "A mentee says they were there") == ["Keep it", "Correct"]
