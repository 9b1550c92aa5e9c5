"""One program in Teams, told over HTTP: the real product, the fake of Teams, and people who talk to the bot.

Stories read as conversations: ``await dana.says("progress")``, ``await dana.taps(card, "Coming")``. Whatever the
bot writes or answers on the way is kept, so that a story can end with :meth:`Story.check_cards`.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

from bot.app import App
from bot.cli import roster
from bot.settings import Settings
from bot.startup import open_database, prepare
from bot.teams import connect
from bot.teams.forms import INPUT
from storage.core.database import Database, Tx
from storage.outbox import due
from storage.people import people
from storage.schema import metadata
from tests.fakes.teams import (
    APP_ID,
    BOT,
    CHANNEL,
    PASSWORD,
    TEAM,
    TENANT,
    FakeTeams,
    Message,
    Person,
    TeamsClient,
    actions_of,
    inputs_of,
    walk,
    words_of,
)
from tests.teams.cards import validate
from tests.world import ADDRESS, OPERATOR_KEY, ROSTER, START, FixedClock, everybody_agrees

MOST_BYTES = 28 * 1024  # of a message; older clients show no more
GATEWAY_CHANNEL = "19:gateway@thread.tacv2"
WORDS = ("text", "title", "label", "value", "id", "data", "fallbackText", "errorMessage", "url", "name")
ADAPTIVE = "application/vnd.microsoft.card.adaptive"

# The shapes of cards that were valid in this test process: every story shows many of the same.
_valid_shapes: set[str] = set()

Result = TypeVar("Result")


def somebody(name: str, number: int, *, email: str = "", guest: bool = False) -> Person:
    """A person of the tenant; a guest's sign-in name differs from the address."""
    first = name.split(maxsplit=1)[0].lower()
    address = email or f"{first}@example.org"
    sign_in = f"{address.replace('@', '_')}#EXT#@program.onmicrosoft.example" if guest else address
    object_id = f"00000000-1111-2222-3333-{number:012}"
    return Person(name, f"29:1{first}{number}", object_id, sign_in, address, "guest" if guest else "user")


RUTH = somebody("Ruth Ellison", 11)
DANA = somebody("Dana Reyes", 12)
LEE = somebody("Lee Okafor", 13, guest=True)
SAM = somebody("Sam Whitfield", 14)
TOM = somebody("Tom Becker", 15)
JORDAN = somebody("Jordan Blake", 16)
CAROL = somebody("Carol Dietz", 17)
OLLIE = somebody("Ollie Outside", 18)  # of the team, on no roster
EVERYBODY = (RUTH, DANA, LEE, SAM, TOM, JORDAN, CAROL, OLLIE)


def settings_in(folder: Path, url: str | None = None) -> Settings:
    return Settings(
        plc_port=0,
        plc_public_url=ADDRESS,
        plc_database_url=url or f"sqlite:///{folder / 'plc.sqlite'}",
        plc_encryption_keys=OPERATOR_KEY,
        plc_coordinators=("carol@example.org",),
        teams_app_id=APP_ID,
        teams_app_password=PASSWORD,
        teams_tenant_id=TENANT,
        teams_allow_unauthenticated=False,
        slack_bot_token=None,
        slack_app_token=None,
        slack_signing_secret=None,
    )


@dataclass
class Dialog:
    """An open dialog."""

    title: str
    card: dict[str, Any]
    channel: bool
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return words_of(self.card)

    @property
    def fields(self) -> dict[str, Any]:
        """What each input holds, by the field's name."""
        return {name.removeprefix(INPUT): part.get("value") for name, part in inputs_of(self.card).items()}

    def labels(self) -> dict[str, str]:
        return {name.removeprefix(INPUT): part.get("label", "") for name, part in inputs_of(self.card).items()}


