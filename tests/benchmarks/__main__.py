"""``make bench``: every figure, or those named in ARGS, as a table and in ``bench.json``.

Client, product, baseline and platform are processes of one machine and share its cores, on both sides of
every ratio. A figure's rounds alternate between the sides, so what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import asking, counting, draining, growing, starting
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import BadAnswer
from tests.benchmarks.measure import ROUNDS, Figure, machine, write
from tests.benchmarks.processes import Databases

Measurement = Callable[[Bench, str], Awaitable[list[Figure]]]
BOTH = ("sqlite", "postgresql")
SQLITE = ("sqlite",)

FIGURES: dict[str, tuple[Measurement, Sequence[str]]] = {
    "progress_p50": (asking.progress_p50, BOTH),
    "progress_rate": (asking.progress_rate, BOTH),
    "tap_rate": (asking.tap_rate, BOTH),
    "teams_rate": (asking.teams_rate, SQLITE),
    "standings": (counting.standings_of_all, BOTH),
    "plan_checkins": (counting.plan_checkins, BOTH),
    "tap_p99_under_load": (draining.tap_p99_under_load, BOTH),
    "ready_time": (starting.ready_time, SQLITE),
    "rss": (starting.resident, SQLITE),
    "growth": (growing.growth, SQLITE),
}
out = Console(highlight=False)


async def measured(names: Sequence[str], rounds: int) -> list[Figure]:
    chosen = [(name, kind) for name in names for kind in FIGURES[name][1]]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="plc-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL, started by root, runs as another user
        with Databases(Path(folder)).open() as databases:
            bench = Bench(databases, Path(folder), rounds)
            for name, kind in chosen:
                out.print(f"{name} {kind} …", style="dim")
                try:
                    some = await FIGURES[name][0](bench, kind)
                except BadAnswer as wrong:
                    out.print(f"{name} {kind} could not be measured. {wrong}", style="bold", markup=False)
                else:
                    out.print(table(some))
                    figures += some
    return figures


def table(figures: Sequence[Figure]) -> Table:
    made = Table("Figure", "Database", "Product", "Baseline", "Ratio", "Target", "Met")
    for figure in figures:
        made.add_row(*_row(figure))
    return made


def _row(figure: Figure) -> tuple[str, ...]:
    goal, said = figure.goal, figure.as_json()
    name = f"{goal.name}: {goal.part}" if goal.part else goal.name
    product, baseline = (f"{said[side]:g} {figure.unit}" for side in ("product", "baseline"))
    target = f"{'at most' if goal.better == 'lower' else 'at least'} {goal.target:g}"
    return name, figure.database, product, baseline, f"{figure.ratio:.2f}", target, "yes" if figure.met else "no"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FIGURES, []], metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each side is tried; at least five")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server outlives a run that is ended
    facts = machine()
    figures = asyncio.run(measured(chosen.names or list(FIGURES), chosen.rounds))
    write(figures, facts, chosen.out)
    out.print(table(figures))


if __name__ == "__main__":
    main()
