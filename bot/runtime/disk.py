"""Whether the disk still takes what the database writes, and what to say where it does not."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

LEAST_FREE = 32 * 2**20  # bytes; the log of SQLite's changes grows by a few of them before it is emptied
PROBE = b"\0" * 2**16
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_WRITING = (errno.EROFS, errno.EACCES, errno.EPERM)
_SQLITE_NO_ROOM = ("database or disk is full", "disk I/O error")
_SQLITE_NO_WRITING = ("readonly database", "unable to open database file")


class DiskProblem(Exception):
    """The disk does not take what must be written. The text says what to do."""


def folder_of(url: URL) -> Path | None:
    """Where the database's files are; None where another machine, or memory, keeps them."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database).absolute().parent


def shortage(folder: Path) -> str:
    """What keeps this folder from being written to, in a word or two; empty where nothing does."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(PROBE)
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return "full" if error.errno in _NO_ROOM else "cannot be written to"
    return "full" if free < LEAST_FREE else ""


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Name a full or read-only disk in a sentence.

    Raises:
        DiskProblem: what was done within failed because of the disk.
    """
    try:
        yield
    except (OSError, DBAPIError, sqlite3.Error) as error:
        problem = problem_of(error, url)
        if not problem:
            raise
        raise DiskProblem(
            f"{problem}, so the bot does not start. Nothing that was saved is lost. Make room, or let the bot's user "
            "write there, and start it again."
        ) from None


def problem_of(error: OSError | DBAPIError | sqlite3.Error, url: URL) -> str:
    """What the disk did not do, as the beginning of a sentence; empty where the error has another cause."""
    problem = _problem(error)
    where = folder_of(url)
    return f"The disk {f'of {where}' if where else 'of the database'} {problem}" if problem else ""


def _problem(error: OSError | DBAPIError | sqlite3.Error) -> str:
    if not isinstance(error, OSError):
        cause = error.orig if isinstance(error, DBAPIError) else error  # SQLite's BEGIN is the driver's own
        said = str(cause)
        if getattr(cause, "sqlstate", None) == "53100" or any(words in said for words in _SQLITE_NO_ROOM):
            return "is full"
        return "cannot be written to" if any(words in said for words in _SQLITE_NO_WRITING) else ""
    if error.errno in _NO_ROOM:
        return "is full"
    return "cannot be written to" if error.errno in _NO_WRITING else ""
