"""A real process, killed at any moment: nothing is lost and nothing comes twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.world import ROSTER

pytestmark = pytest.mark.process

PLC_BOT = (sys.executable, "-c", "from bot.cli import main; main()")
AS = "/as/dana.reyes@example.org"


class Bot:
    """``plc-bot run`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *PLC_BOT,
            "run",
            cwd=self.folder,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout
        line = (await self._process.stdout.readline()).decode()
        found = re.search(r"http://[\d.:]+", line)
        assert found, f"no address in {line!r}"
        self.address = found[0]

    async def command(self, *words: str) -> tuple[int, str]:
        """Another ``plc-bot`` in the same folder: its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *PLC_BOT,
            *words,
            cwd=self.folder,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, " ".join(said.decode().split())

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLC_", "SLACK_", "TEAMS_"))}
        return {**kept, "PLC_PORT": "0", "PYTHONPATH": str(Path(__file__).parents[2])}

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        assert self._process
        self._process.send_signal(how)
        return await self._process.wait()

    async def move_clock(self, hours: int) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.address}{AS}/clock/forward", json={"key": str(uuid4()), "hours": hours}) as answer,
        ):
            assert answer.status == 200, await answer.text()

    def rows(self, file: str, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.folder / "var" / file)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture
async def bot(tmp_path: Path) -> Bot:
    made = Bot(tmp_path)
    await made.start()
    return made


async def test_a_stop_signal_ends_it_in_order(bot: Bot) -> None:
    assert await bot.kill(signal.SIGTERM) == 0


async def test_a_second_run_on_one_sqlite_database_is_refused_and_the_terminal_is_not(bot: Bot) -> None:
    code, said = await bot.command("run")
    assert code == 1
    assert "Another `plc-bot run` uses the database var/example.sqlite already" in said
    (bot.folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    code, said = await bot.command("roster", "import", "roster.csv")
    assert (code, "changes made" in said) == (0, True), said
    await bot.kill()
    await bot.start()  # a killed process leaves no lock behind
    assert await bot.kill(signal.SIGTERM) == 0


@pytest.mark.timeout(180)
async def test_killed_at_random_moments_nothing_is_lost_or_doubled(bot: Bot) -> None:
    chance = random.Random(7)
    for _ in range(4):
        moving = asyncio.create_task(bot.move_clock(24 * 10))
        await asyncio.sleep(chance.uniform(0.02, 0.4))  # the moment of death is the point of this test
        await bot.kill()
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
        await bot.start()
    await bot.move_clock(1)  # past every lease: what was under way is looked at
    await bot.move_clock(1)
    states = {row[0] for row in bot.rows("example.sqlite", "SELECT DISTINCT state FROM delivery")}
    assert states <= {"sent", "dropped"}
    posts = bot.rows("example.sqlite", "SELECT id FROM delivery WHERE verb = 'post' AND state = 'sent'")
    said = Counter(
        str(row[0]).removeprefix("delivery:").replace("-", "")
        for row in bot.rows("example.chat.sqlite", "SELECT origin FROM messages WHERE origin LIKE 'delivery:%'")
    )
    assert Counter(str(row[0]) for row in posts) == said
    overdue = "SELECT count(*) FROM due_moment WHERE state = 'failed'"
    assert bot.rows("example.sqlite", overdue) == [(0,)]
    await bot.kill(signal.SIGTERM)
