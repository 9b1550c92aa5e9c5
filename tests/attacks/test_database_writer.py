"""Somebody who writes to the database without the operator's keys reads nothing through the bot, and leads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, Update, delete, insert, select, text, update

from handlers.checkins.reflections import NOT_THERE
from storage.checkins import reflections
from storage.checkins.checkins_tables import checkin, share
from storage.core.database import Tx
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.outbox_tables import installation
from storage.people import account_links, people
from storage.people.people_tables import account, membership, person
from storage.program_desk import downloads
from storage.program_desk.program_desk_tables import download
from storage.record import verification
from storage.record.record_tables import dispute
from storage.vault import seals
from storage.vault.unlock import unlock
from storage.vault.vault import ITEMS, LEDGER_IDENTITY, UNSEALED_IDENTITY, _encrypt, _unbound_identity
from storage.vault.vault_tables import ledger_key, vault_item
from tests.handlers.checkins.test_reflections import SECRET, next_checkin, shared, written
from tests.world import PLATFORM, TENANT, Person, World, said


def without_triggers(tx: Tx, table: Table) -> None:
    """What somebody with the database's own rights does first."""
    if tx.dialect.name == "sqlite":
        for kind in ("update", "delete"):
            tx.execute(text(f"DROP TRIGGER IF EXISTS {table.name}_no_{kind}"))
    else:
        tx.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER ALL"))


async def reads_as(world: World, who: Person) -> str:
    """Everything that opens what was written, tried by somebody."""
    with world.database.read() as tx:
        checkins = [str(id_) for id_ in tx.scalars(select(checkin.c.id))]
        shares_there = [str(id_) for id_ in tx.scalars(select(share.c.id))]
        items = [str(id_) for id_ in tx.scalars(select(vault_item.c.id))]
    replies = [await who.sends("reflections"), await who.sends("checkin")]
    for checkin_id in checkins:
        replies += [
            await who.does_press("checkins.write", checkin_id),
            await who.does_press("reflections.open", checkin_id),
        ]
    for item_id in items:
        replies += [
            await who.does_press("reflections.open", item_id),
            await who.does_press("reflections.mine", item_id),
        ]
    replies += [await who.does_press("reflections.read", text) for text in shares_there]
    fields = [getattr(field, "value", "") for reply in replies if reply.form for field in reply.form.fields]
    return "\n".join([*map(said, replies), *map(str, fields)])


async def test_an_account_given_to_another_user_opens_nothing(world: World, dana: Person, mallory: Person) -> None:
    await written(world, dana)
    assert SECRET in await reads_as(world, dana), "the search finds what its author may open"
    with world.database.write() as tx:
        tx.execute(update(account).where(account.c.user == dana.user).values(user=mallory.user))
    assert SECRET not in await reads_as(world, mallory)
    with world.database.read() as tx:
        assert {misfit.table for misfit in seals.misfits(tx)} == {"account", "address"}


async def test_an_account_moved_to_another_person_opens_nothing(world: World, dana: Person, lee: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        tx.execute(update(account).where(account.c.user == lee.user).values(person_id=dana.id))
    assert SECRET not in await reads_as(world, lee)
    assert SECRET in await reads_as(world, dana)


def _give_the_account(tx: Tx, lee: Person, dana: Person) -> None:
    tx.execute(update(account).where(account.c.user == lee.user).values(person_id=dana.id))


def _make_a_mentor(tx: Tx, lee: Person, _dana: Person) -> None:
    tx.execute(update(membership).where(membership.c.person_id == lee.id).values(role="mentor"))


def _make_a_coordinator(tx: Tx, lee: Person, _dana: Person) -> None:
    tx.execute(update(person).where(person.c.id == lee.id).values(coordinator=True))


@pytest.mark.parametrize(
    ("change", "rows"),
    [(_give_the_account, "account"), (_make_a_mentor, "membership"), (_make_a_coordinator, "coordinator")],
)
async def test_the_log_names_an_account_whose_row_was_changed_once(
    world: World,
    dana: Person,
    lee: Person,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Tx, Person, Person], None],
    rows: str,
) -> None:
    with world.database.write() as tx:
        change(tx, lee, dana)
        changed = tx.scalar(select(account.c.id).where(account.c.user == lee.user))
    for who in (lee, lee, dana):
        await who.sends("progress")
    lines = [line for line in caplog.messages if line.startswith("seal.misfit")]
    assert lines == [f"seal.misfit account={changed} rows={rows}"]


