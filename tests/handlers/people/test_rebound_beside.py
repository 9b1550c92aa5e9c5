"""Somebody has accounts in two workspaces, and one of them is replaced: the new one sees nothing from before.

The account that stays sees and keeps what it had. What comes after the replacement, both share.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from handlers.checkins.schedule import refresh_schedule
from handlers.core.plain_cards import plain
from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.core.database import Tx
from storage.people import account_links
from storage.people.account_views import view_of
from storage.people.people_tables import account
from storage.privacy import personal_data
from storage.vault.vault_tables import vault_item
from tests.handlers.checkins.test_saved import labels, newest
from tests.handlers.people.elsewhere import TENANT, Elsewhere, second_account
from tests.world import Person, World, button, buttons_of, said

ABOUT_CHECKINS = personal_data.PARTICIPATION - {"Next check-in", "Messages to you"}
ELSEWHERE = "You saved your number with another account of yours. Only that account can show or delete it."


def linked_elsewhere(world: World, of: Person, user: str = "U-new") -> Elsewhere:
    """An account in the other workspace is linked to somebody, in place of the one they had there."""
    with world.database.write() as tx:
        work = world.work(tx)
        account = account_links.remember(
            work, world.platform, TENANT, user, name="D", email="", member=True, active=True
        )
        account_links.confirm(work, account.id, of.id, None)
        refresh_schedule(work, [of.id])
    new = Elsewhere(world, user)
    new.id = of.id
    return new


def heard_from(world: World, who: Person) -> None:
    """Somebody's account is the one seen last, which gets the messages to them."""
    with world.database.write() as tx:
        tx.execute(update(account).where(account.c.user == who.user).values(seen_at=world.clock.at))


def account_id(tx: Tx, who: Person) -> Any:
    return next(own.id for own in account_links.accounts_of(tx, who.id) if own.user == who.user)


def kept_of(world: World, who: Person) -> dict[str, list[dict[str, str]]]:
    """What `privacy` counts and the download holds for an account, kind by kind."""
    with world.database.read() as tx:
        kinds = personal_data.everything(tx, who.id, lambda _item: None, view_of(tx, account_id(tx, who)))
    return {kind.name: list(kind.rows) for kind in kinds}


def sees_nothing(world: World, who: Person) -> None:
    kept = kept_of(world, who)
    assert {name: kept[name] for name in ABOUT_CHECKINS if kept[name]} == {}
    assert "checkin" not in str(kept["Messages to you"])


def comes_to(world: World, who: Person) -> list[str]:
    """The messages about check-ins in somebody's chat."""
    texts = [posted.text for posted in world.to(who)]
    return [text for text in texts if "check-in" in text.lower() and "Welcome" not in text]


async def next_one(world: World, who: Person) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, who.id)
    assert at is not None
    await world.go_to(at)


@pytest.mark.parametrize("pause", ["snooze until Dec 25", "checkins off"])
async def test_a_pause_of_the_account_that_stays(world: World, dana: Person, pause: str) -> None:
    """The check-in comes as if there were no pause, since silence would tell of it; not to the account that paused."""
    second_account(world, dana)
    await dana.sends(pause)
    paused = said(await dana.sends("checkin"))
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, dana)
    assert kept_of(world, new)["Pauses"] == []
    assert kept_of(world, new)["Next check-in"] == [{"next_at": "2026-09-10 20:00 UTC"}]
    assert "You'll get the next one Thu Sep 10" in said(await new.sends("checkin"))
    for command in ("snooze until Nov 1", "resume"):
        await new.sends(command)
    assert kept_of(world, dana)["Pauses"] != []
    assert said(await dana.sends("checkin")) == paused, "the new account ends nothing of it"
    await next_one(world, dana)
    assert "Before your first check-in" in comes_to(world, new)[-1]
    heard_from(world, dana)
    await world.pass_time(days=14)
    assert comes_to(world, dana) == []


async def test_the_account_that_stays_ends_its_own_pause(world: World, dana: Person) -> None:
    second_account(world, dana)
    await dana.sends("snooze until Dec 25")
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, dana)
    await new.sends("snooze until Nov 1")
    assert "Pause ended." in said(await dana.sends("resume"))
    assert "next one Thu Sep 10" in said(await new.sends("checkin")), "what is chosen now, both share"


