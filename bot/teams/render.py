"""Cards to Adaptive Cards 1.5, within what Teams shows.

A card is built at full length first, then shorter and shorter until it fits; what is left out is said.
A button is left out only after all the others were shortened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Literal, assert_never

from microsoft_teams import cards as ac

from bot.teams.words import escaped, literal, one_line, shortened
from handlers.core.cards import (
    Action,
    Block,
    Bold,
    Bullets,
    Button,
    Buttons,
    Card,
    Chart,
    Cmd,
    Divider,
    Facts,
    Heading,
    HowToAsk,
    Link,
    LinkButton,
    Mention,
    Note,
    Paragraph,
    Progress,
    Shown,
    Span,
    Table,
    Text,
    When,
    plain,
    plain_text,
)
from program.core.words import first_of

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
MESSAGE_BYTES = 27_000  # of a whole message; older clients show 28 KB
CARD_BYTES = MESSAGE_BYTES - 3_000  # the rest: summary, addresses
ROW_OF_BUTTONS = 6  # Teams shows no more in one row
# On a phone of 320 px a card is about 270 px wide. A button needs its words, its padding and a gap.
ROW_PX, LETTER_PX, BUTTON_PX = 272, 8, 26
TABLE_COLUMNS = 2  # more of them break inside words on a phone; their rows are written as lines
TABLE_WORD = 14  # letters of the longest word that fits into a column there
MOST_SERIES = 12  # of one chart
BAR = 10  # characters of a progress bar
SUMMARY = 300  # characters

Surface = Literal["message", "dialog"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a card is shown: characters of a text and of a label, parts of a list, blocks, buttons."""

    text: int
    label: int
    parts: int
    blocks: int
    buttons: int


