"""Sent modals: errors beside the fields, a next step, or the answer once the modal has closed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from bot.slack import listeners, modals
from bot.slack.api import Api
from bot.slack.asking import FAILURE, REMEMBERED_ACTS, SORRY, Asking
from bot.slack.payloads import Payload, origin_of_view, version_of, view_key
from bot.slack.private_answers import UNSHOWN, PrivateAnswers
from handlers.core.actions import BadAction
from handlers.core.cards import Card
from handlers.core.forms import Form
from handlers.core.requests import Reply, Request

SENT_BEFORE = (
    "This form is saved already. Your later changes are not saved. Close this form and open it again to see "
    "what is saved."
)


class Submissions:
    """Answers sent forms. A form sent twice at once is asked once."""

    def __init__(self, api: Api, asking: Asking, answers: PrivateAnswers) -> None:
        self._api = api
        self._asking = asking
        self._answers = answers
        self._clicks: OrderedDict[str, str] = OrderedDict()  # a sent form's key -> the trigger of its first click
        self._sending: dict[str, asyncio.Task[Payload]] = {}

    async def answer(self, body: Payload) -> Payload:
        """Return the acknowledgement: errors beside the fields, another view, or an order to close the modal."""

        async def sorry() -> Payload:
            return _shown_again(body["view"], {"": UNSHOWN})

        return await self._asking.or_sorry(self._submitted(body), sorry)

    async def _submitted(self, body: Payload) -> Payload:
        try:
            request = listeners.submission(body, await self._api.identity())
        except BadAction:
            return _shown_again(body["view"], {"": "This form is too old. Please open it again."})
        sending = self._sending.get(request.key)
        if sending is None:
            sending = self._asking.hold(self._submission(body, request))
            self._sending[request.key] = sending
            sending.add_done_callback(lambda _: self._sending.pop(request.key, None))
        return await asyncio.shield(sending)

    async def _submission(self, body: Payload, request: Request) -> Payload:
        self._note_click(body)
        task = self._asking.hold(self._asking.ask(request))
        if await self._asking.is_quick(task, self._asking.patience.answer):
            return self._submission_ack(body, task.result())
        again = partial(
            self._answers.update_view, body["view"]["id"], modals.with_problems(body["view"], {"": UNSHOWN})
        )
        self._asking.hold(self._asking.or_sorry(self._submission_late(body, task), again))
        return {"response_action": "update", "view": modals.waiting_view(origin_of_view(body["view"]))}

    def _submission_ack(self, body: Payload, reply: Reply) -> Payload:
        view = body["view"]
        errors = _errors(reply) or self._sent_before(body, reply)
        if errors:
            marked = modals.field_errors(view, errors)
            return {"response_action": "errors", "errors": marked} if marked else _shown_again(view, errors)
        if reply.form is not None:
            return self._next_step(body, reply.form)
        if reply.card is not None or reply.replace is not None:
            self._asking.hold(self._after_closing(body, reply))
        return {"response_action": "clear"}

    def _sent_before(self, body: Payload, reply: Reply) -> Mapping[str, str]:
        """What to say of a click on a form that was saved by an earlier one: its words may be others by now."""
        return {"": SENT_BEFORE} if reply.repeated and not self._is_retry(body) else {}

    def _is_retry(self, body: Payload) -> bool:
        """Whether Slack repeats a click; a new click has a new trigger."""
        return self._clicks.get(view_key(body)) == body.get("trigger_id")

    def _note_click(self, body: Payload) -> None:
        self._clicks.setdefault(view_key(body), str(body.get("trigger_id")))
        if len(self._clicks) > REMEMBERED_ACTS:
            self._clicks.popitem(last=False)

    def _next_step(self, body: Payload, form: Form) -> Payload:
        origin = origin_of_view(body["view"])
        if modals.same_form(body["view"], form) or origin.depth >= modals.DEEPEST:
            return {"response_action": "update", "view": modals.form_view(form, origin, version_of(body))}
        return {"response_action": "push", "view": modals.form_view(form, origin.deeper(), version_of(body))}

    async def _submission_late(self, body: Payload, task: asyncio.Task[Reply]) -> None:
        reply = await task
        view, origin = body["view"], origin_of_view(body["view"])
        errors = _errors(reply) or self._sent_before(body, reply)
        if errors:
            shown = modals.with_problems(view, errors)
        elif reply.form is not None:
            shown = modals.form_view(reply.form, origin, version_of(body))
        else:
            # A modal cannot be closed from here, so the answer is read in it.
            shown = modals.card_view(reply.card or Card("Done"), origin, version_of(body))
            if reply.replace is not None:
                await self._answers.replace_message(origin, reply.replace)
        await self._answers.update_view(view["id"], shown)

    async def _after_closing(self, body: Payload, reply: Reply) -> None:
        origin = origin_of_view(body["view"])
        if reply.replace is not None:
            await self._answers.replace_message(origin, reply.replace)
        if reply.card is not None:
            await self._answers.whisper(origin.conversation, body["user"]["id"], reply.card)


def _errors(reply: Reply) -> Mapping[str, str]:
    return {"": SORRY} if reply is FAILURE else reply.errors


def _shown_again(view: Payload, errors: Mapping[str, str]) -> Payload:
    return {"response_action": "update", "view": modals.with_problems(view, errors)}
