"""What the local chat is made of: channels, messages, and drafts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from handlers.core.cards import Card, Shown

DIRECT = "direct:"


class NoSuchConversation(LookupError):
    """There is no such conversation in the local workspace."""


class NoSuchMessage(LookupError):
    """There is no such message in the local workspace."""


class NameTaken(ValueError):
    """A channel with this name is already there."""


@dataclass(frozen=True, slots=True)
class Channel:
    """``bot``: the bot has entered it."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a conversation: typed ``text`` or a ``card``.

    author     None: the bot
    only_for   a notice that this person alone sees
    asked      the command that it answers
    gone       dismissed; kept so that open pages learn of it
    """

    id: int
    conversation: str
    author: str | None
    at: datetime
    change: int
    text: str | None = None
    card: Card | None = None
    mentions: Mapping[UUID, str] = field(default_factory=dict)
    only_for: str | None = None
    asked: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be written. ``origin`` names the act it comes from; one act writes one message."""

    conversation: str
    at: datetime
    origin: str
    author: str | None = None
    text: str | None = None
    card: Card | None = None
    shown: Shown = field(default_factory=Shown)
    only_for: str | None = None
    asked: str | None = None


def direct(user: str) -> str:
    """The conversation in which a person and the bot are alone."""
    return f"{DIRECT}{user}"


def delivery_origin(delivery: UUID) -> str:
    """Return the origin of a message that the bot's delivery writes."""
    return f"delivery:{delivery}"
