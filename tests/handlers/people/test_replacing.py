"""An account of somebody who is matched is replaced after a notice to the earlier one, which can object."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from bot.cli import roster
from bot.runtime.port import Address, Outgoing, Permanent, Sent
from storage.outbox.outbox_tables import delivery, due_moment
from storage.people import account_links, people
from storage.people.people_tables import account, replacement
from tests.handlers.people.elsewhere import second_account
from tests.world import Person, Posted, World, said

DANA = "dana@example.org"


@pytest.fixture
async def other(world: World) -> Person:
    person = world.account("Mallory Quinn", "mallory@example.org")
    await person.sends("help")  # the bot has seen the account
    return person


def match(world: World, email: str, user: str) -> str:
    return roster._match(world.database, email, user, world.clock.now(), uuid4)


def holder(world: World, who: Person) -> str | None:
    """Whose account it is."""
    with world.database.read() as tx:
        me = people.actor(tx, world.platform, world.tenant, who.user)
    return me.name if me and me.link == "confirmed" else None


def asked(world: World, dana: Person) -> Posted:
    return next(message for message in world.to(dana) if "Is this your new account?" in message.text)


async def test_the_earlier_account_is_told_and_the_new_one_takes_over_after_three_days(
    world: World, dana: Person, other: Person
) -> None:
    text = match(world, DANA, other.user)
    assert "unless Dana Reyes objects" in text
    await world.settle()
    assert "Mallory Quinn (mallory@example.org)" in asked(world, dana).text
    await world.pass_time(days=2, hours=23)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    await world.pass_time(hours=2)
    assert (holder(world, dana), holder(world, other)) == (None, "Dana Reyes")
    with world.database.read() as tx:
        of_dana = str(tx.scalar(select(replacement.c.id)))
    assert "already decided" in said(await other.does_press("identity.keep", of_dana)), "too late"


async def test_who_objects_keeps_the_account_and_the_coordinators_are_told(
    world: World, dana: Person, carol: Person, other: Person
) -> None:
    match(world, DANA, other.user)
    await world.settle()
    assert "Your account stays as it is" in said(await dana.presses(asked(world, dana), "Stop it"))
    await world.pass_time(days=4)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert any("said that the new account isn't theirs" in message.text for message in world.to(carol))


async def test_nobody_else_can_stop_it(world: World, dana: Person, lee: Person, other: Person) -> None:
    match(world, DANA, other.user)
    await world.settle()
    for stranger in (lee, other):
        await stranger.presses(asked(world, dana), "Stop it")
    await world.pass_time(days=4)
    assert holder(world, other) == "Dana Reyes"


async def test_an_account_of_somebody_is_taken_from_nobody(world: World, dana: Person, lee: Person) -> None:
    with pytest.raises(roster.NothingImported, match="is matched to Lee Okafor already"):
        match(world, DANA, lee.user)


async def test_a_second_replacement_waits_for_the_first(world: World, dana: Person, other: Person) -> None:
    match(world, DANA, other.user)
    with pytest.raises(roster.NothingImported, match="waiting already"):
        match(world, DANA, other.user)


async def test_a_replacement_whose_account_is_somebody_elses_by_then_is_dropped(
    world: World, dana: Person, other: Person
) -> None:
    match(world, DANA, other.user)
    with world.database.write() as tx:
        tom = people.by_email(tx, "tom@example.org")
        me = people.actor(tx, world.platform, world.tenant, other.user)
        assert tom
        assert me
        account_links.confirm(world.work(tx), me.account_id, tom.id, None)
    await world.pass_time(days=4)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", tom.name)


@pytest.mark.parametrize("forged", ["holds_from", "outcome", "account_id", "moment"])
async def test_forged_rows_replace_nothing(world: World, dana: Person, other: Person, forged: str) -> None:
    """Neither sooner than it was told, nor what was stopped, nor with another account."""
    match(world, DANA, other.user)
    await world.settle()
    if forged == "outcome":
        await dana.presses(asked(world, dana), "Stop it")
    mallory = world.account("Mallory Two", "two@example.org")
    await mallory.sends("help")
    with world.database.write() as tx:
        second = tx.scalar(select(account.c.id).where(account.c.user == mallory.user))
        values = {"holds_from": world.clock.at, "outcome": "", "account_id": second}
        if forged in values:
            tx.execute(update(replacement).values({forged: values[forged]}))
        now = {"due_at": world.clock.at, "state": "waiting"}
        tx.execute(update(due_moment).where(due_moment.c.kind == "identity.replace").values(now))
    await world.pass_time(hours=1)
    assert (holder(world, dana), holder(world, other), holder(world, mallory)) == ("Dana Reyes", None, None)


# The days count from a notice that was sent -------------------------------------------------------


async def test_the_days_count_from_when_the_earlier_account_was_told(world: World, dana: Person, other: Person) -> None:
    """The bot was stopped when the operator asked, and for longer than the days."""
    text = match(world, DANA, other.user)
    assert "tells it now" not in text
    world.clock.at += timedelta(days=3, minutes=5)
    await world.settle()
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert "Thu Sep 10" not in asked(world, dana).text
    assert "Sun Sep 13" in asked(world, dana).text
    await world.pass_time(days=2, hours=23)
    assert holder(world, other) is None
    await world.pass_time(hours=2)
    assert (holder(world, dana), holder(world, other)) == (None, "Dana Reyes")


async def test_an_account_that_cannot_be_told_is_kept_and_the_coordinators_hear_of_it(
    world: World, dana: Person, carol: Person, other: Person
) -> None:
    match(world, DANA, other.user)
    world.port.failures = [Permanent("chat is gone")]
    await world.settle()
    await world.pass_time(days=3, minutes=5)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert any("I couldn't tell the account they have" in message.text for message in world.to(carol))
    await world.pass_time(days=2, hours=23)  # it was told in its second try, just now
    assert holder(world, other) is None
    assert "Your account stays as it is" in said(await dana.presses(asked(world, dana), "Stop it"))
    await world.pass_time(days=4)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)


async def test_an_account_that_is_gone_for_good_is_never_replaced_in_silence(
    world: World, dana: Person, carol: Person, other: Person
) -> None:
    world.port.deactivated.add(dana.user)
    match(world, DANA, other.user)
    await world.pass_time(days=10)
    assert holder(world, other) is None
    told = [message for message in world.to(carol) if "An account change is waiting" in message.text]
    assert len(told) == 1, "once, not every day"
    assert f"plc-bot people match dana@example.org {other.user} --earlier-account-gone" in told[0].text


async def test_an_account_is_not_replaced_because_another_one_of_the_person_was_told(
    world: World, dana: Person, carol: Person, other: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = second_account(world, dana)
    post = world.port.post

    async def fail_here(to: Address, message: Outgoing) -> Sent:
        if to.user == dana.user:
            raise Permanent("chat is gone")
        return await post(to, message)

    monkeypatch.setattr(world.port, "post", fail_here)
    match(world, DANA, other.user)
    await world.pass_time(days=5)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert any("I couldn't tell the account they have" in message.text for message in world.to(carol))
    notices = [message for message in world.to(elsewhere) if "Is this your new account?" in message.text]
    assert len(notices) == 1, "the account that was told is not told again every day"
    monkeypatch.undo()
    await world.pass_time(days=1)
    assert holder(world, other) is None, "the days count from now"
    await world.pass_time(days=3, hours=1)
    assert (holder(world, dana), holder(world, other)) == (None, "Dana Reyes")


async def test_the_platform_is_asked_again_about_an_account_that_was_inactive(
    world: World, dana: Person, other: Person
) -> None:
    with world.database.write() as tx:
        tx.execute(update(account).where(account.c.user == dana.user).values(active=False))
    match(world, DANA, other.user)
    await world.settle()
    assert "Mallory Quinn (mallory@example.org)" in asked(world, dana).text, "she has it again by now"


async def test_a_forged_answer_that_it_was_sent_to_another_account_counts_for_nothing(
    world: World, dana: Person, lee: Person, other: Person
) -> None:
    match(world, DANA, other.user)
    world.port.failures = [Permanent("chat is gone")]
    await world.settle()
    with world.database.write() as tx:
        not_hers = tx.scalar(select(account.c.id).where(account.c.user == lee.user))
        of_notice = delivery.c.kind == "identity.replacing"
        tx.execute(update(delivery).where(of_notice).values(state="sent", account_id=not_hers))
    await world.pass_time(days=3, minutes=5)
    assert holder(world, other) is None


# What happens, said as it happens -----------------------------------------------------------------


def elsewhere(world: World) -> str:
    """An account of Dana's on another platform; its user id."""
    with world.database.write() as tx:
        account_links.remember(
            world.work(tx), "teams", "T9", "X9", name="Dana R.", email="d9@example.org", member=True, active=True
        )
    return "X9"


