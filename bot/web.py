"""The web server's own addresses; the platforms add theirs."""

from __future__ import annotations

from aiohttp import web


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"})


def add_health(app: web.Application) -> None:
    app.router.add_get("/healthz", _alive)
