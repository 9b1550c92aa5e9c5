"""How the cost of one act, and of one mentee, grows from a program of 1,000 mentees to one of 100,000."""

from __future__ import annotations

from tests.benchmarks import people, processes
from tests.benchmarks.asking import median_of
from tests.benchmarks.bench import Bench
from tests.benchmarks.counting import digest, opened, planning
from tests.benchmarks.measure import Figure, Goal, Trial, compared
from tests.benchmarks.platform import PROGRESS
from tests.benchmarks.seed import Size

MOST = 1.2
FEW = Size(mentees=1_000, lines=4)
MANY = Size(mentees=100_000, lines=4, open=1)


async def growth(bench: Bench, kind: str) -> list[Figure]:
    many, few = bench.databases.copy(kind, MANY), bench.databases.copy(kind, FEW)
    figures: list[Figure] = []
    async with (
        processes.platform(bench.folder) as platform,
        processes.product(many, platform, bench.folder) as large,
        processes.product(few, platform, bench.folder) as small,
    ):
        asked = [people.commands(size, platform.url) for size in (MANY, FEW)]
        trials = median_of(large, asked[0], PROGRESS), median_of(small, asked[1], PROGRESS)
        figures += await compared(_goal("progress"), kind, "ms", *trials, bench.rounds)
        tapped = [people.taps(size, platform.url) for size in (MANY, FEW)]
        trials = median_of(large, tapped[0]), median_of(small, tapped[1])
        figures += await compared(_goal("tap"), kind, "ms", *trials, bench.rounds)
    with opened(many) as database, opened(few) as little:
        for part, trial, base in (
            ("planning", planning(database, MANY.mentees), planning(little, FEW.mentees)),
            ("digest", digest(database), digest(little)),
        ):
            each = _a_mentee(trial, MANY.mentees), _a_mentee(base, FEW.mentees)
            figures += await compared(_goal(part), kind, "us", *each, bench.rounds)
    return figures


def _goal(part: str) -> Goal:
    return Goal("growth", MOST, "lower", part)


def _a_mentee(trial: Trial, mentees: int) -> Trial:
    """Microseconds for each mentee."""

    async def each() -> float:
        return await trial() * 1e6 / mentees

    return each
