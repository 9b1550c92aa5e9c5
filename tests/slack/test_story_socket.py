"""The core of the story again where Slack and the bot speak through Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.checkins.checkins_tables import checkin
from storage.people.people_tables import person
from storage.vault.vault_tables import vault_item
from tests.fakes.slack import BOT_USER
from tests.slack.story import OZARKS, SERIES, Story, told


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    async with told(f"sqlite:///{tmp_path / 'plc.sqlite'}", socket=True) as begun:
        yield begun


async def test_the_core_of_the_story_through_a_socket(story: Story) -> None:
    ruth, dana, lee = story.ruth, story.dana, story.lee
    story.imports()
    await story.all_agree()
    await ruth.types("hello")
    await ruth.taps_in_chat("Yes, that's me")
    assert "it becomes the home of Ozarks." in await ruth.sends("cohort link", OZARKS)
    assert BOT_USER in story.fake.channels[OZARKS].members
    assert ruth.reads(OZARKS)[0].startswith("# Hello, Ozarks")
    await dana.taps_in_chat("Yes, that's me")
    assert "# Welcome, Dana Reyes" in dana.last()

    await ruth.sends("meeting new", OZARKS)
    assert "• Thu Sep 24, 2026" in await ruth.fills(**SERIES)
    assert (await ruth.fills()).startswith("Scheduled 3 meetings and told the cohort.")
    await dana.taps_in(OZARKS, "Coming")
    assert "Coming (1): Dana Reyes" in ruth.reads(OZARKS)[-1]

    await story.go_to(datetime(2026, 9, 10, 20, 15, tzinfo=UTC))
    assert "# How are things going?" in dana.last()
    assert (await dana.taps_in(OZARKS, "I'm here")).startswith("You're marked as here, 3:15 PM.")
    assert (await dana.taps_in(OZARKS, "I'm here")).startswith("You're already marked here.")
    assert "I can't match you to the roster yet" in await lee.taps_in(OZARKS, "I'm here")
    assert await story.ledger() == [("Dana Reyes", "tapped", "present", None, "")]

    said = await dana.types("It was a full week.")
    assert said.startswith("Should I keep that as part of your check-in reflection?")
    await dana.taps_in_chat("Keep as my reflection")
    assert dana.last().startswith("Saved. I show it to no one unless you share it.\n[Undo]")
    assert "full week" not in "".join(dana.inbox())
    await dana.taps_in_chat("3")
    await dana.taps_in_chat("Write or change")
    assert "What you typed to me (optional): It was a full week." in dana.modal()
    assert await dana.fills() == "Saved. I show it to no one unless you share it."
    assert await story.rows(select(vault_item.c.kind).order_by(vault_item.c.kind)) == [("pulse",), ("reflection",)]
    answered = select(person.c.name).join_from(checkin, person).where(checkin.c.answered_at.is_not(None))
    assert await story.rows(answered) == [("Dana Reyes",)]

    await story.go_to(datetime(2026, 9, 10, 21, 30, tzinfo=UTC))
    assert "Dana Reyes | tapped 3:15 PM\nLee Okafor | no tap yet\nSam Whitfield | no tap yet" in ruth.last()
    await ruth.taps_in_chat("Confirm the 1 who tapped")
    assert "Dana Reyes | Present, tapped 3:15 PM\nLee Okafor | no tap yet" in ruth.last()
    assert [line[:3] for line in await story.ledger()] == [
        ("Dana Reyes", "tapped", "present"),
        ("Dana Reyes", "confirmed", "present"),
    ]
    assert "Year 1 (2026-27): 1 meeting attended" in await dana.sends("progress")
    assert await story.undelivered() == []


async def test_an_envelope_sent_twice_changes_nothing(story: Story) -> None:
    story.imports()
    await story.all_agree()
    await story.dana.types("hello")
    await story.dana.taps_in_chat("Yes, that's me")
    await story.go_to(datetime(2026, 9, 10, 20, 0, tzinfo=UTC))
    event = {"type": "message", "channel_type": "im", "channel": story.dana.chat}
    said = story.dana.event_payload({**story.dana._said("Once."), **event})

    for retry in range(3):
        await story.wire.event(said, retry)
        story.platform._asking._processed.clear()
    await story.settled()

    assert await story.rows(select(vault_item.c.kind)) == [("waiting",)]
    assert sum("[Keep as my reflection]" in message for message in story.dana.inbox()) == 1
