"""The bot's process, one life after another on the same database. What is in memory dies with each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from bot.runtime.delivery import DeliveryLoop
from bot.runtime.dispatch import Dispatcher, Product
from bot.runtime.intervals import ONE_PROCESS
from bot.runtime.planner import look
from bot.runtime.port import Port
from bot.runtime.threads import DatabaseThreads
from bot.settings import Settings
from bot.startup import prepare
from handlers.core.requests import Reply, Request
from handlers.features import router
from storage.core.database import Database, Tx
from storage.core.work import Work
from tests.simulation.failures import Crash, Diary, FailureInjection
from tests.world import ADDRESS, OPERATOR_KEY, FixedClock

Result = TypeVar("Result")
WITHOUT_DELAYS = replace(ONE_PROCESS, rate_limited=3600.0, yielding=0.0)  # how fast the machine is must change nothing


class Life:
    """Whether the process lives, and the steps at which it may die."""

    def __init__(self, failures: FailureInjection, clock: FixedClock, diary: Diary, seed: str) -> None:
        self.failures = failures
        self.clock = clock
        self.diary = diary
        self.alive = True
        self._turns = Random(f"{seed}:turns")

    def step(self, where: str) -> None:
        """The process may die here; the dead do nothing any more."""
        if not self.alive:
            raise Crash(where)
        if self.failures.dies(self.clock.at):
            self.alive = False
            self.diary.note(self.clock.at, "crash", where)
            raise Crash(where)

    async def turn(self) -> None:
        """Let whatever else is under way go first, now and then: the order comes from the seed."""
        for _ in range(self._turns.choice((0, 0, 0, 1, 2))):
            await asyncio.sleep(0)


class SteppedThreads(DatabaseThreads):
    """Transactions in the event loop's own thread, one after another, with a step around each."""

    def __init__(self, database: Database, life: Life) -> None:
        super().__init__(database)
        self._life = life

    async def write(self, function: Callable[[Tx], Result], *, interactive: bool = False) -> Result:
        await self._life.turn()
        with self.database.write() as tx:
            result = function(tx)
            self._life.step("before a commit")
        self._life.step("after a commit")
        return result

    async def read(self, function: Callable[[Tx], Result]) -> Result:
        await self._life.turn()
        self._life.step("before a read")
        with self.database.read() as tx:
            return function(tx)

    async def quick_read(self, function: Callable[[Tx], Result]) -> Result:
        return await self.read(function)


class Process:
    """Starts as ``plc-bot run`` does, and answers, plans and delivers with the product's own code."""

    def __init__(
        self, database: Database, life: Life, new_id: Callable[[], UUID], coordinators: tuple[str, ...]
    ) -> None:
        self.database = database
        self.life = life
        self.new_id = new_id
        self.ports: Mapping[str, Port] = {}
        self._settings = Settings(
            plc_encryption_keys=OPERATOR_KEY,
            plc_coordinators=coordinators,
            slack_bot_token="xoxb-none",
            slack_signing_secret="none",
        )

    @property
    def clock(self) -> FixedClock:
        return self.life.clock

    def start(self, ports: Mapping[str, Port]) -> None:
        """A new life: everything is built anew from the database."""
        self.ports = ports
        self.life.alive = True
        vault = prepare(self._settings, self.database, self.clock, self.new_id, first=b"simulated" * 4)
        with self.database.write() as tx:
            chain_key = vault.chain_key(tx)
        threads = SteppedThreads(self.database, self.life)
        self.product = Product(threads, vault, router, self.clock, self.new_id, chain_key, lambda: ADDRESS)
        self.loop = DeliveryLoop(self.product, ports, WITHOUT_DELAYS)
        self.dispatcher = Dispatcher(self.product, ports, self.loop.wake)
        self.life.diary.note(self.clock.at, "start")

    def work(self, tx: Tx) -> Work:
        return self.product.work(tx)

    # Each of these is False or None when the process died over it ---------------------------------

    async def look(self) -> bool:
        return await self._survives(look(self.product)) is not None

    async def deliver(self) -> bool:
        return await self._survives(self.loop.drain()) is not None

    async def answer(self, request: Request) -> Reply | None:
        return await self._survives(self.dispatcher.answer(request))

    async def answer_while_delivering(self, request: Request) -> Reply | None:
        """As in the real process, where nothing waits for anything else."""

        async def both() -> Reply:
            reply, _ = await asyncio.gather(self.dispatcher.answer(request), self.loop.drain())
            return reply

        return await self._survives(both())

    async def operate(self, function: Callable[[Work], Result]) -> Result:
        """What the operator does on the command line: another process, which does not die here."""
        with self.database.write() as tx:
            return function(self.work(tx))

    async def _survives(self, doing: Coroutine[None, None, Result]) -> Result | None:
        asyncio.get_running_loop().set_exception_handler(_not_of_the_dead)
        try:
            return await doing
        except Crash:
            await self._bury()
            return None

    async def _bury(self) -> None:
        """Whatever else the dead process was doing ends too, without another step."""
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def now(self) -> datetime:
        return self.clock.at


def _not_of_the_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Nobody asks for the outcome of a task that died with its process."""
    if not isinstance(context.get("exception"), Crash):
        loop.default_exception_handler(context)
