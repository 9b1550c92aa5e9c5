"""Answers to a press on a card (Action.Execute): a card that replaces it, or a text that only the presser sees."""

from __future__ import annotations

from typing import Any

from bot.teams.exchange import Exchange, opener
from bot.teams.forms import render_form
from bot.teams.invokes import press_card, press_notice
from bot.teams.protocols import TeamsMessage
from bot.teams.sentences import BELOW, DONE
from bot.teams.teams_render import render
from handlers.core.cards import Card, say


async def answer_press(exchange: Exchange) -> dict[str, Any]:
    """Send the reply and return the body of the invoke's answer."""
    reply = exchange.reply
    if not exchange.incoming.personal:
        return press_notice(exchange.short_text() or await exchange.send_directly() or DONE)
    if exchange.incoming.form:
        return await _answer_form_card(exchange)
    for message in _messages_below(exchange):
        await exchange.turn.send(message)
    if reply.replace is not None:
        return press_card(render(reply.replace, dialogs=exchange.dialogs))
    return press_notice(BELOW if reply.card or reply.form else DONE)


def _messages_below(exchange: Exchange) -> list[TeamsMessage]:
    """What is sent below the pressed card, which stays as it is."""
    reply = exchange.reply
    messages = [exchange.port.message(reply.card)] if reply.card is not None else []
    if reply.form is not None:
        messages.append(exchange.form_message(reply.form))
    return messages


async def _answer_form_card(exchange: Exchange) -> dict[str, Any]:
    """The answer to a form that is a card replaces the form. The card that opened it changes too."""
    reply, origin = exchange.reply, exchange.incoming.card
    if reply.form is not None:
        if reply.form.confidential or exchange.dialogs:
            return press_card(render(opener(reply.form), dialogs=exchange.dialogs))
        return press_card(render_form(reply.form, reply.errors, surface="message", origin=origin))
    card = reply.card
    if reply.replace is not None and origin:
        await exchange.replace(reply.replace)
    else:
        card = card or reply.replace
    return press_card(render(card or Card("", (say(DONE),)), dialogs=exchange.dialogs))
