"""The whole product on a small Slack: the real app, its clock in the story's hand, and the cohort's people."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
from sqlalchemy import Select, func, select

from bot.app import App
from bot.cli.roster import import_file
from bot.settings import Settings
from bot.slack import Clocks, Patience, SlackPlatform, Watch, connect
from bot.startup import open_database, prepare
from storage.core.database import Database, Tx
from storage.outbox import due
from storage.outbox.outbox_tables import delivery
from storage.people.people_tables import person
from storage.record.record_tables import enrolment, ledger_line
from tests.fakes.slack import (
    APP_TOKEN,
    BOT_TOKEN,
    BOT_USER,
    SIGNING_SECRET,
    Answered,
    FakeSlack,
    HttpWire,
    Json,
    SlackPerson,
    SocketWire,
    Wire,
    inputs,
)
from tests.slack.phone import ZONE, screen
from tests.world import ADDRESS, OPERATOR_KEY, ROSTER, START, FixedClock, everybody_agrees

OZARKS = "C00OZARKS"
GATEWAY = "C00GATEWAY"
LOUNGE = "C00LOUNGE"  # a channel of no cohort
PATIENCE = Patience(answer=30, form=30, stop=20)  # longer than any answer takes on a busy machine


async def no_sleep(seconds: float) -> None:
    """A wait that a story does not have to sit through."""


class Neighbour(SlackPerson):
    """Somebody of the cohort with a phone: what they see is text, and what they press is on it."""

    def __init__(self, story: Story, user: str, zone: str = ZONE) -> None:
        super().__init__(story.fake, story.wire, user)
        self.story = story
        self.zone = zone

    # Seeing ------------------------------------------------------------------------------------

    @property
    def chat(self) -> str:
        return self.fake.chat(self.user).id

    def inbox(self) -> list[str]:
        """The bot's messages in this person's chat with it."""
        return [screen(message, self.zone) for message in self.fake.messages(self.chat)]

    def last(self) -> str:
        return self.inbox()[-1]

    def reads(self, channel: str) -> list[str]:
        """The bot's messages in a channel, as this person sees them."""
        return [screen(message, self.zone) for message in self.fake.messages(channel)]

    def modal(self) -> str:
        return screen(self.fake.top_view(self.user), self.zone)

    def field(self, label: str) -> str:
        """The name of the field with this label in the modal they see."""
        view = self.fake.top_view(self.user)
        generator = (element["action_id"] for block, element in inputs(view) if block["label"]["text"] == label)
        return str(next(generator))

    def home(self) -> str:
        return screen(self.fake.homes[self.user], self.zone)

    # Doing -------------------------------------------------------------------------------------

    async def sends(self, text: str, channel: str = "") -> str:
        """``/plc text`` in a channel, else in the chat with the bot; what is answered to them alone."""
        before = len(self.fake.notices)
        await self.command(text, channel or self.chat)
        await self.story.settled()
        return "\n".join(screen(notice, self.zone) for notice in self.fake.notices[before:])

    async def types(self, text: str) -> str:
        """A message to the bot; what it answers in the chat."""
        before = len(self.inbox())
        await self.say(text)
        await self.story.settled()
        return "\n".join(self.inbox()[before:])

    async def taps(self, label: str, message: Json, channel: str, *, notice: bool = False) -> str:
        """Press a button; what they alone are told."""
        notices, messages = len(self.fake.notices), len(self.inbox())
        await self.press(label, message, channel, ephemeral=notice)
        await self.story.settled()
        told = [screen(notice, self.zone) for notice in self.fake.notices[notices:]]
        return "\n".join([*told, *self.inbox()[messages:]])

    async def taps_in_chat(self, label: str, about: str = "") -> str:
        """Press a button of the bot's newest message in the chat that has one and says this."""
        return await self.taps_in(self.chat, label, about)

    async def taps_in(self, channel: str, label: str, about: str = "") -> str:
        return await self.taps(label, self.message(channel, label, about), channel)

    def message(self, channel: str, label: str, about: str = "") -> Json:
        """The newest message with this button and these words."""
        for message in reversed(self.fake.messages(channel)):
            shown = screen(message, self.zone)
            if f"[{label}]" in shown and about in shown:
                return message
        raise AssertionError(f"no message with [{label}] and {about!r}")

    async def taps_notice(self, label: str, channel: str = "") -> str:
        """Press a button of the last notice that only they saw."""
        return await self.taps(label, self.fake.notices[-1], channel or self.chat, notice=True)

    async def fills(self, **values: Any) -> str:
        """Send the modal they see; what they are told, or the modal that follows."""
        notices, messages = len(self.fake.notices), len(self.inbox())
        answered = await self.send(**values)
        await self.story.settled()
        if answered.body.get("response_action") == "errors":
            return "\n".join(answered.body["errors"].values())
        if self.fake.sees_modal(self.user):
            return self.modal()
        told = [screen(notice, self.zone) for notice in self.fake.notices[notices:]]
        return "\n".join([*told, *self.inbox()[messages:]])


