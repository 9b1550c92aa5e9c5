"""Migrates a database to the schema of this code. The first process that starts does it, once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from storage.core.columns import APPEND_ONLY
from storage.core.database import KEYS_SCHEMA, Database, Tx

LOCK = 703_141_592  # any number of our own, for PostgreSQL's advisory lock


DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
DAMAGE = (
    "The database or its key store is damaged: a file is cut off, or is no database. Restore its newest backup "
    "(plc-bot restore FILE, or for the key store plc-bot restore --keys FILE); nothing was changed."
)


class SchemaProblem(Exception):
    """The database's schema is not one this code can work with; the text says why."""


def _config(tx: Tx | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    if tx is not None:
        config.attributes["connection"] = tx
    return config


@cache
def _scripts() -> ScriptDirectory:
    """The migrations of this version. They do not change while the process runs, and reading them takes a while."""
    return ScriptDirectory.from_config(_config())


def head() -> str:
    """The newest schema that this version knows."""
    return _scripts().get_current_head() or ""


def current(tx: Tx) -> str | None:
    """The database's schema; None where it has none yet."""
    return MigrationContext.configure(tx).get_current_revision()


def hold_startup_lock(tx: Tx) -> None:
    """Hold a lock until this transaction ends, so that processes start one after another. SQLite needs none."""
    if tx.dialect.name != "sqlite":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def migrate(database: Database) -> bool:
    """Upgrade to the newest schema; True when something changed.

    Raises:
        SchemaProblem: the schema is newer than this code, the key store or the ledger's triggers are gone, or a file
            is damaged.
    """
    try:
        return _migrate(database)
    except DatabaseError as error:
        if is_damage(error):
            raise SchemaProblem(DAMAGE) from None
        raise


def is_damage(error: DBAPIError) -> bool:
    """Whether SQLite says that a file is cut off, or is no database."""
    return getattr(error.orig, "sqlite_errorname", "") in DAMAGED


def _migrate(database: Database) -> bool:
    with database.write() as tx:
        if not database.sqlite:
            hold_startup_lock(tx)
            tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {KEYS_SCHEMA}"))
        before = current(tx)
        if before is not None and before not in _known():
            raise SchemaProblem(
                f"The database's schema ({before}) is newer than this version of the bot. Install the "
                "version that made it; nothing was changed."
            )
        if before is not None:
            check_key_store(tx, OLDEST_KEY_TABLES)
        if before != head():
            command.upgrade(_config(tx), "head")
        check_key_store(tx)
        check_triggers(tx)
    return before != head()


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


OLDEST_KEY_TABLES = ("person_key", "ledger_key")  # of the key store, as the first schema made it
KEY_TABLES = (*OLDEST_KEY_TABLES, "forgotten_key")


def check_key_store(tx: Tx, tables: Sequence[str] = KEY_TABLES) -> None:
    """Check that the key store is there and complete: an empty one in its place opens nothing.

    Raises:
        SchemaProblem: it is not.
    """
    if not {*tables} <= {*inspect(tx).get_table_names(schema=KEYS_SCHEMA)}:
        raise SchemaProblem(
            "The key store is lost or incomplete: what was written in confidence can't be read without it. "
            "Restore its newest backup (plc-bot restore --keys FILE). Where there is none, run plc-bot keys recover. "
            "Nothing was changed."
        )


def check_triggers(tx: Tx) -> None:
    """Check that the triggers that keep tables append-only are there and unchanged.

    Raises:
        SchemaProblem: one is missing, switched off, or refuses nothing; the text names it.
    """
    if tx.dialect.name == "sqlite":
        there, schema = _sqlite_triggers(tx), "main"
    else:
        there, schema = _postgresql_triggers(tx), str(tx.scalar(text("SELECT current_schema()")))
    wrong = [
        name
        for (table, name), made in _expected_triggers(tx.dialect.name).items()
        if there.get((KEYS_SCHEMA if table in IN_KEYS else schema, name)) != made
    ]
    if wrong:
        raise SchemaProblem(
            f"The database lost what protects its ledger ({', '.join(wrong)}). Restore a backup, or "
            "ask for help before going on; nothing was changed."
        )


def _sqlite_triggers(tx: Tx) -> dict[tuple[str, str], str]:
    """Each trigger's statement, by the schema of its table and its name."""
    parts = (
        f"SELECT '{schema}' AS schema, name, sql FROM {schema}.sqlite_master WHERE type = 'trigger'"
        for schema in ("main", KEYS_SCHEMA)
    )
    return {(row.schema, row.name): row.sql for row in tx.execute(text(" UNION ALL ".join(parts)))}


def _postgresql_triggers(tx: Tx) -> dict[tuple[str, str], str]:
    """Each active trigger's statement without schemas, and its function's body, by its table's schema and its name.

    Only a trigger on the table of its statement counts: one on a table of that name elsewhere protects nothing.
    """
    query = text(
        "SELECT nspname, tgname, pg_get_triggerdef(pg_trigger.oid) AS statement, prosrc FROM pg_trigger "
        "JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_class ON pg_class.oid = tgrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    rows = tx.execute(query)
    return {(row.nspname, row.tgname): SCHEMA_NAME.sub("", row.statement) + row.prosrc for row in rows}


IN_KEYS = ("forgotten_key",)  # the append-only tables of the key store
SCHEMA_NAME = re.compile(r"\b\w+\.")


def _expected_triggers(dialect: str) -> dict[tuple[str, str], str]:
    """The triggers that migrations made, by table and name, as each database tells of them."""
    if dialect == "sqlite":
        return {
            (table, f"{table}_no_{kind.lower()}"): f"CREATE TRIGGER {table}_no_{kind.lower()} BEFORE {kind} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in APPEND_ONLY
            for kind in ("UPDATE", "DELETE")
        }
    kinds = (("change", "DELETE OR UPDATE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT"))
    return {
        (table, f"{table}_no_{name}"): f"CREATE TRIGGER {table}_no_{name} BEFORE {events} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {table}_refuse() BEGIN RAISE EXCEPTION '{table} is append-only'; END "
        for table in APPEND_ONLY
        for name, events, each in kinds
    }
