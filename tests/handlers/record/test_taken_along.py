"""Who moves along to a new policy: mentees who are still in the program, never those who completed or left."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from bot.cli.roster import adopt_policy, mentees_to_move
from bot.settings import Settings
from storage.record import enrolments, policies
from tests.completion import approved
from tests.handlers.scenes import lines, message, steps, whole
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
    assert mentees_to_move(settings, newer(policies.MISSOURI), world.clock.at) == 3
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
    assert mentees_to_move(settings, newer(policies.EXAMPLE), world.clock.at) == 3
    assert "3 mentees moved" in adopt_policy(
        settings, newer(policies.EXAMPLE), FROM, world.clock.at, uuid4, take_along=True
    )
    await world.settle()
    assert world.to(lee)[heard:] == []
    with world.database.read() as tx:
        stays = enrolments.of_person(tx, lee.id)
    assert stays is not None
    assert stays.policy.name == policies.EXAMPLE


async def waived(carol: Person, name: str = "person dana reyes") -> None:
    """Everything of this mentee is waived, which completes them."""
    for rule in ("meetings", "contacts"):
        form = (await carol.presses(await carol.sends(name), "Waive")).form
        await carol.fills(form, rule=rule, year="", amount="", day="2026-09-07", reason="prior_program")


async def test_whoever_waits_for_approval_keeps_their_policy(
    world: World, settings: Settings, carol: Person, dana: Person
) -> None:
    await waived(carol)
    text = newer(policies.MISSOURI)
    assert mentees_to_move(settings, text, world.clock.at) == 3
    assert "3 mentees moved" in adopt_policy(settings, text, FROM, world.clock.at, uuid4, take_along=True)
    await world.settle()
    assert ("policy", "moved") not in steps(world, dana)
    assert "Approve and issue" in message(world, carol, "Dana Reyes has completed the program").text
    assert "Every requirement is met." in said(await dana.sends("progress"))


async def test_the_coordinator_is_asked_as_soon_as_a_waiver_completes_somebody(
    world: World, carol: Person, dana: Person
) -> None:
    await waived(carol)
    await world.settle()
    assert "The coordinator has been asked to approve completion." in said(await dana.sends("progress"))
    message(world, carol, "Dana Reyes has completed the program")
    await carol.does_press("records.undo", str(dana.id), str(lines(world, dana)[-1].id))
    await world.settle()
    assert "no longer meets every requirement" in message(world, carol, "Nothing to approve").text


async def test_a_move_asks_about_whoever_it_completes_and_takes_back_the_question(
    world: World, settings: Settings, carol: Person, dana: Person
) -> None:
    await waived(carol)
    form = (await carol.presses(await carol.sends("person dana reyes"), "Change policy")).form
    step = await carol.fills(form, policy=policies.MISSOURI, reason="asked")
    await carol.fills(step.form)
    await world.settle()
    message(world, carol, "Nothing to approve")


async def test_the_policy_of_whoever_left_is_nobodys(world: World, carol: Person, lee: Person) -> None:
    with world.database.write() as tx:
        enrolments.change_row(tx, lee.id, {"policy": policies.MISSOURI})
    assert "1 mentee can't complete the program yet." in said(await carol.sends("digest"))
    form = (await carol.presses(await carol.sends("person lee okafor"), "Remove from program")).form
    await carol.fills(form, reason="moved")
    assert "Choose or fill in a policy" not in said(await carol.sends("digest"))
    with world.database.read() as tx:
        assert policies.in_use(tx) == {policies.EXAMPLE: 3}
