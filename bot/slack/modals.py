"""Forms and cards as modals, and a sent form shown again with its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    ContextBlock,
    DatePickerElement,
    InputBlock,
    NumberInputElement,
    Option,
    OptionGroup,
    PlainTextInputElement,
    SectionBlock,
    StaticMultiSelectElement,
    StaticSelectElement,
    TimePickerElement,
)
from slack_sdk.models.blocks.block_elements import InputInteractiveElement
from slack_sdk.models.views import View

from bot.slack import limits
from bot.slack.models import as_dict
from bot.slack.sent_forms import Origin, inputs, state_of
from bot.slack.slack_render import plain, view_blocks
from handlers.core import forms
from handlers.core.cards import Card
from handlers.core.forms import Field, Form
from program.core.words import shortened

DEEPEST = 3  # views that Slack stacks on each other
PROBLEM = "problem"  # the block at the top that says why nothing was saved


def form_view(form: Form, origin: Origin, version: str) -> dict[str, Any]:
    """The form as a modal. ``version`` makes its block ids new, so that Slack shows the form's own values."""
    # Room for every field first, for the words after: a field that is missing cannot be answered.
    fields = form.fields[: limits.VIEW_BLOCKS - 3]
    words = view_blocks("", form.blocks, version, limits.VIEW_BLOCKS - 1 - len(fields)) if form.blocks else []
    inputs = [as_dict(_field(field, version)) for field in fields]
    left_out = len(form.fields) - len(fields)
    blocks = [*words, *inputs]
    if left_out:
        blocks.append(as_dict(ContextBlock(elements=[plain(_left_out(left_out))])))
    # Slack wants a send button under every field, even where a form offers none.
    submit = form.submit or ("Done" if inputs else None)
    return _modal(form.title, blocks, replace(origin, action=form.action.encode()), submit)


def _left_out(count: int) -> str:
    fit = "field doesn't" if count == 1 else "fields don't"
    return (
        f"{count} more {fit} fit here. Save these first, then open the form again. "
        "If you still can't see the rest, tell your coordinator."
    )


def card_view(card: Card, origin: Origin, version: str) -> dict[str, Any]:
    """A card shown inside a modal, only to read."""
    blocks = view_blocks("", card.blocks, version, limits.VIEW_BLOCKS - 1) if card.blocks else []
    if len(card.title) > limits.VIEW_TITLE or not blocks:
        blocks = [as_dict(SectionBlock(text=plain(shortened(card.title, limits.TEXT)))), *blocks]
    title = shortened(card.title, limits.VIEW_TITLE) or "PLC Cohort Bot"
    return _modal(title, blocks, replace(origin, action=""), None)


def waiting_view(origin: Origin) -> dict[str, Any]:
    """Shown at once where the answer takes longer than Slack lets an app wait."""
    blocks = [as_dict(SectionBlock(text=plain("This takes a little longer than usual.")))]
    return _modal("One moment…", blocks, origin, None)


def _modal(title: str, blocks: list[dict[str, Any]], origin: Origin, submit: str | None) -> dict[str, Any]:
    view = View(
        type="modal",
        callback_id="form",
        title=plain(title),
        submit=plain(submit) if submit else None,
        close=plain("Close"),
        blocks=blocks or [as_dict(SectionBlock(text=plain("–")))],
        private_metadata=origin.dump(),
    )
    return as_dict(view)


# Fields ----------------------------------------------------------------------------------------


def _field(field: Field, version: str) -> Block:
    element, hint = _element(field)
    if element is None:
        return ContextBlock(elements=[plain(f"{shortened(field.label, limits.LABEL)}: nothing to choose from.")])
    return InputBlock(
        block_id=f"{field.id}@{version}",
        label=plain(shortened(field.label, limits.INPUT_LABEL)),
        hint=plain(shortened(hint, limits.INPUT_LABEL)) if hint else None,
        element=element,
        optional=field.optional,
    )


def _element(field: Field) -> tuple[InputInteractiveElement | None, str]:
    match field:
        case forms.TextField():
            return _text_input(field)
        case forms.ChoiceField():
            return _choice(field), field.hint
        case forms.ManyField():
            return _many(field), field.hint
        case forms.DateField():
            day = field.value.isoformat() if field.value else None
            return DatePickerElement(action_id=field.id, initial_date=day), field.hint
        case forms.TimeField():
            clock = f"{field.value:%H:%M}" if field.value else None
            return TimePickerElement(action_id=field.id, initial_time=clock), field.hint
        case forms.NumberField():
            number = NumberInputElement(
                action_id=field.id,
                is_decimal_allowed=False,
                initial_value=field.value,
                min_value=field.minimum,
                max_value=field.maximum,
            )
            return number, field.hint
        case _:
            assert_never(field)


