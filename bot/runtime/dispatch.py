"""Answers requests: each is one transaction around one handler."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from bot.runtime.admission import AdmissionControl
from bot.runtime.clock import Clock
from bot.runtime.intervals import ONE_PROCESS, Intervals
from bot.runtime.logs import event
from bot.runtime.metrics import Metrics
from bot.runtime.port import Permanent, Port, Temporary, Uncertain, Wait
from bot.runtime.threads import DatabaseThreads
from handlers.core.actions import BadAction
from handlers.core.calls import Call, Refused
from handlers.core.direction import isolate_reply
from handlers.core.forms import FormErrors
from handlers.core.requests import Arrived, BotAdded, BotRemoved, Departed, Profile, Reply, Request, Submit, notice
from handlers.core.router import Router
from handlers.people import identity
from program.privacy.privacy_settings import PrivacySettings
from storage.core.database import Tx
from storage.core.work import KEY_BACKUP_DAYS, Work
from storage.outbox import conversations, processed_requests
from storage.outbox.conversations import Conversation
from storage.people import people
from storage.vault.vault import NoKeyYet, Sealed, Vault

log = logging.getLogger("plc.dispatch")
TRIES = 3  # of one request: its account, or its key, may have to be stored first
FEW = 3  # cohorts of one person: what is said of those is soon read
EVENTS = Arrived | Departed | BotAdded | BotRemoved


@dataclass(frozen=True, slots=True)
class Product:
    """What every request uses: database threads, vault, router, clock, ids, keys, metrics and settings."""

    threads: DatabaseThreads
    vault: Vault
    router: Router
    clock: Clock
    new_id: Callable[[], UUID]
    chain_key: bytes  # of the ledger's marks
    address: Callable[[], str] = str  # where browsers reach the bot; empty where they cannot
    key_backup_days: int = KEY_BACKUP_DAYS
    metrics: Metrics = field(default_factory=Metrics)
    privacy_settings: PrivacySettings = field(default_factory=PrivacySettings)
    admission: AdmissionControl = field(default_factory=AdmissionControl)

    def work(self, tx: Tx) -> Work:
        """Return this transaction's unit of work, with the clock's time and the process's ids, key and settings."""
        now, address = self.clock.now(), self.address()
        return Work(
            tx, now, self.new_id, self.chain_key, address, self.key_backup_days, privacy_settings=self.privacy_settings
        )


class _TooMuch(Exception):
    """The request may read too much for the event loop."""


OLD_FORM = "This form is too old. Copy what you wrote, close it, and open it again."
UNOPENED = (
    "I can't open or save this, because it or the key that protects it is damaged. Nothing was changed or deleted. "
    "Please tell your coordinator."
)
UNCHECKED = "I couldn't check your account just now, so I didn't change anything. Please try again in a minute."


