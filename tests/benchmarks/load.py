"""A client that costs less than what it measures: ready bytes out, the status and length of the answer in."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.benchmarks.http import Messages

_GOOD = re.compile(rb"HTTP/1\.1 2\d\d ")
PATIENCE = 300.0  # seconds for a round; a busy machine is slow, a hanging server must end


class BadAnswer(AssertionError):
    """A server under measurement did not do what it was asked; its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Requests for one server. ``expect``: what every answer's body must hold."""

    port: int
    requests: Iterable[Callable[[], bytes]]  # made, and signed, as each is sent
    expect: bytes = b""


class _Line(Messages):
    """One kept connection, with one request on it at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BadAnswer(f"The connection ended without an answer ({error})."))

    def arrived(self, head: bytes, body: bytes) -> None:
        if self._answer is None or self._answer.done():
            return
        if _GOOD.match(head):
            self._answer.set_result(body)
        else:
            self._answer.set_exception(BadAnswer(f"It answered {head.decode()!r}."))

    async def ask(self, request: bytes, expect: bytes) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        self.send(request)
        body = await self._answer
        if expect not in body:
            raise BadAnswer(f"Its answer holds no {expect!r}: {body[:300]!r}")


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
        try:
            await asyncio.wait_for(asyncio.gather(*(client(line) for line in lines)), PATIENCE)
        except TimeoutError:
            raise BadAnswer(f"Only {done} requests were answered in {PATIENCE:g} s.") from None
        return done / (time.perf_counter() - began)


async def latencies(errand: Errand, seconds: float | None = None) -> Sequence[float]:
    """Milliseconds of each answer to one client, until the requests or the seconds have run out."""
    numbers: list[float] = []
    async with _lines(errand.port, 1) as (line,):
        until = time.perf_counter() + (seconds or PATIENCE)
        for request in errand.requests:
            ready = request()
            began = time.perf_counter()
            if began > until:
                break
            await line.ask(ready, errand.expect)
            numbers.append((time.perf_counter() - began) * 1000)
    return numbers


def taken(requests: Iterator[Callable[[], bytes]], count: int) -> list[Callable[[], bytes]]:
    """The next ``count`` requests, built before the clock runs."""
    return [next(requests) for _ in range(count)]
