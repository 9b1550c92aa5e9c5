"""The workspace's pages and what they send: each act becomes one Request with the page's own id for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from aiohttp import WSCloseCode, web

from bot.local import sent
from bot.local.chat import (
    PAGE,
    Channel,
    Chat,
    Draft,
    Message,
    NameTaken,
    NoSuchConversation,
    NoSuchMessage,
    direct,
)
from bot.local.guard import Handler, guarded
from bot.local.host import Host, LocalPerson, NextDue
from bot.local.hub import Hub
from bot.local.once import Once
from bot.local.port import PLATFORM, TENANT, account
from bot.local.render import BOT_NAME, HOME, SLASH, ClockView, Entry, Renderer, Room, Sidebar, Viewer, moment, path_of
from bot.local.sent import Json
from bot.runtime.logs import event
from bot.runtime.port import Answer
from handlers.core.cards import BadAction, Card, Shown
from handlers.core.requests import (
    Arrived,
    Command,
    Departed,
    HomeOpened,
    Intent,
    Place,
    Press,
    Reply,
    Request,
    Submit,
    Typed,
    notice,
)

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
FILES = {
    "workspace.js": "text/javascript",
    "workspace.css": "text/css",
    "bot.svg": "image/svg+xml",
}
WENT_WRONG = "Something went wrong and nothing was saved. Please try again."
HEARTBEAT = 30.0  # seconds between pings of an open page


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, where, and how that conversation looks to them."""

    person: LocalPerson
    people: Mapping[str, LocalPerson]
    conversation: str
    channel: Channel | None  # None: the direct conversation
    home: bool = False  # they look at the bot's home page, which speaks for the direct conversation

    @property
    def user(self) -> str:
        return self.person.user

    @property
    def inside(self) -> bool:
        return self.channel is None or self.user in self.channel.members

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.user, self.person.zone)

    @property
    def place(self) -> Place:
        if self.channel is None:
            return Place(PLATFORM, TENANT, self.conversation, "personal", BOT_NAME)
        return Place(PLATFORM, TENANT, self.conversation, "channel", self.channel.name)


