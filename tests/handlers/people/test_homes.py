"""A cohort's home channel: the newest wish counts, and everybody hears of their own cohort alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.runtime.port import Address, Outgoing, Sent, Temporary, Visit
from handlers.core.requests import Command, Place, Press
from storage.outbox.outbox_tables import conversation
from storage.people import people
from storage.people.people_tables import cohort
from tests.handlers.test_story import HOME, linked
from tests.world import Person, World, button, said

LINK = Command("cohort link")


def homes(world: World) -> dict[str, str]:
    """The external id of each cohort's home."""
    query = select(cohort.c.name, conversation.c.external).join_from(
        cohort, conversation, cohort.c.home_id == conversation.c.id
    )
    with world.database.read() as tx:
        return {row.name: row.external for row in tx.execute(query)}


async def _removes_ruth(carol: Person) -> None:
    card = (await carol.tries(Command("person ruth ellison"))).card
    assert card is not None
    await carol.tries(Press(button(card, "Remove as mentor of Ozarks")))


async def test_two_cohorts_link_one_channel_and_the_second_hears_nothing_of_the_first(
    world: World, ruth: Person, tom: Person
) -> None:
    world.port.channels["C1"] = [ruth.user, tom.user]
    await ruth.tries(LINK, "C1")
    world.clock.at += timedelta(seconds=1)
    await tom.tries(LINK, "C1")
    await world.settle()
    assert homes(world) == {"Ozarks": "C1"}
    assert "Ozarks is set up" in world.to(ruth)[-1].text
    text = world.to(tom)[-1].text
    assert "it was another cohort's home" in text
    assert "has no home channel" in said(await tom.sends("cohort unlink"))
    assert "Ozarks" not in text
    assert "@example.org" not in text
    assert [message.text.splitlines()[0] for message in world.in_channel("C1")] == ["Hello, Ozarks"]


async def test_a_mentor_who_is_removed_while_the_bot_is_on_its_way_is_not_sent_the_names(
    world: World, ruth: Person, carol: Person
) -> None:
    world.port.channels["C1"] = [ruth.user]
    await ruth.tries(LINK, "C1")

    async def after_the_visit(place: Place) -> Visit:
        await _removes_ruth(carol)
        return Visit((), name=place.conversation)

    setattr(world.port, "visit", after_the_visit)  # noqa: B010 -- a method of one object, replaced for a test
    await world.settle()
    text = "\n".join(message.text for message in world.to(ruth))
    assert "you no longer lead the cohort" in text
    assert "@example.org" not in text
    assert homes(world) == {}


async def test_a_mentor_who_is_removed_before_the_report_goes_out_is_not_sent_the_names(
    world: World, ruth: Person, carol: Person
) -> None:
    world.port.channels["C1"] = [ruth.user]
    await ruth.tries(LINK, "C1")
    post = world.port.post

    async def hello_first(to: Address, message: Outgoing) -> Sent:
        if "Hello, Ozarks" in message.card.title:
            await _removes_ruth(carol)
        elif to.conversation != "C1" and to.user == ruth.user:
            raise Temporary("busy")
        return await post(to, message)

    setattr(world.port, "post", hello_first)  # noqa: B010 -- a method of one object, replaced for a test
    await world.settle()
    setattr(world.port, "post", post)  # noqa: B010 -- put back
    await world.pass_time(minutes=5)
    assert homes(world) == {"Ozarks": "C1"}
    assert world.to(ruth) == []


async def test_a_channel_that_is_unlinked_while_the_bot_is_on_its_way_stays_unlinked(
    world: World, ruth: Person
) -> None:
    await linked(world, ruth)
    world.port.channels["C1"] = [ruth.user]
    await ruth.tries(LINK, "C1")
    world.clock.at += timedelta(seconds=1)
    asked = (await ruth.tries(Command("cohort unlink"), "C1")).card
    assert asked is not None
    assert homes(world) == {"Ozarks": HOME}, "unlinking asks first"
    done = await ruth.tries(Press(button(asked, "Unlink it")), "C1")
    assert "no home channel now" in said(done)
    await world.settle()
    assert homes(world) == {}
    assert "Nothing has changed" in world.to(ruth)[-1].text
    assert world.in_channel("C1") == []


async def test_a_first_link_is_taken_back_before_the_bot_is_in(world: World, ruth: Person) -> None:
    world.port.channels["C1"] = [ruth.user]
    await ruth.tries(LINK, "C1")
    asked = (await ruth.tries(Command("cohort unlink"), "C1")).card
    assert asked is not None
    await ruth.tries(Press(button(asked, "Unlink it")), "C1")
    await world.settle()
    assert homes(world) == {}
    assert "has no home channel" in said(await ruth.does_press("cohort.unlink", *button(asked, "Unlink it").args))


async def test_an_older_link_that_comes_late_does_not_win(world: World, ruth: Person) -> None:
    world.port.channels |= {"A": [ruth.user], "B": [ruth.user]}
    visit, busy = world.port.visit, ["A"]

    async def late(place: Place) -> Visit:
        if place.conversation in busy:
            busy.remove(place.conversation)
            raise Temporary("busy")
        return await visit(place)

    setattr(world.port, "visit", late)  # noqa: B010 -- a method of one object, replaced for a test
    await ruth.sends("cohort link", "A")
    world.clock.at += timedelta(seconds=1)
    await ruth.sends("cohort link", "B")
    assert homes(world) == {"Ozarks": "B"}
    await world.pass_time(minutes=2)
    assert homes(world) == {"Ozarks": "B"}
    assert world.in_channel("A") == []


async def test_linking_the_home_again_is_answered_privately_alone(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    before = len(world.port.messages)
    world.clock.at += timedelta(minutes=1)
    assert "already the home of Ozarks" in said(await ruth.sends("cohort link", HOME))
    assert len(world.port.messages) == before


@pytest.mark.parametrize("mentors", [False, True], ids=["coordinator", "coordinator and mentor"])
async def test_a_coordinators_welcome_says_what_meetings_are_to_them(world: World, mentors: bool) -> None:
    email = "ruth@example.org" if mentors else "new@example.org"
    with world.database.write() as tx:
        people.ensure_coordinators(world.work(tx), [email, "carol@example.org"], "America/Chicago")
    someone = world.account("Ruth Ellison" if mentors else "New", email)
    await someone.presses(await someone.sends("help"), "Yes, that's me")
    text = next(message.text for message in world.to(someone) if message.text.startswith("Welcome"))
    assert ("You answer with one tap." in text) is mentors
    assert ("I announce them to each cohort and remind people." in text) is not mentors
