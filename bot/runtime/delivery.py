"""The delivery loop: the only place that writes to platforms on its own, and the only one that retries."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.exc import OperationalError

from bot.runtime.dispatch import Product
from bot.runtime.intervals import ALONE, Intervals
from bot.runtime.logs import event
from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Port, Sent, Temporary, Uncertain, Visit, Wait
from handlers.core.cards import Shown, mentions_in
from handlers.core.direction import isolate_card
from handlers.core.requests import Place, Profile
from handlers.people.homes import Linking, entered
from program.program_desk.reporting import PRIVATE, is_reported
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import conversations, deliveries, rate_limits
from storage.outbox.deliveries import Delivery, Share
from storage.outbox.rate_limits import UNPACED, Limit
from storage.people import people

log = logging.getLogger("plc.delivery")

BATCH = 20  # deliveries of one installation under way at a time
FEW = BATCH // 2  # places that must be free before more are claimed, so that a claim takes several
MAYBE = "it may not have arrived"
NOT_MADE = "the message could not be made"
MOST_TRIES = 150  # over a day, as waits grow to ten minutes: a platform may be away that long


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery ready for its call."""

    address: Address
    message: Outgoing | None  # None: a visit
    message_id: str | None = None  # of the message an update changes
    until: float = 0.0  # by the event loop's clock: when it is no longer sure that it is ours


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery that needs no call."""

    state: str
    reason: str = ""


Outcome = Sent | Visit | None  # None: a message was changed


class DeliveryLoop:
    """``pace``: what each platform lets one tenant's deliveries do; a platform that it does not name is unpaced."""

    def __init__(self, product: Product, ports: Mapping[str, Port], intervals: Intervals = ALONE) -> None:
        self._product = product
        self._ports = ports
        self._timing = intervals
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.pace: dict[str, Sequence[Limit]] = {}

    def wake(self) -> None:
        self._news.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Claim nothing more and let the calls under way finish."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.shield(self._task)
        self._task, self._stopping = None, False

    async def cut_off(self) -> None:
        """End what is still under way; what became of it is looked up after its lease."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping:
            self._news.clear()
            try:
                seconds = await self._product.threads.glance(self._rest)
                if seconds <= 0:
                    await self.drain()
                    # What may go but is still there waits for its pace.
                    seconds = max(await self._product.threads.glance(self._rest), self._timing.held)
            except Exception as error:
                event(log, "delivery.loop", logging.ERROR, error=type(error).__name__)
                seconds = self._timing.idle
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)

    def _rest(self, tx: Tx) -> float:
        """Seconds until something may go. Only reads: most wakings find that there is nothing."""
        coming = deliveries.next_time(tx, timedelta(seconds=self._timing.settling))
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
                    under_way[asyncio.create_task(self._lane(lane))] = items
                if not under_way:
                    return tried
                for task in await self._room(under_way, more=bool(lanes)):
                    del under_way[task]
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _room(self, under_way: Collection[asyncio.Task[None]], *, more: bool) -> set[asyncio.Task[None]]:
        """Those that were done by the time that claiming again is worth it: soon, so that nobody waits for one
        that hangs, but not after each. ``more``: the last claim found something, so that the next may too.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timing.held
        left, done = set(under_way), set[asyncio.Task[None]]()
        while left and (not done or len(left) > FEW or not more) and loop.time() < until:
            ended, left = await asyncio.wait(left, timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED)
            done |= ended
        return done

    async def _claim(self, under_way: list[Delivery]) -> list[list[tuple[Delivery, bool]]]:
        """What begins now, by conversation; with each, whether nothing was sent yet."""
        if self._stopping:
            return []
        stale, fresh = await self._product.threads.write(partial(self._take, under_way))
        lanes: dict[object, list[tuple[Delivery, bool]]] = {}
        for item, known in [*((one, False) for one in stale), *((one, True) for one in fresh)]:
            # One conversation's messages keep their order; different ones do not wait for each other.
            lanes.setdefault(item.lane, []).append((item, known))
        return list(lanes.values())

    def _take(self, under_way: list[Delivery], tx: Tx) -> tuple[list[Delivery], list[Delivery]]:
        """Every installation has places of its own, so that one's flood holds back nobody else."""
        work = self._work(tx)
        lease = timedelta(seconds=self._timing.lease)
        settling = timedelta(seconds=self._timing.settling)
        stale = deliveries.claim_stale(work, BATCH, lease=lease, settling=settling)
        deliveries.sort(work, self._ports)
        fresh: list[Delivery] = []
        for installation_id, platform in (*conversations.installations(tx).items(), (None, "")):
            free = BATCH - sum(item.installation_id == installation_id for item in under_way)
            for limit in self.pace.get(platform, UNPACED):
                share = Share(installation_id, limit)
                found = self._share(work, share, free, [*under_way, *stale, *fresh]) if free >= FEW else []
                free -= len(found)
                fresh += found
        return stale, fresh

    def _share(self, work: Work, share: Share, free: int, under_way: list[Delivery]) -> list[Delivery]:
        """One of each conversation at a time: a lease runs from the claim, and must not run out in a queue."""
        lease = timedelta(seconds=self._timing.lease)
        found: list[Delivery] = []
        while free > len(found):
            busy = {item.lane for item in (*under_way, *found) if item.lane is not None}
            more = deliveries.claim(work, free - len(found), share, busy=busy, lease=lease)
            if not more:
                break
            found += more
        return found

    def _work(self, tx: Tx) -> Work:
        return self._product.work(tx)

    async def _lane(self, lane: list[tuple[Delivery, bool]]) -> None:
        for item, known in lane:
            try:
                await self._product.waiting.stand_back(self._timing.behind)
                await self._one(item, known)
            except Exception as error:  # the database is away: what is under way is looked at after its lease
                event(log, "delivery.loop", logging.ERROR, **_ids(item), error=type(error).__name__)

    async def _one(self, item: Delivery, known: bool) -> None:
        try:
            await (self._deliver(item) if known else self._look_up(item))
        except OperationalError:
            raise
        except Exception as error:
            self._failed(item, "", "delivery.failed", "error", level=logging.ERROR, error=type(error).__name__)
            await (self._again(item, "", NOT_MADE) if known else self._unseen(item))

    async def _unseen(self, item: Delivery) -> None:
        """Something of ours went wrong where a post may be there: after the lease it is looked up, never just sent."""
        if item.verb != "post":
            await self._again(item, "", NOT_MADE)
        elif item.attempts >= MOST_TRIES:
            await self._settle(item, "unconfirmed", MAYBE)

    async def _deliver(self, item: Delivery) -> None:
        threads, loop = self._product.threads, asyncio.get_running_loop()

        def ready(tx: Tx) -> Prepared | Settled | None:
            """None: somebody else has taken it over."""
            prepared = self._prepare(tx, item)
            if isinstance(prepared, Settled):
                return prepared
            now, limit, until = self._product.clock.now(), self._timing.call, loop.time() + self._timing.call
            return replace(prepared, until=until) if deliveries.still_held(tx, item, now, limit) else None

        read = threads.read if item.kind in self._product.router.of_everybody else threads.glance
        prepared = await read(ready)
        if isinstance(prepared, Settled):
            await self._settle(item, prepared.state, prepared.reason)
        elif prepared is not None:
            await self._call(item, prepared)

    async def _look_up(self, item: Delivery) -> None:
        """Its sender went silent: find out whether the message is there before anything is sent or dropped."""
        if item.verb != "post":
            await self._deliver(item)  # doing it twice is the same as once
            return
        address, _ = await self._product.threads.glance(lambda tx: self._address(tx, item))
        if isinstance(address, Settled):
            await self._settle(item, "unconfirmed", address.reason)
            return
        await self._find(item, address)

    async def _find(self, item: Delivery, address: Address) -> None:
        platform = address.platform
        try:
            async with asyncio.timeout(self._timing.call):
                found = await self._ports[platform].find(address, item.id)
        except CannotLook:
            self._failed(item, platform, "delivery.unconfirmed", "unconfirmed")
            await self._settle(item, "unconfirmed", MAYBE)
        except Wait as wait:
            await self._wait(item, platform, wait.seconds)  # still unknown: looked at again after the lease
        except (Temporary, Uncertain, TimeoutError):
            self._failed(item, platform, "delivery.uncertain", "uncertain")
        except Permanent as error:
            self._failed(item, platform, "delivery.unconfirmed", "unconfirmed")
            await self._settle(item, "unconfirmed", str(error))
        else:
            if found is not None:
                await self._record(item, address, found)
            else:
                await self._deliver(item)

    async def _call(self, item: Delivery, prepared: Prepared) -> None:
        platform = prepared.address.platform
        if is_reported(item.kind):
            self._product.metrics.tried(platform, item.verb)
        try:
            async with asyncio.timeout(self._timing.call):
                outcome = await self._verb(self._ports[platform], item, prepared)
        except Wait as wait:
            await self._wait(item, platform, wait.seconds)
            await self._settle(item, "queued", "the platform asked to wait", wait=wait.seconds)
        except Temporary as error:
            self._failed(item, platform, "delivery.again", "temporary")
            await self._again(item, platform, str(error))
        except Permanent as error:
            self._failed(item, platform, "delivery.permanent", "permanent")
            await self._settle(item, "failed", str(error))
        except (Uncertain, TimeoutError):
            self._failed(item, platform, "delivery.uncertain", "uncertain")
            if item.verb != "post":
                await self._again(item, platform, "the platform did not answer")
            # A post of unknown outcome stays as it is and is looked at after the lease.
        except Exception as error:  # a fault of ours: nobody knows how far the call came
            name = type(error).__name__
            self._failed(item, platform, "delivery.uncertain", "error", level=logging.ERROR, error=name)
            await self._unseen(item)
        else:
            await self._record(item, prepared.address, outcome)

    def _failed(
        self, item: Delivery, platform: str, action: str, reason: str, *, level: int = logging.WARNING, **more: object
    ) -> None:
        """Count and log a failure; a private one only where it is a fault of ours, without saying of what."""
        if not is_reported(item.kind):
            if level >= logging.ERROR:
                event(log, action, level, **_ids(item), **more)
            return
        self._product.metrics.failed(platform or "none", reason)
        event(log, action, level, **_ids(item), attempts=item.attempts, **more)

    async def _wait(self, item: Delivery, platform: str, seconds: float) -> None:
        """The platform asked to wait: every process heeds it, for all calls of this kind to this tenant."""
        self._failed(item, platform, "delivery.waits", "wait", level=logging.INFO, seconds=seconds)
        limit = next(one for one in self.pace.get(platform, UNPACED) if item.verb in one.verbs)
        installation_id = item.installation_id
        if installation_id is not None:
            await self._product.threads.write(
                lambda tx: rate_limits.wait(self._work(tx), installation_id, limit, seconds)
            )

    async def _verb(self, port: Port, item: Delivery, prepared: Prepared) -> Outcome:
        if prepared.message is None:
            return await self._visit(port, item, prepared.address)
        message = replace(prepared.message, until=prepared.until)
        if prepared.message_id is None:
            return await port.post(prepared.address, message)
        await port.update(prepared.address, prepared.message_id, message)
        return None

    async def _visit(self, port: Port, item: Delivery, address: Address) -> Visit:
        place = Place(address.platform, address.tenant, address.conversation or "", "channel", "", address.reference)
        try:
            visit = await port.visit(place)
        except Permanent as error:
            visit = Visit(problem=str(error))  # whoever asked for it is told
        if visit.problem:
            return visit
        return replace(visit, members=(*visit.members, *await self._find_missing(port, item, address.tenant, visit)))

    async def _find_missing(self, port: Port, item: Delivery, tenant: str, visit: Visit) -> list[Profile]:
        """Roster members who are not in the channel but may be found by their address."""

        def unmatched(tx: Tx) -> list[str]:
            if item.conversation_id is None:
                return []
            linking = Linking.read(item.subject)
            cohort_id = linking.cohort_id if linking else conversations.get(tx, item.conversation_id).cohort_id
            return [one.email for one in people.unmatched_people(tx, cohort_id)] if cohort_id else []

        here = {member.email.lower() for member in visit.members}
        missing = [email for email in await self._product.threads.read(unmatched) if email not in here]
        found = [await port.find_by_email(tenant, email) for email in missing]
        return [profile for profile in found if profile is not None]

    async def _record(self, item: Delivery, address: Address, outcome: Outcome) -> None:
        """The platform did its work. Whatever goes wrong here, the delivery is never queued again for it."""

        def settle(tx: Tx) -> None:
            work = self._work(tx)
            match outcome:
                case Visit():
                    self._visited(work, item, outcome)
                case Sent():
                    conversation_id = item.conversation_id or self._remember(work, item, address, outcome)
                    deliveries.settle(work, item, "sent", sent_to=conversation_id, message=outcome.message)
                case None:
                    deliveries.settle(work, item, "sent")
            self._keep_apart(work, item, address.platform)

        try:
            await self._product.threads.write(settle)
        except Exception as error:
            event(log, "delivery.uncertain", logging.ERROR, **_ids(item), error=type(error).__name__)
            return
        if not is_reported(item.kind):
            return
        lag = (self._product.clock.now() - item.created_at).total_seconds()
        self._product.metrics.sent(address.platform, lag)
        event(log, "delivery.sent", id=item.id, kind=item.kind, verb=item.verb, attempts=item.attempts)
        if isinstance(outcome, Visit):
            self.wake()

    def _visited(self, work: Work, item: Delivery, visit: Visit) -> None:
        if not deliveries.settle(work, item, "sent") or item.conversation_id is None:
            return
        if visit.name:
            conversations.rename(work.tx, item.conversation_id, visit.name)
        entered(work, item.conversation_id, Linking.read(item.subject), visit.members, visit.problem)

    def _keep_apart(self, work: Work, item: Delivery, platform: str) -> None:
        """The conversation's next message counts from now: this call may have taken its time."""
        limits = self.pace.get(platform, UNPACED)
        apart = max(one.apart for one in limits if item.verb in one.verbs)
        if apart and item.lane is not None:
            rate_limits.hold(work, [item.lane], work.now + timedelta(seconds=apart))

    def _remember(self, work: Work, item: Delivery, address: Address, sent: Sent) -> UUID:
        """A personal chat that the platform opened for this message."""
        found = conversations.find(work.tx, address.platform, address.tenant, sent.conversation)
        if found is not None and not found.gone:
            return found.id
        accounts = people.accounts_of(work.tx, item.person_id) if item.person_id else []
        mine = [one.id for one in accounts if (one.platform, one.tenant) == (address.platform, address.tenant)]
        return conversations.remember(
            work,
            platform=address.platform,
            tenant=address.tenant,
            external=sent.conversation,
            kind="personal",
            name="",
            reference=address.reference,
            account_id=item.account_id or (mine[0] if mine else None),
        )

    async def _again(self, item: Delivery, platform: str, reason: str) -> None:
        if item.attempts >= MOST_TRIES:
            self._failed(item, platform, "delivery.permanent", "gave_up")
            await self._settle(item, "failed", reason)
        else:
            await self._settle(item, "queued", reason, wait=min(2.0**item.attempts, 600))

    async def _settle(self, item: Delivery, state: str, reason: str, wait: float | None = None) -> None:
        await self._product.threads.write(
            lambda tx: deliveries.settle(self._work(tx), item, state, reason=reason, wait=wait)
        )

    # Preparing ----------------------------------------------------------------------------------

    def _prepare(self, tx: Tx, item: Delivery) -> Prepared | Settled:
        """Where it goes, and the card as it is true now."""
        address, message_id = self._address(tx, item)
        if isinstance(address, Settled):
            return address
        if item.verb == "visit":
            return Prepared(address, None)
        builder = self._product.router.builders.get(item.kind)
        card = builder(self._work(tx), item) if builder else None
        if card is None:
            return Settled("dropped", "it was out of date")
        users = people.users_on(tx, mentions_in(card), address.platform, address.tenant)
        zone = people.get(tx, item.person_id).zone if item.person_id else None
        return Prepared(address, Outgoing(isolate_card(card), item.id, Shown(users, zone)), message_id)

    def _address(self, tx: Tx, item: Delivery) -> tuple[Address | Settled, str | None]:
        """Where it goes, and the id of the message that an update changes; Settled where it can go nowhere."""
        address, message_id = self._stored_address(tx, item)
        if isinstance(address, Address) and address.platform not in self._ports:
            return Settled("failed", f"{address.platform} is not connected"), None
        return address, message_id

    def _stored_address(self, tx: Tx, item: Delivery) -> tuple[Address | Settled, str | None]:
        if item.verb == "update" and item.target_id is not None:
            target = deliveries.message_of(tx, item.target_id)
            if target.state != "sent" or target.conversation_id is None:
                return Settled("dropped", "the message was never sent"), None
            place = conversations.get(tx, target.conversation_id)
            if place.gone and place.kind == "personal":  # a failure would tell a coordinator what was answered
                return Settled("dropped", "the chat that it stands in is no longer used"), None
            return _in_conversation(place), target.message
        if item.conversation_id is not None:
            return _in_conversation(conversations.get(tx, item.conversation_id)), None
        account = people.account_by_id(tx, item.account_id) if item.account_id else None
        if item.person_id is not None:
            accounts = [one for one in people.accounts_of(tx, item.person_id) if one.platform in self._ports]
            account = accounts[0] if accounts else None
        if account is None:
            return Settled("failed", "this person has no matched account yet"), None
        chat = conversations.of_account(tx, account.id)
        if chat is not None:
            return Address(chat.platform, chat.tenant, chat.external, account.user, chat.reference), None
        near = conversations.any_reference(tx, account.platform, account.tenant)
        return Address(account.platform, account.tenant, None, account.user, near), None


def _ids(item: Delivery) -> dict[str, object]:
    """By what the log names a delivery; a private one has no id there, as that leads to its person."""
    return {"id": item.id, "kind": item.kind} if is_reported(item.kind) else {"kind": PRIVATE}


def _in_conversation(place: conversations.Conversation) -> Address | Settled:
    if place.gone:
        return Settled("failed", f"I was removed from {place.name or 'the channel'}. Invite me again")
    return Address(place.platform, place.tenant, place.external, None, place.reference)
