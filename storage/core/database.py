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
SESSIONS = "plc-bot"  # what PostgreSQL's list of sessions calls ours

Tx = Connection
Ids = Iterable[UUID] | Select[UUID]  # ids, or a query for them


def among(tx: Tx, column: ColumnElement[Any], ids: Ids) -> ColumnElement[bool]:
    """That a column of ids holds one of these, in one bound value however many there are.

    A plain IN list takes a bound value for each id, and both databases refuse a list of everybody.
    """
    return column.in_(ids) if isinstance(ids, Select) else _holds(tx.dialect.name, column, listed(tx, ids))


def among_given(dialect: str, column: ColumnElement[Any], *, one: bool = False) -> ColumnElement[bool]:
    """:func:`among` for a statement that is built once: the ids come as :func:`given`.

    ``one``: there will be a single id. PostgreSQL plans a list of ids anew each time, which takes longer than one
    person's rows.
    """
    return column == bindparam("id") if one else _holds(dialect, column, bindparam("ids"))


def given(tx: Tx, ids: Collection[UUID]) -> dict[str, Any]:
    """The ids as the parameter of :func:`among_given`; its argument ``one`` is whether there is a single id."""
    return {"id": next(iter(ids))} if len(ids) == 1 else {"ids": listed(tx, ids)}


def listed(tx: Tx, ids: Iterable[UUID]) -> Any:
    """Ids as the one value that stands for them."""
    return json.dumps([id_.hex for id_ in ids]) if tx.dialect.name == "sqlite" else list(ids)


def _holds(dialect: str, column: ColumnElement[Any], ids: Any) -> ColumnElement[bool]:
    if dialect == "sqlite":
        values = func.json_each(ids).table_valued(named("value", Uuid))
        return column.in_(select(values.c.value))
    return column == func.any(cast(ids, ARRAY(Uuid)))


def word(value: str) -> ColumnElement[str]:
    """One of our own words, written into a statement instead of bound to it.

    Then an index over such rows alone serves it, and neither database plans it anew for every value.
    """
    if not value.isidentifier():
        raise ValueError("Only a word of the code's own stands in a statement.")
    return literal_column(f"'{value}'", String)


COLLISIONS = ("40001", "40P01")  # PostgreSQL: two transactions could not both go on


def collided(error: DBAPIError) -> bool:
    """Whether a transaction met another one, so that trying again sees what the other did."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in COLLISIONS


class Undone(Exception):
    """A transaction is gone as a whole."""


class Database:
    """Opens lazily; ``write`` and ``read`` each give one transaction, committed on success."""

    def __init__(self, url: str, idle: float = IDLE_SECONDS) -> None:
        """``idle``: seconds after which a transaction on PostgreSQL whose process is silent ends."""
        self.url, self.idle = make_url(url), idle
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            self._writer = _sqlite_engine(self.url.database or "", 1, "BEGIN IMMEDIATE")
            # One reader more for the event loop, which must never wait for another one's connection.
            self._reader = _sqlite_engine(self.url.database or "", READERS + 1, "BEGIN")
        else:
            # A frozen process must not hold its locks for ever: the server ends what it left open.
            session = f"-c timezone=UTC -c idle_in_transaction_session_timeout={idle * 1000:.0f}"
            options = {"connect_timeout": 10, "options": session, "application_name": SESSIONS}
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                pool_size=READERS + 1,
                pool_pre_ping=True,
                connect_args=options,
                hide_parameters=True,
            )
            self._writer = self._reader = engine
        self._glancer = self._reader if self.sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite's transactions all see one moment, and its writers come one after the other.
        self._actor = self._writer if self.sqlite else engine.execution_options(isolation_level="REPEATABLE READ")

    def use_key(self, key: bytes) -> None:
        """From now on each transaction carries the database's own key; :mod:`storage.vault.seals` reads it there."""
        for engine in {
            id(engine): engine for engine in (self._writer, self._reader, self._glancer, self._actor)
        }.values():
            engine.update_execution_options(**{SEAL_KEY: key})

    @property
    def engine(self) -> Engine:
        """The engine that writes."""
        return self._writer

    @contextmanager
    def write(self, *, one_moment: bool = False) -> Iterator[Tx]:
        """``one_moment``: for what is decided by what is read. All of it is as of one moment, and where another
        transaction has changed it since, this one fails as :func:`collided` and must be tried again.
        """
        with (self._actor if one_moment else self._writer).begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads."""
        with self._reader.begin() as tx:
            yield tx

    @contextmanager
    def glance(self) -> Iterator[Tx]:
        """For a few short queries. On PostgreSQL each is a transaction of its own, which saves two turns."""
        with self._glancer.begin() as tx:
            yield tx

    @contextmanager
    def part(self, tx: Tx) -> Iterator[None]:
        """A part of a transaction on SQLite; where it fails, nothing else of the transaction is undone.

        Raises:
            Undone: the database has undone the whole transaction, as it does where the disk is full.
        """
        driver: Any = tx.connection.driver_connection
        driver.execute("SAVEPOINT part")
        try:
            yield
        except BaseException as error:
            if not driver.in_transaction:
                raise Undone from error
            driver.execute("ROLLBACK TO part")
            driver.execute("RELEASE part")
            raise
        driver.execute("RELEASE part")

    def empty_log(self) -> None:
        """What was deleted leaves SQLite's write-ahead logs too, as far as nobody reads there at the moment."""
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
    """Where the wrapped data keys of a SQLite database live: beside it, never in it."""
    path = Path(database)
    return str(path.with_name(path.stem + ".keys" + path.suffix))


def _sqlite_engine(database: str, connections: int, begin: str) -> Engine:
    if database in ("", ":memory:"):
        raise ValueError("The database needs a file; memory alone would lose every record.")
    folder = Path(database).parent
    folder.mkdir(parents=True, exist_ok=True)
    for file in (database, keys_file(database)):
        if not Path(file).exists():
            # Only the owner reads what is inside, from the first byte on.
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
