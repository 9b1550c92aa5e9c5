"""Messages as botbuilder's activities."""

from __future__ import annotations

from botbuilder.schema import Activity, Attachment

from bot.teams.page import CARD_TYPE
from bot.teams.protocols import TeamsMessage


def activity_of(message: TeamsMessage) -> Activity:
    """Return a new activity with the message."""
    if message.card is None:
        return Activity(type="message", text=message.text)
    attachment = Attachment(content_type=CARD_TYPE, content=message.card)
    return Activity(type="message", summary=message.summary, attachments=[attachment])