@dataclass(frozen=True)
class Answer:
    """What the bot answered an act with, and what it wrote into the actor's personal chat because of it."""

    act: Mapping[str, Any]
    status: int
    body: Any
    messages: tuple[Message, ...] = ()
    channel: bool = False

    @property
    def told(self) -> str:
        """The passing word that only the actor sees."""
        if self.body is None:
            return ""
        if "task" in self.body:
            value = self.body["task"]["value"]
            return value if isinstance(value, str) else ""
        return str(self.body["value"]) if isinstance(self.body.get("value"), str) else ""

    @property
    def card(self) -> dict[str, Any] | None:
        """What the pressed card became."""
        if self.body is not None and self.body.get("type") == ADAPTIVE:
            card: dict[str, Any] = self.body["value"]
            return card
        return None

    @property
    def dialog(self) -> Dialog:
        task = self.body["task"]
        assert task["type"] == "continue", task
        return Dialog(task["value"]["title"], task["value"]["card"]["content"], self.channel)

    @property
    def closed(self) -> bool:
        """The dialog went away."""
        return self.body is None or self.body["task"]["type"] == "message"

    @property
    def text(self) -> str:
        """Everything the actor was shown by it."""
        parts = [words_of(self.card) if self.card else self.told]
        return "\n".join([*parts, *(shown(message) for message in self.messages)]).strip()


def shown(message: Message) -> str:
    """A message as people read it."""
    activity = message.activity
    return words_of(message.card) if activity.get("attachments") else str(activity.get("text", ""))


@dataclass
class Story:
    """The running program."""

    app: App
    fake: FakeTeams
    clock: FixedClock
    settings: Settings
    database: Database
    answers: list[Answer] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.app.address}api/messages"

    def meets(self, person: Person) -> Someone:
        if person not in self.fake.people:
            self.fake.people.append(person)
        return Someone(self, person)

    # Time ---------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Do what is due now and deliver everything."""
        await self.app.scheduler.look()
        await self.app.loop.drain()

    async def go_to(self, at: datetime) -> None:
        """Through every due moment until then, each at its own time."""
        while (coming := self.read(due.next_moment)) is not None and coming.due_at <= at:
            self.clock.at = max(self.clock.at, coming.due_at)
            await self.settle()
        self.clock.at = at
        await self.settle()

    async def pass_time(self, **span: float) -> None:
        await self.go_to(self.clock.at + timedelta(**span))

    # Looking ------------------------------------------------------------------------------------

    def read(self, function: Callable[[Tx], Result]) -> Result:
        with self.database.read() as tx:
            return function(tx)

    def all_agree(self) -> None:
        """Everybody has read the notice and agreed to check-ins."""
        with self.database.write() as tx:
            everybody_agrees(self.app.product.work(tx))

    def person_id(self, person: Person) -> UUID:
        stored = self.read(lambda tx: people.by_email(tx, person.email))
        assert stored is not None
        return stored.id

    def in_channel(self, channel: str = CHANNEL) -> list[Message]:
        """The cards in a channel, without what was said in threads."""
        return self.fake.posted(channel)

    def thread(self, channel: str = CHANNEL) -> list[str]:
        """What the bot said under what people wrote in a channel."""
        return [
            shown(message)
            for name, said in self.fake.messages.items()
            if name.startswith(channel + ";")
            for message in said
        ]

    def cards(self) -> list[dict[str, Any]]:
        """Every card that the bot ever wrote, changed or answered with."""
        bodies = [
            call.body for call in self.fake.calls if call.method in ("POST", "PUT") and "/activities" in call.path
        ]
        cards = [part["content"] for body in bodies for part in body.get("attachments") or []]
        for answer in self.answers:
            task = (answer.body or {}).get("task", {}).get("value")
            if isinstance(task, dict):
                cards.append(task["card"]["content"])
            elif answer.card is not None:
                cards.append(answer.card)
        return cards

    def check_cards(self) -> int:
        """Every message is small enough, and every card is one that Teams can show."""
        for call in self.fake.calls:
            if "/activities" in call.path:
                assert len(json.dumps(call.body)) < MOST_BYTES
        shapes = {}
        for card in self.cards():
            assert len(json.dumps(card)) < MOST_BYTES
            shapes[json.dumps(_shape(card))] = card  # what differs in words alone is valid alike
        for shape, card in shapes.items():
            if shape not in _valid_shapes:
                validate(card)
                _valid_shapes.add(shape)
        return len(shapes)

    def everything(self) -> dict[str, list[Any]]:
        """Every row of the database but the idempotency keys: what a repeated act must not change."""

        def rows(tx: Tx) -> dict[str, list[Any]]:
            tables = [table for table in metadata.sorted_tables if table.name != "processed_request"]
            return {table.name: sorted(map(str, tx.execute(table.select()).all())) for table in tables}

        return self.read(rows)