async def test_an_account_on_another_platform_is_an_additional_one(world: World, dana: Person) -> None:
    text = match(world, DANA, elsewhere(world))
    assert "Both accounts are matched then." in text
    await world.settle()
    notice = asked(world, dana)
    assert "instead of this one" not in notice.text
    assert "This account stays matched." in notice.text
    await world.pass_time(days=3, minutes=5)
    with world.database.read() as tx:
        assert {account.platform for account in account_links.accounts_of(tx, dana.id)} == {world.platform, "teams"}
    assert "is matched to your record now, too. This account stays matched." in notice.text


async def test_the_old_message_says_what_happened(world: World, dana: Person, other: Person) -> None:
    text = match(world, DANA, other.user)
    assert "It replaces the earlier account there." in text
    await world.settle()
    notice = asked(world, dana)
    assert "instead of this one" in notice.text
    await world.pass_time(days=3, minutes=5)
    assert "Mallory Quinn (mallory@example.org) on Paper is matched to your record now, instead of this" in notice.text
    assert "already" not in notice.text


async def test_the_message_says_that_it_was_stopped(world: World, dana: Person, other: Person) -> None:
    match(world, DANA, other.user)
    await world.settle()
    notice = asked(world, dana)
    await dana.presses(notice, "Stop it")
    assert "It was stopped. Your account stays as it is." in notice.text
