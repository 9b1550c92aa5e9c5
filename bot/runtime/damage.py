"""Data keys that do not open: every one is tried when the process starts, so that a damaged one is noticed."""

from __future__ import annotations

import logging
from uuid import UUID

from bot.runtime.logs import event
from program.core.words import counted
from storage.core.database import Database
from storage.vault import keystore, rotation
from storage.vault.vault import Vault

log = logging.getLogger("plc.damage")


def find_damaged_keys(database: Database, vault: Vault) -> list[UUID]:
    """Whose data keys do not open; how many is logged. The process starts all the same."""
    with database.read() as tx:
        damaged = rotation.damaged_keys(tx, vault)
    if damaged:
        event(log, "vault.unopened_keys", logging.ERROR, keys=len(damaged), run="plc-bot keys check")
    return damaged


def sentence(keys: int) -> str:
    """What the terminal says of so many damaged data keys."""
    return (
        f"{counted(keys, 'data key')} can't be opened, so {counted(keys, 'person', 'people')} can't read or save what "
        "they write in private. Everybody else can go on. `plc-bot keys check` says more. To mend "
        f"it, {keystore.RESTORE}"
    )
