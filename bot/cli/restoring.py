"""Backups and their way back. A backup is proved on a copy first; nothing in use changes before that."""

from __future__ import annotations

import asyncio
import os
import shlex
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.cli import forgotten
from bot.cli.forgotten import NOTHING, Known
from bot.runtime.clock import Clock
from bot.runtime.dispatch import Product
from bot.runtime.planner import look
from bot.runtime.threads import DatabaseThreads
from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys, running_alone
from handlers.features import router
from program.core.words import counted
from storage.core import backup, processes
from storage.core.columns import metadata
from storage.core.database import KEYS_SCHEMA, Database, Tx, keys_file
from storage.core.migrate import OLDEST_KEY_TABLES, SchemaProblem, current, head, migrate
from storage.core.work import Work
from storage.outbox import deliveries
from storage.privacy import forgetting
from storage.privacy.forgotten_list import BadList, ForgottenList
from storage.record import verification
from storage.vault import rotation
from storage.vault.unlock import unlock
from storage.vault.vault import BadKey, Vault, read_operator_keys


class CannotRestore(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup was found to be. Without problems it can be put in place."""

    facts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def back_up(settings: Settings, data: Path | None, keys: Path | None) -> list[Path]:
    """Copy the data, the key store, or both, while the bot runs; the files written.

    The keys come second: every key that the copied data needs is then in them.

    Raises:
        NoCopy: one cannot be read or written, or lacks what a backup is for.
    """
    there = _files(settings)
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
class _Files:
    """A SQLite database: the data, and the key store beside it."""

    data: Path
    keys: Path


def _files(settings: Settings) -> _Files:
    data = make_url(settings.database_url).database or ""
    return _Files(Path(data), Path(keys_file(data)))


NOBODY_KNOWS = (
    "No list here says who was forgotten after this backup, so what they wrote may be readable again. If you keep a "
    "list from `plc-bot forgotten export`, restore again with --forgotten FILE. If not, delete those people again."
)


# Proving ----------------------------------------------------------------------------------------


@contextmanager
def staged(settings: Settings, data: Path | None, keys: Path | None) -> Iterator[Database]:
    """The backup as a database of its own, beside the one in use; what is not given is copied from that one.

    Raises:
        NoCopy: it is no database.
    """
    there = _files(settings)
    there.data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=there.data.parent) as folder:
        file = Path(folder) / there.data.name
        backup.copy(data or there.data, file)
        source = keys or there.keys
        if source.exists() or keys is not None:
            backup.copy(source, Path(keys_file(str(file))))
        database = Database(f"sqlite:///{file}")
        try:
            yield database
        finally:
            database.close()


def examine(settings: Settings, database: Database, known: Known = NOTHING) -> Report:
    """Whether a database opens, is whole and known, its chain verifies and its keys unwrap.

    It is brought to this version's schema, and whom it should not know any more is forgotten in it; ``known``:
    more of those than it and its key store name themselves.
    """
    report = Report()
    try:
        _examine(Vault(read_operator_keys(operator_keys(settings))), database, known, report)
    except (SchemaProblem, BadKey, CannotStart, BadList) as error:
        report.problems.append(str(error))
    except SQLAlchemyError as error:
        report.problems.append(f"This is not a database of this program ({type(error).__name__}).")
    return report


def _examine(vault: Vault, database: Database, known: Known, report: Report) -> None:
    _examine_files(database)
    with database.read() as tx:
        before = current(tx)
    if before is None:
        raise SchemaProblem("This database is empty: it has no schema.")
    migrated = migrate(database)
    report.facts.append(f"The schema is supported ({before}{', now brought up to date' if migrated else ''}).")
    with database.write() as tx:
        key = unlock(tx, vault) if rotation.ledger_opens(tx, vault) else b""
        forgetting.remember(tx, known.in_place or ())
        if known.exported is not None:
            _remember_exported(tx, vault, known.exported, key, report)
        again = forgetting.apply_again(tx)
        vault.check(tx)
        survey = rotation.survey(tx, vault)
        verdict = verification.verify(tx, key) if key else None
    if again.keys or again.items:
        report.facts.append(
            f"Deleted again, because these people were forgotten: {counted(again.items, 'item')} and "
            f"{counted(again.keys, 'data key')}."
        )
    people = sum(wrapping.people for wrapping in survey.wrappings)
    opened = f"{people - survey.unopened_keys} of {counted(people, 'data key')} unwrap"
    items = f"{survey.items - survey.unopened_items} of {counted(survey.items, 'item')} open"
    if survey.unopened_keys or survey.unopened_items or verdict is None:
        report.problems.append(f"Not everything opens: {opened}, {items}.")
    else:
        report.facts.append(f"The keys fit: {opened}, {items}.")
    if verdict is not None:
        report.problems.extend(f"The ledger: {problem}" for problem in verdict.problems)
        report.facts.append(
            f"The ledger: {counted(verdict.lines, 'line')} of {counted(verdict.enrolments, 'enrollment')} checked."
        )


def _remember_exported(tx: Tx, vault: Vault, exported: ForgottenList, key: bytes, report: Report) -> None:
    """Take over a list that the operator kept.

    Raises:
        BadList: it is of another program's database or was changed, or it cannot be checked.
        BadKey: the key to check it with is not at hand.
    """
    if not key:
        vault.check(tx)
        raise BadList("The list of forgotten people can't be checked, because the ledger's key can't be opened.")
    exported.check(key)
    forgetting.remember(tx, exported.lines)
    entries = counted(len(exported.lines), "entry", "entries")
    report.facts.append(f"The list of forgotten people of {exported.made_at:%Y-%m-%d %H:%M} UTC fits ({entries}).")


def _examine_files(database: Database) -> None:
    """What SQLite itself can say of the files."""
    if not database.sqlite:
        return
    file = database.url.database or ""
    for path in (Path(file), Path(keys_file(file))):
        if problem := backup.damage(path):
            raise SchemaProblem(f"The file is damaged: {problem}.")


def check(settings: Settings, data: Path | None, keys: Path | None, exported: Path | None = None) -> Report:
    """Prove a backup on a copy of it; without ``data`` a key store alone, beside the present data.

    ``exported``: a list of forgotten people that the operator kept.

    Raises:
        NoCopy: it is no database.
        BadList: the list cannot be read.
    """
    known = _known(settings, exported)
    with staged(settings, data, keys) as database:
        return _warned(examine(settings, database, known), known)


def _known(settings: Settings, exported: Path | None) -> Known:
    there = _files(settings)
    return Known(forgotten.in_place(there.data, there.keys), forgotten.read(exported) if exported else None)


def _warned(report: Report, known: Known) -> Report:
    """The same, warned of where nothing says who was forgotten since the backup."""
    if known.in_place is None and known.exported is None and not report.problems:
        report.warnings.append(NOBODY_KNOWS)
    return report


def check_in_place(settings: Settings) -> Report:
    """The same of the database in place."""
    database = open_database(settings)
    try:
        return examine(settings, database)
    finally:
        database.close()


# Putting in place -------------------------------------------------------------------------------


def restore(
    settings: Settings, data: Path | None, keys: Path | None, clock: Clock, exported: Path | None = None
) -> tuple[Report, list[Path]]:
    """Put a backup of a SQLite database in place; what it was found to be, and where the files before it are now.

    No bot starts on it meanwhile. ``exported``: a list of forgotten people that the operator kept.

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
) -> tuple[Report, list[Path]]:
    there = _files(settings)
    _refuse_while_used(settings, clock)
    known = _known(settings, exported)
    with staged(settings, data, keys) as database:
        report = _warned(examine(settings, database, known), known)
        if report.problems:
            raise CannotRestore("\n".join(report.problems))
        if data is not None:
            report.facts.append(_settled(settle(settings, database, clock)))
        database.empty_log()
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
    if not _files(settings).data.exists():
        return
    database = open_database(settings)
    try:
        with database.read() as tx:
            refuse_while_running(tx, clock.now())
        database.empty_log()
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
        return deliveries.hold_back(product.work(tx), "restored from a backup: it may have been sent before")


def settle_in_place(settings: Settings, clock: Clock, exported: Path | None = None) -> Report:
    """After `pg_restore`: the same for the database in place.

    Raises:
        CannotRestore: a process runs, or the database is not as it must be.
        BadList: the list of forgotten people cannot be read.
    """
    known = Known(exported=forgotten.read(exported) if exported else None)
    with _nobody_runs(settings):
        return _settle_in_place(settings, clock, known)


def _settle_in_place(settings: Settings, clock: Clock, known: Known) -> Report:
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