def _shape(part: Any) -> Any:
    """A card without its words."""
    if isinstance(part, list):
        return [_shape(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: type(item).__name__ if name in WORDS else _shape(item) for name, item in part.items()}


class Someone:
    """Somebody in front of Teams."""

    def __init__(self, story: Story, person: Person) -> None:
        self.story, self.person = story, person
        self.client = TeamsClient(story.fake, story.url, person=person)
        self.last: Answer | None = None

    @property
    def id(self) -> UUID:
        return self.story.person_id(self.person)

    # What they see ------------------------------------------------------------------------------

    @property
    def chat(self) -> list[Message]:
        return self.story.fake.posted(self.story.fake.chat_of(self.person))

    def sees(self, title: str) -> Message:
        """The newest message of the personal chat that begins so."""
        messages = [message for message in self.chat if shown(message).startswith(title)]
        assert messages, (
            f"{self.person.name} sees nothing like {title!r}, but: {[shown(message)[:60] for message in self.chat]}"
        )
        return messages[-1]

    def never_saw(self, words: str) -> bool:
        return all(words not in shown(message) for message in self.chat)

    # What they do -------------------------------------------------------------------------------

    async def acts(self, activity: Mapping[str, Any], *, channel: bool = False) -> Answer:
        before = len(self.chat)
        status, body = await self.client.send(activity)
        await self.story.app.loop.drain()
        answer = Answer(activity, status, body, tuple(self.chat[before:]), channel)
        assert status == 200, status
        self.last = answer
        self.story.answers.append(answer)
        return answer

    async def repeats(self) -> Answer:
        """Teams sends the last act again, as it does when an answer was late."""
        assert self.last is not None
        return await self.acts(self.last.act, channel=self.last.channel)

    async def says(self, text: str) -> Answer:
        return await self.acts(self.client.says(text))

    async def asks(self, text: str, channel: str = CHANNEL, others: Sequence[Person] = ()) -> Answer:
        """Mentions the bot in a channel, and after the text other people."""
        self.client.channel = channel
        return await self.acts(self.client.mentions(text, others=others), channel=True)

    async def taps(self, where: Message | Mapping[str, Any], label: str, channel: str = "") -> Answer:
        """Presses a button, in the personal chat or in a channel."""
        card = where.card if isinstance(where, Message) else where
        message = where.id if isinstance(where, Message) else ""
        buttons = actions_of(card)
        assert label in buttons, f"no button {label!r} among {list(buttons)}"
        button = buttons[label]
        self.client.channel = channel or CHANNEL
        there = bool(channel)
        if button["type"] == "Action.Execute":
            press = self.client.presses(button["data"], verb=button["verb"], channel=there, card=message)
            answer = await self.acts(press, channel=there)
            if answer.card is not None and isinstance(where, Message):
                where.activity["attachments"][0]["content"] = answer.card
            return answer
        opens = button["data"].get("msteams", {}).get("type") == "task/fetch"
        assert opens, f"{label!r} would be a message"
        return await self.acts(self.client.opens_dialog(button["data"], channel=there, card=message), channel=there)

    async def goes_back(self, dialog: Dialog) -> Answer:
        """Presses "Back", which sends nothing of what was filled in."""
        back = actions_of(dialog.card)["Back"]
        assert back["associatedInputs"] == "none"
        return await self.acts(self.client.sends_dialog(back["data"], channel=dialog.channel), channel=dialog.channel)

    async def sends(self, dialog: Dialog, **values: str | int) -> Answer:
        """Fills in a dialog and presses its first button."""
        unknown = set(values) - set(dialog.fields)
        assert not unknown, f"the dialog has no {unknown}, but {list(dialog.fields)}"
        button = next(iter(actions_of(dialog.card).values()))
        assert button["type"] == "Action.Submit"
        held = {**dialog.fields, **values}
        sent = {INPUT + name: value for name, value in held.items() if value is not None}
        sending = self.client.sends_dialog({**button["data"], **sent}, channel=dialog.channel)
        return await self.acts(sending, channel=dialog.channel)


@asynccontextmanager
async def telling(
    folder: Path, *, everybody: Sequence[Person] = EVERYBODY, text: str = ROSTER, url: str | None = None
) -> AsyncIterator[Story]:
    """A running program with an imported roster; the bot is nowhere yet."""
    clock, chance = FixedClock(START), random.Random(7)

    def new_id() -> UUID:
        return UUID(int=chance.getrandbits(128), version=4)

    settings = settings_in(folder, url)
    roster.import_file(settings, text, clock.now(), new_id, dry_run=False)
    database = open_database(settings)
    async with FakeTeams(people=list(everybody)) as fake:
        fake.channels = {CHANNEL: "Ozarks PLC", GATEWAY_CHANNEL: "Gateway PLC"}
        app = App(settings, database, prepare(settings, database, clock, new_id), clock, new_id)
        join(app, fake)
        await app.start()
        await app.loop.stop()  # from here on the story says when deliveries go out
        try:
            yield Story(app, fake, clock, settings, database)
        finally:
            await app.stop()


def join(app: App, fake: FakeTeams) -> None:
    """Add Teams to an app that has its settings."""
    assert app.settings.teams is not None
    app.add(
        connect(
            app.settings.teams,
            app.dispatcher.answer,
            login_url=fake.login_url,
            metadata_url=fake.metadata_url,
            service_url=fake.service_url,
            timeout=5,
        )
    )


# What Teams tells of the team -------------------------------------------------------------------


def of_the_team(
    by: Someone, change: Literal["membersAdded", "membersRemoved"], *accounts: Mapping[str, Any]
) -> dict[str, Any]:
    """People, or the bot, came into or left the team: Teams names the team's conversation, never a channel's."""
    activity = by.client.members(change, *accounts)
    activity["conversation"] = {
        "isGroup": True,
        "conversationType": "channel",
        "tenantId": TENANT,
        "id": TEAM,
    }
    kind = "teamMemberAdded" if change == "membersAdded" else "teamMemberRemoved"
    data = {"team": {"id": TEAM, "name": "Mentoring"}, "eventType": kind, "tenant": {"id": TENANT}}
    return {**activity, "channelData": data}


async def linked(story: Story) -> dict[str, Someone]:
    """The first steps in short: both cohorts have their channel, everybody is matched, welcomed, and agreed."""
    story.all_agree()
    everybody = {person.name.split()[0].lower(): story.meets(person) for person in EVERYBODY}
    carol = everybody["carol"]
    await carol.acts(of_the_team(carol, "membersAdded", {"id": BOT}))
    await carol.says("hello")
    await carol.taps(carol.sees("Is this you?"), "Yes, that's me")
    for cohort, channel in (("Ozarks", CHANNEL), ("Gateway", GATEWAY_CHANNEL)):
        await carol.asks("cohort link", channel)
        await carol.taps(carol.sees("Which cohort?"), cohort)
    for name, someone in everybody.items():
        if name not in ("carol", "lee", "ollie"):
            await someone.taps(someone.sees("Is this you?"), "Yes, that's me")
    await match(carol, LEE)
    return everybody


async def match(coordinator: Someone, person: Person) -> Answer:
    """The coordinator says whose a guest's account is."""
    await coordinator.says("people")
    opened = await coordinator.taps(coordinator.sees("Not matched"), "Match someone")
    choices = {name: part["choices"] for name, part in inputs_of(opened.dialog.card).items()}

    def value(field_name: str) -> str:
        wanted = [choice["value"] for choice in choices[INPUT + field_name] if choice["title"].startswith(person.name)]
        assert len(wanted) == 1, choices[INPUT + field_name]
        return str(wanted[0])

    return await coordinator.sends(opened.dialog, person=value("person"), account=value("account"))


def texts_in(card: Mapping[str, Any]) -> list[str]:
    """Every text run, choice and title of a card."""
    return [str(part[name]) for part in walk(card) for name in ("text", "title", "label", "value") if name in part]
