"""`/plc progress`: the two years at a quick_read, what is missing, and who needs help first."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import event, update

from handlers.core.cards import Bullets, Progress, Table
from handlers.core.plain_cards import plain_text
from program.meetings.attendance import Status, Step
from program.record.attendance_import import ImportedMeeting
from storage.meetings import attendance, meetings
from storage.people import cohorts, people
from storage.record import attendance_import, policies, standings
from storage.record.record_tables import enrolment
from tests.world import Person, World, everybody_on, said

FIRST = datetime(2026, 9, 10, 15, 30)
ZONE = "America/Chicago"


def meet(world: World, mentor: Person, count: int, first: datetime = FIRST, cohort: str = "Ozarks") -> list[UUID]:
    """Weekly meetings of a cohort."""
    with world.database.write() as tx:
        ozarks = cohorts.by_name(tx, cohort)
        assert ozarks is not None
        starts = [first + timedelta(days=7 * number) for number in range(count)]
        _, made = meetings.create_series(
            world.work(tx),
            ozarks.id,
            mentor.id,
            topic="PLC",
            starts=starts,
            zone=ZONE,
            minutes=60,
            place="",
            repeat="weekly",
            until=None,
        )
    return [meeting.id for meeting in made]


def mark(world: World, meeting: UUID, who: Person, status: Status, by: Person, step: Step = "confirmed") -> None:
    with world.database.write() as tx:
        attendance.add(world.work(tx), meetings.get(tx, meeting), who.id, step, status, by.id)


async def test_a_mentee_sees_the_years_what_is_missing_and_what_to_do(world: World, ruth: Person, dana: Person) -> None:
    first, second, third, *_ = meet(world, ruth, 12)
    mark(world, first, dana, "present", ruth)
    mark(world, second, dana, "absent", ruth)
    mark(world, third, dana, "present", dana, "tapped")
    world.clock.at += timedelta(days=20)
    reply = await dana.sends("progress")
    assert reply.card is not None
    assert reply.card.title == "Your progress: on track"
    bars = [(block.label, block.have, block.need) for block in reply.card.blocks if isinstance(block, Progress)]
    assert bars == [
        ("Meetings, Year 1 (2026-27)", 1, 8),
        ("One-to-one contacts, Year 1 (2026-27)", 0, 2),
        ("Meetings, Year 2 (2027-28)", 0, 8),
        ("One-to-one contacts, Year 2 (2027-28)", 0, 2),
    ]
    text = said(reply)
    assert "You'll finish by June 30, 2028 if you keep attending." in text
    assert text.count("n track") == 1
    assert "- 7 more meetings by June 30, 2027." in text
    assert "- 2 more one-to-one contacts by June 30, 2027." in text
    assert "- You can make up the September 17 meeting until November 16. Send “makeup”." in text
    assert "- PLC meeting, September 24, 2026: waiting for your mentor to confirm it." in text
    assert "Next meeting: PLC, Thu Oct 1, 2026" in text
    assert "Requirements: Example, not DESE policy, version 1." in text


async def test_a_mentor_sees_those_first_who_need_help(world: World, ruth: Person, dana: Person, lee: Person) -> None:
    every = meet(world, ruth, 8)
    mark(world, every[0], dana, "present", ruth)
    mark(world, every[0], lee, "absent", ruth)
    world.clock.at += timedelta(days=7)
    reply = await ruth.sends("progress")
    assert reply.card is not None
    table = next(block for block in reply.card.blocks if isinstance(block, Table))
    assert [(row[0], row[1], row[-1]) for row in table.rows] == [
        ("Lee Okafor", "0 of 8", "at risk"),
        ("Dana Reyes", "1 of 8", "on track"),
        ("Sam Whitfield", "0 of 8", "on track"),
    ]
    (reasons,) = (block for block in reply.card.blocks if isinstance(block, Bullets))
    assert plain_text(reasons.items[0]) == (
        "Lee Okafor: 8 more meetings by June 30, 2027. "
        "Lee Okafor can make up the September 10 meeting until November 9."
    )


async def test_a_cohort_that_meets_too_seldom_is_flagged_and_nobody_is_behind(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    (first, *_) = meet(world, ruth, 3)
    mark(world, first, dana, "present", ruth)
    own = "Only 3 of the 8 meetings for 2026-27 are on the calendar. Your mentor and coordinator can see this."
    theirs = "Only 3 of 8 meetings for 2026-27 are held or scheduled. Schedule 5 more."
    for leader in (ruth, carol):
        told = said(await leader.sends("progress ozarks"))
        assert theirs in told
        assert "can see this" not in told
    assert theirs in said(await carol.sends("person dana reyes"))
    assert own in said(await dana.sends("progress"))
    assert "3 mentees: 3 on track." in said(await ruth.sends("progress"))
    program = said(await carol.sends("progress"))
    assert (
        "2 cohorts have too few meetings this year: Gateway and Ozarks. This doesn't put any mentee behind." in program
    )


async def test_what_is_unset_is_said(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        everybody_on(tx, policies.MISSOURI)
    text = said(await dana.sends("progress"))
    assert "Your progress: requirements not set" in text
    assert "Year 1 (2026-27): 0 meetings attended; the number required isn't set yet." in text
    assert "The program hasn't set: the day this policy starts, Meetings: how many are needed" in text


async def test_a_coordinator_hears_of_unset_values_and_gets_the_way_to_them(world: World, carol: Person) -> None:
    assert "not set in" not in said(await carol.sends("progress"))
    with world.database.write() as tx:
        everybody_on(tx, policies.MISSOURI)
    for shown in (await carol.sends("progress"), await carol.opens_home()):
        told = said(shown)
        assert (
            "No mentee can complete the program yet: values are not set in "
            "Missouri DESE counselor mentoring program, version 2018."
        ) in told
        assert "Fill in " in said(await carol.presses(shown, "Choose or fill in a policy"))


async def test_a_mentor_who_becomes_a_coordinator_hears_of_unset_values(world: World, ruth: Person) -> None:
    with world.database.write() as tx:
        everybody_on(tx, policies.MISSOURI)
    assert "Choose or fill in a policy" not in said(await ruth.opens_home())
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), ruth.id, "roster")
    assert "No mentee can complete the program yet" in said(await ruth.opens_home())
    assert "Choose or fill in a policy" in said(await ruth.opens_home())


async def test_progress_of_a_named_cohort_is_for_those_who_lead_it(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    assert "Progress of Ozarks" in said(await carol.sends("progress Ozarks"))
    assert "Progress of Gateway" in said(await carol.sends("progress gateway"))
    for leader in (carol, ruth):
        assert "Progress of Ozarks" in said(await leader.types("progress Ozarks")), "typed in a direct message"
    for stranger, typed in ((ruth, "progress gateway"), (ruth, "progress nowhere"), (dana, "progress ozarks")):
        assert "Progress of" not in said(await stranger.types(typed))
    assert said(await ruth.types("progress gateway")) == said(await ruth.types("progress nowhere"))
    assert "Progress of Ozarks" in said(await ruth.sends("progress ozarks"))
    for stranger, words in ((ruth, "progress gateway"), (ruth, "progress nowhere"), (dana, "progress ozarks")):
        refused = said(await stranger.sends(words))
        assert "I can't find a cohort of yours with that name." in refused
        assert "Gateway" not in refused
    assert "I can't find a cohort with that name." in said(await carol.sends("progress nowhere"))


async def test_a_mentee_at_risk_is_told_what_to_do(world: World, ruth: Person, dana: Person) -> None:
    first, *_ = meet(world, ruth, 8)
    mark(world, first, dana, "absent", ruth)
    world.clock.at += timedelta(days=7)
    text = said(await dana.sends("progress"))
    assert "Your progress: at risk" in text
    assert "At risk: make up the September 10 meeting by November 9. Send “makeup”." in text
    assert "can make up" not in text  # it is said once


async def test_an_earlier_start_without_records_is_not_behind(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    with world.database.write() as tx:
        tx.execute(update(enrolment).where(enrolment.c.person_id == dana.id).values(starts=datetime(2025, 7, 1).date()))
    text = said(await dana.sends("progress"))
    assert "Your progress: history not imported" in text
    assert "behind" not in text
    assert "history not imported" in said(await ruth.sends("progress"))
    with world.database.write() as tx:
        covered = ImportedMeeting(2, "dana@example.org", None, 0, "absent", "")
        assert attendance_import.import_attendance(world.work(tx), [covered], "f" * 64, ruth.id, None) == []
    assert "history not imported" not in said(await dana.sends("progress"))
    card = said(await carol.sends("person dana reyes"))
    assert "import" in card


async def test_standings_take_the_same_number_of_queries_for_one_and_for_all(
    world: World, ruth: Person, dana: Person
) -> None:
    meet(world, ruth, 4)
    asked: list[str] = []
    with world.database.read() as tx:
        event.listen(tx, "before_cursor_execute", lambda *args: asked.append(args[2]))
        alone = standings.of_people(tx, [dana.id], world.clock.at)
        for_one = len(asked)
        every = standings.of_cohorts(tx, None, world.clock.at)
    assert (len(alone), len(every)) == (1, 4)
    assert len(asked) - for_one == for_one == 4


async def test_a_mentee_of_two_cohorts_is_measured_once_against_the_meetings_of_both(
    world: World, ruth: Person, tom: Person, dana: Person, carol: Person
) -> None:
    own = meet(world, ruth, 6)
    with world.database.write() as tx:
        gateway = cohorts.by_name(tx, "Gateway")
        assert gateway is not None
        cohorts.join(world.work(tx), gateway.id, dana.id, "mentee", None)
    other = meet(world, tom, 4, FIRST + timedelta(days=1), "Gateway")
    mark(world, own[0], dana, "present", ruth)
    mark(world, other[0], dana, "present", tom)
    world.clock.at += timedelta(days=5)
    with world.database.read() as tx:
        (mine,) = standings.of_people(tx, [dana.id], world.clock.at)
        assert len(standings.of_cohorts(tx, None, world.clock.at)) == 4
        for cohort_id in mine.cohort_ids:
            (again,) = [
                mentee for mentee in standings.of_cohorts(tx, [cohort_id], world.clock.at) if mentee.id == dana.id
            ]
            assert again == mine
    assert len(mine.cohort_ids) == 2
    assert mine.standing.years[0].requirements[0].have == 2
    assert mine.standing.too_few == ()
    assert "Meetings, Year 1 (2026-27): 2 of 8" in said(await dana.sends("progress"))
    assert "Mentees: 4" in said(await carol.sends("progress"))
    assert "Dana Reyes" in said(await tom.sends("progress"))
