"""The example of a feature in docs/architecture.md does what the page says, as it stands there."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from handlers.core.router import router
from tests.world import Person, World, said

PAGE = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE.partition("## Add a command with a form and a reminder")[2], re.DOTALL)[
    0
]
REGISTERED = ("commands", "presses", "submits", "moments", "builders")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's code, registered for one test."""
    for name in REGISTERED:
        monkeypatch.setattr(router, name, dict(getattr(router, name)))
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    exec(compile(CODE, "docs/architecture.md", "exec", dont_inherit=True), vars(module))


def test_the_example_is_at_most_forty_lines_of_code() -> None:
    assert 20 < len([line for line in CODE.splitlines() if line.strip()]) <= 40


@pytest.mark.usefixtures("example")
async def test_a_mentee_chooses_a_day_and_is_reminded(world: World, dana: Person) -> None:
    form = (await dana.sends("look again")).form
    assert form is not None
    assert (await dana.fills(form)).errors == {"day": "Choose a day."}
    assert (await dana.fills(form, day="2026-09-07")).errors == {"day": "Choose a day from tomorrow on."}
    assert said(await dana.fills(form, day="2026-09-10")) == "I'll remind you on Thu Sep 10, 2026."

    await world.go_to(datetime(2026, 9, 10, 4, 59, tzinfo=UTC))
    assert not [message for message in world.to(dana) if "Time to look" in message.text]
    await world.go_to(datetime(2026, 9, 10, 5, 1, tzinfo=UTC))
    assert [message.text for message in world.to(dana)][-1] == "Time to look at your progress\nChoices: My progress"


@pytest.mark.usefixtures("example")
async def test_the_example_is_for_mentees_alone(ruth: Person) -> None:
    assert "is only for mentees" in said(await ruth.sends("look again"))
