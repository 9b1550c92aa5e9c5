"""Nothing that a mentee asked for is lost with a mentor, and whoever lost a role hears nothing more."""

from __future__ import annotations

import pytest

from handlers.core.requests import Command, Press, Submit
from storage.checkins import checkins
from storage.people import people
from tests.handlers.scenes import MEETING_ENDS, absent, field, message, options
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import ROSTER, Person, World, button, field_texts, said

RUTH = "Ozarks,Southwest,mentor,Ruth Ellison,ruth@example.org,P1,America/Chicago,R-I,,\n"
TOM_IN_OZARKS = "Ozarks,Southwest,mentor,Tom Becker,tom@example.org,P5,America/Chicago,City,,\n"
CONTACT = {"type": "contact", "day": "2026-09-07", "minutes": "30", "mode": "phone"}


async def _logs(dana: Person) -> None:
    await dana.fills((await dana.sends("log")).form, **CONTACT)


async def _removes_ruth(carol: Person, *, deliver: bool = True) -> None:
    card = (await carol.tries(Command("person ruth ellison"))).card
    assert card is not None
    press = Press(button(card, "Remove as mentor of Ozarks"))
    await (carol.does(press) if deliver else carol.tries(press))


def _texts(world: World, who: Person, since: int = 0) -> str:
    return "\n".join(message.text for message in world.to(who)[since:])


async def test_what_waits_for_a_removed_mentor_is_put_to_the_coordinator(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await _logs(dana)
    await _removes_ruth(carol)
    asked = message(world, carol, "An activity to verify")
    assert "Someone else decides this now" in world.to(ruth)[-1].text
    await carol.presses(asked, "Verify")
    assert "verified" in message(world, dana, "Your activity").text


async def test_what_was_queued_for_a_removed_mentor_reaches_the_coordinator(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    form = (await dana.sends("log")).form
    assert form is not None
    await dana.tries(Submit(form.action, field_texts(form, CONTACT)))
    await _removes_ruth(carol, deliver=False)
    await world.settle()
    assert world.to(ruth) == []
    assert message(world, carol, "An activity to verify")


async def test_what_waits_is_put_to_the_mentor_whom_the_roster_names_next(
    world: World, ruth: Person, dana: Person, carol: Person, tom: Person
) -> None:
    await _logs(dana)
    await _removes_ruth(carol)
    world.import_roster(ROSTER.replace(RUTH, "") + TOM_IN_OZARKS)
    await world.settle()
    await tom.presses(message(world, tom, "An activity to verify"), "Verify")
    assert "verified" in message(world, dana, "Your activity").text


async def test_undo_puts_what_waits_to_the_mentor_again(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await _logs(dana)
    done = await carol.presses(await carol.sends("person ruth ellison"), "Remove as mentor of Ozarks")
    await carol.presses(done, "Undo")
    assert "An activity to verify" in world.to(ruth)[-1].text


@pytest.mark.parametrize("sent", [False, True], ids=["queued", "sent"])
async def test_an_ended_coordinator_learns_nothing_more_of_a_dispute(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person, sent: bool
) -> None:
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), lee.id, people.ROSTER)
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    assert form is not None
    values = {"record": options(form)[0].value, "readers": "coordinator", "text": "about ruth"}
    opening = Submit(form.action, field_texts(form, values))
    await (dana.does(opening) if sent else dana.tries(opening))
    card = (await carol.tries(Command("person lee okafor"))).card
    assert card is not None
    before = len(world.to(lee))
    await carol.tries(Press(button(card, "End coordinator role")))
    await world.settle()
    assert len(world.to(lee)) == before, "a queued question is dropped"
    settling = (await carol.presses(message(world, carol, "disputed"), "Settle it")).form
    await carol.fills(settling, outcome="stands")
    if sent:
        text = world.to(lee)[-1].text
        assert "You no longer get this" in text
        assert "stands" not in text
        assert "Dana" not in text


async def test_a_request_to_reach_out_goes_to_who_is_mentor_now(
    world: World, ruth: Person, dana: Person, carol: Person, tom: Person
) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, dana.id)
    assert at is not None
    await world.go_to(at)
    asked = world.to(dana)[-1]
    await dana.tries(Press(button(asked.card, "Ask my mentor to reach out")))
    before = len(world.to(ruth))
    await _removes_ruth(carol, deliver=False)
    await world.settle()
    assert len(world.to(ruth)) == before
    assert "your cohort has no mentor now" in asked.text
    assert "reach out" not in _texts(world, carol), "the coordinator was not asked"
    world.import_roster(ROSTER.replace(RUTH, "") + TOM_IN_OZARKS)
    await world.settle()
    assert "Dana Reyes asked you to reach out" in _texts(world, tom)
    assert "I asked your mentor to reach out" in asked.text


