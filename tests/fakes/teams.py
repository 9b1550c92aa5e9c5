"""A fake of Microsoft Teams' side: the Bot Connector, the sign-in, the signing keys, and a client that talks.

One aiohttp server stands in for ``smba.trafficmanager.net``, ``login.microsoftonline.com`` and
``login.botframework.com``. It records all that it is asked, and fails on request.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import aiohttp
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

APP_ID = "11111111-2222-3333-4444-555555555555"
PASSWORD = "not-a-secret"
TENANT = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
BOT = f"28:{APP_ID}"
TEAM = "19:team@thread.tacv2"
CHANNEL = "19:general@thread.tacv2"
CHAT = "a:1dana-chat"

Fault = Literal[
    "429",
    "412",
    "500",
    "502",
    "503",
    "401",
    "403",
    "not-in-roster",
    "disabled",
    "404",
    "drop",
    "work-then-hang",
    "broken-json",
]
_ANSWERS: dict[str, tuple[int, str]] = {
    "429": (429, "TooManyRequests"),
    "412": (412, "PreconditionFailed"),
    "500": (500, "ServiceError"),
    "502": (502, "BadGateway"),
    "503": (503, "ServiceUnavailable"),
    "401": (401, "Unauthorized"),
    "403": (403, "ForbiddenOperationException"),
    "not-in-roster": (403, "BotNotInConversationRoster"),
    "disabled": (403, "BotDisabledByAdmin"),
    "404": (404, "ConversationNotFound"),
}


@dataclass(frozen=True)
class Call:
    """One call that reached the fake."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


@dataclass
class Message:
    """One message as it stands in a conversation now."""

    id: str
    activity: dict[str, Any]
    edits: int = 0

    @property
    def card(self) -> dict[str, Any]:
        content: dict[str, Any] = self.activity["attachments"][0]["content"]
        return content


@dataclass(frozen=True)
class Person:
    """Somebody in the fake tenant."""

    name: str
    id: str
    object_id: str
    sign_in: str
    email: str
    role: str = "user"
    tenant: str = TENANT

    def member(self) -> dict[str, str]:
        return {
            "id": self.id,
            "name": self.name,
            "aadObjectId": self.object_id,
            "objectId": self.object_id,
            "email": self.email,
            "userPrincipalName": self.sign_in,
            "tenantId": self.tenant,
            "userRole": self.role,
        }

    def account(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "aadObjectId": self.object_id}


DANA = Person("Dana Lee", "29:1dana", "00000000-1111-2222-3333-000000000001", "dana@example.org", "dana@example.org")
GUEST = Person(
    "Gus Guest",
    "29:1gus",
    "00000000-1111-2222-3333-000000000002",
    "gus_other.example#EXT#@tenant.onmicrosoft.com",
    "gus@other.example",
    "guest",
)


class SigningKey:
    """One RSA key of the fake Bot Framework."""

    def __init__(self, kid: str, endorsements: Sequence[str] | None = ("msteams",)) -> None:
        self.kid, self.endorsements = kid, endorsements
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self) -> dict[str, Any]:
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        named = {} if self.endorsements is None else {"endorsements": list(self.endorsements)}
        return {**jwk, "kid": self.kid, "use": "sig", **named}


@lru_cache(maxsize=1)
def _first_key() -> SigningKey:
    """Making one takes a while, and every test may begin with the same."""
    return SigningKey("first")


