"""Runs database work in threads: one writer on SQLite, a small pool of writers on PostgreSQL, and some readers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from storage.core.database import READERS, Database, RolledBack, Tx, collided

Result = TypeVar("Result")
BATCH_SECONDS = 0.02  # seconds after which no further job joins a batch
TRIES = 12  # of a transaction that collided with others; of those, one succeeds each time


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A function to be called with a transaction, and the future of its result."""

    function: Callable[[Tx], Any]
    interactive: bool
    done: Future[Any]


def _next_of(queue: deque[_Job]) -> _Job | None:
    """Remove and return the first job of a queue that was not cancelled; None where there is none."""
    with suppress(IndexError):
        while True:
            job = queue.popleft()
            if job.done.set_running_or_notify_cancel():
                return job
    return None


class DatabaseThreads:
    """Runs plain functions of a transaction in threads. A function's exception rolls its transaction back.

    A function that writes may be called again, in a new transaction, when it collided with another one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writers = ThreadPoolExecutor(1 if database.sqlite else READERS, "plc-writer")
        self._interactive: deque[_Job] = deque()
        self._background: deque[_Job] = deque()
        self._readers = ThreadPoolExecutor(READERS, "plc-reader")
        self._exclusive: set[threading.Event] = set()  # set while a function runs exclusively, or waits to

    async def write(self, function: Callable[[Tx], Result], *, interactive: bool = False) -> Result:
        """Run the function with a write transaction, and return what it returns.

        ``interactive``: somebody waits for the answer. It runs before jobs that are not interactive, and reads a
        snapshot, so that two of them never both act on the same state.
        """
        done: Future[Result] = Future()
        (self._interactive if interactive else self._background).append(_Job(function, interactive, done))
        self._writers.submit(self._run_next)
        return await asyncio.wrap_future(done)

    def _run_next(self) -> None:
        """Run the next job, if any: it is called once for each job, also for those that ran in another one's batch."""
        first = _next_of(self._interactive) or _next_of(self._background)
        if first is None:
            return
        if self.database.sqlite:
            self._run_batch(first)
        else:
            self._run_alone(first)

    def _run_alone(self, job: _Job) -> None:
        try:
            job.done.set_result(self._write(job.function, job.interactive))
        except BaseException as error:  # raised where the result is awaited
            job.done.set_exception(error)

    def _write(self, function: Callable[[Tx], Result], interactive: bool) -> Result:
        """Run the function in one transaction; again, in a new one, each time it collided with another transaction."""
        for _ in range(TRIES - 1):
            try:
                with self.database.write(snapshot=interactive) as tx:
                    return function(tx)
            except DBAPIError as error:
                if not collided(error):
                    raise
        with self.database.write(snapshot=interactive) as tx:
            return function(tx)

    def _run_batch(self, first: _Job) -> None:
        """Group commit: one transaction for all waiting jobs. No job gets its result before the commit."""
        batch: list[_Job] = []
        outcomes: list[Callable[[], None]] = []
        try:
            with self.database.write() as tx:
                for job in self._batch(first):
                    batch.append(job)
                    outcomes.append(self._run_in_savepoint(tx, job))
        except BaseException:  # a job, or the disk, rolled back the whole batch
            for job in batch or [first]:
                self._run_alone(job)
            return
        for outcome in outcomes:
            outcome()

    def _batch(self, first: _Job) -> Iterator[_Job]:
        """``first`` and the jobs behind it, until time is up, or an interactive job waits and this one is not."""
        until = time.monotonic() + BATCH_SECONDS
        job: _Job | None = first
        while job is not None:
            yield job
            more = time.monotonic() < until and (first.interactive or not self._interactive)
            job = _next_of(self._interactive if first.interactive else self._background) if more else None

    def _run_in_savepoint(self, tx: Tx, job: _Job) -> Callable[[], None]:
        """Run a job in a savepoint. Returns what to call after the commit, to set the job's result."""
        try:
            with self.database.savepoint(tx):
                result = job.function(tx)
        except RolledBack:
            raise
        except DBAPIError as error:
            return partial(self._run_alone, job) if collided(error) else partial(job.done.set_exception, error)
        except BaseException as error:  # raised where the result is awaited
            return partial(job.done.set_exception, error)
        return partial(job.done.set_result, result)

    async def read(self, function: Callable[[Tx], Result]) -> Result:
        """Run the function with a read transaction in a reader's thread, and return what it returns."""
        return await self._in_a_thread(self.database.read, function)

    async def quick_read(self, function: Callable[[Tx], Result]) -> Result:
        """Run the function with a read transaction for the few rows of one person or one message.

        On SQLite it runs in the event loop, where it takes a millisecond or two. In a thread it would give up the
        interpreter's lock at every row, which takes more than twice as long while others want the lock.
        """
        if not self.database.sqlite or self._exclusive:
            return await self._in_a_thread(self.database.quick_read, function)
        with self.database.quick_read() as tx:
            return function(tx)

    async def _in_a_thread(
        self, opened: Callable[[], AbstractContextManager[Tx]], function: Callable[[Tx], Result]
    ) -> Result:
        def transaction() -> Result:
            with opened() as tx:
                return function(tx)

        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

    async def run_exclusively(self, function: Callable[[], None]) -> None:
        """Run a function in the writer's thread while every reader is blocked, so that on SQLite nothing else runs."""
        held = threading.Barrier(READERS + 1)
        done = threading.Event()

        def hold() -> None:
            held.wait()
            done.wait()

        def run() -> None:
            held.wait()
            try:
                function()
            finally:
                self._exclusive.discard(done)
                done.set()

        self._exclusive.add(done)
        for _ in range(READERS):
            self._readers.submit(hold)
        await asyncio.get_running_loop().run_in_executor(self._writers, run)

    def close(self) -> None:
        """Wait for the functions that were handed over, then close the database."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.database.close()
