"""Platforms that fail: every message arrives once, or its injector is known and shown."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.core.plain_cards import plain
from handlers.program_desk.digest import digest_card
from storage.core.work import Work
from storage.outbox import conversations, deliveries, kinds
from tests.fakes.slack import TEAM, Fault
from tests.fakes.teams import Fault as TeamsFault
from tests.faults.conftest import ON_SQLITE
from tests.faults.deployment import Deployment, until
from tests.slack.story import OZARKS

# A busy machine takes its time. What a platform does to a delivery is the same on both databases, so one will do.
pytestmark = [pytest.mark.process, pytest.mark.timeout(400), ON_SQLITE]

SLACK_FAULTS = {
    "429 and Retry-After": Fault(status=429, retry_after=1, after=False),
    "500 before the work": Fault(status=500, after=False),
    "502 after the work": Fault(status=502),
    "time-out after the work": Fault(hang=True),
    "time-out before the work": Fault(hang=True, after=False),
    "dropped before the work": Fault(drop=True, after=False),
    "dropped after the work": Fault(drop=True),
    "broken JSON": Fault(garbage=True),
}


async def test_slack_fails_in_every_way_and_each_message_arrives_once(deployment: Deployment) -> None:
    deployment.link()
    deployment.bot()
    for fault in SLACK_FAULTS.values():
        deployment.slack.fail("chat.postMessage", fault)
        deployment.queue("dana@example.org", 1)
        await until(lambda: not deployment.slack._faults["chat.postMessage"])
    deployment.queue("tom@example.org", 5)
    await deployment.all_settled()
    assert deployment.lost_and_doubled() == (0, 0)
    assert Counter(deployment.states().values()) == {"sent": len(SLACK_FAULTS) + 5}


async def test_teams_fails_in_every_way_and_what_nobody_can_know_is_shown(deployment: Deployment) -> None:
    """Teams has no look-up: a lost answer ends as unconfirmed, and is never silently sent again."""
    deployment.link_teams()
    deployment.bot(slack_url="", teams_url=deployment.teams.login_url)
    # The work was done or not, and the answer says which, or does not.
    arrives: dict[TeamsFault, int] = {
        "429": 1,
        "412": 1,
        "500": 0,
        "502": 0,
        "503": 0,
        "drop": 0,
        "work-then-hang": 1,
        "broken-json": 1,
    }
    known = {"429", "412"}
    for fault in arrives:
        deployment.teams.fail("POST", "/activities", fault, "1")
        deployment.queue("dana@example.org", 1)
        await until(lambda: not deployment.teams._faults)
    await deployment.all_settled()
    there = sum(len(messages) for messages in deployment.teams.messages.values())
    assert there == sum(arrives.values()), "nothing was sent twice"
    assert Counter(deployment.states().values()) == {"sent": len(known), "unconfirmed": len(arrives) - len(known)}
    assert {delivery.state for delivery in deployment.undelivered()} == {"unconfirmed"}


async def test_what_can_never_arrive_ends_with_a_reason_and_is_shown_once(deployment: Deployment) -> None:
    deployment.link()
    deployment.slack.users["U00DANA"]["deleted"] = True
    deployment.slack.add_channel("C00OLD", "old", archived=True)
    deployment.write(_channels)
    deployment.queue("dana@example.org", 1)
    bot = deployment.bot()
    await deployment.all_settled()
    calls = len(deployment.slack.made("chat.postMessage"))
    assert set(deployment.states().values()) == {"failed"}
    assert {delivery.reason for delivery in deployment.undelivered()} == {
        "This person's Slack account is deactivated.",
        "This channel is archived. Unarchive it or link another channel.",
        "The bot is not in this channel, or the channel is gone. Invite the bot and link the channel again.",
    }
    deployment.slack.revoked = True
    deployment.queue("tom@example.org", 1)
    await deployment.all_settled()
    assert any("no longer accepts the bot's token" in delivery.reason for delivery in deployment.undelivered())
    digest = deployment.read(
        lambda tx: plain(digest_card(deployment.work(tx), "America/Chicago", deployment.undelivered()))
    )
    assert digest.count("This channel is archived") == 1
    assert "deactivated" in digest
    await bot.kill()
    deployment.slack.revoked = False
    deployment.bot()
    deployment.queue("tom@example.org", 1)
    await until(lambda: "sent" in deployment.states().values())
    assert len(deployment.slack.made("chat.postMessage")) <= calls + 2, "what failed for good was not tried again"


def _channels(work: Work) -> None:
    """A message to a channel that was archived, and to one that the bot was thrown out of."""
    for external in ("C00OLD", OZARKS):
        made = conversations.remember(
            work, platform="slack", tenant=TEAM, external=external, kind="channel", name=external, reference={}
        )
        deliveries.to_channel(work, kinds.HELLO, made, made)


async def test_a_stale_teams_reference_ends_undeliverable(deployment: Deployment) -> None:
    deployment.link_teams()
    deployment.bot(slack_url="", teams_url=deployment.teams.login_url)
    gone: tuple[TeamsFault, ...] = ("404", "not-in-roster", "403")
    for fault in gone:
        deployment.teams.fail("POST", "/activities", fault)
        deployment.queue("dana@example.org", 1)
        await until(lambda: not deployment.teams._faults)
    await deployment.all_settled()
    assert set(deployment.states().values()) == {"failed"}
    reasons = {delivery.reason for delivery in deployment.undelivered()}
    assert any("no longer in this Teams conversation" in reason for reason in reasons)
    assert len(reasons) == 3
    assert deployment.teams.messages == {}