@dataclass
class FakeTeams:
    """The fake; use it with ``async with``."""

    people: list[Person] = field(default_factory=lambda: [DANA, GUEST])
    page_size: int = 2
    require_token: bool = True
    calls: list[Call] = field(default_factory=list)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=lambda: {CHANNEL: "PLC North"})
    tokens: list[str] = field(default_factory=list)
    token_life: int = 3600
    secret: str = PASSWORD
    keys: list[SigningKey] = field(default_factory=lambda: [_first_key()])

    def __post_init__(self) -> None:
        self._faults: list[tuple[str, str, Fault, str]] = []
        self._ids = itertools.count(1767377000000)
        self.acts = itertools.count(1)
        self.hang = asyncio.Event()
        self._news = asyncio.Event()
        self._server = TestServer(self._app())

    async def __aenter__(self) -> FakeTeams:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang.set()
        await self._server.close()

    # Addresses ---------------------------------------------------------------------------------

    @property
    def login_url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    @property
    def metadata_url(self) -> str:
        return f"{self.login_url}/v1/.well-known/openidconfiguration"

    @property
    def service_url(self) -> str:
        return f"{self.login_url}/amer/"

    # What a test does --------------------------------------------------------------------------

    def fail(self, method: str, path_part: str, fault: Fault, retry_after: str = "7") -> None:
        """The next call of this method whose path holds this part fails so, once."""
        self._faults.append((method, path_part, fault, retry_after))

    def rotate(self) -> SigningKey:
        """A new key takes the place of the old ones."""
        self.keys = [SigningKey(f"key-{len(self.calls)}-{next(self._ids)}")]
        return self.keys[0]

    def token(self, *, key: SigningKey | None = None, **claims: Any) -> str:
        """A token as the Bot Framework signs it for an activity; ``claims`` override."""
        now = int(time.time())
        content = {
            "iss": "https://api.botframework.com",
            "aud": APP_ID,
            "nbf": now - 60,
            "exp": now + 3600,
            "serviceurl": self.service_url,
        }
        content = {name: value for name, value in {**content, **claims}.items() if value is not None}
        signer = key or self.keys[0]
        return jwt.encode(content, signer.private, algorithm="RS256", headers={"kid": signer.kid})

    def posted(self, conversation: str) -> list[Message]:
        """The messages of a conversation."""
        return self.messages.get(conversation, [])

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for messages until something is so."""
        while not wanted():
            self._news.clear()
            await self._news.wait()

    def chat_of(self, person: Person) -> str:
        """The personal chat of somebody with the bot: always the same."""
        return self.chats.setdefault(person.id, CHAT if person is DANA else f"a:1chat-{person.id}")

    def calls_to(self, path_part: str, method: str | None = None) -> list[Call]:
        return [call for call in self.calls if path_part in call.path and method in (None, call.method)]

    # The server --------------------------------------------------------------------------------

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware()])
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._give_token)
        app.router.add_get("/v1/.well-known/openidconfiguration", self._metadata)
        app.router.add_get("/keys", self._jwks)
        base = "/amer/v3/conversations"
        app.router.add_post(base, self._create)
        app.router.add_post(base + "/{conversation}/activities", self._post)
        app.router.add_post(base + "/{conversation}/activities/{activity}", self._post)
        app.router.add_put(base + "/{conversation}/activities/{activity}", self._put)
        app.router.add_get(base + "/{conversation}/members/{member}", self._member)
        app.router.add_get(base + "/{conversation}/pagedmembers", self._members)
        app.router.add_get("/amer/v3/teams/{team}/conversations", self._channels)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def recorded(request: web.Request, handler: Any) -> web.StreamResponse:
            body = await self._body(request)
            self.calls.append(Call(request.method, request.path, body, dict(request.headers)))
            fault = self._take_fault(request)
            if request.path.startswith("/amer/") and not self._signed(request):
                return _refusal("401")
            if fault is None:
                answer: web.StreamResponse = await handler(request)
                return answer
            return await self._failing(request, handler, *fault)

        return recorded

    async def _body(self, request: web.Request) -> Any:
        text = await request.text()
        if request.content_type == "application/json" and text:
            return json.loads(text)
        return dict(await request.post()) if text else None

    def _signed(self, request: web.Request) -> bool:
        if not self.require_token:
            return "Authorization" not in request.headers
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens

    def _take_fault(self, request: web.Request) -> tuple[Fault, str] | None:
        for index, (method, part, fault, retry_after) in enumerate(self._faults):
            if method == request.method and part in request.path:
                del self._faults[index]
                return fault, retry_after
        return None

    async def _failing(self, request: web.Request, handler: Any, fault: Fault, retry_after: str) -> web.StreamResponse:
        if fault == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault == "work-then-hang":
            await handler(request)
            await self.hang.wait()
            return web.Response()
        if fault == "broken-json":
            await handler(request)
            return web.Response(text='{"id": "17', content_type="application/json")
        refusal = _refusal(fault)
        if fault in ("429", "412"):
            refusal.headers["Retry-After"] = retry_after
        return refusal

    async def _give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        good = form.get("client_id") == APP_ID and form.get("client_secret") == self.secret
        if not good or request.match_info["tenant"] != TENANT:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return web.json_response(
            {"token_type": "Bearer", "expires_in": self.token_life, "access_token": self.tokens[-1]}
        )

    async def _metadata(self, _request: web.Request) -> web.Response:
        return web.json_response({"issuer": "https://api.botframework.com", "jwks_uri": f"{self.login_url}/keys"})

    async def _jwks(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.public() for key in self.keys]})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        member = body["members"][0]["id"]
        person = next((known for known in self.people if member in (known.id, known.object_id)), None)
        if person is None:
            return _refusal("404")
        return web.json_response({"id": self.chat_of(person)}, status=201)

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        message = Message(str(next(self._ids)), body)
        self.messages.setdefault(request.match_info["conversation"], []).append(message)
        self._news.set()
        return web.json_response({"id": message.id}, status=201)

    async def _put(self, request: web.Request) -> web.Response:
        body, wanted = await request.json(), request.match_info["activity"]
        for message in self.posted(request.match_info["conversation"]):
            if message.id == wanted:
                message.activity, message.edits = body, message.edits + 1
                return web.json_response({"id": wanted})
        return _refusal("404")

    async def _member(self, request: web.Request) -> web.Response:
        wanted = request.match_info["member"]
        for person in self.people:
            if wanted in (person.id, person.object_id):
                return web.json_response(person.member())
        return _refusal("404")

    async def _members(self, request: web.Request) -> web.Response:
        start = int(request.query.get("continuationToken", "0"))
        page = self.people[start : start + self.page_size]
        answer: dict[str, Any] = {"members": [person.member() for person in page]}
        if start + self.page_size < len(self.people):
            answer["continuationToken"] = str(start + self.page_size)
        return web.json_response(answer)

    async def _channels(self, _request: web.Request) -> web.Response:
        channels = [{"id": channel, "name": name} for channel, name in self.channels.items()]
        return web.json_response({"conversations": [{"id": TEAM}, *channels]})


def _refusal(fault: str) -> web.Response:
    status, code = _ANSWERS[fault]
    return web.json_response({"error": {"code": code, "message": "as asked"}}, status=status)


class TeamsClient:
    """What Teams posts to the bot, in the recorded shapes, signed by the fake Bot Framework."""

    def __init__(self, fake: FakeTeams, url: str, *, person: Person = DANA, signed: bool = True) -> None:
        self.fake, self.url, self.person, self.signed = fake, url, person, signed
        self.channel = CHANNEL  # the one that the person looks at

    async def send(
        self, activity: Mapping[str, Any], token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON body (None: none) of the bot's answer."""
        headers = dict(headers or {})
        if token is None and self.signed:
            token = self.fake.token()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, json=activity, headers=headers) as response,
        ):
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else None

    # Shapes ------------------------------------------------------------------------------------

    def activity(self, kind: str, *, channel: bool = False, **more: Any) -> dict[str, Any]:
        number = next(self.fake.acts)
        return {
            "type": kind,
            "id": f"f:{number}",
            "timestamp": f"2026-01-02T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.1995342Z",
            "channelId": "msteams",
            "serviceUrl": self.fake.service_url,
            "from": self.person.account(),
            "conversation": self._conversation(channel),
            "recipient": {"id": BOT, "name": "PLC Cohort Bot"},
            "channelData": self._channel_data(channel),
            **more,
        }

    def _conversation(self, channel: bool) -> dict[str, Any]:
        if not channel:
            return {"conversationType": "personal", "tenantId": TENANT, "id": self.fake.chat_of(self.person)}
        return {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": TENANT,
            "id": f"{self.channel};messageid=1767377017138",
        }

    def _channel_data(self, channel: bool) -> dict[str, Any]:
        tenant = {"tenant": {"id": TENANT}}
        if not channel:
            return tenant
        return {
            "teamsChannelId": self.channel,
            "teamsTeamId": TEAM,
            "channel": {"id": self.channel},
            "team": {"id": TEAM},
            **tenant,
        }

    def says(self, text: str) -> dict[str, Any]:
        """A message in the personal chat."""
        return self.activity("message", text=text, textFormat="plain")

    def mentions(self, text: str, name: str = "PLC Cohort Bot", others: Sequence[Person] = ()) -> dict[str, Any]:
        """A message in a channel that mentions the bot, and the people of ``others``."""
        marked = f"<at>{name}</at>"
        mentions = [{"mentioned": {"id": BOT, "name": name}, "text": marked, "type": "mention"}]
        for person in others:
            text = f"{text} <at>{person.name}</at>"
            mentioned = {"id": person.id, "name": person.name}
            mentions.append({"mentioned": mentioned, "text": f"<at>{person.name}</at>", "type": "mention"})
        return self.activity(
            "message", channel=True, text=f"{marked}&nbsp;{text}", textFormat="plain", entities=mentions
        )

    def presses(
        self, data: Mapping[str, Any], *, channel: bool = False, card: str = "", verb: str = "x"
    ) -> dict[str, Any]:
        """Action.Execute."""
        value = {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}
        more = {"replyToId": card} if card else {}
        return self.activity("invoke", channel=channel, name="adaptiveCard/action", value=value, **more)

    def submits(self, data: Mapping[str, Any], *, channel: bool = False, card: str = "") -> dict[str, Any]:
        """Action.Submit."""
        more = {"replyToId": card} if card else {}
        return self.activity("message", channel=channel, value=data, **more)

    def opens_dialog(self, data: Mapping[str, Any], *, channel: bool = False, card: str = "") -> dict[str, Any]:
        """A button that opens a dialog."""
        value = {"data": data, "context": {"theme": "default"}}
        more = {"replyToId": card} if card else {}
        return self.activity("invoke", channel=channel, name="task/fetch", value=value, **more)

    def sends_dialog(self, data: Mapping[str, Any], *, channel: bool = False) -> dict[str, Any]:
        """The dialog is sent."""
        value = {"data": data, "context": {"theme": "default"}}
        return self.activity("invoke", channel=channel, name="task/submit", value=value)

    def installs(self, action: str = "add", *, channel: bool = False) -> dict[str, Any]:
        return self.activity("installationUpdate", channel=channel, action=action)

    def members(self, change: Literal["membersAdded", "membersRemoved"], *accounts: Any) -> dict[str, Any]:
        """People (or the bot, ``{"id": BOT}``) came into or left the team."""
        return self.activity("conversationUpdate", channel=True, **{change: list(accounts)})


def inputs_of(card: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A card's inputs by id, as a person sees them to fill in."""
    return {part["id"]: part for part in walk(card) if str(part.get("type", "")).startswith("Input.")}


def actions_of(card: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A card's buttons by title."""
    return {
        part["title"]: part
        for part in walk(card)
        if str(part.get("type", "")).startswith("Action.") and "title" in part
    }


def words_of(card: Mapping[str, Any]) -> str:
    """All the words a card shows, a line a part."""
    lines = []
    for part in walk(card):
        match part.get("type"):
            case "TextBlock":
                lines.append(part["text"])
            case "RichTextBlock":
                lines.append("".join(run["text"] for run in part["inlines"]))
            case "FactSet":
                lines += [f"{fact['title']}: {fact['value']}" for fact in part["facts"]]
            case _:
                pass
    return "\n".join(lines)


def walk(value: Any) -> list[dict[str, Any]]:
    """Every object in a card, fallbacks left aside, in the order they stand."""
    if isinstance(value, list):
        return [part for item in value for part in walk(item)]
    if not isinstance(value, dict):
        return []
    inner = [part for name, item in value.items() if name != "fallback" for part in walk(item)]
    return [value, *inner]
