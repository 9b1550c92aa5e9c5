"""Pausing check-ins, turning them on and off, and what somebody is told who gets none."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from handlers.checkins.eligibility import COMPLETED, NO_COHORT
from storage.people.people_tables import account
from storage.record import certificates
from tests.handlers.checkins.test_reflections import next_checkin
from tests.world import Person, World, buttons_of, said


def paused_until(world: World, person: Person) -> date | None:
    with world.database.read() as tx:
        until: date | None = tx.scalar(
            select(func.max(account.c.snoozed_until)).where(account.c.person_id == person.id)
        )
    return until


def completes(world: World, person: Person) -> None:
    """Somebody gets their certificate."""
    with world.database.write() as tx:
        certificates.issue(world.work(tx), person.id, "Dana Reyes", "example", None)


@pytest.mark.parametrize(
    "words", ["checkin", "checkins", "checkins on", "checkins off", "snooze", "snooze until Dec 25", "resume"]
)
async def test_who_is_in_no_cohort_is_told_so_and_sent_to_no_other_command(
    world: World, carol: Person, words: str
) -> None:
    assert said(await carol.sends(words)) == NO_COHORT
    assert paused_until(world, carol) is None


@pytest.mark.parametrize("words", ["checkin", "checkins on", "snooze until Dec 25", "resume"])
async def test_who_has_a_certificate_is_told_that_check_ins_have_ended(world: World, dana: Person, words: str) -> None:
    completes(world, dana)
    assert said(await dana.sends(words)) == COMPLETED


async def test_a_mentor_with_a_certificate_can_turn_check_ins_on(world: World, ruth: Person) -> None:
    assert said(await ruth.sends("checkin")) == "You don't get check-ins. To get them, send “checkins on”."
    assert said(await ruth.sends("snooze until Dec 25")) == said(await ruth.sends("checkin"))
    assert said(await ruth.sends("checkins on")).startswith("Check-ins are on. The next one is Thu Sep 10, 2026")
    assert said(await ruth.sends("snooze until Dec 25")).startswith("No check-ins until Fri Dec 25, 2026.")


async def test_who_declined_is_told_so_and_pauses_nothing(world: World, dana: Person) -> None:
    await dana.presses(await dana.sends("privacy"), "Decline")
    for words in ("checkin", "snooze until Dec 25", "resume"):
        assert said(await dana.sends(words)).startswith("You declined check-ins.")
    assert paused_until(world, dana) is None


async def test_resume_tells_of_a_pause_only_where_there_was_one(world: World, dana: Person) -> None:
    none = "Check-ins aren't paused. The next one is Thu Sep 10, 2026"
    assert said(await dana.sends("resume")).startswith(none)
    paused = await dana.sends("snooze until Dec 25")
    ended = "Pause ended. Your next check-in is Thu Sep 10, 2026"
    assert said(await dana.presses(paused, "Undo")).startswith(ended)
    assert said(await dana.sends("resume")).startswith(none)


async def test_a_pause_that_is_over_is_no_pause(world: World, dana: Person) -> None:
    await dana.sends("snooze until tomorrow")
    await world.pass_time(days=2)
    assert said(await dana.sends("resume")).startswith("Check-ins aren't paused.")


async def test_ending_a_pause_while_check_ins_are_off_says_how_to_get_them(world: World, dana: Person) -> None:
    await dana.sends("snooze until Dec 25")
    await dana.sends("checkins off")
    assert said(await dana.sends("resume")) == "You don't get check-ins. To get them, send “checkins on”."
    assert said(await dana.sends("checkins on")).startswith("Check-ins are on. The next one is Thu Sep 10, 2026")


async def test_checkins_alone_says_whether_they_are_on_with_a_button_for_each_way(world: World, dana: Person) -> None:
    state = await dana.sends("checkins")
    assert said(state).startswith("Check-ins are on. The next one is Thu Sep 10, 2026")
    assert state.card is not None
    assert [shown.label for shown in buttons_of(state.card)] == ["Turn on", "Turn off"]
    assert said(await dana.presses(state, "Turn off")).startswith("Check-ins are off.")
    state = await dana.sends("checkins")
    assert said(state).startswith("Check-ins are off.")
    assert said(await dana.presses(state, "Turn on")).startswith("Check-ins are on.")


async def test_checkins_alone_offers_who_declined_to_agree(world: World, dana: Person) -> None:
    await dana.presses(await dana.sends("privacy"), "Decline")
    state = await dana.sends("checkins")
    assert "To get them again, agree to this:" in said(state)


async def test_an_open_check_in_is_shown_to_who_turned_them_off_since(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.sends("checkins off")
    assert "How are things going?" in said(await dana.sends("checkin"))
