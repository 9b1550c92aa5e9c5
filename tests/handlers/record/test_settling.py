"""A dispute ends as "corrected" or "stands" only where the record then says so."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from handlers.core.forms import ChoiceField, Form
from handlers.core.requests import Reply
from storage.people import cohorts
from storage.record import ledger, policies
from storage.record.ledger import Line
from tests.handlers.record.test_corrections import disputed
from tests.handlers.scenes import absent, field, lines, message, options, steps, transferred, verified_contact, whole
from tests.handlers.test_story import HOME
from tests.world import Person, World, buttons_of, said

SETTLED = ("dispute", "settled")


async def marked(ruth: Person, status: str) -> None:
    """Ruth corrects Dana's attendance of the last meeting."""
    card = await ruth.sends("attendance", HOME)
    form = (await ruth.presses(card, "Person by person")).form
    await ruth.fills(form, **{field(form, "Dana Reyes"): status, "reason": "wrong_person"})


async def settle_form(who: Person, world: World) -> Form:
    form = (await who.presses(message(world, who, "A record is disputed"), "Settle it")).form
    assert form is not None
    return form


async def disputes_newest(dana: Person, words: str, readers: str = "coordinator") -> None:
    form = (await dana.sends("dispute")).form
    record = next(option for option in options(form) if words in option.label)
    await dana.fills(form, record=record.value, readers=readers, text="That is wrong.")


async def test_a_record_that_was_corrected_does_not_stand(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth, "coordinator")
    older = await settle_form(carol, world)
    await marked(ruth, "present")
    refused = await carol.fills(older, outcome="stands")
    assert refused.errors == {
        "outcome": "The record was changed after the dispute was opened. The record now says: present. "
        "Choose that it is wrong."
    }
    assert steps(world, dana)[-1] == ("attendance", "corrected")
    newer = await settle_form(carol, world)
    assert [option.label for option in options(newer)] == ["The record was wrong. It is corrected"]
    assert "Changed since the dispute was opened. The record now says: present." in said(Reply(form=newer))
    await carol.fills(newer, outcome="corrected")
    assert "The record now says: present." in world.to(dana)[-1].text


async def test_a_record_that_was_corrected_and_corrected_back_is_not_corrected(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth, "coordinator")
    for status in ("present", "absent"):
        await marked(ruth, status)
    leads = await carol.fills(await settle_form(carol, world), outcome="corrected")
    assert leads.form is not None, "it leads to the correction"
    assert steps(world, dana)[-1] == ("attendance", "corrected")
    assert "Settled: The record stands." in said(await carol.fills(await settle_form(carol, world), outcome="stands"))
    assert whole(world)


async def test_nobody_is_moved_to_the_policy_that_they_are_on(world: World, carol: Person, dana: Person) -> None:
    text = policies.shipped(policies.EXAMPLE).text
    with world.database.write() as tx:
        for version in ("8", "9"):
            policy = text.replace('version = "1"', f'version = "{version}"', 1)
            policies.adopt(world.work(tx), policy, date(2026, 9, 1), None)

    async def policy_form() -> Form:
        form = (await carol.presses(await carol.sends("person dana reyes"), "Change policy")).form
        assert form is not None
        return form

    async def moved(form: Form, name: str) -> Reply:
        world.clock.at += timedelta(minutes=1)
        return await carol.fills(form, policy=name, reason="asked")

    older = await policy_form()
    await moved(await policy_form(), "example/8")
    await disputes_newest(dana, "requirements of ")
    assert "version 8 already." in said(await moved(older, "example/8"))
    assert steps(world, dana)[-1] == ("dispute", "opened")
    await moved(await policy_form(), "example/9")  # another move: whether it answers the dispute, a person says
    assert steps(world, dana)[-1] == ("policy", "moved")
    labels = [option.label for option in options(await settle_form(carol, world))]
    assert labels == ["The record was wrong. It is corrected", "The record stands"]
    await moved(await policy_form(), policies.EXAMPLE)  # back to what was before
    assert steps(world, dana)[-2:] == [("policy", "moved"), SETTLED]