class Dispatcher:
    """Answers requests. ``wake`` is called after every change, so that deliveries go out at once."""

    def __init__(
        self, product: Product, ports: Mapping[str, Port], wake: Callable[[], None], intervals: Intervals = ONE_PROCESS
    ) -> None:
        self._product = product
        self._ports = ports
        self._wake = wake
        self._timing = intervals
        self._reported: set[UUID] = set()  # accounts whose rows do not fit their seals: one log line each

    async def answer(self, request: Request) -> Reply:
        """The reply to one request; a refusal is a reply too."""
        begun = time.perf_counter()
        try:
            with self._product.admission.answering():
                return isolate_reply(await self._reply(request))
        finally:
            intent = type(request.intent).__name__.lower()
            self._product.metrics.handled(request.who.platform, intent, time.perf_counter() - begun)

    async def _reply(self, request: Request) -> Reply:
        try:
            return await self._answer(request)
        except Refused as refusal:
            return notice(*refusal.text)
        except BadAction:
            if isinstance(request.intent, Submit):  # the form stays, with the words that are in it
                return Reply(errors={"": OLD_FORM})
            return notice("This button is too old. Send the command again.")
        except FormErrors as wrong:
            return Reply(errors=wrong.errors)
        except Sealed:
            event(log, "vault.unopened", logging.ERROR, platform=request.who.platform)
            if isinstance(request.intent, Submit):  # the form stays, with the words that are in it
                return Reply(errors={"": f"{UNOPENED} Before you close this form, copy what you wrote."})
            return notice(UNOPENED)

    async def _answer(self, request: Request) -> Reply:
        profile = None
        if isinstance(request.intent, Arrived):
            profile = await self._profile(request)
        elif self._product.router.checks_account(request):
            profile = await self._profile_now(request)
        for _ in range(TRIES):
            try:
                reply = await self._transaction(request, profile)
            except NoKeyYet as missing:
                await self._make_key(missing.person_id)
                continue
            if reply is not None:
                return reply
            profile = await self._profile(request)
        raise RuntimeError("The account could not be stored.")

    async def _make_key(self, person_id: UUID) -> None:
        """Make a person's data key in a transaction of its own, before anything is sealed with it."""
        product = self._product
        await product.threads.write(lambda tx: product.vault.ensure_keys(product.work(tx), [person_id]))

    async def _transaction(self, request: Request, profile: Profile | None) -> Reply | None:
        """None: the account was never seen, so its profile is needed first."""
        if profile is None and self._product.router.only_reads(request):
            read = await self._only_read(request)
            if read is not None:
                return read
        reply = await self._product.threads.write(lambda tx: self._write(tx, request, profile), interactive=True)
        if reply is not None:
            self._wake()
        return reply

    async def _only_read(self, request: Request) -> Reply | None:
        """None: this cannot be answered by reading alone; finding out who a stranger is, or where, writes."""
        threads = self._product.threads
        try:
            return await threads.quick_read(lambda tx: self._read(tx, request, briefly=True))
        except _TooMuch:
            return await threads.read(lambda tx: self._read(tx, request))

    def _read(self, tx: Tx, request: Request, *, briefly: bool = False) -> Reply | None:
        """None as above. ``briefly``: raise :class:`_TooMuch` where the whole program may have to be read."""
        me = self._actor(tx, request)
        if me is None or me.person_id is None:
            return None
        if briefly and (me.coordinator or len(me.memberships) > FEW):
            raise _TooMuch
        place = self._place(tx, request)
        if not self._is_stored(request, me, place):
            return None
        return self._call(self._product.work(tx), request, me, place)

    def _write(self, tx: Tx, request: Request, profile: Profile | None) -> Reply | None:
        work = replace(self._product.work(tx), acted=True)
        if profile is not None:
            identity.see(work, profile)
        me = self._actor(tx, request)
        if me is None:
            return None
        place = self._place(tx, request)
        if not self._is_stored(request, me, place):
            self._remember(work, request, me)
            place = self._place(tx, request)
        if self._product.router.only_reads(request):
            return self._call(work, request, me, place)
        return self._once(work, request, me, place)

    def _once(self, work: Work, request: Request, me: people.Actor, place: Conversation | None) -> Reply:
        """Handle a request that changes something, unless it was processed before."""
        who = request.who
        key = processed_requests.request_key(work.chain_key, who.platform, who.tenant, who.user, request.key)
        if not processed_requests.record(work, key):
            return Reply(repeated=True)
        reply = self._call(work, request, me, place)
        if isinstance(request.intent, Submit) and (reply.form is not None or reply.errors):
            # The form is not done: it can be changed and sent again while its platform's ids stay the same.
            processed_requests.discard(work, key)
        return reply

    def _call(self, work: Work, request: Request, me: people.Actor, place: Conversation | None) -> Reply:
        return self._product.router.answer(
            Call(work=work, vault=self._product.vault, request=request, me=me, place=place)
        )

    def _actor(self, tx: Tx, request: Request) -> people.Actor | None:
        me = people.actor(tx, request.who.platform, request.who.tenant, request.who.user)
        if me is not None and me.misfits and me.account_id not in self._reported:
            self._reported.add(me.account_id)
            event(log, "seal.misfit", logging.ERROR, account=me.account_id, rows=",".join(me.misfits))
        return me

    # Places -------------------------------------------------------------------------------------

    def _place(self, tx: Tx, request: Request) -> Conversation | None:
        return conversations.find(tx, request.place.platform, request.place.tenant, request.place.conversation)

    def _is_stored(self, request: Request, me: people.Actor, place: Conversation | None) -> bool:
        """Whether what the request says of its place is stored already: most requests write nothing for it."""
        said = request.place
        if not said.conversation:
            return True
        if place is None or place.gone or isinstance(request.intent, EVENTS):
            return False
        named = said.name in ("", place.name)
        reached = not said.reference or dict(said.reference) == dict(place.reference)
        return named and reached and (said.kind != "personal" or place.account_id == me.account_id)

    def _remember(self, work: Work, request: Request, me: people.Actor) -> None:
        place = request.place
        conversations.remember(
            work,
            platform=place.platform,
            tenant=place.tenant,
            external=place.conversation,
            kind=place.kind,
            name=place.name,
            reference=place.reference,
            account_id=me.account_id if place.kind == "personal" else None,
        )

    async def _profile(self, request: Request) -> Profile:
        """The profile of the account that asks; an empty one where the platform does not answer in time."""
        return await self._ask_profile(request) or Profile(request.who, name="")

    async def _profile_now(self, request: Request) -> Profile:
        """What the platform says of the asker, for the account that asks.

        Raises:
            Refused: the platform cannot say it, or not soon.
        """
        profile = await self._ask_profile(request)
        if profile is None:
            raise Refused(UNCHECKED)
        # The platform may say by now that they belong elsewhere; it is said of the account that asks all the same.
        return replace(profile, account=request.who, member=profile.member and profile.active)

    async def _ask_profile(self, request: Request) -> Profile | None:
        try:
            async with asyncio.timeout(self._timing.profile):
                return await self._ports[request.who.platform].profile(request.who, request.place)
        except (Wait, Temporary, Permanent, Uncertain, TimeoutError) as error:
            event(log, "profile.unknown", logging.WARNING, platform=request.who.platform, error=type(error).__name__)
            return None
