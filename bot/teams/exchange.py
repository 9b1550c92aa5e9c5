"""One request from Teams, its reply, and the ways to send it back that all surfaces share."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.runtime.logs import event
from bot.runtime.port import Address, Permanent, Temporary, Uncertain, Wait
from bot.teams.activities import Incoming
from bot.teams.forms import render_form
from bot.teams.protocols import TeamsMessage, Turn
from bot.teams.sentences import NO_DIALOG, SENT_DIRECTLY, not_sent
from bot.teams.teams_port import TeamsPort
from bot.teams.words import literal
from handlers.core.cards import Button, Card, Note, Paragraph, buttons, say
from handlers.core.forms import Form
from handlers.core.plain_cards import plain
from handlers.core.requests import Reply

log = logging.getLogger(__name__)

MOST_CHARACTERS = 300  # of an answer that Teams shows beside the pressed card


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its reply, and where it goes. ``dialogs``: whether the client opens dialogs."""

    turn: Turn
    incoming: Incoming
    reply: Reply
    port: TeamsPort
    dialogs: bool

    async def replace(self, card: Card) -> None:
        """Change the message that was pressed. If it is unknown, send the card as a new message."""
        message = self.port.message(card)
        if self.incoming.card:
            await self.turn.update(self.incoming.card, message)
        else:
            await self.turn.send(message)

    def form_message(self, form: Form) -> TeamsMessage:
        """Return the message for a form: a button that opens its dialog, or the form as a card without dialogs.

        A confidential form is never a card in the chat.
        """
        if self.dialogs:
            return self.port.message(opener(form))
        if form.confidential:
            return self.port.message(Card(form.title, (say(NO_DIALOG),)))
        content = render_form(form, self.reply.errors, surface="message", origin=self.incoming.card)
        return TeamsMessage(content, literal(form.title))

    async def send_directly(self) -> str:
        """Send the reply to the personal chat. Teams has no message that only one person of a channel sees.

        Returns:
            What to say in the channel; empty if there was nothing to send.
        """
        reply = self.reply
        cards = [card for card in (reply.replace, reply.card) if card is not None]
        messages = [self.port.message(card) for card in cards]
        if reply.form is not None:
            messages.append(self.form_message(reply.form))
        if not messages:
            return ""
        request = self.incoming.request
        to = Address(request.who.platform, request.who.tenant, None, request.who.user, request.place.reference)
        try:
            for message in messages:
                await self.port.write(to, message)
        except (Permanent, Temporary, Uncertain, Wait) as error:
            event(log, "teams.not_sent_directly", logging.WARNING, error=type(error).__name__)
            return not_sent(error)
        return SENT_DIRECTLY

    def short_text(self) -> str:
        """Return a reply of a sentence or two as text to show beside the pressed button; empty for any other."""
        reply = self.reply
        if reply.card is None or reply.replace is not None or reply.form is not None:
            return ""
        short = all(isinstance(block, Paragraph | Note) for block in reply.card.blocks)
        text = plain(reply.card)
        return literal(text) if short and not reply.card.title and len(text) <= MOST_CHARACTERS else ""


def opener(form: Form) -> Card:
    """Return a card with the button that opens the form."""
    return Card("", (buttons(Button(form.title, form.opener, style="primary", opens_form=True)),))
