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

from handlers.meetings.meetings import refresh_meeting
from handlers.meetings.planning import plan_meeting
from program.core.times import to_local
from storage.core.work import Work
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.outbox import due, moments
from storage.outbox.outbox_tables import processed_request
from storage.people import cohorts
from storage.record.record_tables import ledger_line
from tests.fakes.slack import HttpWire, Json, SlackPerson, SocketWire, words
from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.deployment import Deployment, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]  # a busy machine takes its time

TOM, JORDAN, CAROL = "U00TOM", "U00JORDAN", "U00CAROL"


@asynccontextmanager
async def wires(deployment: Deployment) -> AsyncIterator[list[HttpWire]]:
    """To two processes, or twice to the only one that SQLite takes."""
    bots = [deployment.bot() for _ in range(1 if deployment.database.sqlite else 2)]
    async with AsyncExitStack() as stack:
        http_wires = []
        for bot in (*bots, *bots)[:2]:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            http_wires.append(HttpWire(session, f"{await bot.ready()}slack/events"))
        yield http_wires


def _only(work: Work) -> Meeting:
    return meetings.between(work.tx, work.now - timedelta(days=30), work.now + timedelta(days=30))[0]


def _goes_on(work: Work) -> None:
    """The meeting began half an hour ago, and “I'm here” and the roster are due."""
    meeting = _only(work)
    tom = cohorts.members(work.tx, meeting.cohort_id, "mentor")[0]
    start = to_local(work.now - timedelta(minutes=30), meeting.zone)
    moved = meetings.move(work, meeting, start, tom.id)
    for kind in (moments.ATTENDANCE_OPEN, moments.ATTENDANCE_ROSTER):
        due.plan(work, kind, work.now, moved.id, version=moved.version)


async def _message(deployment: Deployment, user: str, button: str) -> Json:
    chat = deployment.slack.chat(user)
    await until(lambda: any(f"{button}" in words(message["blocks"]) for message in chat.messages))
    return next(message for message in chat.messages if button in words(message["blocks"]))


def _steps(deployment: Deployment) -> list[str]:
    return deployment.read(lambda tx: list(tx.scalars(select(ledger_line.c.step))))


def _pauses(deployment: Deployment) -> int:
    """How often Jordan was told of a pause; answers to other acts may still come."""
    return sum("No check-ins until" in words(message["blocks"]) for message in deployment.slack.chat(JORDAN).messages)


def _acts(deployment: Deployment) -> int:
    return deployment.read(lambda tx: len(tx.scalars(select(processed_request.c.key)).all()))


async def test_taps_retries_and_confirmations_at_once_count_once(deployment: Deployment) -> None:
    deployment.link()
    deployment.write(_goes_on)
    async with wires(deployment) as (http_wire, other):
        here = await _message(deployment, JORDAN, "I'm here")
        jordan = SlackPerson(deployment.slack, http_wire, JORDAN)
        chat = deployment.slack.chat(JORDAN).id
        retried = jordan.press_payload("I'm here", here, chat)
        taps = [jordan.press_payload("I'm here", here, chat) for _ in range(4)]
        sent = [(wire, payload) for payload in (retried, retried, *taps) for wire in (http_wire, other)]
        answers = await asyncio.gather(*(wire.interactive(payload) for wire, payload in sent))
        assert {answer.status for answer in answers} == {200}
        await deployment.all_settled()
        assert _steps(deployment) == ["tapped"]

        roster = await _message(deployment, TOM, "Everyone came")
        tom, carol = SlackPerson(deployment.slack, http_wire, TOM), SlackPerson(deployment.slack, other, CAROL)
        place = deployment.slack.chat(TOM).id
        await asyncio.gather(*(who.press("Everyone came", dict(roster), place) for who in (tom, carol, tom, carol)))
        await deployment.all_settled()
        assert sorted(_steps(deployment)) == ["confirmed", "tapped"]

        said = _snoozes(jordan)
        acts = _acts(deployment)
        await asyncio.gather(*(wire.event(said, retry) for retry in range(3) for wire in (http_wire, other)))
        await until(lambda: _pauses(deployment) > 0)
        await deployment.all_settled()
        assert _acts(deployment) == acts + 1
        assert _pauses(deployment) == 1, "one answer"
    assert deployment.lost_and_doubled()[1] == 0


def _snoozes(who: SlackPerson) -> Json:
    """An event: somebody types that they need a pause."""
    words = f"snooze until {datetime.now(UTC).date() + timedelta(days=14)}"
    return who.event_payload({**who._said(words), "type": "message", "channel_type": "im", "channel": who._chat})


@ON_POSTGRESQL  # SQLite takes one process
async def test_what_slack_brings_again_through_another_processs_socket_counts_once(deployment: Deployment) -> None:
    """Slack sends each act through one of the open sockets, and through another one when nobody acknowledged it."""
    deployment.link()
    deployment.write(_goes_on)
    bots = []
    for count in (1, 2):
        bots.append(deployment.bot(socket=True))
        await until(lambda: deployment.slack.sockets == count)  # noqa: B023 -- of this round
    socket_wire, other = SocketWire(deployment.slack, 0), SocketWire(deployment.slack, 1)
    jordan = SlackPerson(deployment.slack, socket_wire, JORDAN)
    here = await _message(deployment, JORDAN, "I'm here")
    tap = jordan.press_payload("I'm here", here, jordan._chat)
    await socket_wire.interactive(tap)
    assert _steps(deployment) == ["tapped"]
    await other.interactive(tap)
    await deployment.all_settled()
    assert _steps(deployment) == ["tapped"]

    said = _snoozes(jordan)
    acts = _acts(deployment)
    bots[0].send(signal.SIGSTOP)
    unheard = asyncio.create_task(socket_wire.event(said))
    await other.event(said, retry=1)
    await until(lambda: _pauses(deployment) > 0)
    bots[0].send(signal.SIGCONT)
    await unheard
    await deployment.all_settled()
    assert _acts(deployment) == acts + 1
    assert _pauses(deployment) == 1, "one answer"

    await bots[0].kill()
    await until(lambda: deployment.slack.sockets == 1)
    await SocketWire(deployment.slack).event(_snoozes(jordan))
    await until(lambda: _pauses(deployment) == 2)
    assert deployment.lost_and_doubled()[1] == 0


async def test_a_meeting_moved_while_its_reminder_is_being_sent(deployment: Deployment) -> None:
    deployment.link()
    deployment.slack.slow = 1.0
    deployment.plan_wave()
    deployment.bot()
    await until(lambda: "sending" in deployment.states().values())
    before = deployment.write(lambda work: _only(work))

    def move(work: Work) -> Meeting:
        meeting = _only(work)
        tom = cohorts.members(work.tx, meeting.cohort_id, "mentor")[0]
        moved = meetings.move(work, meeting, meeting.local_start + timedelta(days=1), tom.id)
        plan_meeting(work, moved, cohorts.get(work.tx, moved.cohort_id))
        refresh_meeting(work, moved)
        return moved

    moved = deployment.write(move)
    assert moved.starts_at != before.starts_at
    await until(lambda: "queued" not in deployment.states().values() and "sending" not in deployment.states().values())
    for user in (TOM, JORDAN):
        messages = deployment.slack.chat(user).messages
        assert len(messages) == 1
        assert str(int(moved.starts_at.timestamp())) in str(messages[0]["blocks"]), "it says the new time"
        assert str(int(before.starts_at.timestamp())) not in str(messages[0]["blocks"])
