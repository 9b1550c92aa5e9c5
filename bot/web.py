"""The web server's own addresses, for whoever watches the process; the platforms add theirs.

``/healthz``: the process is alive. ``/readyz``: it can work. ``/metrics``: what it measured.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bot.dispatch import Product
from bot.port import Platform
from storage import deliveries
from storage.migrate import current, head

ANSWER_SECONDS = 3.0  # how long the database and each platform may take to answer
ASKED_AGAIN = 15.0  # seconds that a platform's answer is taken as still true
MEASURED = {"/api/messages": "teams"}  # Slack measures its own: what it says may come through a socket
PROXIED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")  # somebody else's request, handed on by this machine


class Health:
    """``open_metrics``: whether others than clients on this machine may read the figures."""

    def __init__(self, product: Product, platforms: Sequence[Platform], *, open_metrics: bool) -> None:
        self._product = product
        self._platforms = platforms
        self._open_metrics = open_metrics
        self._asked: dict[str, tuple[float, bool]] = {}

    def add_routes(self, app: web.Application) -> None:
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
        """200 and every part "ok", or 503 and what is wrong with the others."""
        parts = {"database": await self._database()}
        for platform in self._platforms:
            there = await self._connected(platform)
            parts[platform.port.platform] = "ok" if there else "not connected"
        ready = all(said == "ok" for said in parts.values())
        return web.json_response({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                revision = await self._product.threads.read(current)
        except (SQLAlchemyError, TimeoutError):
            return "does not answer"
        return "ok" if revision == head() else "has another version's schema"

    async def _connected(self, platform: Platform) -> bool:
        """Asked seldom: whoever calls this address must not make the bot call the platform as often."""
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
        if not self._open_metrics and not _from_here(request):
            return web.Response(status=403, text="Only clients on this machine; PLC_METRICS_OPEN opens it.\n")
        depth = await self._product.threads.read(deliveries.depth)
        body = self._product.metrics.render(depth)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _from_here(request: web.Request) -> bool:
    """A client on this machine, speaking for itself."""
    if any(name in request.headers for name in PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
