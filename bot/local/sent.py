"""Reading what a page sent: whatever cannot be right is refused with a sentence for the person."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from uuid import UUID, uuid5

from aiohttp import web

from bot.local.local_port import PLATFORM
from bot.web.bodies import Malformed, read_object
from handlers.core.actions import Action, BadAction, SentAction

TEXT_LIMIT = 4000
CHANNEL_NAME = re.compile(r"[^\W_]+(-[^\W_]+)*")
CHANNEL_NAME_LIMIT = 60
LARGEST = 2**53  # what a page can send exactly, and the databases can store

Json = dict[str, Any]


class Unfit(Exception):
    """The page sent something that cannot be right. The text is said to the person."""


async def body(request: web.Request) -> Json:
    """Return the request's body.

    Raises:
        Unfit: it is no JSON object.
    """
    try:
        return await read_object(request)
    except Malformed:
        raise Unfit("This is not the JSON that the page sends. Reload the page, then try again.") from None


def key(body: Json) -> str:
    """Return the act's idempotency key, from the UUID that the page made.

    Raises:
        Unfit: there is no UUID.
    """
    try:
        return f"{PLATFORM}:{UUID(str(body.get('key')))}"
    except ValueError:
        raise Unfit("Something went wrong. Reload the page.") from None


def key_for(key: str, user: str) -> str:
    """The key of one part of an act: the arrival of one of the people who were added."""
    return f"{PLATFORM}:{uuid5(UUID(key.removeprefix(f'{PLATFORM}:')), user)}"


def typed(value: object) -> str:
    """Return the typed text without spaces around it.

    Raises:
        Unfit: it is empty or too long.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise Unfit("Write something first.")
    if len(text) > TEXT_LIMIT:
        raise Unfit(f"A message has at most {TEXT_LIMIT} characters.")
    return text


def action(body: Json) -> Action:
    """Return the action of the pressed button or sent form.

    Raises:
        Unfit: there is no such action.
    """
    try:
        return SentAction.decode(str(body.get("action", "")))
    except BadAction as error:
        raise Unfit(str(error)) from None


def message_id(body: Json) -> int | None:
    """Return the id of the message that an act belongs to; None if it names none.

    Raises:
        Unfit: the id is no number.
    """
    return None if body.get("message") in (None, "") else whole(body["message"])


def whole(value: object) -> int:
    """Return the value as a whole number.

    Raises:
        Unfit: it is none, or too large to be stored.
    """
    try:
        number = int(str(value))
    except ValueError:
        raise Unfit("A number was expected.") from None
    if abs(number) > LARGEST:
        raise Unfit("This number is too large.")
    return number


def values(value: object) -> dict[str, tuple[str, ...]]:
    """Return a form's values by field.

    Raises:
        Unfit: they are not lists by name.
    """
    if not isinstance(value, dict) or not all(isinstance(many, list) for many in value.values()):
        raise Unfit("The form has no values. Reload the page.")
    return {str(name): tuple(str(item) for item in many) for name, many in value.items()}


def channel_name(text: str) -> str:
    """Return the name in small letters, without ``#``.

    Raises:
        Unfit: it is too long, or not letters and digits with hyphens between them.
    """
    name = unicodedata.normalize("NFC", text).strip().lstrip("#").casefold()
    if not CHANNEL_NAME.fullmatch(name) or len(name) > CHANNEL_NAME_LIMIT:
        raise Unfit("A channel's name has small letters and digits, with hyphens between them.")
    return name