async def test_a_tenant_renamed_opens_nothing(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        tx.execute(update(installation).values(tenant="T-other"))
    world.tenant = "T-other"
    assert SECRET not in await reads_as(world, dana)


async def test_an_item_given_to_another_account_opens_nothing(world: World, dana: Person, lee: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        mine = tx.scalar(select(account.c.id).where(account.c.user == lee.user))
        about = tx.scalar(select(vault_item.c.checkin_id))
        tx.execute(update(vault_item).values(account_id=mine))
        tx.execute(update(vault_item).values(person_id=lee.id))
        tx.execute(delete(checkin).where(checkin.c.person_id == lee.id))
        tx.execute(update(checkin).where(checkin.c.id == about).values(person_id=lee.id))
    assert SECRET not in await reads_as(world, lee)


async def test_a_forged_share_opens_nothing(world: World, dana: Person, ruth: Person) -> None:
    item = await written(world, dana)
    with world.database.write() as tx:
        mine = tx.scalar(select(account.c.id).where(account.c.user == ruth.user))
        row = {
            "id": uuid4(),
            "item_id": UUID(item),
            "author_id": dana.id,
            "mentor_id": ruth.id,
            "step": "shared",
            "target_id": None,
            "accounts": [str(mine)],
            "at": world.clock.at,
            "by": dana.id,
        }
        tx.execute(insert(share).values(row))
    assert NOT_THERE in said(await ruth.does_press("reflections.read", str(row["id"])))
    assert SECRET not in await reads_as(world, ruth)


async def test_a_share_changed_to_another_item_or_mentor_opens_nothing(
    world: World, dana: Person, ruth: Person, tom: Person
) -> None:
    await written(world, dana)
    await shared(dana)
    assert SECRET in await reads_as(world, ruth)
    with world.database.write() as tx:
        without_triggers(tx, share)
        mine = tx.scalar(select(account.c.id).where(account.c.user == tom.user))
        tx.execute(update(share).values(mentor_id=tom.id, accounts=[str(mine)]))
        tx.execute(update(membership).where(membership.c.person_id == tom.id).values(cohort_id=_cohort(tx, dana)))
    assert SECRET not in await reads_as(world, tom)


async def test_a_forged_membership_lets_a_former_mentor_read_nothing(world: World, dana: Person, tom: Person) -> None:
    """Even with a true share: who is no mentor of the author's reads nothing, and a forged row makes none."""
    item = await written(world, dana)
    with world.database.write() as tx:
        mine = account_links.accounts_of(tx, dana.id)[0].id
        reflection = reflections.find(tx, UUID(item), mine)
        assert reflection is not None
        reflections.share(world.vault, world.work(tx), reflection, dana.id, mine, tom.id)
        row = {
            "id": uuid4(),
            "cohort_id": _cohort(tx, dana),
            "person_id": tom.id,
            "role": "mentor",
            "since": world.clock.at - timedelta(days=400),
            "until": None,
        }
        tx.execute(insert(membership).values(row))
    assert SECRET not in await reads_as(world, tom)
    assert "Ozarks" not in said(await tom.sends("cohort"))


async def test_a_coordinator_made_by_hand_is_none(world: World, lee: Person, carol: Person) -> None:
    words = ("digest", "people", "person Dana", "figures", "certificates")
    before = [said(await lee.sends(command)) for command in words]
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == lee.id).values(coordinator=True))
    assert [said(await lee.sends(command)) for command in words] == before
    assert [said(await carol.sends(command)) for command in words] != before
    with world.database.read() as tx:
        assert [coordinator.email for coordinator in people.coordinators(tx)] == ["carol@example.org"]
        assert [misfit.table for misfit in seals.misfits(tx)] == ["coordinator"]


async def test_a_seal_copied_from_a_coordinator_fits_nobody_else(world: World, lee: Person, carol: Person) -> None:
    with world.database.write() as tx:
        seal = tx.scalar(select(person.c.coordinator_seal).where(person.c.id == carol.id))
        tx.execute(update(person).where(person.c.id == lee.id).values(coordinator=True, coordinator_seal=seal))
    with world.database.read() as tx:
        me = people.actor(tx, PLATFORM, TENANT, lee.user)
    assert me is not None
    assert not me.coordinator
    assert me.misfits == ("coordinator",)


