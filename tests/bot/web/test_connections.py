"""Connections are bounded: too many of them, or too slow ones, stop nobody else."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.runtime.logs import SELDOM_SECONDS
from bot.web.clients import Clients, read_networks
from bot.web.connections import ACCEPT_FAILED, AcceptErrors, ConnectionLimits, Connections

HALF = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
SMALL = ConnectionLimits(total=6, each=3)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """A web server behind the bounds."""

    connections: Connections
    clock: Clock
    port: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)  # what /slow waits for
    entered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def connect(self, source: str = "127.0.0.1", sent: bytes = b"") -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        writer.write(sent)
        await writer.drain()
        return Client(reader, writer)

    async def healthy(self, source: str = "127.0.0.1") -> bool:
        client = await self.connect(source, WHOLE)
        try:
            return (await client.answer()).startswith(b"HTTP/1.1 200")
        finally:
            await client.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> bytes:
        """The head and the body of the next answer; empty where the connection ended instead."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            return head + await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def sends(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.answer()

    async def close(self) -> None:
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)


@asynccontextmanager
async def serving(limits: ConnectionLimits, *proxies: str) -> AsyncIterator[Server]:
    clock = Clock()
    server = Server(Connections(Clients(read_networks(proxies)), limits, clock), clock)

    async def alive(_request: web.Request) -> web.Response:
        return web.Response(text="alive")

    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=await request.text())

    async def slow(_request: web.Request) -> web.Response:
        server.entered.release()
        await server.release.wait()
        return web.Response(text="at last")

    app = web.Application(middlewares=[server.connections.middleware])
    app.router.add_get("/healthz", alive)
    app.router.add_route("*", "/slow", slow)
    app.router.add_post("/echo", echo)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    server.port = await server.connections.listen(runner, "127.0.0.1", 0)
    try:
        yield server
    finally:
        server.release.set()
        server.connections.close()
        await runner.cleanup()
        asyncio.get_running_loop().set_exception_handler(None)


async def test_half_sent_headers_of_one_client_stop_nobody() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(ConnectionLimits(total=600, each=50)))
        for _ in range(1100):
            client = await server.connect("127.0.0.2", HALF)
            stack.push_async_callback(client.close)

        assert await server.healthy("127.0.0.3")
        assert await server.healthy("127.0.0.2"), "and not even themselves"
        assert len(server.connections) <= 51


async def test_half_sent_headers_through_a_proxy_stop_nobody() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(ConnectionLimits(total=100, each=10), "127.0.0.0/8"))
        for _ in range(300):
            client = await server.connect(sent=HALF)
            stack.push_async_callback(client.close)

        assert len(server.connections) == 100
        assert await server.healthy()


async def test_half_sent_bodies_of_many_clients_stop_nobody() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(ConnectionLimits(total=60, each=10)))
        for number in range(2, 11):
            for _ in range(10):
                client = await server.connect(f"127.0.0.{number}", POST + b"h")
                stack.push_async_callback(client.close)

        assert await server.healthy("127.0.0.99")
        assert await server.healthy("127.0.0.2"), "and not even themselves"
        assert len(server.connections) <= 60


async def test_half_sent_bodies_through_a_proxy_stop_nobody() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(ConnectionLimits(total=100, each=10), "127.0.0.0/8"))
        for _ in range(300):
            client = await server.connect(sent=POST + b"h")
            stack.push_async_callback(client.close)

        assert len(server.connections) == 100
        assert await server.healthy()


async def test_a_request_whose_body_is_there_is_not_cut_off() -> None:
    slow = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    async with serving(SMALL, "127.0.0.0/8") as server:
        clients = [await server.connect(sent=slow) for _ in range(6)]
        for _ in clients:
            await server.entered.acquire()

        assert not await server.healthy(), "there is no place for a seventh"
        server.release.set()
        for client in clients:
            assert b"at last" in await client.answer()
            await client.close()


