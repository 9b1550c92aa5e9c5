"""What every figure is measured with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.processes import Databases


@dataclass(frozen=True, slots=True)
class Bench:
    """folder: of this run, gone after it; rounds: how often each side is tried."""

    databases: Databases
    folder: Path
    rounds: int
