"""The record of two years: logged, verified, made up, paused, moved, disputed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from handlers.core.requests import Reply
from storage.people import people
from storage.record import policies, standings
from storage.record.record_tables import dispute
from storage.vault.vault_tables import vault_item
from tests.handlers.scenes import absent, first_line, options, steps, whole
from tests.world import Person, World, everybody_on, said


async def test_an_activity_is_logged_and_verified_with_one_tap(world: World, dana: Person, ruth: Person) -> None:
    form = (await dana.sends("log")).form
    wrong = await dana.fills(form, type="contact", day="2026-09-30", minutes="5")
    assert wrong.errors["day"] == "That day is in the future. Choose today or an earlier day."
    assert "needs at least 15 minutes" in wrong.errors["minutes"]
    reply = await dana.fills(form, type="contact", day="2026-09-07", minutes="30", mode="phone")
    assert "I asked your mentor to verify it" in said(reply)
    asked = world.to(ruth)[-1]
    assert "Dana Reyes: One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes" in asked.text
    assert "0 of 2" in said(await dana.sends("progress"))
    await ruth.presses(asked, "Verify")
    assert "1 of 2" in said(await dana.sends("progress"))
    assert "Activity verified" in asked.text
    assert "Your activity is verified" in world.to(dana)[-1].text
    assert "already decided" in said(await ruth.does_press("activities.decide", str(first_line(world, dana)), "yes"))
    assert steps(world, dana) == [("activity", "logged"), ("activity", "verified")]
    assert whole(world)


async def test_what_was_logged_by_mistake_is_withdrawn_and_not_decided(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    form = (await dana.sends("log")).form
    before = len(world.to(dana))
    own = await dana.fills(form, type="workshop", day="2026-09-07", minutes="90")
    assert len(world.to(dana)) == before  # the answer is the one message
    jordan = world.matched("Jordan Blake", "jordan@example.org")
    assert "can't find" in said(await jordan.does_press("activities.decide", str(first_line(world, dana)), "yes"))
    assert "Withdrawn" in said(await dana.presses(own, "Withdraw"))
    assert "already decided" in said(await ruth.does_press("activities.decide", str(first_line(world, dana)), "yes"))
    assert whole(world)


async def test_a_missed_meeting_is_made_up(world: World, dana: Person, ruth: Person, carol: Person) -> None:
    assert "no missed meetings" in said(await dana.sends("makeup"))
    await absent(world, ruth, dana)
    form = (await dana.sends("makeup")).form
    assert form is not None
    missed = options(form)
    assert [option.label for option in missed] == ["Thu Sep 10, 2026, First steps (absent)"]
    reply = await dana.fills(form, meeting=missed[0].value, type="observation", day="2026-09-10", minutes="60")
    assert "Request sent" in said(reply)
    asked = next(message for message in world.to(ruth) if "make-up to approve" in message.text)
    assert "to make up First steps of Thu Sep 10, 2026" in asked.text
    await ruth.presses(asked, "Approve")
    assert "Make-up approved" in asked.text
    assert any(
        "make-up to approve" in message.text or "Make-up approved" in message.text for message in world.to(carol)
    )
    assert "1 of 8" in said(await dana.sends("progress"))
    assert "no missed meetings" in said(await dana.sends("makeup"))
    assert whole(world)


async def test_where_two_differ_both_are_asked_once(world: World, dana: Person, ruth: Person, carol: Person) -> None:
    await absent(world, ruth, dana, tap=True)
    asked = [message for message in world.to(dana) if "Were you there?" in message.text]
    mentor = [message for message in world.to(ruth) if "A mentee says they were there" in message.text]
    assert (len(asked), len(mentor)) == (1, 1)
    assert "a mentee and a mentor disagree on (1)" in said(await carol.sends("digest"))
    await dana.presses(asked[0], "The record is right")
    assert "already decided" in mentor[0].text
    assert "disagree" not in said(await carol.sends("digest"))
    assert steps(world, dana)[-1] == ("answer", "agreed")
    assert whole(world)


async def test_a_dispute_is_read_by_its_readers_alone(world: World, dana: Person, ruth: Person, carol: Person) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    assert form is not None
    assert form.confidential
    assert "Please leave out student names." in said(Reply(form=form))
    record = options(form)[0].value
    await dana.fills(form, record=record, readers="coordinator", text="CANARY I was there")
    assert not any("disputed" in message.text for message in world.to(ruth))
    asked = next(message for message in world.to(carol) if "A record is disputed" in message.text)
    assert "CANARY" not in "".join(message.text for message in world.port.messages)
    read = (await carol.presses(asked, "Read it")).form
    assert read is not None
    assert read.confidential
    assert "CANARY I was there" in said(await carol.presses(asked, "Read it"))
    with world.database.read() as tx:
        text = str(tx.scalar(select(dispute.c.id)))
        assert all(b"CANARY" not in row.sealed for row in tx.execute(select(vault_item)))
    assert said(await ruth.does_press("disputes.read", text)) == said(
        await ruth.does_press("disputes.read", str(UUID(int=9)))
    )
    again = await dana.fills(form, record=record, readers="mentor", text="again")
    assert "open dispute" in again.errors["record"]
    settle = (await carol.presses(asked, "Settle it")).form
    assert "I told the mentee" in said(await carol.fills(settle, outcome="stands"))
    assert "Dispute settled" in asked.text
    assert any("Your dispute is settled" in message.text for message in world.to(dana))
    assert [step for step in steps(world, dana) if step[0] == "dispute"] == [
        ("dispute", "opened"),
        ("dispute", "settled"),
    ]
    assert whole(world)


async def test_a_leave_is_asked_granted_and_stops_checkins(world: World, dana: Person, carol: Person) -> None:
    form = (await dana.sends("leave")).form
    await dana.fills(form, starts="2026-09-08", ends="2026-12-20", reason="family")
    asked = next(message for message in world.to(carol) if "leave request" in message.text)
    assert "Tue Sep 8, 2026 to Sun Dec 20, 2026 (Family or parental leave)" in asked.text
    await carol.presses(asked, "Approve")
    assert "Your leave is approved" in world.to(dana)[-1].text
    await world.go_to(datetime(2026, 12, 20, 12, 0, tzinfo=UTC))
    assert not any("How are things" in message.text for message in world.to(dana))
    assert "leave" in said(await dana.sends("progress")).lower()
    await world.go_to(datetime(2027, 1, 31, 12, 0, tzinfo=UTC))
    assert any("check-in" in message.text.lower() for message in world.to(dana))
    assert whole(world)


async def test_the_coordinator_opens_one_person_and_transfers_them(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    assert "only for coordinators" in said(await ruth.sends("person Dana"))
    assert "can't find anyone" in said(await carol.sends("person Nobody"))
    card = (await carol.sends("person dana reyes")).card
    assert card is not None
    form = (await carol.presses(card, "Transfer")).form
    assert form is not None
    gateway = next(option.value for option in options(form) if option.label == "Gateway")
    reply = await carol.fills(form, cohort=gateway, day="2026-09-07", reason="moved")
    assert "is in Gateway from Mon Sep 7, 2026" in said(reply)
    assert "Your record changed" in world.to(dana)[-1].text
    assert "Gateway" in said(await dana.sends("cohort"))
    assert steps(world, dana) == [("transfer", "made")]
    assert "Only coordinators" in said(await ruth.does_press("records.transfer", str(dana.id)))


async def test_credits_and_waivers_count_and_can_be_undone(world: World, dana: Person, carol: Person) -> None:
    card = (await carol.sends("person dana@example.org")).card
    assert card is not None
    form = (await carol.presses(card, "Credit")).form
    wrong = await carol.fills(form, rule="meetings", amount="3", reason="prior_program")
    assert wrong.errors == {"year": "Choose the program year."}
    reply = await carol.fills(form, rule="meetings", year="1", amount="3", reason="prior_program")
    assert "3 of 8" in said(await dana.sends("progress"))
    await carol.presses(reply, "Undo")
    assert "0 of 8" in said(await dana.sends("progress"))
    form = (await carol.presses(card, "Waive")).form
    await carol.fills(form, rule="contacts", year="1", amount="", reason="cohort")
    assert "waived" in said(await dana.sends("progress"))
    assert "Undone" not in said(await carol.presses(reply, "Undo"))
    assert steps(world, dana) == [("credit", "granted"), ("credit", "withdrawn"), ("waiver", "granted")]
    assert whole(world)


async def test_an_unset_value_is_filled_in_after_reading_the_english(world: World, dana: Person, carol: Person) -> None:
    with world.database.write() as tx:
        everybody_on(tx, policies.MISSOURI)
    assert "hasn't set" in said(await dana.sends("progress"))
    form = (await carol.does_press("policy.fill", policies.MISSOURI)).form
    assert form is not None
    fields = {field.label: field.id for field in form.fields}
    needed = fields["Meetings: how many are needed"]
    wrong = await carol.fills(form, **{needed: "many"})
    assert needed in wrong.errors
    step = await carol.fills(form, **{needed: "6"})
    assert "at least 6 in the year" in said(step)
    assert "Saved for everyone on" in said(await carol.fills(step.form))
    with world.database.read() as tx:
        assert policies.get(tx, policies.MISSOURI).unset
        mine = standings.of_people(tx, [dana.id], world.clock.at)[0]
        assert people.get(tx, dana.id).name == mine.name
    assert "6 meetings" in said(await dana.sends("progress")) or "of 6" in said(await dana.sends("progress"))
    assert "Only a coordinator" in said(await dana.does_press("policy.fill", policies.MISSOURI))
    assert "Years 1 and 2 each require" in said(await dana.sends("policy"))
