"""The route Teams posts activities to: each is checked, translated, answered.

Whatever only the asker may see goes to the personal chat, since Teams has no notice that one person of a
channel sees; the channel gets a word at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web
from botbuilder.core import CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity

from bot.runtime.logs import Seldom, event, where
from bot.runtime.port import Address, Answer, Permanent, Temporary, Uncertain, Wait
from bot.teams.activities import PLAYGROUND_TENANT, Asked, BadActivity, Kind, kind_of, read, sent_by_teams, tenant_of
from bot.teams.auth import KeysUnreachable, NotTeams, Unauthorized
from bot.teams.forms import dialog_title, render_form, sent_again, with_values
from bot.teams.page import CARD_TYPE
from bot.teams.port import TeamsPort, card_activity
from bot.teams.render import render
from bot.teams.wire import Barred, Gone
from bot.teams.words import literal
from bot.web.bodies import read_object, refusal
from bot.web.clients import from_this_machine
from handlers.core.cards import BadAction, Button, Card, Form, Note, Paragraph, buttons, plain, say
from handlers.core.requests import Command, Press, Reply, Submit, Typed

log = logging.getLogger(__name__)

SORRY = "Something went wrong and nothing was saved. Please try again."
OLD_BUTTON = "This button is too old. Send the command again."
SENT_DIRECTLY = "I sent you a direct message."
ADD_ME = "I couldn't send you the answer. Please add this app to your personal chats, then try again."
NO_CHAT = "I couldn't send you the answer: Teams can't find our personal chat. Send me a message there, then try again."
BUSY = "I couldn't send you the answer: Teams is busy. Please try again in a few minutes."
UNREACHABLE = "I couldn't send you the answer: Teams didn't take it. Please try again in a minute."
MAYBE_SENT = "I don't know if my answer reached you. Please look in our personal chat. If it isn't there, try again."
REFUSED = "I couldn't send you the answer: Teams refused it. Please tell your coordinator."
BELOW = "See my message in the chat."
DONE = "Done."
LOST = "Done, but I couldn't send you the answer."
NO_DIALOG = "Your version of Teams can't open this form. Open Teams on a computer or phone and try again."
TEAMS_ID = "29:"  # a user's id begins so
MOST_MENTIONS = 3  # of one message that are looked up
MOST_WORDS = 300  # of an answer that Teams shows beside the pressed card
MESSAGE_TYPE = "application/vnd.microsoft.activity.message"

_NOT_SENT: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (Wait, BUSY),
    (Temporary, UNREACHABLE),
    (Uncertain, MAYBE_SENT),
    (Gone, NO_CHAT),
    (Barred, ADD_ME),
    (Permanent, REFUSED),
)
_PORT_ERRORS = (Permanent, Temporary, Uncertain, Wait)


class Listener:
    """``/api/messages``."""

    def __init__(
        self,
        adapter: CloudAdapterBase,
        port: TeamsPort,
        answer: Answer,
        *,
        app_id: str,
        tenant_id: str,
        open_door: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._adapter, self._port, self._answer = adapter, port, answer
        self._app_id, self._tenant_id, self._open_door = app_id, tenant_id, open_door
        self._seldom = Seldom(clock)

    async def handle(self, request: web.Request) -> web.Response:
        """One activity. Every wrong one gets a 4xx, never a stack trace."""
        if self._open_door and not from_this_machine(request):
            self._seldom(log, "teams.not_this_machine", logging.WARNING)
            return web.Response(status=403)
        try:
            body = await read_object(request)
            activity = Activity().deserialize(body)
        except web.HTTPException:
            raise
        except Exception as error:  # whatever msrest makes of what is no activity
            self._seldom(log, "teams.unreadable_activity", logging.INFO, error=type(error).__name__)
            return refusal()
        if not isinstance(body.get("type"), str) or not isinstance(activity.service_url, str):
            return refusal()
        if not activity.service_url:
            return refusal()
        header = request.headers.get("Authorization", "")

        async def turn(context: TurnContext) -> None:
            await self._turn(context, body)

        try:
            answered = await self._adapter.process_activity(header, activity, turn)
        except Unauthorized as error:
            self._seldom(log, "teams.unauthorized", logging.WARNING, why=error)
            return web.Response(status=401)
        except KeysUnreachable:
            event(log, "teams.keys_unreachable", logging.ERROR)
            return web.Response(status=503)
        except NotTeams:
            self._seldom(log, "teams.not_teams", logging.WARNING)
            return web.Response(status=403)
        except ForeignTenant:
            self._seldom(log, "teams.foreign_tenant", logging.WARNING)
            return web.Response(status=403)
        except BadActivity:
            return refusal()
        except Exception as error:  # aiohttp would log the error's text, which may hold what was typed
            event(log, "teams.turn_failed", logging.ERROR, error=type(error).__name__, at=where(error))
            return web.Response(status=500)
        if answered is None:
            return web.Response(status=200)
        if answered.body is None:
            return web.Response(status=answered.status)
        return web.json_response(answered.body, status=answered.status)

    async def _turn(self, context: TurnContext, body: dict[str, Any]) -> None:
        tenant = self._tenant(body)
        kind = kind_of(body)
        try:
            asked: list[Asked] | None = read(body, tenant)
        except BadAction:
            asked = None
        if not self._open_door and not sent_by_teams(body, self._app_id):
            raise NotTeams(NotTeams.__doc__)
        if asked is None:
            event(log, "teams.old_button")
            await _apologize(context, kind, OLD_BUTTON)
            return
        for one in asked:
            self._note_chat(body, one)
            await self._one(context, one)

    def _note_chat(self, body: dict[str, Any], asked: Asked) -> None:
        """A personal chat that somebody writes from is the one that they have now."""
        if not asked.personal or asked.kind == "event":
            return
        place, who = asked.request.place, asked.request.who
        self._port.remember_chat(place.reference["tenant"], place.conversation, body["from"]["id"], who.user)

    def _tenant(self, body: dict[str, Any]) -> str:
        tenant = tenant_of(body)
        if not self._open_door and tenant.lower() != self._tenant_id.lower():
            raise ForeignTenant(ForeignTenant.__doc__)
        return tenant or self._tenant_id or PLAYGROUND_TENANT

    async def _one(self, context: TurnContext, asked: Asked) -> None:
        try:
            asked = await self._with_accounts(asked)
            reply = await self._ask(asked)
        except BadAction:
            await _apologize(context, asked.kind, OLD_BUTTON)
            return
        except Exception as error:
            event(log, "teams.handler_failed", logging.ERROR, error=type(error).__name__, at=where(error))
            await _apologize(context, asked.kind, SORRY)
            return
        turn = Turn(context, asked, reply, self._port, dialogs=not self._open_door)
        await turn.answer()

    async def _with_accounts(self, asked: Asked) -> Asked:
        """Mentions name people by Teams' own ids; their accounts are known by the directory's."""
        intent, place = asked.request.intent, asked.request.place
        if not isinstance(intent, Command | Typed) or not intent.mentions:
            return asked
        mentions = [
            await self._port.account(one, place) if one.user.startswith(TEAMS_ID) else one
            for one in intent.mentions[:MOST_MENTIONS]
        ]
        return replace(asked, request=replace(asked.request, intent=replace(intent, mentions=tuple(mentions))))

    async def _ask(self, asked: Asked) -> Reply:
        """The handler's reply; one with errors brings the form that was sent, filled with what was typed."""
        reply = await self._answer(asked.request)
        if not reply.errors or asked.opener is None:
            return reply
        form = reply.form
        if form is None:
            again = replace(asked.request, intent=Press(asked.opener), key=f"{asked.request.key}:again")
            form = (await self._answer(again)).form
        whole = set(reply.errors) == {""}  # of no field: everything that was sent is right and may be sent again
        if form is None and whole and asked.kind == "submit" and isinstance(asked.request.intent, Submit):
            return replace(reply, form=sent_again(asked.request.intent.action, asked.opener, asked.values))
        if form is None:
            return Reply(card=Card("", tuple(say(error) for error in reply.errors.values())))
        return replace(reply, form=with_values(form, asked.values))


