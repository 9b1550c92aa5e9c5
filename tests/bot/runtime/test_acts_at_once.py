"""Acts that meet: what is decided by what is read is decided once, however many do so at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from program.meetings.attendance import Mark
from storage.core.database import Tx
from storage.meetings import attendance
from tests.handlers.scenes import MEETING_STARTS, steps, whole
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import World, said


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite's writers come one after the other
async def test_a_tap_that_lands_while_another_is_being_decided_is_no_second_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruth, dana = world.matched("Ruth Ellison", "ruth@example.org"), world.matched("Dana Reyes", "dana@example.org")
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_STARTS)
    card = world.in_channel(HOME)[-1]
    loop = asyncio.get_running_loop()
    read = attendance.of_meeting
    between: list[str] = []

    def reads_and_is_overtaken(tx: Tx, meeting_id: UUID) -> dict[UUID, Mark]:
        marks = read(tx, meeting_id)
        if not between:
            between.append("")
            tap = asyncio.run_coroutine_threadsafe(dana.presses(card, "I'm here", HOME), loop)
            between[0] = said(tap.result(60))
        return marks

    monkeypatch.setattr(attendance, "of_meeting", reads_and_is_overtaken)
    overtaken = said(await dana.presses(card, "I'm here", HOME))
    assert between[0].startswith("You're marked as here, ")
    assert overtaken.startswith("You're already marked here.")
    assert steps(world, dana) == [("attendance", "tapped")]
    assert whole(world)
