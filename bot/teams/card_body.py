"""The blocks of a card or form, as Adaptive Card elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from microsoft_teams import cards as ac

from bot.teams.card_actions import button_rows
from bot.teams.card_tables import table
from bot.teams.page import Page
from bot.teams.spans import heading, left_out, markdown, more, text, within
from bot.teams.teams_charts import chart, not_drawn
from bot.teams.words import escaped, one_line
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Buttons,
    Chart,
    Divider,
    Facts,
    Heading,
    Note,
    Paragraph,
    Progress,
    Table,
)

BAR = 10  # characters of a progress bar


def blocks(items: Sequence[Block], page: Page) -> Iterator[ac.CardElement]:
    """Yield the elements of the blocks.

    Blocks beyond the limit are left out, with the line "and N more" at the end. Buttons are always kept.
    """
    room = page.limits.blocks
    words = [block for block in items if not isinstance(block, Buttons)]
    kept = {id(block) for block in words[:room]}
    for block in items:
        if isinstance(block, Buttons) or id(block) in kept:
            yield from _block(block, page)
    if len(words) > room:
        yield more(len(words) - room)


def _block(block: Block, page: Page) -> Iterator[ac.CardElement]:
    limits = page.limits
    match block:
        case Heading():
            yield heading(block.text, page)
        case Paragraph():
            yield text(block.text, page)
        case Note():
            yield text(block.text, page, small=True)
        case Bullets():
            for item in block.items[: limits.parts]:
                yield text(("• ", *item), page)
            yield from left_out(block.items, limits)
        case Facts():
            yield _facts(block, page)
            yield from left_out(block.rows, limits)
        case Table():
            yield from table(block, page)
        case Chart():
            yield chart(block, page)
            yield from not_drawn(block, page)
        case Progress():
            yield _progress(block, page)
        case Buttons():
            yield from button_rows(block.buttons, page)
        case Divider():
            yield ac.Container(items=[], separator=True, spacing="Medium")
        case _:
            assert_never(block)


def _facts(block: Facts, page: Page) -> ac.CardElement:
    limits = page.limits
    facts = [
        ac.Fact(
            title=escaped(one_line(label, limits.label)),
            value="".join(markdown(span, page) for span in within(value, limits.text)),
        )
        for label, value in block.rows[: limits.parts]
    ]
    return ac.FactSet(facts=facts)


def _progress(block: Progress, page: Page) -> ac.CardElement:
    full = max(0, min(BAR, round(BAR * block.have / max(block.need, 1))))
    label = one_line(block.label, page.limits.label)
    bar = "▰" * full + "▱" * (BAR - full)
    return text((Bold(label), f": {block.have} of {block.need}\n{bar}"), page)
