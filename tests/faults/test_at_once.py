"""The same act several times at once, over two processes: it counts once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from sqlalchemy import select

from handlers.meetings import refresh_meeting
from handlers.planning import plan_meeting
from program.times import to_local
from storage import cohorts, due, meetings
from storage.meetings import Meeting
from storage.tables import ledger_line, processed_request
from storage.work import Work
from tests.fakes.slack import HttpWire, Json, SlackPerson, SocketWire, words
from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.house import House, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]  # a busy machine takes its time

TOM, JORDAN, CAROL = "U00TOM", "U00JORDAN", "U00CAROL"


@asynccontextmanager
async def wires(house: House) -> AsyncIterator[list[HttpWire]]:
    """To two processes, or twice to the only one that SQLite takes."""
    bots = [house.bot() for _ in range(1 if house.database.sqlite else 2)]
    async with AsyncExitStack() as stack:
        found = []
        for bot in (*bots, *bots)[:2]:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            found.append(HttpWire(session, f"{await bot.ready()}slack/events"))
        yield found


def _only(work: Work) -> Meeting:
    return meetings.between(work.tx, work.now - timedelta(days=30), work.now + timedelta(days=30))[0]


def _goes_on(work: Work) -> None:
    """The meeting began half an hour ago, and “I'm here” and the roster are due."""
    found = _only(work)
    tom = cohorts.members(work.tx, found.cohort_id, "mentor")[0]
    start = to_local(work.now - timedelta(minutes=30), found.zone)
    moved = meetings.move(work, found, start, tom.id)
    for kind in ("attendance.open", "attendance.roster"):
        due.plan(work, kind, work.now, moved.id, version=moved.version)


async def _message(house: House, user: str, button: str) -> Json:
    chat = house.slack.chat(user)
    await until(lambda: any(f"{button}" in words(one["blocks"]) for one in chat.messages))
    return next(one for one in chat.messages if button in words(one["blocks"]))


def _steps(house: House) -> list[str]:
    return house.read(lambda tx: list(tx.scalars(select(ledger_line.c.step))))


def _pauses(house: House) -> int:
    """How often Jordan was told of a pause; answers to other acts may still come."""
    return sum("No check-ins until" in words(one["blocks"]) for one in house.slack.chat(JORDAN).messages)


def _acts(house: House) -> int:
    return house.read(lambda tx: len(tx.scalars(select(processed_request.c.key)).all()))


async def test_taps_retries_and_confirmations_at_once_count_once(house: House) -> None:
    house.link()
    house.write(_goes_on)
    async with wires(house) as (one, other):
        here = await _message(house, JORDAN, "I'm here")
        jordan = SlackPerson(house.slack, one, JORDAN)
        chat = house.slack.chat(JORDAN).id
        retried = jordan.press_payload("I'm here", here, chat)
        taps = [jordan.press_payload("I'm here", here, chat) for _ in range(4)]
        sent = [(wire, payload) for payload in (retried, retried, *taps) for wire in (one, other)]
        answers = await asyncio.gather(*(wire.interactive(payload) for wire, payload in sent))
        assert {answer.status for answer in answers} == {200}
        await house.all_settled()
        assert _steps(house) == ["tapped"]

        roster = await _message(house, TOM, "Everyone came")
        tom, carol = SlackPerson(house.slack, one, TOM), SlackPerson(house.slack, other, CAROL)
        place = house.slack.chat(TOM).id
        await asyncio.gather(*(who.press("Everyone came", dict(roster), place) for who in (tom, carol, tom, carol)))
        await house.all_settled()
        assert sorted(_steps(house)) == ["confirmed", "tapped"]

        said = _snoozes(jordan)
        acts = _acts(house)
        await asyncio.gather(*(wire.event(said, retry) for retry in range(3) for wire in (one, other)))
        await until(lambda: _pauses(house) > 0)
        await house.all_settled()
        assert _acts(house) == acts + 1
        assert _pauses(house) == 1, "one answer"
    assert house.lost_and_doubled()[1] == 0


def _snoozes(who: SlackPerson) -> Json:
    """An event: somebody types that they need a pause."""
    words = f"snooze until {datetime.now(UTC).date() + timedelta(days=14)}"
    return who.event_payload({**who._said(words), "type": "message", "channel_type": "im", "channel": who._chat})


@ON_POSTGRESQL  # SQLite takes one process
async def test_what_slack_brings_again_through_another_processs_socket_counts_once(house: House) -> None:
    """Slack sends each act through one of the open sockets, and through another one when nobody acknowledged it."""
    house.link()
    house.write(_goes_on)
    bots = []
    for count in (1, 2):
        bots.append(house.bot(socket=True))
        await until(lambda: house.slack.sockets == count)  # noqa: B023 -- of this round
    one, other = SocketWire(house.slack, 0), SocketWire(house.slack, 1)
    jordan = SlackPerson(house.slack, one, JORDAN)
    here = await _message(house, JORDAN, "I'm here")
    tap = jordan.press_payload("I'm here", here, jordan._chat)
    await one.interactive(tap)
    assert _steps(house) == ["tapped"]
    await other.interactive(tap)
    await house.all_settled()
    assert _steps(house) == ["tapped"]

    said = _snoozes(jordan)
    acts = _acts(house)
    bots[0].send(signal.SIGSTOP)
    unheard = asyncio.create_task(one.event(said))
    await other.event(said, retry=1)
    await until(lambda: _pauses(house) > 0)
    bots[0].send(signal.SIGCONT)
    await unheard
    await house.all_settled()
    assert _acts(house) == acts + 1
    assert _pauses(house) == 1, "one answer"

    await bots[0].kill()
    await until(lambda: house.slack.sockets == 1)
    await SocketWire(house.slack).event(_snoozes(jordan))
    await until(lambda: _pauses(house) == 2)
    assert house.lost_and_doubled()[1] == 0


async def test_a_meeting_moved_while_its_reminder_is_being_sent(house: House) -> None:
    house.link()
    house.slack.slow = 1.0
    house.plan_wave()
    house.bot()
    await until(lambda: "sending" in house.states().values())
    before = house.write(lambda work: _only(work))

    def move(work: Work) -> Meeting:
        found = _only(work)
        tom = cohorts.members(work.tx, found.cohort_id, "mentor")[0]
        moved = meetings.move(work, found, found.local_start + timedelta(days=1), tom.id)
        plan_meeting(work, moved, cohorts.get(work.tx, moved.cohort_id))
        refresh_meeting(work, moved)
        return moved

    moved = house.write(move)
    assert moved.starts_at != before.starts_at
    await until(lambda: "queued" not in house.states().values() and "sending" not in house.states().values())
    for user in (TOM, JORDAN):
        messages = house.slack.chat(user).messages
        assert len(messages) == 1
        assert str(int(moved.starts_at.timestamp())) in str(messages[0]["blocks"]), "it says the new time"
        assert str(int(before.starts_at.timestamp())) not in str(messages[0]["blocks"])