async def test_a_forged_download_link_is_good_for_nothing(world: World, dana: Person) -> None:
    token = "a-token-of-my-own"
    with world.database.write() as tx:
        mine = tx.scalar(select(account.c.id).where(account.c.user == dana.user))
        row = {
            "token_hash": hashlib.sha256(token.encode()).digest(),
            "person_id": dana.id,
            "what": "person",
            "subject": str(mine),
            "format": "zip",
            "expires_at": world.clock.at + timedelta(days=1),
        }
        tx.execute(insert(download).values(row))
    with world.database.read() as tx:
        assert downloads.find(tx, token, world.clock.at) is None


async def test_a_dispute_opened_to_mentors_by_hand_stays_closed(world: World) -> None:
    with world.database.read() as tx:
        row = {
            "id": uuid4(),
            "person_id": uuid4(),
            "line_id": uuid4(),
            "about_id": uuid4(),
            "item_id": uuid4(),
            "with_mentors": False,
            "opened_at": world.clock.at,
        }
        assert seals.of_row(tx, dispute, row) != seals.of_row(tx, dispute, {**row, "with_mentors": True})
        assert dispute.c.seal is not None


def test_seals_taken_away_are_not_made_again_at_the_next_start(world: World, lee: Person) -> None:
    with world.database.write() as tx:
        tx.execute(update(person).values(coordinator=True, coordinator_seal=None))
        tx.execute(update(account).values(seal=None))
    with world.database.write() as tx:
        unlock(tx, world.vault)
    with world.database.read() as tx:
        assert people.coordinators(tx) == []
        assert {misfit.table for misfit in seals.misfits(tx)} == {"account", "coordinator"}


async def test_a_database_from_before_there_were_seals_is_sealed_once(world: World, dana: Person) -> None:
    item = UUID(await written(world, dana))
    await shared(dana)
    with world.database.write() as tx:
        _as_it_was_before(world, tx)
        assert len({misfit.table for misfit in seals.misfits(tx)}) >= 4
        unlock(tx, world.vault)
        assert seals.misfits(tx) == []
        assert SECRET in str(world.vault.open_shared(tx, item))
        row = tx.execute(select(ledger_key)).one()
        assert world.vault.unwrap_chain_key(row)[1] == LEDGER_IDENTITY


def _as_it_was_before(world: World, tx: Tx) -> None:
    """No seals, the database's key wrapped as it was, and items bound to their account's id alone."""
    key = world.vault.chain_key(tx)
    with seals._changeable(tx, share):
        tx.execute(update(share).values(seal=None))
    for table in (account, membership):
        tx.execute(update(table).values(seal=None))
    tx.execute(update(person).values(coordinator_seal=None))
    for row in tx.execute(ITEMS).all():
        cipher = world.vault._data_key(tx, row.person_id).cipher
        identity = _unbound_identity(row.id, row.kind, row.person_id, row.account_id)
        sealed = _encrypt(cipher, world.vault.opened(row, cipher).encode(), identity)
        tx.execute(update(vault_item).where(vault_item.c.id == row.id).values(sealed=sealed))
    tx.execute(update(ledger_key).values(wrapped=world.vault.wrap(key, UNSEALED_IDENTITY)))


def _cohort(tx: Tx, mentee: Person) -> UUID:
    return UUID(str(tx.scalar(select(membership.c.cohort_id).where(membership.c.person_id == mentee.id))))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: update(membership).values(since=datetime(2020, 1, 1, tzinfo=UTC)), "a membership was changed"),
        (lambda: update(membership).values(until=datetime(2026, 1, 1, tzinfo=UTC)), "a membership was changed"),
        (lambda: update(person).values(coordinator=True), "the coordinator role was changed"),
        (lambda: update(account).values(user=account.c.user + "-other"), "the link from an account"),
    ],
    ids=["since", "until", "coordinator", "account"],
)
async def test_the_verification_names_each_changed_row(
    world: World, dana: Person, change: Callable[[], Update], named: str
) -> None:
    key = world.product.chain_key
    with world.database.write() as tx:
        assert verification.verify(tx, key).problems == []
        tx.execute(change())
    with world.database.read() as tx:
        problems = verification.verify(tx, key).problems
    assert any(problem.startswith("Dana Reyes: ") and named in problem for problem in problems), problems


