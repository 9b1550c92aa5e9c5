"""What a mentee writes in confidence is seen by nobody: not on Slack, not in a log, not in a file."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from handlers.requests import Request
from storage.tables import vault_item
from tests.fakes.slack import Fault
from tests.slack.story import OZARKS, Story

CHECK_IN = datetime(2026, 9, 10, 20, 0, tzinfo=UTC)
CANARY = "canary-Zeisig-7731"
TYPED = "canary-Girlitz-1277"


def traffic(story: Story) -> str:
    """Everything that the bot said to Slack, and everything that stands there."""
    fake = story.fake
    shown = [fake.channels[name].messages for name in fake.channels]
    return json.dumps([fake.calls, shown, fake.notices, fake.replaced, fake.homes])


def files(folder: Path) -> bytes:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    assert any(path.name == "plc.sqlite" for path in found)
    assert any(path.name == "plc.keys.sqlite" for path in found)
    return b"".join(path.read_bytes() for path in found)


async def test_a_reflection_is_nowhere_but_in_its_authors_own_form(
    story: Story, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await story.all_matched()
    await story.scheduled()
    await story.go_to(CHECK_IN)
    dana = story.dana

    await dana.taps_in_chat("Write a reflection")
    answered = await dana.send(**{dana.field("Where did you feel most like a school counselor?"): CANARY})
    await story.settled()
    await dana.types(TYPED)
    story.fake.fail("chat.postMessage", Fault(status=500))
    await dana.types(f"{TYPED} once more")
    await story.pass_time(days=4)  # the digest, the reminders, the rosters, the chases
    for one in (story.ruth, story.carol, story.lee, dana):
        for command in ("progress", "digest", "checkin", "next", "cohort"):
            await one.sends(command)
        await one.sends("progress", OZARKS)
        await one.opens_home()
    await story.settled()

    assert len(await story.rows(select(vault_item.c.id))) == 1
    for secret in (CANARY, TYPED):
        assert secret not in json.dumps(answered.body)
        assert secret not in traffic(story)
        assert secret not in caplog.text
        assert all(secret not in str(record.__dict__) for record in caplog.records)
        assert secret.encode() not in files(tmp_path)
    assert caplog.records, "DEBUG was on"

    # Only the author's own form opens it, and only for the author.
    calls = len(story.fake.calls)
    await dana.taps_in_chat("Write or change")
    assert CANARY in dana.modal()
    assert TYPED in dana.modal()
    opened = [name for name, arguments in story.fake.calls[calls:] if CANARY in json.dumps(arguments)]
    assert opened == ["views.open"]
    await story.ruth.taps("Write or change", dana.message(dana.chat, "Write or change"), story.ruth.chat)
    assert not story.fake.sees_modal(story.ruth.user)
    assert CANARY not in caplog.text
    assert CANARY.encode() not in files(tmp_path)


async def test_an_error_on_the_way_keeps_the_words_out_of_the_log(
    story: Story, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana

    async def broken(request: Request) -> Any:
        raise RuntimeError(f"the database said no to {request.intent}")

    works = story.platform._answering._answer
    await dana.taps_in_chat("Write a reflection")
    field = dana.field("Where did you feel most like a school counselor?")
    story.platform._answering._answer = broken
    kept = await dana.fills(**{field: CANARY})
    assert "Something went wrong on our side; nothing was saved. Please try again." in kept
    assert f"Where did you feel most like a school counselor? (optional): {CANARY}" in kept, "what was typed stays"
    said = await dana.types(TYPED)
    assert "nothing was saved" in said

    assert CANARY not in caplog.text
    assert TYPED not in caplog.text
    assert await story.rows(select(vault_item.c.id)) == []
    story.platform._answering._answer = works
    assert await dana.fills() == "Saved. The bot shows it to nobody unless you share it."
    assert CANARY.encode() not in files(tmp_path)
