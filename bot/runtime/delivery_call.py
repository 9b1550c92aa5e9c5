"""The calls to platforms that deliveries need, and what becomes of each delivery by its call's outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import OperationalError

from bot.runtime.delivery_address import Prepared, Settled, find_target, prepare
from bot.runtime.dispatch import Product
from bot.runtime.intervals import Intervals
from bot.runtime.logs import event
from bot.runtime.port import Address, CannotLook, Permanent, Port, Sent, Temporary, Uncertain, Unreachable, Visit, Wait
from handlers.core.requests import Place, Profile
from handlers.people.homes import Linking, entered
from program.program_desk.reporting import PRIVATE
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import claims, conversations, rate_limits
from storage.outbox.deliveries import Delivery
from storage.outbox.kinds import is_reported
from storage.outbox.rate_limits import UNLIMITED, Limit
from storage.people import account_links

log = logging.getLogger("plc.delivery")

MAYBE = "it may not have arrived"
NOT_MADE = "the message could not be made"
MOST_TRIES = 150  # over a day, as waits grow to ten minutes: a platform may be away that long

Outcome = Sent | Visit | None  # None: a message was changed


class DeliveryCalls:
    """Makes the calls of claimed deliveries. ``rate_limits``: what each platform lets one tenant's deliveries do."""

    def __init__(
        self, product: Product, ports: Mapping[str, Port], intervals: Intervals, wake: Callable[[], None]
    ) -> None:
        self._product, self._ports, self._timing, self._wake = product, ports, intervals, wake
        self.rate_limits: dict[str, Sequence[Limit]] = {}

    async def deliver(self, item: Delivery, *, unsent: bool) -> None:
        """Bring a claimed delivery to its end, or leave it to be looked at after its lease.

        ``unsent``: nothing was sent yet; otherwise its sender went silent, and a post is looked up first

        Raises:
            OperationalError: the database cannot be used.
        """
        try:
            await (self._send(item) if unsent else self._look_up(item))
        except OperationalError:
            raise
        except Exception as error:
            self._note_failure(item, "", "delivery.failed", "error", level=logging.ERROR, error=type(error).__name__)
            await (self._retry(item, "", NOT_MADE) if unsent else self._leave_unknown(item))

    async def _leave_unknown(self, item: Delivery) -> None:
        """Leave a delivery whose post may have arrived: after its lease it is looked up before it is sent again."""
        if item.verb != "post":
            await self._retry(item, "", NOT_MADE)
        elif item.attempts >= MOST_TRIES:
            await self._settle(item, "unconfirmed", MAYBE)

    async def _send(self, item: Delivery) -> None:
        threads, loop = self._product.threads, asyncio.get_running_loop()

        def ready(tx: Tx) -> Prepared | Settled | None:
            """None: somebody else has taken it over."""
            prepared = prepare(self._product, self._ports, tx, item)
            if isinstance(prepared, Settled):
                return prepared
            now, limit, until = self._product.clock.now(), self._timing.call, loop.time() + self._timing.call
            return replace(prepared, until=until) if claims.still_held(tx, item, now, limit) else None

        read = threads.read if item.kind in self._product.router.slow_deliveries else threads.quick_read
        prepared = await read(ready)
        if isinstance(prepared, Settled):
            await self._settle(item, prepared.state, prepared.reason)
        elif prepared is not None:
            await self._call(item, prepared)

    async def _look_up(self, item: Delivery) -> None:
        """Look up whether the message of a delivery with an expired lease arrived, before it is sent or dropped."""
        if item.verb != "post":
            await self._send(item)  # doing it twice is the same as once
            return
        target = await self._product.threads.quick_read(lambda tx: find_target(self._ports, tx, item))
        if isinstance(target, Settled):
            await self._settle(item, "unconfirmed", target.reason)
            return
        await self._look_for_post(item, target.address)

    async def _look_for_post(self, item: Delivery, address: Address) -> None:
        platform = address.platform
        try:
            async with asyncio.timeout(self._timing.call):
                sent = await self._ports[platform].find(address, item.id)
        except CannotLook:
            self._note_failure(item, platform, "delivery.unconfirmed", "unconfirmed")
            await self._settle(item, "unconfirmed", MAYBE)
        except Wait as wait:
            await self._heed_wait(item, platform, wait.seconds)  # still unknown: looked at again after the lease
        except (Temporary, Uncertain, TimeoutError):
            self._note_failure(item, platform, "delivery.uncertain", "uncertain")
        except Permanent as error:
            self._note_failure(item, platform, "delivery.unconfirmed", "unconfirmed")
            await self._settle(item, "unconfirmed", str(error))
        else:
            if sent is not None:
                await self._record(item, address, sent)
            else:
                await self._send(item)

    async def _call(self, item: Delivery, prepared: Prepared) -> None:
        platform = prepared.address.platform
        if is_reported(item.kind):
            self._product.metrics.tried(platform, item.verb)
        try:
            async with asyncio.timeout(self._timing.call):
                outcome = await self._call_port(self._ports[platform], item, prepared)
        except Wait as wait:
            await self._heed_wait(item, platform, wait.seconds)
            await self._settle(item, "queued", "the platform asked to wait", wait=wait.seconds)
        except Temporary as error:
            self._note_failure(item, platform, "delivery.again", "temporary")
            await self._retry(item, platform, str(error))
        except Permanent as error:
            self._note_failure(item, platform, "delivery.permanent", "permanent")
            await self._settle(item, "failed", str(error), unreachable=isinstance(error, Unreachable))
        except (Uncertain, TimeoutError):
            self._note_failure(item, platform, "delivery.uncertain", "uncertain")
            if item.verb != "post":
                await self._retry(item, platform, "the platform did not answer")
            # A post of unknown outcome stays as it is and is looked at after the lease.
        except Exception as error:  # a fault of ours: nobody knows how far the call came
            name = type(error).__name__
            self._note_failure(item, platform, "delivery.uncertain", "error", level=logging.ERROR, error=name)
            await self._leave_unknown(item)
        else:
            await self._record(item, prepared.address, outcome)

    def _note_failure(
        self, item: Delivery, platform: str, action: str, reason: str, *, level: int = logging.WARNING, **more: object
    ) -> None:
        """Count and log a failure; a private one only where it is a fault of ours, without saying of what."""
        if not is_reported(item.kind):
            if level >= logging.ERROR:
                event(log, action, level, **log_ids(item), **more)
            return
        self._product.metrics.failed(platform or "none", reason)
        event(log, action, level, **log_ids(item), attempts=item.attempts, **more)

    async def _heed_wait(self, item: Delivery, platform: str, seconds: float) -> None:
        """Block all calls of this kind to this tenant, in every process, as the platform asked to wait."""
        self._note_failure(item, platform, "delivery.waits", "wait", level=logging.INFO, seconds=seconds)
        limit = next(limit for limit in self.rate_limits.get(platform, UNLIMITED) if item.verb in limit.verbs)
        installation_id = item.installation_id
        if installation_id is not None:
            await self._product.threads.write(
                lambda tx: rate_limits.defer_calls(self._product.work(tx), installation_id, limit, seconds)
            )

    async def _call_port(self, port: Port, item: Delivery, prepared: Prepared) -> Outcome:
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
            visit = Visit(problem=str(error))  # told to the person who asked for it
        if visit.problem:
            return visit
        return replace(
            visit, members=(*visit.members, *await self._find_absent_members(port, item, address.tenant, visit))
        )

    async def _find_absent_members(self, port: Port, item: Delivery, tenant: str, visit: Visit) -> list[Profile]:
        """Roster members who are not in the channel but may be found by their address."""

        def unmatched(tx: Tx) -> list[str]:
            if item.conversation_id is None:
                return []
            linking = Linking.read(item.subject)
            cohort_id = linking.cohort_id if linking else conversations.get(tx, item.conversation_id).cohort_id
            return [person.email for person in account_links.unmatched_people(tx, cohort_id)] if cohort_id else []

        here = {member.email.lower() for member in visit.members}
        missing = [email for email in await self._product.threads.read(unmatched) if email not in here]
        profiles = [await port.find_by_email(tenant, email) for email in missing]
        return [profile for profile in profiles if profile is not None]

    async def _record(self, item: Delivery, address: Address, outcome: Outcome) -> None:
        """Save the outcome of a call that succeeded. If that fails, the delivery is still never queued again."""

        def settle(tx: Tx) -> None:
            work = self._product.work(tx)
            match outcome:
                case Visit():
                    self._record_visit(work, item, outcome)
                case Sent():
                    conversation_id = item.conversation_id or self._remember_chat(work, item, address, outcome)
                    claims.settle(work, item, "sent", sent_to=conversation_id, message=outcome.message)
                case None:
                    claims.settle(work, item, "sent")
            self._keep_apart(work, item, address.platform)

        try:
            await self._product.threads.write(settle)
        except Exception as error:
            event(log, "delivery.uncertain", logging.ERROR, **log_ids(item), error=type(error).__name__)
            return
        if not is_reported(item.kind):
            return
        lag = (self._product.clock.now() - item.created_at).total_seconds()
        self._product.metrics.sent(address.platform, lag)
        event(log, "delivery.sent", id=item.id, kind=item.kind, verb=item.verb, attempts=item.attempts)
        if isinstance(outcome, Visit):
            self._wake()

    def _record_visit(self, work: Work, item: Delivery, visit: Visit) -> None:
        if not claims.settle(work, item, "sent") or item.conversation_id is None:
            return
        if visit.name:
            conversations.rename(work.tx, item.conversation_id, visit.name)
        entered(work, item.conversation_id, Linking.read(item.subject), visit.members, visit.problem)

    def _keep_apart(self, work: Work, item: Delivery, platform: str) -> None:
        """Start the conversation's minimum gap now, after the call, which may have taken long."""
        limits = self.rate_limits.get(platform, UNLIMITED)
        min_gap = max(limit.min_gap for limit in limits if item.verb in limit.verbs)
        if min_gap and item.lane is not None:
            rate_limits.block_until(work, [item.lane], work.now + timedelta(seconds=min_gap))

    def _remember_chat(self, work: Work, item: Delivery, address: Address, sent: Sent) -> UUID:
        """A personal chat that the platform opened for this message."""
        chat = conversations.find(work.tx, address.platform, address.tenant, sent.conversation)
        if chat is not None and not chat.gone:
            return chat.id
        accounts = account_links.accounts_of(work.tx, item.person_id) if item.person_id else []
        here = [
            account.id
            for account in accounts
            if (account.platform, account.tenant) == (address.platform, address.tenant)
        ]
        return conversations.remember(
            work,
            platform=address.platform,
            tenant=address.tenant,
            external=sent.conversation,
            kind="personal",
            name="",
            reference=address.reference,
            account_id=item.account_id or (here[0] if here else None),
        )

    async def _retry(self, item: Delivery, platform: str, reason: str) -> None:
        if item.attempts >= MOST_TRIES:
            self._note_failure(item, platform, "delivery.permanent", "gave_up")
            await self._settle(item, "failed", reason)
        else:
            await self._settle(item, "queued", reason, wait=min(2.0**item.attempts, 600))

    async def _settle(
        self, item: Delivery, state: str, reason: str, *, wait: float | None = None, unreachable: bool = False
    ) -> None:
        await self._product.threads.write(
            lambda tx: claims.settle(
                self._product.work(tx), item, state, reason=reason, wait=wait, unreachable=unreachable
            )
        )


def log_ids(item: Delivery) -> dict[str, object]:
    """By what the log names a delivery; a private one has no id there, as that leads to its person."""
    return {"id": item.id, "kind": item.kind} if is_reported(item.kind) else {"kind": PRIVATE}
