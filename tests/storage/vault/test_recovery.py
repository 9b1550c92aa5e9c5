"""A lost key store, or a lost data key, loses no attendance; who wrote under it is told, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from sqlalchemy import Table, delete, select, text, update

from storage.checkins.checkins_tables import checkin
from storage.core.core_tables import audit_entry
from storage.core.database import KEYS_SCHEMA, Tx
from storage.core.migrate import SchemaProblem, check_key_store, check_triggers, migrate
from storage.outbox.outbox_tables import delivery
from storage.privacy import forgetting, holds
from storage.record import verification
from storage.vault import recovery, rotation, seals
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.recovery import CannotRecover, Damage
from storage.vault.unlock import unlock
from storage.vault.vault import LEDGER_IDENTITY, Sealed, Vault
from storage.vault.vault_tables import ledger_key, ledger_key_copy, person_key, vault_item
from tests.completion import attended
from tests.handlers.checkins.test_reflections import SECRET, shared, written
from tests.handlers.conftest import carol, dana, lee, ruth
from tests.world import Person, World

__all__ = ["carol", "dana", "lee", "ruth"]


def lose_the_store(tx: Tx) -> None:
    for table in recovery.STORE:
        tx.execute(text(f"DROP TABLE {KEYS_SCHEMA}.{table.name}"))
    if tx.dialect.name != "sqlite":
        tx.execute(text(f"DROP SCHEMA {KEYS_SCHEMA} CASCADE"))


def lose_tables(*names: str) -> Callable[[Tx], None]:
    def lose(tx: Tx) -> None:
        for name in names:
            tx.execute(text(f"DROP TABLE {KEYS_SCHEMA}.{name}"))

    return lose


def zero_a_key(tx: Tx) -> None:
    tx.execute(update(person_key).values(wrapped=bytes(60)))


def lose_a_key(tx: Tx) -> None:
    tx.execute(delete(person_key))


def zero_everything(tx: Tx) -> None:
    zero_a_key(tx)
    tx.execute(update(ledger_key).values(wrapped=bytes(60)))


LOSSES = {
    "store": lose_the_store,
    "keys": lose_a_key,
    "zeroed": zero_a_key,
    "zeroed ledger too": zero_everything,
    "table of data keys": lose_tables("person_key"),
    "both tables of keys": lose_tables("person_key", "ledger_key"),
}


def recover(world: World, vault: Vault | None = None) -> Damage:
    """Recover with consent to all that is lost; what that is."""
    with world.database.write() as tx:
        damage = recovery.damage(tx, vault or world.vault)
        recovery.recover(world.work(tx), vault or world.vault, damage)
        check_key_store(tx)
        check_triggers(tx)
        assert world.vault.chain_key(tx) == world.product.chain_key
        assert not recovery.damage(tx, world.vault)
    return damage


def verified(world: World) -> list[str]:
    with world.database.read() as tx:
        key = world.vault.chain_key_from_copy(tx)
        assert key == world.product.chain_key
        return verification.verify(tx, key).problems


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_words_are_removed_and_everything_else_stays(
    world: World, dana: Person, lee: Person, ruth: Person, lose: Callable[[Tx], None]
) -> None:
    await written(world, dana)
    await shared(dana)
    attended(world, "dana@example.org", "lee@example.org")
    await world.settle()
    before = len(world.to(lee))
    with world.database.write() as tx:
        lose(tx)
    assert verified(world) == [], "the ledger needs no data key and no key store"
    damage = recover(world)
    assert [(loss.name, loss.held) for loss in damage.people] == [("Dana Reyes", False)]
    assert damage.people[0].items >= 2, "the reflection and the shared copy"
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert tx.scalar(select(checkin.c.answered_at).where(checkin.c.person_id == dana.id)) is None
        noted = tx.execute(
            select(audit_entry.c.subject, audit_entry.c.by).where(audit_entry.c.what == "keys.lost")
        ).all()
        assert [tuple(row) for row in noted] == [(dana.id, None)]
        assert verification.verify(tx, world.product.chain_key).problems == []
        assert seals.misfits(tx) == []
        world.vault.check(tx)
    await world.settle()
    assert any("The key to what you wrote to me in private was lost" in message.text for message in world.to(dana))
    assert len(world.to(lee)) == before
    assert not any("lost" in message.text for message in world.to(ruth))
    assert SECRET not in "".join(message.text for message in world.port.messages)
    await written(world, dana)  # under a new key


async def test_whose_key_is_there_loses_nothing(world: World, dana: Person, lee: Person) -> None:
    await written(world, dana)
    await written(world, lee)
    with world.database.write() as tx:
        tx.execute(delete(person_key).where(person_key.c.person_id == dana.id))
    recover(world)
    with world.database.read() as tx:
        assert {*tx.scalars(select(vault_item.c.person_id))} == {lee.id}


async def test_a_legal_hold_keeps_even_what_no_key_opens(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, next(iter(holds.REASONS)), None)
        lose_a_key(tx)
    with pytest.raises(CannotRecover, match="legal hold is on what was written by Dana"):
        recover(world)
    with world.database.read() as tx:
        assert tx.scalar(select(vault_item.c.sealed)), "nothing was changed"


async def test_without_a_copy_of_the_ledgers_key_nothing_is_begun(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        tx.execute(delete(ledger_key_copy))
        lose_the_store(tx)
    with pytest.raises(CannotRecover, match="no copy of it among the data"):
        recover(world)


async def test_a_key_of_the_operators_that_is_not_at_hand_loses_nothing(world: World, dana: Person) -> None:
    await written(world, dana)
    other = Vault(read_operator_keys(new_operator_key()))
    with pytest.raises(BadKey, match="lacks"):
        recover(world, other)


@pytest.mark.parametrize("lose", [lose_the_store, lose_tables("forgotten_key")], ids=["store", "list"])
async def test_the_list_of_the_forgotten_is_in_the_new_key_store(
    world: World, dana: Person, lose: Callable[[Tx], None]
) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        forgetting.forget(world.work(tx), dana.id, dana.id)
        lose(tx)
    recover(world)
    with world.database.read() as tx:
        assert forgetting.listed(tx, (forgetting.LISTS[0],)) == forgetting.listed(tx, (forgetting.LISTS[1],)) != []


@pytest.mark.parametrize("table", recovery.STORE, ids=[table.name for table in recovery.STORE])
async def test_a_table_of_the_key_store_that_is_gone_is_a_sentence_and_comes_back(
    world: World, dana: Person, table: Table
) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        lose_tables(table.name)(tx)
    with pytest.raises(SchemaProblem, match=r"The key store is lost or incomplete: .* run plc-bot keys recover"):
        migrate(world.database)
    damage = recover(world)
    assert damage.tables == (table.name,)
    assert [loss.name for loss in damage.people] == (["Dana Reyes"] if table is person_key else [])
    migrate(world.database)


def test_a_damaged_key_with_nothing_under_it_is_removed(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        world.vault.ensure_keys(world.work(tx), [dana.id])
        zero_a_key(tx)
    damage = recover(world)
    assert (damage.people, damage.unused) == ([], 1)
    with world.database.read() as tx:
        assert rotation.damaged_keys(tx, world.vault) == []
        assert tx.execute(select(delivery).where(delivery.c.kind == "keys.lost")).all() == [], "nothing was lost"


async def test_nothing_is_removed_that_nobody_consented_to(world: World, dana: Person, lee: Person) -> None:
    await written(world, dana)
    await written(world, lee)
    with world.database.write() as tx:
        tx.execute(delete(person_key).where(person_key.c.person_id == dana.id))
    with world.database.read() as tx:
        shown = recovery.damage(tx, world.vault)
    with world.database.write() as tx:
        zero_a_key(tx)
    with world.database.write() as tx, pytest.raises(CannotRecover, match="has changed since then"):
        recovery.recover(world.work(tx), world.vault, shown)
    with world.database.read() as tx:
        assert {*tx.scalars(select(vault_item.c.person_id))} == {dana.id, lee.id}


def test_no_new_key_of_the_ledger_is_made_while_there_is_a_copy(world: World) -> None:
    with world.database.write() as tx:
        tx.execute(delete(ledger_key))
    with world.database.write() as tx, pytest.raises(BadKey, match=r"ledger's key is missing.*plc-bot keys recover"):
        unlock(tx, world.vault)
    assert recover(world).ledger


def test_a_damaged_copy_is_made_again_at_the_next_start(world: World) -> None:
    for damaged in (b"", bytes(60)):
        with world.database.write() as tx:
            tx.execute(update(ledger_key_copy).values(wrapped=damaged))
        with world.database.write() as tx:
            unlock(tx, world.vault)
            assert world.vault.chain_key_from_copy(tx) == world.product.chain_key


def test_a_copy_of_another_key_is_made_again(world: World) -> None:
    with world.database.write() as tx:
        world.vault.keep_copy(tx, bytes(32))
        unlock(tx, world.vault)
        assert world.vault.chain_key_from_copy(tx) == world.product.chain_key


def test_a_copy_under_a_key_that_is_gone_refuses_nothing_and_is_made_again(world: World) -> None:
    with world.database.write() as tx:
        Vault(read_operator_keys(new_operator_key())).keep_copy(tx, world.product.chain_key)
    with world.database.write() as tx:
        world.vault.check(tx)
        unlock(tx, world.vault)
        assert world.vault.chain_key_from_copy(tx) == world.product.chain_key


def test_another_databases_ledger_key_is_refused_and_never_copied(world: World) -> None:
    other = os.urandom(32)
    with world.database.write() as tx:
        tx.execute(update(ledger_key).values(wrapped=world.vault.wrap(other, LEDGER_IDENTITY)))
    with world.database.write() as tx, pytest.raises(BadKey, match="another database's"):
        unlock(tx, world.vault)
    with world.database.write() as tx:
        tx.execute(update(ledger_key_copy).values(wrapped=bytes(60)))
        unlock(tx, world.vault)
        with pytest.raises(Sealed):
            world.vault.chain_key_from_copy(tx)
    with world.database.write() as tx:
        world.vault.keep_copy(tx, world.product.chain_key)
    assert recover(world).ledger


def test_a_copy_is_made_at_the_next_start_and_opens_under_its_own_name_alone(world: World) -> None:
    with world.database.write() as tx:
        tx.execute(delete(ledger_key_copy))
        unlock(tx, world.vault)
        assert world.vault.chain_key_from_copy(tx) == world.product.chain_key
        row = tx.execute(select(ledger_key)).one()
        tx.execute(update(ledger_key_copy).values(wrapped=row.wrapped))
        with pytest.raises(Sealed):
            world.vault.chain_key_from_copy(tx)
