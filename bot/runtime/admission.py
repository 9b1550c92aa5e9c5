"""Admission control: interactive requests run before queued deliveries."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LULL = 1.0  # seconds without a request, after which the next one is not soon expected


class AdmissionControl:
    """Counts interactive requests in flight, so that deliveries can yield to them. ``clock``: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._people = 0
        self._answered = -math.inf
        self._nobody = asyncio.Event()
        self._next = asyncio.Lock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count one interactive request as in flight until the block ends."""
        self._people += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._people -= 1
            self._answered = self._clock()
            if not self._people:
                self._nobody.set()

    async def stand_back(self, seconds: float) -> None:
        """Begin a delivery: in a lull at once; else one after another, each when nobody waits or after so long."""
        if not seconds or (not self._people and self._clock() - self._answered > LULL):
            return
        async with self._next:
            if self._people:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._nobody.wait(), seconds)
            else:
                await asyncio.sleep(0)
