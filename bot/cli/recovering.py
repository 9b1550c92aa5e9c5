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
from program.core.words import counted
from storage.core import processes, program
from storage.core.database import Database, Tx
from storage.core.migrate import DAMAGED, current, head
from storage.core.work import Work
from storage.vault import recovery
from storage.vault.operator_keys import BadKey, read_operator_keys
from storage.vault.recovery import CannotRecover, Damage
from storage.vault.vault import Vault

STAYS = "Kept: everyone's attendance, the rest of every record, and the certificates."
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
        BadKey: an operator's key is not configured.
    """
    with database.read() as tx:
        _refuse_while_running(tx, now)
        stored = program.get(tx)
        return (stored.name if stored else ""), recovery.damage(tx, vault)


def _refuse_while_running(tx: Tx, now: datetime) -> None:
    """On SQLite nobody runs: :func:`opened` holds the lock. Who is announced there was killed."""
    if tx.dialect.name != "sqlite" and processes.alive(tx, now):
        stale = int(processes.STALE.total_seconds())
        raise CannotRecover(
            f"The bot is running. Stop every process first. A process that was killed still counts for {stale} s."
        )


def said(damage: Damage) -> list[str]:
    """What is lost, in sentences."""
    lines = []
    if damage.people:
        lines.append(f"No key opens what was written in private by {counted(len(damage.people), 'person', 'people')}:")
        lines += [
            f"  {person.name}: {counted(person.items, 'item')}{', under a legal hold' if person.held else ''}"
            for person in damage.people
        ]
        lines.append("It will be removed for good, and the bot tells each of them.")
    if damage.unused:
        single = damage.unused == 1
        lines.append(
            f"{counted(damage.unused, 'data key')} can't be opened and {'protects' if single else 'protect'} nothing. "
            f"{'It' if single else 'They'} will be removed."
        )
    if damage.tables:
        lines.append(f"Missing in the key store, and made again: {', '.join(damage.tables)}.")
    if damage.ledger:
        lines.append("The ledger's key comes from its copy in the database.")
    return [*lines, STAYS]


def recover(database: Database, vault: Vault, shown: Damage, now: datetime, new_id: Callable[[], UUID]) -> str:
    """Do what was consented to; what was done, in a sentence.

    Raises:
        CannotRecover, BadKey: nothing was changed.
    """
    with database.write() as tx:
        processes.hold_keys(tx)  # no process starts in the meantime
        _refuse_while_running(tx, now)
        recovery.recover(Work(tx, now, new_id), vault, shown)
    database.truncate_wal()
    return f"Done. Removed: {counted(sum(person.items for person in shown.people), 'item')}. The bot can start."
