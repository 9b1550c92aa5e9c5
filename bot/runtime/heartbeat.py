"""The heartbeat of this process: announced at start, refreshed at intervals, removed at the end."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from uuid import uuid4

from bot.runtime.clock import Clock, SystemClock
from bot.runtime.logs import event
from storage.core import processes
from storage.core.database import Tx
from storage.core.processes import Process
from storage.privacy import forgetting
from storage.vault import rotation
from storage.vault.operator_keys import BadKey
from storage.vault.vault import Vault

log = logging.getLogger("plc.heartbeat")

REFRESH_SECONDS = 30  # well within the time after which a silent process is taken for dead


class Heartbeat:
    """``clock``: the machine's, also where the example's runs ahead: the terminal goes by it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        now = self._clock.now()
        self._me = Process(uuid4(), f"pid {os.getpid()}", now, now, ())
        self._forgotten = -1

    def announce(self, tx: Tx, vault: Vault) -> None:
        """Say which keys this process has, and see in the same transaction that they are enough.

        Raises:
            BadKey: they are not, or this process and one that runs could not read what the other writes.
        """
        processes.hold_keys(tx)
        vault.check(tx)
        rotation.check_together(tx, vault, self._clock.now())
        self._me = replace(self._me, seen_at=self._clock.now(), fingerprints=list(vault.fingerprints))
        processes.announce(tx, self._me)

    def refresh(self, tx: Tx, vault: Vault) -> None:
        """Refresh the heartbeat. A process that was silent for too long announces its keys again."""
        if not processes.is_known(tx, self._me.id):
            try:
                self.announce(tx, vault)
            except BadKey as error:
                event(log, "heartbeat.keys", logging.ERROR, why=error)
            return
        self._me = replace(self._me, seen_at=self._clock.now())
        processes.announce(tx, self._me)

    def leave(self, tx: Tx) -> None:
        """Remove this process from the registry, at its end."""
        processes.leave(tx, self._me.id)

    def someone_was_forgotten(self, tx: Tx) -> bool:
        """Whether that happened since the last call."""
        before, self._forgotten = self._forgotten, forgetting.count(tx)
        return before not in (-1, self._forgotten)
