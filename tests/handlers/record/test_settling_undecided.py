"""Disputes about what nobody decided yet, what no longer counts, and meetings that were cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.core.requests import Reply
from storage.meetings import meetings
from tests.handlers.record.test_corrections import disputed
from tests.handlers.record.test_settling import SETTLED, disputes_newest, settle_form
from tests.handlers.scenes import lines, message, options, steps, whole
from tests.world import Person, Posted, World, buttons_of, said

BOTH = ["The record was wrong. It is corrected", "The record stands"]


async def logged(dana: Person) -> Reply:
    """Dana logs a contact that waits for her mentor, and disputes it."""
    reply = await dana.fills(
        (await dana.sends("log")).form, type="contact", day="2026-09-07", minutes="30", mode="phone"
    )
    await disputes_newest(dana, "One-to-one", "mentor")
    return reply


def ways(posted: Posted) -> list[str]:
    return [shown.label for shown in buttons_of(posted.card)]


async def test_what_nobody_decided_is_decided_and_not_corrected(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await logged(dana)
    card = message(world, ruth, "A record is disputed")
    assert ways(card) == ["Read it", "Decide it", "Settle it"]
    assert ways(message(world, carol, "A record is disputed")) == ["Read it", "Settle it"], "it waits for the mentor"
    form = await settle_form(ruth, world)
    assert "Decline it first" in form.fields[0].hint
    led = await ruth.fills(form, outcome="corrected")
    assert said(led).startswith("Nothing is decided yet\nNo one has decided this yet. Decide it first")
    question = await ruth.presses(led, "Decide it")
    assert said(question).startswith("An activity to verify")
    assert "Activity declined" in said(await ruth.presses(question, "Decline"))
    assert ways(card) == ["Read it", "Correct it", "Settle it"], "from then on it can be corrected"
    assert said(await ruth.presses(led, "Decide it")) == "That's already decided."


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("corrected", "The record was wrong. It is corrected."), ("stands", "The record stands.")],
)
@pytest.mark.parametrize("step", ["declined", "withdrawn"])
async def test_an_activity_that_no_longer_counts_settles_either_way_and_its_mentee_is_told_so(
    world: World, dana: Person, ruth: Person, step: str, outcome: str, told: str
) -> None:
    reply = await logged(dana)
    older = await settle_form(ruth, world)
    if step == "declined":
        await ruth.presses(message(world, ruth, "An activity to verify"), "Decline")
    else:
        await dana.presses(reply, "Withdraw")
        assert ways(message(world, ruth, "A record is disputed")) == ["Read it", "Settle it"]
    assert steps(world, dana)[-1] == ("activity", step), "whether it answers the dispute, a person says"
    now = f"The activity was {step}, so it doesn't count."
    newer = await settle_form(ruth, world)
    assert [option.label for option in options(newer)] == BOTH
    assert f"Changed since the dispute was opened. {now}" in said(Reply(form=newer))
    await ruth.fills(older, outcome=outcome)
    assert steps(world, dana)[-1] == SETTLED
    assert f"{told}\n{now}" in world.to(dana)[-1].text
    assert whole(world)


async def test_a_declined_activity_that_is_corrected_back_says_what_was_disputed(
    world: World, dana: Person, ruth: Person
) -> None:
    await logged(dana)
    await ruth.presses(message(world, ruth, "An activity to verify"), "Decline")
    form = (await ruth.presses(message(world, ruth, "A record is disputed"), "Correct it")).form
    assert form is not None
    await ruth.fills(form, status="counts", minutes="30", reason="told_later")
    assert steps(world, dana)[-1] == ("activity", "corrected")
    labels = [option.label for option in options(await settle_form(ruth, world))]
    assert labels == ["The record is wrong: correct it", "The record stands"]


@pytest.mark.parametrize("outcome", ["corrected", "stands"])
async def test_a_dispute_about_a_meeting_that_was_cancelled_since_is_settled(
    world: World, dana: Person, ruth: Person, carol: Person, outcome: str
) -> None:
    await disputed(world, dana, ruth)
    world.clock.at += timedelta(minutes=1)
    with world.database.write() as tx:
        meeting_id = next(line.meeting_id for line in lines(world, dana) if line.meeting_id)
        meetings.cancel(world.work(tx), meetings.get(tx, meeting_id), "weather", carol.id)
    form = await settle_form(carol, world)
    assert [option.label for option in options(form)] == BOTH
    cancelled = "The meeting was cancelled. It doesn't count as an absence."
    assert cancelled in said(Reply(form=form))
    assert "Settled: " in said(await carol.fills(form, outcome=outcome))
    assert cancelled in world.to(dana)[-1].text
