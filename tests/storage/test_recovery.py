"""A lost key store, or a lost data key, loses no attendance; who wrote under it is told, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, text, update

from storage import forgetting, holds, recovery, seals, verification
from storage.database import KEYS_SCHEMA, Tx
from storage.migrate import check_triggers
from storage.recovery import CannotRecover
from storage.tables import checkin, history, ledger_key, ledger_key_copy, person_key, vault_item
from storage.unlock import unlock
from storage.vault import BadKey, Vault, new_operator_key, read_operator_keys
from tests.completion import attended
from tests.handlers.conftest import carol, dana, lee, ruth
from tests.handlers.test_reflections import SECRET, shared, written
from tests.world import Person, World

__all__ = ["carol", "dana", "lee", "ruth"]


def lose_the_store(tx: Tx) -> None:
    for table in recovery.STORE:
        tx.execute(text(f"DROP TABLE {KEYS_SCHEMA}.{table.name}"))
    if tx.dialect.name != "sqlite":
        tx.execute(text(f"DROP SCHEMA {KEYS_SCHEMA} CASCADE"))


def zero_a_key(tx: Tx) -> None:
    tx.execute(update(person_key).values(wrapped=bytes(60)))


def lose_a_key(tx: Tx) -> None:
    tx.execute(delete(person_key))


def zero_everything(tx: Tx) -> None:
    zero_a_key(tx)
    tx.execute(update(ledger_key).values(wrapped=bytes(60)))


LOSSES = {"store": lose_the_store, "keys": lose_a_key, "zeroed": zero_a_key, "zeroed ledger too": zero_everything}


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
    with world.database.write() as tx:
        found = recovery.recover(world.work(tx), world.vault)
        assert [(one.name, one.held) for one in found.people] == [("Dana Reyes", False)]
        assert found.people[0].items >= 2, "the reflection and the shared copy"
        check_triggers(tx)
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert tx.scalar(select(checkin.c.answered_at).where(checkin.c.person_id == dana.id)) is None
        noted = tx.execute(select(history.c.subject, history.c.by).where(history.c.what == "keys.lost")).all()
        assert [tuple(row) for row in noted] == [(dana.id, None)]
        assert world.vault.chain_key(tx) == world.product.chain_key
        assert verification.verify(tx, world.product.chain_key).problems == []
        assert seals.misfits(tx) == []
        world.vault.check(tx)
    await world.settle()
    assert any("The key to what you wrote to me in private was lost" in one.text for one in world.to(dana))
    assert len(world.to(lee)) == before
    assert not any("lost" in one.text for one in world.to(ruth))
    assert SECRET not in "".join(one.text for one in world.port.messages)
    await written(world, dana)  # under a new key


async def test_whose_key_is_there_loses_nothing(world: World, dana: Person, lee: Person) -> None:
    await written(world, dana)
    await written(world, lee)
    with world.database.write() as tx:
        tx.execute(delete(person_key).where(person_key.c.person_id == dana.id))
        recovery.recover(world.work(tx), world.vault)
    with world.database.read() as tx:
        assert {*tx.scalars(select(vault_item.c.person_id))} == {lee.id}


async def test_a_legal_hold_keeps_even_what_no_key_opens(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, next(iter(holds.REASONS)), None)
        lose_a_key(tx)
    with world.database.write() as tx, pytest.raises(CannotRecover, match="legal hold is on what was written by Dana"):
        recovery.recover(world.work(tx), world.vault)
    with world.database.read() as tx:
        assert tx.scalar(select(vault_item.c.sealed)), "nothing was changed"


async def test_without_a_copy_of_the_ledgers_key_nothing_is_begun(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        tx.execute(delete(ledger_key_copy))
        lose_the_store(tx)
    with world.database.write() as tx, pytest.raises(CannotRecover, match="no copy of it among the data"):
        recovery.recover(world.work(tx), world.vault)


async def test_a_key_of_the_operators_that_is_not_at_hand_loses_nothing(world: World, dana: Person) -> None:
    await written(world, dana)
    other = Vault(read_operator_keys(new_operator_key()))
    with world.database.write() as tx, pytest.raises(BadKey, match="lacks"):
        recovery.recover(world.work(tx), other)


async def test_the_list_of_the_forgotten_is_in_the_new_key_store(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.write() as tx:
        forgetting.forget(world.work(tx), dana.id, dana.id)
        lose_the_store(tx)
    with world.database.write() as tx:
        recovery.recover(world.work(tx), world.vault)
        assert forgetting.listed(tx, (forgetting.LISTS[0],)) == forgetting.listed(tx, (forgetting.LISTS[1],)) != []


def test_a_copy_is_made_at_the_next_start_and_opens_under_its_own_name_alone(world: World) -> None:
    with world.database.write() as tx:
        tx.execute(delete(ledger_key_copy))
        unlock(tx, world.vault)
        assert world.vault.chain_key_from_copy(tx) == world.product.chain_key
        row = tx.execute(select(ledger_key)).one()
        tx.execute(update(ledger_key_copy).values(wrapped=row.wrapped))
        assert recovery._copy(tx, world.vault) is None
