"""Each change of a record is told once, with what it was, also where it settles a dispute."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from handlers.core.cards import Table
from handlers.core.requests import Submit
from storage.outbox import deliveries, kinds
from storage.record import policies
from tests.handlers.scenes import absent, lines, options, steps, transferred, verified_contact
from tests.world import Person, World, field_texts, said


async def test_two_changes_at_once_are_told_each_with_what_it_was(world: World, carol: Person, dana: Person) -> None:
    page = await carol.sends("person dana reyes")
    for label, amount in (("Credit", "1"), ("Waive", "2")):
        form = (await carol.presses(page, label)).form
        assert form is not None
        values = {"rule": "meetings", "year": "1", "amount": amount, "reason": "prior_program"}
        await carol.tries(Submit(form.action, field_texts(form, values)))  # nothing is delivered in between
    await world.settle()
    told = [message.text for message in world.to(dana) if "Your record changed" in message.text]
    assert len(told) == 2
    assert "credited you with 1 meeting in year 1" in told[0]
    assert "waived 2 meetings in year 1 for you" in told[1]


async def disputed(dana: Person) -> None:
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers="coordinator", text="That is wrong.")


async def test_a_disputed_transfer_is_settled_in_one_message(world: World, carol: Person, dana: Person) -> None:
    await transferred(world, carol, "dana reyes", "Gateway")
    await disputed(dana)
    heard = len(world.to(dana))
    await transferred(world, carol, "dana reyes", "Ozarks")
    (told,) = world.to(dana)[heard:]
    assert "Your dispute is settled" in told.text
    assert "Carol Dietz moved you to Ozarks, starting Mon Sep 7, 2026." in told.text


async def test_a_disputed_credit_is_undone_in_one_message(world: World, carol: Person, dana: Person) -> None:
    form = (await carol.presses(await carol.sends("person dana reyes"), "Credit")).form
    await carol.fills(form, rule="meetings", year="1", amount="3", reason="prior_program")
    await disputed(dana)
    heard = len(world.to(dana))
    await carol.does_press("records.undo", str(dana.id), str(lines(world, dana)[0].id))
    (told,) = world.to(dana)[heard:]
    assert "Your dispute is settled" in told.text
    assert "Carol Dietz removed your credit: 3 meetings in year 1." in told.text


async def test_a_disputed_change_of_policy_is_settled_in_one_message(world: World, carol: Person, dana: Person) -> None:
    text = policies.shipped(policies.EXAMPLE).text.replace('version = "1"', 'version = "9"', 1)
    with world.database.write() as tx:
        policies.adopt(world.work(tx), text, date(2026, 9, 1), None)
    for policy in ("example/9", policies.EXAMPLE):
        heard = len(world.to(dana))
        form = (await carol.presses(await carol.sends("person dana reyes"), "Change policy")).form
        await carol.fills(form, policy=policy, reason="asked")
        if policy == "example/9":
            await disputed(dana)
    (told,) = world.to(dana)[heard:]
    assert "Your dispute is settled" in told.text
    assert "changed your requirements to Example, not DESE policy, version 1." in told.text
    assert steps(world, dana)[-1] == ("dispute", "settled")


@pytest.mark.parametrize(
    ("label", "values", "told"),
    [
        ("Waive", {"rule": "meetings", "year": "1", "amount": "2"}, "removed your waiver: 2 meetings in year 1."),
        ("Leave", {"starts": "2026-09-08"}, "removed your leave of absence: "),
    ],
)
async def test_what_is_undone_is_named(
    world: World, carol: Person, dana: Person, label: str, values: dict[str, str], told: str
) -> None:
    form = (await carol.presses(await carol.sends("person dana reyes"), label)).form
    reason = "health" if label == "Leave" else "hardship"
    await carol.presses(await carol.fills(form, **values, reason=reason), "Undo")
    assert told in world.to(dana)[-1].text


async def test_the_record_names_days_and_activities(world: World, carol: Person, dana: Person, ruth: Person) -> None:
    await verified_contact(world, dana, ruth)
    await absent(world, ruth, dana, tap=True)
    world.clock.at += timedelta(days=1)
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    (table,) = (block for block in card.blocks if isinstance(block, Table))
    assert table.caption == "Record (4 entries)"
    assert [row[1] for row in reversed(table.rows)] == [
        "Sep 7 one-to-one contact with the mentor: logged, 30 minutes",
        "Sep 7 one-to-one contact with the mentor: verified",
        "Sep 10 meeting: said “I'm here”",
        "Sep 10 meeting: absent",
    ]
    details = (await carol.presses(card, "Details")).form
    assert details is not None
    assert "Check code" in str(details.blocks)


async def test_of_a_long_record_the_last_entries_are_shown(
    world: World, carol: Person, dana: Person, ruth: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.record.person_page.SHOWN_LINES", 1)
    await verified_contact(world, dana, ruth)
    assert "Last 1 of 2 entries" in said(await carol.sends("person dana reyes"))


async def test_a_message_that_names_a_line_of_somebody_else_is_not_sent(
    world: World, carol: Person, dana: Person, lee: Person
) -> None:
    await transferred(world, carol, "dana reyes", "Gateway")
    with world.database.write() as tx:
        deliveries.to_person(world.work(tx), kinds.RECORD_CHANGED, lee.id, lines(world, dana)[0].id)
    await world.settle()
    assert not any("Your record changed" in message.text for message in world.to(lee))
