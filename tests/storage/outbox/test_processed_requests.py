"""Idempotency keys: made of ids alone, kept for 30 days, and nothing is left of the earlier ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from storage.core import drafts
from storage.core.database import KEYS_SCHEMA, Database
from storage.core.migrate import _config, migrate
from storage.outbox import processed_requests
from storage.outbox.outbox_tables import processed_request
from storage.outbox.processed_requests import request_key
from tests.world import World

ACT = "checkins.pulse|0b4e5d0e3d8c4a25b8c4d8a3a8b6a6f1|2"
KEY = b"k" * 32


def test_a_key_is_32_bytes_that_hold_nothing_of_what_they_are_made_of() -> None:
    key = request_key(KEY, "slack", "T1", "U1", "press:canary")
    assert len(key) == 32
    assert b"canary" not in key


def test_another_user_tenant_platform_or_request_has_another_key() -> None:
    ids = ("slack", "T1", "U1", "1.2.3")
    others = [tuple(f"{value}x" if place == at else value for at, value in enumerate(ids)) for place in range(4)]
    assert len({request_key(KEY, *texts) for texts in [ids, *others]}) == 5
    assert request_key(KEY, "a", "b:c", "d", "e") != request_key(KEY, "a", "b", "c:d", "e")


def test_without_the_databases_key_a_guess_cannot_be_confirmed() -> None:
    assert request_key(KEY, "slack", "T1", "U1", "1.2.3") != request_key(b"guessed", "slack", "T1", "U1", "1.2.3")


def test_a_key_is_recorded_once_until_it_is_discarded(world: World) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        assert processed_requests.record(work, KEY)
        assert not processed_requests.record(work, KEY)
        processed_requests.discard(work, KEY)
        assert processed_requests.record(work, KEY)


def test_keys_are_kept_for_30_days_and_have_no_time_of_day(world: World) -> None:
    with world.database.write() as tx:
        assert processed_requests.record(world.work(tx), KEY)
        assert tx.scalar(select(processed_request.c.day)) == world.clock.now().date()
    for days, left in ((30, 1), (1, 0)):
        world.clock.at += timedelta(days=days)
        with world.database.write() as tx:
            processed_requests.forget_old(world.work(tx))
            assert len(tx.scalars(select(processed_request.c.key)).all()) == left


def test_half_filled_forms_are_kept_for_30_days(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    with world.database.write() as tx:
        made = drafts.keep(world.work(tx), dana.id, "meeting", {"topic": "x"})
    for days, left in ((30, {"topic": "x"}), (1, None)):
        world.clock.at += timedelta(days=days)
        with world.database.write() as tx:
            processed_requests.forget_old(world.work(tx))
            assert drafts.read(tx, made, dana.id, "meeting") == left


@pytest.mark.empty_database
def test_the_migration_deletes_the_earlier_keys(database: Database) -> None:
    with database.write() as tx:
        if not database.sqlite:
            tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {KEYS_SCHEMA}"))
        command.upgrade(_config(tx), "0006_chats")
        tx.execute(text("INSERT INTO seen VALUES (:key, :at)"), {"key": ACT, "at": "2026-09-01 12:00:00+00"})
    assert migrate(database)
    with database.read() as tx:
        assert not inspect(tx).has_table("seen")
        assert tx.execute(select(processed_request)).all() == []
    if database.sqlite:
        database.close()  # what was in the write-ahead log is in the file by then
        assert database.url.database is not None
        with open(database.url.database, "rb") as file:
            assert ACT.encode() not in file.read()
