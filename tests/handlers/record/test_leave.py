"""A leave of absence: it ends when the mentee is back, and nobody has to say that somebody on leave came."""

from __future__ import annotations

from datetime import UTC, date, datetime

from handlers.record.changed_notice import change_sentence
from handlers.record.leave_requests import leave_line
from program.record.standing import State
from storage.record import leaves, ledger, standings
from tests.handlers.scenes import MEETING_ENDS, field, message, steps, whole
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import Person, World, button, said


async def on_leave(world: World, dana: Person, carol: Person, starts: str = "2026-09-08", ends: str = "") -> None:
    form = (await dana.sends("leave")).form
    await dana.fills(form, starts=starts, ends=ends, reason="health")
    await carol.presses(message(world, carol, "A leave request to decide"), "Approve")


def state(world: World, who: Person) -> State:
    with world.database.read() as tx:
        return standings.of_people(tx, [who.id], world.clock.at)[0].standing.state


async def test_the_mentee_ends_an_open_leave(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol)
    await world.go_to(datetime(2026, 11, 2, 15, 0, tzinfo=UTC))
    assert state(world, dana) == "paused"
    assert not any("How are things" in message.text for message in world.to(dana))
    reply = await dana.sends("leave")
    assert "You are on leave\nTue Sep 8, 2026, until further notice." in said(reply)
    form = (await dana.presses(reply, "I'm back")).form
    assert ("The leave starts on Tue Sep 8, 2026. Choose that day or a later one.") in said(
        await dana.fills(form, day="2026-09-07")
    )
    assert steps(world, dana) == [("leave", "asked"), ("leave", "granted")]
    assert "Your first day is Mon Nov 2, 2026." in said(await dana.fills(form))
    assert (
        "Dana Reyes is back from leave. The first day back is Mon Nov 2, 2026."
        in message(world, carol, "Back from leave").text
    )
    assert steps(world, dana)[-1] == ("leave", "ended")
    assert state(world, dana) != "paused"
    assert (await dana.sends("leave")).form is not None, "another leave can be asked for"
    await world.go_to(datetime(2026, 11, 30, 15, 0, tzinfo=UTC))
    assert any("check-in" in message.text.lower() for message in world.to(dana))
    assert whole(world)


async def test_the_shown_leave_carries_the_way_back(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol, ends="2026-12-20")
    shown = message(world, dana, "Your leave is approved")
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    form = (await dana.presses(shown, "I'm back")).form
    assert ("The leave ends on Sun Dec 20, 2026. Choose that day or an earlier one.") in said(
        await dana.fills(form, day="2026-12-21")
    )
    await dana.fills(form, day="2026-10-05")
    assert state(world, dana) == "paused"
    world.clock.at = datetime(2026, 10, 5, 15, 0, tzinfo=UTC)
    assert state(world, dana) != "paused"


async def test_the_coordinator_ends_a_leave_and_can_undo_it(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await on_leave(world, dana, carol)
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    assert "On leave: Tue Sep 8, 2026, until further notice" in said(await carol.sends("person dana reyes"))
    form = (await carol.presses(card, "End the leave")).form
    done = await carol.fills(form, day="2026-09-28")
    assert "Carol Dietz ended your leave. Your first day back is Mon Sep 28, 2026." in world.to(dana)[-1].text
    assert state(world, dana) != "paused"
    await carol.presses(done, "Undo")
    assert "Carol Dietz continued your leave." in world.to(dana)[-1].text
    assert state(world, dana) == "paused"
    assert whole(world)


async def test_a_leave_is_ended_by_its_own_mentee_and_coordinators_alone(
    world: World, dana: Person, lee: Person, ruth: Person, carol: Person
) -> None:
    await on_leave(world, dana, carol)
    back = button(message(world, dana, "Your leave is approved").card, "I'm back")
    for stranger in (lee, ruth):
        assert "can't find" in said(await stranger.does_press(back.name, *back.args))


async def test_everyone_came_says_nothing_about_a_mentee_on_leave(
    world: World, dana: Person, lee: Person, ruth: Person, carol: Person
) -> None:
    await on_leave(world, dana, carol)
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_ENDS)
    roster = message(world, ruth, "Who came?")
    assert "Name: Dana Reyes, Attendance: on leave" in roster.text
    reply = await ruth.presses(roster, "Everyone came")
    assert "Attendance is complete" in said(reply)
    assert "Name: Dana Reyes, Attendance: on leave" in said(reply)
    assert "Name: Lee Okafor, Attendance: Present" in said(reply)
    assert ("attendance", "confirmed") not in steps(world, dana)
    await world.pass_time(days=5)
    assert not any("Attendance is still open" in message.text for message in world.to(ruth))
    form = (await ruth.presses(roster, "Correct")).form
    await ruth.fills(form, **{field(form, "Dana Reyes"): "present"})
    assert steps(world, dana)[-1] == ("attendance", "confirmed")
    assert "Name: Dana Reyes, Attendance: Present" in roster.text


