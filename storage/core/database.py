"""The database: SQLite in one process, PostgreSQL where there are several. A transaction is one function.

On SQLite there is one writer connection (``BEGIN IMMEDIATE``) and a few readers; the people's wrapped
data keys live in a file of their own, attached as the schema ``keys``. On PostgreSQL ``keys`` is a schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    Select,
    String,
    Uuid,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    literal_column,
    select,
)
from sqlalchemy import column as named
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

SEAL_KEY = "plc_seal_key"  # the execution option with the database's own key
KEYS_SCHEMA = "keys"  # the schema of the key store, on SQLite a file of its own
READERS = 4
BUSY_SECONDS = 15
IDLE_SECONDS = 30  # that a transaction on PostgreSQL may wait for its process; a whole program takes a while to count
APPLICATION_NAME = "plc-bot"  # of our sessions on PostgreSQL

Tx = Connection
Ids = Iterable[UUID] | Select[UUID]  # ids, or a query for them


def in_ids(tx: Tx, column: ColumnElement[Any], ids: Ids) -> ColumnElement[bool]:
    """The condition that a column is one of these ids. All ids together are one bound value.

    An IN list binds a value for each id, and both databases limit how many values a statement has.
    """
    return column.in_(ids) if isinstance(ids, Select) else _is_in(tx.dialect.name, column, ids_value(tx, ids))


def in_ids_parameter(dialect: str, column: ColumnElement[Any], *, single: bool = False) -> ColumnElement[bool]:
    """:func:`in_ids` for a statement that is built once. Each execution passes the ids with :func:`ids_parameter`.

    ``single``: every execution passes exactly one id. PostgreSQL plans a statement with a list of ids at each
    execution, which takes longer than reading one person's rows.
    """
    return column == bindparam("id") if single else _is_in(dialect, column, bindparam("ids"))


def ids_parameter(tx: Tx, ids: Collection[UUID]) -> dict[str, Any]:
    """The parameter of :func:`in_ids_parameter`, whose ``single`` must be true exactly where there is one id."""
    return {"id": next(iter(ids))} if len(ids) == 1 else {"ids": ids_value(tx, ids)}


def ids_value(tx: Tx, ids: Iterable[UUID]) -> Any:
    """The ids as one bound value: JSON on SQLite, an array on PostgreSQL."""
    return json.dumps([id_.hex for id_ in ids]) if tx.dialect.name == "sqlite" else list(ids)


def _is_in(dialect: str, column: ColumnElement[Any], ids: Any) -> ColumnElement[bool]:
    if dialect == "sqlite":
        values = func.json_each(ids).table_valued(named("value", Uuid))
        return column.in_(select(values.c.value))
    return column == func.any(cast(ids, ARRAY(Uuid)))


def inline_word(value: str) -> ColumnElement[str]:
    """A constant of the code as a literal in the statement instead of a bound value.

    Then a partial index over rows with this value can be used, and the statement is planned once.

    Raises:
        ValueError: it is no identifier, so it may come from outside.
    """
    if not value.isidentifier():
        raise ValueError("Only a constant of the code may be part of a statement.")
    return literal_column(f"'{value}'", String)


COLLISIONS = ("40001", "40P01")  # PostgreSQL's codes of a serialization failure and a deadlock


def collided(error: DBAPIError) -> bool:
    """Whether a transaction failed because of a concurrent one, so that it may succeed if it is run again."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in COLLISIONS


class RolledBack(Exception):
    """The database has rolled back the whole transaction."""


