"""How a server of the benchmarks says that it is ready: one line with its port."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web


def announce(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def serve(app: web.Application) -> None:
    """Serve on a free port until the process is ended; without an access log, as the product does."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    announce(runner.addresses[0][1])
    await asyncio.Event().wait()
