"""Imports the packages that the product imports, says so, and waits.

``python -m tests.benchmarks.baselines.imports FILE``: the file names one module a line, in the order in which
the product's process imported them (see :mod:`tests.benchmarks.noted`).
"""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.serving import announce


def main(file: str) -> None:
    for name in Path(file).read_text().splitlines():
        with suppress(ImportError):  # parts that only exist inside their package
            importlib.import_module(name)
    announce(0)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
