"""Copies of a SQLite database and its key store, and the commands that copy and restore a PostgreSQL one."""

from __future__ import annotations

import shlex
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url

from bot.settings import Settings
from storage.core import backup
from storage.core.columns import metadata
from storage.core.database import KEYS_SCHEMA, keys_file
from storage.core.migrate import OLDEST_KEY_TABLES, head


def back_up(settings: Settings, data: Path | None, keys: Path | None) -> list[Path]:
    """Copy the data, the key store, or both, while the bot runs; the files written.

    The keys come second: every key that the copied data needs is then in them.

    Raises:
        NoCopy: one cannot be read or written, or lacks what a backup is for.
    """
    there = files_of(settings)
    written = []
    if data is not None:
        backup.copy(there.data, data, _lacking_data)
        written.append(data)
    if keys is not None:
        backup.copy(there.keys, keys, _lacking_keys)
        written.append(keys)
    return written


def _lacking_data(copy: sqlite3.Connection) -> str:
    """What a copy of the data lacks. A schema of another version has other tables."""
    if backup.missing_tables(copy, ["alembic_version"]):
        return "it is empty"
    row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        return "its schema has no version"
    if row[0] != head():
        return backup.missing_tables(copy, ["program", "person", "account", "ledger_line"])
    return backup.missing_tables(copy, [table.name for table in metadata.tables.values() if table.schema is None])


def _lacking_keys(copy: sqlite3.Connection) -> str:
    """What a copy of the key store lacks."""
    if missing := backup.missing_tables(copy, OLDEST_KEY_TABLES):
        return missing
    there = copy.execute("SELECT 1 FROM ledger_key WHERE length(wrapped) > 0").fetchone()
    return "" if there else "the ledger's key is not in it"


def postgres_commands(address: str) -> dict[str, list[str]]:
    """The commands that do the same for PostgreSQL. No password is shown: libpq takes it from ~/.pgpass."""
    url = make_url(address)
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    where = shlex.quote(shown.render_as_string())
    dump = "pg_dump --format=custom --no-owner"
    restore = "pg_restore --clean --if-exists --no-owner --exit-on-error"
    return {
        "backup": [
            f"{dump} --exclude-schema={KEYS_SCHEMA} --file=plc-data.dump {where}",
            f"{dump} --schema={KEYS_SCHEMA} --file=plc-keys.dump {where}",
        ],
        "restore": [f"{restore} --single-transaction --dbname={where} plc-data.dump", "plc-bot restore --settle"],
    }


@dataclass(frozen=True, slots=True)
class Files:
    """A SQLite database: the data, and the key store beside it."""

    data: Path
    keys: Path


def files_of(settings: Settings) -> Files:
    """Return the files of the SQLite database in these settings. They need not be there."""
    data = make_url(settings.database_url).database or ""
    return Files(Path(data), Path(keys_file(data)))
