"""Putting a backup in place. It is proved on a copy first; nothing in use changes before that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.cli import forgotten
from bot.cli.backing_up import files_of
from bot.cli.forgotten import Known
from bot.cli.proving import BackupReport, examine, known_forgotten, staged, with_warning
from bot.runtime.clock import Clock
from bot.runtime.dispatch import Product
from bot.runtime.planner import look
from bot.runtime.threads import DatabaseThreads
from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys, running_alone
from handlers.features import router
from program.core.words import counted
from storage.core import processes
from storage.core.database import Database, Tx, keys_file
from storage.core.work import Work
from storage.outbox import claims
from storage.vault.operator_keys import read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault


class CannotRestore(Exception):
    """Nothing was changed; the text says why."""


def restore(
    settings: Settings, data: Path | None, keys: Path | None, clock: Clock, exported: Path | None = None
) -> tuple[BackupReport, list[Path]]:
    """Put a backup of a SQLite database in place; what it was found to be, and where the files before it are now.

    No bot starts on it in the meantime. ``exported``: a list of forgotten people that the operator kept.

    Raises:
        CannotRestore, NoCopy, BadList: nothing was changed.
    """
    with _nobody_runs(settings):
        return _restore(settings, data, keys, clock, exported)


@contextmanager
def _nobody_runs(settings: Settings) -> Iterator[None]:
    """Hold the lock of a running bot.

    Raises:
        CannotRestore: somebody else holds it.
    """
    url = make_url(settings.database_url)
    with ExitStack() as held:
        try:
            held.enter_context(running_alone(url))
        except CannotStart:
            raise CannotRestore(
                f"The bot is running on {url.database}, or another restore is running. Stop it first."
            ) from None
        yield


def _restore(
    settings: Settings, data: Path | None, keys: Path | None, clock: Clock, exported: Path | None
) -> tuple[BackupReport, list[Path]]:
    there = files_of(settings)
    _refuse_while_used(settings, clock)
    known = known_forgotten(settings, exported)
    with staged(settings, data, keys) as database:
        report = with_warning(examine(settings, database, known), known)
        if report.problems:
            raise CannotRestore("\n".join(report.problems))
        if data is not None:
            report.facts.append(_settled(settle(settings, database, clock)))
        database.truncate_wal()
        database.close()
        file = database.url.database or ""
        aside = []
        if keys is not None or not there.keys.exists():
            aside += _swap(Path(keys_file(file)), there.keys, clock)
        if data is not None:
            aside += _swap(Path(file), there.data, clock)
        return report, aside


def _refuse_while_used(settings: Settings, clock: Clock) -> None:
    """See that no bot runs on the database in place, and fold its log into it.

    Raises:
        CannotRestore: one does.
    """
    if not files_of(settings).data.exists():
        return
    database = open_database(settings)
    try:
        with database.read() as tx:
            refuse_while_running(tx, clock.now())
        database.truncate_wal()
    except SQLAlchemyError:
        return  # it is what the restore is for: no longer to be read
    finally:
        database.close()


def refuse_while_running(tx: Tx, now: datetime) -> None:
    """Raises: CannotRestore, naming who runs."""
    alive = processes.alive(tx, now)
    if alive:
        names = ", ".join(process.name for process in alive)
        raise CannotRestore(
            f"The bot is running ({names}). Stop it first. A process that was killed still counts for "
            f"{int(processes.STALE.total_seconds())} s."
        )


def _swap(new: Path, there: Path, clock: Clock) -> list[Path]:
    """Put a file in another's place in one step; where the old one is kept."""
    aside = there.with_name(f"{there.stem}.before-{clock.now():%Y%m%dT%H%M%SZ}{there.suffix}")
    kept = []
    try:
        if there.exists():
            os.link(there, aside)
            kept.append(aside)
        for log in ("-wal", "-shm"):  # left behind only by a database that could not be closed in order
            with suppress(FileNotFoundError):
                Path(f"{there}{log}").rename(f"{aside}{log}")
        new.replace(there)
    except OSError as error:
        raise CannotRestore(f"{there} could not be replaced: {error.strerror}.") from None
    return kept


def settle(settings: Settings, database: Database, clock: Clock) -> int:
    """Catch up with what became due since the backup, but send none of it: how many messages are held back.

    They may all have gone out already, in the history that was lost. They are shown as unconfirmed.
    """
    vault = Vault(read_operator_keys(operator_keys(settings)))
    threads = DatabaseThreads(database)
    with database.write() as tx:
        processes.clear(tx)  # those of the day of the backup
        chain_key = unlock(tx, vault)
        for hook in router.start_hooks:
            hook(Work(tx, clock.now(), uuid4, chain_key))
    database.use_key(chain_key)
    product = Product(threads, vault, router, clock, uuid4, chain_key)
    asyncio.run(look(product))
    with database.write() as tx:
        return claims.hold_back(product.work(tx), "restored from a backup: it may have been sent before")


def settle_in_place(settings: Settings, clock: Clock, exported: Path | None = None) -> BackupReport:
    """After `pg_restore`: the same for the database in place.

    Raises:
        CannotRestore: a process runs, or the database is not as it must be.
        BadList: the list of forgotten people cannot be read.
    """
    known = Known(exported=forgotten.read(exported) if exported else None)
    with _nobody_runs(settings):
        return _settle_in_place(settings, clock, known)


def _settle_in_place(settings: Settings, clock: Clock, known: Known) -> BackupReport:
    database = open_database(settings)
    try:
        report = examine(settings, database, known)
        if report.problems:
            raise CannotRestore("\n".join(report.problems))
        with database.write() as tx:
            refuse_while_running(tx, clock.now())
        report.facts.append(_settled(settle(settings, database, clock)))
        return report
    finally:
        database.close()


def _settled(held_back: int) -> str:
    return f"{counted(held_back, 'message')} held back as unconfirmed, because they may have been sent before."