class ForeignTenant(Exception):
    """This activity is from an organization that the bot does not serve."""


class Turn:
    """One reply on its way back."""

    def __init__(self, context: TurnContext, asked: Asked, reply: Reply, port: TeamsPort, *, dialogs: bool) -> None:
        self._context, self._asked, self._reply, self._port = context, asked, reply, port
        self._dialogs = dialogs

    async def answer(self) -> None:
        try:
            await self._by_kind(self._asked.kind)
        except Exception as error:
            # What the handler did is done; only the private answer is lost.
            event(log, "teams.answer_not_sent", logging.WARNING, error=type(error).__name__, at=where(error))
            if self._asked.kind not in ("message", "event"):
                await _apologize(self._context, self._asked.kind, LOST)

    async def _by_kind(self, kind: Kind) -> None:
        match kind:
            case "message" | "event":
                await self._message()
            case "execute":
                await _invoke(self._context, await self._execute())
            case "fetch" | "submit":
                await _invoke(self._context, await self._dialog())

    # A message or an event ---------------------------------------------------------------------

    async def _message(self) -> None:
        reply, asked = self._reply, self._asked
        if not asked.personal:
            await self._message_in_channel()
            return
        if reply.replace is not None:
            await self._replace(reply.replace)
        if reply.card is not None:
            await self._context.send_activity(self._port.activity(reply.card))
        if reply.form is not None:
            await self._context.send_activity(self._form_message(reply.form))

    async def _message_in_channel(self) -> None:
        said = await self._directly()
        if said and self._asked.kind == "message":
            await self._context.send_activity(Activity(type="message", text=said))

    async def _replace(self, card: Card) -> None:
        """Change the message that was pressed, where it is known, or else say it anew."""
        activity = self._port.activity(card)
        if self._asked.card:
            activity.id = self._asked.card
            await self._context.update_activity(activity)
        else:
            await self._context.send_activity(activity)

    def _form_message(self, form: Form) -> Activity:
        """A form, which a message cannot open as a dialog by itself."""
        if self._dialogs:
            return self._port.activity(_opener(form))
        if form.confidential:
            return self._port.activity(Card(form.title, (say(NO_DIALOG),)))
        content = render_form(form, self._reply.errors, surface="message", origin=self._asked.card)
        return card_activity(content, literal(form.title))

    # What only the asker may see, asked in a channel --------------------------------------------

    async def _directly(self) -> str:
        """Send the private answer to the personal chat; what to say of it where it was asked."""
        reply = self._reply
        cards = [card for card in (reply.replace, reply.card) if card is not None]
        activities = [self._port.activity(card) for card in cards]
        if reply.form is not None:
            activities.append(self._form_message(reply.form))
        if not activities:
            return ""
        request = self._asked.request
        to = Address(request.who.platform, request.who.tenant, None, request.who.user, request.place.reference)
        try:
            for activity in activities:
                await self._port.write(to, activity)
        except _PORT_ERRORS as error:
            event(log, "teams.not_sent_directly", logging.WARNING, error=type(error).__name__)
            return next(words for kind, words in _NOT_SENT if isinstance(error, kind))
        return SENT_DIRECTLY

    # Action.Execute ----------------------------------------------------------------------------

    async def _execute(self) -> dict[str, Any]:
        if not self._asked.personal:
            return _told(_in_a_word(self._reply) or await self._directly() or DONE)
        if self._asked.form:
            return await self._form_card()
        reply = self._reply
        for activity in self._below():
            await self._context.send_activity(activity)
        if reply.replace is not None:
            return _card_answer(render(reply.replace, dialogs=self._dialogs))
        return _told(BELOW if reply.card or reply.form else DONE)

    def _below(self) -> list[Activity]:
        """What is said under the pressed card, which stays as it is."""
        reply = self._reply
        activities = [self._port.activity(reply.card)] if reply.card is not None else []
        if reply.form is not None:
            activities.append(self._form_message(reply.form))
        return activities

    async def _form_card(self) -> dict[str, Any]:
        """The answer to a form that is a card takes its place; the card that opened it changes too."""
        reply, origin = self._reply, self._asked.card
        if reply.form is not None:
            if reply.form.confidential or self._dialogs:
                return _card_answer(render(_opener(reply.form), dialogs=self._dialogs))
            return _card_answer(render_form(reply.form, reply.errors, surface="message", origin=origin))
        said = reply.card
        if reply.replace is not None and origin:
            await self._replace(reply.replace)
        else:
            said = said or reply.replace
        return _card_answer(render(said or Card("", (say(DONE),)), dialogs=self._dialogs))

    # Dialogs -----------------------------------------------------------------------------------

    async def _dialog(self) -> dict[str, Any]:
        """The dialog's next page, or what it closes with."""
        reply, asked = self._reply, self._asked
        if reply.form is not None:
            content = render_form(reply.form, reply.errors, origin=asked.card)
            return _page(dialog_title(reply.form), content)
        if asked.kind == "fetch" and (words := _in_a_word(reply)):
            return _closing(words)  # why no form opens, where the form would have been
        if not asked.personal:
            said = await self._directly()
            return _closing(said) if said else {}
        if reply.replace is not None:
            await self._replace(reply.replace)
        if reply.card is None:
            return {}
        await self._context.send_activity(self._port.activity(reply.card))
        return _closing(BELOW) if asked.kind == "fetch" else {}


