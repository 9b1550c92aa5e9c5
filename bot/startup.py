"""What comes before a process serves: its database and keys are opened, checked and brought up to date."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from filelock import FileLock, Timeout
from sqlalchemy import URL, make_url

from bot.runtime.clock import Clock
from bot.runtime.heartbeat import Heartbeat
from bot.runtime.logs import event
from bot.settings import Settings, mixed
from handlers.features import router
from handlers.people import handover
from storage.checkins import checkins
from storage.core import program
from storage.core.database import Database
from storage.core.migrate import hold_startup_lock, migrate
from storage.core.work import Work
from storage.privacy import forgetting
from storage.record import policies
from storage.vault.operator_keys import new_operator_key, read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault

log = logging.getLogger("plc.app")

PROGRAM_NAME = "Counselor mentoring program"


class CannotStart(Exception):
    """Something is not as it must be; the text says what, and nothing was started."""


def open_database(settings: Settings) -> Database:
    """Return the database of these settings. It is neither migrated nor unlocked."""
    return Database(settings.database_url)


@contextmanager
def running_alone(url: URL) -> Iterator[None]:
    """On SQLite one process runs at a time; terminal commands may write beside it. PostgreSQL takes any number.

    A restore, which replaces the database, holds the same lock. It is the operating system's, so a
    killed process leaves none behind.

    Raises:
        CannotStart: another process runs on this database, or it is being replaced.
    """
    if url.get_backend_name() != "sqlite":
        yield
        return
    file = Path(url.database or "").with_suffix(".lock")
    try:
        with FileLock(file, timeout=0, mode=0o600):
            yield
    except Timeout:
        raise CannotStart(
            f"Another `plc-bot run` uses the database {url.database} already, or a backup is being put in its place, "
            "so this one does not start: SQLite serves one process. Stop the other one, or use PostgreSQL, which "
            "serves several."
        ) from None


def prepare(
    settings: Settings,
    database: Database,
    now: Clock,
    new_id: Callable[[], UUID] = uuid4,
    heartbeat: Heartbeat | None = None,
    first: bytes = b"",
) -> Vault:
    """Migrate, refuse what must not be mixed, forget again the people that a backup brought back, and check the keys.

    ``first``: the key that a new database begins with; otherwise a random one.
    ``heartbeat``: of a process that is to run, announced in the transaction that checks its keys.

    Raises:
        CannotStart, SchemaProblem, BadKey: nothing is started.
    """
    router.check()
    migrate(database)
    vault = Vault(read_operator_keys(operator_keys(settings)))
    with database.write() as tx:
        hold_startup_lock(tx)
        stored = program.get(tx)
        if stored is not None and stored.example != settings.local:
            raise CannotStart(mixed(stored.example))
        again = forgetting.apply_again(tx)
        if again.keys or again.items:
            event(log, "forgetting.again", logging.WARNING, keys=again.keys, items=again.items)
        if heartbeat is not None:
            heartbeat.announce(tx, vault)
        else:
            vault.check(tx)
        key = unlock(tx, vault, first, now.now())
        work = Work(tx, now.now(), new_id, key)
        if stored is None:
            program.create(tx, PROGRAM_NAME, example=settings.local)
        policies.apply_zone(work)
        checkins.seed_prompts(work)
        handover.ensure_coordinators(work, settings.plc_coordinators)
        for hook in router.start_hooks:
            hook(work)
    database.use_key(key)
    return vault


def operator_keys(settings: Settings) -> str:
    """The configured keys; the example makes its own, readable by its owner alone."""
    if settings.plc_encryption_keys:
        return settings.plc_encryption_keys
    if settings.plc_encryption_keys_file:
        return _key_file(settings.plc_encryption_keys_file)
    url = make_url(settings.database_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if not settings.local or not file:
        raise CannotStart("PLC_ENCRYPTION_KEYS is missing. `plc-bot keys new` makes a key.")
    path = Path(file).with_suffix(".operator-key")
    if not path.exists():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as made:
            made.write(new_operator_key())
    return path.read_text()


def _key_file(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise CannotStart(f"PLC_ENCRYPTION_KEYS_FILE ({file}) cannot be read: {reason}.") from None
