"""Where an answer goes: into the acknowledgement while Slack still waits for one, and by other ways after.

Slack gives an app three seconds. A quick answer travels inside the acknowledgement; for a slow one the
listener acknowledges, holds on to the task, and the answer follows through ``response_url`` or a call.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import aiohttp

from bot.runtime.port import Answer, Permanent, Temporary, Uncertain, Wait
from bot.slack import listeners, modals, render, sdk_logs
from bot.slack.api import Api
from bot.slack.errors import called
from bot.slack.modals import Origin
from bot.slack.port import SlackPort, is_chat
from handlers.core.cards import BadAction, Button, Card, Form, buttons, say
from handlers.core.requests import Command, HomeOpened, Press, Reply, Request, Submit, Typed, notice
from program.program_desk.reporting import act_in_log

Payload = dict[str, Any]
Ack = dict[str, Any]
T = TypeVar("T")

NOTHING: Ack = {}
REMEMBERED_ACTS = 2_000

SORRY = "Something went wrong and nothing was saved. Please try again."
FAILURE = notice(SORRY)
UNSHOWN = "I couldn't show you the answer. Try again. If it happens again, tell your coordinator."
SENT_BEFORE = (
    "This form is saved already. Your later changes are not saved. Close this form and open it again to see "
    "what is saved."
)
UNSHOWN_CARD = Card("", (say(UNSHOWN),))
OUTDATED = notice("This button is too old. Send /plc help to see what I can do.")

PORT_ERRORS = (Wait, Temporary, Permanent, Uncertain)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for an answer before Slack is told something."""

    answer: float = 2.0
    form: float = 1.5  # a form needs a trigger, which lives three seconds
    stop: float = 10.0  # for the tasks that are still held when the bot stops


