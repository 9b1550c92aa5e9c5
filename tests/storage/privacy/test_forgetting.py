"""Who is forgotten is forgotten: also by an older backup, and by somebody who is just writing."""

from __future__ import annotations

from dataclasses import asdict
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, func, select, text

from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.core.database import Tx
from storage.people import people
from storage.people.account_views import AccountView
from storage.privacy import forgetting, holds
from storage.privacy.privacy_tables import forgotten, forgotten_key
from storage.record import disputes
from storage.record.ledger import Line, add
from storage.record.record_tables import ledger_line
from storage.vault import rotation
from storage.vault.operator_keys import BadKey
from storage.vault.vault import NoKeyYet, Sealed
from storage.vault.vault_tables import person_key, vault_item
from tests.world import Person, World


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


def account(tx: Tx, who: Person) -> UUID:
    actor = people.actor(tx, "paper", "T1", who.user)
    assert actor
    return actor.account_id


def writes(world: World, who: Person, words: str = "CANARY") -> UUID:
    with world.database.write() as tx:
        world.vault.ensure_keys(world.work(tx), [who.id])
    with world.database.write() as tx:
        return world.vault.save(
            world.work(tx), "reflection", words, person_id=who.id, account_id=account(tx, who), checkin_id=None
        )


def forget(world: World, who: Person) -> int:
    with world.database.write() as tx:
        return forgetting.forget(world.work(tx), who.id, by=who.id)


def test_forgetting_destroys_key_and_items_and_writes_it_down_in_both_stores(world: World, dana: Person) -> None:
    item = writes(world, dana)
    assert forget(world, dana) == 1
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert tx.execute(select(person_key)).all() == []
        assert world.vault.open(tx, item, account(tx, dana)) is None
        lists = [tx.execute(select(kept)).all() for kept in (forgotten, forgotten_key)]
    assert lists[0] == lists[1]
    assert [(row.person_id, row.by, row.at) for row in lists[0]] == [(dana.id, dana.id, world.clock.at)]


def test_what_is_written_afterwards_is_under_another_key_and_stays(world: World, dana: Person) -> None:
    writes(world, dana)
    with world.database.read() as tx:
        before = tx.scalar(select(person_key.c.key_id))
    forget(world, dana)
    item = writes(world, dana, "new words")
    with world.database.write() as tx:
        assert forgetting.apply_again(tx) == forgetting.ForgottenAgain(0, 0)
        assert tx.scalar(select(person_key.c.key_id)) != before
        assert world.vault.open(tx, item, account(tx, dana)) == "new words"


def test_nothing_is_sealed_before_its_key_is_safe(world: World, dana: Person) -> None:
    with pytest.raises(NoKeyYet), world.database.write() as tx:
        world.vault.save(world.work(tx), "pulse", "3", person_id=dana.id, account_id=account(tx, dana), checkin_id=None)


def test_what_a_backup_brings_back_is_forgotten_again(world: World, dana: Person) -> None:
    """Both ways round: the data from an older day, or the key store."""
    lee = world.matched("Lee Okafor", "lee@example.org")
    writes(world, dana)
    kept = writes(world, lee)
    with world.database.read() as tx:
        items = [dict(row) for row in tx.execute(select(vault_item)).mappings()]
        keys = [dict(row) for row in tx.execute(select(person_key)).mappings()]
    forget(world, dana)
    with world.database.write() as tx:  # as an older backup of either store has it
        tx.execute(vault_item.insert(), [row for row in items if row["person_id"] == dana.id])
        tx.execute(person_key.insert(), [row for row in keys if row["person_id"] == dana.id])
        assert forgetting.apply_again(tx) == forgetting.ForgottenAgain(1, 1)
        assert [row.person_id for row in tx.execute(select(vault_item))] == [lee.id]
        assert world.vault.open(tx, kept, account(tx, lee)) == "CANARY"


