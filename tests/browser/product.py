"""The whole product behind the local workspace: the real app, its scheduler and its example, on a still clock."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bot.app import App, prepare
from bot.clock import AheadClock
from bot.settings import Settings
from bot.workspace import add_workspace
from storage.database import Database, Tx

START = datetime(2026, 10, 19, 14, 0, tzinfo=UTC)  # a Monday, 9:00 in Missouri; the clocks change on 1 November
OPERATOR_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # a test's key, protecting nothing

RUTH = "ruth.ellison@example.org"  # mentor of Ozarks
DANA = "dana.reyes@example.org"  # the Ozarks mentees
LEE = "lee.okafor@example.org"
PRIYA = "priya.natarajan@example.org"
SAM = "sam.whitfield@example.org"
MARIA = "maria.gutierrez@example.org"
TOM = "tom.becker@example.org"  # mentor of Gateway
JORDAN = "jordan.blake@example.org"  # a Gateway mentee
ALEX = "alex-guest"  # a guest account, on the roster under another address
CAROL = "carol.dietz@example.org"  # the coordinator

Result = TypeVar("Result")


class StillClock(AheadClock):
    """Stands still at the beginning of the story until somebody moves it."""

    def now(self) -> datetime:
        return START + self.ahead


@dataclass(frozen=True, slots=True)
class Running:
    """The running app, its address, and a look into its database."""

    app: App
    address: str

    def read(self, question: Callable[[Tx], Result]) -> Result:
        with self.app.product.threads.database.read() as tx:
            return question(tx)

    async def go_to(self, at: datetime) -> None:
        """Let time pass without a page, so that a test begins where it is interesting."""
        clock = self.app.clock
        assert isinstance(clock, StillClock)
        clock.go_to(at)
        await self.app.scheduler.look()
        await self.app.loop.drain()


@asynccontextmanager
async def running(folder: Path, clock: StillClock | None = None) -> AsyncIterator[Running]:
    """Start everything on a free port, with a new example in ``folder``."""
    file = folder / "example.sqlite"
    settings = Settings(plc_database_url=f"sqlite:///{file}", plc_port=0, plc_encryption_keys=OPERATOR_KEY)
    database = Database(settings.database_url)
    still = clock or StillClock()
    app = App(settings, database, prepare(settings, database, still), still)
    add_workspace(app, database)
    await app.start()
    try:
        yield Running(app, app.address.rstrip("/"))
    finally:
        await app.stop()
