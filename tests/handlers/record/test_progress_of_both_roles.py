"""A coordinator who mentors a cohort sees the program, as help says, and their cohort one tap away."""

from __future__ import annotations

from storage.people import people
from tests.world import Person, World, said


def _make_coordinator(world: World, person: Person) -> None:
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), person.id, people.ROSTER)


async def test_a_coordinator_who_mentors_one_cohort_sees_the_program_and_opens_their_cohort(
    world: World, ruth: Person
) -> None:
    _make_coordinator(world, ruth)
    shown = await ruth.sends("progress")
    assert "Progress of the program" in said(shown)
    assert "Gateway" in said(shown)
    own = said(await ruth.presses(shown, "Ozarks"))
    assert "Dana Reyes" in own
    assert "Gateway" not in own


async def test_a_coordinator_who_mentors_nobody_has_no_button_to_a_cohort(world: World, carol: Person) -> None:
    assert "You mentor" not in said(await carol.sends("progress"))
