"""``make simulate SEED=n``: run seeds and say what they found."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path

from storage.core.database import Database
from tests.simulation.actors import Shape
from tests.simulation.simulation import Failure, Simulation


def main() -> int:
    args = _arguments()
    first, _, last = args.seeds.partition("-")
    shape = Shape(args.cohorts, args.days, args.harsh)
    gc.set_threshold(50_000, 20, 50)  # a long run makes much short-lived garbage
    broken = [seed for seed in range(int(first), int(last or first) + 1) if not run_seed(seed, shape, args.database)]
    if broken:
        say(f"Broken: {', '.join(map(str, broken))}. The same seed fails in the same way again.")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", help="one seed, or several such as 1-20")
    parser.add_argument("--cohorts", type=int, default=Shape.cohorts)
    parser.add_argument("--days", type=int, default=Shape.days)
    parser.add_argument("--harsh", type=float, default=Shape.harsh, help="how many times as much goes wrong")
    parser.add_argument("--database", default="", help="an empty database's address; left out: SQLite for each seed")
    return parser.parse_args()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run_seed(seed: int, shape: Shape, address: str = "") -> bool:
    """Run one seed and say what came of it; whether everything held."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plc-simulation-") as folder:
        database = Database(address or f"sqlite:///{Path(folder) / 'plc.sqlite'}")
        simulation = Simulation(seed, shape, database)
        try:
            digest = asyncio.run(simulation.run())
        except Failure as failure:
            say(str(failure))
            return False
        finally:
            database.close()
    counts = simulation.diary.counts
    said = ", ".join(f"{counts[name]} {name}" for name in ("act", "received", "changed", "fault", "crash"))
    say(f"Seed {seed} held for {shape.days} days in {time.monotonic() - began:.0f} s: {said}. Diary {digest[:16]}")
    return True


if __name__ == "__main__":
    sys.exit(main())
