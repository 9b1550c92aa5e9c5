"""What people do in a page: type, press, fill in a form, join and leave channels, dismiss a notice."""

from __future__ import annotations

import asyncio
from uuid import UUID

from aiohttp import web

from bot.local import sent
from bot.local.act_requests import ActRequests
from bot.local.chat import Chat
from bot.local.guard import Handler
from bot.local.html_text import SLASH
from bot.local.hub import Hub
from bot.local.local_render import path_of
from bot.local.messages import NameTaken, direct
from bot.local.sent import Json
from bot.local.visitors import Visitor, Visitors
from handlers.core.requests import Arrived, Command, Departed, Press, Submit, Typed


class Acts:
    """One handler for each thing that a person can do in a conversation."""

    def __init__(self, chat: Chat, hub: Hub, visitors: Visitors, requests: ActRequests) -> None:
        self._chat = chat
        self._hub = hub
        self._visitors = visitors
        self._requests = requests

    def posts(self, room: str) -> dict[str, Handler]:
        """The handlers by path. ``room``: the path of a conversation."""
        return {
            f"{room}/say": self.say,
            f"{room}/press": self.press,
            f"{room}/submit": self.submit,
            f"{room}/read": self.read,
            f"{room}/dismiss": self.dismiss,
            f"{room}/join": self.join,
            f"{room}/leave": self.leave,
            f"{room}/people": self.add_people,
            "/as/{user}/channels": self.create_channel,
        }

    async def say(self, request: web.Request) -> web.Response:
        """Send a command to the bot, or write the text; in the direct conversation the bot gets the text too."""
        return await self._requests.act(request, self._say)

    async def press(self, request: web.Request) -> web.Response:
        """Send a pressed button to the bot."""
        return await self._requests.act(request, self._press)

    async def submit(self, request: web.Request) -> web.Response:
        """Send a filled-in form to the bot."""
        return await self._requests.act(request, self._submit)

    async def join(self, request: web.Request) -> web.Response:
        """Put the person into the channel, and tell the bot that they came."""
        return await self._requests.act(request, self._join, inside=False)

    async def leave(self, request: web.Request) -> web.Response:
        """Take the person out of the channel, and tell the bot that they left."""
        return await self._requests.act(request, self._leave)

    async def add_people(self, request: web.Request) -> web.Response:
        """Put the chosen people into the channel, and tell the bot of each of them."""
        return await self._requests.act(request, self._add_people)

    async def read(self, request: web.Request) -> web.Response:
        """Record up to which message the person has read this conversation.

        Raises:
            Unfit: they are not in it, or the body cannot be right.
        """
        visitor, body = await self._visitors.insider(request), await sent.body(request)
        upto = sent.whole(body.get("message"))
        await asyncio.to_thread(self._chat.mark_read, visitor.user, visitor.conversation, upto)
        return web.json_response({})

    async def dismiss(self, request: web.Request) -> web.Response:
        """Take away a notice that only this person sees.

        Raises:
            Unfit: they are not in this conversation, or the body cannot be right.
        """
        visitor, body = await self._visitors.insider(request), await sent.body(request)
        message = sent.whole(body.get("message"))
        await asyncio.to_thread(self._chat.dismiss, visitor.conversation, message, visitor.user)
        self._hub.poke()
        return web.json_response({})

    async def _say(self, visitor: Visitor, key: str, body: Json) -> Json:
        text = sent.typed(body.get("text"))
        if text == SLASH or text.startswith((f"{SLASH} ", f"{SLASH}\n")):
            asked = Command(text.removeprefix(SLASH).strip())
            return await self._requests.ask(visitor, asked, key, asked=f"{SLASH} {asked.text}".strip())
        if text.startswith("/"):
            raise sent.Unfit("That's not a command here. Commands start with /plc. Try /plc help.")
        await self._requests.write(visitor, key, text=text)
        if visitor.channel is None:
            return await self._requests.ask(visitor, Typed(text), key)
        return {}

    async def _press(self, visitor: Visitor, key: str, body: Json) -> Json:
        action = sent.action(body)
        return await self._requests.ask(visitor, Press(action), key, message=sent.message_id(body))

    async def _submit(self, visitor: Visitor, key: str, body: Json) -> Json:
        intent = Submit(sent.action(body), sent.values(body.get("values")))
        return await self._requests.ask(visitor, intent, key, message=sent.message_id(body))

    async def _join(self, visitor: Visitor, key: str, _body: Json) -> Json:
        if visitor.channel is None:
            raise sent.Unfit("Only a channel can be joined.")
        await asyncio.to_thread(self._chat.add_member, visitor.channel.id, visitor.user)
        return await self._requests.ask(visitor, Arrived(), key)

    async def _leave(self, visitor: Visitor, key: str, _body: Json) -> Json:
        if visitor.channel is None:
            raise sent.Unfit("Only a channel can be left.")
        await asyncio.to_thread(self._chat.remove_member, visitor.channel.id, visitor.user)
        answer = await self._requests.ask(visitor, Departed(), key)
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
            answer = await self._requests.ask(added, Arrived(), sent.key_for(key, user))
            if "problem" in answer:
                return answer
        return {"said": f"Added: {', '.join(visitor.people[user].name for user in users)}."}

    async def create_channel(self, request: web.Request) -> web.Response:
        """Make a channel with the person in it; a repeated request makes no second one.

        Raises:
            Unfit: the person is unknown, or the body or its key cannot be right.
        """
        visitor = await self._visitors.visitor(request, conversation=direct(request.match_info["user"]))

        async def work(key: str, body: Json) -> Json:
            channel = f"c-{UUID(key.removeprefix('local:')).hex[:12]}"  # so a repeated request makes the same
            try:
                name = sent.channel_name((sent.values(body.get("values")).get("name") or ("",))[0])
                await asyncio.to_thread(self._chat.create_channel, channel, name, (visitor.user,))
            except (sent.Unfit, NameTaken) as error:
                return {"errors": {"name": str(error)}}
            return {"go": path_of(visitor.user, channel)}

        return await self._requests.done_once(request, await sent.body(request), work)