@pytest.mark.parametrize("choice", ["Agree", "Decline"])
async def test_a_choice_of_the_account_that_stays(world: World, choice: str) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org", agreed=False)
    second_account(world, dana)
    await dana.presses(await dana.sends("privacy"), choice)
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, dana)
    assert "You haven't chosen yet" in said(await new.sends("privacy"))
    sees_nothing(world, new)
    assert "You'll get the next one Thu Sep 10" in said(await new.sends("checkin"))
    await next_one(world, new)
    assert "Before your first check-in" in comes_to(world, new)[-1]
    assert "choose first" in said(await new.types("a long day with many visitors"))
    chosen = {"Agree": "You agreed", "Decline": "You declined"}[choice]
    assert chosen in said(await dana.sends("privacy"))
    heard_from(world, dana)
    await world.pass_time(days=14)
    assert bool(comes_to(world, dana)) == (choice == "Agree")
    other = {"Agree": "Decline", "Decline": "Agree"}[choice]
    await world.pass_time(minutes=1)
    await new.presses(await new.sends("privacy"), other)
    assert chosen not in said(await dana.sends("privacy")), "what is chosen now, both share"


async def test_a_check_in_of_the_account_that_stays(world: World, dana: Person, ruth: Person) -> None:
    """Not that it was open or answered, nor that a mentor was asked; and nothing of it is destroyed."""
    second_account(world, dana)
    await next_one(world, dana)
    await dana.presses(await dana.sends("checkin"), "3")
    await dana.keeps("CANARY kept")
    await dana.types("CANARY that waits")
    asked = (await dana.sends("checkin")).card
    assert asked is not None
    await dana.presses(asked, "Ask my mentor to reach out")
    checkin_id = button(asked, "Write or change").args[0]
    told = len(world.to(ruth))
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, dana)
    sees_nothing(world, new)
    before = stored(world)
    assert "No check-in is open" in said(await new.sends("checkin"))
    assert "You haven't written any yet." in said(await new.sends("reflections"))
    for name, args in {
        "checkins.pulse": (checkin_id, "1"),
        "checkins.write": (checkin_id,),
        "checkins.reach": (checkin_id,),
        "checkins.retract": (checkin_id,),
        "checkins.number": (checkin_id,),
        "consent.read": (checkin_id,),
    }.items():
        assert said(await new.does_press(name, *args)) == "I can't find that check-in."
    await new.presses(await new.sends("privacy"), "Decline")
    await new.presses(await new.does_press("forgetting.ask"), "Delete it all")
    assert stored(world) == before, "the words that wait are there too"
    assert len(world.to(ruth)) == told
    assert comes_to(world, new) == []
    assert "You answered 3" in said(await dana.does_press("checkins.number", checkin_id))
    await dana.presses(await dana.sends("privacy"), "Agree")
    await dana.does_press("checkins.retract", checkin_id)
    assert "checkin" not in str(kept_of(world, new)["Messages to you"]), "nor when its message changes later"


