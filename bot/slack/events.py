"""Events: messages to the bot, mentions, the home tab, who comes and goes."""

from __future__ import annotations

from functools import partial

from bot.slack import listeners
from bot.slack.api import Api
from bot.slack.asking import Asking
from bot.slack.payloads import Payload
from bot.slack.private_answers import UNSHOWN_CARD, PrivateAnswers, opener
from bot.slack.slack_port import SlackPort
from handlers.core.requests import HomeOpened, Request, Typed


class Events:
    """Answers events."""

    def __init__(self, api: Api, port: SlackPort, asking: Asking, answers: PrivateAnswers) -> None:
        self._api = api
        self._port = port
        self._asking = asking
        self._answers = answers

    async def answer(self, body: Payload) -> None:
        """Answer an event, unless Slack sent it before. A slow answer goes on after this returns.

        Raises:
            Wait, Temporary, Permanent: Slack does not say who the bot is.
        """
        request = listeners.event(body, await self._api.identity())
        if request is None or self._asking.is_repeated(request.key):
            return
        if isinstance(request.intent, Typed):
            self._port.remember_chat(request.who.user, request.place.conversation)
        sorry = partial(self._answers.whisper, request.place.conversation, request.who.user, UNSHOWN_CARD)
        work = self._asking.hold(self._asking.or_sorry(self._event(body, request), sorry))
        await self._asking.is_quick(work, self._asking.patience.answer)

    async def _event(self, body: Payload, request: Request) -> None:
        reply = await self._asking.ask(request)
        card = opener(reply.form) if reply.form else reply.card or reply.replace
        if card is None:
            return
        match request.intent:
            case HomeOpened():
                await self._answers.publish_home(request.who.user, card)
            case _:
                identity = await self._api.identity()
                if request.who.user != identity.user:
                    thread = body["event"].get("thread_ts")
                    await self._answers.whisper(request.place.conversation, request.who.user, card, thread)
