"""What every storage function works with: a transaction, the time, and a source of ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from program.privacy.privacy_settings import PrivacySettings
from storage.core.database import Tx

KEY_BACKUP_DAYS = 30  # unless the operator says otherwise


@dataclass(frozen=True, slots=True)
class Work:
    """``now`` is aware UTC and stays the same for the whole transaction.

    ``chain_key`` makes the marks of the ledger's lines; without it nothing can be added to the ledger.
    ``address``: where people's browsers reach the bot, without a slash at its end; empty where they cannot.
    ``key_backup_days``: how long the operator keeps backups of the key store, as people are told.
    ``acted``: somebody's act is being answered, so what is queued goes before what was only due.
    ``privacy_settings``: what the operator set about privacy.
    """

    tx: Tx
    now: datetime
    new_id: Callable[[], UUID]
    chain_key: bytes = b""
    address: str = ""
    key_backup_days: int = KEY_BACKUP_DAYS
    acted: bool = False
    privacy_settings: PrivacySettings = field(default_factory=PrivacySettings)


def insert_new(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that break no unique constraint, leave the others; how many were new."""
    if not rows:
        return 0
    return tx.execute(_insert_new(tx.dialect.name, table), rows[0] if len(rows) == 1 else list(rows)).rowcount


def put(tx: Tx, table: Table, *rows: Mapping[str, Any]) -> None:
    """Insert the rows, or bring the rows with the same primary keys up to them. All name the same columns."""
    if rows:
        statement = _put(tx.dialect.name, table, tuple(rows[0]))
        tx.execute(statement, rows[0] if len(rows) == 1 else list(rows))


# Built once for each table: building a statement takes longer than running it.


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    return _insert(dialect)(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


@cache
def _put(dialect: str, table: Table, columns: tuple[str, ...]) -> Any:
    keys = [column.name for column in table.primary_key]
    statement = _insert(dialect)(table)
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _insert(dialect: str) -> Any:
    return sqlite_insert if dialect == "sqlite" else postgresql_insert
