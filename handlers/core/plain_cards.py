"""Cards in plain text, as a notification or a screen reader says them, and who is mentioned in one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Buttons,
    Card,
    Chart,
    Cmd,
    Divider,
    Facts,
    Heading,
    HowToAsk,
    Link,
    Mention,
    Note,
    Paragraph,
    Progress,
    Span,
    Table,
    Text,
    When,
)


def plain_text(text: Text, zone: str | None = None, slash: str = "") -> str:
    """The words of a text alone. ``zone``: the reader's IANA zone, where it is known; ``slash``: see :class:`Cmd`."""
    return "".join(_plain_span(span, zone, slash) for span in text)


def _plain_span(span: Span, zone: str | None, slash: str) -> str:
    match span:
        case str():
            return span
        case Bold():
            return span.text
        case Link():
            return f"{span.text} ({span.url})"
        case Mention():
            return span.name
        case When():
            return span.plain(zone)
        case Cmd() | HowToAsk():
            return span.plain(slash)


def plain(card: Card, zone: str | None = None, slash: str = "") -> str:
    """The card as plain text: what a notification, a screen reader or a poor client says."""
    lines = (line for block in card.blocks for line in _plain_block(block, zone, slash))
    return "\n".join(line for line in (card.title, *lines) if line)


def _plain_block(block: Block, zone: str | None, slash: str) -> Iterator[str]:
    match block:
        case Heading():
            yield block.text
        case Paragraph() | Note():
            yield plain_text(block.text, zone, slash)
        case Bullets():
            for item in block.items:
                yield f"- {plain_text(item, zone, slash)}"
        case Facts():
            for label, text in block.rows:
                yield f"{label}: {plain_text(text, zone, slash)}"
        case Table():
            yield block.caption
            for row in block.rows:
                yield ", ".join(
                    f"{column}: {cell}" if column else cell for column, cell in zip(block.columns, row, strict=True)
                )
        case Chart():
            yield block.title
            for series in block.series:
                pairs = zip(block.labels, series.values, strict=True)
                yield f"{series.name}: " + ", ".join(f"{label} {value:g}" for label, value in pairs)
        case Progress():
            yield f"{block.label}: {block.have} of {block.need}"
        case Buttons():
            yield "Choices: " + ", ".join(button.label for button in block.buttons)
        case Divider():
            return


def spans_in(card: Card) -> Iterator[Span]:
    """Every span of text in a card's blocks."""
    for block in card.blocks:
        match block:
            case Paragraph() | Note():
                yield from block.text
            case Bullets():
                for item in block.items:
                    yield from item
            case Facts():
                for _, text in block.rows:
                    yield from text
            case _:
                pass


def mentions_in(card: Card) -> frozenset[UUID]:
    """The people a card mentions; the sender looks up their accounts before it renders."""
    return frozenset(span.person for span in spans_in(card) if isinstance(span, Mention))
