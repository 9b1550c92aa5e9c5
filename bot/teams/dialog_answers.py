"""Answers to a dialog that is opened or sent: its next page, or the text it closes with."""

from __future__ import annotations

from typing import Any

from bot.teams.exchange import Exchange
from bot.teams.forms import dialog_title, render_form
from bot.teams.invokes import dialog_notice, dialog_page
from bot.teams.sentences import BELOW


async def answer_dialog(exchange: Exchange) -> dict[str, Any]:
    """Send the reply and return the body of the invoke's answer. An empty body closes the dialog."""
    reply, incoming = exchange.reply, exchange.incoming
    if reply.form is not None:
        content = render_form(reply.form, reply.errors, origin=incoming.card)
        return dialog_page(dialog_title(reply.form), content)
    if incoming.kind == "fetch" and (text := exchange.short_text()):
        return dialog_notice(text)  # why no form opens, where the form would have been
    if not incoming.personal:
        notice = await exchange.send_directly()
        return dialog_notice(notice) if notice else {}
    if reply.replace is not None:
        await exchange.replace(reply.replace)
    if reply.card is None:
        return {}
    await exchange.turn.send(exchange.port.message(reply.card))
    return dialog_notice(BELOW) if incoming.kind == "fetch" else {}
