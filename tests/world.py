"""A small world to tell stories in: a real database, the real handlers and loops, and a platform of paper.

Tests read as conversations: ``dana.sends("progress")``, ``dana.presses("I'm here")``, ``world.go_to(...)``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select

from bot.runtime.delivery import DeliveryLoop
from bot.runtime.dispatch import Dispatcher, Product
from bot.runtime.planner import look
from bot.runtime.port import Address, Outgoing, Permanent, Sent, Unreachable, Visit
from bot.runtime.threads import DatabaseThreads
from handlers.core.actions import Action, SentAction
from handlers.core.cards import Button, Buttons, Card
from handlers.core.forms import Form
from handlers.core.plain_cards import plain
from handlers.core.requests import (
    AccountKey,
    Command,
    HomeOpened,
    Intent,
    Place,
    PlaceKind,
    Press,
    Profile,
    Reply,
    Request,
    Submit,
    Typed,
)
from handlers.features import router
from handlers.people.handover import roster_changed
from program.people.roster import read_roster
from storage.checkins import checkins, consent
from storage.core import program
from storage.core.database import Database, Tx
from storage.core.migrate import migrate
from storage.core.work import Work
from storage.outbox import due
from storage.people import account_links, people
from storage.people.account_views import AccountView
from storage.people.people_tables import person
from storage.people.roster import import_roster
from storage.record import enrolments, policies
from storage.record.record_tables import enrolment
from storage.vault import seals
from storage.vault.operator_keys import read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault

PLATFORM = "paper"
ADDRESS = "https://plc.example.org"
TENANT = "T1"
OPERATOR_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # a test's key, protecting nothing
START = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)  # a Monday morning in Missouri

ROSTER = """cohort,region,role,name,e-mail,person_id,zone,district,program start,track
Ozarks,Southwest,mentor,Ruth Ellison,ruth@example.org,P1,America/Chicago,R-I,,
Ozarks,Southwest,mentee,Dana Reyes,dana@example.org,P2,America/Chicago,R-I,2026-07-01,
Ozarks,Southwest,mentee,Lee Okafor,lee@example.org,P3,America/Chicago,R-II,2026-07-01,
Ozarks,Southwest,mentee,Sam Whitfield,sam@example.org,P4,America/Denver,R-III,2026-07-01,
Gateway,East,mentor,Tom Becker,tom@example.org,P5,America/Chicago,City,,
Gateway,East,mentee,Jordan Blake,jordan@example.org,P6,America/Chicago,City,2026-07-01,
Program,,coordinator,Carol Dietz,carol@example.org,P7,America/Chicago,,,
"""


class FixedClock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass
class Posted:
    """A message that the bot wrote."""

    conversation: str
    id: str
    delivery: UUID
    card: Card
    updates: int = 0

    @property
    def text(self) -> str:
        return plain(self.card)


@dataclass
class PaperPort:
    """A platform that writes everything down. ``channels``: members by channel."""

    platform: str = PLATFORM
    messages: list[Posted] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    channels: dict[str, list[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)  # channels the bot cannot enter
    deactivated: set[str] = field(default_factory=set)  # users to whom nothing can be written
    failures: list[Exception] = field(default_factory=list)  # raised by the next calls, one each
    after: list[Exception] = field(default_factory=list)  # raised by the next posts once their work is done

    async def post(self, to: Address, message: Outgoing) -> Sent:
        if self.failures:
            raise self.failures.pop(0)
        if to.user in self.deactivated:
            raise Unreachable("The account is deactivated.")
        conversation = to.conversation or f"D-{to.user}"
        posted = Posted(conversation, str(len(self.messages)), message.delivery, message.card)
        self.messages.append(posted)
        if self.after:
            raise self.after.pop(0)
        return Sent(conversation, posted.id)

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        if self.failures:
            raise self.failures.pop(0)
        posted = self.messages[int(message_id)]
        assert posted.conversation == to.conversation
        posted.card = message.card
        posted.updates += 1

    async def find(self, to: Address, delivery: UUID) -> Sent | None:
        for posted in self.messages:
            if posted.delivery == delivery:
                return Sent(posted.conversation, posted.id)
        return None

    async def profile(self, who: AccountKey, place: Place) -> Profile:
        if who.user not in self.profiles:
            raise Permanent("no such user")
        return self.profiles[who.user]

    async def visit(self, place: Place) -> Visit:
        if place.conversation in self.closed:
            return Visit(problem="Invite me with /invite, then send the command again.")
        members = tuple(self.profiles[user] for user in self.channels.get(place.conversation, []))
        return Visit(members, name=place.conversation)

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:
        return next((profile for profile in self.profiles.values() if profile.email == email and profile.member), None)


class World:
    """``platform``, ``tenant``: where everybody has their account."""

    _after_seed: tuple[Any, ...]  # the source of ids once :func:`seed` has run

    def __init__(self, database: Database, seed: int = 1, platform: str = PLATFORM, tenant: str = TENANT) -> None:
        self.database = database
        self.platform, self.tenant = platform, tenant
        self.clock = FixedClock(START)
        self.port = PaperPort(platform)
        self._random = random.Random(seed)
        self.vault = Vault(read_operator_keys(OPERATOR_KEY))
        migrate(database)
        with database.write() as tx:
            chain_key = unlock(tx, self.vault, now=self.clock.at)
        database.use_key(chain_key)
        self.address = ADDRESS
        threads = DatabaseThreads(database)
        self.product = Product(threads, self.vault, router, self.clock, self.new_id, chain_key, lambda: self.address)
        self.loop = DeliveryLoop(self.product, {platform: self.port})
        self.dispatcher = Dispatcher(self.product, {platform: self.port}, lambda: None)
        self._acts = 0

    def new_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def work(self, tx: Tx) -> Work:
        return self.product.work(tx)

    def prepare(self) -> None:
        with self.database.write() as tx:
            program.create(tx, "Test program", example=False)
            checkins.seed_prompts(self.work(tx))
            policies.adopt(self.work(tx), policies.get(tx, policies.EXAMPLE).text, date(2020, 7, 1), None)
            for hook in router.start_hooks:
                hook(self.work(tx))

    def import_roster(self, text: str = ROSTER) -> None:
        with self.database.write() as tx:
            rows, problems = read_roster(text, program.zone_of(tx))
            assert not problems
            plan = import_roster(self.work(tx), rows)
            assert not plan.problems
            for hook in router.start_hooks:
                hook(self.work(tx))
            roster_changed(self.work(tx), plan)

    def skip_seeded_ids(self) -> None:
        """Go on where :func:`seed` stopped, so that no id is given twice."""
        self._random.setstate(World._after_seed)

    def close(self) -> None:
        self.product.threads.close()

    # People -------------------------------------------------------------------------------------

    def account(self, name: str, email: str, *, member: bool = True, user: str | None = None) -> Person:
        """An account on the platform; nobody is linked by this alone."""
        if user is None:  # on Teams people are known by a directory's id
            teams = self.platform == "teams"
            user = str(uuid5(NAMESPACE_URL, email)) if teams else f"U-{email.split('@', maxsplit=1)[0]}"
        self.port.profiles[user] = Profile(
            AccountKey(self.platform, self.tenant, user), name, email=email, email_confirmed=member, member=member
        )
        return Person(self, user)

    def matched(self, name: str, email: str, *, agreed: bool = True) -> Person:
        """Somebody of the roster whose account is linked, who was welcomed long ago, and agreed to check-ins."""
        account = self.account(name, email)
        with self.database.write() as tx:
            work = self.work(tx)
            on_platform = account_links.remember(
                work, self.platform, self.tenant, account.user, name=name, email=email, member=True, active=True
            )
            person = people.by_email(tx, email)
            assert person is not None
            account_links.confirm(work, on_platform.id, person.id, None)
            people.mark_welcomed(work, person.id)
            if agreed:
                consent.decide(work, person.id, AccountView(on_platform.id), consent.AGREED)
            account.id = person.id
        from handlers.checkins.schedule import refresh_schedule

        with self.database.write() as tx:
            refresh_schedule(self.work(tx), [account.id])
        return account

    # Time ---------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Do what is due now and deliver everything."""
        await look(self.product)
        await self.loop.drain()

    async def go_to(self, at: datetime) -> None:
        """Through every due moment until then, each at its own time."""
        while True:
            with self.database.read() as tx:
                coming = due.next_moment(tx)
            if coming is None or coming.due_at > at:
                break
            self.clock.at = max(self.clock.at, coming.due_at)
            await self.settle()
        self.clock.at = at
        await self.settle()

    async def pass_time(self, **span: float) -> None:
        await self.go_to(self.clock.at + timedelta(**span))

    # What the bot wrote -------------------------------------------------------------------------

    def in_channel(self, conversation: str) -> list[Posted]:
        return [message for message in self.port.messages if message.conversation == conversation]

    def to(self, person: Person) -> list[Posted]:
        return self.in_channel(f"D-{person.user}")


