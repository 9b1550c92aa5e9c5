"""What /plc privacy shows, and taking everything along: in the browser, and by the operator."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Table, select

from bot.documents.making import Maker, NothingToMake
from bot.documents.wording import Wording
from handlers.core.cards import Link, Paragraph
from handlers.core.requests import Reply
from handlers.program_desk.downloads import may_have
from storage.checkins import consent, shares
from storage.core import audit_log
from storage.people.people_tables import account
from storage.privacy import holds, personal_data
from storage.program_desk import downloads
from storage.program_desk.program_desk_tables import download
from storage.record import ledger
from storage.schema import metadata
from tests.handlers.checkins.test_reflections import SECRET, next_checkin, shared, written
from tests.world import Person, World, said


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def ruth(world: World) -> Person:
    return world.matched("Ruth Ellison", "ruth@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


def link_in(reply: Reply) -> str:
    assert reply.form is not None
    texts = [block.text for block in reply.form.blocks if isinstance(block, Paragraph)]
    return next(span.url for text in texts for span in text if isinstance(span, Link))


def opened(world: World, link: str) -> dict[str, str]:
    """The files of the ZIP that a link gives."""
    token = urlsplit(link).path.rsplit("/", maxsplit=1)[-1]
    with world.database.read() as tx:
        download = downloads.find(tx, token, world.clock.at)
        assert download is not None
        assert may_have(tx, download.person_id, download.what, download.subject)
        maker = Maker(Wording(), "", world.vault)
        made = maker.prepare(tx, download.what, download.subject, download.format, world.clock.at)()
    with zipfile.ZipFile(io.BytesIO(made.data)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


async def test_privacy_counts_what_is_kept_and_shows_none_of_it(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    text = said(await dana.sends("privacy"))
    for words in (
        "Who sees what",
        "has the keys",
        "You agreed to check-ins",
        "What: Reflections, How many: 1",
        "What: Accounts, How many: 1",
    ):
        assert words in text
    assert "What: Shared reflections, How many: 1" in text
    assert SECRET not in text
    assert "What: Shared reflections, How many: 1" in said(await ruth.sends("privacy"))


async def test_everything_is_taken_along_by_a_link_that_works_once(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await written(world, dana)
    await shared(dana)
    await ruth.presses(world.to(ruth)[-1], "Read it")
    reply = await dana.presses(await dana.sends("privacy"), "Download my data")
    assert reply.form is not None
    assert reply.form.confidential
    assert reply.card is None, "the link never stands in a chat"
    link = link_in(reply)
    files = opened(world, link)
    data = json.loads(files["about.json"])
    assert SECRET in str(data["Reflections"])
    assert data["Shared reflections"][0]["with"] == "Ruth Ellison"
    assert "2026-09-10" in data["Shared reflections"][0]["read"]
    assert data["Choices about check-ins"][0]["choice"] == "agreed"
    assert data["Person"][0]["email"] == "dana@example.org"
    assert SECRET in files["about.html"]
    with world.database.read() as tx:
        [row] = tx.execute(select(download)).all()
    assert row.expires_at - world.clock.at == timedelta(minutes=10)
    assert SECRET not in str(row)
    assert link.rsplit("/", 1)[1] not in str(row), "of the token a hash alone is kept"

    other = await ruth.presses(await ruth.sends("privacy"), "Download my data")
    assert SECRET not in "".join(opened(world, link_in(other)).values()), "what was shared stays its author's"


# What the operator's file holds without confidential words: nothing that tells whether somebody takes part.
RECORD = {
    "Person",
    "Accounts",
    "Requests to replace your account",
    "Personal chats",
    "Cohorts",
    "Enrollment",
    "Meeting answers",
    "Visits",
    "Certificates",
    "Summaries written",
    "Unfinished forms",
    "Links to files",
    "Legal holds",
    "Times you were forgotten",
    "Changes to your data",
    "Entries in your record",
    "Disputes",
}
# Tables that name a person, and are no kind of their own.
ELSEWHERE = {
    "forgotten_key": "in the times they were forgotten",
    "person_key": "the wrapped key of what is listed",
    "policy": "who acted on what is not about them",
    "amendment": "who acted on what is not about them",
    "series": "who acted on what is not about them",
}


def test_every_kind_is_the_record_or_tells_of_taking_part(world: World, dana: Person) -> None:
    with world.database.read() as tx:
        kinds = {kind.name for kind in personal_data.everything(tx, dana.id, lambda _item: None)}
    assert kinds == RECORD | personal_data.PARTICIPATION
    assert not RECORD & personal_data.PARTICIPATION


def test_what_is_kept_about_somebody_is_all_tables_that_name_people() -> None:
    naming = {
        table.name
        for table in metadata.tables.values()
        if any(key.column.table.name in ("person", "account") for key in table.foreign_keys)
    } | {table.name for table in metadata.tables.values() if "person_id" in table.columns}
    modules = (personal_data, ledger, shares, consent)
    read = {value.name for module in modules for value in vars(module).values() if isinstance(value, Table)}
    assert naming - read == set(ELSEWHERE)


async def test_nobody_takes_what_is_anothers(world: World, dana: Person, carol: Person) -> None:
    await written(world, dana)
    with world.database.read() as tx:
        own = tx.scalar(select(account.c.id).where(account.c.person_id == dana.id))
        assert may_have(tx, dana.id, "person", str(own))
        assert not may_have(tx, carol.id, "person", str(own)), "no coordinator has it"
        with pytest.raises(NothingToMake):
            Maker(Wording(), "").prepare(tx, "person", str(own), "zip", world.clock.at)


async def test_hostile_words_are_words_in_the_file(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.keeps("<script>alert(1)</script>")
    reply = await dana.presses(await dana.sends("privacy"), "Download my data")
    files = opened(world, link_in(reply))
    assert "<script>" not in files["about.html"]
    assert "&lt;script&gt;" in files["about.html"]


async def test_without_an_address_the_operator_makes_the_file(world: World, dana: Person) -> None:
    world.address = ""
    reply = await dana.presses(await dana.sends("privacy"), "Download my data")
    assert "plc-bot person export dana@example.org" in said(reply)


async def test_forgetting_is_offered_and_a_hold_is_told(world: World, dana: Person) -> None:
    reply = await dana.sends("privacy")
    assert "is kept until the person who wrote it deletes it" in said(reply)
    assert "Delete private data" in said(await dana.presses(reply, "Delete my private data"))
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "audit", None)
    assert "A legal hold is on it (an audit)" in said(await dana.sends("privacy"))


async def test_the_operators_copies_are_shown(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        audit_log.note(world.work(tx), dana.id, "person.exported", None, confidential=True)
    text = said(await dana.sends("privacy"))
    assert "The operator made a copy of this: Mon Sep 7, 2026 (with what you wrote in private)." in text