@pytest.mark.parametrize("store", [forgotten, forgotten_key])
def test_a_list_that_a_backup_lacks_is_taken_from_the_other_store(world: World, dana: Person, store: Table) -> None:
    writes(world, dana)
    with world.database.write() as tx:
        line = forgetting.Forgotten(
            world.new_id(), dana.id, tx.scalar(select(person_key.c.key_id)), world.clock.at, None
        )
        made = checkins.open_checkins(world.work(tx), [(dana.id, world.clock.at.date(), [])], world.clock.at)
        checkins.set_answered(world.work(tx), made[0].id, True)
        tx.execute(store.insert().values(asdict(line)))
    with world.database.write() as tx:
        assert forgetting.apply_again(tx) == forgetting.ForgottenAgain(1, 1)
        assert forgetting.apply_again(tx) == forgetting.ForgottenAgain(0, 0)
        counts = [tx.scalar(select(func.count()).select_from(kept)) for kept in (forgotten, forgotten_key)]
    assert counts == [1, 1]


def test_the_attendance_ledger_and_the_fact_of_a_dispute_stay(world: World, dana: Person) -> None:
    item = writes(world, dana)
    with world.database.write() as tx:
        work = world.work(tx)
        line = add(work, dana.id, Line("activity", "logged", work.now, dana.id, "self", minutes=60, code="reading"))
        dispute = disputes.add(work, dana.id, line, line, item, with_mentors=False)
    assert forget(world, dana) == 1
    with world.database.read() as tx:
        assert disputes.find(tx, dispute.id) == dispute
        assert [row.id for row in tx.execute(select(ledger_line))] == [line]
        assert tx.scalar(select(vault_item.c.sealed)) == b""
        assert world.vault.open(tx, item, account(tx, dana)) is None


def test_whether_somebody_answered_is_forgotten_too(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        made = checkins.open_checkins(work, [(dana.id, work.now.date(), [])], work.now)
        checkins.set_answered(work, made[0].id, True)
        checkins.ask_mentor(work, made[0].id, AccountView(account(tx, dana)))
    forget(world, dana)
    with world.database.read() as tx:
        row = tx.execute(select(checkin)).one()
    assert (row.answered_at, row.reach_out_at) == (None, None)


def test_a_legal_hold_blocks_forgetting_until_it_ends(world: World, dana: Person) -> None:
    item = writes(world, dana)
    with world.database.write() as tx:
        work = world.work(tx)
        assert holds.put_on(work, dana.id, "audit", None)
        assert not holds.put_on(work, dana.id, "other", None)
    with pytest.raises(holds.Held):
        forget(world, dana)
    with world.database.write() as tx:
        work = world.work(tx)
        assert world.vault.open(tx, item, account(tx, dana)) == "CANARY"
        assert holds.held_people(tx) == {dana.id}
        held = holds.of_person(tx, dana.id)
        assert held is not None
        assert held.words == "an audit"
        assert holds.release(work, dana.id, None)
        assert not holds.release(work, dana.id, None)
        assert holds.of_person(tx, dana.id) is None
        assert holds.held_people(tx) == set()
    assert forget(world, dana) == 1


def test_whoever_writes_while_being_forgotten_leaves_nothing_behind(world: World, dana: Person) -> None:
    """The one who forgets waits for what is being written, and takes it too."""
    writes(world, dana)
    if world.database.sqlite:
        return  # one writer at a time
    with world.database.write() as tx:
        world.vault.save(world.work(tx), "pulse", "2", person_id=dana.id, account_id=account(tx, dana), checkin_id=None)
        forgetter = Thread(target=forget, args=(world, dana))
        forgetter.start()
        while not tx.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            tx.execute(text("SELECT pg_sleep(0.02)"))  # until the other transaction waits for this one
    forgetter.join()
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert rotation.survey(tx, world.vault).unopened_items == 0


def test_a_lost_key_store_does_not_pass_for_an_empty_one(world: World, dana: Person) -> None:
    item = writes(world, dana)
    with world.database.write() as tx:
        tx.execute(delete(person_key))
    with world.database.read() as tx:
        with pytest.raises(BadKey, match="data keys of 1 person who wrote something are missing"):
            world.vault.check(tx)
        with pytest.raises(Sealed):
            world.vault.open(tx, item, account(tx, dana))
