"""Answers to messages and events: messages in the personal chat; in a channel a sentence at most."""

from __future__ import annotations

from bot.teams.exchange import Exchange
from bot.teams.protocols import TeamsMessage


async def answer_message(exchange: Exchange) -> None:
    """Send the reply. What only the sender may see goes to the personal chat."""
    reply, turn = exchange.reply, exchange.turn
    if not exchange.incoming.personal:
        await _answer_in_channel(exchange)
        return
    if reply.replace is not None:
        await exchange.replace(reply.replace)
    if reply.card is not None:
        await turn.send(exchange.port.message(reply.card))
    if reply.form is not None:
        await turn.send(exchange.form_message(reply.form))


async def _answer_in_channel(exchange: Exchange) -> None:
    notice = await exchange.send_directly()
    if notice and exchange.incoming.kind == "message":
        await exchange.turn.send(TeamsMessage(text=notice))
