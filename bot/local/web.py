"""The workspace's pages: who there is, a conversation, what changed in it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import uuid4

from aiohttp import WSCloseCode, web

from bot.local import sent
from bot.local.act_requests import ActRequests
from bot.local.acts import Acts
from bot.local.chat import PAGE, Chat
from bot.local.clock_moves import ClockMoves
from bot.local.guard import Handler, guarded
from bot.local.host import Host
from bot.local.hub import Hub
from bot.local.local_port import PLATFORM, account
from bot.local.local_render import BOT_NAME, HOME, Renderer, Room, Sidebar, SidebarEntry, path_of
from bot.local.messages import Message, direct
from bot.local.sent import Json
from bot.local.visitors import Visitor, Visitors
from bot.runtime.port import Answer
from handlers.core.cards import Card
from handlers.core.requests import (
    HomeOpened,
    Request,
)

STATIC = Path(__file__).parent / "static"
FILES = {
    "workspace.js": "text/javascript",
    "workspace.css": "text/css",
    "bot.svg": "image/svg+xml",
}
HEARTBEAT = 30.0  # seconds between pings of an open page


class Site:
    """The routes of the local workspace."""

    def __init__(self, chat: Chat, answer: Answer, host: Host, hub: Hub) -> None:
        self._chat = chat
        self._answer = answer
        self._host = host
        self._hub = hub
        self._renderer = Renderer()
        self._visitors = Visitors(chat, host)
        self._requests = ActRequests(chat, answer, host, hub, self._renderer, self._visitors)
        self._acts = Acts(chat, hub, self._visitors, self._requests)
        self._clock = ClockMoves(chat, host, hub, self._visitors, self._requests)

    def add_routes(self, app: web.Application) -> None:
        """Add all pages and acts, each behind the checks of :mod:`bot.local.guard`."""
        room = "/as/{user}/c/{conversation}"
        gets: dict[str, Handler] = {
            "/": self.choose,
            "/static/{file}": self.static,
            "/as/{user}": self.enter,
            "/as/{user}/live": self.live,
            room: self.page,
            f"{room}/sync": self.sync,
            f"{room}/earlier": self.earlier,
            f"{room}/people": self.people,
        }
        posts = {**self._acts.posts(room), "/as/{user}/clock/{move}": self._clock.move_clock}
        for path, handler in gets.items():
            app.router.add_get(path, guarded(_fit(handler)))
        for path, handler in posts.items():
            app.router.add_post(path, guarded(_fit(handler)))
        app.on_shutdown.append(self._shut)

    async def _shut(self, _app: web.Application) -> None:
        self._hub.close()

    async def finish(self) -> None:
        """Wait for the acts that have begun."""
        await self._requests.finish()

    # Pages ---------------------------------------------------------------------------------

    async def choose(self, _request: web.Request) -> web.Response:
        """Show the page on which a visitor chooses a person to be."""
        return _html(self._renderer.choose(await self._visitors.people()))

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Send one of the files of a page.

        Raises:
            HTTPNotFound: it is not one of :data:`FILES`.
        """
        name = request.match_info["file"]
        if name not in FILES:
            raise web.HTTPNotFound
        headers = {"Content-Type": f"{FILES[name]}; charset=utf-8", "Cache-Control": "no-cache"}
        return web.FileResponse(STATIC / name, headers=headers)

    async def enter(self, request: web.Request) -> web.Response:
        """Redirect to the person's direct conversation, or to the choice of people if there is no such person.

        Raises:
            HTTPFound: always, with the address.
        """
        user = request.match_info["user"]
        known = any(person.user == user for person in await self._visitors.people())
        raise web.HTTPFound(path_of(user, direct(user)) if known else "/")

    async def page(self, request: web.Request) -> web.Response:
        """Show a conversation or the bot's home page.

        Raises:
            HTTPFound: there is no such person or conversation; it redirects to the person's own page.
        """
        try:
            visitor = await self._visitors.visitor(request)
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
                await self._clock.view(),
                await self._host.commands(visitor.user),
                epoch,
            )
        )

    async def sync(self, request: web.Request) -> web.Response:
        """What changed since the page last asked, as pieces to swap in."""
        try:
            visitor = await self._visitors.visitor(request)
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
                "clock": self._renderer.clock(await self._clock.view(), visitor.person),
                "head": self._renderer.head(visitor.channel, visitor.people, home=visitor.home),
                "home": None if home is None else self._renderer.home(home, visitor.person),
            }
        )

    async def earlier(self, request: web.Request) -> web.Response:
        """Send the messages before the one that the page names, at most :data:`PAGE`, and whether there may be more.

        Raises:
            Unfit: the person is not in this conversation, or the message's id is no number.
        """
        visitor = await self._visitors.insider(request)
        before = sent.whole(request.query.get("before", "0"))
        messages = await asyncio.to_thread(self._chat.latest, visitor.conversation, visitor.user, before)
        return web.json_response(
            {
                "messages": [self._piece(message, visitor) for message in messages],
                "more": len(messages) == PAGE,
            }
        )

    async def people(self, request: web.Request) -> web.Response:
        """Send the dialog with the channel's members.

        Raises:
            HTTPNotFound: the conversation is no channel.
            Unfit: the person is not in it.
        """
        visitor = await self._visitors.insider(request)
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

    # What a page needs to know -------------------------------------------------------------

    async def _sidebar(self, visitor: Visitor, *, watched: bool) -> Sidebar:
        """``watched``: somebody looks at this conversation now, so nothing in it waits to be read."""
        channels = await asyncio.to_thread(self._chat.channels)
        unread = await asyncio.to_thread(self._chat.unread, visitor.user)
        if watched and not visitor.home:
            unread.pop(visitor.conversation, None)

        def entry(conversation: str, name: str) -> SidebarEntry:
            href = path_of(visitor.user, conversation)
            here = conversation == visitor.conversation and not visitor.home
            return SidebarEntry(href, name, unread.get(conversation, 0), here)

        return Sidebar(
            SidebarEntry(path_of(visitor.user, HOME), "Home", 0, visitor.home),
            entry(direct(visitor.user), BOT_NAME),
            tuple(entry(channel.id, channel.name) for channel in channels if visitor.user in channel.members),
            tuple(entry(channel.id, channel.name) for channel in channels if visitor.user not in channel.members),
        )

    async def _home(self, visitor: Visitor) -> Card | None:
        """What the bot says to somebody who looks at its home page; None where that is not what they look at."""
        if not visitor.home:
            return None
        request = Request(account(visitor.user), visitor.place, HomeOpened(), f"{PLATFORM}:{uuid4()}")
        return (await self._answer(request)).card or Card("Nothing here yet")

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
