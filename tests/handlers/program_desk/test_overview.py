"""A coordinator finds mentees by state, cohort and region, and opens one of them."""

from __future__ import annotations

from handlers.core.forms import ChoiceField
from tests.handlers.scenes import absent, options
from tests.world import Person, World, buttons_of, said


def many(world: World, count: int) -> None:
    """More mentees of Gateway."""
    rows = [f"Gateway,East,mentee,Extra {number},extra{number}@example.org,2026-07-01" for number in range(count)]
    world.import_roster("\n".join(["cohort,region,role,name,email,program start", *rows]))


async def test_mentees_are_found_by_state_cohort_and_region(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await absent(world, ruth, dana)
    program = await carol.sends("progress")
    form = (await carol.presses(program, "Find mentees")).form
    assert form is not None
    assert [field.label for field in form.fields] == ["Standing", "Cohort", "Region"]
    assert [option.label for option in options(form)][:3] == ["Behind or at risk", "Complete", "On track"]
    everybody = said(await carol.fills(form))
    assert "4 mentees." in everybody
    region = form.fields[2]
    assert isinstance(region, ChoiceField)
    east = next(option.value for option in region.options if option.label == "East")
    assert "East: 1 mentee." in said(await carol.fills(form, region=east))
    assert "Jordan Blake, Gateway: on track; Meetings 0 of 8" in said(await carol.fills(form, region=east))
    assert "Behind or at risk: 1 mentee." in said(await carol.fills(form, state="help"))
    assert "On track; East: 1 mentee." in said(await carol.fills(form, state="on_track", region=east))
    assert "Complete: 0 mentees." in said(await carol.fills(form, state="complete"))
    reply = await carol.fills(form, state="at_risk")
    assert "Dana Reyes, Ozarks: at risk; Meetings 0 of 8" in said(reply)
    assert "Track: none" in said(await carol.presses(reply, "Dana Reyes"))
    assert "Dana Reyes" in said(await carol.presses(program, "Who needs help"))


async def test_what_is_found_is_paged(world: World, carol: Person) -> None:
    many(world, 14)
    form = (await carol.does_press("overview.find")).form
    first = await carol.fills(form)
    assert first.card is not None
    assert "18 mentees." in said(first)
    assert "Page 1 of 3" in said(first)
    second = await carol.presses(first, "More")
    assert second.replace is not None
    assert "Page 2 of 3" in said(second)
    last = await carol.presses(second.replace, "More")
    assert last.replace is not None
    assert [button.label for button in buttons_of(last.replace)][-1] == "Earlier"
    seen = [
        button.label
        for card in (first.card, second.replace, last.replace)
        for button in buttons_of(card)
        if button.action.name == "records.open"
    ]
    assert len(set(seen)) == len(seen) == 18
    assert "Page 2 of 3" in said(await carol.presses(last.replace, "Earlier"))
    assert "Page 3 of 3" in said(await carol.does_press("overview.page", "", "", "", "99"))
    assert "Page 1 of 3" in said(await carol.does_press("overview.page", "", "", "", "-1"))


async def test_only_coordinators_look_through_the_program(world: World, ruth: Person, carol: Person) -> None:
    for press in (("overview.find",), ("overview.help",), ("overview.page", "", "", "", "0")):
        assert "Only coordinators" in said(await ruth.does_press(*press))
    assert "This button is too old." in said(await carol.does_press("overview.page", "help"))
