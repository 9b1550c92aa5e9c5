"""The ways into one program: through the paper platform, and through each real platform's own HTTP."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from bot.app import App
from bot.local.local_port import PLATFORM as LOCAL
from bot.local.local_port import TENANT as LOCAL_TENANT
from bot.local.local_render import path_of
from bot.local.messages import direct
from bot.runtime.clock import AheadClock, Clock
from bot.settings import Settings
from bot.slack import PLATFORM as SLACK
from bot.slack import SlackPlatform
from bot.slack.slack_render import FORM, PRESS
from bot.teams.activities import PLATFORM as TEAMS
from bot.teams.forms import INPUT
from bot.workspace import add_workspace
from handlers.core.actions import SentAction
from handlers.core.requests import Command, Press, Submit
from tests.authorization.people import Actors, Attempt, Told, made
from tests.fakes import slack, teams
from tests.fakes.slack import FakeSlack, HttpWire, Json, SlackPerson
from tests.fakes.teams import FakeTeams, TeamsClient
from tests.slack import story as slack_story
from tests.teams import story as teams_story
from tests.world import OPERATOR_KEY, PLATFORM, TENANT, FixedClock, said

OPENS_FORM = ("open", "share", "write", "read", "new", "edit", "settings", "correct", "fill", "match")
NEW_EACH_TIME = ("ts", "channel_ts", "block_id", "action_id", "private_metadata", "id", "replyToId")


def opens_form(attempt: Press) -> bool:
    """Whether the button is one that opens a form: Slack and Teams send such a press in another way."""
    return attempt.action.name.endswith(OPENS_FORM)


def told(whole: Any) -> Told:
    """JSON as somebody reads it, and without what is new in every answer."""
    lasting = _lasting(whole)
    return Told(json.dumps(lasting, ensure_ascii=False), lasting)


def _lasting(part: Any) -> Any:
    if isinstance(part, list | tuple):
        return [_lasting(element) for element in part]
    if isinstance(part, dict):
        return {name: _lasting(value) for name, value in part.items() if name not in NEW_EACH_TIME}
    return part


# Paper ------------------------------------------------------------------------------------------


@dataclass
class Paper:
    actors: Actors

    async def does(self, user: str, attempt: Attempt) -> Told:
        who = next(person for person in self.actors.people.values() if person.user == user)
        reply = await who.tries(attempt)
        return Told(said(reply), reply)


@asynccontextmanager
async def through_paper(actors: Actors) -> AsyncIterator[Paper]:
    world = actors.world
    world.dispatcher = actors.dispatcher(world.product, {world.platform: world.port})
    yield Paper(actors)


# The real app -----------------------------------------------------------------------------------


@asynccontextmanager
async def started(actors: Actors, settings: Settings, add: Callable[[App], object], clock: Clock) -> AsyncIterator[App]:
    """The product over the actors's database. It answers, and does nothing by itself."""
    world = actors.world
    app = App(settings, world.database, world.vault, clock, world.new_id)
    app.dispatcher = actors.dispatcher(app.product, app.ports)
    add(app)
    await app.start()
    await app.loop.stop()
    await app.scheduler.stop()
    try:
        yield app
    finally:
        await app.stop()


# Slack ------------------------------------------------------------------------------------------


@dataclass
class Slack:
    fake: FakeSlack
    platform: SlackPlatform
    wire: HttpWire

    async def does(self, user: str, attempt: Attempt) -> Told:
        who = SlackPerson(self.fake, self.wire, user)
        calls = len(self.fake.calls)
        match attempt:
            case Command(text):
                answered = await who.command(text, self.fake.chat(user).id)
            case Press():
                answered = await who.press("Forged", _message(attempt), self.fake.chat(user).id)
            case Submit():
                answered = await self.wire.interactive(
                    {**who._acted(), "type": "view_submission", "view": _view(attempt), "response_urls": []}
                )
        assert answered.status == 200
        await self.platform._asking.finish()
        shown = [
            (method, {name: sent[name] for name in ("text", "blocks", "view") if name in sent})
            for method, sent in self.fake.calls[calls:]
        ]
        return told([answered.body, shown])


def _message(attempt: Press) -> Json:
    """A message with a button that nobody was ever shown."""
    act = attempt.action.encode()
    kind = FORM if opens_form(attempt) else PRESS
    button = {"type": "button", "text": {"type": "plain_text", "text": "Forged"}, "value": act}
    return {"ts": "1.0", "blocks": [{"type": "actions", "elements": [{**button, "action_id": f"{kind}{act}~1"}]}]}


def _view(attempt: Submit) -> Json:
    """A modal that nobody was ever shown, filled in."""
    texts = {name: {name: {"type": "plain_text_input", "value": text}} for name, (text,) in attempt.values.items()}
    return {
        "id": "V0FORGED",
        "hash": uuid4().hex,  # each sending is an act of its own
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Forged"},
        "blocks": [
            {
                "type": "input",
                "block_id": name,
                "label": {"type": "plain_text", "text": name},
                "element": {"type": "plain_text_input", "action_id": name},
            }
            for name in texts
        ],
        "private_metadata": json.dumps({"action": attempt.action.encode()}),
        "state": {"values": texts},
    }


