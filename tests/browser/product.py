"""The whole product behind the local workspace: the real app, its scheduler and its example, on a still clock."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot.app import App
from bot.runtime.clock import AheadClock
from bot.settings import Settings
from bot.startup import prepare
from bot.workspace import add_workspace
from storage.core.database import Database, Tx

START = datetime(2026, 10, 19, 14, 0, tzinfo=UTC)  # a Monday, 9:00 in Missouri; the clocks change on 1 November
OPERATOR_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # a test's key, protecting nothing

RUTH = "ruth.ellison@example.org"  # mentor of Ozarks
DANA = "dana.reyes@example.org"  # the Ozarks mentees
LEE = "lee.okafor@example.org"
PRIYA = "priya.natarajan@example.org"
SAM = "sam.whitfield@example.org"  # in Denver's zone
MARIA = "maria.gutierrez@example.org"
TOM = "tom.becker@example.org"  # mentor of Gateway
JORDAN = "jordan.blake@example.org"  # a Gateway mentee
ALEX = "alex-guest"  # a guest account; its person is on the roster under another address
WALTER = "walter.hughes@example.org"  # mentor of Bootheel
NINA = "nina.alvarez@example.org"  # its mentee, whose two years lack one tap
CAROL = "carol.dietz@example.org"  # the coordinator
OZARKS = "ozarks"  # the channels
GATEWAY = "gateway"

Result = TypeVar("Result")


class StillClock(AheadClock):
    """Stands still, at the beginning of the story, until somebody moves it."""

    def now(self) -> datetime:
        return START + self.ahead


@dataclass(frozen=True, slots=True)
class Running:
    """The running app, its address, and a look behind the screen."""

    app: App
    address: str
    folder: Path

    def read(self, question: Callable[[Tx], Result]) -> Result:
        with self.app.product.threads.database.read() as tx:
            return question(tx)

    async def write(self, change: Callable[[Tx], Result]) -> Result:
        return await self.app.product.threads.write(change)

    async def go_to(self, at: datetime) -> None:
        """Let the time pass without a page, so that a story begins where it is interesting."""
        clock = self.app.clock
        assert isinstance(clock, StillClock)
        clock.go_to(at)
        await self.app.scheduler.look()
        await self.app.loop.drain()

    def bytes_on_disk(self) -> bytes:
        """Everything the product wrote into its files."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.iterdir()))


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """Start everything on a free port; where ``folder`` holds no example yet, a new one is seeded."""
    settings = Settings(
        plc_database_url=f"sqlite:///{folder / 'example.sqlite'}", plc_port=0, plc_encryption_keys=OPERATOR_KEY
    )
    database = Database(settings.database_url)
    clock = StillClock()
    app = App(settings, database, prepare(settings, database, clock), clock)
    add_workspace(app, database)
    await app.start()
    try:
        await app.loop.drain()
        yield Running(app, app.address.rstrip("/"), folder)
    finally:
        await app.stop()


def copied(example: Path, folder: Path) -> Path:
    """A folder of one's own with a copy of the seeded example: quicker than seeding it again."""
    shutil.copytree(example, folder, dirs_exist_ok=True)
    return folder
