"""What administrators are told of keys, deleting and sharing is what the terminal and the chat can do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from handlers.features import router
from manifest.about import LONG

FOR_IT = (Path(__file__).parents[2] / "docs" / "for-it.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["keys rotate", "keys check", "person forget"])
def test_the_commands_that_administrators_are_told_of_exist(command: str) -> None:
    assert f"`plc-bot {command}`" in FOR_IT
    assert CliRunner().invoke(cli, [*command.split(), "--help"]).exit_code == 0


def test_deleting_and_sharing_are_told_where_they_exist() -> None:
    assert {"privacy", "reflections"} <= set(router.commands)
    assert "With `privacy` a" in FOR_IT
    assert "reflections.shared" in router.submits
    assert "to a mentor they share one with" in LONG
