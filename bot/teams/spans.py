"""Headings and text, which is a tuple of spans, as Adaptive Card elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Literal, assert_never

from microsoft_teams import cards as ac

from bot.teams.page import CardLimits, Page
from bot.teams.words import escaped, literal, one_line
from handlers.core.cards import Bold, Cmd, HowToAsk, Link, Mention, Span, Text, When
from handlers.core.plain_cards import plain_text
from program.core.words import shortened


def heading(words: str, page: Page, size: Literal["Medium", "Large"] = "Medium") -> ac.CardElement:
    """Return a text block that screen readers announce as a heading."""
    return ac.TextBlock(
        text=escaped(one_line(words, page.limits.label)),
        style="heading",
        size=size,
        weight="Bolder",
        wrap=True,
    )


def text(spans: Text, page: Page, *, small: bool = False, warning: bool = False) -> ac.CardElement:
    """Return a paragraph.

    It is made of text runs, which show typed text literally. A paragraph that mentions an account is a text block,
    since Teams shows mentions only there.
    """
    spans = within(spans, page.limits.text)
    size: Literal["Small"] | None = "Small" if small else None
    color: Literal["Attention"] | None = "Attention" if warning else None
    if any(isinstance(span, Mention) and span.person in page.shown.mentions for span in spans):
        words = "".join(markdown(span, page) for span in spans)
        return ac.TextBlock(text=words, wrap=True, size=size, is_subtle=small or None, color=color)
    runs: list[ac.CardElement] = []
    for span in spans:
        run = _run(span)
        run.size, run.is_subtle, run.color = size, small or None, color
        runs.append(run)
    if not runs:
        runs.append(ac.TextRun(text=" "))
    return ac.RichTextBlock(inlines=runs)


def within(spans: Text, limit: int) -> Text:
    """Return the spans up to ``limit`` characters in all; the last one ends in an ellipsis where it is cut."""
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


def markdown(span: Span, page: Page) -> str:
    """Return the span as markdown for a text block or a fact, with typed text escaped.

    A mention of a known account adds its entity to ``page.mentions``.
    """
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
    """The marks that the reader's client replaces by the date and time in the reader's zone."""
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


def more(count: int) -> ac.CardElement:
    """Return the line "and N more"."""
    return ac.TextBlock(text=f"and {count} more", is_subtle=True, wrap=True)


def left_out(items: Sequence[object], limits: CardLimits) -> Iterator[ac.CardElement]:
    """Yield the line "and N more" if the list has more items than the limits allow."""
    if len(items) > limits.parts:
        yield more(len(items) - limits.parts)
