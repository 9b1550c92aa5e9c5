"""A small Slack: its Web API, response addresses and Socket Mode on a local port, and people who use it.

:class:`FakeSlack` keeps users, channels, messages and views and checks every block as Slack would; faults
can be switched on per method. :class:`SlackPerson` types, presses and sends forms through signed HTTP
requests or through the socket, whichever the bot is connected by.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.fakes.slack_blocks import message_problems, view_problems

Json = dict[str, Any]

TEAM = "T00HOME"
BOT_USER = "U00BOT"
BOT_ID = "B00BOT"
BOT_TOKEN = "xoxb-fake-token"
APP_TOKEN = "xapp-fake-token"
SIGNING_SECRET = "fake-signing-secret"
SCOPES = (
    "app_mentions:read,channels:join,channels:read,chat:write,commands,groups:read,im:history,im:write,"
    "users:read,users:read.email"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, once.

    error: Slack says ok=false with this word
    status: an HTTP status instead of an answer; after: the work is done before it
    drop: the connection ends without an answer; hang: no answer ever comes; garbage: broken JSON
    """

    error: str = ""
    status: int = 0
    retry_after: int | None = None
    drop: bool = False
    hang: bool = False
    garbage: bool = False
    after: bool = True


class Refused(Exception):
    """Slack's ok=false."""

    def __init__(self, code: str, problems: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.problems = problems or []


@dataclass
class Channel:
    id: str
    name: str = ""
    private: bool = False
    archived: bool = False
    members: list[str] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    user: str = ""  # of a direct message


class FakeSlack:
    """Start it, point ``SLACK_API_URL`` at :attr:`api_url`, look at what it holds, stop it."""

    def __init__(self) -> None:
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, Json] = {}
        self.stacks: dict[str, list[str]] = {}  # user -> ids of the modals they see, the last on top
        self.homes: dict[str, Json] = {}
        self.notices: list[Json] = []  # what one person alone saw: ephemeral messages of every kind
        self.replaced: list[Json] = []  # bodies sent to response addresses to replace the message
        self.calls: list[tuple[str, Json]] = []
        self.scopes = SCOPES
        self.revoked = False
        self.slow = 0.0  # seconds that a post takes
        self.acknowledged: dict[str, asyncio.Future[Json]] = {}
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._triggers: dict[str, str] = {}  # trigger -> user; used ones are gone
        self._spent: set[str] = set()
        self._pressed: dict[str, Json] = {}  # number of a response address -> what was pressed there
        self._numbers = itertools.count(1)
        self._sockets: list[web.WebSocketResponse] = []
        self._socket_opened = asyncio.Event()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        self.add_user(BOT_USER, "PLC Cohort Bot", is_bot=True)

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    # Life --------------------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/respond/{number}", self._respond)
        app.router.add_get("/link", self._link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"

    async def stop(self) -> None:
        self._stopping.set()
        await self.close_sockets()
        if self._runner is not None:
            await self._runner.cleanup()

    # People and channels -----------------------------------------------------------------------

    def add_user(self, user: str, name: str, email: str = "", **more: Any) -> Json:
        """A full member with a confirmed address; ``more`` overrides what ``users.info`` says."""
        self.users[user] = {
            "id": user,
            "team_id": TEAM,
            "name": name.lower().replace(" ", "."),
            "real_name": name,
            "tz": "America/Chicago",
            "deleted": False,
            "is_bot": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_email_confirmed": True,
            "profile": {"real_name": name, "display_name": "", "email": email},
            **more,
        }
        return self.users[user]

    def add_channel(
        self,
        channel: str,
        name: str,
        members: tuple[str, ...] = (),
        *,
        private: bool = False,
        archived: bool = False,
    ) -> Channel:
        self.channels[channel] = Channel(channel, name, private, archived, list(members))
        return self.channels[channel]

    def chat(self, user: str) -> Channel:
        """The direct message between the bot and this person."""
        channel = f"D{user[1:]}"
        if channel not in self.channels:
            self.channels[channel] = Channel(channel, members=[user, BOT_USER], user=user)
        return self.channels[channel]

    def messages(self, channel: str) -> list[Json]:
        return self.channels[channel].messages

    def top_view(self, user: str) -> Json:
        """The modal this person sees."""
        return self.views[self.stacks[user][-1]]

    def sees_modal(self, user: str) -> bool:
        return bool(self.stacks.get(user))

    def made(self, method: str) -> list[Json]:
        """The arguments of every call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    def fail(self, method: str, *faults: Fault) -> None:
        """The next calls of this method go wrong in these ways, one after the other."""
        self._faults[method].extend(faults)

    def trigger(self, user: str) -> str:
        number = next(self._numbers)
        trigger = f"{number}.{number}.{hashlib.sha256(str(number).encode()).hexdigest()[:24]}"
        self._triggers[trigger] = user
        return trigger

    def expire_triggers(self) -> None:
        self._triggers.clear()

    # The Web API -------------------------------------------------------------------------------

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append((method, arguments))
        if self.slow and method == "chat.postMessage":
            await asyncio.sleep(self.slow)
        fault = self._faults[method].popleft() if self._faults[method] else None
        answer = None if fault is not None and not fault.after else self._answer(method, arguments, request)
        if fault is not None:
            return await self._spoil(fault, request)
        return web.json_response(answer, headers={"x-oauth-scopes": self.scopes})

    async def _spoil(self, fault: Fault, request: web.Request) -> web.StreamResponse:
        if fault.hang:
            await self._stopping.wait()
        if fault.drop or fault.hang:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault.garbage:
            return web.Response(text='{"ok": tru', content_type="application/json")
        if fault.error:
            return web.json_response({"ok": False, "error": fault.error})
        if fault.status != 429:
            return web.Response(status=fault.status, text="upstream error")
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)

    def _answer(self, method: str, arguments: Json, request: web.Request) -> Json:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or arguments.get("token", "")
        expected = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if self.revoked:
            return {"ok": False, "error": "token_revoked"}
        if token != expected:
            return {"ok": False, "error": "invalid_auth"}
        handler: Callable[[Json], Json] | None = getattr(self, f"_do_{method.replace('.', '_')}", None)
        if handler is None:
            return {"ok": False, "error": "unknown_method"}
        try:
            return {"ok": True, **handler(arguments)}
        except Refused as refused:
            return {"ok": False, "error": refused.code, "errors": refused.problems}

    def _do_auth_test(self, arguments: Json) -> Json:
        return {"team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID, "user": "plc_cohort_bot"}

    def _do_apps_connections_open(self, arguments: Json) -> Json:
        return {"url": f"{self.base_url.replace('http', 'ws', 1)}/link"}

    # Messages ----------------------------------------------------------------------------------

    def _do_chat_postMessage(self, arguments: Json) -> Json:
        channel = self._writable(arguments["channel"])
        _accept_message(arguments)
        kept = {name: arguments[name] for name in ("text", "blocks", "metadata") if arguments.get(name)}
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT_ID, "ts": self._ts(), **kept}
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _do_chat_update(self, arguments: Json) -> Json:
        channel = self._writable(arguments["channel"])
        _accept_message(arguments)
        for message in channel.messages:
            if message["ts"] == arguments["ts"]:
                message.update(text=arguments["text"], blocks=arguments["blocks"], edited={"ts": self._ts()})
                return {"channel": channel.id, "ts": message["ts"]}
        raise Refused("message_not_found")

    def _do_chat_postEphemeral(self, arguments: Json) -> Json:
        channel = self._writable(arguments["channel"])
        _accept_message(arguments)
        if arguments["user"] not in channel.members:
            raise Refused("user_not_in_channel")
        self.notices.append(dict(arguments))
        return {"message_ts": self._ts()}

    def _writable(self, channel_id: str) -> Channel:
        channel = self._channel(channel_id)
        if channel.archived:
            raise Refused("is_archived")
        if BOT_USER not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def _channel(self, channel_id: str) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None or (channel.private and BOT_USER not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._numbers):06d}"

    # Conversations and people ------------------------------------------------------------------

    def _do_conversations_open(self, arguments: Json) -> Json:
        if arguments.get("channel"):
            channel = self._channel(arguments["channel"])
            return {"channel": {"id": channel.id, "user": channel.user}}
        if arguments["users"] not in self.users:
            raise Refused("user_not_found")
        return {"channel": {"id": self.chat(arguments["users"]).id}}

    def _do_conversations_info(self, arguments: Json) -> Json:
        channel = self._channel(arguments["channel"])
        said = {
            "id": channel.id,
            "name": channel.name,
            "is_private": channel.private,
            "is_archived": channel.archived,
            "is_member": BOT_USER in channel.members,
            "is_im": channel.id.startswith("D"),
        }
        return {"channel": said}

    def _do_conversations_join(self, arguments: Json) -> Json:
        channel = self._channel(arguments["channel"])
        if channel.archived:
            raise Refused("is_archived")
        if BOT_USER not in channel.members:
            channel.members.append(BOT_USER)
        return {"channel": {"id": channel.id}}

    def _do_conversations_members(self, arguments: Json) -> Json:
        return _page(self._channel(arguments["channel"]).members, "members", arguments)

    def _do_conversations_history(self, arguments: Json) -> Json:
        channel = self._channel(arguments["channel"])
        oldest = float(arguments.get("oldest") or 0)
        newest_first = [message for message in reversed(channel.messages) if float(message["ts"]) >= oldest]
        with_metadata = str(arguments.get("include_all_metadata", "")).lower() in ("1", "true")
        shown = [
            message if with_metadata else {name: said for name, said in message.items() if name != "metadata"}
            for message in newest_first
        ]
        return _page(shown, "messages", arguments)

    def _do_users_info(self, arguments: Json) -> Json:
        user = self.users.get(arguments["user"])
        if user is None:
            raise Refused("user_not_found")
        return {"user": user}

    def _do_users_lookupByEmail(self, arguments: Json) -> Json:
        for user in self.users.values():
            if user["profile"].get("email", "").lower() == arguments["email"].lower() != "":
                return {"user": user}
        raise Refused("users_not_found")

    # Views -------------------------------------------------------------------------------------

    def _do_views_open(self, arguments: Json) -> Json:
        user = self._spend(arguments["trigger_id"])
        view = self._keep(arguments["view"])
        self.stacks[user] = [view["id"]]
        return {"view": view}

    def _do_views_push(self, arguments: Json) -> Json:
        user = self._spend(arguments["trigger_id"])
        return {"view": self.push(user, arguments["view"])}

    def _do_views_update(self, arguments: Json) -> Json:
        if arguments.get("view_id") not in self.views:
            raise Refused("not_found")
        return {"view": self.change(arguments["view_id"], arguments["view"])}

    def _do_views_publish(self, arguments: Json) -> Json:
        _accept_view(arguments["view"])
        self.homes[arguments["user_id"]] = self._keep(arguments["view"])
        return {"view": self.homes[arguments["user_id"]]}

    def _spend(self, trigger: str) -> str:
        if trigger in self._spent:
            raise Refused("exchanged_trigger_id")
        if trigger not in self._triggers:
            raise Refused("expired_trigger_id")
        self._spent.add(trigger)
        return self._triggers.pop(trigger)

    def push(self, user: str, view: Json) -> Json:
        stack = self.stacks.setdefault(user, [])
        if len(stack) >= 3:
            raise Refused("push_limit_reached")
        kept = self._keep(view)
        stack.append(kept["id"])
        return kept

    def change(self, view_id: str, view: Json) -> Json:
        _accept_view(view)
        self.views[view_id] = {**view, "id": view_id, "hash": self._hash()}
        return self.views[view_id]

    def _keep(self, view: Json) -> Json:
        _accept_view(view)
        view_id = f"V{next(self._numbers):06d}"
        self.views[view_id] = {**view, "id": view_id, "hash": self._hash()}
        return self.views[view_id]

    def _hash(self) -> str:
        return f"{next(self._numbers)}.hash"

    # Response addresses ------------------------------------------------------------------------

    def response_url(self, pressed: Json | None = None) -> str:
        """``pressed``: the message or notice that an answer to this address may replace."""
        number = str(next(self._numbers))
        if pressed is not None:
            self._pressed[number] = pressed
        return f"{self.base_url}/respond/{number}"

    async def _respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.calls.append(("response_url", body))
        fault = self._faults["response_url"].popleft() if self._faults["response_url"] else None
        if fault is not None and fault.hang:
            await self._stopping.wait()
        if fault is not None:
            return web.Response(status=fault.status or 500)
        _accept_message(body)
        if body.get("replace_original"):
            self.replaced.append(body)
            shown = self._pressed.get(request.match_info["number"], {})
            shown.update(text=body["text"], blocks=body["blocks"])
        else:
            self.notices.append(body)
        return web.Response(text="ok")

    # Socket Mode -------------------------------------------------------------------------------

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._socket_opened.set()
        async for said in socket:
            if said.type == aiohttp.WSMsgType.TEXT:
                acknowledged = json.loads(said.data)
                waiting = self.acknowledged.get(acknowledged["envelope_id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(acknowledged.get("payload") or {})
        if socket in self._sockets:
            self._sockets.remove(socket)
        return socket

    async def socket_opened(self) -> None:
        """Wait until the bot has a socket."""
        await asyncio.wait_for(self._socket_opened.wait(), 10)

    @property
    def sockets(self) -> int:
        """How many are open: each process has one of its own."""
        return len(self._sockets)

    async def close_sockets(self) -> None:
        self._socket_opened.clear()
        for socket in list(self._sockets):
            await socket.close()

    async def envelope(self, kind: str, payload: Json, envelope_id: str = "", *, socket: int = -1) -> Json:
        """Send something through one socket, the newest unless told otherwise, and wait for its acknowledgement."""
        name = envelope_id or f"envelope-{next(self._numbers)}"
        self.acknowledged[name] = asyncio.get_running_loop().create_future()
        envelope = {"type": kind, "envelope_id": name, "payload": payload, "accepts_response_payload": True}
        await self._sockets[socket].send_json(envelope)
        return await asyncio.wait_for(self.acknowledged[name], 30)  # on a busy machine


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        said: Json = await request.json()
        return said
    values: Json = {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}
    for name in ("blocks", "view", "metadata"):
        if isinstance(values.get(name), str):
            values[name] = json.loads(values[name])
    return values


def _accept_message(arguments: Json) -> None:
    if not arguments.get("text") and not arguments.get("blocks"):
        raise Refused("no_text")
    if "blocks" in arguments:
        problems = message_problems(arguments["blocks"])
        if problems:
            raise Refused("invalid_blocks", problems)


def _accept_view(view: Json) -> None:
    problems = view_problems(view)
    if problems:
        raise Refused("invalid_arguments", problems)


def _page(items: list[Any], name: str, arguments: Json) -> Json:
    start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
    end = start + size
    cursor = str(end) if end < len(items) else ""
    return {name: items[start:end], "response_metadata": {"next_cursor": cursor}}


# Requests as Slack sends them ------------------------------------------------------------------


def sign(body: str, secret: str = SIGNING_SECRET, at: int | None = None) -> dict[str, str]:
    """Slack's signature headers for a body."""
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the bot answered a request with."""

    status: int
    body: Json


class HttpWire:
    """Brings Slack's payloads to the bot as signed HTTP requests."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def command(self, payload: Json) -> Answered:
        return await self.form(urlencode(payload))

    async def interactive(self, payload: Json) -> Answered:
        return await self.form(urlencode({"payload": json.dumps(payload)}))

    async def event(self, payload: Json, retry: int = 0) -> Answered:
        headers = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {}
        return await self.post(json.dumps(payload), "application/json", headers)

    async def form(self, body: str) -> Answered:
        return await self.post(body, "application/x-www-form-urlencoded", {})

    async def post(self, body: str, content_type: str, headers: dict[str, str]) -> Answered:
        signed = {**sign(body), "Content-Type": content_type, **headers}
        async with self._session.post(self._url, data=body.encode(), headers=signed) as response:
            text = await response.text()
            return Answered(response.status, json.loads(text) if text.startswith("{") else {"text": text})


class SocketWire:
    """Brings the same payloads through a Socket Mode session, the newest unless told otherwise."""

    def __init__(self, fake: FakeSlack, socket: int = -1) -> None:
        self._fake = fake
        self._socket = socket

    async def command(self, payload: Json) -> Answered:
        return await self._send("slash_commands", payload)

    async def interactive(self, payload: Json) -> Answered:
        return await self._send("interactive", payload)

    async def event(self, payload: Json, retry: int = 0) -> Answered:
        return await self._send("events_api", {**payload, "retry_attempt": retry})

    async def _send(self, kind: str, payload: Json) -> Answered:
        return Answered(200, await self._fake.envelope(kind, payload, socket=self._socket))


Wire = HttpWire | SocketWire


class SlackPerson:
    """Somebody in Slack: types, presses and sends, and sees what Slack would show them."""

    def __init__(self, fake: FakeSlack, wire: Wire, user: str) -> None:
        self.fake = fake
        self.wire = wire
        self.user = user

    # What they do ------------------------------------------------------------------------------

    async def command(self, text: str, channel: str) -> Answered:
        return await self.send_command(self.command_payload(text, channel))

    def command_payload(self, text: str, channel: str) -> Json:
        known = self.fake.channels.get(channel)
        return {
            "token": "legacy",
            "team_id": TEAM,
            "team_domain": "home",
            "channel_id": channel,
            "channel_name": known.name if known and known.name else "directmessage",
            "user_id": self.user,
            "user_name": "somebody",
            "command": "/plc",
            "text": text,
            "api_app_id": "A00APP",
            "is_enterprise_install": "false",
            "response_url": self.fake.response_url(),
            "trigger_id": self.fake.trigger(self.user),
        }

    async def send_command(self, payload: Json) -> Answered:
        answered = await self.wire.command(payload)
        if answered.body.get("blocks"):
            _accept_message(answered.body)
            self.fake.notices.append({**answered.body, "channel": payload["channel_id"], "user": self.user})
        return answered

    async def say(self, text: str) -> Answered:
        """A message to the bot in the direct chat."""
        return await self.event({**self._said(text), "type": "message", "channel_type": "im", "channel": self._chat})

    async def mention(self, text: str, channel: str) -> Answered:
        words = f"<@{BOT_USER}> {text}"
        return await self.event({**self._said(words), "type": "app_mention", "channel": channel})

    async def joins(self, channel: str) -> Answered:
        said = {"type": "member_joined_channel", "user": self.user, "channel": channel, "team": TEAM}
        return await self.event({**said, "channel_type": "C"})

    async def leaves(self, channel: str) -> Answered:
        said = {"type": "member_left_channel", "user": self.user, "channel": channel, "team": TEAM}
        return await self.event({**said, "channel_type": "C"})

    async def opens_home(self) -> Answered:
        return await self.event({"type": "app_home_opened", "user": self.user, "channel": self._chat, "tab": "home"})

    async def event(self, said: Json) -> Answered:
        return await self.wire.event(self.event_payload(said))

    def event_payload(self, said: Json) -> Json:
        number = next(self.fake._numbers)
        return {
            "token": "legacy",
            "team_id": TEAM,
            "api_app_id": "A00APP",
            "event": {"event_ts": f"{number}.0", **said},
            "type": "event_callback",
            "event_id": f"Ev{number:08d}",
            "event_time": int(time.time()),
            "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "is_ext_shared_channel": False,
        }

    async def press(self, label: str, message: Json, channel: str, *, ephemeral: bool = False) -> Answered:
        """Press a button of a message, by its label."""
        return await self.wire.interactive(self.press_payload(label, message, channel, ephemeral=ephemeral))

    def press_payload(self, label: str, message: Json, channel: str, *, ephemeral: bool = False) -> Json:
        known = self.fake.channels.get(channel)
        ts = message.get("ts", "1.0")
        return {
            **self._acted(),
            "type": "block_actions",
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": channel,
                "is_ephemeral": ephemeral,
            },
            "channel": {"id": channel, "name": known.name if known and known.name else "directmessage"},
            **({} if ephemeral else {"message": message}),
            "state": {"values": {}},
            "response_url": self.fake.response_url(message),
            "actions": [_pressed(button_labelled(message["blocks"], label))],
        }

    async def press_in_view(self, label: str) -> Answered:
        """Press a button inside the modal they see."""
        view = self.fake.top_view(self.user)
        payload = {
            **self._acted(),
            "type": "block_actions",
            "container": {"type": "view", "view_id": view["id"]},
            "view": self._view_payload(view, {}),
            "actions": [_pressed(button_labelled(view["blocks"], label))],
        }
        return await self.wire.interactive(payload)

    async def press_at_home(self, label: str) -> Answered:
        view = self.fake.homes[self.user]
        payload = {
            **self._acted(),
            "type": "block_actions",
            "container": {"type": "view", "view_id": view["id"]},
            "view": {**view, "state": {"values": {}}},
            "actions": [_pressed(button_labelled(view["blocks"], label))],
        }
        return await self.wire.interactive(payload)

    async def send(self, **values: Any) -> Answered:
        """Fill in the modal they see and press its send button; then see what the bot makes of it."""
        return await self.submit(self.submission_payload(**values))

    def submission_payload(self, **values: Any) -> Json:
        view = self.fake.top_view(self.user)
        assert "submit" in view, "this modal has nothing to send"
        return {
            **self._acted(),
            "type": "view_submission",
            "view": self._view_payload(view, values),
            "response_urls": [],
        }

    async def submit(self, payload: Json) -> Answered:
        answered = await self.wire.interactive(payload)
        self._show(payload["view"]["id"], answered.body)
        return answered

    def _show(self, view_id: str, body: Json) -> None:
        match body.get("response_action"):
            case "update":
                self.fake.change(view_id, body["view"])
            case "push":
                self.fake.push(self.user, body["view"])
            case "errors":
                blocks = {block.get("block_id") for block in self.fake.views[view_id]["blocks"]}
                assert set(body["errors"]) <= blocks, "an error belongs to an input of the view"
            case "clear":
                self.fake.stacks[self.user] = []
            case None:
                self.fake.stacks[self.user].pop()

    def goes_back(self) -> None:
        """Slack's own back arrow."""
        self.fake.stacks[self.user].pop()

    # Payload parts -----------------------------------------------------------------------------

    @property
    def _chat(self) -> str:
        return self.fake.chat(self.user).id

    def _said(self, text: str) -> Json:
        stamp = f"{int(time.time())}.{next(self.fake._numbers):06d}"
        return {"user": self.user, "text": text, "ts": stamp, "team": self._team}

    @property
    def _team(self) -> str:
        return str(self.fake.users.get(self.user, {}).get("team_id", TEAM))

    def _acted(self) -> Json:
        return {
            "user": {"id": self.user, "username": "somebody", "name": "somebody", "team_id": self._team},
            "api_app_id": "A00APP",
            "token": "legacy",
            "trigger_id": self.fake.trigger(self.user),
            "team": {"id": TEAM, "domain": "home"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _view_payload(self, view: Json, values: Json) -> Json:
        unknown = set(values) - {element["action_id"] for _, element in inputs(view)}
        assert not unknown, f"the modal has no fields {sorted(unknown)}"
        state: Json = {}
        for block, element in inputs(view):
            said = _state(element, values.get(element["action_id"]))
            empty = not any(value for name, value in said.items() if name != "type")
            assert block.get("optional") or not empty, f"{element['action_id']} is required"
            state[block["block_id"]] = {element["action_id"]: said}
        stack = self.fake.stacks[self.user]
        return {
            **view,
            "team_id": TEAM,
            "state": {"values": state},
            "previous_view_id": stack[-2] if len(stack) > 1 else None,
            "root_view_id": stack[0],
            "bot_id": BOT_ID,
        }


def inputs(view: Json) -> Iterator[tuple[Json, Json]]:
    """The input blocks of a view with their elements."""
    for block in view["blocks"]:
        if block["type"] == "input":
            yield block, block["element"]


def button_labelled(blocks: list[Json], label: str) -> Json:
    """The button with this label."""
    for block in blocks:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            if element["text"]["text"] == label:
                nested: Json = element
                return nested
    raise AssertionError(f"there is no button {label!r}")


def _pressed(button: Json) -> Json:
    stamp = f"{time.time():.6f}"
    kept: Json = {name: button[name] for name in ("action_id", "text", "value", "style", "type") if name in button}
    return {**kept, "block_id": "b", "action_ts": stamp}


def _state(element: Json, value: Any) -> Json:
    """An input's state; without a new value what it was first given."""
    kind = element["type"]
    if kind in ("static_select", "multi_static_select", "checkboxes"):
        return _chosen(element, kind, value)
    name = {"datepicker": "selected_date", "timepicker": "selected_time"}.get(kind, "value")
    first = {"datepicker": "initial_date", "timepicker": "initial_time"}.get(kind, "initial_value")
    return {"type": kind, name: element.get(first) if value is None else value or None}


def _chosen(element: Json, kind: str, value: Any) -> Json:
    groups = element.get("option_groups")
    options = [option for group in groups for option in group["options"]] if groups else element["options"]
    if kind == "static_select":
        option = next((option for option in options if option["value"] == value), None)
        assert value is None or option, f"there is no option {value!r}"
        return {"type": kind, "selected_option": element.get("initial_option") if value is None else option}
    if value is None:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    return {"type": kind, "selected_options": [option for option in options if option["value"] in value]}


def words(part: object) -> str:
    """Every word somewhere in blocks, a view or a message, for a look at what a person reads."""
    if isinstance(part, dict):
        own = [value for name, value in part.items() if name in ("text", "fallback") and isinstance(value, str)]
        return " ".join([*own, *(words(value) for value in part.values())]).strip()
    if isinstance(part, list):
        return " ".join(words(value) for value in part)
    return ""