def _in_a_word(reply: Reply) -> str:
    """An answer of a sentence or two, which the presser alone sees where they pressed; empty for any other."""
    if reply.card is None or reply.replace is not None or reply.form is not None:
        return ""
    short = all(isinstance(block, Paragraph | Note) for block in reply.card.blocks)
    words = plain(reply.card)
    return literal(words) if short and not reply.card.title and len(words) <= MOST_WORDS else ""


def _opener(form: Form) -> Card:
    return Card("", (buttons(Button(form.title, form.opener, style="primary", opens_form=True)),))


# Invoke answers --------------------------------------------------------------------------------


async def _invoke(context: TurnContext, body: dict[str, Any]) -> None:
    value = InvokeResponse(status=200, body=body or None)
    await context.send_activity(Activity(type="invokeResponse", value=value))


def _told(words: str) -> dict[str, Any]:
    return {"statusCode": 200, "type": MESSAGE_TYPE, "value": words}


def _card_answer(content: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "type": CARD_TYPE, "value": content}


def _page(title: str, content: dict[str, Any]) -> dict[str, Any]:
    card = {"contentType": CARD_TYPE, "content": content}
    return {
        "task": {
            "type": "continue",
            "value": {"title": title, "height": "medium", "width": "medium", "card": card},
        }
    }


def _closing(words: str) -> dict[str, Any]:
    return {"task": {"type": "message", "value": words}}


async def _apologize(context: TurnContext, kind: Kind | None, words: str) -> None:
    match kind:
        case "execute":
            await _invoke(context, _told(words))
        case "fetch" | "submit":
            await _invoke(context, _closing(words))
        case "message":
            try:
                await context.send_activity(Activity(type="message", text=words))
            except _PORT_ERRORS as error:
                event(log, "teams.answer_not_sent", logging.WARNING, error=type(error).__name__)
        case _:
            return