async def test_who_taps_during_a_leave_is_confirmed_like_everybody(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await on_leave(world, dana, carol)
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 10, 20, 20, tzinfo=UTC))
    await dana.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    await world.go_to(MEETING_ENDS)
    roster = message(world, ruth, "Who came?")
    assert "Dana Reyes, Attendance: tapped" in roster.text
    await ruth.presses(roster, "Everyone came")
    assert steps(world, dana)[-1] == ("attendance", "confirmed")


async def test_a_second_request_is_not_taken_while_one_waits(world: World, dana: Person, carol: Person) -> None:
    form = (await dana.sends("leave")).form
    waits = (
        "Your leave request (from Tue Dec 1, 2026) is waiting for a decision.\nChoices: Withdraw, Ask for other dates"
    )
    assert "Request sent" in said(await dana.fills(form, starts="2026-12-01", reason="health"))
    again = await dana.sends("leave")
    assert again.form is None
    assert said(again) == waits
    assert said(await dana.does_press("leave.new")) == waits, "an older button"
    assert said(await dana.fills(form, starts="2026-12-02", reason="health")) == waits, "a form that was open already"
    assert steps(world, dana) == [("leave", "asked")]
    assert len([sent for sent in world.to(carol) if "A leave request to decide" in sent.text]) == 1


async def test_a_waiting_request_is_withdrawn(world: World, dana: Person, lee: Person, carol: Person) -> None:
    await dana.fills((await dana.sends("leave")).form, starts="2026-12-01", reason="health")
    card = (await dana.sends("leave")).card
    assert card is not None
    withdraw = button(card, "Withdraw")
    for stranger in (lee, carol):
        assert "can't find" in said(await stranger.does_press(withdraw.name, *withdraw.args))
    assert "Your leave request is withdrawn: Tue Dec 1, 2026" in said(await dana.presses(card, "Withdraw"))
    question = message(world, carol, "Leave withdrawn")
    assert "Approve" not in question.text
    decided = await carol.does_press("leave.decide", *withdraw.args, "yes")
    assert "The mentee withdrew this request." in said(decided)
    assert "already withdrawn" in said(await dana.presses(card, "Withdraw"))
    assert steps(world, dana) == [("leave", "asked"), ("leave", "withdrawn")]
    assert (await dana.sends("leave")).form is not None
    assert state(world, dana) != "paused"
    assert whole(world)


async def test_other_dates_take_the_place_of_a_waiting_request(world: World, dana: Person, carol: Person) -> None:
    await dana.fills((await dana.sends("leave")).form, starts="2026-12-01", reason="health")
    form = (await dana.presses(await dana.sends("leave"), "Ask for other dates")).form
    assert form is not None
    assert [getattr(part, "value", None) for part in form.fields] == [date(2026, 12, 1), None, "health"]
    await dana.fills(form, starts="2026-12-08", ends="2026-12-18")
    assert steps(world, dana) == [("leave", "asked"), ("leave", "withdrawn"), ("leave", "asked")]
    assert "(Tue Dec 8, 2026 to Fri Dec 18, 2026) is waiting" in said(await dana.sends("leave"))
    message(world, carol, "Leave withdrawn")
    await carol.presses(message(world, carol, "A leave request to decide"), "Approve")
    assert "already withdrawn" in said(await dana.fills(form, starts="2026-12-09")), "the earlier form takes no place"
    assert steps(world, dana)[-1] == ("leave", "granted")
    assert whole(world)


