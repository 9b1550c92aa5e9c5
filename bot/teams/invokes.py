"""The bodies that Teams reads as the answer to an invoke: a press or a dialog."""

from __future__ import annotations

from typing import Any

from bot.teams.page import CARD_TYPE

MESSAGE_TYPE = "application/vnd.microsoft.activity.message"


def press_notice(text: str) -> dict[str, Any]:
    """Return an answer to a press: text that only the presser sees. The card stays."""
    return {"statusCode": 200, "type": MESSAGE_TYPE, "value": text}


def press_card(content: dict[str, Any]) -> dict[str, Any]:
    """Return an answer to a press: a card that replaces the pressed one."""
    return {"statusCode": 200, "type": CARD_TYPE, "value": content}


def dialog_page(title: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the answer that opens a dialog or shows its next page."""
    card = {"contentType": CARD_TYPE, "content": content}
    value = {"title": title, "height": "medium", "width": "medium", "card": card}
    return {"task": {"type": "continue", "value": value}}


def dialog_notice(text: str) -> dict[str, Any]:
    """Return the answer that closes a dialog with a text."""
    return {"task": {"type": "message", "value": text}}