@dataclass
class Story:
    """The running product and everybody in it."""

    fake: FakeSlack
    app: App
    platform: SlackPlatform
    clock: FixedClock
    wire: Wire
    settings: Settings
    draining: asyncio.Lock

    def __post_init__(self) -> None:
        self.carol = Neighbour(self, "U00CAROL")
        self.ruth = Neighbour(self, "U00RUTH")
        self.dana = Neighbour(self, "U00DANA")
        self.lee = Neighbour(self, "U00LEE")
        self.sam = Neighbour(self, "U00SAM", "America/Denver")
        self.tom = Neighbour(self, "U00TOM")
        self.jordan = Neighbour(self, "U00JORDAN")
        self.olga = Neighbour(self, "U00OLGA")

    # Time --------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Do what is due, until every answer is out and every message is delivered."""
        while True:
            await self.platform._asking.finish()
            await self.app.scheduler.look()
            await self.app.loop.drain()
            if not self.draining.locked() and not await self.app.product.threads.read(self._waiting):
                break
        await self.platform._asking.finish()

    def _waiting(self, tx: Tx) -> bool:
        ready = (delivery.c.state == "queued") & (delivery.c.not_before <= self.clock.at)
        return bool(tx.scalar(select(func.count()).where(ready)))

    async def go_to(self, at: datetime) -> None:
        """Through every due moment until then, each at its own time."""
        while True:
            coming = await self.app.product.threads.read(due.next_moment)
            if coming is None or coming.due_at > at:
                break
            self.clock.at = max(self.clock.at, coming.due_at)
            await self.settled()
        self.clock.at = at
        await self.settled()

    async def pass_time(self, **span: float) -> None:
        await self.go_to(self.clock.at + timedelta(**span))

    # The database ------------------------------------------------------------------------------

    async def rows(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        return await self.app.product.threads.read(lambda tx: [tuple(row) for row in tx.execute(query)])

    async def ledger(self) -> list[tuple[Any, ...]]:
        """Every line of the attendance ledger: name, step, status, minutes, reason."""
        entry = ledger_line.c
        columns = (person.c.name, entry.step, entry.status, entry.minutes, entry.reason)
        lines = select(*columns).join_from(ledger_line, enrolment).join(person, person.c.id == enrolment.c.person_id)
        return await self.rows(lines.order_by(entry.recorded_at, person.c.name, entry.position))

    async def undelivered(self) -> list[tuple[Any, ...]]:
        """What is failed, unconfirmed, or still on its way."""
        return await self.rows(
            select(delivery.c.kind, delivery.c.state, delivery.c.reason).where(
                delivery.c.state.not_in(("sent", "dropped"))
            )
        )

    # The terminal ------------------------------------------------------------------------------

    def imports(self, text: str = ROSTER, *, dry_run: bool = False) -> list[str]:
        """``plc-bot roster import``; what it says has changed."""
        new_id = self.app.product.new_id
        return [change.text for change in import_file(self.settings, text, self.clock.at, new_id, dry_run=dry_run)]

    # Chapters that other chapters begin with ---------------------------------------------------

    async def all_matched(self) -> None:
        """The roster is in, Ozarks has its home channel, and everybody of both cohorts is matched and agreed."""
        self.imports()
        await self.all_agree()
        for neighbor in (self.carol, self.ruth, self.dana, self.tom, self.jordan):
            await neighbor.types("hello")
            await neighbor.taps_in_chat("Yes, that's me")
        await self.ruth.sends("cohort link", OZARKS)
        for user in (self.lee, self.sam):
            await self.match(user)
        await self.tom.sends("cohort link", GATEWAY)

    async def all_agree(self) -> None:
        """Everybody has read the notice and agreed to check-ins."""
        await self.app.product.threads.write(lambda tx: everybody_agrees(self.app.product.work(tx)))

    async def match(self, who: Neighbour) -> str:
        """The coordinator matches an account that no address gives away."""
        name = self.fake.users[who.user]["real_name"]
        await self.carol.sends("people")
        await self.carol.taps_notice("Match someone")
        person = self.option(self.carol, "person", name)
        account = self.option(self.carol, "account", name)
        return await self.carol.fills(person=person, account=account)

    def option(self, who: Neighbour, field: str, label: str) -> str:
        """The value of the choice in the modal whose label holds this."""
        blocks = self.fake.top_view(who.user)["blocks"]
        element = next(
            block["element"] for block in blocks if block["type"] == "input" and block["element"]["action_id"] == field
        )
        values = [option["value"] for option in element["options"] if label in option["text"]["text"]]
        assert len(values) == 1, f"{len(values)} options with {label!r}"
        return str(values[0])

    async def scheduled(self, **values: Any) -> str:
        """Three Thursdays at 15:30 in Missouri, from 10 September 2026, unless told otherwise."""
        await self.ruth.sends("meeting new", OZARKS)
        await self.ruth.fills(**{**SERIES, **values})
        return await self.ruth.fills()


SERIES = {
    "topic": "First steps",
    "day": "2026-09-10",
    "at": "15:30",
    "minutes": "60",
    "place": "https://meet.example.org/ozarks",
    "repeat": "weekly",
    "until": "2026-09-24",
}


def a_small_slack() -> FakeSlack:
    """The workspace: Lee is a guest there, Sam has another address than on the roster, Olga is nobody's."""
    fake = FakeSlack()
    fake.add_user("U00CAROL", "Carol Dietz", "carol@example.org")
    fake.add_user("U00RUTH", "Ruth Ellison", "ruth@example.org")
    fake.add_user("U00DANA", "Dana Reyes", "Dana@Example.org")
    fake.add_user("U00LEE", "Lee Okafor", "lee@example.org", is_restricted=True)
    fake.add_user("U00SAM", "Sam Whitfield", "swhitfield@work.example", tz="America/Denver")
    fake.add_user("U00TOM", "Tom Becker", "tom@example.org")
    fake.add_user("U00JORDAN", "Jordan Blake", "jordan@example.org")
    fake.add_user("U00OLGA", "Olga Stranger", "olga@elsewhere.example")
    fake.add_channel(OZARKS, "plc-ozarks", ("U00RUTH", "U00DANA", "U00LEE", "U00SAM", "U00CAROL"))
    fake.add_channel(GATEWAY, "plc-gateway", ("U00TOM", "U00JORDAN"), private=True)
    fake.channels[GATEWAY].members.append(BOT_USER)
    fake.add_channel(LOUNGE, "lounge", ("U00RUTH", "U00DANA", "U00OLGA", BOT_USER))
    return fake


def settings_for(fake: FakeSlack, database_url: str, *, socket: bool = False) -> Settings:
    return Settings(
        plc_port=0,
        plc_public_url=ADDRESS,
        plc_database_url=database_url,
        plc_encryption_keys=OPERATOR_KEY,
        plc_coordinators=("carol@example.org",),
        slack_bot_token=BOT_TOKEN,
        slack_app_token=APP_TOKEN if socket else None,
        slack_signing_secret=None if socket else SIGNING_SECRET,
        slack_api_url=fake.api_url,
    )


@asynccontextmanager
async def told(database_url: str, *, socket: bool = False, seed: int = 1) -> AsyncIterator[Story]:
    """The product, started as an operator deploys it, on a small Slack."""
    fake = a_small_slack()
    await fake.start()
    settings = settings_for(fake, database_url, socket=socket)
    clock, chance = FixedClock(START), random.Random(seed)

    def new_id() -> UUID:
        return UUID(int=chance.getrandbits(128), version=4)

    database = open_database(settings)
    app, platform = _wired(settings, database, clock, new_id)
    draining = _one_at_a_time(app)
    await app.start()
    try:
        async with aiohttp.ClientSession() as session:
            wire: Wire = SocketWire(fake) if socket else HttpWire(session, f"{app.address}slack/events")
            if socket:
                await fake.socket_opened()
            yield Story(fake, app, platform, clock, wire, settings, draining)
    finally:
        await app.stop()
        await fake.stop()


def _wired(settings: Settings, database: Database, clock: FixedClock, new_id: Any) -> tuple[App, SlackPlatform]:
    """As :func:`bot.main.build` does, with the story's own clock and patience."""
    vault = prepare(settings, database, clock, new_id)
    app = App(settings, database, vault, clock, new_id)
    return app, joined(app)


def joined(app: App) -> SlackPlatform:
    """Slack, added to an app that has its settings, with a story's patience."""
    assert app.settings.slack is not None
    platform = connect(
        app.settings.slack,
        app.dispatcher.answer,
        patience=PATIENCE,
        clocks=Clocks(sleep=no_sleep),
        watch=Watch(every=0.01, misses=2, connect=5, first_wait=0.01, longest_wait=0.05),
        timeout=20,
    )
    app.add(platform)
    return platform


def _one_at_a_time(app: App) -> asyncio.Lock:
    """The app's own delivery loop and the story take turns, so that the story knows when all is delivered."""
    lock, drain = asyncio.Lock(), app.loop.drain

    async def drained() -> int:
        async with lock:
            return await drain()

    setattr(app.loop, "drain", drained)  # noqa: B010 -- a method of one object, replaced for a test
    return lock


__all__ = ["GATEWAY", "LOUNGE", "OZARKS", "SERIES", "Answered", "Neighbour", "Story", "joined", "told"]
