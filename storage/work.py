"""What every storage function works with: a transaction, the time, and a source of ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from program.house import House
from storage.database import Tx

KEY_BACKUP_DAYS = 30  # unless the operator says otherwise


@dataclass(frozen=True, slots=True)
class Work:
    """``now`` is aware UTC and stays the same for the whole transaction.

    ``chain_key`` makes the marks of the ledger's lines; without it nothing can be added to the ledger.
    ``address``: where people's browsers reach the bot, without a slash at its end; empty where they cannot.
    ``key_backup_days``: how long the operator keeps backups of the key store, as people are told.
    ``acted``: somebody's act is being answered, so what is queued goes before what was only due.
    ``house``: what the operator set about privacy.
    """

    tx: Tx
    now: datetime
    new_id: Callable[[], UUID]
    chain_key: bytes = b""
    address: str = ""
    key_backup_days: int = KEY_BACKUP_DAYS
    acted: bool = False
    house: House = field(default_factory=House)


def insert_new(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that break no unique constraint, leave the others; how many were new."""
    if not rows:
        return 0
    insert = sqlite_insert if tx.dialect.name == "sqlite" else postgresql_insert
    statement = insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return tx.execute(statement, rows[0] if len(rows) == 1 else list(rows)).rowcount


def put(tx: Tx, table: Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or bring the row with the same primary key up to it."""
    insert = sqlite_insert if tx.dialect.name == "sqlite" else postgresql_insert
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    tx.execute(insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=changed))
