"""A coordinator is led to choose or fill in a policy; nobody is told of absences that they do not have."""

from __future__ import annotations

import pytest

from storage.record import policies
from tests.handlers.scenes import absent
from tests.world import World, everybody_on, said


@pytest.fixture
def on_missouri(world: World) -> World:
    with world.database.write() as tx:
        everybody_on(tx, policies.MISSOURI)
        text = policies.shipped(policies.MISSOURI).text.replace('version = "2018"', 'version = "2018.1"', 1)
        policies.adopt(world.work(tx), text, world.clock.at.date(), None)
    return world


async def test_the_digest_leads_to_the_policy_while_something_is_unset(on_missouri: World) -> None:
    carol = on_missouri.matched("Carol Dietz", "carol@example.org")
    told = said(await carol.sends("digest"))
    assert "Choose or fill in a policy" in told
    assert "Missouri DESE counselor mentoring program, version 2018: 12 values not set, 4 mentees" in told
    assert "4 mentees" in told


async def test_the_first_message_to_a_coordinator_leads_to_the_policy(on_missouri: World) -> None:
    carol = on_missouri.account("Carol D.", "carol@example.org")
    await carol.sends("hello")
    question = await carol.sends("hello")
    await carol.presses(question, "Yes, that's me")
    welcome = on_missouri.to(carol)[-1]
    assert "First: choose or fill in a policy." in welcome.text
    assert "Fill in 12 values" in str((await carol.presses(welcome, "Choose or fill in a policy")).card)


async def test_a_complete_policy_is_not_mentioned(world: World) -> None:
    carol = world.matched("Carol Dietz", "carol@example.org")
    assert "Choose or fill in a policy" not in said(await carol.sends("digest"))


async def test_nobody_is_told_of_absences_that_they_do_not_have(on_missouri: World) -> None:
    dana = on_missouri.matched("Dana Reyes", "dana@example.org")
    ruth = on_missouri.matched("Ruth Ellison", "ruth@example.org")
    assert "Absences" not in said(await dana.sends("progress"))
    await absent(on_missouri, ruth, dana)
    assert "Absences" in said(await dana.sends("progress"))
