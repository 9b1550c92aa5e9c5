"""Request bodies, read strictly: whatever cannot be one is :class:`Malformed`, which is answered with 400."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, web

DEPTH = 64  # levels of a JSON document; the platforms' cards have about a dozen
REFUSED = "This request cannot be read.\n"


class Malformed(ValueError):
    """The request's body is not what this address takes."""


def refusal() -> web.Response:
    """The answer to a malformed body. What is left of the body is not read, so the connection ends with it."""
    answer = web.Response(status=400, text=REFUSED)
    answer.force_close()
    return answer


async def read_text(request: web.Request) -> str:
    """The body as text.

    Raises:
        Malformed: it cannot be decompressed, is not UTF-8, or the connection ended before the body did.
        HTTPRequestEntityTooLarge: it is larger than the server takes, decompressed.
    """
    try:
        charset = (request.charset or "utf-8").lower()
        body = await request.read()
    except (ClientError, web.RequestPayloadError, OSError, RuntimeError, ValueError) as error:
        raise Malformed(type(error).__name__) from None
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Malformed("the charset is not UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None


async def read_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        Malformed: as above, and where the body is no JSON object.
    """
    body = parse(await read_text(request))
    if not isinstance(body, dict):
        raise Malformed("the body is no JSON object")
    return body


def parse(text: str) -> Any:
    """A JSON document of at most :data:`DEPTH` levels, in which every text can be stored.

    Raises:
        Malformed: it is not one.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    # Only escapes make a lone surrogate or a NUL, and only so many brackets make so many levels.
    if "\\u" in text or text.count("{") + text.count("[") > DEPTH:
        check(value)
    return value


def check(value: Any) -> None:
    """Refuse what is nested too deeply, and text that no database takes.

    Raises:
        Malformed: it is nested too deeply, or holds a lone surrogate or a NUL.
    """
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise Malformed("it is nested too deeply")
        below: list[Any] = []
        for item in level:
            match item:
                case str():
                    check_text(item)
                case Mapping():
                    below += item.keys()
                    below += item.values()
                case list() | tuple():
                    below += item
        level = below


def check_text(text: str) -> None:
    """Refuse text that no database takes.

    Raises:
        Malformed: it holds a lone surrogate or a NUL.
    """
    if "\0" in text:
        raise Malformed("a NUL in the text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("a lone surrogate in the text") from None


def _no_number(_name: str) -> float:
    raise ValueError("not a number")