async def test_only_the_way_back_answers_a_disputed_transfer_by_itself(
    world: World, carol: Person, dana: Person, tom: Person
) -> None:
    world.import_roster(
        "cohort,region,role,name,e-mail,person_id,zone,district,program start,track\n"
        "Bootheel,South,mentor,Una Hart,una@example.org,P9,America/Chicago,R-IV,,\n"
    )
    await transferred(world, carol, "dana reyes", "Gateway")
    await disputes_newest(dana, "Transfer to Gateway")
    leads = await carol.fills(await settle_form(carol, world), outcome="corrected")
    assert leads.card is not None
    assert "Correct the record first, then settle the dispute." in said(leads)
    assert (await carol.presses(leads, "Correct it")).form is not None
    world.clock.at += timedelta(hours=1)
    await transferred(world, carol, "dana reyes", "Bootheel")
    assert steps(world, dana)[-1] == ("transfer", "made")
    world.clock.at += timedelta(hours=1)
    await transferred(world, carol, "dana reyes", "Ozarks")
    assert steps(world, dana)[-1] == SETTLED


@pytest.mark.parametrize(("rule", "answers"), [("contacts", False), ("meetings", True)])
async def test_a_credit_toward_something_else_answers_no_imported_line(
    world: World, carol: Person, dana: Person, rule: str, answers: bool
) -> None:
    with world.database.write() as tx:
        imported = Line(
            "attendance", "confirmed", world.clock.at - timedelta(days=9), None, "import", status="absent", code="f1"
        )
        ledger.add(world.work(tx), dana.id, imported)
    await disputes_newest(dana, "absent")
    form = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    credit = {"year": "1", "amount": "1", "day": "2026-09-07", "reason": "prior_program"}
    await carol.fills(form, rule=rule, **credit)
    assert steps(world, dana)[-1] == ("credit", "granted"), "it names no line, so a person settles the dispute"
    leads = await carol.fills(await settle_form(carol, world), outcome="corrected")
    assert ("Settled" in said(leads)) is answers
    assert (steps(world, dana)[-1] == SETTLED) is answers


@pytest.mark.parametrize("kind", ["credit", "waiver", "leave"])
async def test_correct_it_leads_to_the_undo_of_a_disputed_change(
    world: World, carol: Person, dana: Person, ruth: Person, kind: str
) -> None:
    label = {"credit": "Credit", "waiver": "Waive", "leave": "Leave"}[kind]
    form = (await carol.presses(await carol.sends("person dana reyes"), label)).form
    amount = {"rule": "contacts", "year": "1", "amount": "1", "day": "2026-09-07", "reason": "prior_program"}
    leave = {"starts": "2026-09-07", "ends": "", "reason": "health"}
    await carol.fills(form, **(leave if kind == "leave" else amount))
    await disputes_newest(dana, "Leave, " if kind == "leave" else "1 for One-to-one contacts, year 1", "mentor")
    mentors = [item.label for item in buttons_of(message(world, ruth, "A record is disputed").card)]
    assert mentors == ["Read it", "Settle it"], "a mentor undoes nothing"
    undo = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    assert undo is not None
    assert undo.confidential
    assert "Dana Reyes wrote:\nThat is wrong." in said(Reply(form=undo))
    await carol.fills(undo)
    assert steps(world, dana)[-2:] == [(kind, "withdrawn"), SETTLED]
    assert f"Carol Dietz removed your {kind}" in world.to(dana)[-1].text
    assert "The record was wrong. It is corrected." in world.to(dana)[-1].text