STEPS = (
    Limits(text=4000, label=300, parts=100, blocks=100, buttons=48),
    Limits(text=1500, label=150, parts=60, blocks=60, buttons=36),
    Limits(text=600, label=80, parts=40, blocks=40, buttons=30),
    Limits(text=250, label=50, parts=20, blocks=25, buttons=24),
    Limits(text=120, label=40, parts=10, blocks=12, buttons=18),
    Limits(text=60, label=30, parts=5, blocks=6, buttons=12),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a renderer needs while it builds one card.

    ``dialogs``: the client opens dialogs; where it does not, a button that opens a form asks for it instead.
    ``form``: the card is a form, so that the answer to each of its buttons takes its place.
    ``origin``: the message whose button opened the form, where it is known.
    """

    limits: Limits
    shown: Shown
    surface: Surface = "message"
    dialogs: bool = True
    form: bool = False
    origin: str = ""
    mentions: dict[str, ac.Mention] = field(default_factory=dict)


def render(card: Card, shown: Shown | None = None, *, dialogs: bool = True) -> dict[str, Any]:
    """The card as the content of an attachment."""
    shown = shown or Shown()
    spoken = literal(shortened(plain(card, shown.zone), SUMMARY * 2))
    return fitted(lambda limits: _card(card, Page(limits, shown, dialogs=dialogs), spoken))


def summary(card: Card, shown: Shown | None = None) -> str:
    """What a notification says."""
    words = plain(card, shown.zone if shown else None)
    return literal(shortened(" · ".join(words.splitlines()), SUMMARY))


def fitted(build: Callable[[Limits], ac.AdaptiveCard]) -> dict[str, Any]:
    """The longest version of a card that fits."""
    content: dict[str, Any] = {}
    for limits in STEPS:
        content = build(limits).model_dump(mode="json", exclude_none=True)
        if len(json.dumps(content)) <= CARD_BYTES:
            break
    return content


def adaptive(body: Sequence[ac.CardElement], page: Page, spoken: str) -> ac.AdaptiveCard:
    """The card around a body."""
    mentions = list(page.mentions.values())
    return ac.AdaptiveCard(
        version="1.5",
        body=list(body),
        fallback_text=spoken or None,
        msteams=ac.TeamsCardProperties(width="full", entities=mentions or None),
    )


def _card(card: Card, page: Page, spoken: str) -> ac.AdaptiveCard:
    body = [heading(card.title, page, size="Large")] if card.title.strip() else []
    return adaptive([*body, *blocks(card.blocks, page)], page, spoken)


def blocks(items: Sequence[Block], page: Page) -> Iterator[ac.CardElement]:
    """The blocks' elements; too many are cut with a word about it, but buttons stay."""
    room = page.limits.blocks
    words = [block for block in items if not isinstance(block, Buttons)]
    kept = {id(block) for block in words[:room]}
    for block in items:
        if isinstance(block, Buttons) or id(block) in kept:
            yield from _block(block, page)
    if len(words) > room:
        yield _more(len(words) - room)


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
            yield from _left_out(block.items, limits)
        case Facts():
            yield _facts(block, page)
            yield from _left_out(block.rows, limits)
        case Table():
            yield from _table(block, page)
        case Chart():
            yield _chart(block, page)
            yield from _not_drawn(block, page)
        case Progress():
            yield _progress(block, page)
        case Buttons():
            yield from _buttons(block.buttons, page)
        case Divider():
            yield ac.Container(items=[], separator=True, spacing="Medium")
        case _:
            assert_never(block)


def _left_out(items: Sequence[object], limits: Limits) -> Iterator[ac.CardElement]:
    if len(items) > limits.parts:
        yield _more(len(items) - limits.parts)


def _more(count: int) -> ac.CardElement:
    return ac.TextBlock(text=f"and {count} more", is_subtle=True, wrap=True)


# Text ------------------------------------------------------------------------------------------


def heading(words: str, page: Page, size: Literal["Medium", "Large"] = "Medium") -> ac.CardElement:
    """A heading that a screen reader knows as one."""
    return ac.TextBlock(
        text=escaped(one_line(words, page.limits.label)),
        style="heading",
        size=size,
        weight="Bolder",
        wrap=True,
    )


def text(spans: Text, page: Page, *, small: bool = False, warning: bool = False) -> ac.CardElement:
    """A paragraph: runs, which show typed text as it is; a text block where somebody is really mentioned."""
    spans = _within(spans, page.limits.text)
    size: Literal["Small"] | None = "Small" if small else None
    color: Literal["Attention"] | None = "Attention" if warning else None
    if any(isinstance(span, Mention) and span.person in page.shown.mentions for span in spans):
        words = "".join(_marked(span, page) for span in spans)
        return ac.TextBlock(text=words, wrap=True, size=size, is_subtle=small or None, color=color)
    runs: list[ac.CardElement] = []
    for span in spans:
        run = _run(span)
        run.size, run.is_subtle, run.color = size, small or None, color
        runs.append(run)
    if not runs:
        runs.append(ac.TextRun(text=" "))
    return ac.RichTextBlock(inlines=runs)


def _within(spans: Text, limit: int) -> Text:
    """The spans up to so many characters; the last one is cut visibly."""
    kept: list[Span] = []
    for span in spans:
        length = len(plain_text((span,)))
        if length > limit:
            kept.append(_cut(span, max(limit, 1)))
            break
        kept.append(span)
        limit -= length
    return tuple(kept)


def _cut(span: Span, limit: int) -> Span:
    match span:
        case str():
            return shortened(span, limit)
        case Bold():
            return Bold(shortened(span.text, limit))
        case Link():
            return Link(shortened(span.text, limit), span.url)
        case Mention() | When() | Cmd() | HowToAsk():
            return span
        case _:
            assert_never(span)


def _run(span: Span) -> ac.TextRun:
    match span:
        case str():
            return ac.TextRun(text=literal(span))
        case Bold():
            return ac.TextRun(text=literal(span.text), weight="Bolder")
        case Link():
            return ac.TextRun(text=literal(span.text), underline=True, select_action=ac.OpenUrlAction(url=span.url))
        case Mention():
            return ac.TextRun(text=one_line(span.name, 100), weight="Bolder")
        case When():
            return ac.TextRun(text=_instant(span))
        case Cmd() | HowToAsk():
            return ac.TextRun(text=literal(span.plain()))
        case _:
            assert_never(span)


def _marked(span: Span, page: Page) -> str:
    """A span as the markdown of a text block or fact."""
    match span:
        case str():
            return escaped(span)
        case Bold():
            words = escaped(" ".join(span.text.split()))
            return f"**{words}**" if words else ""
        case Link():
            address = span.url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
            return f"[{escaped(' '.join(span.text.split()))}]({address})"
        case Mention():
            return _mention(span, page)
        case When():
            return _instant(span)
        case Cmd() | HowToAsk():
            return escaped(span.plain())
        case _:
            assert_never(span)


def _mention(span: Mention, page: Page) -> str:
    account = page.shown.mentions.get(span.person)
    if account is None:
        return escaped(one_line(span.name, 100))
    # The name inside the mark must equal the entity's; characters that could end the mark go.
    name = one_line(span.name, 60).translate(str.maketrans("", "", "<>\\*_`[]&~|"))
    marked = f"<at>{name}</at>"
    person = ac.MentionedEntity(id=account, name=name)
    page.mentions.setdefault(marked, ac.Mention(text=marked, mentioned=person))
    return marked


def _instant(when: When) -> str:
    """Filled in by the reader's own client, in the reader's zone."""
    at = when.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    day, clock = "{{DATE(" + at + ",SHORT)}}", "{{TIME(" + at + ")}}"
    match when.style:
        case "date":
            return day
        case "time":
            return clock
        case "datetime":
            return f"{day}, {clock}"
        case _:
            assert_never(when.style)


# Lists, tables, charts -------------------------------------------------------------------------


def _facts(block: Facts, page: Page) -> ac.CardElement:
    limits = page.limits
    facts = [
        ac.Fact(
            title=escaped(one_line(label, limits.label)),
            value="".join(_marked(span, page) for span in _within(value, limits.text)),
        )
        for label, value in block.rows[: limits.parts]
    ]
    return ac.FactSet(facts=facts)


def _table(block: Table, page: Page) -> Iterator[ac.CardElement]:
    limits = page.limits
    if block.caption:
        yield text((Bold(one_line(block.caption, limits.label)),), page)
    if not _fits_a_phone(block):
        for row in block.rows[: limits.parts]:
            yield text(_row_words(block, row, limits), page)
        yield from _left_out(block.rows, limits)
        return
    header = [_cell(Bold(column), page) for column in block.columns]
    rows = [[_cell(cell, page) for cell in row] for row in block.rows[: limits.parts]]
    yield ac.Table(
        columns=[ac.ColumnDefinition(width=1) for _ in block.columns],
        first_row_as_headers=True,
        show_grid_lines=True,
        rows=[ac.TableRow(cells=cells) for cells in [header, *rows]],
    )
    yield from _left_out(block.rows, limits)


def _fits_a_phone(block: Table) -> bool:
    words = (word for row in (block.columns, *block.rows) for cell in row for word in cell.split())
    return len(block.columns) <= TABLE_COLUMNS and all(len(word) <= TABLE_WORD for word in words)


def _row_words(block: Table, row: tuple[str, ...], limits: Limits) -> Text:
    """A row as two lines: its first cell, then the others behind their columns' names."""
    cells = [one_line(cell, limits.label) for cell in row]
    rest = [f"{column}: {cell}" if column else cell for column, cell in zip(block.columns[1:], cells[1:], strict=True)]
    return (Bold(cells[0]), "\n" + " · ".join(rest)) if rest else (Bold(cells[0]),)


def _cell(content: str | Bold, page: Page) -> ac.TableCell:
    words = content.text if isinstance(content, Bold) else content
    short = one_line(words, page.limits.label)
    return ac.TableCell(items=[text((Bold(short) if isinstance(content, Bold) else short,), page)])


def _chart(block: Chart, page: Page) -> ac.CardElement:
    limits = page.limits
    title = one_line(block.title, limits.label)
    # Labels are what a chart tells its points by, so shortening must not make two of them one.
    labels = _distinct([one_line(label, min(limits.label, 60)) for label in block.labels[: limits.parts]])
    series = [(one_line(line.name, min(limits.label, 60)), line.values) for line in block.series[:MOST_SERIES]]
    fallback = text((_numbers(block, labels, series),), page)
    match block.kind:
        case "pie":
            values = series[0][1] if series else ()
            return ac.PieChart(
                title=title,
                show_title=True,
                data=[
                    ac.DonutChartData(legend=label, value=value) for label, value in zip(labels, values, strict=False)
                ],
                fallback=fallback,
            )
        case "line":
            return ac.LineChart(
                title=title,
                show_title=True,
                data=[
                    ac.LineChartData(
                        legend=name,
                        values=[ac.LineChartValue(x=x, y=y) for x, y in zip(labels, values, strict=False)],
                    )
                    for name, values in series
                ],
                fallback=fallback,
            )
        case "bar":
            return ac.GroupedVerticalBarChart(
                title=title,
                show_title=True,
                data=[
                    ac.GroupedVerticalBarChartData(
                        legend=name,
                        values=[ac.BarChartDataValue(x=x, y=y) for x, y in zip(labels, values, strict=False)],
                    )
                    for name, values in series
                ],
                fallback=fallback,
            )
        case _:
            assert_never(block.kind)


def _not_drawn(block: Chart, page: Page) -> Iterator[ac.CardElement]:
    """Sentences on what the chart leaves out. A pie draws one series."""
    parts, drawn = page.limits.parts, 1 if block.kind == "pie" else MOST_SERIES
    cut = (first_of(parts, len(block.labels), "labels"), first_of(drawn, len(block.series), "series"))
    if any(cut):
        yield text((" ".join(sentence for sentence in cut if sentence),), page, small=True)


def _distinct(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return result


def _numbers(block: Chart, labels: list[str], series: list[tuple[str, tuple[float, ...]]]) -> str:
    """The chart in words, for a client that draws none."""
    lines = [block.title]
    for name, values in series:
        pairs = ", ".join(f"{label} {value:g}" for label, value in zip(labels, values, strict=False))
        lines.append(f"{name}: {pairs}")
    if len(block.labels) > len(labels):
        lines.append(f"and {len(block.labels) - len(labels)} more")
    return "\n".join(lines)


def _progress(block: Progress, page: Page) -> ac.CardElement:
    full = max(0, min(BAR, round(BAR * block.have / max(block.need, 1))))
    label = one_line(block.label, page.limits.label)
    bar = "▰" * full + "▱" * (BAR - full)
    return text((Bold(label), f": {block.have} of {block.need}\n{bar}"), page)


# Buttons ---------------------------------------------------------------------------------------


def _buttons(items: Sequence[Button | LinkButton], page: Page) -> Iterator[ac.CardElement]:
    kept = items[: page.limits.buttons]
    for row in _rows(kept):
        yield ac.ActionSet(actions=[_button(button, page) for button in row])
    if len(items) > len(kept):
        yield _more(len(items) - len(kept))


def _rows(items: Sequence[Button | LinkButton]) -> list[list[Button | LinkButton]]:
    """The buttons in rows that a phone shows without cutting a label."""
    rows: list[list[Button | LinkButton]] = []
    room = 0
    for button in items:
        needed = LETTER_PX * len(button.label) + BUTTON_PX
        if not rows or needed > room or len(rows[-1]) == ROW_OF_BUTTONS:
            rows.append([])
            room = ROW_PX
        rows[-1].append(button)
        room -= needed
    return rows


def _button(button: Button | LinkButton, page: Page) -> ac.Action:
    title = one_line(button.label, min(page.limits.label, 80))
    if isinstance(button, LinkButton):
        return ac.OpenUrlAction(title=title, url=button.url)
    if button.confirm is not None and not button.opens_form:
        return _asked_first(button, title, page)
    return press(title, button.action, page, style=_style(button), opens_form=button.opens_form)


def _asked_first(button: Button, title: str, page: Page) -> ac.Action:
    """The question unfolds with the button that counts; Adaptive Cards have no confirmation of their own."""
    question = text((button.confirm or "",), page)
    yes = press(one_line(f"Yes: {button.label}", 80), button.action, page, style=_style(button))
    body = ac.AdaptiveCard(body=[question], actions=[yes])
    return ac.ShowCardAction(title=title, style=_style(button), card=body)


def _style(button: Button) -> Literal["positive", "destructive"] | None:
    match button.style:
        case "primary":
            return "positive"
        case "danger":
            return "destructive"
        case "default":
            return None
        case _:
            assert_never(button.style)


def carried(action: Action, page: Page) -> dict[str, Any]:
    """What a button carries."""
    data: dict[str, Any] = {"act": action.encode()}
    if page.form:
        data["form"] = True
    if page.origin:
        data["card"] = page.origin
    return data


def press(
    title: str,
    action: Action,
    page: Page,
    *,
    style: Literal["positive", "destructive"] | None = None,
    opens_form: bool = False,
) -> ac.Action:
    """A press: in a message answered in place, in a dialog by the dialog's next page."""
    data = {"plc": carried(action, page)}
    if page.surface == "dialog":
        return ac.SubmitAction(title=title, style=style, data=data, associated_inputs="none")
    if opens_form and page.dialogs:
        return ac.SubmitAction(
            title=title,
            style=style,
            data={"msteams": {"type": "task/fetch"}, **data},
            associated_inputs="none",
        )
    plain_press = ac.SubmitAction(title=title, style=style, data=data, associated_inputs="none")
    return ac.ExecuteAction(
        title=title,
        style=style,
        verb=action.name,
        data=data,
        associated_inputs="none",
        fallback=plain_press,
    )
