"""Forms, free of any platform: their fields, what each holds before it is sent, and how it is read afterwards.

A form's fields are declared once, with the dataclass that a valid sending becomes::

    @dataclass(frozen=True, slots=True)
    class LeaveDays:
        starts: date
        ends: date | None

    def _fields() -> Fields[LeaveDays]:
        return Fields(
            LeaveDays,
            DateField("starts", "First day", needed="Choose the first day."),
            DateField("ends", "Last day, if you know it", optional=True),
        )

``Form(..., fields=_fields().shown)`` shows them, and ``_fields().read(call.values)`` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, time
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from handlers.core.actions import Action
from handlers.core.cards import Block, Code

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Values = Mapping[str, tuple[str, ...]]  # a form as it was sent: every field's texts
YEARS = range(1950, 2200)  # in which a date that somebody writes may lie
MOST_DIGITS = 12  # of a number, zeros in front of it included; Python reads no number of thousands of digits
MOST_OPTIONS = 100  # what a choice can hold on Slack
NOT_AN_OPTION = "Choose one of the options."


class FormErrors(Exception):
    """The form cannot be saved as it is. One sentence per field; under "" what is wrong with the form as a whole."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(sorted(errors)))
        self.errors = dict(errors)


class BadField(ValueError):
    """What a field holds cannot be used. The text is shown beside the field."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a field: the code that is sent, and what people read."""

    value: str
    label: str


def options_of(labels: Mapping[Code, str]) -> tuple[Option, ...]:
    """An option for each code, in their order."""
    return tuple(Option(code, label) for code, label in labels.items())


@dataclass(frozen=True, slots=True)
class TextField:
    """A text. ``needed``, here and in the other fields: what is said where the field is left empty."""

    id: str
    label: str
    value: str = ""
    multiline: bool = False
    optional: bool = False
    max_length: int = 3000  # characters
    hint: str = ""
    needed: str = "Fill this in."

    def read(self, text: str) -> str:
        """Return the text.

        Raises:
            BadField: it is too long.
        """
        if len(text) > self.max_length:
            raise BadField(f"That is {len(text):,} characters. Use {self.max_length:,} or fewer.")
        return text


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """One of several options.

    ``checked``: what is none of the options is refused. Where they may change before the form is sent, as of people
    who wait for something, the handler says instead what became of the chosen one.
    """

    id: str
    label: str
    options: tuple[Option, ...]
    value: str = ""
    optional: bool = False
    hint: str = ""
    needed: str = NOT_AN_OPTION
    checked: bool = True

    def read(self, text: str) -> str:
        """Return the code of the chosen option.

        Raises:
            BadField: it is none of the options.
        """
        if self.checked and text not in {option.value for option in self.options}:
            raise BadField(NOT_AN_OPTION)
        return text


