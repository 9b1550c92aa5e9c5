"""Pressed buttons in messages, modals and the home tab."""

from __future__ import annotations

import asyncio
from functools import partial

from bot.slack import listeners, modals, slack_render
from bot.slack.api import Api
from bot.slack.asking import FAILURE, OUTDATED, Asking
from bot.slack.payloads import Payload, is_in_view, origin_of_press, origin_of_view, version_of
from bot.slack.private_answers import UNSHOWN_CARD, PrivateAnswers, opener
from bot.slack.sent_forms import Origin
from bot.slack.slack_port import SlackPort, is_chat
from handlers.core.actions import BadAction
from handlers.core.cards import Card
from handlers.core.forms import Form
from handlers.core.requests import Reply


class Presses:
    """Answers pressed buttons. The acknowledgement is empty: the answer goes another way."""

    def __init__(self, api: Api, port: SlackPort, asking: Asking, answers: PrivateAnswers) -> None:
        self._api = api
        self._port = port
        self._asking = asking
        self._answers = answers

    async def answer(self, body: Payload) -> Payload:
        """Return the empty acknowledgement. The answer to the press goes its own way, also after this returns.

        Raises:
            Wait, Temporary, Permanent: Slack does not say who the bot is.
        """
        pressed = body["actions"][0]
        if str(pressed.get("action_id", "")).startswith(slack_render.LINK):
            return {}
        try:
            request = listeners.press(body, await self._api.identity())
        except BadAction:
            self._asking.hold(self._press_reply(body, OUTDATED))
            return {}
        if self._asking.is_repeated(request.key):
            return {}
        if is_chat(request.place.conversation) and origin_of_press(body).message:
            self._port.remember_chat(request.who.user, request.place.conversation)
        task = self._asking.hold(self._asking.ask(request))
        # The answer itself goes another way, and Slack need not wait for that.
        self._asking.hold(
            self._asking.or_sorry(self._press(body, task), partial(self._answers.tell, body, UNSHOWN_CARD))
        )
        await self._asking.is_quick(task, self._asking.patience.answer)
        return {}

    async def _press(self, body: Payload, task: asyncio.Task[Reply]) -> None:
        waiting = ""
        expects_form = str(body["actions"][0].get("action_id", "")).startswith(slack_render.FORM)
        if expects_form and not is_in_view(body) and not await self._asking.is_quick(task, self._asking.patience.form):
            waiting = await self._answers.open_waiting(body)
        await self._press_reply(body, await task, waiting)

    async def _press_reply(self, body: Payload, reply: Reply, waiting: str = "") -> None:
        if is_in_view(body):
            await self._reply_in_view(body, reply)
        elif waiting:
            await self._fill(waiting, body, reply)
        else:
            await self._reply_to_message(body, reply)

    async def _reply_to_message(self, body: Payload, reply: Reply) -> None:
        card = reply.card
        if reply.form is not None and not await self._answers.open_form(body, reply.form, origin_of_press(body)):
            card = opener(reply.form)
        if reply.replace is not None:
            await self._answers.replace_message(origin_of_press(body), reply.replace)
        if card is not None:
            await self._answers.tell(body, card)

    async def _reply_in_view(self, body: Payload, reply: Reply) -> None:
        """A press inside a modal is answered there: a message behind it would not be seen."""
        view = body["view"]
        if view.get("type") == "home":
            await self._reply_from_home(body, reply)
            return
        shown = reply.replace
        if reply.form is not None:
            await self._step(body, reply.form)
        elif shown is not None:
            changed = modals.card_view(shown, origin_of_view(view), version_of(body))
            await self._answers.update_view(view["id"], changed)
        if reply.card is not None:
            await self._answers.push(
                body, modals.card_view(reply.card, origin_of_view(view).deeper(), version_of(body))
            )

    async def _reply_from_home(self, body: Payload, reply: Reply) -> None:
        """What would take the pressed message's place, and what is said beside it, each go to the chat."""
        beside = reply.card
        if reply.form is not None and not await self._answers.open_form(body, reply.form, Origin()):
            beside = opener(reply.form)
        for card in (reply.replace, beside):
            if card is not None:
                await self._answers.whisper("", body["user"]["id"], card)
        if reply.form is None:
            await self._refresh_home(body)

    async def _refresh_home(self, body: Payload) -> None:
        """What was just pressed there may have changed what the home tab says."""
        request = listeners.home(body, await self._api.identity())
        reply = await self._asking.ask(request)
        if reply.card is not None and reply is not FAILURE:
            await self._answers.publish_home(request.who.user, reply.card)

    async def _step(self, body: Payload, form: Form) -> None:
        """The same form again stays where it is; another one is laid on top, so that nothing typed is lost."""
        view = body["view"]
        origin = origin_of_view(view)
        if modals.same_form(view, form):
            await self._answers.update_view(view["id"], modals.form_view(form, origin, version_of(body)))
        else:
            await self._answers.push(body, modals.form_view(form, origin.deeper(), version_of(body)))

    async def _fill(self, view_id: str, body: Payload, reply: Reply) -> None:
        """Put the answer into the modal that said "One moment"."""
        origin = origin_of_press(body)
        if reply.replace is not None:
            await self._answers.replace_message(origin, reply.replace)
        if reply.form is not None:
            view = modals.form_view(reply.form, origin, version_of(body))
        else:
            view = modals.card_view(reply.card or Card("Done"), origin, version_of(body))
        await self._answers.update_view(view_id, view)
