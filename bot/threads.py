"""Database work leaves the event loop: one writer thread on SQLite, a small pool on PostgreSQL, some readers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from storage.database import READERS, Database, Tx

Result = TypeVar("Result")


class DatabaseThreads:
    """Runs plain functions of a transaction in threads. A function's exception rolls its transaction back."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writers = ThreadPoolExecutor(1 if database.sqlite else READERS, "plc-writer")
        self._readers = ThreadPoolExecutor(READERS, "plc-reader")

    async def write(self, function: Callable[[Tx], Result]) -> Result:
        def transaction() -> Result:
            with self.database.write() as tx:
                return function(tx)

        return await asyncio.get_running_loop().run_in_executor(self._writers, transaction)

    async def read(self, function: Callable[[Tx], Result]) -> Result:
        def transaction() -> Result:
            with self.database.read() as tx:
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
                done.set()

        for _ in range(READERS):
            self._readers.submit(hold)
        await asyncio.get_running_loop().run_in_executor(self._writers, run)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self.database.close()
