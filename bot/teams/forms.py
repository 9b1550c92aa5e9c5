"""Forms as Adaptive Cards, in a dialog or in a message, and what was sent with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any, assert_never

from microsoft_teams import cards as ac

from bot.teams.card_actions import carried, press
from bot.teams.card_body import blocks
from bot.teams.page import CardLimits, Page, Surface, adaptive, fitted
from bot.teams.spans import heading, text
from bot.teams.words import literal, one_line
from handlers.core.actions import Action
from handlers.core.cards import Shown
from handlers.core.forms import ChoiceField, DateField, Field, Form, ManyField, NumberField, TextField, TimeField
from program.core.words import shortened

INPUT = "f_"  # before a field's id, so that no field can be taken for the card's own data
LONGEST = 3000  # characters of a field of :func:`sent_again`, unless what was sent is longer
CORRECT = "Nothing is saved yet. Please correct the fields marked below."


def render_form(
    form: Form, errors: Mapping[str, str] | None = None, *, surface: Surface = "dialog", origin: str = ""
) -> dict[str, Any]:
    """Return the form as the JSON of an Adaptive Card.

    ``errors``: a sentence for each wrong field, by its id; under "" for the whole form.
    ``origin``: id of the message whose button opened it; empty if unknown.
    """
    return fitted(lambda limits: _form(form, errors or {}, Page(limits, Shown(), surface, form=True, origin=origin)))


def _form(form: Form, errors: Mapping[str, str], page: Page) -> ac.AdaptiveCard:
    body: list[ac.CardElement] = []
    if page.surface == "message":  # a dialog has the title in its frame
        body.append(heading(form.title, page))
    if errors:
        body.append(text((CORRECT,), page, warning=True))
    # Blocks are cut as in a card. Fields are never cut, since what is not shown cannot be sent.
    body += blocks(form.blocks, page)
    for item in form.fields:
        if item.id in errors:
            body.append(text((errors[item.id],), page, warning=True))
        body.append(_input(item, page.limits))
    known = {item.id for item in form.fields}
    body += [text((error,), page, warning=True) for key, error in errors.items() if key not in known]
    if actions := list(_actions(form, page)):
        body.append(ac.ActionSet(actions=actions))
    return adaptive(body, page, literal(form.title))


def _actions(form: Form, page: Page) -> Iterator[ac.Action]:
    if form.submit is not None:
        yield _submit(form, page)
    if form.back is not None:
        yield press("Back", form.back, page)


def _submit(form: Form, page: Page) -> ac.Action:
    ours = {
        **carried(form.action, page),
        "opener": form.opener.encode(),
        "fields": [item.id for item in form.fields],
        "many": [item.id for item in form.fields if isinstance(item, ManyField)],
    }
    title, data = literal(form.submit or ""), {"plc": ours}
    if page.surface == "dialog":
        return ac.SubmitAction(title=title, style="positive", data=data)
    return ac.ExecuteAction(title=title, style="positive", verb=form.action.name, data=data)


def _input(item: Field, limits: CardLimits) -> ac.CardElement:
    filled = isinstance(item, ChoiceField) and bool(item.value)  # a list that shows a choice cannot be emptied
    required = not item.optional and not filled
    common: dict[str, Any] = {
        "id": INPUT + item.id,
        "label": one_line(item.label, limits.label),
        "is_required": required or None,
        "error_message": "Please fill this in." if required else None,
    }
    hint = one_line(item.hint, limits.label) or None
    match item:
        case TextField():
            return ac.TextInput(
                **common,
                placeholder=hint,
                is_multiline=item.multiline or None,
                max_length=item.max_length,
                value=item.value or None,
            )
        case ChoiceField():
            return ac.ChoiceSetInput(
                **common,
                placeholder=hint or (None if filled else "Choose one"),
                style="compact",
                choices=_choices(item, limits),
                value=item.value or None,
            )
        case ManyField():
            return ac.ChoiceSetInput(
                **common,
                is_multi_select=True,
                style="expanded",
                wrap=True,
                choices=_choices(item, limits),
                value=",".join(item.values) or None,
            )
        case DateField():
            value = item.value.isoformat() if item.value else None
            return ac.DateInput(**common, placeholder=hint, value=value)
        case TimeField():
            clock = f"{item.value:%H:%M}" if item.value else None
            return ac.TimeInput(**common, placeholder=hint, value=clock)
        case NumberField():
            error = f"Please enter a whole number from {item.minimum} to {item.maximum}."
            return ac.NumberInput(
                **common | {"error_message": error},
                placeholder=hint,
                min=item.minimum,
                max=item.maximum,
                value=item.value,
            )
        case _:
            assert_never(item)


def _choices(item: ChoiceField | ManyField, limits: CardLimits) -> list[ac.Choice]:
    return [
        ac.Choice(title=one_line(option.label, min(limits.label, 100)), value=option.value) for option in item.options
    ]


def read_values(data: Mapping[str, Any], fields: list[str], many: list[str]) -> dict[str, tuple[str, ...]]:
    """Return what was sent, by field. Every field of the form is a key; an empty one has no values.

    ``many``: the fields with several values.
    """
    values: dict[str, tuple[str, ...]] = {}
    for name in fields:
        sent = data.get(INPUT + name)
        words = "" if sent is None else _words(sent)
        parts = words.split(",") if name in many else [words]
        values[name] = tuple(part for part in parts if part)
    return values


def _words(sent: object) -> str:
    if isinstance(sent, float) and sent.is_integer():  # a number input may answer 60.0
        return str(int(sent))
    return str(sent)


def with_values(form: Form, values: Mapping[str, tuple[str, ...]]) -> Form:
    """Return the form with what was typed in its fields."""
    fields = tuple(_with_value(item, values[item.id]) if item.id in values else item for item in form.fields)
    return replace(form, fields=fields)


def sent_again(action: Action, opener: Action, values: Mapping[str, tuple[str, ...]]) -> Form:
    """Return a form that shows what was sent with a dialog, if the dialog itself cannot be shown again.

    People can copy it, and send it again unless a field has several values.
    """
    sent = {name: ", ".join(texts) for name, texts in values.items()}
    fields = tuple(
        TextField(name, "What you sent", text, multiline=True, optional=True, max_length=max(len(text), LONGEST))
        for name, text in sent.items()
    )
    single = all(len(texts) < 2 for texts in values.values())  # several choices do not fit into a text field
    return Form("Not saved", action, opener, submit="Try again" if single else None, fields=fields, confidential=True)


def _with_value(item: Field, sent: tuple[str, ...]) -> Field:
    first = sent[0] if sent else ""
    match item:
        case TextField() | ChoiceField():
            return replace(item, value=first)
        case ManyField():
            return replace(item, values=sent)
        case DateField():
            return replace(item, value=_read(date.fromisoformat, first))
        case TimeField():
            return replace(item, value=_read(time.fromisoformat, first))
        case NumberField():
            return replace(item, value=_read(int, first))
        case _:
            assert_never(item)


def _read(parse: Any, sent: str) -> Any:
    """The value, or None if it is unreadable: then the field is shown empty, with its error."""
    try:
        return parse(sent) if sent else None
    except ValueError:
        return None


def dialog_title(form: Form) -> str:
    """Return the form's title for the dialog's frame, at most 64 characters."""
    return shortened(literal(form.title), 64)
