"""A rate limit for addresses that anybody may open, kept by each process for itself."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from bot.web.clients import Clients

KNOWN = 10_000  # clients remembered; the one without a request for the longest time is forgotten first
TOO_MANY = "Too many requests. Please try again in a minute.\n"
Clock = Callable[[], float]


class RateLimit:
    """A token bucket for each client: ``burst`` requests at once, and ``rate`` a second after them."""

    def __init__(self, clients: Clients, *, burst: int = 60, rate: float = 2.0, clock: Clock = time.monotonic) -> None:
        self._clients, self._burst, self._rate, self._clock = clients, burst, rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, as of when

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request too many; None where this one may go on."""
        seconds = self._take(self._clients.of(request))
        if seconds == 0:
            return None
        headers = {"Retry-After": str(math.ceil(seconds)), "Cache-Control": "no-store"}
        return web.Response(status=429, text=TOO_MANY, headers=headers)

    def _take(self, client: str) -> float:
        """Take one token: 0, or the seconds until there is one."""
        now = self._clock()
        left, at = self._buckets.pop(client, (float(self._burst), now))
        left = min(left + (now - at) * self._rate, float(self._burst))
        enough = left >= 1
        self._buckets[client] = (left - 1 if enough else left, now)
        if len(self._buckets) > KNOWN:
            self._buckets.popitem(last=False)
        return 0 if enough else (1 - left) / self._rate