def _text_input(field: forms.TextField) -> tuple[InputInteractiveElement, str]:
    longest = max(1, min(field.max_length, limits.INPUT_TEXT))
    hint = field.hint
    if len(field.value) > longest:
        note = f"Shortened from {len(field.value)} characters, more than Slack takes."
        hint = f"{hint} {note}".strip()
    element = PlainTextInputElement(
        action_id=field.id,
        initial_value=shortened(field.value, longest) or None,
        multiline=field.multiline,
        max_length=longest,
    )
    return element, hint


def _choice(field: forms.ChoiceField) -> InputInteractiveElement | None:
    if not field.options:
        return None
    options = [_option(option) for option in field.options]
    chosen = next((option for option in options if option.value == field.value), None)
    return StaticSelectElement(action_id=field.id, initial_option=chosen, **_paged(options))


def _many(field: forms.ManyField) -> InputInteractiveElement | None:
    if not field.options:
        return None
    options = [_option(option) for option in field.options]
    chosen = [option for option in options if option.value in field.values] or None
    if len(options) <= limits.CHECKBOXES:
        return CheckboxesElement(action_id=field.id, options=options, initial_options=chosen)
    return StaticMultiSelectElement(action_id=field.id, initial_options=chosen, **_paged(options))


def _option(option: forms.Option) -> Option:
    return Option(value=option.value, text=plain(shortened(option.label, limits.OPTION_TEXT)))


def _paged(options: list[Option]) -> dict[str, Any]:
    """A select holds 100 options, or as many groups of them."""
    if len(options) <= limits.OPTIONS:
        return {"options": options}
    pages = range(0, len(options), limits.OPTIONS)
    return {
        "option_groups": [
            OptionGroup(
                label=plain(f"{start + 1}–{min(start + limits.OPTIONS, len(options))}"),
                options=options[start : start + limits.OPTIONS],
            )
            for start in pages
        ]
    }


def field_errors(view: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, str] | None:
    """The errors by block id, or None when one of them belongs to no field that Slack could mark."""
    blocks = {element["action_id"]: block_id for block_id, element in inputs(view)}
    if any(field not in blocks for field in errors):
        return None
    return {blocks[field]: visible_error(text) for field, text in errors.items()}


def visible_error(text: str) -> str:
    """Return an error's text at the length that Slack shows, and never an empty one."""
    return shortened(text, limits.LABEL * 2) or "Please check this."


def with_problems(view: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, Any]:
    """The same modal with what was typed still in it, and the errors in a section at its top."""
    labels = {
        block["element"]["action_id"]: block["label"]["text"]
        for block in view["blocks"]
        if block.get("type") == "input"
    }
    sentences = [
        f"{shortened(labels[field], limits.LABEL)}: {text}" if field in labels else text
        for field, text in errors.items()
    ]
    words = shortened("\n".join(sentences), limits.TEXT)
    problem = as_dict(SectionBlock(block_id=PROBLEM, text=plain(words)))
    rest = [_typed_again(block, view) for block in view["blocks"] if block.get("block_id") != PROBLEM]
    kept = {name: view[name] for name in _SENT_BACK if view.get(name)}
    return {**kept, "blocks": [problem, *rest][: limits.VIEW_BLOCKS]}


_SENT_BACK = ("type", "callback_id", "title", "submit", "close", "private_metadata")

_INITIAL = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
}


def _typed_again(block: dict[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """An input whose first value is what the person had put in."""
    if block.get("type") != "input":
        return block
    state = state_of(view, block["block_id"])
    element = {name: value for name, value in block["element"].items() if name not in _INITIAL.values()}
    typed = {_INITIAL[name]: value for name, value in state.items() if name in _INITIAL and value}
    return {**block, "element": {**element, **typed}}


def same_form(view: Mapping[str, Any], form: Form) -> bool:
    """Whether the form is the shown one again, and not a step after it."""
    action = Origin.load(view.get("private_metadata") or "").action
    return action.partition("|")[0] == form.action.name
