"""The process was down: each kind of due moment has a rule for lateness, and keeps to it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from bot.runtime.planner import look
from bot.runtime.port import Permanent
from handlers.features import router
from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.outbox_tables import delivery, due_moment
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import Person, World, said

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"


async def down_until(world: World, at: datetime) -> None:
    """Nothing runs until then, and then everything overdue comes at once."""
    world.clock.at = at
    await world.settle()


def ended(world: World, kind: str) -> list[str]:
    with world.database.read() as tx:
        query = select(due_moment.c.state).where(due_moment.c.kind == kind, due_moment.c.settled_at.is_not(None))
        return list(tx.scalars(query.order_by(due_moment.c.due_at)))


def test_every_kind_of_due_moment_has_a_rule_and_the_docs_tell_it() -> None:
    told = DOCS.read_text(encoding="utf-8")
    for kind, spec in router.moments.items():
        assert spec.late, kind
        assert f"| `{kind}` | {spec.late} |" in told, kind


async def test_down_overnight_a_reminder_of_a_meeting_that_began_is_missed_and_not_sent(
    world: World, ruth: Person, dana: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 9, 22, 0, tzinfo=UTC))
    before = len(world.in_channel(HOME))
    await down_until(world, datetime(2026, 9, 10, 21, 0, tzinfo=UTC))  # half an hour into the meeting
    assert ended(world, "meeting.reminder")[-1] == "missed"
    assert [message.text.splitlines()[0] for message in world.in_channel(HOME)[before:]] == ["First steps"], (
        "only “I'm here”"
    )
    assert ended(world, "attendance.open") == ["done"]


async def test_down_over_the_whole_meeting_the_mentor_gets_the_roster_and_no_reminder_of_it(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 10, 12, 0, tzinfo=UTC))
    await down_until(world, datetime(2026, 9, 14, 14, 0, tzinfo=UTC))  # the Monday after
    assert ended(world, "attendance.open") == ["missed"]
    assert ended(world, "attendance.chase") == ["missed"]
    titles = [message.text.splitlines()[0] for message in world.to(ruth)]
    assert titles.count("Who came?") == 1
    assert "Attendance is still open" not in titles
    assert [message.text.splitlines()[0] for message in world.to(carol)].count("Attendance is still not confirmed") == 1


async def test_down_over_a_weekend_a_checkin_goes_out_late_and_only_once(world: World, dana: Person) -> None:
    await down_until(world, datetime(2026, 9, 14, 14, 0, tzinfo=UTC))  # due on Thursday at 15:00
    assert len([message for message in world.to(dana) if "check-in" in message.text.lower()]) == 1
    with world.database.read() as tx:
        opened = tx.execute(select(checkin.c.day, checkin.c.closes_at)).all()
    assert [row.day.isoformat() for row in opened] == ["2026-09-10"]
    assert opened[0].closes_at < world.clock.at + timedelta(days=4), "its window does not grow"


async def test_checkins_of_two_days_that_open_late_at_once_are_closed_each_on_its_day(
    world: World, dana: Person, lee: Person
) -> None:
    with world.database.write() as tx:
        thursday = checkins.next_at(tx, dana.id)
        assert thursday is not None
        friday = thursday + timedelta(days=1)
        checkins.set_next(world.work(tx), [(lee.id, friday)])
        due.plan(world.work(tx), moments.CHECKINS_OPEN, friday, friday.isoformat())
    await down_until(world, friday + timedelta(hours=1))
    with world.database.read() as tx:
        assert len(set(tx.scalars(select(checkin.c.opened_at)))) == 1

    await world.go_to(thursday + timedelta(days=7, minutes=1))
    assert (_closed(world, dana), _closed(world, lee)) == (True, False)

    await world.go_to(friday + timedelta(days=7, minutes=1))
    assert _closed(world, lee)


def _closed(world: World, who: Person) -> bool:
    return any("This check-in is closed" in message.text for message in world.to(who))


async def test_down_for_weeks_missed_checkins_are_recorded_and_digests_are_one(
    world: World, dana: Person, carol: Person
) -> None:
    await down_until(world, datetime(2026, 10, 6, 14, 0, tzinfo=UTC))
    assert "missed" in ended(world, "checkins.open")
    assert len([message for message in world.to(carol) if message.text.startswith("Weekly digest")]) == 1
    assert len([message for message in world.to(dana) if "check-in" in message.text.lower()]) <= 1


async def test_a_failed_message_is_in_one_digest_however_late_that_is(
    world: World, dana: Person, carol: Person
) -> None:
    def fail(reason: str) -> None:
        with world.database.write() as tx:
            deliveries.to_person(world.work(tx), kinds.WELCOME, dana.id, dana.id, reason)
        world.port.failures = [Permanent(reason)]

    await world.go_to(datetime(2026, 9, 8, 14, 0, tzinfo=UTC))
    fail("The account is deactivated.")
    await world.settle()
    await down_until(world, datetime(2026, 9, 24, 14, 0, tzinfo=UTC))
    await world.go_to(datetime(2026, 9, 25, 14, 0, tzinfo=UTC))
    fail("The channel is archived.")
    await world.settle()
    await world.go_to(datetime(2026, 10, 6, 14, 0, tzinfo=UTC))

    digests = [message.text for message in world.to(carol) if message.text.startswith("Weekly digest")]
    assert [("deactivated" in text, "archived" in text) for text in digests[-3:]] == [
        (True, False),
        (False, True),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("begins", "back", "day"),
    [
        (datetime(2026, 10, 30, 14, 0, tzinfo=UTC), datetime(2026, 11, 6, 14, 0, tzinfo=UTC), "2026-11-05"),
        (datetime(2027, 3, 12, 14, 0, tzinfo=UTC), datetime(2027, 3, 19, 14, 0, tzinfo=UTC), "2027-03-18"),
    ],
    ids=["clocks go back", "clocks go forward"],
)
async def test_down_over_a_clock_change_local_times_hold(
    world: World, dana: Person, carol: Person, begins: datetime, back: datetime, day: str
) -> None:
    await world.go_to(begins)
    before = len(world.to(carol))
    await down_until(world, back)
    with world.database.read() as tx:
        days = [day.isoformat() for day in tx.scalars(select(checkin.c.day).order_by(checkin.c.day))]
        next_digest = tx.scalar(
            select(due_moment.c.due_at).where(due_moment.c.kind == "digest.weekly", due_moment.c.state == "waiting")
        )
    assert len(days) == len(set(days))
    assert day in days or (datetime.fromisoformat(day) - datetime.fromisoformat(days[-1])).days == 7
    assert len([message for message in world.to(carol)[before:] if message.text.startswith("Weekly digest")]) == 1
    assert next_digest is not None
    local = next_digest.astimezone(ZoneInfo("America/Chicago"))
    assert (local.weekday(), local.hour, local.minute) == (0, 7, 30)


async def test_the_clock_jumps_back_an_hour_and_nothing_comes_twice(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    at = datetime(2026, 9, 10, 20, 20, tzinfo=UTC)
    await world.go_to(at)
    world.clock.at = at - timedelta(hours=1)
    await world.settle()
    await world.go_to(at + timedelta(minutes=5))
    firsts = [message.text.splitlines()[0] for message in world.in_channel(HOME)]
    assert firsts.count("First steps") == 1
    assert len([first for first in firsts if first.startswith("Reminder")]) == 2
    with world.database.read() as tx:
        assert set(tx.scalars(select(delivery.c.state))) <= {"sent", "dropped"}


async def test_ten_thousand_overdue_moments_do_not_hold_up_a_tap(world: World, dana: Person) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        rows = [
            {
                "id": work.new_id(),
                "kind": "checkins.close",
                "subject": "2020-01-01T00:00:00+00:00",
                "version": number,
                "due_at": work.now - timedelta(days=1),
                "key": f"overdue:{number}",
                "state": "waiting",
            }
            for number in range(10_000)
        ]
        tx.execute(insert(due_moment), rows)
    looking = asyncio.create_task(look(world.product))
    await asyncio.sleep(0)
    reply = await dana.sends("snooze until 2026-09-25")
    assert "paused" in said(reply).lower() or reply.card is not None
    with world.database.read() as tx:
        waiting = due.next_moment(tx)
    assert waiting is not None
    assert waiting.kind == "checkins.close", "the tap went in between, long before the end"
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
