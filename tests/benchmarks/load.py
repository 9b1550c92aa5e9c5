"""A client that costs less than what it measures: ready bytes out, the status and length of the answer in."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *(\d+)")
_STATUS = re.compile(rb"HTTP/1\.1 (\d+)")
PATIENCE = 60.0  # seconds for one answer


class BadAnswer(AssertionError):
    """A server under measurement did not do what it was asked; its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Requests for one server. ``expect``: what every answer's body must hold."""

    port: int
    requests: Iterable[Callable[[], bytes]]  # made, and signed, as each is sent
    expect: bytes = b""


class _Line(asyncio.Protocol):
    """One kept connection, with one request on it at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BadAnswer(f"The connection ended without an answer ({error})."))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            status = _STATUS.match(head)
            if status is None or not status[1].startswith(b"2"):
                self._answer.set_exception(BadAnswer(f"It answered {head.decode()!r}."))
            else:
                self._answer.set_result(body)

    async def ask(self, request: bytes, expect: bytes) -> None:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        body = await self._answer
        if expect not in body:
            raise BadAnswer(f"Its answer holds no {expect!r}: {body[:300]!r}")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def _lines(port: int, count: int) -> AsyncIterator[list[_Line]]:
    loop = asyncio.get_running_loop()
    lines = [(await loop.create_connection(_Line, "127.0.0.1", port))[1] for _ in range(count)]
    try:
        yield lines
    finally:
        for line in lines:
            line.close()


async def rate(errand: Errand, clients: int) -> float:
    """Requests answered in a second by ``clients`` that each send the next request after an answer."""
    waiting = iter(errand.requests)
    done = 0

    async def client(line: _Line) -> None:
        nonlocal done
        for request in waiting:
            await line.ask(request(), errand.expect)
            done += 1

    async with _lines(errand.port, clients) as lines:
        began = time.perf_counter()
        await asyncio.wait_for(asyncio.gather(*(client(line) for line in lines)), PATIENCE)
        return done / (time.perf_counter() - began)


async def latencies(errand: Errand, seconds: float | None = None) -> Sequence[float]:
    """Milliseconds of each answer to one client, until the requests or the seconds have run out."""
    found: list[float] = []
    async with _lines(errand.port, 1) as (line,):
        until = time.perf_counter() + (seconds or PATIENCE)
        for request in errand.requests:
            ready = request()
            began = time.perf_counter()
            if began > until:
                break
            await line.ask(ready, errand.expect)
            found.append((time.perf_counter() - began) * 1000)
    return found


def taken(requests: Iterator[Callable[[], bytes]], count: int) -> list[Callable[[], bytes]]:
    """The next ``count`` requests, built before the clock runs."""
    return [next(requests) for _ in range(count)]
