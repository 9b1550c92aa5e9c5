"""APScheduler only wakes; what is due, the database says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bot.runtime.scheduler import AHEAD, PREFIX, Scheduler
from storage.outbox import due, moments
from storage.outbox.outbox_tables import due_moment
from tests.world import World


def plan(world: World, seconds: float) -> datetime:
    at = world.clock.now() + timedelta(seconds=seconds)
    with world.database.write() as tx:
        due.plan(world.work(tx), moments.TIDYING, at, tag=f"test-{seconds}")
    return at


def state_at(world: World, at: datetime) -> str | None:
    with world.database.read() as tx:
        return tx.scalar(select(due_moment.c.state).where(due_moment.c.due_at == at))


async def test_a_job_for_each_due_time_of_the_next_quarter_of_an_hour(world: World) -> None:
    world.clock.at = datetime.now(UTC)
    near, far = plan(world, 600), plan(world, AHEAD.total_seconds() + 60)
    overdue = plan(world, -3600)
    scheduler = Scheduler(world.product, lambda: None)
    await scheduler.start()
    try:
        jobs = {job.id for job in scheduler._jobs.get_jobs()}
        assert f"{PREFIX}{near.isoformat()}" in jobs
        assert f"{PREFIX}{far.isoformat()}" not in jobs
        assert state_at(world, overdue) == "done"  # what was missed is caught at the start
        with world.database.write() as tx:
            due.cancel(world.work(tx), "", [moments.TIDYING])
        await scheduler.refresh()
        assert f"{PREFIX}{near.isoformat()}" not in {job.id for job in scheduler._jobs.get_jobs()}
    finally:
        await scheduler.stop()


async def test_a_job_wakes_the_process_on_time(world: World) -> None:
    world.clock.at = datetime.now(UTC)
    at = plan(world, 0.2)
    woken = asyncio.Event()
    scheduler = Scheduler(world.product, woken.set)
    await scheduler.start()
    try:
        woken.clear()
        world.clock.at = at  # the program's clock; the job goes by the machine's
        await asyncio.wait_for(woken.wait(), 10)
        assert state_at(world, at) == "done"
    finally:
        await scheduler.stop()
