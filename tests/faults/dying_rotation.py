"""`plc-bot keys rotate`, killed as it wraps the n-th data key. Its test runs it as a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from unittest.mock import patch

from bot.cli import commands, keyring
from storage.vault.vault import Vault


class DyingVault(Vault):
    """Dies in the middle of a transaction, after so many keys."""

    left = 0

    def wrap(self, clear: bytes, identity: bytes) -> bytes:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().wrap(clear, identity)


def main(wrapped_before_death: int) -> None:
    DyingVault.left = wrapped_before_death
    sys.argv = ["plc-bot", "keys", "rotate"]
    with patch.object(keyring, "Vault", DyingVault):
        commands.main()


if __name__ == "__main__":
    main(int(sys.argv[1]))
