"""A person's personal chat is another one: the app was installed anew, or their account was made anew."""

from __future__ import annotations

from typing import Literal

import pytest
from sqlalchemy import select

from storage.outbox.outbox_tables import delivery
from tests.teams.story import DANA, Someone, Story
from tests.teams.test_story_checkins import asked

NEW = "a:1dana-new"


async def test_messages_go_to_the_chat_that_a_person_wrote_from_last(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    before = story.fake.chat_of(DANA)
    written = len(dana.chat)
    story.fake.chats[DANA.id] = NEW
    await dana.says("progress")

    await asked(story)

    assert dana.sees("How are things going?")
    assert dana.chat is story.fake.posted(NEW)
    assert len(story.fake.posted(before)) == written, "nothing more goes to the earlier chat"


@pytest.mark.parametrize("fault", ["404", "not-in-roster"])
async def test_a_chat_that_is_gone_is_asked_for_anew_and_nothing_is_doubled(
    story: Story, cohort: dict[str, Someone], fault: Literal["404", "not-in-roster"]
) -> None:
    dana = cohort["dana"]
    before = story.fake.chat_of(DANA)
    story.fake.chats[DANA.id] = NEW
    story.fake.fail("POST", f"{before}/activities", fault)  # once: later messages would be taken there

    await asked(story)

    assert dana.sees("How are things going?")
    assert dana.chat is story.fake.posted(NEW)
    tried = len(story.fake.calls_to(f"{before}/activities", "POST"))
    await story.pass_time(days=14)
    assert len(story.fake.calls_to(f"{before}/activities", "POST")) == tried, "the newer chat is kept"


async def test_what_was_written_into_an_earlier_chat_fails_in_nobodys_sight(
    story: Story, cohort: dict[str, Someone]
) -> None:
    """Changing the card there would tell the coordinator that its check-in was answered."""
    dana = cohort["dana"]
    await asked(story)
    story.fake.chats[DANA.id] = NEW

    await dana.taps((await dana.says("checkin")).messages[0], "3")
    await story.pass_time(days=10)

    failed = story.read(lambda tx: tx.execute(select(delivery.c.verb).where(delivery.c.state == "failed")).all())
    assert failed == []
    assert "Dana" not in (await cohort["carol"].says("digest")).text
