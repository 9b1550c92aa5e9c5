"""Somebody's data key is damaged: they get a sentence, nothing of theirs is lost, and everybody else goes on."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select, update

from bot.documents.making import about_file
from handlers.core.forms import Form
from handlers.core.requests import Reply
from storage.vault.vault import Vault
from storage.vault.vault_tables import person_key, vault_item
from tests.handlers.checkins.test_reflections import next_checkin
from tests.handlers.checkins.test_saved import newest
from tests.world import Person, World, said

DAMAGED = "it or the key that protects it is damaged. Nothing was changed or deleted. Please tell your coordinator."
COPY = "Before you close this form, copy what you wrote."


def damage(world: World, person: Person, wrapped: bytes = bytes(60)) -> bytes:
    """Put these bytes in place of a person's wrapped data key; the earlier ones."""
    with world.database.write() as tx:
        row = tx.execute(select(person_key).where(person_key.c.person_id == person.id)).one()
        tx.execute(update(person_key).where(person_key.c.person_id == person.id).values(wrapped=wrapped))
        return bytes(row.wrapped)


def items(world: World) -> int:
    with world.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(vault_item)) or 0


async def open_form(world: World, person: Person, label: str = "Write a reflection") -> Form:
    form = (await person.presses(newest(world, person), label)).form
    assert form is not None
    return form


async def fill(person: Person, form: Form, words: str) -> Reply:
    return await person.fills(form, **{form.fields[0].id: words})


@pytest.mark.parametrize("wrapped", [bytes(60), b""], ids=["zeroed", "emptied"])
async def test_who_has_a_damaged_key_loses_nothing_and_the_others_go_on(
    world: World, dana: Person, lee: Person, wrapped: bytes
) -> None:
    await next_checkin(world, dana)
    empty = await open_form(world, dana)
    assert "Saved" in said(await fill(dana, empty, "Her words"))
    before = items(world)
    good = damage(world, dana, wrapped)
    reply = await fill(dana, empty, "Other words")
    assert DAMAGED in said(reply)
    assert COPY in said(reply)
    assert reply.errors, "the form stays with what is in it"
    assert (reply.card, reply.form) == (None, None)
    for refused in (
        await dana.presses(newest(world, dana), "3"),
        await dana.types("I had a long day with many visitors"),
        await dana.does_press("checkins.write", empty.action.args[0]),
    ):
        assert DAMAGED in said(refused)
        assert COPY not in said(refused)
    assert items(world) == before
    assert "Your progress" in said(await dana.sends("progress"))
    assert "Saved" in said(await fill(lee, await open_form(world, lee), "His words"))
    damage(world, dana, good)
    again = await open_form(world, dana, "Write or change")
    assert "Her words" in str(again.fields)
    assert "Saved" in said(await fill(dana, again, "Other words"))


async def test_the_file_about_somebody_says_what_does_not_open(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await fill(dana, await open_form(world, dana), "Her words")
    await dana.presses(newest(world, dana), "3")

    def file(vault: Vault) -> str:
        with world.database.read() as tx:
            made = about_file(tx, dana.id, world.clock.now(), lambda item: vault.open_shared(tx, item))()
        with ZipFile(io.BytesIO(made.data)) as archive:
            return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())

    assert "Her words" in file(world.vault)
    damage(world, dana)
    assert file(world.vault).count("because it or the key that protects it is damaged") >= 2
    assert "Her words" not in file(world.vault)
