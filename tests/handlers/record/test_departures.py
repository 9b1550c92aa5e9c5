"""Leaving the program: prompts stop that day, the record is offered, and it can be undone."""

from __future__ import annotations

from datetime import timedelta

from handlers.core.cards import LinkButton
from handlers.core.requests import Reply
from storage.checkins import checkins
from storage.people import cohorts
from tests.handlers.scenes import message, steps, transferred, whole
from tests.world import Person, World, said


async def leaves(carol: Person) -> Reply:
    """The coordinator records that Dana leaves."""
    form = (await carol.presses(await carol.sends("person dana reyes"), "Remove from program")).form
    return await carol.fills(form, reason="position")


def next_checkin(world: World, who: Person) -> object:
    with world.database.read() as tx:
        return checkins.next_at(tx, who.id)


async def test_leaving_stops_prompts_that_day_and_offers_the_record(world: World, dana: Person, carol: Person) -> None:
    assert next_checkin(world, dana) is not None
    form = (await carol.presses(await carol.sends("person dana reyes"), "Remove from program")).form
    assert "Choose a reason." in said(await carol.fills(form))
    assert steps(world, dana) == []
    assert "Dana Reyes has left the program" in said(await leaves(carol))
    assert steps(world, dana) == [("departure", "left")]
    assert next_checkin(world, dana) is None
    told = message(world, dana, "You're not in a cohort now")
    assert "Send “privacy” to delete it" in told.text
    record = (await dana.presses(told, "Get your record")).card
    assert record is not None
    assert "You left before you completed the two years." in said(Reply(card=record))
    links = [
        button for block in record.blocks for button in getattr(block, "buttons", ()) if isinstance(button, LinkButton)
    ]
    assert [link.label for link in links] == ["Your record so far (PDF)"]
    before = len(world.to(dana))
    await world.go_to(world.clock.at + timedelta(days=30))
    assert len(world.to(dana)) == before
    assert whole(world)


async def test_whoever_left_can_still_read_about_privacy_and_their_record(
    world: World, dana: Person, carol: Person
) -> None:
    await leaves(carol)
    assert "Who sees what" in said(await dana.sends("privacy"))
    assert "Your record" in said(await dana.sends("certificate"))
    assert "You're not in a cohort now" in said(await dana.sends("progress"))
    assert "is only for mentees" in said(await dana.sends("log"))


async def test_leaving_is_undone(world: World, dana: Person, ruth: Person, carol: Person) -> None:
    done = await leaves(carol)
    assert "Dana Reyes" not in said(await ruth.sends("progress"))
    world.clock.at += timedelta(hours=1)
    assert "back in the program" in said(await carol.presses(done, "Undo"))
    assert steps(world, dana) == [("departure", "left"), ("departure", "withdrawn")]
    assert next_checkin(world, dana) is not None
    assert "You're back in the program" in world.to(dana)[0].text
    assert "Carol Dietz put you back in the program." in world.to(dana)[-1].text
    assert "Dana Reyes" in said(await ruth.sends("progress"))
    assert "back in the program already" in said(await carol.presses(done, "Undo"))
    assert whole(world)


async def test_leaving_is_recorded_by_coordinators_alone(world: World, dana: Person, ruth: Person) -> None:
    assert "Only coordinators" in said(await ruth.does_press("departures.leave", str(dana.id)))
    with world.database.read() as tx:
        assert cohorts.shared_cohorts(tx, dana.id)


async def test_a_transfer_is_no_goodbye_and_brings_back_who_left(world: World, dana: Person, carol: Person) -> None:
    await transferred(world, carol, "dana reyes", "Gateway")
    assert not any("You're not in a cohort now" in message.text for message in world.to(dana))
    await leaves(carol)
    world.clock.at += timedelta(days=1)
    await transferred(world, carol, "dana reyes", "Ozarks")
    assert "Ozarks" in said(await dana.sends("cohort"))
