"""On Slack: the notice comes once, and what was shared opens in the mentor's modal and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from sqlalchemy import select

from handlers.core.requests import Request
from storage.checkins import consent
from storage.vault.vault_tables import vault_item
from tests.slack.story import Story

CHECK_IN = datetime(2026, 9, 10, 20, 0, tzinfo=UTC)
CANARY = "canary-Stieglitz-4410"


async def test_the_notice_becomes_the_check_in_with_one_tap(story: Story) -> None:
    story.imports()
    await story.dana.types("hello")
    await story.dana.taps_in_chat("Yes, that's me")
    await story.go_to(CHECK_IN)
    dana = story.dana
    assert dana.last().startswith("# Before your first check-in")
    assert "[Agree] [Decline]" in dana.last()
    said = await dana.types("words before a choice")
    assert "I didn't save what you typed" in said
    await dana.taps_in_chat("Agree", "# Before your first check-in")
    assert any(message.startswith("# How are things going?") for message in dana.inbox())
    await dana.taps_in_chat("4", "How are things going?")
    assert any("Saved." in message for message in dana.inbox())
    await dana.sends("privacy")
    await dana.taps_notice("Decline")
    assert any("You declined check-ins" in message for message in dana.inbox())
    declined = await story.app.product.threads.read(lambda tx: tx.execute(consent.declined()).all())
    assert len(declined) == 1


async def test_a_shared_reflection_opens_in_the_mentors_modal_alone(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana, ruth = story.dana, story.ruth
    await dana.taps_in_chat("Write a reflection")
    await dana.fills(**{dana.field("Where did you feel most like a school counselor?"): CANARY})
    listed = await dana.sends("reflections")
    assert "Thu Sep 10, 2026" in listed
    assert CANARY not in listed
    await dana.taps_notice("Share")
    assert "Shared with Ruth Ellison" in await dana.fills()
    assert "Dana Reyes shared a reflection with you" in ruth.last()

    await ruth.taps_in_chat("Read it")
    assert CANARY in ruth.modal()
    shown = [name for name, arguments in story.fake.calls if CANARY in json.dumps(arguments)]
    assert set(shown) <= {"views.open", "views.update"}
    messages = [channel.messages for channel in story.fake.channels.values()]
    assert CANARY not in json.dumps([messages, story.fake.notices, story.fake.replaced, story.fake.homes])
    await story.lee.taps("Read it", ruth.message(ruth.chat, "Read it"), story.lee.chat)
    assert not story.fake.sees_modal(story.lee.user)

    assert "Read Thu Sep 10, 2026" in await dana.sends("reflections")
    await dana.taps_notice("Stop sharing with Ruth Ellison")
    assert "It's no longer shared." in ruth.last()


async def test_what_was_typed_stays_in_the_form_when_it_cannot_be_saved(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana

    async def broken(request: Request) -> NoReturn:
        raise RuntimeError(f"the database said no to {request.intent}")

    works = story.platform._asking._answer
    await dana.taps_in_chat("Write a reflection")
    story.platform._asking._answer = broken
    kept = await dana.fills(**{dana.field("Where did you feel most like a school counselor?"): CANARY})
    assert "Something went wrong and nothing was saved. Please try again." in kept
    assert f"Where did you feel most like a school counselor? (optional): {CANARY}" in kept
    assert "nothing was saved" in await dana.types("What I learned")
    assert await story.rows(select(vault_item.c.id)) == []
    story.platform._asking._answer = works
    assert await dana.fills() == "Saved. I show it to no one unless you share it."


async def test_what_was_written_stays_in_the_modal_after_the_check_in_closed(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    await dana.taps_in_chat("Write a reflection")
    field = dana.field("Where did you feel most like a school counselor?")
    await story.go_to(CHECK_IN + timedelta(days=8))
    told = await dana.fills(**{field: CANARY})
    assert "This check-in is closed. I'll send the next one when it's time." in told
    assert CANARY in dana.modal()
    assert await story.rows(select(vault_item.c.kind)) == []
