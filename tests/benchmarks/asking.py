"""What people ask, over real HTTP: progress, taps and Teams turns, each against its baseline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from statistics import median

from sqlalchemy import func, select

from storage.core.database import Database
from storage.record.record_tables import ledger_line
from tests.benchmarks import people, processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import BadAnswer, Errand, latencies, rate, taken
from tests.benchmarks.measure import Figure, Goal, Trial, compared
from tests.benchmarks.people import Ready
from tests.benchmarks.platform import PROGRESS
from tests.benchmarks.processes import Server
from tests.benchmarks.seed import Size

SIZE = Size(mentees=10_000)
CLIENTS = 32
ONE_CLIENT = 400  # requests of a round
MANY_CLIENTS = 1_500
TURNS = 300  # of Teams in a round: stock botbuilder is slow

PROGRESS_P50 = {"sqlite": Goal("progress_p50", 3, "lower"), "postgresql": Goal("progress_p50", 5, "lower")}
PROGRESS_RATE = Goal("progress_rate", 0.7, "higher")
TAP_RATE = Goal("tap_rate", 2, "higher")
TEAMS_RATE = Goal("teams_rate", 4, "higher")


def median_of(server: Server, requests: Iterator[Ready], expect: bytes = b"") -> Trial:
    """The p50 of one client, in milliseconds."""

    async def trial() -> float:
        return median(await latencies(Errand(server.port, taken(requests, ONE_CLIENT), expect)))

    return trial


def rate_of(server: Server, requests: Iterator[Ready], expect: bytes = b"", count: int = MANY_CLIENTS) -> Trial:
    """Requests in a second by 32 clients."""

    async def trial() -> float:
        return await rate(Errand(server.port, taken(requests, count), expect), CLIENTS)

    return trial


@asynccontextmanager
async def beside(
    bench: Bench, url: str, theirs: str, *arguments: str, teams: bool = False
) -> AsyncIterator[tuple[Server, Server, Server]]:
    """The product on a database, a baseline, and the platform that both speak to."""
    async with (
        processes.platform(bench.folder) as platform,
        processes.product(url, platform, bench.folder, teams=teams) as product,
        processes.baseline(theirs, bench.folder, f"{platform.url}/api/", *arguments) as baseline,
    ):
        yield product, baseline, platform


async def progress_p50(bench: Bench, kind: str) -> list[Figure]:
    url = bench.databases.copy(kind, SIZE)
    async with beside(bench, url, "bolt_empty", "before") as (product, baseline, platform):
        asked = people.commands(SIZE, platform.url)
        trials = median_of(product, asked, PROGRESS), median_of(baseline, asked)
        return await compared(PROGRESS_P50[kind], kind, "ms", *trials, bench.rounds)


async def progress_rate(bench: Bench, kind: str) -> list[Figure]:
    url = bench.databases.copy(kind, SIZE)
    async with beside(bench, url, "bolt_empty") as (product, baseline, platform):
        asked = people.commands(SIZE, platform.url)
        trials = rate_of(product, asked, PROGRESS), rate_of(baseline, asked)
        return await compared(PROGRESS_RATE, kind, "requests/s", *trials, bench.rounds)


async def tap_rate(bench: Bench, kind: str) -> list[Figure]:
    url = bench.databases.copy(kind, SIZE)
    with all_recorded(url, (bench.rounds + 1) * MANY_CLIENTS):
        async with beside(bench, url, "bolt_orm", bench.databases.empty(kind)) as (product, baseline, platform):
            ours = rate_of(product, people.taps(SIZE, platform.url))
            theirs = rate_of(baseline, people.taps(SIZE, platform.url))
            return await compared(TAP_RATE, kind, "requests/s", ours, theirs, bench.rounds)


async def teams_rate(bench: Bench, kind: str) -> list[Figure]:
    url = bench.databases.copy(kind, SIZE)
    async with beside(bench, url, "teams_echo", teams=True) as (product, baseline, platform):
        asked = people.turns(TURNS, platform.url)
        trials = rate_of(product, asked, count=TURNS), rate_of(baseline, asked, count=TURNS)
        figures = await compared(TEAMS_RATE, kind, "turns/s", *trials, bench.rounds)
        counts, expected = await processes.counts(platform), (bench.rounds + 1) * TURNS
        if (counts.get("activities"), counts.get("progress")) != (2 * expected, expected):
            raise BadAnswer(f"Teams was given {counts}.")
        return figures


@contextmanager
def all_recorded(url: str, count: int) -> Iterator[None]:
    """Holds at its end that the ledger grew by as many taps as were acknowledged."""
    before = _taps(url)
    yield
    grown = _taps(url) - before
    if grown != count:
        raise BadAnswer(f"{count} taps were acknowledged and {grown} recorded.")


def _taps(url: str) -> int:
    database = Database(url)
    try:
        with database.read() as tx:
            query = select(func.count()).select_from(ledger_line).where(ledger_line.c.step == "tapped")
            return tx.scalar(query) or 0
    finally:
        database.close()
