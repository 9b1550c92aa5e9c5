"""What is too long is cut where people see it, and days are told in the reader's zone."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from handlers.core.forms import ChoiceField, Form
from handlers.core.paging import hint, more
from handlers.core.plain_cards import plain_text
from handlers.core.requests import Reply
from handlers.meetings import breaks as break_cards
from handlers.people import homes, matching
from handlers.program_desk import digest
from handlers.record import disputes, progress
from storage.core import audit_log
from storage.meetings import breaks
from storage.meetings.meetings_tables import meeting
from storage.people import account_links
from storage.people.people_tables import cohort, person
from tests.handlers.scenes import absent, message, options, verified_contact
from tests.handlers.test_story import HOME, linked
from tests.world import TENANT, Person, World, buttons_of, said

LONG = "A cohort whose name is longer than a button can show, in the far southwest of the state"


def hints(form: Form | None) -> list[str]:
    assert form is not None
    return [field.hint for field in form.fields if isinstance(field, ChoiceField)]


def labels_of(reply: Reply) -> list[str]:
    assert reply.card is not None
    return [button.label for button in buttons_of(reply.card)]


def test_more_is_said_only_where_something_is_left_out() -> None:
    assert more(3, 3) == ()
    assert [plain_text(note.text) for note in more(10, 7)] == ["and 3 more"]
    assert hint(3, 3) == ""
    assert hint(60, 50, "newest") == "This list shows the newest 50 of 60."


async def test_labels_are_cut_with_an_ellipsis(world: World, carol: Person, ruth: Person) -> None:
    with world.database.write() as tx:
        tx.execute(update(cohort).where(cohort.c.name == "Ozarks").values(name=LONG))
    labels = labels_of(await carol.sends("person ruth ellison"))
    assert any(label.startswith("Remove as mentor of A cohort") and label.endswith("…") for label in labels)


async def test_a_dispute_names_the_record_with_an_ellipsis_and_the_day_of_its_reader(
    world: World, dana: Person, ruth: Person
) -> None:
    await absent(world, ruth, dana)
    with world.database.write() as tx:
        tx.execute(update(meeting).values(topic="What we learned from the first weeks at school"))
        tx.execute(update(person).where(person.c.id == dana.id).values(zone="Pacific/Auckland"))
    form = (await dana.sends("dispute")).form
    (option,) = options(form)
    assert option.label == "Fri Sep 11, 2026, What we learned from the firs…, absent"
    own = said(await dana.fills(form, record=option.value, text="I was there."))
    assert "About: Fri Sep 11, 2026" in own
    await world.settle()
    assert "says a record is wrong: Thu Sep 10, 2026" in message(world, ruth, "A record is disputed").text


async def test_choices_say_that_they_are_cut(
    world: World, dana: Person, ruth: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await verified_contact(world, dana, ruth)
    monkeypatch.setattr(disputes, "MOST_RECORDS", 1)
    form = (await dana.sends("dispute")).form
    assert len(options(form)) == 1
    assert hints(form)[0] == "This list shows the newest 1 of 2."
    monkeypatch.setattr("handlers.record.correcting.MOST_CORRECTED", 1)
    form = (await carol.presses(await carol.sends("person dana reyes"), "Correct")).form
    assert hints(form) == ["This list shows the newest 1 of 2."]
    monkeypatch.setattr("handlers.record.transfers.MOST_COHORTS", 1)
    form = (await carol.presses(await carol.sends("person dana reyes"), "Transfer")).form
    assert hints(form)[0] == "This list shows the first 1 of 2."


async def test_the_lists_of_people_say_how_many_more(
    world: World, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        for number in range(3):
            account_links.remember(
                work, world.platform, TENANT, f"U-{number}", name=f"N {number}", email="", member=True, active=True
            )
    monkeypatch.setattr(matching, "SHOWN", 2)
    shown = await carol.sends("people")
    assert said(shown).count("and 4 more") == 1  # of six people of the roster without an account
    assert said(shown).count("and 1 more") == 1
    monkeypatch.setattr(matching, "MOST_OPTIONS", 2)
    form = (await carol.presses(shown, "Match someone")).form
    assert hints(form) == ["This list shows the first 2 of 6.", "This list shows the first 2 of 3."]


async def test_several_of_a_name_are_not_taken_for_all(world: World, carol: Person) -> None:
    with world.database.write() as tx:
        for number in range(6):
            row = {"id": UUID(int=number + 1), "name": f"Pat {number}", "email": f"pat{number}@example.org"}
            tx.execute(insert(person).values(row | {"zone": "America/Chicago"}))
    reply = await carol.sends("person pat")
    assert len(labels_of(reply)) == 5
    assert "There are more people with that name." in said(reply)


async def test_tables_and_lists_of_a_program_say_how_many_more(
    world: World, dana: Person, ruth: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST_COHORTS", 1)
    monkeypatch.setattr(digest, "MOST_COHORTS", 1)
    assert "and 1 more, which “Find mentees” shows" in said(await carol.sends("progress"))
    assert "and 1 more" in said(await carol.sends("digest"))
    monkeypatch.setattr(homes, "MOST_NAMED", 1)
    await linked(world, ruth)
    assert "and 1 more" in message(world, ruth, "is set up").text
    with world.database.read() as tx:
        ozarks = tx.execute(select(cohort.c.id).where(cohort.c.name == "Ozarks")).scalar_one()
    with world.database.write() as tx:
        work = world.work(tx)
        for day in (1, 2):
            breaks.add(work, ozarks, date(2026, 12, day), date(2026, 12, day), f"Break {day}", ruth.id)
    monkeypatch.setattr(break_cards, "MOST_SHOWN", 1)
    assert "and 1 more" in said(await ruth.sends("breaks", HOME))


async def test_what_the_operator_copied_earlier_is_counted(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        for _ in range(5):
            work = world.work(tx)
            audit_log.note(work, dana.id, "person.exported", None, confidential=False)
    assert "; earlier copies: 2." in said(await dana.sends("privacy"))
