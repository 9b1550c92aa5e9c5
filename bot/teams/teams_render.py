"""Card -> payload: renders cards as Adaptive Cards 1.5, within the size that Teams shows."""

from __future__ import annotations

from typing import Any

from microsoft_teams import cards as ac

from bot.teams.card_body import blocks
from bot.teams.page import Page, adaptive, fitted
from bot.teams.spans import heading
from bot.teams.words import literal
from handlers.core.cards import Card, Shown
from handlers.core.plain_cards import plain
from program.core.words import shortened

SUMMARY = 300  # characters


def render(card: Card, shown: Shown | None = None, *, dialogs: bool = True) -> dict[str, Any]:
    """Return the card as the JSON content of an attachment, in at most ``page.CARD_BYTES``.

    ``dialogs``: whether the client opens dialogs.
    """
    shown = shown or Shown()
    spoken = literal(shortened(plain(card, shown.zone), SUMMARY * 2))
    return fitted(lambda limits: _card(card, Page(limits, shown, dialogs=dialogs), spoken))


def summary(card: Card, shown: Shown | None = None) -> str:
    """Return the card as one line of text for a notification, at most 300 characters."""
    words = plain(card, shown.zone if shown else None)
    return literal(shortened(" · ".join(words.splitlines()), SUMMARY))


def _card(card: Card, page: Page, spoken: str) -> ac.AdaptiveCard:
    body = [heading(card.title, page, size="Large")] if card.title.strip() else []
    return adaptive([*body, *blocks(card.blocks, page)], page, spoken)
