"""What people do, as the platforms say it: signed Slack requests and Teams activities, ready to be sent."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from bot.slack import EVENTS_PATH, slack_render
from handlers.core.actions import SentAction
from handlers.core.cards import Button, Card, Note, When, buttons, say
from manifest.slack import COMMAND
from tests.benchmarks.seed import CHANNEL, COHORT, Size, open_meeting, slack_channel, slack_user, teams_chat, teams_user
from tests.fakes.slack import TEAM, sign
from tests.fakes.teams import BOT, TENANT

Ready = Callable[[], bytes]
_ACTS = itertools.count(1)


def commands(size: Size, platform_url: str, text: str = "progress") -> Iterator[Ready]:
    """``/plc progress`` by one mentee after another, each in their cohort's channel, in no order of theirs."""
    people = list(range(size.mentees))
    random.Random(1).shuffle(people)
    for number in itertools.cycle(people):
        act = next(_ACTS)
        yield _slack(
            {
                "token": "legacy",
                "team_id": TEAM,
                "team_domain": "home",
                "channel_id": slack_channel(number),
                "channel_name": CHANNEL,
                "user_id": slack_user(number),
                "user_name": "somebody",
                "command": COMMAND,
                "text": text,
                "api_app_id": "A00APP",
                "is_enterprise_install": "false",
                "response_url": f"{platform_url}/respond/{act}",
                "trigger_id": f"{act}.{act}.c0ffee",
            }
        )


def taps(size: Size, platform_url: str) -> Iterator[Ready]:
    """Taps of “I'm here”: everybody once in each open meeting, one cohort after another."""
    cohorts = size.mentees // COHORT
    for turn, member, cohort in itertools.product(range(size.open), range(COHORT), range(cohorts)):
        yield _tap(cohort * COHORT + member, open_meeting(cohort, turn), platform_url)


def _tap(number: int, meeting_id: UUID, platform_url: str) -> Ready:
    act, channel = next(_ACTS), slack_channel(number)
    blocks = slack_render.message(_here_card(meeting_id))
    button = next(element for block in blocks if block["type"] == "actions" for element in block["elements"])
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": slack_user(number), "username": "somebody", "name": "somebody", "team_id": TEAM},
        "api_app_id": "A00APP",
        "token": "legacy",
        "trigger_id": f"{act}.{act}.c0ffee",
        "team": {"id": TEAM, "domain": "home"},
        "enterprise": None,
        "is_enterprise_install": False,
        "container": {"type": "message", "message_ts": "1.000001", "channel_id": channel, "is_ephemeral": False},
        "channel": {"id": channel, "name": CHANNEL},
        "message": {"type": "message", "ts": "1.000001", "text": "Individual student planning", "blocks": blocks},
        "state": {"values": {}},
        "response_url": f"{platform_url}/respond/{act}",
        "actions": [{**button, "block_id": "b1", "action_ts": f"{act}.0"}],
    }
    return _slack({"payload": json.dumps(payload)})


def _here_card(meeting_id: UUID) -> Card:
    """As it stands in the channel while people tap."""
    starts = When(datetime(2026, 11, 23, 21, tzinfo=UTC), "America/Chicago", "time")
    here = Button("I'm here", SentAction.of("attendance.here", meeting_id), style="primary")
    note = Note(("Here (2): Dana Reyes, Lee Okafor",))
    return Card("Individual student planning", (say("The PLC meeting starts at ", starts, "."), buttons(here), note))


def turns(count: int, platform_url: str) -> Iterator[Ready]:
    """The word “progress” to the bot on Teams, by so many mentees repeatedly; the second time the bot knows them."""
    for number in itertools.cycle(range(count)):
        act = next(_ACTS)
        yield _posted("/api/messages", json.dumps(_activity(number, act, platform_url)).encode(), "application/json")


def _activity(number: int, act: int, platform_url: str) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"f:{act}",
        "timestamp": "2026-11-22T18:03:00.1995342Z",
        "channelId": "msteams",
        "serviceUrl": platform_url,
        "from": {"id": f"29:{number:07d}", "name": "Somebody", "aadObjectId": teams_user(number)},
        "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": teams_chat(number)},
        "recipient": {"id": BOT, "name": "PLC Cohort Bot"},
        "channelData": {"tenant": {"id": TENANT}},
        "text": "progress",
        "textFormat": "plain",
    }


def _slack(payload: dict[str, str]) -> Ready:
    body = urlencode(payload)
    return lambda: _request(EVENTS_PATH, body.encode(), "application/x-www-form-urlencoded", sign(body))


def _posted(path: str, body: bytes, kind: str) -> Ready:
    ready = _request(path, body, kind, {})
    return lambda: ready


def _request(path: str, body: bytes, kind: str, headers: dict[str, str]) -> bytes:
    said = {"Host": "127.0.0.1", "Content-Type": kind, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
