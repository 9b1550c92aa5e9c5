"""From what somebody does in a page to a request to the bot, and from its reply to what the page shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.local import sent
from bot.local.chat import Chat
from bot.local.host import Host
from bot.local.hub import Hub
from bot.local.local_port import account
from bot.local.local_render import Renderer, path_of
from bot.local.messages import Draft, NoSuchMessage
from bot.local.once import Once
from bot.local.sent import Json
from bot.local.visitors import Visitor, Visitors
from bot.runtime.logs import event
from bot.runtime.port import Answer
from handlers.core.actions import BadAction
from handlers.core.cards import Card, Shown
from handlers.core.requests import Intent, Reply, Request, notice

log = logging.getLogger(__name__)

WENT_WRONG = "Something went wrong and nothing was saved. Please try again."


class ActRequests:
    """Does each act once, and asks the bot where the act is meant for it."""

    def __init__(
        self, chat: Chat, answer: Answer, host: Host, hub: Hub, renderer: Renderer, visitors: Visitors
    ) -> None:
        self._chat = chat
        self._answer = answer
        self._host = host
        self._hub = hub
        self._renderer = renderer
        self._visitors = visitors
        self._once = Once()

    async def finish(self) -> None:
        """Wait for the acts that have begun."""
        await self._once.finish()

    async def act(
        self,
        request: web.Request,
        work: Callable[[Visitor, str, Json], Awaitable[Json]],
        *,
        inside: bool = True,
    ) -> web.Response:
        """Do what a page sends, once for its key, and answer with the work's JSON.

        ``inside``: only somebody in the conversation may do it.

        Raises:
            Unfit: the person, conversation, body or key cannot be right, or they are not in the channel.
        """
        visitor = await (self._visitors.insider(request) if inside else self._visitors.visitor(request))
        body = await sent.body(request)
        return await self.done_once(request, body, lambda key, body: work(visitor, key, body))

    async def done_once(
        self, request: web.Request, body: Json, work: Callable[[str, Json], Awaitable[Json]]
    ) -> web.Response:
        """Run the work once for the body's key, and answer with its JSON.

        A refusal or failure is answered as a ``problem``: a sentence that the page shows.

        Raises:
            Unfit: the body has no key.
        """
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

    async def ask(
        self,
        visitor: Visitor,
        intent: Intent,
        key: str,
        *,
        message: int | None = None,
        asked: str | None = None,
    ) -> Json:
        """Send the intent to the bot, write its reply into the chat, and return what the page does now.

        ``message``: the id of the message whose button was pressed. ``asked``: the command to show above the answer.
        """
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
            await self.write(visitor, f"{key}:replace", card=reply.replace, asked=asked)
        if reply.card is not None:
            await self.write(visitor, f"{key}:reply", card=reply.card, asked=asked)
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

    async def write(
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
