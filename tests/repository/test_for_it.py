"""What administrators are told of keys, deleting and sharing is what the terminal and the chat can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import cli
from handlers.features import router
from manifest.about import LONG
from storage.schema import metadata
from tests.manifest.test_docs import part

ROOT = Path(__file__).parents[2]
FOR_IT = (ROOT / "docs" / "for-it.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["keys rotate", "keys check", "person forget"])
def test_the_commands_that_administrators_are_told_of_exist(command: str) -> None:
    assert f"`plc-bot {command}`" in FOR_IT
    assert CliRunner().invoke(cli, [*command.split(), "--help"]).exit_code == 0


def test_deleting_and_sharing_are_told_where_they_exist() -> None:
    assert {"privacy", "reflections"} <= set(router.commands)
    assert "With `privacy` a" in FOR_IT
    assert "reflections.shared" in router.submits
    assert "to a mentor they share one with" in LONG


# What each table holds, in the words of "What is stored". One without words of its own holds ids, times and states of
# what another row names, or keys.
STORED = {
    "person": "roster: name",
    "enrolment": "role, start, track",
    "membership": "cohort, role",
    "cohort": "a cohort's settings",
    "account": "accounts: platform",
    "installation": "workspace or tenant id",
    "replacement": "the operator's request to match another one",
    "gone_report": "their word that the earlier one is gone",
    "conversation": "conversations: id, name",
    "meeting": "meetings: topic",
    "series": "meetings: topic",
    "break": "place or link, breaks",
    "rsvp": "RSVPs and attendance",
    "visitor": "RSVPs and attendance",
    "ledger_line": "activities, make-ups, leaves, credits and decisions",
    "ledger_head": "activities, make-ups, leaves, credits and decisions",
    "policy": "requirement policies",
    "amendment": "requirement policies",
    "certificate": "certificates: code",
    "checkpoint": "checkpoints of the records",
    "checkpoint_leaf": "checkpoints of the records",
    "integrity_check": "checkpoints of the records",
    "download": "download links",
    "history": "who changed what about people, cohorts and meetings",
    "summary": "meeting summaries",
    "draft": "half-filled forms",
    "prompt": "check-in prompts",
    "checkin_turn": "snoozes",
    "checkin": "that a check-in was sent",
    "vault_item": "check-in answers",
    "dispute": "the words of a dispute",
    "consent": "who agreed to check-ins or declined",
    "share": "who shared a reflection",
    "share_reading": "when it was read",
    "figure": "figures about groups",
    "participation": "figures about groups",
    "hold": "legal holds",
    "forgotten": "who deleted their private data",
    "forgotten_key": "who deleted their private data",
    "person_key": "the wrapped keys",
    "ledger_key": "the wrapped keys",
    "ledger_key_copy": "the wrapped keys",
    "due_moment": "reminders planned",
    "delivery": "messages sent",
    "processed_request": "of each request that was processed",
    "program": "the program's name and zone",
    "process": "running processes",
    "pace": "running processes",
}


def test_every_table_is_told_of() -> None:
    told = part(FOR_IT, "What is stored")
    assert {table.name for table in metadata.tables.values()} == set(STORED)
    assert [words for words in STORED.values() if words not in told] == []


def test_each_form_for_longer_text_asks_to_leave_students_out() -> None:
    """A coordinator's prompts are questions, and no answers."""
    assert "its forms for longer text ask people to leave students out" in FOR_IT
    handlers = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "handlers").rglob("*.py")}
    asking = {name for name, text in handlers.items() if "multiline=True" in text} - {"prompts.py"}
    assert asking
    assert {name for name in asking if "student" not in handlers[name]} == set()


def test_no_host_is_named_in_the_code_that_administrators_are_not_told_of() -> None:
    """Slack's and Microsoft's alone; forms show an example of an address."""
    flows = part(FOR_IT, "What data flows where")
    for room in ("bot", "handlers", "program", "storage"):
        for file in (ROOT / room).rglob("*.py"):
            for host in re.findall(r"https?://([\w-]+(?:\.[\w-]+)+)", file.read_text(encoding="utf-8")):
                assert f"`{host}`" in flows or host in ("meet.example.org", "127.0.0.1"), f"{file.name}: {host}"
