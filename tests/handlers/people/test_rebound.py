"""An account that replaced an earlier one of the same person sees nothing of it, and can change nothing of it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.cli import roster
from handlers.checkins.schedule import refresh_schedule
from program.privacy.privacy_settings import NOTICE_VERSION
from storage.checkins import checkins
from storage.people import account_links, people
from storage.privacy import personal_data
from storage.record import disputes
from storage.record.record_tables import dispute
from tests.handlers.scenes import absent, options
from tests.world import Person, Posted, World, button, said

DANA = "dana@example.org"


async def replaced(world: World, dana: Person) -> Person:
    """Dana's new account, once it has replaced the earlier one."""
    new = world.account("Dana Reyes-Hall", "hall@example.org")
    await new.sends("help")  # the bot has seen the account
    roster._match(world.database, DANA, new.user, world.clock.now(), uuid4)
    await world.settle()
    await world.pass_time(days=3, minutes=1)
    new.id = dana.id
    with world.database.read() as tx:
        assert [account.user for account in account_links.accounts_of(tx, dana.id)] == [new.user]
    return new


@pytest.mark.parametrize("readers", ["coordinator", "mentor"])
async def test_a_dispute_stays_with_the_account_that_wrote_it(
    world: World, ruth: Person, dana: Person, carol: Person, readers: str
) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers=readers, text="CANARY about Ruth")
    with world.database.read() as tx:
        dispute_id = str(tx.scalar(select(dispute.c.id)))
    assert "CANARY" in said(await dana.does_press("disputes.read", dispute_id)), "its author reads it"
    new = await replaced(world, dana)
    for act in ("disputes.read", "disputes.withdraw", "disputes.settle"):
        assert said(await new.does_press(act, dispute_id)) == "I can't find that dispute."
        assert "CANARY" not in said(await dana.does_press(act, dispute_id)), "the earlier account is nobody's now"
    with world.database.read() as tx:
        assert [dispute.outcome for dispute in disputes.open_of(tx, dana.id)] == [""]
    assert "CANARY" in said(await carol.does_press("disputes.read", dispute_id)), "its readers read it still"


# Choices about check-ins --------------------------------------------------------------------------


async def asked_now(world: World, who: Person) -> Posted:
    """The check-in, as it came to somebody."""
    with world.database.read() as tx:
        at = checkins.next_at(tx, who.id)
    assert at is not None
    await world.go_to(at)
    return world.to(who)[-1]


def kept_of(world: World, who: Person) -> dict[str, int]:
    """What `privacy` and the download tell that an account's person has, kind by kind."""
    with world.database.read() as tx:
        actor = people.actor(tx, world.platform, world.tenant, who.user)
        assert actor is not None
        kinds = personal_data.everything(tx, who.id, lambda _item: None, actor.view)
    return {kind.name: len(kind.rows) for kind in kinds}


@pytest.mark.parametrize("choice", ["Agree", "Decline"])
async def test_a_choice_stays_with_the_account_that_made_it(world: World, choice: str) -> None:
    dana = world.matched("Dana Reyes", DANA, agreed=False)
    await dana.presses(await dana.sends("privacy"), choice)
    assert {"Agree": "You agreed", "Decline": "You declined"}[choice] in said(await dana.sends("privacy"))
    new = await replaced(world, dana)
    text = said(await new.sends("privacy"))
    assert "You haven't chosen yet" in text
    assert "Choices about check-ins" not in text
    assert kept_of(world, new)["Choices about check-ins"] == 0
    assert "You'll get the next one" in said(await new.sends("checkin"))
    assert "Before your first check-in" in (await asked_now(world, new)).text
    assert "choose first" in said(await new.types("a long day with many visitors"))
    await new.presses(await new.sends("privacy"), "Decline" if choice == "Agree" else "Agree")
    with world.database.write() as tx:  # the earlier account comes back: its choice was not changed
        earlier = people.actor(tx, world.platform, world.tenant, dana.user)
        assert earlier is not None
        account_links.confirm(world.work(tx), earlier.account_id, dana.id, None)
    assert ("declined" if choice == "Decline" else "agreed") in said(await dana.sends("privacy"))
    assert kept_of(world, dana)["Choices about check-ins"] == 1


