"""A visitor is added to a meeting's list with their attendance, in one step with everything else of the form."""

from __future__ import annotations

from uuid import UUID

from handlers.core.forms import Form
from storage.meetings import meetings
from tests.handlers.meetings.test_attendance_form import ended, form_of, marks_all, statuses
from tests.handlers.scenes import field
from tests.handlers.test_story import HOME
from tests.world import Person, World, said

VISITOR = "jordan@example.org"


async def minutes_step(ruth: Person) -> tuple[Form, Form]:
    """The form with a visitor and somebody who was partly there, and the question for the minutes."""
    form = await form_of(ruth, "Correct")
    values = {field(form, "Dana Reyes"): "partial", "reason": "told_later", "visitor": VISITOR}
    minutes = (await ruth.fills(form, **values)).form
    assert minutes is not None
    return form, minutes


def settled(world: World, form: Form) -> bool:
    with world.database.read() as tx:
        return meetings.get(tx, UUID(form.action.args[0])).settled_at is not None


async def test_a_visitor_of_a_form_that_was_left_is_not_on_the_list(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    jordan = world.matched("Jordan Blake", VISITOR)
    await ended(world, ruth)
    await marks_all(ruth, dana="present", lee="present", sam="present")
    form, minutes = await minutes_step(ruth)
    roster = said(await ruth.sends("attendance", HOME))
    assert "Attendance is complete" in roster
    assert "Jordan" not in roster
    assert settled(world, form)

    newer = await form_of(carol, "Correct")
    await carol.fills(newer, **{field(newer, "Dana Reyes"): "excused", "reason": "told_later"})
    assert "Nothing is saved." in said(await ruth.fills(minutes, **{minutes.fields[0].id: "10"}))
    assert "Jordan" not in said(await ruth.sends("attendance", HOME))
    assert statuses(world, jordan) == []


async def test_a_visitor_is_saved_with_the_minutes(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    jordan = world.matched("Jordan Blake", VISITOR)
    await ended(world, ruth)
    await marks_all(ruth, dana="present", lee="present", sam="present")
    form, minutes = await minutes_step(ruth)
    assert said(await ruth.fills(minutes, **{minutes.fields[0].id: "10"})) == "Saved. Attendance is complete."
    roster = said(await ruth.sends("attendance", HOME))
    assert "Dana Reyes, Attendance: Partly there, 10 minutes" in roster
    assert "Jordan Blake (visitor), Attendance: Present" in roster
    assert settled(world, form)
    assert statuses(world, jordan) == [("confirmed", "present", None)]


async def test_a_visitor_whom_somebody_else_added_meanwhile_is_marked_once(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    jordan = world.matched("Jordan Blake", VISITOR)
    await ended(world, ruth)
    await marks_all(ruth, dana="present", lee="present", sam="present")
    _, minutes = await minutes_step(ruth)
    await carol.fills(await form_of(carol, "Correct"), visitor=VISITOR)
    await ruth.fills(minutes, **{minutes.fields[0].id: "10"})
    assert statuses(world, jordan) == [("confirmed", "present", None)]
    assert statuses(world, dana)[-1] == ("corrected", "partial", 10)


async def test_a_visitor_who_left_the_program_meanwhile_is_not_added(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    world.matched("Jordan Blake", VISITOR)
    await ended(world, ruth)
    await marks_all(ruth, dana="present", lee="present", sam="present")
    _, minutes = await minutes_step(ruth)
    form = (await carol.presses(await carol.sends("person jordan blake"), "Remove from program")).form
    assert form is not None
    await carol.fills(form, reason="moved")
    assert said(await ruth.fills(minutes, **{minutes.fields[0].id: "10"})) == (
        "The visitor isn't a mentee anymore. Nothing is saved."
    )
    assert statuses(world, dana) == [("confirmed", "present", None)]
