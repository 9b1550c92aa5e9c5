"""Over signed HTTP: what is typed while a check-in is open."""

from __future__ import annotations

from sqlalchemy import select

from storage.vault.vault_tables import vault_item
from tests.slack.story import Story
from tests.slack.test_reflections import CHECK_IN

WORDS = "canary-Wiedehopf-3863 was my week"


async def kinds(story: Story) -> list[str]:
    return sorted(kind for (kind,) in await story.rows(select(vault_item.c.kind)))


async def test_typed_words_wait_for_a_choice(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    said = await dana.types(WORDS)
    assert said.startswith("Should I keep that as part of your check-in reflection?\n[Keep as my reflection] [No]\n")
    assert "If you choose neither, I delete it on" in said
    assert await kinds(story) == ["waiting"]
    offered = dana.message(dana.chat, "No")
    await story.lee.taps("No", offered, story.lee.chat)
    assert await kinds(story) == ["waiting"], "it is not Lee's to answer"
    await dana.taps_in_chat("No")
    assert "I deleted it." in dana.last()
    assert await kinds(story) == []

    await dana.types(WORDS)
    await dana.taps_in_chat("Keep as my reflection")
    assert "Saved. I show it to no one unless you share it." in dana.last()
    assert await kinds(story) == ["reflection"]

    await dana.types(WORDS)
    await story.pass_time(days=1)
    assert await kinds(story) == ["reflection"], "nobody chose, so a day later they are gone"


async def test_commands_questions_thanks_and_numbers_are_no_reflection(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    assert "You’re welcome!" in await dana.types("thanks!")
    assert "Did you mean one of these? \n[progress]" in await dana.types("progres")
    assert "[next]" in await dana.types("what time do we meet?")
    assert await kinds(story) == []
    assert "Saved." in await dana.types("3")
    assert await kinds(story) == ["pulse"]


async def test_a_number_is_seen_in_a_modal_alone_and_taken_back(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    await dana.taps_in_chat("2")
    assert "Saved. I show your number only to you." in dana.last()
    await dana.taps_in_chat("Show my number")
    assert "You answered 2 in the check-in of Thu Sep 10, 2026." in dana.modal().replace("*", "")
    assert "You answered 2" not in "".join(dana.inbox())
    shown = dana.message(dana.chat, "Delete my number")
    await story.lee.taps("Delete my number", shown, story.lee.chat)
    assert await kinds(story) == ["pulse"], "it is not Lee's to take back"
    told = await dana.taps_in_chat("Delete my number")
    assert "Your number is deleted. No group figures count it." in told
    assert await kinds(story) == []
    assert any(message.startswith("# How are things going?") for message in dana.inbox())


async def test_the_card_says_that_a_mentor_sees_an_earlier_version(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    await dana.types(WORDS)
    await dana.taps_in_chat("Keep as my reflection")
    await dana.sends("reflections")
    await dana.taps_notice("Share")
    await dana.fills()
    assert any("Saved. You shared it with Ruth Ellison." in message for message in dana.inbox())
    await story.pass_time(minutes=1)
    await dana.types("And a word more.")
    await dana.taps_in_chat("Keep as my reflection")
    earlier = "Ruth Ellison can read an earlier version that you shared, without what you changed since."
    assert any(message.startswith("# Check-in") and earlier in message for message in dana.inbox())