@asynccontextmanager
async def through_slack(actors: Actors) -> AsyncIterator[Slack]:
    fake = FakeSlack()
    for person in actors.people.values():
        profile = actors.world.port.profiles[person.user]
        fake.add_user(person.user, profile.name, profile.email)
    await fake.start()
    joined: list[SlackPlatform] = []

    def join(app: App) -> None:
        joined.append(slack_story.joined(app))

    settings = slack_story.settings_for(fake, str(actors.world.database.url))
    try:
        async with started(actors, settings, join, actors.world.clock) as app, aiohttp.ClientSession() as session:
            yield Slack(fake, joined[0], HttpWire(session, f"{app.address}slack/events"))
    finally:
        await fake.stop()


# Teams ------------------------------------------------------------------------------------------


@dataclass
class Teams:
    fake: FakeTeams
    url: str

    async def does(self, user: str, attempt: Attempt) -> Told:
        person = next(person for person in self.fake.people if person.object_id == user)
        client = TeamsClient(self.fake, self.url, person=person)
        calls = len(self.fake.calls)
        status, body = await client.send(_activity(client, attempt))
        assert status == 200
        shown = [(call.method, call.body) for call in self.fake.calls[calls:] if "/activities" in call.path]
        return told([body, shown])


def _activity(client: TeamsClient, attempt: Attempt) -> Mapping[str, Any]:
    match attempt:
        case Command(text):
            return client.says(text)
        case Press(pressed):
            data = {"plc": {"act": pressed.encode()}}
            return client.opens_dialog(data) if opens_form(attempt) else client.presses(data, verb=pressed.name)
        case Submit(sent, values):
            # What it was opened by is asked again where a field is wrong; a list of one's own harms nobody.
            opener = SentAction.of("reflections.page", 0).encode()
            ours = {"act": sent.encode(), "opener": opener, "fields": list(values), "many": []}
            return client.sends_dialog({"plc": ours, **{INPUT + name: text for name, (text,) in values.items()}})


@asynccontextmanager
async def through_teams(actors: Actors) -> AsyncIterator[Teams]:
    def in_teams(user: str) -> teams.Person:
        known = actors.world.port.profiles[user]
        return teams.Person(known.name, f"29:{user}", user, known.email, known.email)

    settings = teams_story.settings_in(actors.folder, str(actors.world.database.url))
    fake = FakeTeams(people=[in_teams(person.user) for person in actors.people.values()])
    async with fake, started(actors, settings, lambda app: teams_story.join(app, fake), actors.world.clock) as app:
        yield Teams(fake, f"{app.address}api/messages")


# The local workspace ----------------------------------------------------------------------------


class HeldClock(AheadClock):
    """The actors's clock, for a workspace that asks for one of its own."""

    def __init__(self, held: FixedClock) -> None:
        super().__init__()
        self._held = held

    def now(self) -> Any:
        return self._held.now()


@dataclass
class Local:
    """What a page sends and gets, without a browser."""

    session: aiohttp.ClientSession
    address: str
    seen: int = 0  # the last change of the chat that a page was told of

    async def does(self, user: str, attempt: Attempt) -> Told:
        answered = await self._act(user, attempt)
        synced = await self._sync(user, self.seen)
        self.seen = synced["change"]
        shown = [message["html"] or "" for message in synced["messages"]]
        pieces = [str(part) for part in (answered.get("form", ""), *shown)]
        words = "\n".join([json.dumps(answered, ensure_ascii=False), *(_read(piece) for piece in pieces)])
        return Told(words, [*map(_read, pieces), {name: said for name, said in answered.items() if name != "form"}])

    async def _act(self, user: str, attempt: Attempt) -> Json:
        match attempt:
            case Command(text):
                return await self._post(user, "say", text=f"/plc {text}")
            case Press(pressed):
                return await self._post(user, "press", action=pressed.encode(), message="")
            case Submit(sent, values):
                texts = {name: list(many) for name, many in values.items()}
                return await self._post(user, "submit", action=sent.encode(), message="", values=texts)

    async def _post(self, user: str, verb: str, **body: object) -> Json:
        url = self.address + path_of(user, direct(user), verb)
        async with self.session.post(url, json={"key": str(uuid4()), **body}) as answer:
            assert answer.status == 200, await answer.text()
            profile: Json = await answer.json()
            return profile

    async def _sync(self, user: str, since: int) -> Json:
        url = self.address + path_of(user, direct(user), "sync")
        async with self.session.get(url, params={"since": str(since)}) as answer:
            profile: Json = await answer.json()
            return profile


def _read(markup: str) -> str:
    """A piece of a page as somebody reads it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", markup)).split())


@asynccontextmanager
async def through_local(actors: Actors) -> AsyncIterator[Local]:
    database = actors.world.database
    settings = Settings(plc_database_url=str(database.url), plc_port=0, plc_encryption_keys=OPERATOR_KEY)

    def add(app: App) -> None:
        add_workspace(app, database)

    async with started(actors, settings, add, HeldClock(actors.world.clock)) as app, aiohttp.ClientSession() as session:
        yield Local(session, app.address.rstrip("/"))


# All of them ------------------------------------------------------------------------------------

DOORS: Mapping[str, tuple[str, Callable[[Actors], Any]]] = {
    PLATFORM: (TENANT, through_paper),
    SLACK: (slack.TEAM, through_slack),
    TEAMS: (teams.TENANT, through_teams),
    LOCAL: (LOCAL_TENANT, through_local),
}


@asynccontextmanager
async def opened(platform: str, folder: Path) -> AsyncIterator[Actors]:
    """The actors on this platform, before anybody tried anything."""
    tenant, through = DOORS[platform]
    actors = made(folder, platform, tenant)
    try:
        await actors.world.settle()
        async with through(actors) as actors.surface:
            await actors.begin()
            yield actors
    finally:
        actors.close()
