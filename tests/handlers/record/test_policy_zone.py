"""A program whose policy is not in Central Time: its days are those of the policy's zone, and no day moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import update

from handlers.core.forms import DateField, Form
from handlers.core.requests import Reply
from handlers.record.leave_requests import leave_line
from program.people.roster import read_roster
from program.record.attendance_import import ImportedMeeting
from storage.core import program
from storage.core.core_tables import program as program_table
from storage.people.people_tables import person
from storage.record import attendance_import, ledger, policies, standings, verification
from tests.handlers.scenes import options
from tests.world import Person, World, everybody_on, said

HONOLULU = "Pacific/Honolulu"
# At 9 PM on September 15 in Honolulu it is September 16 in Chicago.
EVENING = datetime(2026, 9, 16, 7, 0, tzinfo=UTC)


def policy_in(zone: str) -> str:
    """The text of the example policy as another version, whose days are those of a zone."""
    text = policies.shipped(policies.EXAMPLE).text
    return text.replace('version = "1"', 'version = "9"', 1).replace('zone = "America/Chicago"', f'zone = "{zone}"', 1)


def adopted(world: World, zone: str, holds_from: date = date(2026, 9, 1)) -> None:
    """Everybody is on a policy whose days are those of a zone."""
    with world.database.write() as tx:
        policy = policies.adopt(world.work(tx), policy_in(zone), holds_from, None)
        everybody_on(tx, policy.name)


def program_zone(world: World) -> str:
    with world.database.read() as tx:
        return program.zone_of(tx)


def day_of(reply: Reply) -> date | None:
    """The day that a form proposes first."""
    assert isinstance(reply.form, Form)
    return next(field.value for field in reply.form.fields if isinstance(field, DateField))


def lives_in(world: World, who: Person, zone: str) -> None:
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == who.id).values(zone=zone))


def test_the_zone_of_the_adopted_policy_is_the_programs(world: World) -> None:
    adopted(world, HONOLULU)
    assert program_zone(world) == HONOLULU
    with world.database.read() as tx:
        assert verification.verify(tx, world.product.chain_key).problems == []


def test_a_policy_that_applies_later_changes_the_zone_on_its_first_day(world: World) -> None:
    today = world.clock.at.date()
    with world.database.write() as tx:
        policies.adopt(world.work(tx), policy_in(HONOLULU), today + timedelta(days=10), None)
    assert program_zone(world) == "America/Chicago"
    world.clock.at += timedelta(days=11)
    with world.database.write() as tx:
        policies.apply_zone(world.work(tx))
    assert program_zone(world) == HONOLULU


def test_a_zone_that_was_changed_outside_the_program_stays_reported(world: World) -> None:
    with world.database.write() as tx:
        tx.execute(update(program_table).values(zone="Asia/Tokyo"))
    with world.database.write() as tx:
        policies.apply_zone(world.work(tx))
    with world.database.read() as tx:
        assert any("time zone" in problem for problem in verification.verify(tx, world.product.chain_key).problems)


def test_a_roster_line_without_a_zone_gets_the_programs(world: World) -> None:
    adopted(world, HONOLULU)
    with world.database.read() as tx:
        rows, problems = read_roster("cohort,role,name,email\nHilo,mentee,Kai,kai@example.org\n", program.zone_of(tx))
    assert not problems
    assert rows[0].zone == HONOLULU


async def test_a_waiver_from_today_holds_at_once(world: World, dana: Person, carol: Person) -> None:
    adopted(world, HONOLULU)
    world.clock.at = EVENING
    reply = await carol.presses(await carol.sends("person dana@example.org"), "Waive")
    assert day_of(reply) == date(2026, 9, 15)
    await carol.fills(reply.form, rule="contacts", year="1", amount="", reason="cohort")
    with world.database.read() as tx:
        ((mentee),) = standings.of_people(tx, [dana.id], world.clock.at)
    assert mentee.standing.today == date(2026, 9, 15)
    assert "waived" in said(await dana.sends("progress"))


async def test_a_waivers_day_reads_the_same_in_every_zone(world: World, dana: Person, carol: Person) -> None:
    adopted(world, HONOLULU)
    world.clock.at = EVENING
    reply = await carol.presses(await carol.sends("person dana@example.org"), "Waive")
    await carol.fills(reply.form, rule="contacts", year="1", amount="", reason="cohort")
    for zone in (HONOLULU, "America/Chicago", "Pacific/Auckland"):
        lives_in(world, dana, zone)
        assert options((await dana.sends("dispute")).form)[0].label.startswith("Tue Sep 15, 2026"), zone


async def test_a_leave_ends_by_the_days_of_the_standing(world: World, dana: Person, carol: Person) -> None:
    """Dana is in New York, where September 16 began hours before it does in the policy's zone."""
    adopted(world, HONOLULU)
    lives_in(world, dana, "America/New_York")
    with world.database.write() as tx:
        line = leave_line("granted", date(2026, 9, 8), date(2026, 9, 15), "health", carol.id, "coordinator")
        ledger.add(world.work(tx), dana.id, line)
    world.clock.at = EVENING
    reply = await dana.sends("leave")
    assert "You are on leave" in said(reply)
    assert "On leave" in said(await carol.sends("person dana@example.org"))
    with world.database.read() as tx:
        assert standings.of_people(tx, [dana.id], world.clock.at)[0].standing.state == "paused"
    assert day_of(await dana.presses(reply, "I'm back")) == date(2026, 9, 15)


def test_an_imported_meeting_counts_on_its_day_far_from_chicago(world: World, dana: Person) -> None:
    adopted(world, "Pacific/Guam")
    past = ImportedMeeting(2, "dana@example.org", date(2026, 9, 4), 60, "present", "Start")
    with world.database.write() as tx:
        assert attendance_import.import_attendance(world.work(tx), [past], "file", dana.id, None) == []
    with world.database.read() as tx:
        mine = standings.of_people(tx, [dana.id], world.clock.at)[0].standing
        (line, _) = ledger.of_person(tx, dana.id)
    assert {item.day for requirement in mine.requirements for item in requirement.counted} == {date(2026, 9, 4)}
    assert line.day("Pacific/Guam") == date(2026, 9, 4)
