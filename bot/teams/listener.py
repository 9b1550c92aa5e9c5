"""The route that Teams posts activities to: check, translate, handle, answer.

What only the person who asked may see goes to the personal chat, since Teams has no message that only one person of
a channel sees. The channel gets a sentence at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.runtime.logs import Seldom, event, where
from bot.runtime.port import Answer
from bot.teams.activities import (
    PLAYGROUND_TENANT,
    BadActivity,
    Incoming,
    kind_of,
    read_activity,
    sent_by_teams,
    tenant_of,
)
from bot.teams.answers import apologize, send_reply
from bot.teams.auth import KeysUnreachable, NotTeams, Unauthorized
from bot.teams.exchange import Exchange
from bot.teams.forms import sent_again, with_values
from bot.teams.protocols import StartTurn, Turn
from bot.teams.sentences import OLD_BUTTON, SORRY
from bot.teams.teams_port import TeamsPort
from bot.web.bodies import read_object, refusal
from bot.web.clients import from_this_machine
from handlers.core.actions import BadAction
from handlers.core.cards import Card, say
from handlers.core.requests import Command, Press, Reply, Submit, Typed

log = logging.getLogger(__name__)

TEAMS_ID = "29:"  # a user's id begins so
MOST_MENTIONS = 3  # of one message that are looked up


class Listener:
    """Handles ``/api/messages``. ``test_client``: activities carry no tokens and must come from this machine."""

    def __init__(
        self,
        start_turn: StartTurn,
        port: TeamsPort,
        answer: Answer,
        *,
        app_id: str,
        tenant_id: str,
        test_client: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start_turn, self._port, self._answer = start_turn, port, answer
        self._app_id, self._tenant_id, self._test_client = app_id, tenant_id, test_client
        self._seldom = Seldom(clock)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one activity. A wrong one gets a 4xx status, never a stack trace."""
        if self._test_client and not from_this_machine(request):
            self._seldom(log, "teams.not_this_machine", logging.WARNING)
            return web.Response(status=403)
        try:
            body = await read_object(request)
            turn = self._start_turn(request.headers.get("Authorization", ""), body)
        except web.HTTPException:
            raise
        except Exception as error:  # the SDK raises many types for what is not an activity
            self._seldom(log, "teams.unreadable_activity", logging.INFO, error=type(error).__name__)
            return refusal()
        if not isinstance(body.get("type"), str) or not isinstance(body.get("serviceUrl"), str):
            return refusal()
        if not body["serviceUrl"]:
            return refusal()

        async def handle() -> dict[str, Any] | None:
            return await self._handle(turn, body)

        try:
            result = await turn.process(handle)
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
        if result.body is None:
            return web.Response(status=result.status)
        return web.json_response(result.body, status=result.status)

    async def _handle(self, turn: Turn, body: dict[str, Any]) -> dict[str, Any] | None:
        """Answer an activity whose sender is checked; return the body of an invoke's answer."""
        tenant = self._tenant(body)
        try:
            requests: list[Incoming] | None = read_activity(body, tenant)
        except BadAction:
            requests = None
        if not self._test_client and not sent_by_teams(body, self._app_id):
            raise NotTeams(NotTeams.__doc__)
        if requests is None:
            event(log, "teams.old_button")
            return await apologize(turn, kind_of(body), OLD_BUTTON)
        answer = None
        for incoming in requests:
            self._remember_chat(body, incoming)
            answer = await self._answer_request(turn, incoming)
        return answer

    def _remember_chat(self, body: dict[str, Any], incoming: Incoming) -> None:
        """The personal chat that somebody writes from is their current one."""
        if not incoming.personal or incoming.kind == "event":
            return
        place, who = incoming.request.place, incoming.request.who
        self._port.remember_chat(place.reference["tenant"], place.conversation, body["from"]["id"], who.user)

    def _tenant(self, body: dict[str, Any]) -> str:
        tenant = tenant_of(body)
        if not self._test_client and tenant.lower() != self._tenant_id.lower():
            raise ForeignTenant(ForeignTenant.__doc__)
        return tenant or self._tenant_id or PLAYGROUND_TENANT

    async def _answer_request(self, turn: Turn, incoming: Incoming) -> dict[str, Any] | None:
        try:
            incoming = await self._with_accounts(incoming)
            reply = await self._ask(incoming)
        except BadAction:
            return await apologize(turn, incoming.kind, OLD_BUTTON)
        except Exception as error:
            event(log, "teams.handler_failed", logging.ERROR, error=type(error).__name__, at=where(error))
            return await apologize(turn, incoming.kind, SORRY)
        return await send_reply(Exchange(turn, incoming, reply, self._port, dialogs=not self._test_client))

    async def _with_accounts(self, incoming: Incoming) -> Incoming:
        """Mentions name people by Teams' own ids. Their accounts are stored under the ids of the directory."""
        intent, place = incoming.request.intent, incoming.request.place
        if not isinstance(intent, Command | Typed) or not intent.mentions:
            return incoming
        mentions = [
            await self._port.account(account, place) if account.user.startswith(TEAMS_ID) else account
            for account in intent.mentions[:MOST_MENTIONS]
        ]
        return replace(incoming, request=replace(incoming.request, intent=replace(intent, mentions=tuple(mentions))))

    async def _ask(self, incoming: Incoming) -> Reply:
        """The handler's reply. If a form has errors, the reply has this form again, with what was typed."""
        reply = await self._answer(incoming.request)
        if not reply.errors or incoming.opener is None:
            return reply
        form = reply.form
        if form is None:
            again = replace(incoming.request, intent=Press(incoming.opener), key=f"{incoming.request.key}:again")
            form = (await self._answer(again)).form
        whole = set(reply.errors) == {""}  # no field is wrong, so the same may be sent again
        if form is None and whole and incoming.kind == "submit" and isinstance(incoming.request.intent, Submit):
            return replace(reply, form=sent_again(incoming.request.intent.action, incoming.opener, incoming.values))
        if form is None:
            return Reply(card=Card("", tuple(say(error) for error in reply.errors.values())))
        return replace(reply, form=with_values(form, incoming.values))


class ForeignTenant(Exception):
    """This activity is from an organization that the bot does not serve."""
