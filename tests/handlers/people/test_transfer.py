"""A move to another cohort: what waits goes on to the new mentors, what was written in confidence does not."""

from __future__ import annotations

from sqlalchemy import select

from storage.record.record_tables import dispute
from tests.handlers.scenes import absent, field, message, options, steps, transferred, whole
from tests.world import Person, World, said


async def test_what_waits_for_verification_is_put_to_the_new_mentors(
    world: World, dana: Person, ruth: Person, tom: Person, carol: Person
) -> None:
    form = (await dana.sends("log")).form
    await dana.fills(form, type="contact", day="2026-09-07", minutes="30", mode="phone")
    old = message(world, ruth, "An activity to verify")
    await transferred(world, carol, "dana reyes", "Gateway")
    assert "Someone else decides this now" in old.text
    asked = message(world, tom, "An activity to verify")
    assert "Dana Reyes: One-to-one contact with the mentor" in asked.text
    await tom.presses(asked, "Verify")
    assert steps(world, dana)[-1] == ("activity", "verified")
    assert "You no longer get this" in old.text, "what is decided of another mentor's mentee is not told"
    assert "1 of 2" in said(await dana.sends("progress"))
    assert whole(world)


async def test_a_make_up_goes_on_too_and_what_is_settled_stays(
    world: World, dana: Person, ruth: Person, tom: Person, carol: Person
) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("makeup")).form
    missed = options(form)[0].value
    await dana.fills(form, meeting=missed, type="observation", day="2026-09-10", minutes="60")
    form = (await dana.sends("log")).form
    await dana.fills(form, type="workshop", day="2026-09-09", minutes="90")
    await ruth.presses(message(world, ruth, "An activity to verify"), "Verify")
    await transferred(world, carol, "dana reyes", "Gateway", day="2026-09-10")
    assert not any("Activity" in message.text or "activity" in message.text for message in world.to(tom))
    await tom.presses(message(world, tom, "A make-up to approve"), "Approve")
    assert "1 of 8" in said(await dana.sends("progress"))


async def test_a_dispute_stays_with_those_it_was_written_to(
    world: World, dana: Person, ruth: Person, tom: Person, carol: Person
) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers="mentor", text="CANARY I sat by the door")
    asked = message(world, ruth, "A record is disputed")
    await world.pass_time(hours=1)
    await transferred(world, carol, "dana reyes", "Gateway", day="2026-09-10")
    with world.database.read() as tx:
        text = str(tx.scalar(select(dispute.c.id)))
    for press in ("disputes.read", "disputes.settle"):
        assert "I can't find that dispute." in said(await tom.does_press(press, text))
    assert not any("dispute" in message.text.lower() for message in world.to(tom))
    assert "CANARY" in said(await ruth.presses(asked, "Read it"))
    form = (await ruth.presses(asked, "Settle it")).form
    assert "Settled" in said(await ruth.fills(form, **{field(form, "Outcome"): "stands"}))
