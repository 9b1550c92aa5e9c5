"""The delivery loop: the only place that writes to platforms on its own, and the only one that retries."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from bot.dispatch import Product
from bot.port import Address, CannotLook, Outgoing, Permanent, Port, Sent, Temporary, Uncertain, Visit, Wait
from handlers import identity
from handlers.cards import Shown, mentions_in
from handlers.requests import Place, Profile
from storage import conversations, deliveries, history, people
from storage.database import Tx
from storage.deliveries import Delivery
from storage.work import Work

log = logging.getLogger("plc.delivery")

BATCH = 20  # deliveries claimed at a time
CALL_SECONDS = 20.0  # a call's limit; shorter than the lease
IDLE_SECONDS = 5.0  # the longest sleep between two looks
MOST_TRIES = 12


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery ready for its call."""

    address: Address
    message: Outgoing | None  # None: a visit
    message_id: str | None = None  # of the message an update changes


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery that needs no call."""

    state: str
    reason: str = ""


class DeliveryLoop:
    def __init__(self, product: Product, ports: Mapping[str, Port]) -> None:
        self._product = product
        self._ports = ports
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._news.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self.drain()
            except Exception as error:
                log.error("delivery.loop error=%s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), IDLE_SECONDS)

    async def drain(self) -> int:
        """Deliver everything that may go now; how many deliveries were tried."""
        tried = 0
        while True:
            stale = await self._product.threads.write(lambda tx: deliveries.claim_stale(self._work(tx), BATCH))
            fresh = await self._product.threads.write(lambda tx: deliveries.claim(self._work(tx), BATCH))
            if not stale and not fresh:
                return tried
            tried += len(stale) + len(fresh)
            lanes: dict[object, list[tuple[Delivery, bool]]] = {}
            for item, known in [*((one, False) for one in stale), *((one, True) for one in fresh)]:
                # One conversation's messages keep their order; different ones do not wait for each other.
                lanes.setdefault(item.person_id or item.account_id or item.conversation_id, []).append((item, known))
            await asyncio.gather(*(self._lane(lane) for lane in lanes.values()))

    def _work(self, tx: Tx) -> Work:
        return self._product.work(tx)

    async def _lane(self, lane: list[tuple[Delivery, bool]]) -> None:
        for item, known in lane:
            try:
                await (self._deliver(item) if known else self._look_up(item))
            except Exception as error:
                log.error("delivery.failed id=%s kind=%s error=%s", item.id, item.kind, type(error).__name__)
                await self._again(item, "the message could not be made")

    async def _deliver(self, item: Delivery) -> None:
        prepared = await self._product.threads.read(lambda tx: self._prepare(tx, item))
        if isinstance(prepared, Settled):
            await self._settle(item, prepared.state, prepared.reason)
            return
        await self._call(item, prepared)

    async def _look_up(self, item: Delivery) -> None:
        """Its sender went silent: find out whether the message is there before anything is sent or dropped."""
        if item.verb != "post":
            await self._deliver(item)  # doing it twice is the same as once
            return
        address, _ = await self._product.threads.read(lambda tx: self._address(tx, item))
        if isinstance(address, Settled):
            await self._settle(item, "unconfirmed", address.reason)
            return
        try:
            async with asyncio.timeout(CALL_SECONDS):
                found = await self._ports[address.platform].find(address, item.id)
        except CannotLook:
            await self._settle(item, "unconfirmed", "it may or may not have arrived")
        except (Wait, Temporary, Uncertain, TimeoutError):
            return  # still unknown: looked at again after the lease
        except Permanent as error:
            await self._settle(item, "unconfirmed", str(error))
        else:
            if found is not None:
                await self._sent(item, address, found)
            else:
                await self._deliver(item)

    async def _call(self, item: Delivery, prepared: Prepared) -> None:
        now = self._product.clock.now()
        held = await self._product.threads.read(lambda tx: deliveries.still_held(tx, item, now, CALL_SECONDS))
        if not held:
            return  # somebody else has taken it over
        port = self._ports[prepared.address.platform]
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._verb(port, item, prepared)
        except Wait as wait:
            await self._settle(item, "queued", "the platform asked to wait", wait=wait.seconds)
        except Temporary as error:
            await self._again(item, str(error))
        except Permanent as error:
            log.warning("delivery.permanent id=%s kind=%s", item.id, item.kind)
            await self._settle(item, "failed", str(error))
        except (Uncertain, TimeoutError):
            log.warning("delivery.uncertain id=%s kind=%s", item.id, item.kind)
            if item.verb != "post":
                await self._again(item, "the platform did not answer")
            # A post of unknown outcome stays as it is and is looked at after the lease.

    async def _verb(self, port: Port, item: Delivery, prepared: Prepared) -> None:
        if prepared.message is None:
            await self._visit(port, item, prepared.address)
        elif prepared.message_id is not None:
            await port.update(prepared.address, prepared.message_id, prepared.message)
            await self._settle(item, "sent", "")
        else:
            sent = await port.post(prepared.address, prepared.message)
            await self._sent(item, prepared.address, sent)

    async def _visit(self, port: Port, item: Delivery, address: Address) -> None:
        place = Place(address.platform, address.tenant, address.conversation or "", "channel", "", address.reference)
        visit = await port.visit(place)
        members = list(visit.members)
        if not visit.problem:
            members += await self._find_missing(port, item, address.tenant, visit)
        await self._product.threads.write(lambda tx: self._visited(self._work(tx), item, visit, members))
        self.wake()

    async def _find_missing(self, port: Port, item: Delivery, tenant: str, visit: Visit) -> list[Profile]:
        """Roster members who are not in the channel but may be found by their address."""

        def unmatched(tx: Tx) -> list[str]:
            if item.conversation_id is None:
                return []
            cohort_id = conversations.get(tx, item.conversation_id).cohort_id
            return [one.email for one in people.unmatched_people(tx, cohort_id)] if cohort_id else []

        here = {member.email.lower() for member in visit.members}
        missing = [email for email in await self._product.threads.read(unmatched) if email not in here]
        found = [await port.find_by_email(tenant, email) for email in missing]
        return [profile for profile in found if profile is not None]

    def _visited(self, work: Work, item: Delivery, visit: Visit, members: list[Profile]) -> None:
        if not deliveries.settle(work, item, "sent") or item.conversation_id is None:
            return
        if visit.name:
            conversations.rename(work.tx, item.conversation_id, visit.name)
        history.note(work, item.conversation_id, "visit", None, problem=visit.problem, members=len(members))
        asked_by = UUID(item.subject) if item.subject else None
        place = conversations.get(work.tx, item.conversation_id)
        identity.visited(work, place, asked_by, members, entered=not visit.problem)

    async def _sent(self, item: Delivery, address: Address, sent: Sent) -> None:
        def settle(tx: Tx) -> None:
            work = self._work(tx)
            conversation_id = item.conversation_id or self._remember(work, item, address, sent)
            deliveries.settle(work, item, "sent", sent_to=conversation_id, message=sent.message)

        await self._product.threads.write(settle)
        log.info("delivery.sent id=%s kind=%s attempts=%d", item.id, item.kind, item.attempts)

    def _remember(self, work: Work, item: Delivery, address: Address, sent: Sent) -> UUID:
        """A personal chat that the platform opened for this message."""
        found = conversations.find(work.tx, address.platform, address.tenant, sent.conversation)
        if found is not None:
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

    async def _again(self, item: Delivery, reason: str) -> None:
        if item.attempts >= MOST_TRIES:
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
            return Settled("dropped", "it is no longer true")
        users = people.users_on(tx, mentions_in(card), address.platform, address.tenant)
        zone = people.get(tx, item.person_id).zone if item.person_id else None
        return Prepared(address, Outgoing(card, item.id, Shown(users, zone)), message_id)

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
            return _in_conversation(conversations.get(tx, target.conversation_id)), target.message
        if item.conversation_id is not None:
            return _in_conversation(conversations.get(tx, item.conversation_id)), None
        account = people.account_by_id(tx, item.account_id) if item.account_id else None
        if item.person_id is not None:
            accounts = [one for one in people.accounts_of(tx, item.person_id) if one.platform in self._ports]
            account = accounts[0] if accounts else None
        if account is None:
            return Settled("failed", "nobody is matched to this person's account yet"), None
        chat = people.personal_chat(tx, account.id)
        if chat is not None:
            return Address(chat.platform, chat.tenant, chat.external, account.user, chat.reference), None
        near = conversations.any_reference(tx, account.platform, account.tenant)
        return Address(account.platform, account.tenant, None, account.user, near), None


def _in_conversation(place: conversations.Conversation) -> Address | Settled:
    if place.gone:
        return Settled("failed", f"I was removed from {place.name or 'the channel'}; invite me again")
    return Address(place.platform, place.tenant, place.external, None, place.reference)
