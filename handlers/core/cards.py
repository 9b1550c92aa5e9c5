"""What the product says, free of any platform: cards, forms and their parts.

Text is a tuple of spans, never markup, so a renderer escapes everything a person typed.
A renderer is one ``match`` over :data:`Block` (or :data:`Field`) that ends in ``assert_never``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from handlers.core.actions import Action

Code = TypeVar("Code", bound=str)

# Spans -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bold:
    """Bold text."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link, shown as its text."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person by name; a renderer that is told their account on its platform makes it a real mention."""

    person: UUID
    name: str


@dataclass(frozen=True, slots=True)
class When:
    """An instant, shown in each reader's zone where the platform can, else in ``zone`` with its name."""

    at: datetime  # aware, UTC
    zone: str  # IANA name
    style: Literal["datetime", "date", "time"] = "datetime"

    def plain(self, zone: str | None = None) -> str:
        """The time in words, in this zone or else in its own: "Thu Oct 15, 2026, 3:30 PM CDT"."""
        local = self.at.astimezone(ZoneInfo(zone or self.zone))
        day = f"{local:%a} {local:%b} {local.day}"
        if self.style == "date":
            return f"{day}, {local.year}"
        clock = f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'} {local.tzname()}"
        return clock if self.style == "time" else f"{day}, {local.year}, {clock}"


@dataclass(frozen=True, slots=True)
class Cmd:
    """A command that somebody may send; a renderer writes it as its platform takes it."""

    words: str

    def plain(self, slash: str = "") -> str:
        """``slash``: what stands before a command there, such as "/plc"."""
        return f"“{slash} {self.words}”" if slash else f"“{self.words}”"


@dataclass(frozen=True, slots=True)
class HowToAsk:
    """How somebody asks the bot for something in a channel; a renderer writes it for its platform.

    ``chat``: also how it is done in the direct chat.
    """

    chat: bool = False

    def plain(self, slash: str = "") -> str:
        """``slash``: what stands before a command there; empty: the bot is mentioned instead."""
        channel = f"Type {slash} before a command." if slash else "Mention me, then type a command."
        return f"{channel} In a direct message to me, just type the command." if self.chat else channel


Span = str | Bold | Link | Mention | When | Cmd | HowToAsk
Text = tuple[Span, ...]


# Blocks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a card."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: Text


@dataclass(frozen=True, slots=True)
class Note:
    """Small print under something."""

    text: Text


@dataclass(frozen=True, slots=True)
class Bullets:
    """A bulleted list."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, each with its value."""

    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; each row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a chart's line or bars, in the order of its labels."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A native chart; ``labels`` and every series' values have the same length."""

    kind: Literal["bar", "line", "pie"]
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A bar with its words, e.g. "5 of 8 meetings"; ``need`` is at least 1."""

    label: str
    have: int
    need: int


@dataclass(frozen=True, slots=True)
class Button:
    """``opens_form`` says beforehand that the answer is a form: Teams must know it before the press."""

    label: str
    action: Action
    style: Literal["default", "primary", "danger"] = "default"
    opens_form: bool = False
    confirm: str | None = None  # a question asked before the press counts


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button that opens an address."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Buttons in a row."""

    buttons: tuple[Button | LinkButton, ...]


@dataclass(frozen=True, slots=True)
class Divider:
    """A line between blocks."""


Block = Heading | Paragraph | Note | Bullets | Facts | Table | Chart | Progress | Buttons | Divider


@dataclass(frozen=True, slots=True)
class Card:
    """``title`` is the heading and the first line of the plain-text fallback; empty: no heading."""

    title: str
    blocks: tuple[Block, ...] = ()


# Forms -----------------------------------------------------------------------------------------


# Plain text ------------------------------------------------------------------------------------


# Short forms that handlers use -----------------------------------------------------------------


def say(*text: Span) -> Paragraph:
    """A paragraph of these spans."""
    return Paragraph(text)


def with_commands(sentence: str) -> Text:
    """A sentence of the rules, which know no platform: what it says to send “like this” is a command."""
    parts = re.split(r"(?<=[Ss]end )“([^”]+)”", sentence)
    return tuple(Cmd(part) if place % 2 else part for place, part in enumerate(parts) if part)


def buttons(*items: Button | LinkButton) -> Buttons:
    """A block of these buttons."""
    return Buttons(items)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a card is rendered: the accounts of the people it mentions and the reader's zone, if known."""

    mentions: dict[UUID, str] = field(default_factory=dict)
    zone: str | None = None
