"""Cards as JSON and back, exactly: each part is an object whose ``_`` names its class.

Not pydantic's TypeAdapter (2.14): it writes a part's fields alone and tells the members of a union apart by them, and
Paragraph and Note have the same ones, so that a Note comes back as a Paragraph. Its tags are read, but not written with
a dataclass: every part of a card would need a field with its own name.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from handlers.core import cards
from handlers.core.actions import Action, SentAction
from handlers.core.cards import Card

_PARTS: dict[str, type[Any]] = {
    part.__name__: part
    for part in (
        cards.Bold,
        cards.Link,
        cards.Mention,
        cards.When,
        cards.Cmd,
        cards.HowToAsk,
        cards.Heading,
        cards.Paragraph,
        cards.Note,
        cards.Bullets,
        cards.Facts,
        cards.Table,
        cards.Series,
        cards.Chart,
        cards.Progress,
        cards.Button,
        cards.LinkButton,
        cards.Buttons,
        cards.Divider,
        cards.Card,
    )
}


class UnreadableCard(ValueError):
    """This card was written by another version of the bot."""


def dump(card: Card) -> str:
    """The card as JSON text in plain ASCII."""
    return json.dumps(_pack(card), separators=(",", ":"))


def load(text: str) -> Card:
    """The card that :func:`dump` wrote.

    Raises:
        UnreadableCard: when a part is unknown to this version.
    """
    try:
        card = _unpack(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableCard(UnreadableCard.__doc__) from error
    if not isinstance(card, Card):
        raise UnreadableCard(UnreadableCard.__doc__)
    return card


def _pack(value: object) -> object:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case tuple():
            return [_pack(item) for item in value]
        case UUID():
            return {"_": "UUID", "is": str(value)}
        case datetime():
            return {"_": "datetime", "is": value.isoformat()}
        case Action():
            return {"_": "Action", "name": value.name, "args": list(value.args)}
        case _ if is_dataclass(value) and type(value).__name__ in _PARTS:
            packed = {field.name: _pack(getattr(value, field.name)) for field in fields(value)}
            return {"_": type(value).__name__, **packed}
        case _:
            raise TypeError(f"A card cannot hold a {type(value).__name__}.")


def _unpack(value: Any) -> Any:
    match value:
        case list():
            return tuple(_unpack(item) for item in value)
        case {"_": "UUID", "is": str(text)}:
            return UUID(text)
        case {"_": "datetime", "is": str(text)}:
            return datetime.fromisoformat(text)
        case {"_": "Action", "name": str(name), "args": [*args]}:
            return SentAction.of(name, *args)
        case dict():
            return _part(value)
        case _:
            return value


def _part(packed: dict[str, Any]) -> Any:
    part = _PARTS[packed["_"]]
    return part(**{name: _unpack(value) for name, value in packed.items() if name != "_"})
