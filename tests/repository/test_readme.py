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


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("everyone", {EVERYONE}),
        ("mentees", {MENTEES, EVERYONE}),
        ("mentees (and mentors who want check-ins)", {EVERYONE}),
        ("mentors", {LEADS}),
        ("coordinators", {COORDINATORS}),
    ],
)
def test_each_command_stands_with_those_who_may_send_it(who: str, may: set[frozenset[str]]) -> None:
    named = re.findall(r"`([^`]+)`", rows("Commands")[who])
    told = [re.sub(r" (NAME|until DATE|on|off)$", "", words) for words in named]
    assert told
    assert {router.commands[words].who for words in told} <= may


def test_no_command_is_left_out() -> None:
    told = " ".join(re.findall(r"`([^`]+)`", "".join(rows("Commands").values())))
    assert [words for words in router.commands if words not in told] == []


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
