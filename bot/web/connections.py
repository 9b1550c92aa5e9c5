"""Connections to the web server, bounded: in all, for each client, and in the time that a client may take.

aiohttp bounds none of these: enough half-sent requests would take every file that the process may open.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.runtime.logs import Seldom
from bot.web.bodies import Malformed, read_text, refusal
from bot.web.clients import Clients, client_name

log = logging.getLogger("plc.web")

ACCEPT_FAILED = "socket.accept() out of system resource"  # as asyncio says it
SWEEP_SECONDS = 1.0
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be, and for how many seconds a client may keep one waiting.

    each     for one client; the operator's proxies speak for many and are bounded by ``total`` alone
    headers  from the connection's beginning, or from the first byte of a later request, to the end of its headers
    body     from the end of the headers to the end of the body
    idle     between two requests; longer than a proxy keeps a connection, so that it never meets one just closed
    answer   for taking the answer
    """

    total: int = 400
    each: int = 50
    headers: float = 10.0
    body: float = 10.0
    idle: float = 300.0
    answer: float = 600.0

    def within(self, files: int) -> ConnectionLimits:
        """These limits where the process may have so many files open: half of them are for connections."""
        total = max(min(self.total, files // 2), 1)
        return replace(self, total=total, each=min(self.each, total))


def limits_here() -> ConnectionLimits:
    """The limits that fit this process."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ConnectionLimits() if files == resource.RLIM_INFINITY else ConnectionLimits().within(files)


class Connections:
    """Makes the protocol of each connection, and ends those that are too many or take too long."""

    def __init__(self, clients: Clients, limits: ConnectionLimits | None = None, clock: Clock = time.monotonic) -> None:
        self.clock, self.limits = clock, limits or limits_here()
        self._clients = clients
        self._open: dict[Any, Connection] = {}  # by aiohttp's handler
        self._accepting: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    async def listen(self, runner: web.BaseRunner, host: str, port: int) -> int:
        """Serve the runner's application at this address; the port that was taken.

        Raises:
            OSError: the address cannot be used.
        """
        server = runner.server
        if server is None:
            raise RuntimeError("The runner is not set up.")
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(AcceptErrors(self.clock))
        self._accepting = await loop.create_server(lambda: Connection(self, server()), host, port)
        self._sweep_later()
        return int(self._accepting.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Accept no more."""
        if self._accepting is not None:
            self._accepting.close()
        if self._sweeper is not None:
            self._sweeper.cancel()

    @property
    def middleware(self) -> Middleware:
        """Reads each body in time, notes which connections are being answered, and refuses a malformed body.

        A connection whose body is still to come waits for its client, like one whose headers are still to come.
        """

        @web.middleware
        async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = self._open.get(request.protocol)
            if connection is not None:
                connection.enter("body")
            try:
                if request.body_exists:
                    await self._read_body(request)
                if connection is not None:
                    connection.enter("busy")
                return await handler(request)
            except Malformed:
                return refusal()
            except _BodyTimeout:
                return web.Response(status=408, headers={"Connection": "close"})
            finally:
                if connection is not None:
                    connection.enter("idle")

        return bounded

    async def _read_body(self, request: web.Request) -> None:
        """Read the body within its time. It is kept by aiohttp, so that the handler reads it again without waiting."""
        try:
            async with asyncio.timeout(self.limits.body):
                await read_text(request)
        except TimeoutError:
            raise _BodyTimeout from None

    def admit(self, connection: Connection) -> bool:
        """Whether this connection may stay. Where there are too many, the one that has waited longest goes."""
        if not self._clients.is_proxy(connection.address):
            same = [other for other in self._open.values() if other.client == connection.client]
            if len(same) >= self.limits.each and not _end_one(same):
                return False
        if len(self._open) >= self.limits.total and not _end_one(self._open.values()):
            return False
        self._open[connection.handler] = connection
        return True

    def forget(self, connection: Connection) -> None:
        """Stop counting this connection; it is closed or about to be."""
        self._open.pop(connection.handler, None)

    def sweep(self) -> None:
        """End the connections whose client took too long."""
        now = self.clock()
        for connection in list(self._open.values()):
            if connection.is_late(now):
                connection.end()

    def _sweep_later(self) -> None:
        def sweep() -> None:
            self.sweep()
            self._sweep_later()

        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, sweep)


class _BodyTimeout(Exception):
    """The client did not send its body in time."""


def _end_one(connections: Iterable[Connection]) -> bool:
    """End the connection that has waited for its client longest; False where all requests are being worked on.

    One whose client is still taking its answer goes only where there is no other.
    """
    waiting = [connection for connection in connections if connection.stage != "busy"]
    if not waiting:
        return False
    min(waiting, key=lambda connection: (connection.taking, connection.since)).end()
    return True


Stage = Literal["headers", "body", "busy", "idle"]


class Connection(asyncio.Protocol):
    """One connection: aiohttp's handler behind our bounds.

    stage     what it waits for: the end of a request's headers, of its body, our answer ("busy", when nothing is
              expected of the client), or the client's taking the answer and its next request ("idle")
    since     when this stage began
    """

    def __init__(self, owner: Connections, handler: web.RequestHandler) -> None:
        self._owner, self.handler = owner, handler
        self._transport: asyncio.Transport | None = None  # none before it is admitted
        self.address = self.client = ""
        self.stage: Stage = "headers"
        self.since = owner.clock()

    # State --------------------------------------------------------------------------------------

    def enter(self, stage: Stage) -> None:
        """Begin this stage now."""
        self.stage, self.since = stage, self._owner.clock()

    def is_late(self, now: float) -> bool:
        """Whether the client has taken longer than it may."""
        limits, waited = self._owner.limits, now - self.since
        match self.stage:
            case "headers":
                return waited >= limits.headers
            case "idle":
                return waited >= (limits.answer if self.taking else limits.idle)
            case "body" | "busy":  # a late body is answered with 408 by the middleware
                return False

    @property
    def taking(self) -> bool:
        """Whether the client has still to take a part of its answer."""
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def end(self) -> None:
        """Close it at once, whatever the client has still to send or take."""
        self._owner.forget(self)
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, or close it at once if there are too many."""
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self.client = client_name(self.address)
        if not self._owner.admit(self):
            cast("asyncio.Transport", transport).abort()
            return
        self._transport = cast("asyncio.Transport", transport)
        self.handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hand bytes on to aiohttp. The first ones after an answer begin a new request's headers."""
        if self._transport is None:
            return
        if self.stage == "idle":
            self.enter("headers")
        self.handler.data_received(data)

    def eof_received(self) -> None:
        """Tell aiohttp that the client sends no more."""
        if self._transport is not None:
            self.handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting this connection, and tell aiohttp that it is gone."""
        self._owner.forget(self)
        if self._transport is not None:
            self.handler.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell aiohttp to write no more until the client has taken what waits."""
        self.handler.pause_writing()

    def resume_writing(self) -> None:
        """Tell aiohttp that it may write again."""
        self.handler.resume_writing()


class AcceptErrors:
    """The event loop's exception handler.

    That no connection can be accepted is logged once a minute, with a count; asyncio reports it up to a hundred times
    a second.
    """

    def __init__(self, clock: Clock) -> None:
        self._seldom = Seldom(clock)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log a failure to accept a connection once a minute; leave other problems to the default handler."""
        if not str(context.get("message", "")).startswith(ACCEPT_FAILED):
            loop.default_exception_handler(context)
            return
        error = type(context.get("exception")).__name__
        self._seldom(log, "web.accept_failed", logging.ERROR, error=error)
