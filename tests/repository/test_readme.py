"""What README tells of commands and settings is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import Settings, load
from handlers.core.calls import COORDINATORS, EVERYONE, LEADS
from handlers.features import router
from tests.manifest.test_docs import part

MENTEES = frozenset({"mentee"})
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """The first cell of each row of a table, and the last."""
    findall = re.findall(r"^\| (.+?) \|.*? (\S.*) \|$", part(README, heading), re.MULTILINE)
    return {first: last for first, last in findall if not first.startswith("---")}


def command_table() -> str:
    """The commands as README shows them: those for everyone first, then by who may send them, by their words."""
    audiences = {
        EVERYONE: "everyone",
        MENTEES: "mentees",
        LEADS: "mentors and coordinators",
        COORDINATORS: "coordinators",
    }
    lines = ["| command | what it does | who may send it |", "| --- | --- | --- |"]
    for who, called in audiences.items():
        for spec in sorted(router.commands.values(), key=lambda spec: spec.words):
            if spec.who == who:
                words = f"{spec.words} {spec.takes}".strip().replace("|", "\\|")
                lines.append(f"| `{words}` | {spec.summary} | {called} |")
    assert len(lines) == len(router.commands) + 2, "a command is for an audience that the table does not know"
    return "\n".join(lines)


def test_the_table_of_commands_is_what_is_registered() -> None:
    assert command_table() in README, command_table()


def test_every_setting_is_told_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    told = rows("Settings")
    named = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    assert named == {name.upper() for name in Settings.model_fields}
    nothing_set = load(None)
    assert f"{nothing_set.plc_host}, {nothing_set.plc_port}" in told["`PLC_HOST`, `PLC_PORT`"]
    assert told["`PLC_KEY_BACKUP_DAYS`"].endswith(f": {nothing_set.plc_key_backup_days}")
    assert f": {nothing_set.privacy_settings.threshold}, at least 3" in told["`PLC_THRESHOLD`"]
