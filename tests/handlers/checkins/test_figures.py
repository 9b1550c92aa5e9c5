"""Figures about check-ins: made once a month from those who could have answered, shown to coordinators alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.runtime.port import Permanent
from program.checkins.figures import Figure
from storage.checkins import consent, figures
from storage.checkins.checkins_tables import figure, participation
from storage.outbox.due import Moment
from storage.people import cohorts
from storage.vault.vault_tables import person_key
from tests.world import Person, World, said

MADE = datetime(2026, 10, 10, 11, 0, tzinfo=UTC)  # six in Missouri
NAMES = [f"Mentee {letter}" for letter in "ABCDEFGHIJKLMNOPQR"]


def address(name: str) -> str:
    return f"{name[-1].lower()}@example.org"


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


def many(world: World, count: int) -> list[Person]:
    """A cohort of so many mentees, all matched and agreed."""
    rows = "\n".join(f"Plains,mentee,{name},{address(name)}" for name in NAMES[:count])
    world.import_roster(f"cohort,role,name,email\n{rows}\n")
    return [world.matched(name, address(name)) for name in NAMES[:count]]


async def answer(world: World, someone: Person, number: str) -> None:
    asked = next(posted for posted in reversed(world.to(someone)) if "How are things" in posted.text)
    await someone.presses(asked, {"1": "1 hard", "5": "5 great"}.get(number, number))


async def in_september(world: World, people: list[Person], numbers: str) -> None:
    await world.go_to(datetime(2026, 9, 11, 12, 0, tzinfo=UTC))
    for someone, number in zip(people, numbers, strict=False):
        await answer(world, someone, number)


def stored(world: World) -> list[tuple[str, int, int, str]]:
    with world.database.read() as tx:
        groups = figures.of_month(tx, date(2026, 9, 1))
    return [(group.name, group.members, group.figure.at_least, group.figure.mood) for group in groups]


async def test_a_month_is_made_once_and_shown_to_the_coordinator_without_names(world: World, carol: Person) -> None:
    people = many(world, 8)
    await in_september(world, people, "5544412")
    await world.go_to(MADE - timedelta(minutes=1))
    assert "No figures yet" in said(await carol.sends("figures"))
    await world.go_to(MADE)
    assert stored(world) == [("Plains", 8, 5, "well")]
    shown = said(await carol.sends("figures"))
    assert "Check-ins in September 2026" in shown
    assert "Group: Plains, Answered: at least 5 of 8, Mood: mostly good (4 or 5)" in shown
    assert "Mentee" not in shown
    assert "check-in figures for September are ready" in said(await carol.sends("digest"))
    for other in (people[0], world.matched("Ruth Ellison", "ruth@example.org")):
        assert "is only for coordinators" in said(await other.sends("figures"))
    assert "Only coordinators" in said(await people[0].does_press("figures.month", "2026-09-01"))

    with world.database.write() as tx:  # whoever asks for it again gets what was stored
        consent.decide(world.work(tx), people[0].id, None, consent.DECLINED)
        world.product.router.moments["figures.month"].handler(world.work(tx), moment_of(world), world.vault)
    assert stored(world) == [("Plains", 8, 5, "well")]
    with pytest.raises(Exception, match="append-only"), world.database.write() as tx:
        tx.execute(figure.delete())


async def test_a_damaged_key_costs_nobody_else_their_figures(world: World, carol: Person) -> None:
    people = many(world, 8)
    await in_september(world, people, "55444125")
    with world.database.write() as tx:
        tx.execute(update(person_key).where(person_key.c.person_id == people[0].id).values(wrapped=b""))
    await world.go_to(MADE)
    assert stored(world) == [("Plains", 8, 5, "well")]


def moment_of(world: World) -> Moment:
    return Moment(world.new_id(), "figures.month", "2026-09-01", 0, MADE, 0)


async def test_too_few_answers_show_nothing(world: World, carol: Person) -> None:
    await in_september(world, many(world, 8), "5555")
    await world.go_to(MADE)
    assert stored(world) == [("Plains", 8, 0, "")]
    assert "Group: Plains, Answered: not shown, Mood: not shown" in said(await carol.sends("figures"))


async def test_small_cohorts_are_taken_together(world: World, carol: Person) -> None:
    """Ozarks and Gateway have four mentees, the new cohort has five."""
    people = many(world, 5)
    people += [
        world.matched(name, email)
        for name, email in (("Dana Reyes", "dana@example.org"), ("Jordan Blake", "jordan@example.org"))
    ]
    await in_september(world, people, "1121211")
    await world.go_to(MADE)
    assert stored(world) == [("The program", 7, 5, "hard")]


async def test_who_declined_is_not_counted_and_the_group_is_as_large(world: World, carol: Person) -> None:
    people = many(world, 9)
    await in_september(world, people, "111115")
    with world.database.write() as tx:
        consent.decide(world.work(tx), people[0].id, None, consent.DECLINED)
    await world.go_to(MADE)
    assert stored(world) == [("Plains", 9, 5, "hard")]


async def test_the_years_counts_come_once_and_keep_a_reserve(world: World, carol: Person) -> None:
    people = many(world, 18)
    with world.database.write() as tx:
        for someone in people[:5]:
            consent.decide(world.work(tx), someone.id, None, consent.DECLINED)
    await world.go_to(datetime(2026, 9, 11, 12, 0, tzinfo=UTC))
    for someone in people[5:]:
        await answer(world, someone, "3")
    await world.go_to(MADE)
    assert stored(world) == [("Plains", 18, 10, "mixed")]
    shown = said(await carol.sends("figures"))
    assert "This school year, in the whole program: at least 5 declined, fewer than 5 paused." in shown
    await world.go_to(datetime(2026, 11, 10, 13, 0, tzinfo=UTC))
    with world.database.read() as tx:
        assert len(tx.execute(select(participation)).all()) == 1
        assert [group.figure for group in figures.of_month(tx, date(2026, 10, 1))] == [Figure()]
    later = await carol.sends("figures")
    assert "Check-ins in October 2026" in said(later)
    assert "Check-ins in September 2026" in said(await carol.presses(later, "September 2026"))


async def test_the_reserve_goes_with_people_who_move_to_another_cohort(world: World, carol: Person) -> None:
    people = many(world, 18)
    with world.database.write() as tx:
        for someone in people[:5]:
            consent.decide(world.work(tx), someone.id, None, consent.DECLINED)
    await world.go_to(MADE)
    with world.database.write() as tx:
        work, there = world.work(tx), {cohort.name: cohort.id for cohort in cohorts.all_cohorts(tx)}
        for someone in people[:12]:
            cohorts.leave(work, there["Plains"], someone.id, None)
            cohorts.join(work, there["Gateway"], someone.id, "mentee", None)
        assert figures.keeping_the_reserve(tx, date(2026, 7, 1)) == {person.id for person in people}
    await world.go_to(datetime(2026, 11, 10, 13, 0, tzinfo=UTC))
    with world.database.read() as tx:
        kept = tx.execute(select(figure.c.name, figure.c.reserved).where(figure.c.month == date(2026, 10, 1))).all()
    assert [tuple(row) for row in kept] == [("Gateway", 5)]


async def test_a_failed_checkin_is_not_told_to_the_coordinator(world: World, carol: Person) -> None:
    many(world, 1)
    world.port.failures = [Permanent("the account is closed")]
    await world.go_to(datetime(2026, 9, 10, 20, 0, tzinfo=UTC))
    shown = said(await carol.sends("digest"))
    assert "the account is closed" not in shown
    assert "check-in" not in shown
