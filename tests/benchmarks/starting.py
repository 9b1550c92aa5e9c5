"""What a process costs: from its start until it is ready, and the memory it holds."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import people, processes
from tests.benchmarks.asking import CLIENTS
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Errand, rate, taken
from tests.benchmarks.measure import Figure, Goal, Trial, compared, interleaved
from tests.benchmarks.platform import PROGRESS
from tests.benchmarks.processes import Server
from tests.benchmarks.seed import Size

SIZE = Size(mentees=10_000, moments=100_000)
NO_MOMENTS = Size(mentees=10_000)
ASKED = 1_000  # requests of each kind before the memory is looked at

READY = Goal("ready_time", 2, "lower")
NO_GROWTH = Goal("ready_time", 1.1, "lower", "100,000 due moments against none")
RESIDENT = Goal("rss", 1.3, "lower")


async def ready_time(bench: Bench, kind: str) -> list[Figure]:
    url, few = bench.databases.copy(kind, SIZE), bench.databases.copy(kind, NO_MOMENTS)
    async with processes.platform(bench.folder) as platform:
        modules = await _modules(bench, url, platform)

        def start(database: str) -> Trial:
            async def trial() -> float:
                async with processes.product(database, platform, bench.folder) as product:
                    return product.ready

            return trial

        async def imports() -> float:
            async with processes.baseline("imports", bench.folder, str(modules)) as baseline:
                return baseline.ready

        ready = await compared(READY, kind, "s", start(url), imports, bench.rounds)
        return ready + await compared(NO_GROWTH, kind, "s", start(url), start(few), bench.rounds)


async def resident(bench: Bench, kind: str) -> list[Figure]:
    """Of a process that has answered people; each round is a process of its own."""
    url = bench.databases.copy(kind, SIZE)
    async with processes.platform(bench.folder) as platform:
        modules = await _modules(bench, url, platform)
        asked, tapped = people.commands(SIZE, platform.url), people.taps(SIZE, platform.url)

        async def ours() -> float:
            async with processes.product(url, platform, bench.folder) as product:
                await rate(Errand(product.port, taken(asked, ASKED), PROGRESS), CLIENTS)
                await rate(Errand(product.port, taken(tapped, ASKED)), CLIENTS)
                return product.resident / 2**20

        async def imports() -> float:
            async with processes.baseline("imports", bench.folder, str(modules)) as baseline:
                return baseline.resident / 2**20

        return [Figure(RESIDENT, kind, "MiB", *await interleaved(ours, imports, bench.rounds))]


async def _modules(bench: Bench, url: str, platform: Server) -> Path:
    """What the product imports until it is ready and has answered once, written down by itself."""
    file = bench.folder / "modules.txt"
    async with processes.product(url, platform, bench.folder, start=(*processes.NOTED, str(file))) as product:
        await rate(Errand(product.port, taken(people.commands(SIZE, platform.url), 1), PROGRESS), 1)
    return file