def seed(database: Database) -> None:
    """Write the program and the roster that every world begins with."""
    world = World(database)
    world.prepare()
    world.import_roster()
    World._after_seed = world._random.getstate()
    world.close()


def everybody_on(tx: Tx, policy: str, **values: object) -> None:
    """Everybody enrolled is on another policy, as the program would change it."""
    for person_id in tx.scalars(select(enrolment.c.person_id)).all():
        enrolments.change_row(tx, person_id, {"policy": policy, **values})


def renamed(tx: Tx, email: str, name: str) -> None:
    """Somebody has another name on the roster."""
    somebody = people.by_email(tx, email)
    assert somebody is not None
    seals.change(tx, person, somebody.id, {"name": name})


def everybody_agrees(work: Work, but: str = "") -> None:
    """Everybody of the program has read the notice and agreed to check-ins; ``but``: an address."""
    for person_id in work.tx.scalars(select(person.c.id).where(person.c.email != but)).all():
        consent.decide(work, person_id, None, consent.AGREED)


def buttons_of(card: Card) -> list[Button]:
    blocks = [block for block in card.blocks if isinstance(block, Buttons)]
    return [button for block in blocks for button in block.buttons if isinstance(button, Button)]


def button(card: Card, label: str) -> Action:
    actions = [button.action for button in buttons_of(card) if button.label == label]
    assert actions, f"no button {label!r} on {plain(card)}"
    return actions[0]


