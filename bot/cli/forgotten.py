"""Where a restore learns who was forgotten: from the stores that are in place, and from a file the operator kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Table, create_engine
from sqlalchemy.exc import SQLAlchemyError

from bot.cli import keyring
from bot.settings import Settings
from storage.core.database import KEYS_SCHEMA
from storage.privacy import forgetting, forgotten_list
from storage.privacy.forgetting import Forgotten
from storage.privacy.forgotten_list import BadList, ForgottenList
from storage.privacy.privacy_tables import forgotten, forgotten_key


@dataclass(frozen=True, slots=True)
class Known:
    """The people that a restored database must no longer know.

    in_place   what the stores that are in place say; None: neither can be read
    exported   a file that the operator kept, not checked yet
    """

    in_place: Sequence[Forgotten] | None = None
    exported: ForgottenList | None = None


NOTHING = Known()


def in_place(data: Path, keys: Path) -> list[Forgotten] | None:
    """What the lists of a SQLite database in place say, from whichever of its files can be read; None: from neither.

    Each is opened alone: one may be lost or damaged.
    """
    lists = [_of_file(data, forgotten), _of_file(keys, forgotten_key)]
    readable = [lines for lines in lists if lines is not None]
    return [line for lines in readable for line in lines] if readable else None


def _of_file(file: Path, table: Table) -> list[Forgotten] | None:
    if not file.is_file():
        return None
    url = URL.create("sqlite", database=str(file))
    engine = create_engine(url, execution_options={"schema_translate_map": {KEYS_SCHEMA: None}}, hide_parameters=True)
    try:
        with engine.connect() as tx:
            return forgetting.listed(tx, [table])
    except (SQLAlchemyError, ValueError):
        return None
    finally:
        engine.dispose()


def read(file: Path) -> ForgottenList:
    """A list from a file; what it says is checked once the database is unlocked that it is for.

    Raises:
        BadList: it cannot be read, or is none.
    """
    try:
        return forgotten_list.read(file.read_bytes())
    except OSError as error:
        raise BadList(f"{file} can't be read: {error.strerror}.") from None
    except BadList as error:
        raise BadList(f"{file} can't be used. {error}") from None


def export(settings: Settings, file: Path, now: datetime) -> int:
    """Write the list to a new file, readable by its owner alone; how many entries it has.

    Raises:
        BadList: the file cannot be written, or is there already.
        CannotStart, BadKey, SchemaProblem: the database cannot be unlocked.
    """
    with keyring.opened(settings) as (database, _), database.read() as tx:
        made = forgotten_list.export(tx, now)
    try:
        opened = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise BadList(f"{file} already exists, so nothing was written. Choose another name.") from None
    except OSError as error:
        raise BadList(f"{file} can't be written: {error.strerror}.") from None
    try:
        with os.fdopen(opened, "w", encoding="utf-8") as target:
            target.write(made.model_dump_json(indent=1) + "\n")
    except OSError as error:
        file.unlink(missing_ok=True)
        raise BadList(f"{file} can't be written: {error.strerror}.") from None
    return len(made.forgotten)
