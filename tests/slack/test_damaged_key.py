"""Over signed HTTP: a data key is damaged while a form is open, and the modal keeps what is in it."""

from __future__ import annotations

from sqlalchemy import select, update

from storage.vault.vault_tables import person_key, vault_item
from tests.fakes.slack import inputs
from tests.slack.story import Story
from tests.slack.test_reflections import CHECK_IN

DAMAGED = "it or the key that protects it is damaged. Nothing was changed or deleted."


async def test_the_modal_keeps_what_cannot_be_saved(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    dana = story.dana
    await dana.taps_in_chat("3")
    [(good,)] = await story.rows(select(person_key.c.wrapped))
    threads = story.app.product.threads
    await dana.taps_in_chat("Write or change")
    await threads.write(lambda tx: tx.execute(update(person_key).values(wrapped=bytes(60))))
    _, element = next(iter(inputs(story.fake.top_view(dana.user))))
    values = {element["action_id"]: "Her words"}
    told = await dana.fills(**values)
    assert DAMAGED in told
    assert "Her words" in dana.modal()
    assert await story.rows(select(vault_item.c.kind)) == [("pulse",)]
    await dana.taps_in_chat("Change my number")
    assert DAMAGED in await dana.taps_in_chat("4")
    await threads.write(lambda tx: tx.execute(update(person_key).values(wrapped=good)))
    await dana.fills(**values)
    assert sorted(await story.rows(select(vault_item.c.kind))) == [("pulse",), ("reflection",)]
