"""APScheduler wakes the process on time; the database says what is due.

The job store is memory alone: two processes on one store would fire twice, and a process killed as a job
began would lose it. A job only calls :func:`bot.runtime.planner.look`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.runtime.dispatch import Product
from bot.runtime.intervals import ONE_PROCESS
from bot.runtime.logs import event
from bot.runtime.planner import look
from storage.outbox import due

log = logging.getLogger("plc.scheduler")

AHEAD = timedelta(minutes=15)  # due times within this get a job of their own
PREFIX = "due:"


class Scheduler:
    """``after``: called when something due was done, so that its deliveries go out.

    ``every``: seconds between two looks that bring the jobs up to date and catch what was missed, or what
    another process planned.
    """

    def __init__(self, product: Product, after: Callable[[], None], every: float = ONE_PROCESS.look) -> None:
        self._product = product
        self._after = after
        self._every = every
        self._stopping = False
        self._looking = asyncio.Lock()
        self._jobs = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )

    def every(self, seconds: float, do: Callable[[], Awaitable[None]], name: str) -> None:
        """Do something of the process's own again and again; a failure is logged and tried again."""
        self._jobs.add_job(self.safely, "interval", (do, name), seconds=seconds, id=name)

    @staticmethod
    async def safely(do: Callable[[], Awaitable[None]], name: str) -> None:
        """Do it once. A failure is logged: the database may be away for a moment, which is no reason to end."""
        try:
            await do()
        except Exception as error:
            event(log, "scheduler.task", logging.ERROR, task=name, error=type(error).__name__)

    async def start(self) -> None:
        """Do what is due already, and begin to wake the process at each due time."""
        # APScheduler's own log repeats every job, and warns where a look is still going on; ours says what was done.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._jobs.add_job(self.refresh, "interval", seconds=self._every, id="refresh")
        self._jobs.start()
        await self.refresh()

    async def stop(self) -> None:
        """Begin nothing more; what is being done is finished."""
        self._stopping = True
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        async with self._looking:
            pass

    async def refresh(self) -> None:
        """Do what is due, and set a job for each distinct due time of the next quarter of an hour."""
        await self._due()
        try:
            until = self._product.clock.now() + AHEAD
            times = await self._product.threads.read(lambda tx: due.times_until(tx, until))
            self._set_jobs(times)
        except Exception as error:
            event(log, "scheduler.refresh", logging.ERROR, error=type(error).__name__)

    async def _due(self) -> None:
        """What a job does. What fails is tried again at the next look."""
        try:
            await self.look()
        except Exception as error:
            event(log, "scheduler.refresh", logging.ERROR, error=type(error).__name__)

    async def look(self) -> int:
        """Do everything that is due by now, and return how many moments that were. Two looks never overlap.

        Raises:
            OperationalError: the database cannot be used.
        """
        async with self._looking:
            done = await look(self._product, lambda: self._stopping)
        if done:
            self._after()
        return done

    def _set_jobs(self, times: list[datetime]) -> None:
        wanted = {f"{PREFIX}{at.isoformat()}": at for at in times}
        there = {job.id for job in self._jobs.get_jobs() if job.id.startswith(PREFIX)}
        for stale in there - wanted.keys():
            self._jobs.remove_job(stale)
        # The example's clock may be ahead of the machine's, which is the one that APScheduler goes by.
        ahead = self._product.clock.now() - datetime.now(UTC)
        for name in wanted.keys() - there:
            self._jobs.add_job(self._due, "date", run_date=wanted[name] - ahead, id=name)