async def test_a_connection_reset_within_its_body_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(SMALL) as server:
        client = await server.connect(sent=POST + b"h")
        assert await server.healthy("127.0.0.2"), "by now the half is there"
        client.writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        await client.close()
        while len(server.connections):
            assert await server.healthy("127.0.0.2")
            server.clock.now += SMALL.idle
            server.connections.sweep()
    assert caplog.records == []


async def test_who_is_being_answered_is_not_cut_off() -> None:
    async with serving(SMALL, "127.0.0.0/8") as server:
        clients = [await server.connect(sent=b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(6)]
        for _ in clients:
            await server.entered.acquire()

        assert not await server.healthy(), "there is no place for a seventh"
        server.clock.now += 10_000
        server.connections.sweep()
        server.release.set()
        for client in clients:
            assert b"at last" in await client.answer()
            await client.close()


async def test_headers_that_do_not_end_in_time_end_the_connection() -> None:
    async with serving(SMALL) as server:
        never, half = await server.connect(), await server.connect(sent=HALF)
        other = await server.connect(sent=WHOLE)
        assert b"alive" in await other.answer()

        server.clock.now += SMALL.headers
        server.connections.sweep()
        assert await never.answer() == b""
        assert await half.answer() == b""
        assert b"alive" in await other.sends(WHOLE), "an idle connection may stay longer"

        server.clock.now += SMALL.idle
        server.connections.sweep()
        assert await other.answer() == b""
        assert len(server.connections) == 0
        for client in (never, half, other):
            await client.close()


async def test_a_later_requests_headers_must_end_in_time_too() -> None:
    async with serving(SMALL) as server:
        client = await server.connect(sent=WHOLE)
        await client.answer()
        client.writer.write(HALF)
        await client.writer.drain()
        assert await server.healthy("127.0.0.2"), "by now the half is there"

        server.clock.now += SMALL.headers
        server.connections.sweep()

        assert await client.answer() == b""
        await client.close()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with serving(ConnectionLimits(body=0.05)) as server:
        client = await server.connect(sent=POST + b"he")

        assert (await client.answer()).startswith(b"HTTP/1.1 408")
        await client.close()


async def test_a_body_in_two_parts_is_read() -> None:
    async with serving(SMALL) as server:
        client = await server.connect(sent=POST + b"he")

        assert (await client.sends(b"llo")).endswith(b"hello")
        await client.close()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"", b"\xff\xfe\x00\x01."),
        (b"Content-Type: application/json; charset=utf-16\r\n", b'"abc"'),
        (b"Content-Type: application/json; charset=nonsense\r\n", b'"abc"'),
        (b"Content-Encoding: deflate\r\n", b"\xff\xfe\x00\x01."),
        (b"Content-Encoding: gzip\r\n", b"hello"),
    ],
)
async def test_a_body_that_is_no_text_is_malformed(headers: bytes, body: bytes) -> None:
    async with serving(SMALL) as server:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + headers + b"\r\n"
        client = await server.connect(sent=head + body)

        assert (await client.answer()).startswith(b"HTTP/1.1 400")
        await client.close()


def test_a_process_with_few_files_has_fewer_connections() -> None:
    assert ConnectionLimits().within(1024) == ConnectionLimits()
    assert ConnectionLimits().within(100).total == 50
    assert ConnectionLimits().within(60).each == 30


# Accepting --------------------------------------------------------------------------------------


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("plc.web").addHandler(handler)
    yield stream
    logging.getLogger("plc.web").removeHandler(handler)


async def test_failed_accepting_is_one_line_a_minute(written: io.StringIO) -> None:
    clock = Clock()
    errors, loop = AcceptErrors(clock), asyncio.get_running_loop()
    failed = {"message": ACCEPT_FAILED, "exception": OSError(24, "Too many open files")}
    for _ in range(10_000):
        errors(loop, failed)
    assert written.getvalue().count("\n") == 1

    clock.now += SELDOM_SECONDS
    for _ in range(10_000):
        errors(loop, failed)
    assert written.getvalue().count("\n") == 2


async def test_other_errors_of_the_loop_are_logged_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    AcceptErrors(Clock())(asyncio.get_running_loop(), {"message": "something else"})
    assert [record.name for record in caplog.records] == ["asyncio"]