class Person:
    """Somebody at their phone."""

    def __init__(self, world: World, user: str) -> None:
        self.world = world
        self.user = user
        self.id = UUID(int=0)

    def _place(self, channel: str | None) -> Place:
        kind: PlaceKind = "channel" if channel else "personal"
        return Place(self.world.platform, self.world.tenant, channel or f"D-{self.user}", kind, channel or "")

    async def tries(self, intent: Intent, channel: str | None = None, key: str | None = None) -> Reply:
        """Do something; what it set going is not delivered yet."""
        self.world._acts += 1
        act = key or f"act-{self.world._acts}"
        who = AccountKey(self.world.platform, self.world.tenant, self.user)
        return await self.world.dispatcher.answer(Request(who, self._place(channel), intent, act))

    async def does(self, intent: Intent, channel: str | None = None, key: str | None = None) -> Reply:
        reply = await self.tries(intent, channel, key)
        await self.world.loop.drain()
        return reply

    async def sends(self, words: str, channel: str | None = None) -> Reply:
        return await self.does(Command(words), channel)

    async def types(self, text: str) -> Reply:
        return await self.does(Typed(text))

    async def keeps(self, text: str) -> Reply:
        """Type words and keep them as the reflection; the answer becomes what the offer's card became."""
        kept = await self.presses(await self.types(text), "Keep as my reflection")
        return Reply(card=kept.replace or kept.card)

    async def opens_home(self) -> Reply:
        return await self.does(HomeOpened())

    async def presses(self, where: Card | Posted | Reply, label: str, channel: str | None = None) -> Reply:
        card = where.card if isinstance(where, Posted | Reply) else where
        assert card is not None
        return await self.does(Press(button(card, label)), channel)

    async def does_press(self, name: str, *args: str, channel: str | None = None) -> Reply:
        """A press with an id of one's own choosing: a forged button."""
        return await self.does(Press(SentAction(name, args)), channel)

    async def fills(self, form: Form | None, channel: str | None = None, **values: str | Sequence[str]) -> Reply:
        """Send a form: what it was filled with, and what is given here."""
        assert form is not None
        sent = field_texts(form, values)
        return await self.does(Submit(form.action, sent), channel)


def field_texts(form: Form, values: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Every field of a form as it is sent: what it was filled with, and ``values`` in place of that."""
    sent: dict[str, tuple[str, ...]] = {}
    for entry in form.fields:
        before = getattr(entry, "values", None) if hasattr(entry, "values") else getattr(entry, "value", "")
        sent[entry.id] = _texts(before)
    unknown = set(values) - set(sent)
    assert not unknown, f"the form has no {unknown}"
    return sent | {name: _texts(value) for name, value in values.items()}


def _texts(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ("",)
    if isinstance(value, tuple | list):
        return tuple(str(element) for element in value)
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return (text[:5] if "-" not in text else text,)
    return (str(value),)


def said(reply: Reply) -> str:
    """Everything a reply shows, as text."""
    parts = [plain(card) for card in (reply.card, reply.replace) if card is not None]
    if reply.form is not None:
        parts.append(plain(Card(reply.form.title, reply.form.blocks)))
    parts += [f"{name}: {text}" for name, text in reply.errors.items()]
    return "\n".join(parts)
