"""The delivery loop: the only place that writes to platforms on its own, and the only one that retries."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

from bot.runtime.delivery_call import DeliveryCalls, log_ids
from bot.runtime.dispatch import Product
from bot.runtime.intervals import ONE_PROCESS, Intervals
from bot.runtime.logs import event
from bot.runtime.port import Port
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import claims, conversations
from storage.outbox.claims import Quota
from storage.outbox.deliveries import Delivery
from storage.outbox.rate_limits import UNLIMITED, Limit

log = logging.getLogger("plc.delivery")

BATCH = 20  # deliveries of one installation under way at a time
FEW = BATCH // 2  # places that must be free before more are claimed, so that a claim takes several


class DeliveryLoop:
    """Claims what may go and delivers it, until it is stopped."""

    def __init__(self, product: Product, ports: Mapping[str, Port], intervals: Intervals = ONE_PROCESS) -> None:
        self._product = product
        self._ports = ports
        self._timing = intervals
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._calls = DeliveryCalls(product, ports, intervals, self.wake)

    @property
    def rate_limits(self) -> dict[str, Sequence[Limit]]:
        """What each platform lets one tenant's deliveries do; a platform that is not named has no limits."""
        return self._calls.rate_limits

    @rate_limits.setter
    def rate_limits(self, rate_limits: dict[str, Sequence[Limit]]) -> None:
        """Set the limits. Deliveries that are claimed from now on keep to them."""
        self._calls.rate_limits = rate_limits

    def wake(self) -> None:
        """Look for deliveries at once."""
        self._woken.set()

    def start(self) -> None:
        """Deliver from now on."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Claim nothing more and let the calls under way finish."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.shield(self._task)
        self._task, self._stopping = None, False

    async def cut_off(self) -> None:
        """Cancel the calls under way; their outcome is looked up after their lease."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                seconds = await self._product.threads.quick_read(self._seconds_to_next)
                if seconds <= 0:
                    await self.drain()
                    # What is due but was not claimed waits for a rate limit.
                    seconds = await self._product.threads.quick_read(self._seconds_to_next)
                    seconds = max(seconds, self._timing.rate_limited)
            except Exception as error:
                event(log, "delivery.loop", logging.ERROR, error=type(error).__name__)
                seconds = self._timing.idle
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)

    def _seconds_to_next(self, tx: Tx) -> float:
        """Seconds until a delivery may go. It only reads, as mostly there is none."""
        coming = claims.next_time(tx, timedelta(seconds=self._timing.settling))
        if coming is None:
            return self._timing.idle
        return min((coming - self._product.clock.now()).total_seconds(), self._timing.idle)

    async def drain(self) -> int:
        """Deliver everything that may go now; how many deliveries were tried."""
        under_way: dict[asyncio.Task[None], list[Delivery]] = {}
        tried = 0
        try:
            while True:
                lanes = await self._claim(list(itertools.chain(*under_way.values())))
                for lane in lanes:
                    items = [item for item, _ in lane]
                    tried += len(items)
                    under_way[asyncio.create_task(self._deliver_in_order(lane))] = items
                if not under_way:
                    return tried
                for task in await self._wait_for_room(under_way, more=bool(lanes)):
                    del under_way[task]
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _wait_for_room(self, under_way: Collection[asyncio.Task[None]], *, more: bool) -> set[asyncio.Task[None]]:
        """Wait until claiming again is worth it; the deliveries that are done by then.

        That is soon, so that no delivery waits for one that hangs, but not after each single one.
        ``more``: the last claim returned deliveries, so that the next one may too.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timing.rate_limited
        left, done = set(under_way), set[asyncio.Task[None]]()
        while left and (not done or len(left) > FEW or not more) and loop.time() < until:
            ended, left = await asyncio.wait(left, timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED)
            done |= ended
        return done

    async def _claim(self, under_way: list[Delivery]) -> list[list[tuple[Delivery, bool]]]:
        """Claim deliveries, by conversation; with each, whether nothing was sent for it yet."""
        if self._stopping:
            return []
        stale, fresh = await self._product.threads.write(partial(self._claim_for_each, under_way))
        lanes: dict[object, list[tuple[Delivery, bool]]] = {}
        for item, unsent in [*((item, False) for item in stale), *((item, True) for item in fresh)]:
            # One conversation's messages keep their order; different ones do not wait for each other.
            lanes.setdefault(item.lane, []).append((item, unsent))
        return list(lanes.values())

    def _claim_for_each(self, under_way: list[Delivery], tx: Tx) -> tuple[list[Delivery], list[Delivery]]:
        """Claim for each installation apart, so that a flood of one does not delay the others."""
        work = self._product.work(tx)
        lease = timedelta(seconds=self._timing.lease)
        settling = timedelta(seconds=self._timing.settling)
        stale = claims.claim_stale(work, BATCH, lease=lease, settling=settling)
        claims.sort(work, self._ports)
        fresh: list[Delivery] = []
        for installation_id, platform in (*conversations.installations(tx).items(), (None, "")):
            free = BATCH - sum(item.installation_id == installation_id for item in under_way)
            for limit in self.rate_limits.get(platform, UNLIMITED):
                quota = Quota(installation_id, limit)
                claimed = self._claim_quota(work, quota, free, [*under_way, *stale, *fresh]) if free >= FEW else []
                free -= len(claimed)
                fresh += claimed
        return stale, fresh

    def _claim_quota(self, work: Work, quota: Quota, free: int, under_way: list[Delivery]) -> list[Delivery]:
        """Claim one delivery of each conversation: a lease runs from its claim and must not expire in a queue."""
        lease = timedelta(seconds=self._timing.lease)
        claimed: list[Delivery] = []
        while free > len(claimed):
            busy = {item.lane for item in (*under_way, *claimed) if item.lane is not None}
            more = claims.claim(work, free - len(claimed), quota, busy=busy, lease=lease)
            if not more:
                break
            claimed += more
        return claimed

    async def _deliver_in_order(self, lane: list[tuple[Delivery, bool]]) -> None:
        for item, unsent in lane:
            try:
                await self._product.admission.wait_for_turn(self._timing.yielding)
                await self._calls.deliver(item, unsent=unsent)
            except Exception as error:  # the database is away: what is under way is looked at after its lease
                event(log, "delivery.loop", logging.ERROR, **log_ids(item), error=type(error).__name__)
