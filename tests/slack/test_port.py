"""The port's verbs against a Slack that works and one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from bot.runtime.port import (
    Address,
    CannotLook,
    Outgoing,
    Permanent,
    Port,
    Sent,
    Temporary,
    Uncertain,
    Unreachable,
    Wait,
)
from bot.settings import SlackSettings
from bot.slack import Clocks, SlackPort, connect
from bot.slack.slack_port import LOOK_PAGES, MEMBERS, PAGE, REMEMBERED_FOR
from handlers.core.cards import Card, Shown, say
from handlers.core.requests import AccountKey, Place, Reply, Request
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, BOT_USER, TEAM, FakeSlack, Fault, words
from tests.slack.conftest import DANA, HOME, LEE, settings_for

DELIVERY = UUID(int=7)
MESSAGE = Outgoing(Card("Reminder", (say("Tomorrow <!channel>"),)), DELIVERY, Shown())
TO_DANA = Address("slack", TEAM, user=DANA)
TO_HOME = Address("slack", TEAM, conversation=HOME)
HERE = Place("slack", TEAM, HOME, "channel", "plc-north")


@dataclass
class Time:
    at: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Time:
    return Time()


async def never(request: Request) -> Reply:
    raise AssertionError("nobody asks")


@pytest.fixture
async def port(fake: FakeSlack, clock: Time) -> AsyncIterator[SlackPort]:
    clocks = Clocks(monotonic=clock.monotonic, sleep=clock.sleep)
    platform = connect(settings_for(fake), never, clocks=clocks, timeout=20)
    await platform.start()
    yield platform.port
    await platform.stop()


def as_port(port: SlackPort) -> Port:
    return port


# Writing ---------------------------------------------------------------------------------------


async def test_a_post_carries_its_delivery_and_reads_well_everywhere(fake: FakeSlack, port: SlackPort) -> None:
    sent = await as_port(port).post(TO_DANA, MESSAGE)

    (message,) = fake.chat(DANA).messages
    assert sent == Sent(fake.chat(DANA).id, message["ts"])
    assert message["metadata"] == {"event_type": "plc_delivery", "event_payload": {"id": str(DELIVERY)}}
    assert message["text"] == "Reminder\nTomorrow &lt;!channel&gt;"
    (call,) = fake.made("chat.postMessage")
    assert call["client_msg_id"] == str(DELIVERY)
    assert (call["unfurl_links"], call["unfurl_media"]) == (False, False)


async def test_a_deactivated_person_is_not_written_to(fake: FakeSlack, port: SlackPort) -> None:
    fake.users[DANA]["deleted"] = True

    for address in (TO_DANA, Address("slack", TEAM, conversation=fake.chat(DANA).id)):
        with pytest.raises(Unreachable, match="deactivated"):
            await port.post(address, MESSAGE)
    assert fake.chat(DANA).messages == []


@pytest.mark.parametrize(
    ("code", "of_the_person"),
    [("user_not_found", True), ("user_disabled", True), ("account_inactive", False), ("missing_scope", False)],
)
async def test_only_what_slack_says_of_a_person_makes_them_unreachable(
    fake: FakeSlack, port: SlackPort, code: str, of_the_person: bool
) -> None:
    """A revoked token or a missing permission fails for everybody."""
    fake.fail("users.info", Fault(error=code, after=False))
    with pytest.raises(Permanent) as raised:
        await port.post(TO_DANA, MESSAGE)
    assert isinstance(raised.value, Unreachable) is of_the_person


async def test_a_person_is_looked_at_again_after_a_while(fake: FakeSlack, port: SlackPort, clock: Time) -> None:
    await port.post(TO_DANA, MESSAGE)
    await port.post(TO_DANA, MESSAGE)
    assert len(fake.made("users.info")) == 1

    fake.users[DANA]["deleted"] = True
    clock.at += REMEMBERED_FOR
    with pytest.raises(Permanent):
        await port.post(TO_DANA, MESSAGE)


async def test_a_message_is_changed(fake: FakeSlack, port: SlackPort) -> None:
    sent = await port.post(TO_HOME, MESSAGE)

    await port.update(TO_HOME, sent.message, Outgoing(Card("Moved"), UUID(int=8)))

    assert words(fake.messages(HOME)[0]["blocks"]) == "Moved"
    with pytest.raises(Permanent, match="gone"):
        await port.update(TO_HOME, "1.1", MESSAGE)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=429, retry_after=7, after=False), Wait),
        (Fault(error="ratelimited", after=False), Wait),
        (Fault(status=500), Uncertain),
        (Fault(status=502, after=False), Uncertain),
        (Fault(drop=True), Uncertain),
        (Fault(garbage=True), Uncertain),
        (Fault(error="internal_error"), Uncertain),
        (Fault(error="fatal_error"), Uncertain),
        (Fault(error="service_unavailable", after=False), Temporary),
        (Fault(status=404, after=False), Permanent),
        (Fault(error="channel_not_found", after=False), Permanent),
        (Fault(error="some_new_word", after=False), Permanent),
    ],
    ids=str,
)
async def test_what_a_failed_post_means(fake: FakeSlack, port: SlackPort, fault: Fault, error: type[Exception]) -> None:
    fake.fail("chat.postMessage", fault)

    with pytest.raises(error) as raised:
        await port.post(TO_HOME, MESSAGE)

    assert len(fake.made("chat.postMessage")) == 1, "only the delivery loop tries again"
    assert raised.value.__cause__ is None
    if isinstance(raised.value, Wait):
        assert raised.value.seconds == (7 if fault.status else 30)


async def test_a_process_frozen_between_its_look_at_the_clock_and_its_write_writes_nothing(
    fake: FakeSlack, port: SlackPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as frozen:
        frozen.setattr(Outgoing, "check", lambda self: None)
        with pytest.raises(Uncertain):
            await port.post(TO_DANA, replace(MESSAGE, until=asyncio.get_running_loop().time()))
    assert fake.made("chat.postMessage") == []
    await port.post(TO_DANA, MESSAGE)
    assert len(fake.made("chat.postMessage")) == 1


async def test_a_post_that_is_never_answered_is_uncertain(fake: FakeSlack) -> None:
    platform = connect(settings_for(fake), never, timeout=0.2)
    fake.fail("chat.postMessage", Fault(hang=True))

    with pytest.raises(Uncertain):
        await platform.port.post(TO_HOME, MESSAGE)
    await platform.stop()


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(drop=True), Fault(garbage=True)], ids=str)
async def test_what_may_be_done_twice_is_never_uncertain(fake: FakeSlack, port: SlackPort, fault: Fault) -> None:
    sent = await port.post(TO_HOME, MESSAGE)
    fake.fail("chat.update", fault)
    fake.fail("conversations.open", fault)

    with pytest.raises(Temporary):
        await port.update(TO_HOME, sent.message, MESSAGE)
    with pytest.raises(Temporary):
        await port.post(TO_DANA, MESSAGE)
    assert fake.chat(DANA).messages == []


async def test_a_slack_that_is_not_there_is_temporary(unused_tcp_port: int) -> None:
    nowhere = SlackSettings(BOT_TOKEN, None, "s", f"http://127.0.0.1:{unused_tcp_port}/api/")
    platform = connect(nowhere, never, timeout=1)

    with pytest.raises(Temporary):
        await platform.port.post(TO_HOME, MESSAGE)
    await platform.stop()


@pytest.mark.parametrize(
    "code", ["account_inactive", "is_archived", "not_in_channel", "token_revoked", "missing_scope", "invalid_blocks"]
)
async def test_a_coordinator_can_read_why(fake: FakeSlack, port: SlackPort, code: str) -> None:
    fake.fail("chat.postMessage", Fault(error=code, after=False))

    with pytest.raises(Permanent) as raised:
        await port.post(TO_HOME, MESSAGE)

    assert code not in str(raised.value)
    assert str(raised.value).endswith(".")


async def test_without_a_conversation_or_a_person_there_is_nowhere_to_write(port: SlackPort) -> None:
    with pytest.raises(Permanent):
        await port.post(Address("slack", TEAM), MESSAGE)


# Looking up ------------------------------------------------------------------------------------


async def test_a_post_whose_answer_was_lost_is_found(fake: FakeSlack, port: SlackPort) -> None:
    fake.fail("chat.postMessage", Fault(drop=True))
    with pytest.raises(Uncertain):
        await port.post(TO_DANA, MESSAGE)

    sent = await port.find(TO_DANA, DELIVERY)

    assert sent == Sent(fake.chat(DANA).id, fake.chat(DANA).messages[0]["ts"])
    assert await port.find(TO_DANA, UUID(int=9)) is None


async def test_a_message_is_found_on_a_later_page(fake: FakeSlack, port: SlackPort) -> None:
    await port.post(TO_DANA, MESSAGE)
    chat = fake.chat(DANA)
    chat.messages += [{"ts": "9999999999.1", "text": "x"}] * PAGE

    assert await port.find(TO_DANA, DELIVERY) is not None
    chat.messages += [{"ts": "9999999999.1", "text": "x"}] * (PAGE * LOOK_PAGES)
    with pytest.raises(CannotLook):
        await port.find(TO_DANA, DELIVERY)


async def test_channels_are_not_read(fake: FakeSlack, port: SlackPort) -> None:
    with pytest.raises(CannotLook):
        await port.find(TO_HOME, DELIVERY)
    assert fake.made("conversations.history") == []


# People ----------------------------------------------------------------------------------------


async def test_a_full_member(port: SlackPort) -> None:
    profile = await port.profile(AccountKey("slack", TEAM, DANA), HERE)

    assert (profile.name, profile.email, profile.email_confirmed) == ("Dana Reyes", "dana@example.org", True)
    assert (profile.member, profile.active, profile.bot, profile.zone) == (True, True, False, "America/Chicago")


@pytest.mark.parametrize(
    "said",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T00OTHER"},
        {"is_bot": True},
    ],
    ids=str,
)
async def test_who_is_no_full_member(fake: FakeSlack, port: SlackPort, said: dict[str, object]) -> None:
    fake.users[DANA].update(said)

    assert not (await port.profile(AccountKey("slack", TEAM, DANA), HERE)).member
    assert await port.find_by_email(TEAM, "dana@example.org") is None


async def test_somebody_who_came_from_another_workspace_is_no_member(port: SlackPort) -> None:
    assert not (await port.profile(AccountKey("slack", "T00OTHER", DANA), HERE)).member


async def test_a_member_of_the_organisation_who_is_in_the_workspace_is_a_member(
    fake: FakeSlack, port: SlackPort
) -> None:
    fake.users[DANA].update(team_id="E00ORG", enterprise_user={"teams": [TEAM]})

    assert (await port.profile(AccountKey("slack", TEAM, DANA), HERE)).member


async def test_a_zone_that_nobody_knows_is_no_zone(fake: FakeSlack, port: SlackPort) -> None:
    fake.users[DANA]["tz"] = "Mars/Olympus"

    assert (await port.profile(AccountKey("slack", TEAM, DANA), HERE)).zone is None


async def test_finding_by_address(port: SlackPort) -> None:
    profile = await port.find_by_email(TEAM, "Dana@example.org")

    assert profile is not None
    assert profile.account == AccountKey("slack", TEAM, DANA)
    assert await port.find_by_email(TEAM, "nobody@example.org") is None
    assert await port.find_by_email("T00OTHER", "dana@example.org") is None


# Visiting --------------------------------------------------------------------------------------


async def test_a_public_channel_is_joined_and_its_members_told(fake: FakeSlack, port: SlackPort) -> None:
    fake.add_channel("C00NEW", "plc-south", (DANA, LEE))

    visit = await port.visit(Place("slack", TEAM, "C00NEW", "channel"))

    assert visit.problem == ""
    assert visit.name == "plc-south"
    assert [member.name for member in visit.members] == ["Dana Reyes", "Lee Park"]
    assert BOT_USER in fake.channels["C00NEW"].members


async def test_a_visit_waits_where_slack_asks_to(fake: FakeSlack, port: SlackPort, clock: Time) -> None:
    fake.fail("users.info", Fault(status=429, retry_after=3, after=False))

    visit = await port.visit(HERE)

    assert len(visit.members) == 2
    assert clock.slept == [3]
    fake.fail("conversations.members", Fault(status=429, retry_after=600, after=False))
    with pytest.raises(Wait):
        await port.visit(HERE)


async def test_many_members_are_read_page_by_page_and_too_many_are_refused(fake: FakeSlack, port: SlackPort) -> None:
    people = [f"U{n:05d}" for n in range(PAGE + 5)]
    for person in people:
        fake.add_user(person, f"Person {person}")
    channel = fake.add_channel("C00BIG", "all", (*people, BOT_USER))

    assert len((await port.visit(Place("slack", TEAM, "C00BIG", "channel"))).members) == PAGE + 5
    channel.members += [f"U1{n:05d}" for n in range(MEMBERS)]
    assert "more than 500 members" in (await port.visit(Place("slack", TEAM, "C00BIG", "channel"))).problem


async def test_where_the_bot_cannot_enter_it_says_what_to_do(fake: FakeSlack, port: SlackPort) -> None:
    fake.add_channel("C00PRIV", "secret", (DANA,), private=True)
    fake.add_channel("C00OLD", "old", (DANA,), archived=True)

    async def problem(channel: str) -> str:
        return (await port.visit(Place("slack", TEAM, channel, "channel"))).problem

    assert await problem("C00PRIV") == (
        "I can't join this channel. Invite me with /invite @PLC Cohort Bot, then send the command again."
    )
    assert "archived" in await problem("C00OLD")
    assert "direct message" in await problem(fake.chat(DANA).id)
    fake.fail("conversations.join", Fault(error="missing_scope", after=False))
    fake.add_channel("C00NEW", "new", (DANA,))
    assert "permission" in await problem("C00NEW")


# Doctor and start ------------------------------------------------------------------------------


async def findings(settings: SlackSettings) -> dict[str, str]:
    platform = connect(settings, never, timeout=1)
    return {finding.what: "ok" if finding.ok else finding.mend for finding in await platform.check()}


async def test_doctor_finds_nothing_wrong(fake: FakeSlack) -> None:
    assert await findings(settings_for(fake)) == {
        "Slack bot token": "ok",
        "Slack scopes": "ok",
        "Slack signing secret": "ok",
    }
    by_socket = await findings(settings_for(fake, socket=True))
    assert by_socket["Slack app token (Socket Mode)"] == "ok"


async def test_doctor_says_how_to_mend(fake: FakeSlack) -> None:
    fake.scopes = "chat:write,commands"
    settings = SlackSettings(BOT_TOKEN, "xapp-wrong", None, fake.api_url)

    checks = await findings(settings)

    assert checks["Slack scopes"].startswith("Add app_mentions:read, channels:join")
    assert "connections:write" in checks["Slack app token (Socket Mode)"]
    assert (
        "SLACK_SIGNING_SECRET"
        in (await findings(SlackSettings(BOT_TOKEN, None, None, fake.api_url)))["Slack signing secret"]
    )
    fake.revoked = True
    assert "install the app again" in (await findings(settings_for(fake)))["Slack bot token"]


async def test_doctor_without_a_network(fake: FakeSlack) -> None:
    settings = settings_for(fake)
    await fake.stop()

    assert "SLACK_API_URL" in (await findings(settings))["Slack bot token"]


@pytest.mark.parametrize("app_token", [None, APP_TOKEN])
async def test_a_token_that_slack_refuses_stops_the_start(fake: FakeSlack, app_token: str | None) -> None:
    fake.revoked = True
    platform = connect(SlackSettings(BOT_TOKEN, app_token, "s", fake.api_url), never, timeout=1)

    with pytest.raises(Permanent, match="token"):
        await platform.start()


async def test_an_app_token_that_slack_refuses_stops_the_start(fake: FakeSlack) -> None:
    platform = connect(SlackSettings(BOT_TOKEN, "xapp-wrong", None, fake.api_url), never, timeout=1)

    with pytest.raises(Permanent, match="token"):
        await platform.start()


async def test_nothing_connects_before_start(fake: FakeSlack) -> None:
    connect(settings_for(fake), never)

    assert fake.calls == []