def stored(world: World) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What was written, and the marks of check-ins."""
    with world.database.read() as tx:
        items = [tuple(row) for row in tx.execute(select(vault_item).order_by(vault_item.c.id))]
        marks = tx.execute(select(checkin.c.id, checkin.c.answered_at, checkin.c.reach_out_at).order_by(checkin.c.id))
        return items, [tuple(row) for row in marks]


async def test_what_comes_after_is_shared_and_each_opens_its_own(world: World, dana: Person) -> None:
    second_account(world, dana)
    new = linked_elsewhere(world, dana)
    await world.pass_time(minutes=1)
    heard_from(world, dana)
    await new.presses(await new.sends("privacy"), "Agree")
    await next_one(world, dana)
    await dana.presses(await dana.sends("checkin"), "3")
    assert len(kept_of(world, new)["Check-in numbers"]) == 1
    answer = (await new.sends("checkin")).card
    assert answer is not None
    assert "Saved. I show your number only to you." in plain(answer)
    assert ELSEWHERE in plain(answer)
    assert not {"Show my number", "Delete my number"} & {item.label for item in buttons_of(answer)}


async def test_where_nothing_was_replaced_two_accounts_share_everything(world: World, dana: Person) -> None:
    await next_one(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "3")
    await dana.sends("snooze until Dec 25")
    await world.pass_time(minutes=1)
    other = second_account(world, dana)
    kept = kept_of(world, other)
    assert kept == kept_of(world, dana)
    assert {len(kept[name]) for name in ("Check-ins", "Check-in numbers", "Choices about check-ins", "Pauses")} == {1}
    text = said(await other.sends("checkin"))
    assert "Saved. I show your number only to you." in text
    assert ELSEWHERE in text
    assert "Show my number" not in text
    assert "Show my number" in labels(asked)
    assert "Pause ended." in said(await other.sends("resume"))
    assert kept_of(world, dana)["Pauses"] == []


async def test_an_account_that_is_linked_again_beside_another_sees_what_it_chose_itself(
    world: World, dana: Person
) -> None:
    other = second_account(world, dana)
    await next_one(world, dana)
    await other.presses(await other.sends("checkin"), "4")
    await dana.presses(await dana.sends("checkin"), "Ask my mentor to reach out")
    await world.pass_time(minutes=1)
    linked_elsewhere(world, dana)
    await world.pass_time(minutes=1)
    again = linked_elsewhere(world, dana, other.user)
    kept = kept_of(world, again)
    assert [len(kept[name]) for name in ("Check-ins", "Check-in numbers", "Choices about check-ins")] == [1, 1, 0]
    assert "reach_out_at" not in kept["Check-ins"][0]
    checkin_id = next(iter(kept_ids(world)))
    assert "You answered 4" in said(await again.does_press("checkins.number", checkin_id))


def kept_ids(world: World) -> list[str]:
    with world.database.read() as tx:
        return [str(id_) for id_ in tx.scalars(select(checkin.c.id).join(vault_item))]


async def test_an_account_that_was_replaced_is_told_nothing_more(world: World, dana: Person) -> None:
    other = second_account(world, dana)
    await world.pass_time(minutes=1)
    heard_from(world, other)
    await next_one(world, dana)
    (asked,) = [posted for posted in world.to(other) if "check-in" in posted.text or "How are" in posted.text]
    await world.pass_time(minutes=1)
    linked_elsewhere(world, dana)
    before = asked.text
    await dana.presses(await dana.sends("checkin"), "3")
    assert asked.text == before


async def test_what_a_mentee_shared_with_the_earlier_accounts_is_not_listed(
    world: World, dana: Person, ruth: Person
) -> None:
    second_account(world, ruth)
    await next_one(world, dana)
    await dana.keeps("CANARY shared")
    form = (await dana.presses(await dana.sends("reflections"), "Share")).form
    await dana.fills(form)
    assert "Shared with you" in said(await ruth.sends("reflections"))
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, ruth)
    assert "Dana" not in said(await new.sends("reflections"))
    assert kept_of(world, new)["Shared reflections"] == []


@pytest.mark.parametrize("last_seen", ["the account that stays", "the new one"])
@pytest.mark.parametrize("choice", ["", "snooze until Dec 25", "checkins off", "Decline"])
async def test_messages_tell_nothing_of_what_was_chosen_before(
    world: World, dana: Person, choice: str, last_seen: str
) -> None:
    """Whether a check-in or its reminder goes out to the account that stays depends on that; the download does not."""
    second_account(world, dana)
    if choice == "Decline":
        await dana.presses(await dana.sends("privacy"), "Decline")
    elif choice:
        await dana.sends(choice)
    await world.pass_time(minutes=1)
    new = linked_elsewhere(world, dana)
    await world.pass_time(minutes=1)
    heard_from(world, new if last_seen == "the new one" else dana)
    await next_one(world, dana)
    await world.pass_time(days=8)
    messages = [row for row in kept_of(world, new)["Messages to you"] if row["kind"].startswith("checkin")]
    told = [(row["kind"], row["verb"], row["state"]) for row in messages]
    own = [("checkin", "post", "sent"), ("checkin", "update", "sent")]
    assert told == (own if last_seen == "the new one" else [])
