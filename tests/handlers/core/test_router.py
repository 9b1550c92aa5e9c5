"""What is registered, is registered once and completely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.core.actions import Action
from handlers.core.command_actions import RunCommand
from handlers.core.router import Router
from handlers.features import router
from storage.outbox import kinds, moments


def test_every_kind_of_message_and_moment_has_its_function() -> None:
    router.check()


@pytest.mark.parametrize(("table", "name"), [("builders", "leave.decide"), ("moments", "meeting.reminder")])
def test_a_kind_without_its_function_is_named_at_start(monkeypatch: pytest.MonkeyPatch, table: str, name: str) -> None:
    monkeypatch.setattr(router, table, {each: kept for each, kept in getattr(router, table).items() if each != name})
    with pytest.raises(LookupError, match=f"Nothing is registered for {name}."):
        router.check()


REGISTRATIONS: dict[str, Callable[[Router], Any]] = {
    "command": lambda router: router.command("x", "Do x"),
    "press": lambda router: router.press(RunCommand),
    "submit": lambda router: router.submit(RunCommand),
    "delivery": lambda router: router.delivery(kinds.HELLO),
    "moment": lambda router: router.moment(moments.TIDYING, "", late=""),
}


@pytest.mark.parametrize("what", REGISTRATIONS)
def test_nothing_is_registered_twice(what: str) -> None:
    router = Router()
    REGISTRATIONS[what](router)(print)
    with pytest.raises(ValueError, match="registered twice"):
        REGISTRATIONS[what](router)(print)


def test_every_declared_action_is_handled() -> None:
    ours = [cls for cls in Action.__subclasses__() if cls.__module__.startswith("handlers.")]
    declared = {cls.name for cls in ours if isinstance(getattr(cls, "name", None), str)}
    assert declared == set(router.presses) | set(router.submits)
