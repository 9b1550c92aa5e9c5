"""A mentee whose attendance is corrected hears of it once: before, after, and from whom."""

from __future__ import annotations

from tests.handlers.meetings.test_attendance_form import ended, form_of, marks_all, statuses
from tests.handlers.record.test_corrections import disputed
from tests.handlers.record.test_settling import disputes_newest, settle_form
from tests.handlers.scenes import absent, field, lines, message
from tests.world import Person, World, said


async def corrects(who: Person, button: str = "Person by person", **statuses: str) -> None:
    """Somebody corrects the attendance of the last meeting."""
    form = await form_of(who, button)
    names = {"dana": "Dana Reyes", "lee": "Lee Okafor"}
    values = {field(form, names[mentee]): status for mentee, status in statuses.items()}
    assert said(await who.fills(form, **values, reason="wrong_person")).startswith("Saved.")


async def test_every_correction_is_told_also_the_one_that_reverses_what_a_dispute_was_settled_with(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await ended(world, ruth)
    await marks_all(ruth, dana="absent", lee="absent", sam="present")
    await disputes_newest(dana, "absent", "mentor")
    before = len(world.to(dana)), len(world.to(lee))
    await corrects(ruth, "Correct", dana="present", lee="excused")
    (settled,), (changed,) = world.to(dana)[before[0] :], world.to(lee)[before[1] :]
    assert "The record was wrong. It is corrected." in settled.text
    meeting = "Ruth Ellison corrected your attendance at First steps, Thu Sep 10, 2026, "
    assert changed.text.startswith(f"Your record changed\n{meeting}from absent to excused.")
    before = len(world.to(dana)), len(world.to(lee))
    await corrects(carol, "Correct", dana="absent")
    (reversed_again,) = world.to(dana)[before[0] :]
    assert "Carol Dietz corrected your attendance at First steps, Thu Sep 10, 2026, from present to absent." in (
        reversed_again.text
    )
    assert len(world.to(lee)) == before[1]


async def test_a_correction_to_something_else_than_the_tap_is_told_in_the_question_about_it(
    world: World, ruth: Person, dana: Person
) -> None:
    await absent(world, ruth, dana, tap=True)
    before = len(world.to(dana))
    await corrects(ruth, dana="excused")
    (asked,) = world.to(dana)[before:]
    assert asked.text.startswith("Were you there?\nRuth Ellison corrected your attendance at First steps, ")
    assert "from absent to excused. You tapped “I'm here”." in asked.text
    await corrects(ruth, dana="present")
    assert "from excused to present." in world.to(dana)[-1].text
    assert len(world.to(dana)) == before + 2


async def test_the_minutes_are_told_with_the_correction(world: World, ruth: Person, dana: Person) -> None:
    await absent(world, ruth, dana)
    form = await form_of(ruth)
    minutes = (await ruth.fills(form, **{field(form, "Dana Reyes"): "partial", "reason": "told_later"})).form
    assert minutes is not None
    await ruth.fills(minutes, **{minutes.fields[0].id: "10"})
    assert "from absent to partly there, 10 minutes." in world.to(dana)[-1].text


async def test_a_first_entry_is_no_correction(world: World, ruth: Person, dana: Person) -> None:
    await ended(world, ruth)
    before = len(world.to(dana))
    await marks_all(ruth, dana="absent")
    assert len(world.to(dana)) == before


async def test_the_form_of_a_settled_dispute_corrects_nothing(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth)
    correct = (await ruth.presses(message(world, ruth, "A record is disputed"), "Correct it")).form
    assert correct is not None
    mine = correct.fields[0].id
    minutes = (await ruth.fills(correct, **{mine: "partial", "reason": "told_later"})).form
    assert minutes is not None
    await carol.fills(await settle_form(carol, world), outcome="stands")
    before = len(world.to(dana))
    refused = "This dispute is already settled, so nothing changed. To correct it, send “attendance”."
    assert said(await ruth.fills(correct, **{mine: "present", "reason": "told_later"})) == refused
    assert said(await ruth.fills(minutes, **{minutes.fields[0].id: "10"})) == refused
    assert said(await ruth.does_press(*correct.opener.encode().split("|"))) == refused
    assert statuses(world, dana) == [("confirmed", "absent", None)]
    assert len(world.to(dana)) == before
    forged = f"{correct.action.args[0]}|{lines(world, dana)[0].id}"
    assert "I can't find that dispute." in said(await ruth.does_press("attendance.edit", *forged.split("|")))
    await corrects(ruth, dana="present")
    assert "Ruth Ellison corrected your attendance" in world.to(dana)[-1].text
