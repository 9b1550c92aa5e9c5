"""Who follows several cohorts is told which one a meeting is of, and cancellations say why only where that tells."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.handlers.scenes import MEETING_ENDS, message
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import ROSTER, Person, World, said

RUTH_IN_GATEWAY = "Gateway,East,mentor,Ruth Ellison,ruth@example.org,P1,America/Chicago,R-I,,\n"
CAROL_IN_GATEWAY = "Gateway,East,mentor,Carol Dietz,carol@example.org,P7,America/Chicago,,,\n"
MEETING = {"topic": "Goals", "day": "2026-09-10", "at": "15:30", "minutes": "60", "place": "", "repeat": "once"}


async def _meets(leader: Person, cohort: str = "", **values: str) -> None:
    reply = await leader.sends("meeting new")
    form = reply.form or (await leader.presses(reply, cohort)).form
    await leader.fills((await leader.fills(form, **(MEETING | values))).form)


async def test_a_coordinator_who_mentors_a_cohort_without_meetings_sees_the_programs_next(
    world: World, ruth: Person, carol: Person
) -> None:
    world.import_roster(ROSTER + CAROL_IN_GATEWAY)
    await _meets(ruth)
    for shown in (said(await carol.sends("next")), said(await carol.opens_home())):
        assert "Next: Goals" in shown
        assert "Cohort: Ozarks" in shown
    await _meets(carol, "Gateway", topic="Own", day="2026-09-20")
    assert "Next: Own" in said(await carol.sends("next")), "one's own comes first"


async def test_a_member_of_one_cohort_is_not_told_its_name_again(world: World, ruth: Person, dana: Person) -> None:
    await _meets(ruth)
    assert "Cohort:" not in said(await dana.sends("next"))
    assert "Cohort:" not in world.to(dana)[-1].text


async def test_direct_messages_to_a_mentor_of_two_name_the_cohort(world: World, ruth: Person, dana: Person) -> None:
    world.import_roster(ROSTER + RUTH_IN_GATEWAY)
    await _meets(ruth, "Ozarks", repeat="weekly", until="2026-09-24")
    assert "Cohort: Ozarks" in message(world, ruth, "PLC meeting: Goals").text
    listed = await ruth.sends("meetings")
    form = (await ruth.presses(await ruth.presses(listed, "Ozarks"), "Cancel")).form
    await ruth.fills(form, reason="illness")
    assert "The meeting of Ozarks on" in message(world, ruth, "is cancelled (illness)").text
    assert "Ozarks" not in message(world, dana, "is cancelled (illness)").text
    form = (await ruth.presses(await ruth.presses(await ruth.sends("meetings"), "Ozarks"), "Cancel")).form
    await ruth.fills(form, reach="rest", reason="other")
    assert "These meetings of Ozarks are cancelled. They don't count" in message(world, ruth, "These meetings").text


async def test_several_cancellations_do_not_say_another_reason(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    form = (await ruth.presses(await ruth.sends("meetings", HOME), "Cancel", HOME)).form
    await ruth.fills(form, HOME, reach="rest", reason="other")
    text = world.in_channel(HOME)[-1].text
    assert "These meetings are cancelled. They don't count as absences." in text
    assert "another reason" not in text


async def test_a_snow_day_is_weather(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await ruth.presses(await ruth.sends("meetings", HOME), "Snow day", HOME)
    text = world.in_channel(HOME)[-1].text
    assert "is cancelled (weather)" in text
    assert "a break" not in text


async def test_a_break_of_the_whole_program_names_the_cohort_of_each_meeting(
    world: World, ruth: Person, tom: Person, carol: Person
) -> None:
    await _meets(ruth)
    await _meets(tom)
    card = await carol.presses(await carol.sends("breaks"), "Ozarks")
    form = (await carol.presses(card, "Add a break")).form
    step = await carol.fills(form, label="Storm", starts="2026-09-10", ends="2026-09-10", scope="program")
    assert "Gateway on Thu Sep 10" in said(step)
    assert "Ozarks on Thu Sep 10" in said(step)


async def test_a_summary_without_a_home_channel_goes_to_each_member_and_says_so(
    world: World, ruth: Person, dana: Person
) -> None:
    await _meets(ruth)
    await world.go_to(MEETING_ENDS)
    opened = await ruth.sends("summary")
    form = opened.form or (await ruth.presses(opened, "Write it")).form
    posted = await ruth.fills((await ruth.fills(form, did="We talked.")).form)
    assert "Sent to each member of the cohort." in said(posted)
    assert "Summary of Goals" in world.to(dana)[-1].text
    removed = await ruth.presses(posted, "Remove")
    assert removed.replace is not None
    assert "channel" not in said(removed)
    assert world.clock.at >= datetime(2026, 9, 10, tzinfo=UTC)
