"""Forms, free of any platform: their fields, and what each holds before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from handlers.core.cards import Action, Block, Code


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


def options_of(labels: Mapping[Code, str]) -> tuple[Option, ...]:
    """An option for each code, in their order."""
    return tuple(Option(code, label) for code, label in labels.items())


@dataclass(frozen=True, slots=True)
class TextField:
    id: str
    label: str
    value: str = ""
    multiline: bool = False
    optional: bool = False
    max_length: int = 3000
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceField:
    id: str
    label: str
    options: tuple[Option, ...]
    value: str = ""
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ManyField:
    id: str
    label: str
    options: tuple[Option, ...]
    values: tuple[str, ...] = ()
    optional: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DateField:
    id: str
    label: str
    value: date | None = None
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TimeField:
    id: str
    label: str
    value: time | None = None
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class NumberField:
    id: str
    label: str
    value: int | None = None
    minimum: int = 0
    maximum: int = 100_000
    optional: bool = False
    hint: str = ""


Field = TextField | ChoiceField | ManyField | DateField | TimeField | NumberField


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
