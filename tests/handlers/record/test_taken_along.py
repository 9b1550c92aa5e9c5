"""Who moves along to a new policy: mentees who are still in the program, never those who completed or left."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from bot.cli.roster import adopt_policy, mentees_to_move
from bot.settings import Settings
from storage.record import enrolments, policies
from tests.completion import approved
from tests.handlers.scenes import steps, whole
from tests.world import OPERATOR_KEY, Person, World, said

FROM = date(2026, 7, 1)


@pytest.fixture
def settings(world: World) -> Settings:
    url = world.database.url.render_as_string(hide_password=False)
    return Settings(plc_database_url=url, plc_port=0, plc_encryption_keys=OPERATOR_KEY)


def newer(policy: str) -> str:
    """A policy's document as a version of its own."""
    text = policies.shipped(policy).text
    return text.replace('version = "1"', 'version = "9"', 1).replace('version = "2018"', 'version = "2099"', 1)


async def test_whoever_holds_a_certificate_stays_complete(
    world: World, settings: Settings, carol: Person, dana: Person
) -> None:
    await approved(world, carol)
    heard = len(world.to(dana))
    assert mentees_to_move(settings, newer(policies.MISSOURI)) == 3
    told = adopt_policy(settings, newer(policies.MISSOURI), FROM, world.clock.at, uuid4, take_along=True)
    await world.settle()
    assert "3 mentees moved to it." in told
    assert world.to(dana)[heard:] == []
    assert ("policy", "moved") not in steps(world, dana)
    assert "Completion is approved" in said(await dana.sends("progress"))
    assert "hasn't set" not in said(await dana.sends("progress"))
    assert whole(world)


async def test_whoever_left_is_not_told_of_new_requirements(
    world: World, settings: Settings, carol: Person, lee: Person
) -> None:
    form = (await carol.presses(await carol.sends("person lee okafor"), "Remove from program")).form
    await carol.fills(form, reason="moved")
    heard = len(world.to(lee))
    assert mentees_to_move(settings, newer(policies.EXAMPLE)) == 3
    assert "3 mentees moved" in adopt_policy(
        settings, newer(policies.EXAMPLE), FROM, world.clock.at, uuid4, take_along=True
    )
    await world.settle()
    assert world.to(lee)[heard:] == []
    with world.database.read() as tx:
        stays = enrolments.of_person(tx, lee.id)
    assert stays is not None
    assert stays.policy.name == policies.EXAMPLE