async def test_the_digest_tells_of_changed_rows_once_there_are_some(world: World, lee: Person, carol: Person) -> None:
    assert "changed outside the program" not in said(await carol.sends("digest"))
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == lee.id).values(coordinator=True))
    assert "Records that were changed outside the program (1)" in said(await carol.sends("digest"))


async def test_a_forged_moment_sends_a_forged_coordinator_no_digest(world: World, lee: Person) -> None:
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == lee.id).values(coordinator=True))
        due.plan(world.work(tx), moments.DIGEST_WEEKLY, world.clock.at, lee.id, tag="forged")
        deliveries.to_person(world.work(tx), kinds.DIGEST, lee.id, lee.id, tag="forged")
    await world.settle()
    assert not any("Weekly digest" in message.text for message in world.to(lee))


@pytest.mark.parametrize("address", ["account", "person"])
async def test_a_forged_address_makes_nobody_a_coordinator(
    world: World, carol: Person, mallory: Person, address: str
) -> None:
    """Carol's link is taken away, and an address is changed so that mallory is asked whether she is Carol."""
    await mallory.sends("help")
    with world.database.write() as tx:
        tx.execute(update(account).where(account.c.user == carol.user).values(person_id=None, link="none"))
        if address == "account":
            tx.execute(update(account).where(account.c.user == mallory.user).values(email="carol@example.org"))
        else:
            tx.execute(update(person).where(person.c.id == carol.id).values(email="mallory@example.org"))
        assert seals.misfits(tx)
    if address == "account":  # what the platform says is stored with each request; this is what was stored before
        with world.database.write() as tx:
            row = account_links.unmatched_accounts(tx)
            seen = next(account for account in row if account.user == mallory.user)
            assert account_links.propose(world.work(tx), seen) is None
    else:
        assert "Is this you?" not in said(await mallory.sends("help"))
    assert "Weekly digest" not in said(await mallory.sends("digest"))


def test_a_forged_address_makes_no_coordinator_at_the_next_start(world: World, lee: Person) -> None:
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == lee.id).values(email="new.coordinator@example.org"))
        people.ensure_coordinators(world.work(tx), ["new.coordinator@example.org"], "UTC")
        assert lee.id not in {coordinator.id for coordinator in people.coordinators(tx)}


async def test_words_of_another_day_are_not_shared_by_swapping_days(world: World, dana: Person, ruth: Person) -> None:
    """The two reflections' check-ins are swapped, or their days: the form shows the words that would be shared."""
    await written(world, dana)
    await next_checkin(world, dana)
    await dana.keeps("harmless words")
    with world.database.write() as tx:
        first, second = tx.execute(
            select(vault_item).where(vault_item.c.kind == "reflection").order_by(vault_item.c.at)
        ).all()
        days = {row.id: row.day for row in tx.execute(select(checkin.c.id, checkin.c.day))}
    form = (await dana.does_press("reflections.share", str(first.id))).form
    assert form
    assert SECRET in str(form.blocks), "its author sees what would be shared"
    with world.database.write() as tx:  # the days alone
        tx.execute(
            update(checkin)
            .where(checkin.c.id == first.checkin_id)
            .values(day=days[first.checkin_id].replace(year=2020))
        )
        tx.execute(update(checkin).where(checkin.c.id == second.checkin_id).values(day=days[first.checkin_id]))
    form = (await dana.does_press("reflections.share", str(first.id))).form
    assert form
    assert SECRET in str(form.blocks)
    with world.database.write() as tx:
        for row, other in ((first, second), (second, first)):
            tx.execute(update(vault_item).where(vault_item.c.id == row.id).values(checkin_id=other.checkin_id))
    form = (await dana.does_press("reflections.share", str(first.id))).form
    if form:
        await dana.fills(form)
    with world.database.read() as tx:
        shares_there = [str(row) for row in tx.scalars(select(share.c.id))]
    for share_id in shares_there:
        assert SECRET not in str((await ruth.does_press("reflections.read", share_id)).form)