class Answering:
    """Asks ``answer`` and brings its reply back to Slack."""

    def __init__(self, api: Api, port: SlackPort, answer: Answer, patience: Patience) -> None:
        self._api = api
        self._port = port
        self._answer = answer
        self._patience = patience
        self._held: set[asyncio.Task[Any]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._clicks: OrderedDict[str, str] = OrderedDict()  # a sent form's key -> the trigger of its first click
        self._sending: dict[str, asyncio.Task[Ack]] = {}

    # Tasks -------------------------------------------------------------------------------------

    def _hold(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The loop itself keeps only weak references, so a task nobody holds may vanish half way."""
        task = asyncio.create_task(work)
        self._held.add(task)
        task.add_done_callback(self._let_go)
        return task

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._held.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # asked for here, or asyncio itself would log the error with its text
            sdk_logs.failed("answering", error)

    async def finish(self) -> None:
        """Let the held answers go out; those that take too long are ended."""
        if self._held:
            await asyncio.wait(set(self._held), timeout=self._patience.stop)
        for task in set(self._held):
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)

    @staticmethod
    async def _quick(task: asyncio.Task[Any], seconds: float) -> bool:
        await asyncio.wait({task}, timeout=seconds)
        return task.done()

    def _repeated(self, key: str) -> bool:
        """Slack sent this act before. The database knows it too; this only spares a second answer."""
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_ACTS:
            self._seen.popitem(last=False)
        return False

    # Asking ------------------------------------------------------------------------------------

    async def _ask(self, request: Request) -> Reply:
        try:
            return await self._answer(await self._in_own_chat(request))
        except BadAction:
            return OUTDATED
        except Exception as error:
            self._seen.pop(request.key, None)  # so that Slack's retry is answered
            sdk_logs.failed(_name(request), error, team=request.who.tenant)
            return FAILURE

    async def _in_own_chat(self, request: Request) -> Request:
        """A personal request is answered in the person's chat with the bot, also from the home tab or from
        a direct message between two people, where the bot cannot write."""
        place = request.place
        there = bool(place.conversation) and isinstance(request.intent, Typed | HomeOpened)
        if place.kind != "personal" or there:
            return request
        try:
            own = await self._port.chat_with(request.who.user)
        except PORT_ERRORS:
            return request
        return replace(request, place=replace(place, conversation=own))

    async def _sent(self, request: str, work: Awaitable[object]) -> bool:
        """One private answer on its way; its failure is noted, never retried."""
        try:
            await work
        except (*PORT_ERRORS, aiohttp.ClientError, TimeoutError) as error:
            sdk_logs.failed(request, error)
            return False
        return True

    async def _or_sorry(self, work: Awaitable[T], sorry: Callable[[], Awaitable[T]]) -> T:
        """An answer that cannot be shown is a fault of ours, and never silence."""
        try:
            return await work
        except Exception as error:
            sdk_logs.failed("answering", error)
            return await sorry()

    # Commands ----------------------------------------------------------------------------------

    async def command(self, body: Payload) -> Ack:
        async def sorry() -> Ack:
            return _ephemeral(UNSHOWN_CARD)

        return await self._or_sorry(self._command(body), sorry)

    async def _command(self, body: Payload) -> Ack:
        request = listeners.command(body, await self._api.identity())
        if self._repeated(request.key):
            return NOTHING
        task = self._hold(self._ask(request))
        if await self._quick(task, self._patience.answer):
            return _ephemeral(await self._command_card(task.result(), body))
        self._hold(self._command_late(task, body))
        return NOTHING

    async def _command_card(self, reply: Reply, body: Payload) -> Card | None:
        card = reply.card or reply.replace
        if reply.form is None:
            return card
        origin = Origin(conversation=body["channel_id"])
        return card if await self._open(body, reply.form, origin) else opener(reply.form)

    async def _command_late(self, task: asyncio.Task[Reply], body: Payload) -> None:
        # The trigger has run out by now, so a form is offered by a button.
        reply = await task
        card = opener(reply.form) if reply.form else reply.card or reply.replace
        if card is not None:
            url = body["response_url"]
            await self._or_sorry(self._respond(url, card), partial(self._respond, url, UNSHOWN_CARD))

    # Presses -----------------------------------------------------------------------------------

    async def press(self, body: Payload) -> Ack:
        pressed = body["actions"][0]
        if str(pressed.get("action_id", "")).startswith(render.LINK):
            return NOTHING
        try:
            request = listeners.press(body, await self._api.identity())
        except BadAction:
            self._hold(self._press_reply(body, OUTDATED))
            return NOTHING
        if self._repeated(request.key):
            return NOTHING
        if is_chat(request.place.conversation) and _origin_of(body).message:
            self._port.remember_chat(request.who.user, request.place.conversation)
        task = self._hold(self._ask(request))
        # The answer itself goes another way, and Slack need not wait for that.
        self._hold(self._or_sorry(self._press(body, task), partial(self._tell, body, UNSHOWN_CARD)))
        await self._quick(task, self._patience.answer)
        return NOTHING

    async def _press(self, body: Payload, task: asyncio.Task[Reply]) -> None:
        waiting = ""
        expects_form = str(body["actions"][0].get("action_id", "")).startswith(render.FORM)
        if expects_form and not _in_view(body) and not await self._quick(task, self._patience.form):
            waiting = await self._open_waiting(body)
        await self._press_reply(body, await task, waiting)

    async def _press_reply(self, body: Payload, reply: Reply, waiting: str = "") -> None:
        if _in_view(body):
            await self._reply_in_view(body, reply)
        elif waiting:
            await self._fill(waiting, body, reply)
        else:
            await self._reply_to_message(body, reply)

    async def _reply_to_message(self, body: Payload, reply: Reply) -> None:
        card = reply.card
        if reply.form is not None and not await self._open(body, reply.form, _origin_of(body)):
            card = opener(reply.form)
        if reply.replace is not None:
            await self._replace(_origin_of(body), reply.replace)
        if card is not None:
            await self._tell(body, card)

    async def _tell(self, body: Payload, card: Card) -> None:
        """A notice to the presser alone: in a channel only they see it, in their chat it is a message."""
        conversation = listeners.pressed_in(body)
        ephemeral = (body.get("container") or {}).get("is_ephemeral")
        url = str(body.get("response_url") or "")
        aside = bool(url) and (ephemeral or not is_chat(conversation))
        if not aside or not await self._respond(url, card):
            await self._whisper(conversation, body["user"]["id"], card)

    async def _replace(self, origin: Origin, card: Card) -> None:
        # A response address lives for half an hour; a message that everybody here can see stays reachable.
        if origin.response and await self._respond(origin.response, card, replace_original=True):
            return
        if origin.message:
            change = self._api.client.chat_update(
                channel=origin.conversation,
                ts=origin.message,
                text=render.fallback(card),
                blocks=render.message(card),
            )
            await self._sent("press.replace", called(change))

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
            changed = modals.card_view(shown, _origin_in(view), _version(body))
            await self._update_view(view["id"], changed)
        if reply.card is not None:
            await self._push(body, modals.card_view(reply.card, _origin_in(view).deeper(), _version(body)))

    async def _reply_from_home(self, body: Payload, reply: Reply) -> None:
        card = reply.card or reply.replace
        if reply.form is not None and not await self._open(body, reply.form, Origin()):
            card = opener(reply.form)
        if card is not None:
            await self._whisper("", body["user"]["id"], card)
        if reply.form is None:
            await self._refresh_home(body)

    async def _refresh_home(self, body: Payload) -> None:
        """What was just pressed there may have changed what the home tab says."""
        request = listeners.home(body, await self._api.identity())
        reply = await self._ask(request)
        if reply.card is not None and reply is not FAILURE:
            await self._publish(request.who.user, reply.card)

    async def _publish(self, user: str, card: Card) -> None:
        publish = self._api.client.views_publish(user_id=user, view=render.home(card))
        await self._sent("home.publish", called(publish))

    async def _step(self, body: Payload, form: Form) -> None:
        """The same form anew stays where it is; another one is laid on top, so that nothing typed is lost."""
        view = body["view"]
        origin = _origin_in(view)
        if modals.same_form(view, form):
            await self._update_view(view["id"], modals.form_view(form, origin, _version(body)))
        else:
            await self._push(body, modals.form_view(form, origin.deeper(), _version(body)))

    async def _push(self, body: Payload, view: Payload) -> None:
        if _origin_in(body["view"]).depth < modals.DEEPEST:
            push = self._api.client.views_push(trigger_id=body["trigger_id"], view=view)
            await self._sent("view.push", called(push))
        else:
            await self._update_view(body["view"]["id"], view)

    # Modals ------------------------------------------------------------------------------------

    async def _open(self, body: Payload, form: Form, origin: Origin) -> bool:
        """Opened once: a trigger is spent by its first use, and a second form would bury the first."""
        view = modals.form_view(form, origin, _version(body))
        opened = self._api.client.views_open(trigger_id=body["trigger_id"], view=view)
        return await self._sent("view.open", called(opened))

    async def _open_waiting(self, body: Payload) -> str:
        view = modals.waiting_view(_origin_of(body))
        try:
            opened = await called(self._api.client.views_open(trigger_id=body["trigger_id"], view=view))
        except PORT_ERRORS as error:
            sdk_logs.failed("view.open", error)
            return ""
        return str((opened.get("view") or {}).get("id") or "")

    async def _fill(self, view_id: str, body: Payload, reply: Reply) -> None:
        """Put the answer into the modal that said "One moment"."""
        origin = _origin_of(body)
        if reply.replace is not None:
            await self._replace(origin, reply.replace)
        if reply.form is not None:
            view = modals.form_view(reply.form, origin, _version(body))
        else:
            view = modals.card_view(reply.card or Card("Done"), origin, _version(body))
        await self._update_view(view_id, view)

    async def _update_view(self, view_id: str, view: Payload) -> None:
        await self._sent("view.update", called(self._api.client.views_update(view_id=view_id, view=view)))

    # Sent forms --------------------------------------------------------------------------------

    async def submission(self, body: Payload) -> Ack:
        async def sorry() -> Ack:
            return _shown_again(body["view"], {"": UNSHOWN})

        return await self._or_sorry(self._submitted(body), sorry)

    async def _submitted(self, body: Payload) -> Ack:
        try:
            request = listeners.submission(body, await self._api.identity())
        except BadAction:
            return _shown_again(body["view"], {"": "This form is too old. Please open it again."})
        sending = self._sending.get(request.key)
        if sending is None:
            sending = self._hold(self._submission(body, request))
            self._sending[request.key] = sending
            sending.add_done_callback(lambda _: self._sending.pop(request.key, None))
        return await asyncio.shield(sending)

    async def _submission(self, body: Payload, request: Request) -> Ack:
        self._note_click(body)
        task = self._hold(self._ask(request))
        if await self._quick(task, self._patience.answer):
            return self._submission_ack(body, task.result())
        again = partial(self._update_view, body["view"]["id"], modals.with_problems(body["view"], {"": UNSHOWN}))
        self._hold(self._or_sorry(self._submission_late(body, task), again))
        return {"response_action": "update", "view": modals.waiting_view(_origin_in(body["view"]))}

    def _submission_ack(self, body: Payload, reply: Reply) -> Ack:
        view = body["view"]
        errors = _errors(reply) or self._sent_before(body, reply)
        if errors:
            marked = modals.field_errors(view, errors)
            return {"response_action": "errors", "errors": marked} if marked else _shown_again(view, errors)
        if reply.form is not None:
            return self._next_step(body, reply.form)
        if reply.card is not None or reply.replace is not None:
            self._hold(self._after_closing(body, reply))
        return {"response_action": "clear"}

    def _sent_before(self, body: Payload, reply: Reply) -> Mapping[str, str]:
        """What to say of a click on a form that was saved by an earlier one: its words may be others by now."""
        return {"": SENT_BEFORE} if reply.repeated and not self._is_retry(body) else {}

    def _is_retry(self, body: Payload) -> bool:
        """Whether Slack repeats a click; a new click has a new trigger."""
        return self._clicks.get(_view_key(body)) == body.get("trigger_id")

    def _note_click(self, body: Payload) -> None:
        self._clicks.setdefault(_view_key(body), str(body.get("trigger_id")))
        if len(self._clicks) > REMEMBERED_ACTS:
            self._clicks.popitem(last=False)

    def _next_step(self, body: Payload, form: Form) -> Ack:
        origin = _origin_in(body["view"])
        if modals.same_form(body["view"], form) or origin.depth >= modals.DEEPEST:
            return {"response_action": "update", "view": modals.form_view(form, origin, _version(body))}
        return {"response_action": "push", "view": modals.form_view(form, origin.deeper(), _version(body))}

    async def _submission_late(self, body: Payload, task: asyncio.Task[Reply]) -> None:
        reply = await task
        view, origin = body["view"], _origin_in(body["view"])
        errors = _errors(reply) or self._sent_before(body, reply)
        if errors:
            shown = modals.with_problems(view, errors)
        elif reply.form is not None:
            shown = modals.form_view(reply.form, origin, _version(body))
        else:
            # A modal cannot be closed from here, so the answer is read in it.
            shown = modals.card_view(reply.card or Card("Done"), origin, _version(body))
            if reply.replace is not None:
                await self._replace(origin, reply.replace)
        await self._update_view(view["id"], shown)

    async def _after_closing(self, body: Payload, reply: Reply) -> None:
        origin = _origin_in(body["view"])
        if reply.replace is not None:
            await self._replace(origin, reply.replace)
        if reply.card is not None:
            await self._whisper(origin.conversation, body["user"]["id"], reply.card)

    # Events ------------------------------------------------------------------------------------

    async def event(self, body: Payload) -> None:
        request = listeners.event(body, await self._api.identity())
        if request is None or self._repeated(request.key):
            return
        if isinstance(request.intent, Typed):
            self._port.remember_chat(request.who.user, request.place.conversation)
        sorry = partial(self._whisper, request.place.conversation, request.who.user, UNSHOWN_CARD)
        work = self._hold(self._or_sorry(self._event(body, request), sorry))
        await self._quick(work, self._patience.answer)

    async def _event(self, body: Payload, request: Request) -> None:
        reply = await self._ask(request)
        card = opener(reply.form) if reply.form else reply.card or reply.replace
        if card is None:
            return
        match request.intent:
            case HomeOpened():
                await self._publish(request.who.user, card)
            case _:
                identity = await self._api.identity()
                if request.who.user != identity.user:
                    thread = body["event"].get("thread_ts")
                    await self._whisper(request.place.conversation, request.who.user, card, thread)

    # Words to one person -----------------------------------------------------------------------

    async def _whisper(self, conversation: str, user: str, card: Card, thread: str | None = None) -> None:
        """Where only this person sees it: a notice in the channel, else a message in their chat."""
        text, blocks = render.fallback(card), render.message(card)
        client = self._api.client
        if conversation and not is_chat(conversation):
            aside = client.chat_postEphemeral(
                channel=conversation, user=user, text=text, blocks=blocks, thread_ts=thread
            )
            try:
                await called(aside)
            except Permanent:
                pass  # not a channel the bot may write in: the person's own chat is always there
            except PORT_ERRORS as error:
                sdk_logs.failed("notice", error)
                return
            else:
                return
        await self._sent("notice", self._to_chat(user, text, blocks))

    async def _to_chat(self, user: str, text: str, blocks: list[Payload]) -> None:
        chat = await self._port.chat_with(user)
        write = self._api.client.chat_postMessage
        await called(
            write(channel=chat, text=text, blocks=blocks, unfurl_links=False, unfurl_media=False),
            repeatable=False,
        )

    async def _respond(self, url: str, card: Card, replace_original: bool = False) -> bool:
        body = {**_ephemeral(card), "replace_original": replace_original}
        if replace_original:
            del body["response_type"]
        return await self._sent("respond", self._posted(url, body))

    async def _posted(self, url: str, body: Payload) -> None:
        async with self._api.session.post(url, json=body) as response:
            if response.status >= 400:
                raise Permanent(f"Slack's response address answered with HTTP {response.status}.")


def opener(form: Form) -> Card:
    """The form behind a button, for where Slack cannot open it without a fresh press."""
    return Card(form.title, (buttons(_open_button(form)),))


def _open_button(form: Form) -> Button:
    return Button("Open", form.opener, style="primary", opens_form=True)


def _ephemeral(card: Card | None) -> Ack:
    if card is None:
        return NOTHING
    return {"response_type": "ephemeral", "text": render.fallback(card), "blocks": render.message(card)}


def _errors(reply: Reply) -> Mapping[str, str]:
    return {"": SORRY} if reply is FAILURE else reply.errors


def _shown_again(view: Payload, errors: Mapping[str, str]) -> Ack:
    return {"response_action": "update", "view": modals.with_problems(view, errors)}


def _in_view(body: Payload) -> bool:
    return (body.get("container") or {}).get("type") == "view" and bool(body.get("view"))


def _origin_in(view: Payload) -> Origin:
    return Origin.load(view.get("private_metadata") or "")


def _origin_of(body: Payload) -> Origin:
    """The pressed message, so that a form opened from it can change it when it is sent."""
    container = body.get("container") or {}
    return Origin(
        conversation=listeners.pressed_in(body),
        message="" if container.get("is_ephemeral") else str(container.get("message_ts") or ""),
        response=str(body.get("response_url") or ""),
    )


def _view_key(body: Payload) -> str:
    return f"{body['view']['id']}:{body['view'].get('hash', '')}"


def _version(body: Payload) -> str:
    """New for every act: Slack keeps what was typed into a block whose id it has seen before."""
    return str(body.get("trigger_id", "")).rpartition(".")[2][:12] or "0"


def _name(request: Request) -> str:
    """A stable name for the log; never a word that a person typed."""
    match request.intent:
        case Press(action) | Submit(action, _):
            return act_in_log(action.name)
        case Command():
            return "command"
        case intent:
            return type(intent).__name__.lower()
