"""Cards as Block Kit: messages and the home tab. Too long is shortened or paged where people see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    RawTextObject,
    RichTextBlock,
    RichTextElementParts,
    RichTextListElement,
    TableBlock,
)
from slack_sdk.models.blocks.block_elements import RichTextElement
from slack_sdk.models.views import View

from bot.slack import limits, slack_charts
from bot.slack.models import as_dict
from bot.slack.texts import (
    SLASH,
    Budget,
    bold_part,
    escape,
    is_plain,
    mrkdwn,
    plain_part,
    rich,
    section,
    visible,
    web_address,
)
from handlers.core import cards, plain_cards
from handlers.core.actions import BadAction, SentAction
from handlers.core.cards import Button, Card, LinkButton, Shown, Text
from program.core.words import shortened

PRESS = "press:"  # an action id begins with one of these; the action itself is the button's value
FORM = "form:"  # a press that will be answered with a form
LINK = "link:"  # a press that only opened a page

BAR_CELLS = 10


def plain(text: str) -> PlainTextObject:
    """A text in which ``*``, ``:name:`` and the like stay what they are."""
    return PlainTextObject(text=visible(text), emoji=False)


def message(card: Card, shown: Shown | None = None) -> list[dict[str, Any]]:
    """The card's blocks for a message."""
    return _Surface.of_message(shown or Shown()).card(card)


