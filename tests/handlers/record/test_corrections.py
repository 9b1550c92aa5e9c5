"""What was settled wrongly is corrected with a reason: another line, and the standing follows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from handlers.core.forms import ChoiceField
from handlers.core.requests import Reply
from storage.record import policies
from storage.record.record_tables import dispute
from tests.handlers.scenes import absent, field, lines, message, options, steps, verified_contact, whole
from tests.world import Person, World, everybody_on, said


async def test_a_wrongly_verified_activity_is_corrected_by_the_mentor(world: World, dana: Person, ruth: Person) -> None:
    await verified_contact(world, dana, ruth)
    assert "One-to-one contacts, Year 1 (2026-27): 1 of 2" in said(await dana.sends("progress"))
    card = message(world, ruth, "Activity verified")
    form = (await ruth.presses(card, "Correct")).form
    wrong = await ruth.fills(form, status="", reason="")
    assert wrong.errors == {"status": "Choose the correct result.", "reason": "Choose a reason."}
    assert "I told the mentee" in said(await ruth.fills(form, status="does_not_count", reason="late_entry"))
    assert "0 of 2" in said(await dana.sends("progress"))
    assert "Activity corrected" in card.text
    told = world.to(dana)[-1].text
    assert "Your activity is corrected" in told
    assert "It doesn't count. The first entry was wrong." in told
    line = lines(world, dana)[-1]
    assert (line.kind, line.step, line.status, line.reason) == ("activity", "corrected", "does_not_count", "late_entry")
    assert (line.by, line.verified) == ("Ruth Ellison", "mentor")
    assert whole(world)


async def test_a_correction_can_bring_back_what_was_declined_with_other_minutes(
    world: World, dana: Person, ruth: Person
) -> None:
    form = (await dana.sends("log")).form
    await dana.fills(form, type="contact", day="2026-09-07", minutes="30", mode="phone")
    await ruth.presses(message(world, ruth, "An activity to verify"), "Decline")
    assert "0 of 2" in said(await dana.sends("progress"))
    form = (await ruth.presses(message(world, ruth, "Activity declined"), "Correct")).form
    await ruth.fills(form, status="counts", minutes="45", reason="told_later")
    assert "1 of 2" in said(await dana.sends("progress"))
    assert "It counts with 45 minutes. I learned about it later." in world.to(dana)[-1].text


async def test_a_wrongly_approved_make_up_is_corrected(world: World, dana: Person, ruth: Person) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("makeup")).form
    await dana.fills(form, meeting=options(form)[0].value, type="observation", day="2026-09-10", minutes="60")
    await ruth.presses(message(world, ruth, "make-up to approve"), "Approve")
    assert "Meetings, Year 1 (2026-27): 1 of 8" in said(await dana.sends("progress"))
    form = (await ruth.presses(message(world, ruth, "Make-up approved"), "Correct")).form
    await ruth.fills(form, status="does_not_count", reason="wrong_person")
    assert "Meetings, Year 1 (2026-27): 0 of 8" in said(await dana.sends("progress"))
    assert steps(world, dana)[-1] == ("makeup", "corrected")


async def test_the_coordinator_corrects_from_the_record(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    person = await carol.sends("person dana reyes")
    assert "nothing to correct" in said(await carol.presses(person, "Correct"))
    await verified_contact(world, dana, ruth)
    form = (await carol.presses(person, "Correct")).form
    (option,) = options(form)
    assert option.label == "One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes"
    form = (await carol.fills(form, line=option.value)).form
    await carol.fills(form, status="does_not_count", reason="late_entry")
    assert lines(world, dana)[-1].verified == "coordinator"
    assert "0 of 2" in said(await dana.sends("progress"))


async def test_a_dispute_about_an_activity_leads_to_its_correction(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await verified_contact(world, dana, ruth)
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers="mentor", text="It was somebody else's.")
    asked = message(world, ruth, "A record is disputed")
    form = (await ruth.presses(asked, "Correct it")).form
    before = len(world.to(dana))
    await ruth.fills(form, status="does_not_count", reason="mentee_asked")
    assert steps(world, dana)[-3:] == [("dispute", "opened"), ("activity", "corrected"), ("dispute", "settled")]
    assert "Dispute settled" in asked.text
    assert "already settled" in said(await ruth.does_press("disputes.settle", dispute_id(world)))
    (told,) = world.to(dana)[before:]  # one message for one act
    assert "The record was wrong. It is corrected." in told.text
    assert "0 of 2" in said(await dana.sends("progress"))
    assert whole(world)


def dispute_id(world: World) -> str:
    with world.database.read() as tx:
        return str(tx.scalar(select(dispute.c.id)))


async def disputed(world: World, dana: Person, ruth: Person, readers: str = "mentor") -> None:
    """Dana disputes an absence that Ruth recorded."""
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    before = len(world.to(dana))
    reply = await dana.fills(form, record=options(form)[0].value, readers=readers, text="I was there.")
    assert "Your dispute is open" in said(reply)
    assert len(world.to(dana)) == before  # one act, one message


async def test_a_dispute_is_settled_as_corrected_by_a_correction_alone(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth)
    asked = message(world, ruth, "A record is disputed")
    form = (await ruth.presses(asked, "Settle it")).form
    before = len(world.to(dana))
    correction = (await ruth.fills(form, outcome="corrected")).form
    assert correction is not None
    assert correction.title == "Correct attendance"
    assert "A record is disputed" in asked.text
    assert len(world.to(dana)) == before
    mine = field(correction, "Dana Reyes")
    await ruth.fills(correction, **{mine: "present", "reason": "mentee_asked"})
    assert steps(world, dana)[-3:] == [("dispute", "opened"), ("attendance", "corrected"), ("dispute", "settled")]
    (told,) = world.to(dana)[before:]
    assert "The record was wrong. It is corrected." in told.text
    assert "The record now says: present." in told.text
    assert whole(world)


async def test_a_dispute_that_a_mentor_may_not_read_is_not_settled_by_their_correction(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth, "coordinator")
    form = (await ruth.does_press("attendance.edit", str(lines(world, dana)[0].meeting_id))).form
    mine = field(form, "Dana Reyes")
    reply = await ruth.fills(form, **{mine: "present", "reason": "mentee_asked"})
    assert "disput" not in said(reply).lower()
    assert steps(world, dana)[-1] == ("attendance", "corrected")
    settle = (await carol.presses(message(world, carol, "A record is disputed"), "Settle it")).form
    assert "Settled" in said(await carol.fills(settle, outcome="corrected"))
    assert steps(world, dana)[-1] == ("dispute", "settled")


async def test_a_correction_before_the_dispute_does_not_settle_it(world: World, dana: Person, ruth: Person) -> None:
    await absent(world, ruth, dana)
    meeting_id = str(lines(world, dana)[0].meeting_id)
    form = (await ruth.does_press("attendance.edit", meeting_id)).form
    mine = field(form, "Dana Reyes")
    await ruth.fills(form, **{mine: "excused", "reason": "late_entry"})
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers="mentor", text="I was there.")
    settle = (await ruth.presses(message(world, ruth, "A record is disputed"), "Settle it")).form
    assert (await ruth.fills(settle, outcome="corrected")).form is not None
    assert steps(world, dana)[-1] == ("dispute", "opened")


async def test_a_disputed_credit_is_corrected_by_undoing_it(world: World, dana: Person, carol: Person) -> None:
    card = await carol.sends("person dana reyes")
    form = (await carol.presses(card, "Credit")).form
    await carol.fills(form, rule="contacts", year="1", amount="1", day="2026-07-02", reason="prior_program")
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers="mentor", text="That was not me.")
    settle = (await carol.presses(message(world, carol, "A record is disputed"), "Settle it")).form
    undo = (await carol.fills(settle, outcome="corrected")).form
    assert "Dana Reyes wrote:\nThat was not me." in said(Reply(form=undo))
    assert steps(world, dana)[-1] == ("dispute", "opened")
    assert "Undone for Dana Reyes. The record shows both." in said(await carol.fills(undo))
    assert steps(world, dana)[-2:] == [("credit", "withdrawn"), ("dispute", "settled")]
    assert "Carol Dietz removed your credit" in world.to(dana)[-1].text


async def test_others_correct_nothing(world: World, dana: Person, lee: Person, ruth: Person, tom: Person) -> None:
    await verified_contact(world, dana, ruth)
    logged = str(lines(world, dana)[0].id)
    for stranger in (dana, lee, tom):
        assert "I can't find that entry." in said(await stranger.does_press("activities.correct", logged))
    assert "Only coordinators" in said(await ruth.does_press("activities.choose", str(dana.id)))
    assert ("I can't find that entry.") in said(
        await ruth.does_press("activities.correct", str(lines(world, dana)[1].id))
    )


async def test_what_waits_is_decided_and_not_corrected(world: World, dana: Person, ruth: Person) -> None:
    form = (await dana.sends("log")).form
    await dana.fills(form, type="contact", day="2026-09-07", minutes="30", mode="phone")
    logged = str(lines(world, dana)[0].id)
    assert "nothing to correct" in said(await ruth.does_press("activities.correct", logged))


def corrections(world: World, rules: str) -> None:
    """Put everybody on the example policy with other rules about corrections."""
    before, _, rest = policies.shipped(policies.EXAMPLE).text.partition("[corrections]")
    after = rest.partition("[completion]")[2]
    text = before.replace('version = "1"', 'version = "3"', 1) + rules + "[completion]" + after
    with world.database.write() as tx:
        policies.adopt(world.work(tx), text, world.clock.at.date(), None)
        everybody_on(tx, "example/3")


async def test_attendance_is_corrected_for_the_reasons_that_the_policy_names(
    world: World, dana: Person, ruth: Person
) -> None:
    rules = '[corrections]\napprover = "mentor"\nreasons = { typo = "A slip of the pen" }\n'
    corrections(world, rules)
    await absent(world, ruth, dana)
    form = (await ruth.presses(message(world, ruth, "Who came?"), "Person by person")).form
    assert form is not None
    reason = next(field for field in form.fields if field.id == "reason")
    assert isinstance(reason, ChoiceField)
    assert [option.label for option in reason.options] == ["A slip of the pen"]
    assert reason.hint == "Leave this empty unless you change something that is saved already."
    mine = field(form, "Dana Reyes")
    assert "Choose one of the options." in said(await ruth.fills(form, **{mine: "present", "reason": "late_entry"}))
    await ruth.fills(form, **{mine: "present", "reason": "typo"})
    assert (lines(world, dana)[-1].step, lines(world, dana)[-1].reason) == ("corrected", "typo")


async def test_where_the_policy_says_so_only_a_coordinator_corrects(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    corrections(world, '[corrections]\napprover = "coordinator"\nreasons = { typo = "A slip of the pen" }\n')
    await absent(world, ruth, dana)
    form = (await ruth.presses(message(world, ruth, "Who came?"), "Person by person")).form
    mine = field(form, "Dana Reyes")
    refused = await ruth.fills(form, **{mine: "present", "reason": "typo"})
    assert refused.errors == {mine: "Only a coordinator can change this. Ask your coordinator."}
    assert "Saved" in said(await carol.fills(form, **{mine: "present", "reason": "typo"}))
    await verified_contact(world, dana, ruth)
    assert "Correct" not in message(world, ruth, "Activity verified").text


async def test_a_meeting_whose_make_up_is_too_late_is_not_offered(world: World, dana: Person, ruth: Person) -> None:
    await absent(world, ruth, dana)
    world.clock.at += timedelta(days=60)
    assert len(options((await dana.sends("makeup")).form)) == 1
    world.clock.at += timedelta(days=1)
    assert "You have no missed meetings to make up." in said(await dana.sends("makeup"))
