"""Private answers: notices, modals and the home tab. Each is tried once; a failure is logged by the act's name."""

from __future__ import annotations

from collections.abc import Awaitable

import aiohttp

from bot.runtime.port import Permanent
from bot.slack import listeners, modals, sdk_logs, slack_render
from bot.slack.api import Api
from bot.slack.errors import PORT_ERRORS, called
from bot.slack.payloads import Payload, origin_of_press, origin_of_view, version_of
from bot.slack.sent_forms import Origin
from bot.slack.slack_port import SlackPort, is_chat
from handlers.core.cards import Button, Card, buttons, say
from handlers.core.forms import Form

UNSHOWN = "I couldn't show you the answer. Try again. If it happens again, tell your coordinator."
UNSHOWN_CARD = Card("", (say(UNSHOWN),))


class PrivateAnswers:
    """Brings cards and forms to the one person who acted."""

    def __init__(self, api: Api, port: SlackPort) -> None:
        self._api = api
        self._port = port

    async def _sent(self, request: str, work: Awaitable[object]) -> bool:
        """One private answer on its way; its failure is noted, never retried."""
        try:
            await work
        except (*PORT_ERRORS, aiohttp.ClientError, TimeoutError) as error:
            sdk_logs.failed(request, error)
            return False
        return True

    async def tell(self, body: Payload, card: Card) -> None:
        """A notice to the presser alone: in a channel only they see it, in their chat it is a message."""
        conversation = listeners.pressed_in(body)
        ephemeral = (body.get("container") or {}).get("is_ephemeral")
        url = str(body.get("response_url") or "")
        aside = bool(url) and (ephemeral or not is_chat(conversation))
        if not aside or not await self.respond(url, card):
            await self.whisper(conversation, body["user"]["id"], card)

    async def replace_message(self, origin: Origin, card: Card) -> None:
        """Show another card in the pressed message."""
        # A response address lives for half an hour; a message that everybody here can see stays reachable.
        if origin.response and await self.respond(origin.response, card, replace_original=True):
            return
        if origin.message:
            change = self._api.client.chat_update(
                channel=origin.conversation,
                ts=origin.message,
                text=slack_render.fallback(card),
                blocks=slack_render.message(card),
            )
            await self._sent("press.replace", called(change))

    async def publish_home(self, user: str, card: Card) -> None:
        """Show the card on the user's home tab."""
        publish = self._api.client.views_publish(user_id=user, view=slack_render.home(card))
        await self._sent("home.publish", called(publish))

    async def push(self, body: Payload, view: Payload) -> None:
        """Open a modal on top of the pressed one, or replace that one if Slack takes no more on top."""
        if origin_of_view(body["view"]).depth < modals.DEEPEST:
            push = self._api.client.views_push(trigger_id=body["trigger_id"], view=view)
            await self._sent("view.push", called(push))
        else:
            await self.update_view(body["view"]["id"], view)

    async def open_form(self, body: Payload, form: Form, origin: Origin) -> bool:
        """Opened once: a trigger is spent by its first use, and a second form would bury the first."""
        view = modals.form_view(form, origin, version_of(body))
        opened = self._api.client.views_open(trigger_id=body["trigger_id"], view=view)
        return await self._sent("view.open", called(opened))

    async def open_waiting(self, body: Payload) -> str:
        """Open a modal that says "One moment", and return its id; empty if Slack did not open it."""
        view = modals.waiting_view(origin_of_press(body))
        try:
            opened = await called(self._api.client.views_open(trigger_id=body["trigger_id"], view=view))
        except PORT_ERRORS as error:
            sdk_logs.failed("view.open", error)
            return ""
        return str((opened.get("view") or {}).get("id") or "")

    async def update_view(self, view_id: str, view: Payload) -> None:
        """Replace what an open modal shows."""
        await self._sent("view.update", called(self._api.client.views_update(view_id=view_id, view=view)))

    async def whisper(self, conversation: str, user: str, card: Card, thread: str | None = None) -> None:
        """Where only this person sees it: a notice in the channel, else a message in their chat."""
        text, blocks = slack_render.fallback(card), slack_render.message(card)
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

    async def respond(self, url: str, card: Card, replace_original: bool = False) -> bool:
        """Send the card to a response address, which shows it to the person alone; return whether Slack took it.

        ``replace_original``: in place of the pressed message, for everybody who sees that.
        """
        body = {**ephemeral(card), "replace_original": replace_original}
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


def ephemeral(card: Card | None) -> Payload:
    """Return the payload of a notice that one person sees; an empty one for no card."""
    if card is None:
        return {}
    return {"response_type": "ephemeral", "text": slack_render.fallback(card), "blocks": slack_render.message(card)}
