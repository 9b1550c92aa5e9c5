"""Over HTTP as Teams sends it: what is typed while a check-in is open."""

from __future__ import annotations

from sqlalchemy import select

from storage.vault.vault_tables import vault_item
from tests.fakes.teams import actions_of
from tests.teams.story import Someone, Story, shown
from tests.teams.test_story_checkins import asked

WORDS = "canary-Wiedehopf-3863 was my week"


def kinds(story: Story) -> list[str]:
    return sorted(story.read(lambda tx: list(tx.scalars(select(vault_item.c.kind)))))


async def test_typed_words_wait_for_a_choice(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    offered = await dana.says(WORDS)
    assert "Should I keep that as part of your check-in reflection?" in offered.text
    assert kinds(story) == ["waiting"]
    act = actions_of(offered.messages[0].card)["No"]
    forged = await cohort["lee"].acts(cohort["lee"].client.presses(act["data"]))
    assert "I don't have those words" in forged.text
    assert kinds(story) == ["waiting"], "it is not Lee's to answer"
    assert "I deleted it." in (await dana.taps(offered.messages[0], "No")).text
    assert kinds(story) == []

    offered = await dana.says(WORDS)
    assert "Saved." in (await dana.taps(offered.messages[0], "Keep as my reflection")).text
    assert kinds(story) == ["reflection"]

    await dana.says(WORDS)
    await story.pass_time(days=1)
    assert kinds(story) == ["reflection"], "nobody chose, so a day later they are gone"


async def test_commands_questions_thanks_and_numbers_are_no_reflection(
    story: Story, cohort: dict[str, Someone]
) -> None:
    dana = cohort["dana"]
    await asked(story)
    assert "You’re welcome!" in (await dana.says("thanks!")).text
    assert "progress" in actions_of((await dana.says("progres")).messages[0].card)
    assert "next" in actions_of((await dana.says("what time do we meet?")).messages[0].card)
    assert kinds(story) == []
    assert "Saved." in (await dana.says("3")).text
    assert kinds(story) == ["pulse"]


async def test_a_number_is_seen_in_a_dialog_alone_and_taken_back(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    card = dana.sees("How are things going?")
    await dana.taps(card, "2")
    assert "Saved. I show your number only to you." in shown(card)
    opened = await dana.taps(card, "Show my number")
    assert "You answered 2 in the check-in of" in opened.dialog.text.replace("*", "").replace("\n", " ")
    act = actions_of(card.card)["Delete my number"]
    forged = await cohort["lee"].acts(cohort["lee"].client.presses(act["data"]))
    assert "I can't find that check-in." in forged.text
    assert kinds(story) == ["pulse"], "it is not Lee's to take back"
    assert "Your number is deleted. No group figures count it." in (await dana.taps(card, "Delete my number")).text
    assert kinds(story) == []
    assert "Show my number" not in actions_of(card.card)
