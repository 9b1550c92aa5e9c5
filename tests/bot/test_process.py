"""A real process, killed at any moment: nothing is lost and nothing comes twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import resource
import signal
import sqlite3
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil
import pytest

from storage.record import policies
from tests.world import ROSTER

pytestmark = pytest.mark.process

PLC_BOT = (sys.executable, "-c", "from bot.cli.commands import main; main()")
AS = "/as/dana.reyes@example.org"


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


class Bot:
    """``plc-bot run`` in a folder of its own."""

    def __init__(self, folder: Path, *, files: int = 0) -> None:
        """``files``: how many the process may open; 0: as many as this one."""
        self.folder, self._files = folder, files
        self.address = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *PLC_BOT,
                "run",
                cwd=self.folder,
                env=self._environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                preexec_fn=partial(_limit, resource.RLIMIT_NOFILE, self._files) if self._files else None,
            )
        assert self._process.stdout
        line = (await self._process.stdout.readline()).decode()
        search = re.search(r"http://[\d.:]+", line)
        assert search, f"no address in {line!r}"
        self.address = search[0]

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    async def command(self, *words: str, largest_file: int | None = None) -> tuple[int, str]:
        """Another ``plc-bot`` in the same folder: its exit code and what it said.

        ``largest_file``: the bytes that a file may have, as on a full disk
        """
        process = await asyncio.create_subprocess_exec(
            *PLC_BOT,
            *words,
            cwd=self.folder,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=None if largest_file is None else partial(_limit, resource.RLIMIT_FSIZE, largest_file),
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


async def test_starting_on_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    for largest in (0, 4096, 200_000):  # at the lock, at the database's first page, amid the schema
        code, said = await bot.command("run", largest_file=largest)
        assert (code, "Traceback" in said) == (1, False), said
        assert "is full, so the bot does not start. Nothing that was saved is lost." in said, said
    await bot.start()
    assert await bot.kill(signal.SIGTERM) == 0


async def test_starting_again_on_a_full_disk_is_a_sentence(bot: Bot) -> None:
    assert await bot.kill(signal.SIGTERM) == 0
    code, said = await bot.command("run", largest_file=0)
    assert (code, "Traceback" in said) == (1, False), said
    assert "is full, so the bot does not start" in said
    await bot.start()
    assert await bot.kill(signal.SIGTERM) == 0


@pytest.mark.timeout(180)
async def test_each_command_says_a_sentence_on_a_full_disk(bot: Bot) -> None:
    assert await bot.kill(signal.SIGTERM) == 0
    (bot.folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (bot.folder / "policy.toml").write_text(policies.shipped(policies.EXAMPLE).text, encoding="utf-8")
    for words in (
        "migrate",
        "backup copy.sqlite",
        "forgotten export list.json",
        "roster import roster.csv",
        "keys rotate",
        "keys check",
        "ledger verify",
        "policy adopt policy.toml --from 2027-01-01",
        "people list",
        "doctor",
    ):
        code, said = await bot.command(*words.split(), largest_file=0)
        assert (code, "Traceback" in said) == (1, False), (words, said)
        assert "is full" in said or "cannot be copied: disk I/O error" in said, (words, said)
        assert "does not start" not in said, (words, said)


async def test_a_crash_leaves_no_memory_on_the_disk(bot: Bot) -> None:
    assert psutil.Process(bot.pid).rlimit(psutil.RLIMIT_CORE)[0] == 0
    assert await bot.kill(signal.SIGTERM) == 0


@pytest.mark.timeout(180)
async def test_half_sent_requests_stop_nobody_and_write_no_log(tmp_path: Path) -> None:
    bot = Bot(tmp_path, files=256)
    await bot.start()
    host, _, port = bot.address.removeprefix("http://").partition(":")
    half = []
    for _ in range(1100):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        half.append((reader, writer))
    for _ in range(5):
        async with aiohttp.ClientSession() as session, session.get(f"{bot.address}/healthz") as answer:
            assert answer.status == 200
    assert bot.log.stat().st_size < 2_000, bot.log.read_text()[:2_000]
    for _, writer in half:
        writer.close()
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
