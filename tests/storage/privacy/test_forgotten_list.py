"""The list of the forgotten as a file, on both databases."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storage.core.database import Database
from storage.privacy import forgetting, forgotten_list
from storage.privacy.forgotten_list import BadList
from storage.privacy.privacy_tables import forgotten
from storage.vault.seals import Locked
from storage.vault.vault_tables import person_key
from tests.world import START, World


def test_a_list_comes_back_as_it_was_and_is_taken_over_once(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    with world.database.write() as tx:
        work = world.work(tx)
        world.vault.ensure_keys(work, [dana.id])
        forgetting.forget(work, dana.id, dana.id)
        world.clock.at += timedelta(days=1, microseconds=7)
        forgetting.forget(world.work(tx), dana.id, None)
        lines = forgetting.listed(tx)
        exported = forgotten_list.read(forgotten_list.export(tx, world.clock.now()).model_dump_json().encode())
        exported.check(world.product.chain_key)
        assert exported.lines == lines
        assert [line.key_id is None for line in lines] == [False, True]
        forgetting.remember(tx, exported.lines)
        forgetting.apply_again(tx)
        assert forgetting.listed(tx) == lines
        assert tx.scalar(select(func.count()).select_from(forgotten)) == 2
        assert tx.execute(select(person_key)).all() == []


def test_a_list_fits_its_own_database_alone(world: World) -> None:
    with world.database.read() as tx:
        exported = forgotten_list.export(tx, world.clock.now())
    with pytest.raises(BadList, match="another program"):
        exported.check(os.urandom(32))
    later = exported.model_copy(update={"made_at": exported.made_at + timedelta(days=1)})
    with pytest.raises(BadList, match="was changed"):
        later.check(world.product.chain_key)


def test_a_locked_database_exports_nothing(database: Database) -> None:
    with database.read() as tx, pytest.raises(Locked):
        forgotten_list.export(tx, START)
