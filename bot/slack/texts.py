"""Spans as Slack's rich text, so that what a person typed stays literal, and its escaped forms elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slack_sdk.models.blocks import RichTextElementParts as Parts
from slack_sdk.models.blocks import RichTextSectionElement
from slack_sdk.models.blocks.block_elements import RichTextElement

from handlers.core.cards import Bold, Cmd, HowToAsk, Link, Mention, Shown, Span, Text, When
from program.core.words import shortened

SLASH = "/plc"  # before a command in a channel; in the chat with the bot it may stand there too

# How Slack writes an instant in each reader's own zone.
DATE_FORMATS = {"datetime": "{date_long_pretty} at {time}", "date": "{date_long_pretty}", "time": "{time}"}

_FORMATTING = re.compile(r"[*_~`]")
_WEB = re.compile(r"https?://[^\s<>|]+\Z|mailto:[^\s<>|]+\Z")


def escape(text: str) -> str:
    """Slack's three control characters as entities; without them no mention, link or date can be forged."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def web_address(url: str) -> bool:
    """Slack refuses a whole message for one address that it cannot read."""
    return bool(_WEB.match(url))


def visible(text: str) -> str:
    """Slack refuses empty texts; a dash stands for nothing."""
    return text if text.strip() else "–"


class Budget:
    """How many characters a surface may still hold."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    @property
    def spent(self) -> bool:
        """Whether there is no room for another text: a shortened one needs two characters."""
        return self.left < 2

    def take(self, text: str, limit: int) -> str:
        """As much of the text as the limit and the rest of the budget allow."""
        taken = shortened(text, max(1, min(limit, self.left)))
        self.left -= len(taken)
        return taken


def rich(text: Text, shown: Shown, budget: Budget, limit: int) -> list[RichTextElement]:
    """The spans as rich text elements, cut together to ``limit`` characters."""
    room = Budget(min(limit, budget.left))
    before = room.left
    elements = [element for span in text if not room.spent for element in _rich_span(span, shown, room)]
    budget.left -= before - room.left
    return elements


def _rich_span(span: Span, shown: Shown, room: Budget) -> list[RichTextElement]:
    match span:
        case str():
            return plain_part(room.take(span, room.left))
        case Bold():
            return bold_part(room.take(span.text, room.left))
        case Link() if web_address(span.url):
            return [Parts.Link(url=span.url, text=visible(room.take(span.text, room.left)))]
        case Link():
            return plain_part(room.take(f"{span.text} ({span.url})", room.left))
        case Mention() if span.person in shown.mentions:
            return [Parts.User(user_id=shown.mentions[span.person])]
        case Mention():
            return bold_part(room.take(span.name, room.left))
        case When():
            return [
                Parts.Date(
                    timestamp=int(span.at.timestamp()),
                    format=DATE_FORMATS[span.style],
                    fallback=room.take(span.plain(shown.zone), room.left),
                )
            ]
        case HowToAsk():
            return plain_part(room.take(span.plain(SLASH), room.left))
        case Cmd():
            return [Parts.Text(text=room.take(f"{SLASH} {span.words}", room.left), style=Parts.TextStyle(code=True))]


def plain_part(text: str) -> list[RichTextElement]:
    """Return the text as a rich text part; none for an empty text, which Slack refuses."""
    return [Parts.Text(text=text)] if text else []


def bold_part(text: str) -> list[RichTextElement]:
    """Return the text as a bold rich text part; none for an empty text, which Slack refuses."""
    return [Parts.Text(text=text, style=Parts.TextStyle(bold=True))] if text else []


def section(elements: Iterable[RichTextElement]) -> RichTextSectionElement:
    """Return a rich text section of these parts; a dash stands for none, which Slack refuses."""
    return RichTextSectionElement(elements=list(elements) or plain_part("–"))


def is_plain(text: Text) -> bool:
    """Return whether the text has only plain spans: no bold, link, mention, time or command."""
    return all(isinstance(span, str) for span in text)


def mrkdwn(text: Text, shown: Shown) -> str | None:
    """The spans as Slack's mrkdwn, or None where a typed ``*`` or ``_`` would become formatting.

    Slack has no escape for its formatting characters, so such texts have to be rich text.
    """
    parts = [_mrkdwn_span(span, shown) for span in text]
    return None if any(part is None for part in parts) else "".join(part for part in parts if part)


def _mrkdwn_span(span: Span, shown: Shown) -> str | None:
    match span:
        case str():
            return _typed(span)
        case Bold():
            typed = _typed(span.text)
            return f"*{typed}*" if typed else typed
        case Link():
            typed = _typed(span.text)
            if typed is None or not web_address(span.url):
                return None
            return f"<{escape(span.url)}|{typed}>"
        case Mention() if span.person in shown.mentions:
            return f"<@{shown.mentions[span.person]}>"
        case Mention():
            return _typed(span.name)
        case When():
            stamp = int(span.at.timestamp())
            return f"<!date^{stamp}^{DATE_FORMATS[span.style]}|{escape(span.plain(shown.zone))}>"
        case HowToAsk():
            return escape(span.plain(SLASH))
        case Cmd():
            typed = _typed(span.words)
            return typed and f"`{SLASH} {typed}`"


def _typed(text: str) -> str | None:
    return None if _FORMATTING.search(text) else escape(text)


_ENTITY = re.compile(r"<([^<>]*)>")


def typed_text(text: str) -> str:
    """What a person typed, out of Slack's wire form: links and mentions as words, entities as characters."""
    plain = _ENTITY.sub(lambda match: _spoken(match.group(1)), text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")


def mentioned(text: str) -> list[str]:
    """The ids of the users that a text in Slack's wire form mentions, each once."""
    return list(dict.fromkeys(_MENTION.findall(text)))


def _spoken(entity: str) -> str:
    target, _, label = entity.partition("|")
    sign = target[:1]
    if sign == "@":
        return f"@{label or target[1:]}"
    if sign == "#":
        return f"#{label or target[1:]}"
    if sign == "!":
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target.removeprefix("mailto:")
