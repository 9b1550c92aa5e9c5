"""A form that was opened when there was nothing to ask is still good when there is."""

from __future__ import annotations

from sqlalchemy import select

from handlers.core.actions import SentAction
from handlers.core.requests import Submit
from storage.meetings.meetings_tables import meeting
from storage.people.people_tables import cohort
from tests.handlers.test_story import linked, meeting_id, scheduled
from tests.world import Person, World, said


async def test_a_cancellation_that_was_not_asked_how_far_it_reaches_is_of_one_meeting(
    world: World, ruth: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    sent = SentAction("meetings.cancelled", (meeting_id(world),))
    assert "Cancelled 1 meeting." in said(await ruth.does(Submit(sent, {"reason": ("weather",)})))
    with world.database.read() as tx:
        cancelled = tx.scalars(select(meeting.c.cancelled_at).order_by(meeting.c.starts_at)).all()
    assert len(cancelled) > 1
    assert [at is not None for at in cancelled] == [True] + [False] * (len(cancelled) - 1)


async def test_a_break_that_was_not_asked_whose_it_is_is_the_cohorts(world: World, carol: Person) -> None:
    with world.database.read() as tx:
        ozarks = str(tx.scalar(select(cohort.c.id).where(cohort.c.name == "Ozarks")))
    values = {"label": ("Rest",), "starts": ("2026-10-01",), "ends": ("2026-10-02",)}
    preview = await carol.does(Submit(SentAction("breaks.preview", (ozarks,)), values))
    assert not preview.errors
    await carol.fills(preview.form)
    assert "Rest, Thu Oct 1, 2026 to Fri Oct 2, 2026 (Ozarks)" in said(
        await carol.presses(await carol.sends("breaks"), "Ozarks")
    )
    refused = await carol.does(Submit(SentAction("breaks.preview", (ozarks,)), {**values, "scope": ("everybody",)}))
    assert refused.errors == {"scope": "Choose one of the options."}
