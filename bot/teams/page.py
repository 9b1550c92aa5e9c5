"""The size limits of a card in Teams.

A card is built at full length first, then with smaller limits until it fits. The card says what is left out.
Text and lists are shortened before buttons are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from microsoft_teams import cards as ac

from handlers.core.cards import Shown

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
MESSAGE_BYTES = 27_000  # of a whole message; older clients show 28 KB
CARD_BYTES = MESSAGE_BYTES - 3_000  # the rest: summary, addresses

Surface = Literal["message", "dialog"]


@dataclass(frozen=True, slots=True)
class CardLimits:
    """How much of a card is shown: characters of a text and a label, items of a list, blocks, buttons."""

    text: int
    label: int
    parts: int
    blocks: int
    buttons: int


STEPS = (
    CardLimits(text=4000, label=300, parts=100, blocks=100, buttons=48),
    CardLimits(text=1500, label=150, parts=60, blocks=60, buttons=36),
    CardLimits(text=600, label=80, parts=40, blocks=40, buttons=30),
    CardLimits(text=250, label=50, parts=20, blocks=25, buttons=24),
    CardLimits(text=120, label=40, parts=10, blocks=12, buttons=18),
    CardLimits(text=60, label=30, parts=5, blocks=6, buttons=12),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the render functions need while they build one card.

    ``dialogs``: the client opens dialogs. If it does not, a button that opens a form sends an ordinary press.
    ``form``: the card is a form, so the answer to each of its buttons replaces it.
    ``origin``: id of the message whose button opened the form; empty if unknown.
    ``mentions``: collects the entities of the people that the text mentions, by their mark in the text.
    """

    limits: CardLimits
    shown: Shown
    surface: Surface = "message"
    dialogs: bool = True
    form: bool = False
    origin: str = ""
    mentions: dict[str, ac.Mention] = field(default_factory=dict)


def fitted(build: Callable[[CardLimits], ac.AdaptiveCard]) -> dict[str, Any]:
    """Return the longest version of a card that fits into ``CARD_BYTES``, or the shortest one if none fits."""
    content: dict[str, Any] = {}
    for limits in STEPS:
        content = build(limits).model_dump(mode="json", exclude_none=True)
        if len(json.dumps(content)) <= CARD_BYTES:
            break
    return content


def adaptive(body: Sequence[ac.CardElement], page: Page, spoken: str) -> ac.AdaptiveCard:
    """Return an Adaptive Card with this body. ``spoken`` is its fallback text."""
    mentions = list(page.mentions.values())
    return ac.AdaptiveCard(
        version="1.5",
        body=list(body),
        fallback_text=spoken or None,
        msteams=ac.TeamsCardProperties(width="full", entities=mentions or None),
    )
