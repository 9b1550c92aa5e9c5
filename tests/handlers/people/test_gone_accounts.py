"""An account that can't be told is replaced on the operator's report that it is gone, some days after that."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from bot.cli import gone_account, roster
from bot.runtime.port import Permanent
from storage.checkins import checkins
from storage.core import audit_log
from storage.outbox.outbox_tables import delivery, due_moment
from storage.people import account_links, people
from storage.people.account_views import view_of
from storage.people.people_tables import account, gone_report, replacement
from storage.privacy import personal_data
from storage.vault.vault_tables import vault_item
from tests.world import Person, World, said

DANA = "dana@example.org"


@pytest.fixture
async def other(world: World, dana: Person) -> Person:
    """The new account; the district deactivated the one that Dana has."""
    world.port.deactivated.add(dana.user)
    new = world.account("Dana New", "new@example.org")
    await new.sends("help")  # the bot has seen the account
    return new


def match(world: World, user: str) -> None:
    roster._match(world.database, DANA, user, world.clock.now(), uuid4)


def look(world: World, user: str) -> str:
    with world.database.write() as tx:
        return gone_account.look_in(world.work(tx), DANA, user)


def report(world: World, user: str) -> str:
    with world.database.write() as tx:
        return gone_account.report_in(world.work(tx), DANA, user)


def holder(world: World, who: Person) -> str | None:
    """Whose account it is."""
    with world.database.read() as tx:
        me = people.actor(tx, world.platform, world.tenant, who.user)
    return me.name if me and me.link == "confirmed" else None


def reports(world: World) -> int:
    with world.database.read() as tx:
        return len(tx.execute(select(gone_report.c.id)).all())


async def reported(world: World, other: Person) -> None:
    match(world, other.user)
    await world.settle()
    report(world, other.user)
    await world.settle()


# The way forward ----------------------------------------------------------------------------------


async def test_it_is_shown_and_the_new_account_takes_over_three_days_after_the_report(
    world: World, dana: Person, carol: Person, other: Person
) -> None:
    match(world, other.user)
    await world.pass_time(days=5)
    assert holder(world, other) is None
    shown = look(world, other.user)
    assert "U-dana: The account is deactivated." in shown
    assert "I match Dana New (U-new) on paper to Dana Reyes after Tue Sep 15, 2026" in shown
    assert reports(world) == 0, "so far it was only shown"

    assert "after Tue Sep 15, 2026" in report(world, other.user)
    await world.settle()
    told = next(message for message in world.to(carol) if "An account will be replaced" in message.text)
    assert "Tue Sep 15, 2026" in told.text
    await world.pass_time(days=2, hours=23)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    await world.pass_time(hours=2, minutes=5)
    assert (holder(world, dana), holder(world, other)) == (None, "Dana Reyes")
    new = [message.text for message in world.to(other) if "Your account is matched" in message.text]
    assert len(new) == 1
    assert "stays closed" in new[0]
    assert any("Dana Reyes is matched to Dana New now" in message.text for message in world.to(carol))


async def test_the_report_is_in_the_audit_log(world: World, dana: Person, other: Person) -> None:
    await reported(world, other)
    await world.pass_time(days=4)
    with world.database.read() as tx:
        lines = {line.what: line for line in audit_log.entries(tx, dana.id) if line.what.startswith("account.")}
        new_id = str(tx.scalar(select(account.c.id).where(account.c.user == other.user)))
    assert set(lines) == {"account.linked", "account.replacing", "account.gone", "account.replacement_done"}
    gone = lines["account.gone"]
    assert (gone.by, gone.detail) == (None, {"account": new_id, "earlier": [dana.user]})


async def test_the_new_account_opens_nothing_of_the_earlier_one(world: World, dana: Person, other: Person) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, dana.id)
    assert at is not None
    world.port.deactivated.clear()
    await world.go_to(at)
    await dana.presses(world.to(dana)[-1], "3")
    with world.database.read() as tx:
        item_id = str(tx.scalar(select(vault_item.c.id)))
    world.port.deactivated.add(dana.user)
    await reported(world, other)
    await world.pass_time(days=3, hours=2)
    assert holder(world, other) == "Dana Reyes"
    with world.database.read() as tx:
        (mine,) = account_links.accounts_of(tx, dana.id)
        view = view_of(tx, mine.id)
        kinds = {kind.name: kind.rows for kind in personal_data.everything(tx, dana.id, lambda _item: None, view)}
    assert (kinds["Check-in numbers"], kinds["Check-ins"]) == ((), ())
    assert item_id not in repr(await other.sends("reflections"))


# Accepted only then -------------------------------------------------------------------------------


async def test_the_notice_must_have_been_tried_first(world: World, dana: Person, other: Person) -> None:
    for act in (look, report):
        with pytest.raises(roster.NothingImported, match=r"Run `plc-bot people match dana@example\.org U-new` first"):
            act(world, other.user)
    match(world, other.user)
    for act in (look, report):
        with pytest.raises(roster.NothingImported, match="still trying"):
            act(world, other.user)
    assert reports(world) == 0


async def test_an_account_that_was_told_is_not_gone(world: World, dana: Person, other: Person) -> None:
    world.port.deactivated.clear()
    match(world, other.user)
    await world.settle()
    world.port.deactivated.add(dana.user)
    with pytest.raises(roster.NothingImported, match="was told"):
        report(world, other.user)


async def test_a_failure_that_says_nothing_of_the_account_is_not_enough(
    world: World, dana: Person, other: Person
) -> None:
    """A revoked token fails every message."""
    world.port.failures = [Permanent("The token is revoked.")]
    match(world, other.user)
    await world.settle()
    for act in (look, report):
        with pytest.raises(roster.NothingImported, match=r"has not said .* is gone\. The token is revoked"):
            act(world, other.user)
    assert reports(world) == 0


async def test_a_platform_that_is_not_connected_says_nothing_of_the_account(
    world: World, dana: Person, other: Person
) -> None:
    world.loop._calls._ports = {}
    match(world, other.user)
    await world.settle()
    with pytest.raises(roster.NothingImported, match="is not connected"):
        report(world, other.user)


async def test_every_account_that_the_person_has_must_be_gone(world: World, dana: Person, other: Person) -> None:
    """Also one whose row was changed outside the program, which is told of nothing."""
    with world.database.write() as tx:
        work = world.work(tx)
        second = account_links.remember(
            work, world.platform, "T2", "U-two", name="Dana", email="two@example.org", member=True, active=True
        )
        account_links.confirm(work, second.id, dana.id, None)
        tx.execute(update(account).where(account.c.id == second.id).values(seal=b"forged"))
    match(world, other.user)
    await world.settle()
    with pytest.raises(roster.NothingImported, match="has not said"):
        report(world, other.user)


async def test_it_is_reported_once(world: World, dana: Person, other: Person) -> None:
    await reported(world, other)
    await world.pass_time(days=1)
    with pytest.raises(roster.NothingImported, match=r"already.*Thu Sep 10"):
        report(world, other.user)
    await world.pass_time(days=3)
    with pytest.raises(roster.NothingImported, match="No change to this account is waiting"):
        report(world, other.user)


# The earlier account comes back -------------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 30, 71])
async def test_whoever_comes_back_is_told_has_three_days_and_stops_it(
    world: World, dana: Person, carol: Person, other: Person, hours: int
) -> None:
    await reported(world, other)
    await world.pass_time(hours=hours)
    world.port.deactivated.clear()
    await world.pass_time(hours=72 - hours, minutes=30)
    notice = next(message for message in world.to(dana) if "Is this your new account?" in message.text)
    await world.pass_time(days=1)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert "Your account stays as it is" in said(await dana.presses(notice, "Stop it"))
    await world.pass_time(days=10)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    assert any("said that the new account isn't theirs" in message.text for message in world.to(carol))
    assert not any("Your account is matched" in message.text for message in world.to(other))


async def test_a_last_try_that_fails_for_another_reason_is_not_enough(
    world: World, dana: Person, other: Person
) -> None:
    await reported(world, other)
    await world.pass_time(days=2, hours=23, minutes=30)
    world.port.failures = [Permanent("The token is revoked.")] * 3
    await world.pass_time(days=1)
    assert holder(world, other) is None
    world.port.failures = []
    await world.pass_time(days=2)
    assert holder(world, other) == "Dana Reyes"


# Forged rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", ["inserted", "at", "replacement_id", "moment"])
async def test_forged_rows_replace_nothing(world: World, dana: Person, other: Person, forged: str) -> None:
    """Neither without a report, nor sooner, nor with the report about somebody else."""
    match(world, other.user)
    await world.settle()
    if forged in ("at", "moment"):
        report(world, other.user)
    long_ago = world.clock.at - timedelta(days=9)
    with world.database.write() as tx:
        asked = tx.scalar(select(replacement.c.id))
        if forged == "inserted":
            tx.execute(insert(gone_report).values(id=uuid4(), replacement_id=asked, at=long_ago, seal=b"forged"))
        elif forged == "at":
            tx.execute(update(gone_report).values(at=long_ago))
        elif forged == "replacement_id":
            lee = people.by_email(tx, "lee@example.org")
            mine = tx.execute(select(replacement)).mappings().one()
            assert lee
            tx.execute(insert(replacement).values({**mine, "id": uuid4(), "person_id": lee.id}))
    if forged == "replacement_id":
        report(world, other.user)
        with world.database.write() as tx:
            wrong = tx.scalar(select(replacement.c.id).where(replacement.c.person_id != dana.id))
            tx.execute(update(gone_report).values(replacement_id=wrong))
    with world.database.write() as tx:
        now = {"due_at": world.clock.at, "state": "waiting"}
        tx.execute(update(due_moment).where(due_moment.c.kind == "identity.replace").values(now))
    await world.pass_time(days=2, hours=23)
    assert (holder(world, dana), holder(world, other)) == ("Dana Reyes", None)
    if forged in ("inserted", "replacement_id"):
        await world.pass_time(days=5)
        assert holder(world, other) is None


async def test_a_report_that_was_deleted_counts_for_nothing(world: World, dana: Person, other: Person) -> None:
    await reported(world, other)
    with world.database.write() as tx:
        tx.execute(delete(gone_report))
    await world.pass_time(days=5)
    assert holder(world, other) is None


async def test_a_forged_failure_is_not_enough_at_the_end(world: World, dana: Person, other: Person) -> None:
    """The platform is asked anew when the days have passed."""
    world.port.deactivated.clear()
    world.port.failures = [Permanent("The token is revoked.")]
    match(world, other.user)
    await world.settle()
    with world.database.write() as tx:
        tx.execute(update(delivery).where(delivery.c.kind == "identity.replacing").values(unreachable=True))
    report(world, other.user)
    await world.pass_time(days=3, hours=2)
    assert holder(world, other) is None
    assert any("Is this your new account?" in message.text for message in world.to(dana))
