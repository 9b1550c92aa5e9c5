"""What broke once in the record of two years, and does not break again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert

from program.record.policy_reading import read_policy
from storage.people import cohorts
from storage.record import checkpoints, ledger, policies, verification
from storage.record.ledger import Line
from storage.record.record_tables import enrolment
from storage.vault import seals
from tests.handlers.scenes import absent, field, options, verified_contact, whole
from tests.world import Person, World, everybody_on, said


async def test_a_dispute_about_a_verified_activity_leaves_it_verified(world: World, dana: Person, ruth: Person) -> None:
    await verified_contact(world, dana, ruth)
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, text="It was 45 minutes.")
    assert "One-to-one contacts, Year 1 (2026-27): 1 of 2" in said(await dana.sends("progress"))


async def test_an_activity_is_not_logged_in_a_way_that_never_counts(world: World, dana: Person) -> None:
    form = (await dana.sends("log")).form
    wrong = await dana.fills(form, type="contact", day="2026-09-07", minutes="30")
    assert "Choose how you did it" in wrong.errors["mode"]
    assert "Logged" in said(await dana.fills(form, type="observation", day="2026-09-07", minutes="30"))


async def test_undoing_a_leave_brings_the_check_ins_back_and_tells_the_mentee(
    world: World, dana: Person, carol: Person
) -> None:
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    form = (await carol.presses(card, "Leave")).form
    reply = await carol.fills(form, starts="2026-09-07", ends="", reason="health")
    assert "gave you a leave of absence: Mon Sep 7, 2026, until further notice." in world.to(dana)[-1].text
    await carol.presses(reply, "Undo")
    assert "removed your leave of absence: Mon Sep 7, 2026, until further notice." in world.to(dana)[-1].text
    assert "paused" not in said(await dana.sends("progress"))
    await world.go_to(datetime(2026, 9, 30, 12, 0, tzinfo=UTC))
    assert any("check-in" in message.text.lower() for message in world.to(dana))


async def test_a_policy_may_ask_for_two_make_ups_for_one_meeting(world: World, dana: Person, ruth: Person) -> None:
    text = (
        policies.shipped(policies.EXAMPLE)
        .text.replace("ratio = 1", "ratio = 2")
        .replace('version = "1"', 'version = "2"')
    )
    assert read_policy(text).makeups
    with world.database.write() as tx:
        policies.adopt(world.work(tx), text, world.clock.at.date(), None)
        everybody_on(tx, "example/2")
    await absent(world, ruth, dana)
    for number in range(2):
        form = (await dana.sends("makeup")).form
        assert form is not None, f"make-up {number + 1}"
        await dana.fills(form, meeting=options(form)[0].value, type="observation", day="2026-09-10", minutes="60")
        await ruth.presses(
            next(message for message in reversed(world.to(ruth)) if "make-up to" in message.text), "Approve"
        )
        expected = "1 of 8" if number else "0 of 8"
        assert f"Meetings, Year 1 (2026-27): {expected}" in said(await dana.sends("progress"))
    assert "no missed meetings" in said(await dana.sends("makeup"))
    assert whole(world)


async def test_yes_and_no_can_be_filled_into_a_policy(world: World, carol: Person) -> None:
    form = (await carol.does_press("policy.fill", policies.MISSOURI)).form
    assert form is not None
    (partly,) = (field.id for field in form.fields if field.label == "Does attending part of a meeting count?")
    for word in ("perhaps", "none"):
        assert partly in (await carol.fills(form, **{partly: word})).errors
    read = await carol.fills(form, **{partly: "no"})
    assert "Attending only part of a meeting doesn't count." in said(read)
    await carol.fills(read.form)
    with world.database.read() as tx:
        assert policies.get(tx, policies.MISSOURI).attendance.partial_counts is False


async def test_a_record_s_head_and_a_check_code_between_two_seconds_are_known(
    world: World, dana: Person, carol: Person
) -> None:
    world.clock.at += timedelta(milliseconds=300)
    with world.database.write() as tx:
        line = Line("activity", "logged", world.clock.at, dana.id, "self", minutes=30, code="contact")
        ledger.add(world.work(tx), dana.id, line)
        code = checkpoints.make(tx, world.clock.at + timedelta(milliseconds=400)).code
        head = ledger.head_of(tx, dana.id)
    assert head[:16] in said(await carol.does_press("records.details", str(dana.id)))
    with world.database.read() as tx:
        for known in (code, head, head[:16], head[:16].upper()):
            assert verification.verify(tx, world.product.chain_key, known).problems == [], known
        for other in (head[:8], "0" * 16, head[1:17]):
            assert len(verification.verify(tx, world.product.chain_key, other).problems) == 1, other


@pytest.mark.parametrize(
    ("label", "typed", "said"),
    [
        ("Meetings: how many are needed", "many", "Enter a whole number from 1 to 100,000."),
        ("Meetings: how many are needed", "0", "Enter a whole number from 1 to 100,000."),
        ("Meetings: how many are needed", "none", "“none” does not work. Enter a whole number."),
        ("The day this policy starts", "7/1", "Enter a date like 2026-07-01."),
    ],
)
async def test_a_policy_field_says_in_words_what_it_needs(
    world: World, carol: Person, label: str, typed: str, said: str
) -> None:
    form = (await carol.does_press("policy.fill", policies.MISSOURI)).form
    wrong = await carol.fills(form, **{field(form, label): typed})
    (error,) = wrong.errors.values()
    assert said in error
    assert "Line" not in error
    assert "unset" not in error
    assert "." not in error.removesuffix(".").replace(". ", "")  # no key such as rule.meetings.at_least


async def test_each_policy_field_says_whether_none_is_an_answer(world: World, carol: Person) -> None:
    form = (await carol.does_press("policy.fill", policies.MISSOURI)).form
    assert form is not None
    hints = {each.label: each.hint for each in form.fields}
    assert hints["How many absences a year are allowed"] == "A number. Type “none” if there is no limit."
    assert hints["How many days a mentee has to make up a meeting"] == "A number. Type “none” if there is no deadline."
    assert hints["Meetings: how many are needed"] == "A number."
    assert hints["The day this policy starts"] == "A date like 2026-07-01."
    assert "When can a mentee complete the program?" in hints


async def test_adopting_a_policy_is_the_operators_and_is_said_so(world: World, carol: Person, dana: Person) -> None:
    for person in (carol, dana):
        assert "The operator does that in the terminal" in said(await person.sends("policy adopt"))
    assert "Every value in this policy is set." not in said(await dana.sends("policy"))
    assert "Every value in this policy is set." in said(await carol.sends("policy"))


async def test_an_older_version_is_reached_and_filled_in_for_everybody_on_it(
    world: World, dana: Person, carol: Person
) -> None:
    text = policies.shipped(policies.EXAMPLE).text
    newer = text.replace('version = "1"', 'version = "2"', 1)
    with world.database.write() as tx:
        policies.adopt(world.work(tx), newer, world.clock.at.date(), None)
        everybody_on(tx, policies.MISSOURI)
    shown = await carol.sends("policy")
    assert "Other policies" in said(shown)
    assert "Missouri DESE counselor mentoring program, version 2018: 4 mentees." in said(shown)
    assert "Example, not DESE policy, version 1: 0 mentees. Every value is set." in said(shown)
    older = await carol.does_press("policy.show", policies.MISSOURI)
    form = (await carol.presses(older, "Fill in 12 values")).form
    read = await carol.fills(form, **{field(form, "Meetings: how many are needed"): "6"})
    assert "Saved for everyone on Missouri DESE counselor mentoring program, version 2018." in said(
        await carol.fills(read.form)
    )
    assert "0 of 6" in said(await dana.sends("progress"))
    assert "Other policies" not in said(await dana.sends("policy"))
    assert "Only a coordinator" in said(await dana.does_press("policy.show", policies.MISSOURI))
    assert "can't find that policy" in said(await carol.does_press("policy.show", "nonsense/1"))


async def test_nobody_alone_approves_their_own_completion(world: World, carol: Person) -> None:
    with world.database.write() as tx:
        ozarks = cohorts.by_name(tx, "Ozarks")
        assert ozarks is not None
        cohorts.join(world.work(tx), ozarks.id, carol.id, "mentee", None)
        row = {"person_id": carol.id, "policy": policies.EXAMPLE, "starts": date(2026, 7, 1), "version": 0}
        row |= {"id": world.work(tx).new_id(), "district": "", "track": ""}
        tx.execute(insert(enrolment).values(seals.sealed(tx, enrolment, row)))
    refused = said(await carol.does_press("completion.approve", str(carol.id)))
    assert refused == (
        "You can't approve your own completion. Ask another coordinator. If there isn't one, "
        "ask the operator to add one in PLC_COORDINATORS."
    )
