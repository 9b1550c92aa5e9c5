"""Over HTTP as Teams sends it: a data key is damaged while a form is open, and the dialog keeps what is in it."""

from __future__ import annotations

from sqlalchemy import select, update

from storage.vault.vault_tables import person_key
from tests.teams.story import Someone, Story
from tests.teams.test_story_checkins import asked
from tests.teams.test_typed import kinds

DAMAGED = "it or the key that protects it is damaged. Nothing was changed or deleted."


def damage(story: Story, wrapped: bytes) -> None:
    with story.database.write() as tx:
        tx.execute(update(person_key).values(wrapped=wrapped))


async def test_the_dialog_keeps_what_cannot_be_saved(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    card = dana.sees("How are things going?")
    await dana.taps(card, "3")
    good = story.read(lambda tx: tx.execute(select(person_key.c.wrapped)).scalar_one())
    opened = await dana.taps(card, "Write or change")
    damage(story, bytes(60))
    first, *_ = opened.dialog.fields
    refused = await dana.sends(opened.dialog, **{first: "Her words"})
    assert not refused.closed
    assert DAMAGED in " ".join(refused.dialog.text.split())
    assert refused.dialog.fields[first] == "Her words"
    assert kinds(story) == ["pulse"]
    await dana.taps(card, "Change my number")
    assert DAMAGED in (await dana.taps(card, "4")).text
    damage(story, good)
    assert (await dana.sends(refused.dialog)).closed
    assert kinds(story) == ["pulse", "reflection"]


async def test_the_dialog_keeps_what_cannot_be_saved_though_it_cannot_be_opened_anew(
    story: Story, cohort: dict[str, Someone]
) -> None:
    dana = cohort["dana"]
    await asked(story)
    card = dana.sees("How are things going?")
    opened = await dana.taps(card, "Write a reflection")
    first, second, *_ = opened.dialog.fields
    await dana.sends(opened.dialog, **{first: "Her words"})
    good = story.read(lambda tx: tx.execute(select(person_key.c.wrapped)).scalar_one())
    opened = await dana.taps(card, "Write or change")
    damage(story, bytes(60))
    long = "More words. " * 200
    refused = await dana.sends(opened.dialog, **{second: long})
    assert not refused.closed
    assert DAMAGED in " ".join(refused.dialog.text.split())
    assert (refused.dialog.fields[first], refused.dialog.fields[second]) == ("Her words", long)
    damage(story, good)
    assert (await dana.sends(refused.dialog)).closed
    again = await dana.taps(card, "Write or change")
    assert str(again.dialog.fields[second]).split() == long.split()
    assert again.dialog.fields[first] == "Her words"
