"""A form's fields are shown and read by one declaration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from uuid import UUID

import pytest

from handlers.core.actions import SentAction
from handlers.core.forms import (
    BadField,
    ChoiceField,
    DateField,
    Fields,
    Form,
    FormErrors,
    ManyField,
    NumberField,
    Option,
    TextField,
    TimeField,
    read_field,
)
from tests.world import field_texts

PERSON = "5f0c3f3e-0000-4000-8000-000000000001"
OPTIONS = (Option("a", "A"), Option("b", "B"))


@dataclass(frozen=True, slots=True)
class Answers:
    text: str
    person: UUID | None
    many: tuple[str, ...]
    day: date | None
    at: time
    minutes: int | None


FIELDS = Fields(
    Answers,
    TextField("text", "Text", max_length=5, needed="Write something."),
    ChoiceField("person", "Who", (Option(PERSON, "Dana"), Option("all", "All")), optional=True),
    ManyField("many", "Which", OPTIONS),
    DateField("day", "Day", optional=True),
    TimeField("at", "At", needed="Choose when."),
    NumberField("minutes", "Minutes", minimum=1, maximum=60, optional=True),
)


def sent(**values: str | tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: (value,) if isinstance(value, str) else value for name, value in values.items()}


def as_sent(answers: Answers) -> dict[str, tuple[str, ...]]:
    """What is sent of a form that was filled with these answers and not changed."""
    fields = FIELDS.filled(answers)
    return field_texts(Form("Form", SentAction("x"), SentAction("x"), fields=fields), {})


def test_a_valid_sending_becomes_the_dataclass() -> None:
    values = sent(text=" abc ", person=PERSON, many=("a", "b"), day="2026-09-01", at="15:30", minutes="60")
    assert FIELDS.read(values) == Answers("abc", UUID(PERSON), ("a", "b"), date(2026, 9, 1), time(15, 30), 60)


def test_optional_fields_may_be_left_out() -> None:
    assert FIELDS.read(sent(text="abc", at="15:30")) == Answers("abc", None, (), None, time(15, 30), None)


def test_every_field_that_cannot_be_used_is_named() -> None:
    with pytest.raises(FormErrors) as raised:
        FIELDS.read(sent(text="abcdef", person="x", many=("a", "c"), day="1900-01-01", at="", minutes="0"))
    assert raised.value.errors == {
        "text": "That is 6 characters. Use 5 or fewer.",
        "person": "Choose one of the options.",
        "many": "Choose one of the options.",
        "day": "Enter the date like 2026-08-15.",
        "at": "Choose when.",
        "minutes": "Enter a whole number from 1 to 60.",
    }


@pytest.mark.parametrize("number", ["²", "1e1", "-1", "+1", "1.0", "0x1", "1 0", "9" * 5000, "0" * 5000 + "1"])
def test_a_number_that_is_none_is_named(number: str) -> None:
    with pytest.raises(FormErrors) as raised:
        FIELDS.read(sent(text="abc", at="15:30", minutes=number))
    assert raised.value.errors == {"minutes": "Enter a whole number from 1 to 60."}


def test_digits_of_other_scripts_are_a_number() -> None:
    assert FIELDS.read(sent(text="abc", at="15:30", minutes="１２")).minutes == 12


def test_a_time_has_no_seconds() -> None:
    assert FIELDS.read(sent(text="abc", at="15:30:30.5")).at == time(15, 30)


@pytest.mark.parametrize("at", ["25:00", "15:30+01:00", "noon"])
def test_a_time_that_is_none_is_named(at: str) -> None:
    with pytest.raises(FormErrors) as raised:
        FIELDS.read(sent(text="abc", at=at))
    assert raised.value.errors == {"at": "Enter the time like 15:30."}


def test_an_option_that_is_no_id_is_refused_where_an_id_is_read() -> None:
    with pytest.raises(FormErrors):
        FIELDS.read(sent(text="abc", at="15:30", person="all"))


def test_a_filled_form_comes_back_as_it_was_filled() -> None:
    answers = Answers("abc", UUID(PERSON), ("a", "b"), date(2026, 9, 1), time(15, 30), None)
    assert FIELDS.read(as_sent(answers)) == answers
    nobody = replace(answers, person=None, many=(), day=None)
    assert FIELDS.read(as_sent(nobody)) == nobody


def test_a_choice_that_is_not_checked_is_read_though_it_is_no_option_anymore() -> None:
    field = ChoiceField("person", "Who", (), checked=False)
    assert read_field(field, sent(person=PERSON)) == PERSON
    with pytest.raises(BadField, match="Choose one"):
        read_field(field, sent())


def test_fields_other_than_the_dataclass_has_are_refused_at_once() -> None:
    with pytest.raises(TypeError, match="not those of Answers"):
        Fields(Answers, TextField("text", "Text"))