def fallback(card: Card, shown: Shown | None = None) -> str:
    """What a notification or a screen reader says; escaped, so it mentions nobody by accident."""
    words = visible(shortened(plain_cards.plain(card, shown.zone if shown else None, SLASH), limits.FALLBACK_TEXT))
    while len(escape(words)) > limits.FALLBACK_TEXT:  # cut before escaping: half an entity is no entity
        words = shortened(words, len(words) * 9 // 10)
    return escape(words)


def home(card: Card, shown: Shown | None = None) -> dict[str, Any]:
    """The card as the bot's home tab."""
    blocks = _Surface.of_view(shown or Shown()).card(card)
    return as_dict(View(type="home", blocks=blocks))


def view_blocks(title: str, blocks: Sequence[cards.Block], version: str, room: int) -> list[dict[str, Any]]:
    """Parts of a card inside a modal, at most ``room`` blocks of it. ``version`` keeps ids apart."""
    surface = _Surface.of_view(Shown(), version=version, room=room)
    return surface.card(Card(title, tuple(blocks)))


def pressed(payload_action: dict[str, Any]) -> SentAction:
    """The action that a pressed button carries.

    Raises:
        BadAction: when it is no button of ours.
    """
    value = payload_action.get("value")
    if not isinstance(value, str):
        raise BadAction
    return SentAction.decode(value)


@dataclass(slots=True)
class _Counts:
    blocks: int = 0
    buttons: int = 0
    charts: int = 0
    tables: int = 0
    left_out: int = 0


class _Surface:
    """One rendering: what it holds so far, and what there is room for."""

    def __init__(self, shown: Shown, budget: Budget, room: int, version: str, native: bool) -> None:
        self._shown = shown
        self._budget = budget
        self._room = room
        self._version = version
        self._native = native  # tables and charts are blocks of messages; views say them in words
        self._counts = _Counts()

    @classmethod
    def of_message(cls, shown: Shown) -> _Surface:
        return cls(shown, Budget(limits.MESSAGE_TEXT), limits.MESSAGE_BLOCKS, "", native=True)

    @classmethod
    def of_view(cls, shown: Shown, version: str = "", room: int = limits.VIEW_BLOCKS) -> _Surface:
        return cls(shown, Budget(limits.VIEW_TEXT), room, version, native=False)

    def card(self, card: Card) -> list[dict[str, Any]]:
        blocks: list[Block] = []
        self._budget.left = max(limits.HEADER, self._budget.left - _spoken_by_buttons(card))
        if card.title:
            blocks.append(self._header(card.title))
        for part in card.blocks:
            # Buttons are what a person can do, so they stay even where the words no longer fit.
            if self._budget.spent and not isinstance(part, cards.Buttons):
                self._counts.left_out += 1
            else:
                blocks += self._block(part)
        blocks = self._fit(_join_lines(blocks))
        for number, block in enumerate(blocks):
            block.block_id = f"b{number}-{self._version}" if self._version else f"b{number}"
        return [as_dict(block) for block in blocks]

    def _fit(self, blocks: list[Block]) -> list[Block]:
        """No more blocks than there is room for; what goes is counted and said."""
        room = self._room - 1  # one for the sentence
        while len(blocks) > room:
            last_words = [i for i, block in enumerate(blocks) if not isinstance(block, ActionsBlock)]
            blocks.pop(last_words[-1] if last_words else -1)
            self._counts.left_out += 1
        left_out = self._counts.left_out
        if left_out:
            blocks.append(_context(f"… and {left_out} more {'part' if left_out == 1 else 'parts'}."))
        return blocks or [_context("–")]

    def _header(self, text: str) -> Block:
        return HeaderBlock(text=plain(self._budget.take(" ".join(text.split()), limits.HEADER)))

    def _block(self, block: cards.Block) -> list[Block]:
        match block:
            case cards.Heading():
                return [self._header(block.text)]
            case cards.Paragraph():
                return [self._rich(section(self._text(block.text)))]
            case cards.Note():
                return [self._note(block.text)]
            case cards.Bullets():
                return self._bullets(block)
            case cards.Facts():
                return self._facts(block)
            case cards.Table():
                return self._table(block)
            case cards.Chart():
                return self._chart(block)
            case cards.Progress():
                return [self._progress(block)]
            case cards.Buttons():
                return self._buttons(block)
            case cards.Divider():
                return [DividerBlock()]
            case _:
                assert_never(block)

    def _text(self, text: Text, limit: int = limits.TEXT) -> list[RichTextElement]:
        return rich(text, self._shown, self._budget, limit)

    def _rich(self, *elements: RichTextElement) -> Block:
        return RichTextBlock(elements=list(elements))

    def _note(self, text: Text) -> Block:
        if is_plain(text):
            return _context(self._budget.take(plain_cards.plain_text(text), limits.CONTEXT))
        markup = mrkdwn(text, self._shown)
        if markup is None or len(markup) > min(limits.CONTEXT, self._budget.left):
            return self._rich(section(self._text(text, limits.CONTEXT)))
        self._budget.left -= len(markup)
        return ContextBlock(elements=[MarkdownTextObject(text=visible(markup), verbatim=True)])

    def _bullets(self, block: cards.Bullets) -> list[Block]:
        items: list[RichTextElement] = []
        for item in block.items:
            if self._budget.spent:
                items.append(section(plain_part(_more(len(block.items) - len(items)))))
                break
            items.append(section(self._text(item)))
        return [self._rich(RichTextListElement(style="bullet", elements=items))] if items else []

    def _facts(self, block: cards.Facts) -> list[Block]:
        lines: list[RichTextElement] = []
        for label, text in block.rows:
            if self._budget.spent:
                lines.append(section(plain_part(_more(len(block.rows) - len(lines)))))
                break
            name = bold_part(self._budget.take(f"{label}:", limits.LABEL))
            lines.append(section([*name, *plain_part(" "), *self._text(text)]))
        return [self._rich(*lines)] if lines else []

    def _progress(self, block: cards.Progress) -> Block:
        filled = min(BAR_CELLS, max(0, block.have * BAR_CELLS // max(1, block.need)))
        bar = "█" * filled + "░" * (BAR_CELLS - filled)
        label = self._budget.take(f"{block.label}:", limits.LABEL)
        return self._rich(_Line([*bold_part(label), *plain_part(f" {block.have} of {block.need} {bar}")]))

    # Tables and charts -------------------------------------------------------------------------

    def _table(self, block: cards.Table) -> list[Block]:
        caption: list[Block] = []
        if block.caption:
            caption.append(self._rich(section(bold_part(self._budget.take(block.caption, limits.LABEL)))))
        columns = block.columns[: limits.TABLE_COLUMNS]
        table = Budget(int(self._budget.left * limits.TABLE_SHARE))
        before = table.left
        head = [visible(table.take(column, limits.CELL)) for column in columns]
        rows: list[list[str]] = []
        for row in block.rows[: limits.TABLE_ROWS - 1]:
            if table.left < limits.CELL:
                break
            cut = row[: len(columns)]
            rows.append([visible(table.take(cell, min(limits.CELL, max(1, table.left)))) for cell in cut])
        self._budget.left -= before - table.left
        missing = len(block.rows) - len(rows)
        after: list[Block] = [_context(_more(missing, "rows"))] if missing else []
        wide = len(block.columns) - len(columns)
        if wide:
            after.append(_context(_more(wide, "columns")))
        if not columns:
            return caption
        return [*caption, self._cells(head, rows), *after]

    def _cells(self, head: list[str], rows: list[list[str]]) -> Block:
        """Slack shows one table a message; a second one, and one in a view, is said line by line."""
        self._counts.tables += 1
        if self._native and self._counts.tables == 1:
            return TableBlock(
                rows=[[RawTextObject(text=cell) for cell in row] for row in (head, *rows)],
                column_settings=[{"is_wrapped": True} for _ in head],
            )
        lines: list[RichTextElement] = [section(bold_part(" · ".join(head)))]
        lines += [section(plain_part(" · ".join(row))) for row in rows]
        return self._rich(*lines)

    def _chart(self, block: cards.Chart) -> list[Block]:
        drawn, cut = slack_charts.native(block) if self._native else (None, "")
        if drawn is None or self._counts.charts == limits.CHARTS:
            return self._chart_in_words(block)
        self._counts.charts += 1
        self._budget.left -= _letters(drawn.chart)
        return [drawn, _context(cut)] if cut else [drawn]

    def _chart_in_words(self, block: cards.Chart) -> list[Block]:
        rows = [
            f"{self._budget.take(label, limits.LABEL)}: " + ", ".join(f"{value:g}" for value in values)
            for label, *values in zip(block.labels, *(series.values for series in block.series), strict=True)
            if not self._budget.spent
        ]
        names = " · ".join(self._budget.take(series.name, limits.LABEL) for series in block.series)
        title = bold_part(self._budget.take(block.title, limits.LABEL))
        lines = [section([*title, *plain_part(f" ({names})" if names else "")])]
        lines += [section(plain_part(row)) for row in rows]
        if len(rows) < len(block.labels):
            lines.append(section(plain_part(_more(len(block.labels) - len(rows)))))
        return [self._rich(*lines)]

    # Buttons -----------------------------------------------------------------------------------

    def _buttons(self, block: cards.Buttons) -> list[Block]:
        elements: list[ButtonElement] = []
        unreachable: list[Block] = []
        for button in block.buttons:
            self._counts.buttons += 1
            match button:
                case Button():
                    elements.append(self._button(button))
                case LinkButton() if web_address(button.url) and len(button.url) <= limits.BUTTON_URL:
                    elements.append(self._link(button))
                case LinkButton():
                    words = f"{button.label}: {button.url}"
                    unreachable.append(_context(self._budget.take(words, limits.CONTEXT)))
                case _:
                    assert_never(button)
        size = limits.BUTTONS_IN_ROW
        rows = [elements[start : start + size] for start in range(0, len(elements), size)]
        return [*(ActionsBlock(elements=row) for row in rows), *unreachable]

    def _button(self, button: Button) -> ButtonElement:
        encoded = button.action.encode()
        kind = FORM if button.opens_form else PRESS
        return ButtonElement(
            text=plain(shortened(button.label, limits.BUTTON_TEXT)),
            # The same press may be offered twice on one card, but Slack wants each id once.
            action_id=f"{kind}{encoded}~{self._counts.buttons}",
            value=encoded,
            style=None if button.style == "default" else button.style,
            confirm=_confirm(button),
        )

    def _link(self, button: LinkButton) -> ButtonElement:
        return ButtonElement(
            text=plain(shortened(button.label, limits.BUTTON_TEXT)),
            action_id=f"{LINK}{self._counts.buttons}",
            url=button.url,
        )


class _Line(RichTextElementParts.Text):
    """Marks one line of a list of lines, which then share a block."""

    def __init__(self, parts: list[RichTextElement]) -> None:
        super().__init__(text="-")
        self.parts = parts


def _join_lines(blocks: list[Block]) -> list[Block]:
    """Neighbouring progress lines in one block: sixty of them would not fit otherwise."""
    joined: list[Block] = []
    open_lines: RichTextBlock | None = None
    for block in blocks:
        line = block.elements[0] if isinstance(block, RichTextBlock) and block.elements else None
        if not isinstance(line, _Line):
            open_lines = None
            joined.append(block)
        elif open_lines is None:
            open_lines = RichTextBlock(elements=[section(line.parts)])
            joined.append(open_lines)
        else:
            open_lines.elements.append(section(line.parts))
    return joined


def _spoken_by_buttons(card: Card) -> int:
    """Characters to keep free: buttons come last on most cards, and none of them may be lost."""
    rows = [block.buttons for block in card.blocks if isinstance(block, cards.Buttons)]
    labels = sum(min(len(button.label), limits.BUTTON_TEXT) for row in rows for button in row)
    questions = (button.confirm or "" for row in rows for button in row if isinstance(button, Button))
    return labels + sum(min(len(question), limits.CONFIRM_TEXT) for question in questions)


def _confirm(button: Button) -> ConfirmObject | None:
    if button.confirm is None:
        return None
    return ConfirmObject(
        title=plain("Are you sure?"),
        text=plain(shortened(button.confirm, limits.CONFIRM_TEXT)),
        confirm=plain("Yes"),
        deny=plain("No"),
        style="danger" if button.style == "danger" else None,
    )


def _context(text: str) -> Block:
    return ContextBlock(elements=[plain(text)])


def _more(count: int, what: str = "") -> str:
    return f"… and {count} more {what}".rstrip()


def _letters(part: object) -> int:
    match part:
        case str():
            return len(part)
        case dict():
            return sum(_letters(value) for value in part.values())
        case list():
            return sum(_letters(value) for value in part)
        case _:
            return 0
