"""Actions encode and read themselves, and refuse what is none of theirs."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import pytest

from handlers.core.actions import Action, BadAction, SentAction, action
from handlers.core.requests import Reply
from handlers.core.router import Router

LEAVE = UUID("5f0c3f3e-0000-4000-8000-000000000001")
OTHER = UUID("5f0c3f3e-0000-4000-8000-000000000002")


@action("test.decide")
class Decide(Action):
    leave_id: UUID
    approve: bool
    answer: Literal["yes", "maybe"] = "yes"
    day: date | None = None


@action("test.several")
class Several(Action):
    number: int
    ids: tuple[UUID, ...] = ()


@pytest.mark.parametrize(
    ("typed", "encoded"),
    [
        (Decide(LEAVE, approve=True), f"test.decide|{LEAVE}|yes|yes"),
        (
            Decide(LEAVE, approve=False, answer="maybe", day=date(2026, 9, 1)),
            f"test.decide|{LEAVE}|no|maybe|2026-09-01",
        ),
        (Several(3), "test.several|3"),
        (Several(3, (LEAVE, OTHER)), f"test.several|3|{LEAVE}|{OTHER}"),
    ],
)
def test_an_action_comes_back_as_it_was(typed: Action, encoded: str) -> None:
    assert typed.encode() == encoded
    sent = SentAction.decode(encoded)
    assert sent == typed
    assert hash(sent) == hash(typed)
    assert repr(type(typed).read(sent.args)) == repr(typed)


@pytest.mark.parametrize(
    "args",
    [
        (),
        (str(LEAVE),),
        ("no id", "yes"),
        (str(LEAVE), "perhaps"),
        (str(LEAVE), "yes", "never"),
        (str(LEAVE), "yes", "yes", "2026-02-30"),
        (str(LEAVE), "yes", "yes", "2026-02-03", "too much"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(BadAction):
        Decide.read(args)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(BadAction):
        Several.read(("three",))


def test_what_is_too_long_or_holds_the_separator_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="separator"):
        SentAction.of("x", "a|b").encode()
    with pytest.raises(ValueError, match="over 200"):
        SentAction.of("x", "a" * 200).encode()
    for text in ("", "|x", "x" * 201):
        with pytest.raises(BadAction):
            SentAction.decode(text)


def test_an_action_is_registered_once() -> None:
    router = Router()
    router.press(Decide)(lambda _call, _pressed: Reply())
    with pytest.raises(ValueError, match="registered twice"):
        router.press(Decide)(lambda _call, _pressed: Reply())
