"""Database work leaves the event loop: one writer thread on SQLite, a small pool on PostgreSQL, some readers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from storage.database import READERS, Database, Tx, collided

Result = TypeVar("Result")
TRIES = 12  # of a transaction that collided with others; of those that meet, one succeeds each time


class DatabaseThreads:
    """Runs plain functions of a transaction in threads. A function's exception rolls its transaction back.

    A function that writes may be called again, in a new transaction, when it collided with another one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writers = ThreadPoolExecutor(1 if database.sqlite else READERS, "plc-writer")
        self._first: deque[Callable[[], None]] = deque()
        self._later: deque[Callable[[], None]] = deque()
        self._readers = ThreadPoolExecutor(READERS, "plc-reader")
        self._alone: set[threading.Event] = set()  # what runs alone, or waits for it

    async def write(self, function: Callable[[Tx], Result], *, act: bool = False) -> Result:
        """``act``: somebody waits for it, so it goes before everything that does not say so; and what it decides
        by what it reads must not be decided twice, however many do so at once.
        """
        done: Future[Result] = Future()

        def transaction() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(self._write(function, act))
            except BaseException as error:  # whoever waits raises it
                done.set_exception(error)

        (self._first if act else self._later).append(transaction)
        self._writers.submit(self._next)
        return await asyncio.wrap_future(done)

    def _write(self, function: Callable[[Tx], Result], act: bool) -> Result:
        """One transaction. Where it met another one, the second look sees what the other did."""
        for _ in range(TRIES - 1):
            try:
                with self.database.write(one_moment=act) as tx:
                    return function(tx)
            except DBAPIError as error:
                if not collided(error):
                    raise
        with self.database.write(one_moment=act) as tx:
            return function(tx)

    def _next(self) -> None:
        """Run what waits: there is one call of this for each of them."""
        try:
            transaction = self._first.popleft()
        except IndexError:
            transaction = self._later.popleft()
        transaction()

    async def read(self, function: Callable[[Tx], Result]) -> Result:
        def transaction() -> Result:
            with self.database.read() as tx:
                return function(tx)

        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

    async def glance(self, function: Callable[[Tx], Result]) -> Result:
        """Read the few rows of one person or one message.

        On SQLite without leaving the event loop, where that takes a millisecond or two: a thread would give the
        interpreter away at every row, and while others want it the same reading takes more than twice as long.
        """
        if not self.database.sqlite or self._alone:
            return await self.read(function)
        with self.database.read() as tx:
            return function(tx)

    async def alone(self, function: Callable[[], None]) -> None:
        """Run something in the writer's place while every reader is held, so that on SQLite nothing else goes on."""
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
                self._alone.discard(done)
                done.set()

        self._alone.add(done)
        for _ in range(READERS):
            self._readers.submit(hold)
        await asyncio.get_running_loop().run_in_executor(self._writers, run)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self.database.close()
