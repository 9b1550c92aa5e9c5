"""``plc-bot run`` that notes at its end which modules it had imported: ``python -m tests.benchmarks.noted FILE``."""

from __future__ import annotations

import atexit
import sys
from pathlib import Path


def note(file: str) -> None:
    Path(file).write_text("\n".join(name for name in sys.modules if not name.startswith("__")))


if __name__ == "__main__":
    atexit.register(note, sys.argv.pop(1))
    sys.argv.append("run")
    from bot.cli.commands import main

    main()
