"""Who asks for a page or does something in it, and in which conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.local import sent
from bot.local.chat import Chat
from bot.local.host import Host, LocalPerson
from bot.local.html_text import Viewer
from bot.local.local_port import PLATFORM, TENANT
from bot.local.local_render import BOT_NAME, HOME
from bot.local.messages import Channel, NoSuchConversation, direct
from handlers.core.requests import Place


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
        """The person's user id."""
        return self.person.user

    @property
    def inside(self) -> bool:
        """Whether the person is in this conversation; always, in their direct conversation."""
        return self.channel is None or self.user in self.channel.members

    @property
    def viewer(self) -> Viewer:
        """The id and zone for which a page is rendered."""
        return Viewer(self.user, self.person.zone)

    @property
    def place(self) -> Place:
        """The conversation, for a request to the bot."""
        if self.channel is None:
            return Place(PLATFORM, TENANT, self.conversation, "personal", BOT_NAME)
        return Place(PLATFORM, TENANT, self.conversation, "channel", self.channel.name)


class Visitors:
    """Finds the person and the conversation that a request's address names."""

    def __init__(self, chat: Chat, host: Host) -> None:
        self._chat = chat
        self._host = host
        self._ready = asyncio.Event()  # not while the example starts over
        self._ready.set()

    @contextmanager
    def kept_waiting(self) -> Iterator[None]:
        """Pages wait while the example starts over."""
        self._ready.clear()
        try:
            yield
        finally:
            self._ready.set()

    async def people(self) -> tuple[LocalPerson, ...]:
        """Everybody; while the example starts over, pages wait here."""
        await self._ready.wait()
        return await self._host.people()

    async def visitor(self, request: web.Request, conversation: str | None = None) -> Visitor:
        """Return the person and conversation that the request's address names.

        ``conversation``: use this one instead. The person need not be in it.

        Raises:
            Unfit: there is no such person or conversation.
        """
        people = {person.user: person for person in await self.people()}
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

    async def insider(self, request: web.Request) -> Visitor:
        """Return the person and conversation that the request's address names.

        Raises:
            Unfit: there are none such, or the person is not in the channel.
        """
        visitor = await self.visitor(request)
        if not visitor.inside:
            raise sent.Unfit("You are not in this channel.")
        return visitor
