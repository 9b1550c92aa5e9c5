"""Over signed HTTP: what is typed while a check-in is open."""

from __future__ import annotations

from sqlalchemy import select

from storage.tables import vault_item
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
    assert "Saved. The bot shows it to nobody unless you share it." in dana.last()
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