async def test_a_removed_mentors_attendance_list_shows_nothing_new(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_ENDS)
    card = world.to(ruth)[-1]
    await _removes_ruth(carol)
    form = (await carol.presses(await carol.sends("attendance", HOME), "Person by person")).form
    await carol.fills(form, **{field(form, "Dana Reyes"): "absent"})
    assert "You no longer get this" in card.text
    assert "Dana" not in card.text


async def test_open_attendance_goes_at_once_to_the_coordinator_and_to_the_mentor_named_next(
    world: World, ruth: Person, carol: Person, tom: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_ENDS)
    card = message(world, ruth, "Who came?")
    await _removes_ruth(carol)
    assert "You no longer get this" in card.text
    assert message(world, carol, "Who came?")
    world.import_roster(ROSTER.replace(RUTH, "") + TOM_IN_OZARKS)
    await world.settle()
    await tom.presses(message(world, tom, "Who came?"), "Everyone came")
    assert "Attendance is complete" in message(world, carol, "Attendance").text


async def test_undo_gives_a_mentor_the_attendance_list_back_and_sends_it_once(
    world: World, ruth: Person, carol: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_ENDS)
    sent, card = len(world.to(ruth)), message(world, ruth, "Who came?")
    done = await carol.presses(await carol.sends("person ruth ellison"), "Remove as mentor of Ozarks")
    await carol.presses(done, "Undo")
    assert "Who came?" in card.text
    assert len(world.to(ruth)) == sent


async def test_who_left_a_cohort_without_a_home_hears_of_no_change_to_its_meetings(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    form = (await ruth.sends("meeting new")).form
    values = {"topic": "Goals", "day": "2026-09-10", "at": "15:30", "minutes": "60", "place": "", "repeat": "once"}
    await ruth.fills((await ruth.fills(form, **values)).form)
    card = world.to(ruth)[-1]
    assert "Goals" in card.text
    await _removes_ruth(carol)
    await dana.presses(world.to(dana)[-1], "Coming")
    assert "Dana" not in card.text


async def test_a_decision_that_is_corrected_is_not_told_to_the_mentor_who_was_removed(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await _logs(dana)
    await ruth.presses(world.to(ruth)[-1], "Verify")
    card = world.to(ruth)[-1]
    await _removes_ruth(carol)
    form = (await carol.presses(await carol.sends("person dana reyes"), "Correct")).form
    form = (await carol.fills(form, line=options(form)[0].value)).form
    await carol.fills(form, status="does_not_count", reason="late_entry")
    assert "You no longer get this" in card.text


async def test_which_person_opens_a_mentor_too_who_can_then_be_removed(
    world: World, carol: Person, ruth: Person
) -> None:
    world.import_roster(ROSTER + "Ozarks,Southwest,mentor,Ruth Ellis,ruth.ellis@example.org,P9,America/Chicago,R,,\n")
    asked = await carol.sends("person ruth")
    opened = await carol.presses(asked, "Ruth Ellison <ruth@example.org>")
    done = await carol.presses(opened, "Remove as mentor of Ozarks")
    assert "is no longer a mentor of Ozarks. They can no longer open shared reflections." in said(done)
    assert "Only coordinators" in said(await ruth.does_press("records.open", str(carol.id)))
