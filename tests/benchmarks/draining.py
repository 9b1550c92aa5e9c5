"""One person's taps while 200 deliveries a second go out, against the same taps while nothing does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from storage.checkins.checkins_tables import checkin
from storage.core.database import Database
from storage.outbox.outbox_tables import delivery
from storage.record.record_tables import enrolment
from tests.benchmarks import people, processes
from tests.benchmarks.asking import SIZE
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Errand, latencies
from tests.benchmarks.measure import Figure, Goal, interleaved, percentile
from tests.benchmarks.processes import Server

TAP_UNDER_LOAD = Goal("tap_p99_under_load", 2, "lower")
A_SECOND = 200  # deliveries
SECONDS = 4.0  # of taps in a round
DRAIN_SECONDS = 60.0
LEAD = 0.5  # seconds from planning the deliveries to the first of them


async def tap_p99_under_load(bench: Bench, kind: str) -> list[Figure]:
    url = bench.databases.copy(kind, SIZE)
    async with (
        processes.platform(bench.folder) as platform,
        processes.product(url, platform, bench.folder, start=processes.UNPACED) as product,
    ):
        tapped = people.taps(SIZE, platform.url)
        waiting = _people(url)
        sent: list[float] = []

        async def idle() -> float:
            return percentile(await latencies(Errand(product.port, tapped), SECONDS), 0.99)

        async def loaded() -> float:
            count = int(A_SECOND * (SECONDS + LEAD))
            _plan(url, [waiting.pop() for _ in range(count)])
            before, began = await _sent(platform), time.perf_counter()
            numbers = await latencies(Errand(product.port, tapped), SECONDS + LEAD)
            sent.append((await _sent(platform) - before) / (time.perf_counter() - began - LEAD))
            await _drained(url)
            return percentile(numbers, 0.99)

        await idle()
        trials = await interleaved(loaded, idle, bench.rounds)
        return [Figure(TAP_UNDER_LOAD, kind, "ms", *trials, more={"deliveries_a_second": min(sent)})]


def _people(url: str) -> list[UUID]:
    database = Database(url)
    try:
        with database.read() as tx:
            return list(tx.scalars(select(enrolment.c.person_id)))
    finally:
        database.close()


def _plan(url: str, recipients: Sequence[UUID]) -> None:
    """A check-in's delivery to each, evenly spread over time."""
    now = datetime.now(UTC)
    opened = [
        {
            "id": uuid4(),
            "person_id": recipient_id,
            "day": now.date(),
            "opened_at": now,
            "closes_at": now + timedelta(days=3),
            "prompts": [],
        }
        for recipient_id in recipients
    ]
    queued = [
        {
            "id": uuid4(),
            "verb": "post",
            "kind": "checkin",
            "subject": str(opening["id"]),
            "person_id": opening["person_id"],
            "key": f"checkin:{opening['id']}",
            "state": "queued",
            "created_at": now,
            "not_before": now + timedelta(seconds=LEAD + number / A_SECOND),
        }
        for number, opening in enumerate(opened)
    ]
    database = Database(url)
    try:
        with database.write() as tx:
            tx.execute(insert(checkin), opened)
            tx.execute(insert(delivery), queued)
    finally:
        database.close()


async def _sent(platform: Server) -> int:
    return (await processes.counts(platform)).get("chat.postMessage", 0)


async def _drained(url: str) -> None:
    """Until nothing waits any more, so that the next round begins at rest."""
    database = Database(url)
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while _waiting(database):
                await asyncio.sleep(0.2)
    finally:
        database.close()


def _waiting(database: Database) -> int:
    with database.read() as tx:
        unsettled = delivery.c.state.in_(("queued", "sending"))
        return tx.scalar(select(func.count()).select_from(delivery).where(unsettled)) or 0