class Database:
    """The database's connections, opened when first needed. Most methods give one transaction."""

    def __init__(self, url: str, idle: float = IDLE_SECONDS) -> None:
        """``idle``: seconds after which a transaction on PostgreSQL whose process is silent ends."""
        self.url, self.idle = make_url(url), idle
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            self._writer = _sqlite_engine(self.url.database or "", 1, "BEGIN IMMEDIATE")
            # One reader more for the event loop, which must never wait for another one's connection.
            self._reader = _sqlite_engine(self.url.database or "", READERS + 1, "BEGIN")
        else:
            # The server ends the transactions of a frozen process, so that it does not hold its locks for good.
            session = f"-c timezone=UTC -c idle_in_transaction_session_timeout={idle * 1000:.0f}"
            options = {"connect_timeout": 10, "options": session, "application_name": APPLICATION_NAME}
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                pool_size=READERS + 1,
                pool_pre_ping=True,
                connect_args=options,
                hide_parameters=True,
            )
            self._writer = self._reader = engine
        self._autocommit = self._reader if self.sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        # On SQLite every transaction reads a snapshot, and writers run one after another.
        self._snapshots = self._writer if self.sqlite else engine.execution_options(isolation_level="REPEATABLE READ")

    def use_key(self, key: bytes) -> None:
        """Give the database's own key to every later transaction, where :mod:`storage.vault.seals` reads it."""
        for engine in {
            id(engine): engine for engine in (self._writer, self._reader, self._autocommit, self._snapshots)
        }.values():
            engine.update_execution_options(**{SEAL_KEY: key})

    @property
    def engine(self) -> Engine:
        """The engine that writes."""
        return self._writer

    @contextmanager
    def write(self, *, snapshot: bool = False) -> Iterator[Tx]:
        """A transaction that writes; committed if the block ends normally, else rolled back.

        ``snapshot``: repeatable read. All reads are as of one point in time; if another transaction has changed since
        what this one writes, it fails with an error that :func:`collided` is true for, and must be run again.
        """
        with (self._snapshots if snapshot else self._writer).begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads."""
        with self._reader.begin() as tx:
            yield tx

    @contextmanager
    def quick_read(self) -> Iterator[Tx]:
        """For a few short queries. On PostgreSQL each autocommits, which saves two round trips."""
        with self._autocommit.begin() as tx:
            yield tx

    @contextmanager
    def savepoint(self, tx: Tx) -> Iterator[None]:
        """A savepoint in a transaction on SQLite: if the block fails, only what it did is rolled back.

        Raises:
            RolledBack: the database has rolled back the whole transaction, as it does when the disk is full.
        """
        driver: Any = tx.connection.driver_connection
        driver.execute("SAVEPOINT job")
        try:
            yield
        except BaseException as error:
            if not driver.in_transaction:
                raise RolledBack from error
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")
            raise
        driver.execute("RELEASE job")

    def truncate_wal(self) -> None:
        """Truncate SQLite's write-ahead logs, so that deleted rows are gone from disk. Does nothing on PostgreSQL.

        A log that a reader uses just then keeps what the reader needs.
        """
        if not self.sqlite:
            return
        connection = self._writer.raw_connection()
        try:
            cursor = connection.cursor()
            for schema in ("main", KEYS_SCHEMA):
                cursor.execute(f"PRAGMA {schema}.wal_checkpoint(TRUNCATE)")
            cursor.close()
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def keys_file(database: str) -> str:
    """The path of the key store of a SQLite database: a file beside it."""
    path = Path(database)
    return str(path.with_name(path.stem + ".keys" + path.suffix))


def _sqlite_engine(database: str, connections: int, begin: str) -> Engine:
    if database in ("", ":memory:"):
        raise ValueError("The database needs a file; memory alone would lose every record.")
    folder = Path(database).parent
    folder.mkdir(parents=True, exist_ok=True)
    for file in (database, keys_file(database)):
        if not Path(file).exists():
            # Readable by the owner alone from the start.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        f"sqlite:///{database}",
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # The driver must not begin or commit on its own: it would begin in the wrong mode.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # NORMAL may lose committed ledger rows at power loss
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA recursive_triggers=ON")  # else INSERT OR REPLACE walks past the ledger's triggers
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("ATTACH DATABASE ? AS keys", (keys_file(database),))
        cursor.execute("PRAGMA keys.journal_mode=WAL")
        cursor.execute("PRAGMA keys.synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection  # every request begins: the short way to it
        driver.execute(begin)

    return engine