@pytest.mark.parametrize(("pause", "end"), [("snooze until Dec 25", "resume"), ("checkins off", "checkins on")])
async def test_a_pause_stays_with_the_account_that_made_it(world: World, dana: Person, pause: str, end: str) -> None:
    await dana.sends(pause)
    assert kept_of(world, dana)["Pauses"] == 1
    new = await replaced(world, dana)
    assert kept_of(world, new)["Pauses"] == 0
    assert "You'll get the next one Thu Sep 10" in said(await new.sends("checkin"))
    await new.sends(end)
    with world.database.write() as tx:
        earlier = people.actor(tx, world.platform, world.tenant, dana.user)
        assert earlier is not None
        account_links.confirm(world.work(tx), earlier.account_id, dana.id, None)
        refresh_schedule(world.work(tx), [dana.id])
    answer = said(await dana.sends("checkin"))
    assert "Sep 17" not in answer, "nothing of the earlier account's was ended"


async def test_nothing_of_a_check_in_goes_over_to_another_account(world: World, dana: Person, ruth: Person) -> None:
    """Not that one was open, nor that it was answered, nor that a mentor was asked to reach out."""
    asked = await asked_now(world, dana)
    await dana.presses(asked, "3")
    await dana.presses(asked, "Ask my mentor to reach out")
    checkin_id = button(asked.card, "Write or change").args[0]
    told = len(world.to(ruth))
    new = await replaced(world, dana)
    kept = kept_of(world, new)
    assert kept["Check-ins"] == 0
    assert "checkin" not in str(kept), "messages to the earlier account are not counted"
    assert "No check-in is open" in said(await new.sends("checkin"))
    for name, args in {
        "checkins.pulse": (checkin_id, "1"),
        "checkins.write": (checkin_id,),
        "checkins.reach": (checkin_id,),
        "checkins.retract": (checkin_id,),
        "checkins.number": (checkin_id,),
    }.items():
        assert said(await new.does_press(name, *args)) == "I can't find that check-in."
    assert "I asked your mentor" not in said(await new.does_press("consent.agree", NOTICE_VERSION, checkin_id))
    assert not [
        message for message in world.to(new) if "check-in" in message.text.lower() and "Welcome" not in message.text
    ]
    assert len(world.to(ruth)) == told


def linked_to(world: World, account: Person, person: Person) -> None:
    """An account is linked to a person."""
    with world.database.write() as tx:
        actor = people.actor(tx, world.platform, world.tenant, account.user)
        assert actor is not None
        account_links.confirm(world.work(tx), actor.account_id, person.id, None)
        refresh_schedule(world.work(tx), [person.id])


async def test_an_account_that_is_linked_again_can_delete_the_number_it_saved(world: World, dana: Person) -> None:
    asked = await asked_now(world, dana)
    await dana.presses(asked, "3")
    checkin_id = button(asked.card, "Delete my number").args[0]
    new = await replaced(world, dana)
    assert said(await new.does_press("checkins.number", checkin_id)) == "I can't find that check-in."
    linked_to(world, dana, dana)
    assert "You answered 3" in said(await dana.does_press("checkins.number", checkin_id))
    assert "Your number is deleted." in said(await dana.does_press("checkins.retract", checkin_id))


async def test_an_account_that_becomes_somebody_elses_takes_no_pause_along(
    world: World, dana: Person, lee: Person
) -> None:
    await dana.sends("snooze until Dec 25")
    await replaced(world, dana)
    linked_to(world, dana, lee)
    assert kept_of(world, lee)["Pauses"] == 0