async def test_the_record_of_a_person_has_the_undo(world: World, carol: Person, dana: Person, ruth: Person) -> None:
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    assert "Undo" not in {button.label for button in buttons_of(card)}
    for rule in ("contacts", "meetings"):
        form = (await carol.presses(await carol.sends("person dana reyes"), "Credit")).form
        await carol.fills(form, rule=rule, year="1", amount="1", day="2026-09-07", reason="prior_program")
    form = (await carol.presses(await carol.sends("person dana reyes"), "Undo")).form
    assert [option.label for option in options(form)] == [
        "Credit of 1 for Meetings, year 1 (Mon Sep 7, 2026)",
        "Credit of 1 for One-to-one contacts, year 1 (Mon Sep 7, 2026)",
    ]
    chosen = options(form)[1].value
    assert "Choose the entry." in said(await carol.fills(form, line=""))
    assert "Undone for Dana Reyes." in said(await carol.fills(form, line=chosen))
    assert (lines(world, dana)[-1].step, lines(world, dana)[-1].code) == ("withdrawn", "contacts")
    assert "That is undone already" in said(await carol.fills(form, line=chosen))
    withdrawn = str(lines(world, dana)[-1].id)
    assert "I can't find that entry." in said(await carol.does_press("records.undo", str(dana.id), withdrawn))
    assert "Only coordinators" in said(await ruth.does_press("records.undo.choose", str(dana.id)))
    assert "Undo" not in said(await ruth.does_press("records.undo.chosen", str(dana.id)))


async def test_a_correction_is_told_although_it_settled_a_dispute_about_something_else(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await absent(world, ruth, dana)
    await verified_contact(world, dana, ruth)
    await disputes_newest(dana, "First steps")
    await marked(ruth, "present")  # she may not read the dispute, so it stays open
    form = (await carol.presses(await carol.sends("person dana reyes"), "Correct")).form
    form = (await carol.fills(form, line=options(form)[0].value)).form
    before = len(world.to(dana))
    await carol.fills(form, status="does_not_count", reason="late_entry")
    told = "\n".join(posted.text for posted in world.to(dana)[before:])
    assert "Your activity is corrected" in told
    assert "Your dispute is settled" in told


async def test_an_activity_s_dispute_opens_its_correction_with_the_words_and_a_correction_to_the_same_corrects_nothing(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await verified_contact(world, dana, ruth)
    await disputes_newest(dana, "Mon Sep 7, 2026, One-to-one contact with the mentor, 30 minutes", "mentor")
    asked = message(world, ruth, "A record is disputed")
    form = (await ruth.presses(asked, "Correct it")).form
    assert form is not None
    assert form.confidential
    assert "Dana Reyes wrote:\nThat is wrong." in said(Reply(form=form))
    activity_id = form.opener.args[0]
    forged = await carol.does_press("activities.correct", activity_id, activity_id)
    assert "I can't find that dispute." in said(forged)
    await ruth.fills(form, status="counts", minutes="30", reason="late_entry")
    assert steps(world, dana)[-1] == ("activity", "corrected")
    assert "Settled: The record stands." in said(await carol.fills(await settle_form(carol, world), outcome="stands"))


async def test_the_form_says_what_comes_next_at_the_choice(world: World, ruth: Person, dana: Person) -> None:
    await disputed(world, dana, ruth)
    form = await settle_form(ruth, world)
    outcome = form.fields[0]
    assert isinstance(outcome, ChoiceField)
    assert outcome.hint == "If it is wrong: You'll correct the record next. Saving it settles the dispute."
    assert "correct" not in said(Reply(form=form))


async def test_a_transfer_out_of_two_cohorts_is_not_corrected_by_a_return_to_one(
    world: World, carol: Person, dana: Person
) -> None:
    with world.database.write() as tx:
        gateway = cohorts.by_name(tx, "Gateway")
        assert gateway is not None
        cohorts.join(world.work(tx), gateway.id, dana.id, "mentee", None)
        cohorts.create(world.work(tx), "Bootheel", "", "America/Chicago")
    await transferred(world, carol, "dana reyes", "Bootheel")
    await disputes_newest(dana, "Transfer to")
    world.clock.at += timedelta(hours=1)
    await transferred(world, carol, "dana reyes", "Ozarks")
    assert steps(world, dana)[-1] == ("transfer", "made"), "the other cohort is still missing"
