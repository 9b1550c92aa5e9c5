"""Copies of a SQLite database while others write to it, and what a copy must be before it is put in place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path


class NoCopy(Exception):
    """The file cannot be copied or written; the text says which and why."""


def copy(source: Path, target: Path, lacking: Callable[[sqlite3.Connection], str] = lambda _copy: "") -> None:
    """A consistent copy in one file, readable by its owner alone; it is there whole or not at all.

    ``lacking``: what the copy lacks, in words; with that it is not kept.

    Raises:
        NoCopy: there is nothing to copy, it is no database, it lacks something, or the target is there already.
    """
    if not source.is_file():
        raise NoCopy(f"{source} cannot be found.")
    if target.exists():
        raise NoCopy(f"{target} already exists, so nothing was written. Choose another name.")
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        _copy(source, part)
        if problem := damage(part):
            raise NoCopy(f"{source} is damaged, and no copy of it was kept: {problem}.")
        with closing(sqlite3.connect(part)) as made:
            if gap := lacking(made):
                raise NoCopy(f"{source} can't be backed up: {gap}. No copy was kept.")
        part.replace(target)
    except OSError as error:
        raise NoCopy(f"{target} cannot be written: {error.strerror}.") from None
    except sqlite3.Error as error:
        raise NoCopy(f"{source} cannot be copied: {error}.") from None
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)  # in one go: what is written in the meantime is not in it
        after.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def missing_tables(connection: sqlite3.Connection, names: Iterable[str]) -> str:
    """Which of these tables are not in the database, in words; empty where all are."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = sorted({*names} - there)
    return f"it lacks {', '.join(missing)}" if missing else ""


def damage(file: Path) -> str:
    """What is wrong with a database file; empty: it is sound."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            text = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if text == "ok" else text
