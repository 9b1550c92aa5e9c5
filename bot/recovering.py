"""What the terminal does when the key store, or a data key in it, is lost and no backup is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError

from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys, running_alone
from program.words import counted
from storage import processes, program, recovery
from storage.database import Database
from storage.migrate import DAMAGED, current, head
from storage.recovery import CannotRecover, Damage
from storage.vault import BadKey, Vault, read_operator_keys
from storage.work import Work

STAYS = "What stays: everybody's attendance, the rest of every record, and the certificates."
PROBLEMS = (CannotStart, BadKey, CannotRecover)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Database, Vault]]:
    """The database whose key store may be missing, while nobody runs on it.

    Raises:
        CannotStart, BadKey, CannotRecover: it cannot be worked on.
    """
    with running_alone(make_url(settings.database_url)):
        database = open_database(settings)
        try:
            vault = Vault(read_operator_keys(operator_keys(settings)))
            with database.read() as tx:
                if current(tx) != head():
                    raise CannotRecover("Use the version of the bot that ran last on this database, then upgrade.")
            yield database, vault
        except DatabaseError as error:
            if database.sqlite and getattr(error.orig, "sqlite_errorname", "") in DAMAGED:
                raise CannotRecover(
                    "The key store's file or the database is damaged. Move the damaged key store's file away, keep it, "
                    "and run this again."
                ) from None
            raise
        finally:
            database.close()


def look(database: Database, vault: Vault, now: datetime) -> tuple[str, Damage]:
    """The program's name, and what is lost.

    Raises:
        CannotRecover: a process is running, or there is no way.
        BadKey: an operator's key is not at hand.
    """
    with database.read() as tx:
        if not database.sqlite and processes.alive(tx, now):
            raise CannotRecover("The bot is running. Stop every process first.")
        found = program.get(tx)
        return (found.name if found else ""), recovery.damage(tx, vault)


def said(found: Damage) -> list[str]:
    """What is lost, in sentences."""
    lines = []
    if found.people:
        lines.append(f"No key opens what was written in private by {counted(len(found.people), 'person', 'people')}:")
        lines += [
            f"  {one.name}: {counted(one.items, 'item')}{', under a legal hold' if one.held else ''}"
            for one in found.people
        ]
        lines.append("It will be removed for good, and the bot tells each of them.")
    if found.ledger:
        lines.append("The ledger's key comes from its copy among the data.")
    return [*lines, STAYS]


def recover(database: Database, vault: Vault, now: datetime, new_id: Callable[[], UUID]) -> str:
    """Do it; what was done, in a sentence.

    Raises:
        CannotRecover, BadKey: nothing was changed.
    """
    with database.write() as tx:
        found = recovery.recover(Work(tx, now, new_id), vault)
    database.empty_log()
    return f"Done. Removed: {counted(sum(one.items for one in found.people), 'item')}. The bot can start."
