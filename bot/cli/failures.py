"""What the terminal says where a command fails because of the database, its files, its keys or its disk."""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.runtime.disk import DiskProblem, problem_of
from storage.core.migrate import DAMAGE, SchemaProblem, is_damage
from storage.vault.operator_keys import BadKey


def sentence(error: BaseException, url: URL) -> str:
    """What happened and what to do, without the error's words; empty for what is a fault of the program."""
    if isinstance(error, SchemaProblem | BadKey | DiskProblem):
        return str(error)
    if not isinstance(error, OSError | DBAPIError | sqlite3.Error):
        return ""
    if isinstance(error, DBAPIError) and is_damage(error):
        return DAMAGE
    if problem := problem_of(error, url):
        return (
            f"{problem}, so the command stopped. Nothing that was saved is lost. Make room, or let this user write "
            "there, and run the command again."
        )
    if isinstance(error, OperationalError | InterfaceError):
        return f"The database can't be used ({type(error).__name__}). To see why, run `plc-bot doctor`."
    return ""
