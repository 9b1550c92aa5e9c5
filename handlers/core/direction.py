"""Names and other typed text in right-to-left scripts, isolated where they stand in a sentence or beside a number.

Without that "(3)" after an Arabic name is shown before it. Replies and delivered cards pass here once, on their way
to any platform; what is stored or exported does not. Texts in left-to-right scripts stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from handlers.core.cards import (
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
    Span,
    Table,
    Text,
    When,
)
from handlers.core.forms import ChoiceField, Field, Form, ManyField, Option
from handlers.core.plain_cards import plain_text
from handlers.core.requests import Reply
from program.core.words import has_left_to_right, isolated, isolated_names, isolated_parts


def isolate_reply(reply: Reply) -> Reply:
    """The reply with isolating marks around each right-to-left name in its cards, form and errors."""
    return replace(
        reply,
        card=isolate_card(reply.card) if reply.card else None,
        replace=isolate_card(reply.replace) if reply.replace else None,
        form=_form(reply.form) if reply.form else None,
        errors={name: isolated_parts(text) for name, text in reply.errors.items()},
    )


def isolate_card(card: Card) -> Card:
    """The card with isolating marks around each right-to-left name."""
    return Card(isolated_parts(card.title), tuple(_block(block) for block in card.blocks))


def _form(form: Form) -> Form:
    """The form; what its fields are filled with is data and stays."""
    return replace(
        form, blocks=tuple(_block(block) for block in form.blocks), fields=tuple(_field(field) for field in form.fields)
    )


def _block(block: Block) -> Block:
    match block:
        case Heading():
            return Heading(isolated_parts(block.text))
        case Paragraph():
            return Paragraph(_text(block.text))
        case Note():
            return Note(_text(block.text))
        case Bullets():
            return Bullets(tuple(_text(item) for item in block.items))
        case Facts():
            return Facts(tuple((isolated(label), _value(text)) for label, text in block.rows))
        case Table():
            rows = tuple(tuple(isolated(cell) for cell in row) for row in block.rows)
            return Table(block.columns, rows, isolated_parts(block.caption))
        case Chart():
            labels = tuple(isolated(label) for label in block.labels)
            series = tuple(replace(line, name=isolated(line.name)) for line in block.series)
            return Chart(block.kind, isolated_parts(block.title), labels, series)
        case Progress():
            return replace(block, label=isolated(block.label))
        case Buttons():
            return Buttons(tuple(_button(button) for button in block.buttons))
        case Divider():
            return block
        case _:
            assert_never(block)


def _button(button: Button | LinkButton) -> Button | LinkButton:
    label = isolated_parts(button.label)
    if isinstance(button, LinkButton) or button.confirm is None:
        return replace(button, label=label)
    return replace(button, label=label, confirm=isolated_parts(button.confirm))


def _field(field: Field) -> Field:
    named = replace(field, label=isolated_parts(field.label), hint=isolated_parts(field.hint))
    if isinstance(named, ChoiceField | ManyField):
        options = tuple(Option(option.value, isolated_parts(option.label)) for option in named.options)
        return replace(named, options=options)
    return named


def _text(text: Text) -> Text:
    """A text; one that is written in a right-to-left script altogether is no sentence around a name."""
    if not has_left_to_right(plain_text(text)):
        return text
    return tuple(_span(span) for span in text)


def _value(text: Text) -> Text:
    """What stands after a label, which is in a left-to-right script."""
    if has_left_to_right(plain_text(text)):
        return _text(text)
    return tuple(isolated(span) if isinstance(span, str) else _span(span) for span in text)


def _span(span: Span) -> Span:
    match span:
        case str():
            return isolated_names(span)
        case Bold():
            return Bold(isolated(span.text))
        case Link():
            return Link(isolated(span.text), span.url)
        case Mention():
            return Mention(span.person, isolated(span.name))
        case When() | Cmd() | HowToAsk():
            return span
        case _:
            assert_never(span)
