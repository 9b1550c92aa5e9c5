"""The digest says who needs help and how, and keeps codes behind a button."""

from __future__ import annotations

from datetime import timedelta

from tests.handlers.record.test_progress import mark, meet
from tests.world import Person, World, said


async def test_whoever_needs_help_is_listed_with_their_standing(
    world: World, ruth: Person, lee: Person, carol: Person
) -> None:
    first, *_ = meet(world, ruth, 8)
    mark(world, first, lee, "absent", ruth)
    world.clock.at += timedelta(days=7)
    told = said(await carol.sends("digest"))
    assert "Mentees who need help (1)\n- Lee Okafor, Ozarks: at risk" in told
    assert "behind" not in told


async def test_the_check_code_is_behind_details(world: World, carol: Person, ruth: Person) -> None:
    await world.pass_time(days=8)
    digest = next(message for message in reversed(world.to(carol)) if "Weekly digest" in message.text)
    assert "check code" not in digest.text
    details = (await carol.presses(digest, "Details")).form
    assert details is not None
    assert "Record check code" in str(details.blocks)
    assert "Only coordinators" in said(await ruth.does_press("digest.details"))
