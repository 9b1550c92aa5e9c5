"""What a person asked (a Request) and what they are answered (a Reply), free of any platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from handlers.core.actions import Action
from handlers.core.cards import Card, Paragraph, Span
from handlers.core.forms import Form

PlaceKind = Literal["personal", "channel"]


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account as its platform names it: the tenant (workspace) and the stable user id."""

    platform: str
    tenant: str
    user: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a platform says of an account. ``member``: a full member, neither guest nor from outside."""

    account: AccountKey
    name: str
    email: str = ""
    email_confirmed: bool = False
    member: bool = False
    active: bool = True
    bot: bool = False
    zone: str | None = None  # IANA, where the platform knows it


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation. ``reference`` is what the platform needs to write there later (Teams: serviceUrl …)."""

    platform: str
    tenant: str
    conversation: str
    kind: PlaceKind
    name: str = ""
    reference: Mapping[str, str] = field(default_factory=dict)


# Intents ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """A command's words without slash or mention: ``progress``, ``snooze until 2026-12-01``.

    ``mentions``: the other accounts that it mentions; their names stand in the words.
    """

    text: str
    mentions: tuple[AccountKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A message typed to the bot in the personal chat: a command's exact words, or an answer. See :class:`Command`."""

    text: str
    mentions: tuple[AccountKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """A button was pressed."""

    action: Action


@dataclass(frozen=True, slots=True)
class Submit:
    """A form was sent. Every field it had is a key with its texts (ISO dates, ``HH:MM`` times)."""

    action: Action
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """The person looks at the bot's home tab."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """The asker joined the place (a channel)."""


@dataclass(frozen=True, slots=True)
class Departed:
    """The asker left the place (a channel)."""


@dataclass(frozen=True, slots=True)
class BotAdded:
    """The bot was put into the place, or the app was installed into the personal chat."""


@dataclass(frozen=True, slots=True)
class BotRemoved:
    """The bot was taken out of the place."""


Intent = Command | Typed | Press | Submit | HomeOpened | Arrived | Departed | BotAdded | BotRemoved


@dataclass(frozen=True, slots=True)
class Request:
    """``key`` is made of the platform's own ids of this act alone, and is the same in every retry of it.

    Nothing that was pressed, chosen or typed belongs to it. ``at`` is when it happened, as the platform says, where
    events about the bot's coming and going must be put in order: platforms may deliver one late, and twice.
    """

    who: AccountKey
    place: Place
    intent: Intent
    key: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The private answer to a request. Whatever others see is a delivery, queued by the handler instead.

    card      only the asker sees it: a notice in a channel, an ordinary message in the personal chat
    replace   what the pressed card becomes; only given where the asker alone sees that card
    form      opened, or put in place of the form that was sent
    errors    a sentence per field of the form that was sent; nothing was saved
    repeated  this request was processed before, and nothing was changed now
    """

    card: Card | None = None
    replace: Card | None = None
    form: Form | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False


def notice(*text: Span, title: str = "") -> Reply:
    """A sentence or two to the asker alone."""
    return Reply(card=Card(title, (Paragraph(text),)))