async def test_on_leave_a_request_that_waits_is_shown_too(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol, ends="2026-12-20")
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    shown = await dana.sends("leave")
    await dana.fills((await dana.presses(shown, "Ask for another leave")).form, starts="2027-02-01", reason="health")
    text = said(await dana.sends("leave"))
    assert "You are on leave" in text
    assert "Your leave request (from Mon Feb 1, 2027) is waiting for a decision." in text
    assert "Ask for another leave" not in text


async def test_of_two_ends_the_last_that_stands_holds(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol)
    world.clock.at = datetime(2026, 10, 20, 15, 0, tzinfo=UTC)
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    form = (await carol.presses(card, "End the leave")).form
    first = await carol.fills(form, day="2026-10-12")
    second = await carol.fills(form, day="2026-10-05")
    await carol.presses(first, "Undo")
    assert ends_of(world, dana) == [date(2026, 10, 4)]
    assert state(world, dana) != "paused"
    await carol.presses(second, "Undo")
    assert ends_of(world, dana) == [None]
    assert state(world, dana) == "paused"


def ends_of(world: World, who: Person) -> list[date | None]:
    with world.database.read() as tx:
        return [leave.ends for leave in leaves.of_person(tx, who.id)]


async def test_whoever_is_back_is_on_no_other_leave(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol)
    with world.database.write() as tx:  # as earlier versions recorded it
        second = leave_line("granted", date(2026, 9, 10), None, "health", carol.id, "coordinator")
        ledger.add(world.work(tx), dana.id, second)
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    assert "Welcome back!" in said(await dana.fills((await dana.presses(await dana.sends("leave"), "I'm back")).form))
    assert ends_of(world, dana) == [date(2026, 9, 30), date(2026, 9, 30)]
    assert state(world, dana) != "paused"
    assert whole(world)


async def test_nobody_gets_two_leaves_for_a_day(world: World, dana: Person, carol: Person) -> None:
    await dana.fills((await dana.sends("leave")).form, starts="2026-09-08", ends="2026-12-20", reason="health")
    form = (await carol.presses(await carol.sends("person dana reyes"), "Leave")).form
    held = await carol.fills(form, starts="2026-09-10", ends="", reason="health")
    assert "Nothing is saved. This request is for the same days, so decide it first." in said(held)
    await carol.presses(held, "Approve")
    again = "leave on these days already: Tue Sep 8, 2026 to Sun Dec 20, 2026."
    assert f"Dana Reyes has {again}" in said(await carol.fills(form, starts="2026-12-20", ends="", reason="health"))
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    another = (await dana.presses(await dana.sends("leave"), "Ask for another leave")).form
    assert f"You have {again}" in said(await dana.fills(another, starts="2026-12-20", reason="health"))
    assert steps(world, dana) == [("leave", "asked"), ("leave", "granted")]


async def test_a_request_is_not_approved_for_days_of_another_leave(world: World, dana: Person, carol: Person) -> None:
    await dana.fills((await dana.sends("leave")).form, starts="2026-09-08", reason="health")
    with world.database.write() as tx:  # as an earlier version recorded it beside the request
        second = leave_line("granted", date(2026, 9, 10), None, "health", carol.id, "coordinator")
        ledger.add(world.work(tx), dana.id, second)
    refused = await carol.presses(message(world, carol, "A leave request to decide"), "Approve")
    assert "Dana Reyes has leave on these days already: Thu Sep 10, 2026, until further notice." in said(refused)
    assert len(ends_of(world, dana)) == 1


async def test_the_request_of_somebody_who_left_is_not_approved(world: World, dana: Person, carol: Person) -> None:
    await dana.fills((await dana.sends("leave")).form, starts="2026-12-01", reason="health")
    form = (await carol.presses(await carol.sends("person dana reyes"), "Remove from program")).form
    await carol.fills(form, reason="moved")
    question = message(world, carol, "A leave request to decide")
    assert "Dana Reyes isn't in the program now." in said(await carol.presses(question, "Approve"))
    assert ("leave", "granted") not in steps(world, dana)


async def test_who_ended_a_leave_is_told_so_as_you(world: World, dana: Person, carol: Person) -> None:
    await on_leave(world, dana, carol)
    world.clock.at = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    await dana.fills((await dana.presses(await dana.sends("leave"), "I'm back")).form)
    with world.database.read() as tx:
        line = ledger.of_person(tx, dana.id)[-1]
        assert change_sentence(world.work(tx), line) == (
            "You ended your leave. Your first day back is Thu Oct 1, 2026."
        )