@dataclass(frozen=True, slots=True)
class ManyField:
    """Any number of several options."""

    id: str
    label: str
    options: tuple[Option, ...]
    values: tuple[str, ...] = ()
    optional: bool = True
    hint: str = ""
    needed: str = NOT_AN_OPTION

    def read_many(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the codes of the chosen options.

        Raises:
            BadField: one of them is none of the options.
        """
        chosen = tuple(texts)
        if not {option.value for option in self.options}.issuperset(chosen):
            raise BadField(NOT_AN_OPTION)
        return chosen


@dataclass(frozen=True, slots=True)
class DateField:
    """A day."""

    id: str
    label: str
    value: date | None = None
    optional: bool = False
    hint: str = ""
    needed: str = "Choose a day."

    def read(self, text: str) -> date:
        """Return the day.

        Raises:
            BadField: it is no ISO date, or far from our time.
        """
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if day.year not in YEARS:
            raise BadField("Enter the date like 2026-08-15.")
        return day


@dataclass(frozen=True, slots=True)
class TimeField:
    """A time of day, local to the person or cohort the form is about."""

    id: str
    label: str
    value: time | None = None
    optional: bool = False
    hint: str = ""
    needed: str = "Choose a time."

    def read(self, text: str) -> time:
        """Return the time, in whole minutes.

        Raises:
            BadField: it is no ISO time, or has a zone.
        """
        try:
            clock = time.fromisoformat(text)
        except ValueError:
            raise BadField("Enter the time like 15:30.") from None
        if clock.tzinfo is not None:
            raise BadField("Enter the time like 15:30.")
        return clock.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class NumberField:
    """A whole number."""

    id: str
    label: str
    value: int | None = None
    minimum: int = 0
    maximum: int = 100_000
    optional: bool = False
    hint: str = ""
    needed: str = "Enter a number."

    def read(self, text: str) -> int:
        """Return the number.

        Raises:
            BadField: it is no whole number from ``minimum`` to ``maximum``.
        """
        fits = text.isdecimal() and len(text) <= MOST_DIGITS and self.minimum <= int(text) <= self.maximum
        if not fits:
            raise BadField(f"Enter a whole number from {self.minimum:,} to {self.maximum:,}.")
        return int(text)


Field = TextField | ChoiceField | ManyField | DateField | TimeField | NumberField


def read_field(field: Field, values: Values) -> object:
    """What was sent in a field, as its type; None (of a text: "") where it may be empty and is.

    Raises:
        BadField: it cannot be used.
    """
    texts = values.get(field.id, ())
    if isinstance(field, ManyField):
        chosen = field.read_many(text for text in texts if text)
        if not chosen and not field.optional:
            raise BadField(field.needed)
        return chosen
    text = "\n".join(texts).strip()
    if not text and not field.optional:
        raise BadField(field.needed)
    if not text:
        return "" if isinstance(field, TextField | ChoiceField) else None
    return field.read(text)


def read_fields(several: Iterable[Field], values: Values) -> dict[str, object]:
    """What was sent in each field, by the field's id.

    Raises:
        FormErrors: a sentence for each field that cannot be used.
    """
    answers: dict[str, object] = {}
    errors: dict[str, str] = {}
    for field in several:
        try:
            answers[field.id] = read_field(field, values)
        except BadField as error:
            errors[field.id] = str(error)
    if errors:
        raise FormErrors(errors)
    return answers


def read_texts(several: Iterable[TextField], values: Values) -> dict[str, str]:
    """:func:`read_fields` for texts alone."""
    return {name: str(text) for name, text in read_fields(several, values).items()}


Sent = TypeVar("Sent", bound="DataclassInstance")


class Fields(Generic[Sent]):
    """The fields of a form, and the dataclass that a valid sending becomes. Its attributes are the fields' ids."""

    def __init__(self, becomes: type[Sent], *shown: Field) -> None:
        declared = tuple(each.name for each in fields(becomes))
        if declared != tuple(field.id for field in shown):
            raise TypeError(f"The fields of the form are not those of {becomes.__name__}: {declared}")
        self.becomes = becomes
        self.shown = shown

    def filled(self, holds: Sent) -> tuple[Field, ...]:
        """The fields, each holding what it would be sent with."""
        return tuple(_filled(field, getattr(holds, field.id)) for field in self.shown)

    def read(self, values: Values) -> Sent:
        """What was sent.

        Raises:
            FormErrors: a sentence for each field that cannot be used.
        """
        answers = read_fields(self.shown, values)
        ids = _ids_of(self.becomes)
        for name in ids:
            answers[name] = _as_id(name, str(answers[name]))
        return self.becomes(**answers)


def _filled(field: Field, value: Any) -> Field:
    match field:
        case ManyField():
            return replace(field, values=tuple(value))
        case ChoiceField():
            return replace(field, value="" if value is None else str(value))
        case _:
            return replace(field, value=value)


@cache
def _ids_of(cls: type[Any]) -> tuple[str, ...]:
    """The attributes of a dataclass that are ids."""
    return tuple(name for name, hint in get_type_hints(cls).items() if _plain(hint) is UUID)


def _plain(hint: Any) -> Any:
    """The type without "or None"."""
    if get_origin(hint) in (Union, UnionType):
        return next(part for part in get_args(hint) if part is not NoneType)
    return hint


def _as_id(name: str, text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise FormErrors({name: NOT_AN_OPTION}) from None


@dataclass(frozen=True, slots=True)
class Form:
    """A modal (Slack) or dialog (Teams, local).

    ``action`` is what sending it means. ``opener`` is the press that shows this same form again: where a
    platform cannot open a form by itself (a typed command on Teams), a button with it is shown instead.
    ``back`` is the press that shows the step before, on platforms without a way back of their own.
    A ``confidential`` form is a dialog everywhere and nothing of it is ever written to a chat.
    """

    title: str  # at most 24 characters, Slack's limit
    action: Action
    opener: Action
    submit: str | None = "Save"  # at most 24 characters; None: nothing to send, only to read
    blocks: tuple[Block, ...] = ()
    fields: tuple[Field, ...] = ()
    back: Action | None = None
    confidential: bool = False

    def __post_init__(self) -> None:
        if len(self.title) > 24 or len(self.submit or "") > 24:
            raise ValueError(f"The form title or submit label of {self.action.name} is over 24 characters.")