class Site:
    """The routes of the local workspace."""

    def __init__(self, chat: Chat, answer: Answer, host: Host, hub: Hub) -> None:
        self._chat = chat
        self._answer = answer
        self._host = host
        self._hub = hub
        self._renderer = Renderer()
        self._once = Once()
        self._clock = asyncio.Lock()
        self._ready = asyncio.Event()  # not while the example is being made anew
        self._ready.set()

    def add_routes(self, app: web.Application) -> None:
        room = "/as/{user}/c/{conversation}"
        gets = {
            "/": self.choose,
            "/static/{file}": self.static,
            "/as/{user}": self.enter,
            "/as/{user}/live": self.live,
            room: self.page,
            f"{room}/sync": self.sync,
            f"{room}/earlier": self.earlier,
            f"{room}/people": self.people,
        }
        posts = {
            f"{room}/say": self.say,
            f"{room}/press": self.press,
            f"{room}/submit": self.submit,
            f"{room}/read": self.read,
            f"{room}/dismiss": self.dismiss,
            f"{room}/join": self.join,
            f"{room}/leave": self.leave,
            f"{room}/people": self.add_people,
            "/as/{user}/channels": self.create_channel,
            "/as/{user}/clock/{move}": self.move_clock,
        }
        for path, handler in gets.items():
            app.router.add_get(path, guarded(_fit(handler)))
        for path, handler in posts.items():
            app.router.add_post(path, guarded(_fit(handler)))
        app.on_shutdown.append(self._shut)

    async def _shut(self, _app: web.Application) -> None:
        self._hub.close()

    async def finish(self) -> None:
        """Let what is under way come to its end."""
        await self._once.finish()

    # Pages ---------------------------------------------------------------------------------

    async def choose(self, _request: web.Request) -> web.Response:
        return _html(self._renderer.choose(await self._people()))

    async def static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if name not in FILES:
            raise web.HTTPNotFound
        headers = {"Content-Type": f"{FILES[name]}; charset=utf-8", "Cache-Control": "no-cache"}
        return web.FileResponse(STATIC / name, headers=headers)

    async def enter(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        known = any(person.user == user for person in await self._people())
        raise web.HTTPFound(path_of(user, direct(user)) if known else "/")

    async def page(self, request: web.Request) -> web.Response:
        try:
            visitor = await self._visitor(request)
        except sent.Unfit:
            raise web.HTTPFound(path_of(request.match_info["user"])) from None
        epoch, change = await asyncio.to_thread(self._chat.state)
        messages: tuple[Message, ...] = ()
        if visitor.inside and not visitor.home:
            messages = await asyncio.to_thread(self._chat.latest, visitor.conversation, visitor.user)
        more, home = len(messages) == PAGE, await self._home(visitor)
        room = Room(visitor.conversation, visitor.channel, visitor.inside, messages, more, change, home)
        return _html(
            self._renderer.workspace(
                visitor.person,
                visitor.people,
                room,
                await self._sidebar(visitor, watched=True),
                await self._clock_view(),
                await self._host.commands(visitor.user),
                epoch,
            )
        )

    async def sync(self, request: web.Request) -> web.Response:
        """What changed since the page last asked, as pieces to swap in."""
        try:
            visitor = await self._visitor(request)
        except sent.Unfit:
            return web.json_response({"epoch": "", "change": 0})
        epoch, change = await asyncio.to_thread(self._chat.state)
        since = sent.whole(request.query.get("since", "0"))
        messages: tuple[Message, ...] = ()
        if visitor.inside and not visitor.home:
            messages = await asyncio.to_thread(self._chat.changed, visitor.conversation, visitor.user, since)
        sidebar = await self._sidebar(visitor, watched="watched" in request.query)
        home = await self._home(visitor)
        return web.json_response(
            {
                "epoch": epoch,
                "change": change,
                "inside": visitor.inside,
                "unread": sidebar.unread,
                "messages": [self._piece(message, visitor) for message in messages],
                "conversations": self._renderer.sidebar(sidebar),
                "clock": self._renderer.clock(await self._clock_view(), visitor.person),
                "head": self._renderer.head(visitor.channel, visitor.people, home=visitor.home),
                "home": None if home is None else self._renderer.home(home, visitor.person),
            }
        )

    async def earlier(self, request: web.Request) -> web.Response:
        visitor = await self._insider(request)
        before = sent.whole(request.query.get("before", "0"))
        messages = await asyncio.to_thread(self._chat.latest, visitor.conversation, visitor.user, before)
        return web.json_response(
            {
                "messages": [self._piece(message, visitor) for message in messages],
                "more": len(messages) == PAGE,
            }
        )

    async def people(self, request: web.Request) -> web.Response:
        visitor = await self._insider(request)
        if visitor.channel is None:
            raise web.HTTPNotFound
        return web.json_response({"form": self._renderer.people(visitor.channel, visitor.person, visitor.people)})

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """Says "changed" whenever something did; a socket, as a browser keeps only six event streams open."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return socket  # the page went on to another one
        with self._hub.page() as event:
            teller = asyncio.create_task(_tell(socket, event, self._hub))
            try:
                async for _ in socket:
                    pass
            finally:
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
        return socket

    # Acts of a person ----------------------------------------------------------------------

    async def say(self, request: web.Request) -> web.Response:
        return await self._act(request, self._say)

    async def press(self, request: web.Request) -> web.Response:
        return await self._act(request, self._press)

    async def submit(self, request: web.Request) -> web.Response:
        return await self._act(request, self._submit)

    async def join(self, request: web.Request) -> web.Response:
        return await self._act(request, self._join, inside=False)

    async def leave(self, request: web.Request) -> web.Response:
        return await self._act(request, self._leave)

    async def add_people(self, request: web.Request) -> web.Response:
        return await self._act(request, self._add_people)

    async def read(self, request: web.Request) -> web.Response:
        visitor, body = await self._insider(request), await sent.body(request)
        upto = sent.whole(body.get("message"))
        await asyncio.to_thread(self._chat.mark_read, visitor.user, visitor.conversation, upto)
        return web.json_response({})

    async def dismiss(self, request: web.Request) -> web.Response:
        visitor, body = await self._insider(request), await sent.body(request)
        message = sent.whole(body.get("message"))
        await asyncio.to_thread(self._chat.dismiss, visitor.conversation, message, visitor.user)
        self._hub.poke()
        return web.json_response({})

    async def _say(self, visitor: Visitor, key: str, body: Json) -> Json:
        text = sent.typed(body.get("text"))
        if text == SLASH or text.startswith((f"{SLASH} ", f"{SLASH}\n")):
            asked = Command(text.removeprefix(SLASH).strip())
            return await self._ask(visitor, asked, key, asked=f"{SLASH} {asked.text}".strip())
        if text.startswith("/"):
            raise sent.Unfit("That's not a command here. Commands start with /plc. Try /plc help.")
        await self._write(visitor, key, text=text)
        if visitor.channel is None:
            return await self._ask(visitor, Typed(text), key)
        return {}

    async def _press(self, visitor: Visitor, key: str, body: Json) -> Json:
        action = sent.action(body)
        return await self._ask(visitor, Press(action), key, message=sent.message_id(body))

    async def _submit(self, visitor: Visitor, key: str, body: Json) -> Json:
        intent = Submit(sent.action(body), sent.values(body.get("values")))
        return await self._ask(visitor, intent, key, message=sent.message_id(body))

    async def _join(self, visitor: Visitor, key: str, _body: Json) -> Json:
        if visitor.channel is None:
            raise sent.Unfit("Only a channel can be joined.")
        await asyncio.to_thread(self._chat.add_member, visitor.channel.id, visitor.user)
        return await self._ask(visitor, Arrived(), key)

    async def _leave(self, visitor: Visitor, key: str, _body: Json) -> Json:
        if visitor.channel is None:
            raise sent.Unfit("Only a channel can be left.")
        await asyncio.to_thread(self._chat.remove_member, visitor.channel.id, visitor.user)
        answer = await self._ask(visitor, Departed(), key)
        return answer if "problem" in answer else {"go": path_of(visitor.user, direct(visitor.user))}

    async def _add_people(self, visitor: Visitor, key: str, body: Json) -> Json:
        if visitor.channel is None:
            raise sent.Unfit("People can be added to a channel only.")
        users = [user for user in sent.values(body.get("values")).get("users", ()) if user in visitor.people]
        if not users:
            raise sent.Unfit("Choose at least one person.")
        for user in users:
            added = Visitor(visitor.people[user], visitor.people, visitor.conversation, visitor.channel)
            await asyncio.to_thread(self._chat.add_member, visitor.channel.id, user)
            answer = await self._ask(added, Arrived(), sent.key_for(key, user))
            if "problem" in answer:
                return answer
        return {"said": f"Added: {', '.join(visitor.people[user].name for user in users)}."}

    async def create_channel(self, request: web.Request) -> web.Response:
        visitor = await self._visitor(request, conversation=direct(request.match_info["user"]))

        async def work(key: str, body: Json) -> Json:
            channel = f"c-{UUID(key.removeprefix('local:')).hex[:12]}"  # so a repeated request makes the same
            try:
                name = sent.channel_name((sent.values(body.get("values")).get("name") or ("",))[0])
                await asyncio.to_thread(self._chat.create_channel, channel, name, (visitor.user,))
            except (sent.Unfit, NameTaken) as error:
                return {"errors": {"name": str(error)}}
            return {"go": path_of(visitor.user, channel)}

        return await self._done_once(request, await sent.body(request), work)

    # The program's clock -------------------------------------------------------------------

    async def move_clock(self, request: web.Request) -> web.Response:
        visitor = await self._visitor(request, conversation=direct(request.match_info["user"]))
        moves: dict[str, Callable[[LocalPerson, Json], Awaitable[Json]]] = {
            "next": self._go_to_next,
            "forward": self._go_forward,
            "reset": self._start_over,
        }
        move = moves.get(request.match_info["move"])
        if move is None:
            raise web.HTTPNotFound

        async def work(_key: str, body: Json) -> Json:
            async with self._clock:
                self._hub.poke()  # so that other tabs say that the clock is moving
                return await move(visitor.person, body)

        return await self._done_once(request, await sent.body(request), work)

    async def _go_to_next(self, person: LocalPerson, _body: Json) -> Json:
        done = await self._host.go_to_next()
        if done is None:
            return {"said": "Nothing is due, so the clock stays the same."}
        return {"said": f"Done: {done.what}. {self._time_now(person)}"}

    async def _go_forward(self, person: LocalPerson, body: Json) -> Json:
        hours = sent.whole(body.get("hours"))
        if not 1 <= hours <= 24 * 366:
            raise sent.Unfit("The clock moves by an hour at least and a year at most.")
        await self._host.go_forward(hours)
        return {"said": self._time_now(person)}

    async def _start_over(self, person: LocalPerson, _body: Json) -> Json:
        self._ready.clear()
        try:
            await asyncio.to_thread(self._chat.clear)
            await self._host.reset()
        finally:
            self._ready.set()
        return {"said": "The example starts over.", "go": path_of(person.user)}

    def _time_now(self, person: LocalPerson) -> str:
        return f"It is now {moment(self._host.now(), person.zone)}."

    # From an act to a request and back -----------------------------------------------------

    async def _act(
        self,
        request: web.Request,
        work: Callable[[Visitor, str, Json], Awaitable[Json]],
        *,
        inside: bool = True,
    ) -> web.Response:
        visitor = await (self._insider(request) if inside else self._visitor(request))
        body = await sent.body(request)
        return await self._done_once(request, body, lambda key, body: work(visitor, key, body))

    async def _done_once(
        self, request: web.Request, body: Json, work: Callable[[str, Json], Awaitable[Json]]
    ) -> web.Response:
        key = sent.key(body)

        async def safely() -> Json:
            try:
                return await work(key, body)
            except sent.Unfit as error:
                return {"problem": str(error)}
            except Exception as error:
                # The kind alone: an error's text may quote what somebody wrote.
                event(log, "local.act_failed", logging.ERROR, error=type(error).__name__)
                return {"problem": WENT_WRONG}

        answer = await self._once.do(f"{request.path} {key}", safely)
        self._hub.poke()
        return web.json_response(answer)

    async def _ask(
        self,
        visitor: Visitor,
        intent: Intent,
        key: str,
        *,
        message: int | None = None,
        asked: str | None = None,
    ) -> Json:
        request = Request(account(visitor.user), visitor.place, intent, key)
        try:
            reply = await self._answer(request)
        except BadAction as error:
            reply = notice(str(error))
        return await self._show(visitor, reply, key, message, asked)

    async def _show(self, visitor: Visitor, reply: Reply, key: str, message: int | None, asked: str | None) -> Json:
        if reply.errors:
            return {"errors": dict(reply.errors)}
        if reply.replace is not None and not visitor.home and not await self._replace(visitor, message, reply.replace):
            await self._write(visitor, f"{key}:replace", card=reply.replace, asked=asked)
        if reply.card is not None:
            await self._write(visitor, f"{key}:reply", card=reply.card, asked=asked)
        if reply.form is not None:
            return {"form": self._renderer.form(reply.form, visitor.viewer, message)}
        if visitor.home and reply.card is not None:
            return {"go": path_of(visitor.user, visitor.conversation)}
        return {}  # what a press on the home page changed, that page shows by itself

    async def _replace(self, visitor: Visitor, message: int | None, card: Card) -> bool:
        """Change the pressed card, if it is one that the person alone sees."""
        if message is None:
            return False
        try:
            pressed = await asyncio.to_thread(self._chat.message, visitor.conversation, message)
            alone = visitor.channel is None or pressed.only_for == visitor.user
            if not alone or pressed.card is None:
                return False
            shown = Shown(mentions=dict(pressed.mentions))
            await asyncio.to_thread(self._chat.change_card, visitor.conversation, message, card, shown)
        except NoSuchMessage:
            return False
        return True

    async def _write(
        self,
        visitor: Visitor,
        origin: str,
        *,
        text: str | None = None,
        card: Card | None = None,
        asked: str | None = None,
    ) -> None:
        """What the person typed, or the bot's answer to them: in a channel a notice that they alone see."""
        private = card is not None and visitor.channel is not None
        draft = Draft(
            visitor.conversation,
            self._host.now(),
            f"{visitor.user} {origin}",
            author=visitor.user if card is None else None,
            text=text,
            card=card,
            only_for=visitor.user if private else None,
            asked=asked,
        )
        await asyncio.to_thread(self._chat.write, draft)
        self._hub.poke()

    # What a page needs to know -------------------------------------------------------------

    async def _people(self) -> tuple[LocalPerson, ...]:
        """Everybody; while the example is being made anew, pages wait here."""
        await self._ready.wait()
        return await self._host.people()

    async def _visitor(self, request: web.Request, conversation: str | None = None) -> Visitor:
        people = {person.user: person for person in await self._people()}
        person = people.get(request.match_info["user"])
        if person is None:
            raise sent.Unfit("This person is not in the local workspace.")
        wanted = conversation or request.match_info["conversation"]
        if wanted in ("direct", direct(person.user), HOME):
            return Visitor(person, people, direct(person.user), None, home=wanted == HOME)
        try:
            channel = await asyncio.to_thread(self._chat.channel, wanted)
        except NoSuchConversation as error:
            raise sent.Unfit(str(error)) from None
        return Visitor(person, people, channel.id, channel)

    async def _insider(self, request: web.Request) -> Visitor:
        visitor = await self._visitor(request)
        if not visitor.inside:
            raise sent.Unfit("You are not in this channel.")
        return visitor

    async def _sidebar(self, visitor: Visitor, *, watched: bool) -> Sidebar:
        """``watched``: somebody looks at this conversation now, so nothing in it waits to be read."""
        channels = await asyncio.to_thread(self._chat.channels)
        unread = await asyncio.to_thread(self._chat.unread, visitor.user)
        if watched and not visitor.home:
            unread.pop(visitor.conversation, None)

        def entry(conversation: str, name: str) -> Entry:
            href = path_of(visitor.user, conversation)
            here = conversation == visitor.conversation and not visitor.home
            return Entry(href, name, unread.get(conversation, 0), here)

        return Sidebar(
            Entry(path_of(visitor.user, HOME), "Home", 0, visitor.home),
            entry(direct(visitor.user), BOT_NAME),
            tuple(entry(one.id, one.name) for one in channels if visitor.user in one.members),
            tuple(entry(one.id, one.name) for one in channels if visitor.user not in one.members),
        )

    async def _home(self, visitor: Visitor) -> Card | None:
        """What the bot says to somebody who looks at its home page; None where that is not what they look at."""
        if not visitor.home:
            return None
        request = Request(account(visitor.user), visitor.place, HomeOpened(), f"{PLATFORM}:{uuid4()}")
        return (await self._answer(request)).card or Card("Nothing here yet")

    async def _clock_view(self) -> ClockView:
        working = self._clock.locked()
        due: NextDue | None = None if working else await self._host.next_due()
        return ClockView(self._host.now(), due, working)

    def _piece(self, message: Message, visitor: Visitor) -> Json:
        if message.gone:
            return {"id": message.id, "html": None}
        return {
            "id": message.id,
            "html": self._renderer.message(message, visitor.people, visitor.person),
        }


async def _tell(socket: web.WebSocketResponse, event: asyncio.Event, hub: Hub) -> None:
    with contextlib.suppress(ConnectionError):
        while not hub.closed:
            await event.wait()
            event.clear()
            await socket.send_str("changed")
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _fit(handler: Handler) -> Handler:
    """The handler, its refusals said in a sentence that the page can show."""

    async def fit(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except sent.Unfit as error:
            return web.json_response({"problem": str(error)}, status=400)

    return fit


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")
