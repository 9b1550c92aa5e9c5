"""Admission control: interactive requests run before queued deliveries."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

QUIET_SECONDS = 1.0  # since the last request, after which the next one is not expected soon


class AdmissionControl:
    """Counts interactive requests in flight, so that deliveries can yield to them. ``clock``: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_flight = 0
        self._last_answer = -math.inf
        self._idle = asyncio.Event()
        self._turn = asyncio.Lock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count one interactive request as in flight until the block ends."""
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._last_answer = self._clock()
            if not self._in_flight:
                self._idle.set()

    async def wait_for_turn(self, seconds: float) -> None:
        """Wait until a delivery may begin: at once if no request came lately, else one delivery at a time.

        Each waits until no request is in flight, at most ``seconds``.
        """
        if not seconds or (not self._in_flight and self._clock() - self._last_answer > QUIET_SECONDS):
            return
        async with self._turn:
            if self._in_flight:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), seconds)
            else:
                await asyncio.sleep(0)
