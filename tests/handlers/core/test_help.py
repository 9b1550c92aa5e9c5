"""Help says of each command what it does for who asks."""

from __future__ import annotations

import pytest

from handlers.features import router
from tests.world import Person, World, said

ROLES = ("mentee", "mentor", "coordinator")


async def test_a_mentee_reads_only_what_mentees_can_do(world: World, dana: Person) -> None:
    text = said(await dana.sends("help"))
    for line in (
        "progress: See your progress",
        "meetings: See the next meetings",
        "cohort: See who is in your cohort",
        "policy: ",
        "privacy: ",
        "export: Get your record as a spreadsheet",
    ):
        assert f"- {line}" in text
    for words in ("mentors can", "move", "cancel", "settings", "cohort's progress", "program's"):
        assert words not in text, "a mentee cannot do that"


async def test_a_mentor_and_a_coordinator_read_what_they_can_do(world: World, ruth: Person, carol: Person) -> None:
    mentor, coordinator = said(await ruth.sends("help")), said(await carol.sends("help"))
    assert "- progress COHORT: See your cohort's progress\n" in mentor
    assert "- meetings: See, move or cancel the next meetings\n" in mentor
    assert "- progress COHORT: See the program's progress\n" in coordinator
    for words in ("meetings: ", "attendance: ", "policy: "):
        assert f"- {words}" in coordinator


@pytest.mark.parametrize("role", ROLES)
def test_help_names_only_commands_that_the_role_may_send(role: str) -> None:
    assert len(router.help_of(role)) > 10
    for spec in router.help_of(role):
        assert role in spec.who


@pytest.mark.parametrize("role", [*ROLES, "former"])
def test_no_two_commands_have_the_same_place_in_help(role: str) -> None:
    places = [spec.help[role] for spec in router.help_of(role)]
    assert places == list(range(1, len(places) + 1))


def test_a_summary_for_a_role_is_for_a_role_that_may_send_the_command() -> None:
    for spec in router.commands.values():
        assert set(spec.by_role) <= spec.who, spec.words


@pytest.mark.parametrize("text", ["help me", "Help me!", "help please"])
async def test_help_me_shows_help_and_where_to_turn_in_a_crisis(world: World, dana: Person, text: str) -> None:
    shown = said(await dana.types(text))
    assert shown.startswith("What I can do")
    assert "In a crisis: call or text 988" in shown
