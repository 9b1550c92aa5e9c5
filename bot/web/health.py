"""The web server's own addresses, for monitoring; the platforms add theirs.

``/healthz``: the process is alive. ``/readyz``: it can work. ``/metrics``: what it measured.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Sequence
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bot.runtime import disk
from bot.runtime.dispatch import Product
from bot.runtime.port import Platform
from program.core.words import counted
from storage.core.database import Tx
from storage.core.migrate import current, head
from storage.outbox import undelivered
from storage.record import integrity
from storage.vault import rotation

ANSWER_SECONDS = 3.0  # how long the database and each platform may take to answer
ASKED_AGAIN = 15.0  # seconds that a platform's answer is taken as still true
MEASURED = {"/api/messages": "teams"}  # Slack measures its own: what it says may come through a socket
CLOSED = "Metrics are off. To turn them on, set PLC_METRICS_TOKEN and restart the bot.\n"


class Health:
    """``metrics_token``: what a client must send to read the metrics; None: they are off.

    written       whether the process's last heartbeat could be stored
    damaged_keys  whose data keys did not open when the process started, as far as they still do not
    """

    def __init__(self, product: Product, platforms: Sequence[Platform], *, metrics_token: str | None) -> None:
        self._product = product
        self._platforms = platforms
        self.metrics_token = metrics_token
        self._asked: dict[str, tuple[float, bool]] = {}
        self._disk: tuple[float, str] | None = None
        self._looking = asyncio.Lock()
        self.written = True
        self.damaged_keys: list[UUID] = []

    def add_routes(self, app: web.Application) -> None:
        """Add ``/healthz``, ``/readyz`` and ``/metrics``."""
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)

    @property
    def timed(self) -> Middleware:
        """A middleware that measures how long a platform waits for our answer."""

        @web.middleware
        async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
            begun = time.perf_counter()
            try:
                return await handler(request)
            finally:
                platform = MEASURED.get(request.path)
                if platform is not None:
                    self._product.metrics.acknowledged(platform, time.perf_counter() - begun)

        return timed

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _ready(self, _request: web.Request) -> web.Response:
        """200 and every part "ok", or 503 and what is wrong with the others. A warning changes neither."""
        parts = {"database": await self._database(), **await self._room()}
        for platform in self._platforms:
            there = await self._connected(platform)
            parts[platform.port.platform] = "ok" if there else "not connected"
        ready = all(said == "ok" for said in parts.values())
        said = {"status": "ready" if ready else "not ready", **parts, **await self._warnings(parts["database"])}
        return web.json_response(said, status=200 if ready else 503)

    async def _warnings(self, database: str) -> dict[str, str]:
        """What somebody must look at, although the process works."""
        if database != "ok":
            return {}
        warnings = await self._product.threads.read(self._checked)
        return {"warning": "; ".join(warnings)} if warnings else {}

    def _checked(self, tx: Tx) -> list[str]:
        """The data keys that were damaged at the start are tried again: somebody may have forgotten a person since."""
        warnings = []
        records = integrity.newest(tx)
        if records is not None and records.problems:
            changed = counted(records.problems, "record was", "records were")
            warnings.append(f"{changed} changed outside the program: run plc-bot ledger verify")
        if self.damaged_keys:
            self.damaged_keys = rotation.damaged_keys(tx, self._product.vault, self.damaged_keys)
        if self.damaged_keys:
            warnings.append(f"{counted(len(self.damaged_keys), 'data key')} can't be opened: run plc-bot keys check")
        return warnings

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                revision = await self._product.threads.read(current)
        except (SQLAlchemyError, TimeoutError):
            return "does not answer"
        if revision != head():
            return "has another version's schema"
        return "ok" if self.written else "cannot be written to"

    async def _room(self) -> dict[str, str]:
        """Whether the disk with SQLite's files has room; looked at seldom, as it is written to for that."""
        folder = disk.folder_of(self._product.threads.database.url)
        if folder is None:
            return {}
        async with self._looking:  # many who ask at once make one look
            now = time.monotonic()
            if self._disk is None or now - self._disk[0] > ASKED_AGAIN:
                self._disk = (now, await asyncio.to_thread(disk.shortage, folder))
            return {"disk": self._disk[1] or "ok"}

    async def _connected(self, platform: Platform) -> bool:
        """Ask the platforms at most so often, however often this address is called."""
        name, now = platform.port.platform, time.monotonic()
        known = self._asked.get(name)
        if known is None or now - known[0] > ASKED_AGAIN:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    known = (now, await platform.connected())
            except TimeoutError:
                known = (now, False)
            self._asked[name] = known
        return known[1]

    async def _metrics(self, request: web.Request) -> web.Response:
        """Where the client comes from says nothing: behind a proxy everybody comes from this machine."""
        if self.metrics_token is None:
            return web.Response(status=403, text=CLOSED)
        sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(sent, f"Bearer {self.metrics_token}".encode()):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        depth = await self._product.threads.read(undelivered.depth)
        body = self._product.metrics.render(depth)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
