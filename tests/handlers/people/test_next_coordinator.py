"""What waits for a coordinator's decision is put to whoever is coordinator next, and can be opened by them."""

from __future__ import annotations

import pytest

from handlers.core.requests import Reply
from handlers.people import handover
from tests.completion import attended
from tests.handlers.scenes import absent, message, options
from tests.world import Person, World, buttons_of, said

CAROL, BOSS = "carol@example.org", "boss@example.org"


async def _asks_for_leave(dana: Person) -> None:
    form = (await dana.sends("leave")).form
    assert form is not None
    await dana.fills(form, starts="2026-10-01", ends="2026-12-01", reason="health")


async def _disputes(dana: Person) -> None:
    form = (await dana.sends("dispute")).form
    assert form is not None
    await dana.fills(form, record=options(form)[0].value, readers="coordinator", text="I was there.")


def _named(world: World, *addresses: str) -> None:
    """As at a start of the process with these addresses in the settings."""
    with world.database.write() as tx:
        handover.ensure_coordinators(world.work(tx), addresses)


def _labels(reply: Reply) -> list[str]:
    assert reply.card is not None
    return [button.label for button in buttons_of(reply.card)]


@pytest.fixture
async def boss(world: World, ruth: Person, dana: Person, carol: Person) -> Person:
    """Becomes a coordinator by the settings after Dana asked for a leave and disputed a record."""
    await absent(world, ruth, dana)
    await _disputes(dana)
    await _asks_for_leave(dana)
    _named(world, BOSS)
    boss = world.matched("Boss", BOSS)
    await world.settle()
    return boss


async def test_what_waits_is_put_to_a_coordinator_whom_the_settings_name(world: World, boss: Person) -> None:
    await boss.presses(message(world, boss, "A leave request to decide"), "Approve")
    read = await boss.presses(message(world, boss, "A record is disputed"), "Read it")
    assert "I was there." in said(read)


async def test_the_cards_of_a_coordinator_whose_role_ended_are_closed_and_come_back(
    world: World, boss: Person, carol: Person
) -> None:
    ended = await boss.presses(await boss.sends("person carol"), "End coordinator role")
    closed = [posted.text for posted in world.to(carol) if "You no longer get this" in posted.text]
    assert len(closed) == 2
    assert not [posted for posted in world.to(carol) if "to decide" in posted.text or "disputed" in posted.text]
    await boss.presses(ended, "Undo")
    assert message(world, carol, "A leave request to decide")
    assert message(world, carol, "A record is disputed")


@pytest.mark.parametrize("words", ["digest", "person dana"])
async def test_the_digest_and_the_person_lead_to_what_waits(world: World, boss: Person, words: str) -> None:
    assert "Approve" in _labels(await boss.presses(await boss.sends(words), "Dana Reyes"))
    opened = await boss.presses(await boss.sends(words), "Open the dispute")
    assert {"Read it", "Settle it"} <= set(_labels(opened))


async def test_what_is_decided_is_listed_no_more(world: World, boss: Person) -> None:
    await boss.presses(message(world, boss, "A leave request to decide"), "Decline")
    assert "Leave requests to decide" not in said(await boss.sends("digest"))


async def test_who_leaves_the_settings_keeps_no_open_question(world: World, boss: Person, carol: Person) -> None:
    _named(world, CAROL)
    await world.settle()
    assert "You no longer get this" in "\n".join(posted.text for posted in world.to(boss))
    assert not [posted for posted in world.to(boss) if "to decide" in posted.text or "disputed" in posted.text]


async def test_the_same_settings_again_send_nothing(world: World, boss: Person) -> None:
    sent = len(world.port.messages)
    _named(world, BOSS)
    await world.settle()
    assert len(world.port.messages) == sent


async def test_an_approval_that_waits_is_put_to_the_next_coordinator(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    await world.pass_time(days=1)
    _named(world, BOSS)
    boss = world.matched("Boss", BOSS)
    await world.settle()
    await boss.presses(await boss.sends("person carol"), "End coordinator role")
    assert not [posted for posted in world.to(carol) if "has completed the program" in posted.text]
    approved = await boss.presses(message(world, boss, "has completed the program"), "Approve and issue")
    assert "certificate issued" in said(approved)
