"""What the terminal does with the operator's keys: rotation, and saying what is wrapped by which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from bot.runtime.clock import Clock
from bot.settings import Settings
from bot.startup import open_database, operator_keys
from program.core.words import counted
from storage.core import processes
from storage.core.database import Database
from storage.core.migrate import hold_startup_lock, migrate
from storage.vault import keystore, rotation
from storage.vault.operator_keys import read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault

START = UUID(int=0)


def _lacks_key(database: Database, vault: Vault) -> bool:
    with database.read() as tx:
        return not rotation.ledger_opens(tx, vault)


def unlock_database(database: Database, vault: Vault) -> bytes:
    """Unlock the database with the configured keys; its own key.

    Raises:
        BadKey: they do not open it.
    """
    with database.write() as tx:
        hold_startup_lock(tx)
        key = unlock(tx, vault)
    database.use_key(key)
    return key


@contextmanager
def opened(settings: Settings, *, even_locked: bool = False) -> Iterator[tuple[Database, Vault]]:
    """The database, migrated and unlocked, and the configured keys.

    ``even_locked``: also where the configured keys do not unlock it; nothing in it can be sealed or checked then.

    Raises:
        CannotStart, BadKey, SchemaProblem: one of them cannot be used.
    """
    database = open_database(settings)
    try:
        migrate(database)
        vault = Vault(read_operator_keys(operator_keys(settings)))
        if not (even_locked and _lacks_key(database, vault)):
            unlock_database(database, vault)
        yield database, vault
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class RotationProgress:
    """Data keys rewrapped so far, of how many, and those that did not open."""

    done: int
    total: int
    unopened: int


def rotate(database: Database, vault: Vault, clock: Clock) -> Iterator[RotationProgress]:
    """Wrap every data key, and the ledger's, under the first key; where it got to after each transaction.

    Stopping it loses nothing: what is left is still under the old key, and the next run goes on there.

    Raises:
        NotAnnounced: a running process does not have the new key.
    """
    with database.read() as tx:
        total = rotation.to_rewrap(tx, vault)
    done = unopened = 0
    after: UUID | None = START
    while after is not None:
        with database.write() as tx:
            step = rotation.rewrap(tx, vault, clock.now(), after)
        done, unopened, after = done + step.done, unopened + step.unopened, step.last
        yield RotationProgress(done, max(total, done + unopened), unopened)
    with database.write() as tx:
        rotation.rewrap_ledger(tx, vault, clock.now())


@dataclass(frozen=True, slots=True)
class Checked:
    """``rows``: fingerprint, whether the key is configured, what it wraps. ``advice``: which keys may go."""

    rows: list[tuple[str, str, str]]
    problems: list[str]
    advice: list[str]
    items: int


def check(database: Database, vault: Vault, clock: Clock) -> Checked:
    """Try every key and every item, and say what may be removed."""
    with database.read() as tx:
        survey = rotation.survey(tx, vault)
        firsts = {alive.fingerprints[0] for alive in processes.alive(tx, clock.now()) if alive.fingerprints}
    used = {wrapping.fingerprint: wrapping for wrapping in survey.wrappings}
    rows = []
    for place, fingerprint in enumerate(vault.fingerprints):
        wraps = used[fingerprint].words if fingerprint in used else "nothing"
        rows.append((fingerprint, "wraps" if place == 0 else "unwraps", wraps))
    unknown = [wrapping for wrapping in survey.wrappings if wrapping.fingerprint not in vault.fingerprints]
    missing = [wrapping for wrapping in unknown if keystore.is_fingerprint(wrapping.fingerprint)]
    rows += [(wrapping.fingerprint, "missing", wrapping.words) for wrapping in missing]
    advice = [_advice(later, used.get(later), wraps=later in firsts) for later in vault.fingerprints[1:]]
    return Checked(rows, _problems(survey, missing), advice, survey.items)


def _problems(survey: rotation.Survey, missing: list[keystore.Wrapping]) -> list[str]:
    problems = [
        f"Add key {wrapping.fingerprint} to PLC_ENCRYPTION_KEYS. It wraps the keys of {wrapping.words}."
        for wrapping in missing
    ]
    if survey.unopened_keys:
        problems.append(
            f"{counted(survey.unopened_keys, 'data key')} can't be opened, although the key that wraps it is "
            f"available. It is damaged: {keystore.RESTORE}"
        )
    if survey.unopened_items:
        problems.append(f"{survey.unopened_items} of {counted(survey.items, 'item')} cannot be opened.")
    if not survey.ledger_opens:
        problems.append(f"The ledger's key can't be opened: {keystore.RESTORE}")
    return problems + ([survey.gaps] if survey.gaps else [])


def _advice(fingerprint: str, wrapping: keystore.Wrapping | None, *, wraps: bool) -> str:
    if wrapping is not None:
        return f"Key {fingerprint} is still needed: it wraps the keys of {wrapping.words}. Run `plc-bot keys rotate`."
    if wraps:
        return f"Key {fingerprint} wraps nothing, but a running process still uses it first. Restart that process."
    return (
        f"Key {fingerprint} no longer wraps anything and may be removed. Keep it as long as you keep backups of the "
        "key store from before the rotation: they open with it alone."
    )
