"""Sends a reply the way its activity wants to be answered, or an apology where there is no reply."""

from __future__ import annotations

import logging
from typing import Any

from bot.runtime.logs import event, where
from bot.runtime.port import Permanent, Temporary, Uncertain, Wait
from bot.teams.activities import Kind
from bot.teams.chat_answers import answer_message
from bot.teams.dialog_answers import answer_dialog
from bot.teams.exchange import Exchange
from bot.teams.invokes import dialog_notice, press_notice
from bot.teams.press_answers import answer_press
from bot.teams.protocols import TeamsMessage, Turn
from bot.teams.sentences import LOST

log = logging.getLogger(__name__)


async def send_reply(exchange: Exchange) -> dict[str, Any] | None:
    """Send the reply. Returns the body of an invoke's answer; None for messages and events."""
    kind = exchange.incoming.kind
    try:
        match kind:
            case "message" | "event":
                await answer_message(exchange)
                return None
            case "execute":
                return await answer_press(exchange)
            case "fetch" | "submit":
                return await answer_dialog(exchange)
    except Exception as error:
        # What the handler did is done; only its answer is lost.
        event(log, "teams.answer_not_sent", logging.WARNING, error=type(error).__name__, at=where(error))
        if kind in ("message", "event"):
            return None
        return await apologize(exchange.turn, kind, LOST)


async def apologize(turn: Turn, kind: Kind | None, text: str) -> dict[str, Any] | None:
    """Say a sentence in answer to an activity. Returns the body of an invoke's answer; None for other activities."""
    match kind:
        case "execute":
            return press_notice(text)
        case "fetch" | "submit":
            return dialog_notice(text)
        case "message":
            try:
                await turn.send(TeamsMessage(text=text))
            except (Permanent, Temporary, Uncertain, Wait) as error:
                event(log, "teams.answer_not_sent", logging.WARNING, error=type(error).__name__)
            return None
        case _:
            return None
