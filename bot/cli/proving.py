"""Whether a backup can be put in place: it is opened, checked and brought up to date on a copy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.cli import forgotten
from bot.cli.backing_up import files_of
from bot.cli.forgotten import NOTHING, Known
from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys
from program.core.words import counted
from storage.core import backup
from storage.core.database import Database, Tx, keys_file
from storage.core.migrate import SchemaProblem, current, migrate
from storage.privacy import forgetting
from storage.privacy.forgotten_list import BadList, ForgottenList
from storage.record import verification
from storage.vault import rotation
from storage.vault.operator_keys import BadKey, read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault

NOBODY_KNOWS = (
    "No list here says who was forgotten after this backup, so what they wrote may be readable again. If you keep a "
    "list from `plc-bot forgotten export`, restore again with --forgotten FILE. If not, delete those people again."
)


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup was found to be. Without problems it can be put in place."""

    facts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@contextmanager
def staged(settings: Settings, data: Path | None, keys: Path | None) -> Iterator[Database]:
    """The backup as a database of its own, beside the one in use; what is not given is copied from that one.

    Raises:
        NoCopy: it is no database.
    """
    there = files_of(settings)
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


def examine(settings: Settings, database: Database, known: Known = NOTHING) -> BackupReport:
    """Whether a database opens, is whole and known, its chain verifies and its keys unwrap.

    It is brought to this version's schema, and people who were forgotten since are forgotten in it; ``known``:
    more of those than it and its key store name themselves.
    """
    report = BackupReport()
    try:
        _examine(Vault(read_operator_keys(operator_keys(settings))), database, known, report)
    except (SchemaProblem, BadKey, CannotStart, BadList) as error:
        report.problems.append(str(error))
    except SQLAlchemyError as error:
        report.problems.append(f"This is not a database of this program ({type(error).__name__}).")
    return report


def _examine(vault: Vault, database: Database, known: Known, report: BackupReport) -> None:
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


def _remember_exported(tx: Tx, vault: Vault, exported: ForgottenList, key: bytes, report: BackupReport) -> None:
    """Take over a list that the operator kept.

    Raises:
        BadList: it is of another program's database or was changed, or it cannot be checked.
        BadKey: the key to check it with is not configured.
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


def check(settings: Settings, data: Path | None, keys: Path | None, exported: Path | None = None) -> BackupReport:
    """Prove a backup on a copy of it; without ``data`` a key store alone, beside the present data.

    ``exported``: a list of forgotten people that the operator kept.

    Raises:
        NoCopy: it is no database.
        BadList: the list cannot be read.
    """
    known = known_forgotten(settings, exported)
    with staged(settings, data, keys) as database:
        return with_warning(examine(settings, database, known), known)


def known_forgotten(settings: Settings, exported: Path | None) -> Known:
    """Return who was forgotten, by the stores in place and by the operator's exported list, if there is one.

    Raises:
        BadList: the exported list cannot be read, or is none.
    """
    there = files_of(settings)
    return Known(forgotten.in_place(there.data, there.keys), forgotten.read(exported) if exported else None)


def with_warning(report: BackupReport, known: Known) -> BackupReport:
    """The same, warned of where nothing says who was forgotten since the backup."""
    if known.in_place is None and known.exported is None and not report.problems:
        report.warnings.append(NOBODY_KNOWS)
    return report


def check_in_place(settings: Settings) -> BackupReport:
    """The same of the database in place."""
    database = open_database(settings)
    try:
        return examine(settings, database)
    finally:
        database.close()
