"""``/plc``: answered inside the acknowledgement, or through the command's response address."""

from __future__ import annotations

import asyncio
from functools import partial

from bot.slack import listeners
from bot.slack.api import Api
from bot.slack.asking import Asking
from bot.slack.payloads import Payload
from bot.slack.private_answers import UNSHOWN_CARD, PrivateAnswers, ephemeral, opener
from bot.slack.sent_forms import Origin
from handlers.core.cards import Card
from handlers.core.requests import Reply


class SlashCommands:
    """Answers slash commands."""

    def __init__(self, api: Api, asking: Asking, answers: PrivateAnswers) -> None:
        self._api = api
        self._asking = asking
        self._answers = answers

    async def answer(self, body: Payload) -> Payload:
        """Return the acknowledgement: the answer, shown to the sender alone, or an empty one if the answer follows."""

        async def sorry() -> Payload:
            return ephemeral(UNSHOWN_CARD)

        return await self._asking.or_sorry(self._command(body), sorry)

    async def _command(self, body: Payload) -> Payload:
        request = listeners.command(body, await self._api.identity())
        if self._asking.is_repeated(request.key):
            return {}
        task = self._asking.hold(self._asking.ask(request))
        if await self._asking.is_quick(task, self._asking.patience.answer):
            return ephemeral(await self._command_card(task.result(), body))
        self._asking.hold(self._command_late(task, body))
        return {}

    async def _command_card(self, reply: Reply, body: Payload) -> Card | None:
        card = reply.card or reply.replace
        if reply.form is None:
            return card
        origin = Origin(conversation=body["channel_id"])
        return card if await self._answers.open_form(body, reply.form, origin) else opener(reply.form)

    async def _command_late(self, task: asyncio.Task[Reply], body: Payload) -> None:
        # The trigger has run out by now, so a form is offered by a button.
        reply = await task
        card = opener(reply.form) if reply.form else reply.card or reply.replace
        if card is not None:
            url = body["response_url"]
            await self._asking.or_sorry(
                self._answers.respond(url, card), partial(self._answers.respond, url, UNSHOWN_CARD)
            )
