"""Migrations, and what the database itself refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError

from program.checkins.figures import OTHERS, Figure, Participation
from storage.checkins import figures, shares
from storage.core.columns import APPEND_ONLY
from storage.core.database import Database
from storage.core.migrate import SchemaProblem, _config, check_triggers, migrate
from storage.core.work import Work
from storage.meetings import attendance, meetings
from storage.outbox.outbox_tables import installation, rate_limit
from storage.people import account_links, cohorts, people
from storage.people.people_tables import account, person
from storage.privacy import forgetting, holds
from storage.record import certificates
from storage.record.record_tables import amendment, ledger_line
from storage.schema import metadata
from storage.vault.vault_tables import person_key, vault_item
from tests.world import START, World


@pytest.mark.empty_database
def test_migrating_twice_changes_nothing_and_matches_the_tables(database: Database) -> None:
    assert migrate(database) is True
    assert migrate(database) is False
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _parents: kind != "schema" or name in (None, "keys"),
    }
    with database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx, opts=options), metadata) == []


def test_a_newer_schema_is_refused(database: Database) -> None:
    migrate(database)
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaProblem, match="newer than this version"):
        migrate(database)


def test_a_missing_trigger_is_noticed(database: Database) -> None:
    migrate(database)
    name = "ledger_line_no_update" if database.sqlite else "ledger_line_no_change"
    with database.write() as tx:
        tx.execute(text(f"DROP TRIGGER {name}" + ("" if database.sqlite else " ON ledger_line")))
    with pytest.raises(SchemaProblem, match=name):
        migrate(database)
    with database.read() as tx, pytest.raises(SchemaProblem):
        check_triggers(tx)


HOLLOW = {
    "sqlite": (
        "DROP TRIGGER ledger_line_no_update",
        "CREATE TRIGGER ledger_line_no_update BEFORE UPDATE ON ledger_line BEGIN SELECT 1; END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION ledger_line_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NEW; END $$",
    ),
}


def test_a_trigger_that_refuses_nothing_is_noticed(database: Database) -> None:
    migrate(database)
    with database.write() as tx:
        for statement in HOLLOW["sqlite" if database.sqlite else "postgresql"]:
            tx.execute(text(statement))
    with pytest.raises(SchemaProblem, match="ledger_line_no_"):
        migrate(database)


ELSEWHERE = {
    "sqlite": (
        "DROP TRIGGER ledger_line_no_update",
        "CREATE TABLE keys.ledger_line (id INTEGER)",
        "CREATE TRIGGER keys.ledger_line_no_update BEFORE UPDATE ON ledger_line "
        "BEGIN SELECT RAISE(ABORT, 'ledger_line is append-only'); END",
    ),
    "postgresql": (
        "DROP TRIGGER ledger_line_no_change ON ledger_line",
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.ledger_line (id integer)",
        "CREATE TRIGGER ledger_line_no_change BEFORE UPDATE OR DELETE ON elsewhere.ledger_line "
        "FOR EACH ROW EXECUTE FUNCTION ledger_line_refuse()",
    ),
}


def test_a_trigger_on_a_table_of_that_name_elsewhere_protects_nothing(database: Database) -> None:
    migrate(database)
    with database.write() as tx:
        for statement in ELSEWHERE["sqlite" if database.sqlite else "postgresql"]:
            tx.execute(text(statement))
    with pytest.raises(SchemaProblem, match="ledger_line_no_"):
        migrate(database)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no such switch
def test_a_trigger_that_is_only_for_replicas_is_noticed(database: Database) -> None:
    migrate(database)
    with database.write() as tx:
        tx.execute(text("ALTER TABLE ledger_line ENABLE REPLICA TRIGGER ledger_line_no_change"))
    with pytest.raises(SchemaProblem, match="ledger_line_no_change"):
        migrate(database)


def an_entry(world: World) -> None:
    world.matched("Dana Reyes", "dana@example.org")
    with world.database.write() as tx:
        work = world.work(tx)
        dana = people.by_email(tx, "dana@example.org")
        ruth = people.by_email(tx, "ruth@example.org")
        assert dana
        assert ruth
        cohort_id = cohorts.shared_cohorts(tx, dana.id)[0].id
        _, made = meetings.create_series(
            work,
            cohort_id,
            ruth.id,
            topic="T",
            starts=[datetime(2026, 9, 10, 15, 30)],
            zone="America/Chicago",
            minutes=60,
            place="",
            repeat="once",
            until=None,
        )
        attendance.add(work, made[0], dana.id, "confirmed", "present", ruth.id)
        certificates.issue(work, dana.id, dana.name, "example/1", ruth.id)
        read_and_counted(work, dana.id, ruth.id)


def read_and_counted(work: Work, author_id: UUID, mentor_id: UUID) -> None:
    """A shared reflection that was read, and figures."""
    share_id = shares.make(work, work.new_id(), author_id, mentor_id, work.new_id())
    shares.note_reading(work, share_id, account_links.accounts_of(work.tx, author_id)[0].id)
    figures.save(work, figures.StoredFigure(date(2026, 9, 1), OTHERS, "The program", 8, Figure(5, "well")), 0)
    figures.save_participation(work, date(2026, 7, 1), Participation(OTHERS, True, False, 5), 20)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_ledger_rows_can_be_neither_changed_nor_removed(world: World, table: str) -> None:
    an_entry(world)
    column = {
        "ledger_line": "recorded_at",
        "history": "at",
        "policy": "text",
        "amendment": "value",
        "certificate": "issued_at",
        "checkpoint": "at",
        "checkpoint_leaf": "version",
        "consent": "decision",
        "share": "at",
        "share_reading": "at",
        "figure": "mood",
        "participation": "declined",
        "hold": "reason",
        "forgotten": "at",
        "forgotten_key": "at",
    }[table]
    if table in ("hold", "forgotten", "forgotten_key"):
        with world.database.write() as tx:
            dana = people.by_email(tx, "dana@example.org")
            assert dana
            forgetting.forget(world.work(tx), dana.id, None)
            holds.put_on(world.work(tx), dana.id, "audit", None)
    table = "keys.forgotten_key" if table == "forgotten_key" else table
    if table == "amendment":
        with world.database.write() as tx:
            ruth = people.by_email(tx, "ruth@example.org")
            assert ruth
            tx.execute(
                amendment.insert().values(id=world.new_id(), policy="p", path="x", value="1", at=START, by=ruth.id)
            )
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"), world.database.write() as tx:
            tx.execute(text(statement))
    with world.database.read() as tx:
        rows = tx.execute(select(ledger_line).order_by(ledger_line.c.position)).all()
    assert [row.status for row in rows] == ["present", ""]


def test_insert_or_replace_does_not_walk_past_the_triggers(world: World) -> None:
    an_entry(world)
    if not world.database.sqlite:
        with pytest.raises(DBAPIError, match="append-only"), world.database.write() as tx:
            tx.execute(text("TRUNCATE ledger_line CASCADE"))
        return
    with pytest.raises(DBAPIError, match="append-only"), world.database.write() as tx:
        tx.execute(text("INSERT OR REPLACE INTO ledger_line SELECT * FROM ledger_line"))


def test_a_naive_time_is_refused(database: Database) -> None:
    migrate(database)
    with pytest.raises(StatementError, match="naive"), database.write() as tx:
        tx.execute(rate_limit.insert().values(subject=uuid4(), method="post", next_at=datetime(2026, 1, 1)))


def test_times_come_back_aware_and_the_same(database: Database) -> None:
    migrate(database)
    at = datetime(2026, 11, 1, 6, 30, 15, 123456, tzinfo=UTC)
    with database.write() as tx:
        tx.execute(rate_limit.insert().values(subject=uuid4(), method="post", next_at=at))
        assert tx.scalar(select(rate_limit.c.next_at)) == at
        tx.execute(update(rate_limit).values(method="visit"))
        tx.execute(delete(rate_limit))


def test_what_fails_is_rolled_back(database: Database) -> None:
    migrate(database)
    row = {"subject": uuid4(), "method": "post", "next_at": datetime(2026, 1, 1, tzinfo=UTC)}
    with pytest.raises(DBAPIError), database.write() as tx:
        tx.execute(rate_limit.insert(), [row, row])
    with database.read() as tx:
        assert tx.execute(select(rate_limit)).all() == []


@pytest.mark.empty_database
def test_what_was_sealed_before_data_keys_had_ids_is_found_under_one(database: Database) -> None:
    owner, item = uuid4(), uuid4()
    with database.write() as tx:
        if not database.sqlite:
            tx.execute(text("CREATE SCHEMA keys"))
        command.upgrade(_config(tx), "0001")
        place, account_id = uuid4(), uuid4()
        tx.execute(person.insert().values(id=owner, name="D", email="d@example.org", zone="UTC", coordinator=False))
        tx.execute(installation.insert().values(id=place, platform="slack", tenant="T"))
        tx.execute(
            account.insert().values(
                id=account_id, installation_id=place, user="U", name="D", email="", member=True, active=True,
                link="none", seen_at=START,
            )
        )  # fmt: skip
        tx.execute(person_key.insert().values(person_id=owner, wrapped_by="x", wrapped=b"w"))
        sealed = {
            "id": item,
            "person_id": owner,
            "account_id": account_id,
            "kind": "pulse",
            "sealed": b"s",
            "at": START,
        }
        tx.execute(vault_item.insert().values(sealed))
    assert migrate(database) is True
    with database.read() as tx:
        assert tx.scalar(select(person_key.c.key_id)) == tx.scalar(select(vault_item.c.key_id)) == owner
