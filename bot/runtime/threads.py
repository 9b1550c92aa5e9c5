"""Database work leaves the event loop: one writer thread on SQLite, a small pool on PostgreSQL, some readers."""

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

from storage.core.database import READERS, Database, Tx, Undone, collided

Result = TypeVar("Result")
TOGETHER = 0.02  # seconds after which a transaction takes nobody else along
TRIES = 12  # of a transaction that collided with others; of those that meet, one succeeds each time


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A function that waits for its transaction."""

    function: Callable[[Tx], Any]
    act: bool
    done: Future[Any]


def _taken(waiting: deque[_Asked]) -> _Asked | None:
    """The first that somebody still waits for."""
    with suppress(IndexError):
        while True:
            asked = waiting.popleft()
            if asked.done.set_running_or_notify_cancel():
                return asked
    return None


class DatabaseThreads:
    """Runs plain functions of a transaction in threads. A function's exception rolls its transaction back.

    A function that writes may be called again, in a new transaction, when it collided with another one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writers = ThreadPoolExecutor(1 if database.sqlite else READERS, "plc-writer")
        self._acts: deque[_Asked] = deque()
        self._later: deque[_Asked] = deque()
        self._readers = ThreadPoolExecutor(READERS, "plc-reader")
        self._alone: set[threading.Event] = set()  # what runs alone, or waits for it

    async def write(self, function: Callable[[Tx], Result], *, act: bool = False) -> Result:
        """``act``: somebody waits for it, so it goes before everything that does not say so; and what it decides
        by what it reads must not be decided twice, however many do so at once.
        """
        done: Future[Result] = Future()
        (self._acts if act else self._later).append(_Asked(function, act, done))
        self._writers.submit(self._next)
        return await asyncio.wrap_future(done)

    def _next(self) -> None:
        """Run what waits. There is one call of this for each of them, also for those that another one took along."""
        first = _taken(self._acts) or _taken(self._later)
        if first is None:
            return
        if self.database.sqlite:
            self._together(first)
        else:
            self._by_itself(first)

    def _by_itself(self, asked: _Asked) -> None:
        try:
            asked.done.set_result(self._write(asked.function, asked.act))
        except BaseException as error:  # whoever waits raises it
            asked.done.set_exception(error)

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

    def _together(self, first: _Asked) -> None:
        """One transaction for all that wait, so that they wait for the disk once; nobody is told of theirs before."""
        taken: list[_Asked] = []
        tell: list[Callable[[], None]] = []
        try:
            with self.database.write() as tx:
                for asked in self._company(first):
                    taken.append(asked)
                    tell.append(self._part(tx, asked))
        except BaseException:  # one of them, or the disk, ended it for all
            for asked in taken or [first]:
                self._by_itself(asked)
            return
        for outcome in tell:
            outcome()

    def _company(self, first: _Asked) -> Iterator[_Asked]:
        """``first``, and those that wait behind it, as long as that keeps nobody waiting who goes before them."""
        until = time.monotonic() + TOGETHER
        asked: _Asked | None = first
        while asked is not None:
            yield asked
            more = time.monotonic() < until and (first.act or not self._acts)
            asked = _taken(self._acts if first.act else self._later) if more else None

    def _part(self, tx: Tx, asked: _Asked) -> Callable[[], None]:
        """What is to be told of it once it is on the disk. Where it fails, nothing but its own is undone."""
        try:
            with self.database.part(tx):
                result = asked.function(tx)
        except Undone:
            raise
        except DBAPIError as error:
            return partial(self._by_itself, asked) if collided(error) else partial(asked.done.set_exception, error)
        except BaseException as error:  # whoever waits raises it
            return partial(asked.done.set_exception, error)
        return partial(asked.done.set_result, result)

    async def read(self, function: Callable[[Tx], Result]) -> Result:
        """Run the function with a read transaction in a reader's thread, and return what it returns."""
        return await self._in_a_thread(self.database.read, function)

    async def glance(self, function: Callable[[Tx], Result]) -> Result:
        """Read the few rows of one person or one message.

        On SQLite without leaving the event loop, where that takes a millisecond or two: a thread would give the
        interpreter away at every row, and while others want it the same reading takes more than twice as long.
        """
        if not self.database.sqlite or self._alone:
            return await self._in_a_thread(self.database.glance, function)
        with self.database.glance() as tx:
            return function(tx)

    async def _in_a_thread(
        self, opened: Callable[[], AbstractContextManager[Tx]], function: Callable[[Tx], Result]
    ) -> Result:
        def transaction() -> Result:
            with opened() as tx:
                return function(tx)

        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

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
        """Wait for the functions that were handed over, then close the database."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.database.close()
