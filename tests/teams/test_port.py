"""The port's verbs over HTTP, and how each failure of Teams is named."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Temporary, Uncertain, Unreachable, Wait
from bot.settings import TeamsSettings
from bot.teams import connect
from handlers.core.cards import Card, Mention, Shown, say
from handlers.core.requests import AccountKey, Place, Profile, notice
from tests.fakes.teams import (
    APP_ID,
    BOT,
    CHANNEL,
    CHAT,
    DANA,
    GUEST,
    PASSWORD,
    TEAM,
    TENANT,
    FakeTeams,
    Fault,
    Person,
    words_of,
)
from tests.specimens import COHORT_OF_60
from tests.specimens import DANA as DANA_ID
from tests.teams.conftest import Bot, Start, Toy

WHO = AccountKey("teams", TENANT, DANA.object_id)


def outgoing(title: str = "Reminder") -> Outgoing:
    return Outgoing(Card(title, (say("Tomorrow."),)), uuid4())


def chat() -> Address:
    return Address("teams", TENANT, CHAT, DANA.object_id)


def channel(fake: FakeTeams, name: str = "") -> Place:
    return Place("teams", TENANT, CHANNEL, "channel", name, {"service_url": fake.service_url, "team": TEAM})


async def test_a_message_is_posted_and_changed(bot: Bot) -> None:
    sent = await bot.platform.port.post(chat(), outgoing())
    await bot.platform.port.update(chat(), sent.message, outgoing("Moved"))

    [message] = bot.fake.posted(CHAT)
    assert (sent.conversation, sent.message) == (CHAT, message.id)
    assert message.edits == 1
    assert words_of(message.card) == "Moved\nTomorrow."
    assert message.activity["summary"] == "Moved · Tomorrow."
    assert message.activity["from"]["id"] == BOT


async def test_a_person_never_heard_from_is_written_to(bot: Bot) -> None:
    person = Address("teams", TENANT, None, DANA.object_id)

    first = await bot.platform.port.post(person, outgoing())
    await bot.platform.port.post(person, outgoing())

    assert first.conversation == CHAT
    assert len(bot.fake.posted(CHAT)) == 2
    [opened] = bot.fake.calls_to("/v3/conversations", "POST")[:1]
    assert opened.body["members"] == [{"id": DANA.object_id}]
    assert opened.body["bot"] == {"id": BOT}
    assert len([call for call in bot.fake.calls if call.path.endswith("/v3/conversations")]) == 1


async def test_a_reference_of_somebody_else_never_misleads(bot: Bot) -> None:
    others = {"service_url": bot.fake.service_url, "user": GUEST.id, "account": GUEST.object_id}

    sent = await bot.platform.port.post(Address("teams", TENANT, None, DANA.object_id, others), outgoing())

    assert sent.conversation == CHAT


async def test_the_stored_reference_says_where(bot: Bot, fake: FakeTeams) -> None:
    nowhere = Address("teams", TENANT, CHAT, None, {"service_url": "http://127.0.0.1:9/"})

    with pytest.raises(Temporary):
        await bot.platform.port.post(nowhere, outgoing())
    assert fake.messages == {}


async def test_people_are_mentioned_by_their_account(bot: Bot) -> None:
    card = Card("", (say(Mention(DANA_ID, "Dana"), ", you lead."),))
    shown = Shown(mentions={DANA_ID: DANA.object_id})

    await bot.platform.port.post(chat(), Outgoing(card, uuid4(), shown))

    [message] = bot.fake.posted(CHAT)
    assert words_of(message.card) == "<at>Dana</at>, you lead."
    assert message.card["msteams"]["entities"][0]["mentioned"]["id"] == DANA.object_id


async def test_the_largest_card_arrives_within_what_older_clients_show(bot: Bot) -> None:
    await bot.platform.port.post(chat(), Outgoing(COHORT_OF_60, uuid4()))

    [call] = bot.fake.calls_to("/activities", "POST")
    assert int(call.headers["Content-Length"]) < 28_000


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", Wait),
        ("412", Wait),
        ("500", Uncertain),
        ("502", Uncertain),
        ("503", Uncertain),
        ("drop", Uncertain),
        ("broken-json", Uncertain),
        ("403", Permanent),
        ("404", Permanent),
        ("not-in-roster", Permanent),
    ],
)
async def test_a_failed_post_is_named(bot: Bot, fault: Fault, error: type[Exception]) -> None:
    bot.fake.fail("POST", "/activities", fault)

    with pytest.raises(error) as raised:
        await bot.platform.port.post(chat(), outgoing())

    assert type(raised.value) is error or issubclass(type(raised.value), Permanent)
    assert len(bot.fake.calls_to("/activities")) == 1  # tried once
    if isinstance(raised.value, Wait):
        assert raised.value.seconds == 7


@pytest.mark.parametrize(
    ("fault", "of_the_person"),
    [("403", True), ("404", True), ("not-in-roster", True), ("401", False), ("disabled", False)],
)
async def test_only_what_teams_says_of_a_chat_makes_a_person_unreachable(
    bot: Bot, fault: Fault, of_the_person: bool
) -> None:
    """Wrong credentials, or an app that the organization turned off, fail for everybody."""
    for _ in range(3):
        bot.fake.fail("POST", "/activities", fault)
    with pytest.raises(Permanent) as raised:
        await bot.platform.port.post(chat(), outgoing())
    assert isinstance(raised.value, Unreachable) is of_the_person


async def test_a_reason_can_be_read_by_a_coordinator(bot: Bot) -> None:
    bot.fake.fail("POST", "/activities", "not-in-roster")

    with pytest.raises(Permanent, match="Add the app to the team or chat again"):
        await bot.platform.port.post(chat(), outgoing())


@pytest.mark.parametrize(("said", "seconds"), [("soon", 5), ("-3", 0), ("90000", 3600)])
async def test_an_odd_retry_after_is_kept_within_reason(bot: Bot, said: str, seconds: float) -> None:
    bot.fake.fail("POST", "/activities", "429", retry_after=said)

    with pytest.raises(Wait) as raised:
        await bot.platform.port.post(chat(), outgoing())
    assert raised.value.seconds == seconds


async def test_a_post_whose_answer_never_comes_is_uncertain(start: Start) -> None:
    bot = await start(timeout=0.3)
    bot.fake.fail("POST", "/activities", "work-then-hang")

    with pytest.raises(Uncertain):
        await bot.platform.port.post(chat(), outgoing())
    assert len(bot.fake.posted(CHAT)) == 1


@pytest.mark.parametrize("fault", ["500", "502", "drop", "broken-json"])
async def test_changing_a_message_may_be_tried_again(bot: Bot, fault: Fault) -> None:
    sent = await bot.platform.port.post(chat(), outgoing())
    for _ in range(2):  # aiohttp itself repeats a harmless call on a connection that was kept open
        bot.fake.fail("PUT", "/activities", fault)

    with pytest.raises(Temporary):
        await bot.platform.port.update(chat(), sent.message, outgoing("Moved"))


async def test_a_chat_that_is_not_opened_may_be_tried_again(bot: Bot) -> None:
    bot.fake.fail("POST", "/v3/conversations", "502")

    with pytest.raises(Temporary):
        await bot.platform.port.post(Address("teams", TENANT, None, DANA.object_id), outgoing())
    assert bot.fake.messages == {}


async def test_a_refused_token_loses_and_doubles_nothing(bot: Bot) -> None:
    sent = await bot.platform.port.post(chat(), outgoing())
    for _ in range(2):
        bot.fake.tokens.clear()
        await bot.platform.port.post(chat(), outgoing())
    bot.fake.tokens.clear()
    await bot.platform.port.update(chat(), sent.message, outgoing("Moved"))

    assert len(bot.fake.posted(CHAT)) == 3
    assert bot.fake.posted(CHAT)[0].edits == 1


async def test_two_refused_tokens_in_a_row_leave_no_command_unanswered(bot: Bot) -> None:
    bot.toy.reply = notice("Here you are.")
    for _ in range(2):
        bot.fake.fail("POST", "/activities", "401")

    await bot.dana.send(bot.dana.says("progress"))

    assert len(bot.fake.posted(CHAT)) == 1


async def test_a_new_token_that_is_refused_too_is_said_so(bot: Bot) -> None:
    for _ in range(3):
        bot.fake.fail("POST", "/activities", "401")

    with pytest.raises(Permanent, match="TEAMS_APP_PASSWORD"):
        await bot.platform.port.post(chat(), outgoing())
    assert len(bot.fake.calls_to("/activities")) == 3
    await bot.platform.port.post(chat(), outgoing())

    assert len(bot.fake.posted(CHAT)) == 1


async def test_many_refused_calls_fetch_one_token(bot: Bot) -> None:
    await bot.platform.port.post(chat(), outgoing())
    bot.fake.tokens.clear()
    before = len(bot.fake.calls_to("/token"))

    await asyncio.gather(*(bot.platform.port.post(chat(), outgoing()) for _ in range(5)))

    assert len(bot.fake.posted(CHAT)) == 6
    assert len(bot.fake.calls_to("/token")) == before + 1


@pytest.mark.parametrize("fault", ["404", "not-in-roster", "403"])
async def test_an_earlier_chat_gives_way_to_the_one_that_teams_names(bot: Bot, fault: Fault) -> None:
    bot.fake.fail("POST", "a:1earlier", fault)
    earlier = Address("teams", TENANT, "a:1earlier", DANA.object_id)

    sent = await bot.platform.port.post(earlier, outgoing())

    assert sent.conversation == CHAT
    assert bot.fake.posted("a:1earlier") == []
    assert len(bot.fake.posted(CHAT)) == 1


@pytest.mark.parametrize(("fault", "error"), [("502", Temporary), ("drop", Temporary), ("broken-json", Temporary)])
async def test_without_a_token_nothing_was_sent(bot: Bot, fault: Fault, error: type[Exception]) -> None:
    bot.fake.fail("POST", "token", fault)

    with pytest.raises(error):
        await bot.platform.port.post(chat(), outgoing())
    assert bot.fake.messages == {}


async def test_a_stopped_platform_sends_nothing(fake: FakeTeams) -> None:
    platform = connect(TeamsSettings(APP_ID, PASSWORD, TENANT, False), Toy(), login_url=fake.login_url)

    with pytest.raises(Temporary):
        await platform.port.post(chat(), outgoing())


async def test_an_address_of_nobody_and_a_change_of_nothing_are_refused(bot: Bot) -> None:
    nobody = Address("teams", TENANT)

    with pytest.raises(Permanent):
        await bot.platform.port.post(nobody, outgoing())
    with pytest.raises(Permanent):
        await bot.platform.port.update(nobody, "1", outgoing())


async def test_what_was_sent_cannot_be_looked_up(bot: Bot) -> None:
    with pytest.raises(CannotLook):
        await bot.platform.port.find(chat(), uuid4())
    assert await bot.platform.port.find_by_email(TENANT, DANA.email) is None


# People ----------------------------------------------------------------------------------------


async def test_a_full_members_address_is_confirmed(bot: Bot) -> None:
    profile = await bot.platform.port.profile(WHO, channel(bot.fake))

    assert profile == Profile(WHO, "Dana Lee", "dana@example.org", email_confirmed=True, member=True)


@pytest.mark.parametrize(
    "person",
    [
        GUEST,
        Person("Ext", "29:1e", "e", "ext_other#EXT#@t.onmicrosoft.com", "e@other.example"),
        Person("Abroad", "29:1a", "a", "a@other.example", "a@other.example", tenant="another"),
        Person("Nameless", "29:1n", "n", "", "n@other.example", role="anonymous"),
    ],
    ids=lambda person: person.name,
)
async def test_guests_are_no_members(bot: Bot, person: Person) -> None:
    bot.fake.people.append(person)

    profile = await bot.platform.port.profile(AccountKey("teams", TENANT, person.object_id), channel(bot.fake))

    assert (profile.member, profile.email_confirmed) == (False, False)
    assert profile.email == person.email


async def test_somebody_whom_teams_does_not_know_is_named_so(bot: Bot) -> None:
    with pytest.raises(Permanent):
        await bot.platform.port.profile(AccountKey("teams", TENANT, "nobody"), channel(bot.fake))


async def test_a_visit_finds_all_members_and_the_channels_name(bot: Bot) -> None:
    bot.fake.people += [Person(f"P{n}", f"29:{n}", f"o{n}", f"p{n}@example.org", "") for n in range(5)]

    visit = await bot.platform.port.visit(channel(bot.fake))

    assert visit.name == "PLC North"
    assert visit.problem == ""
    assert [member.name for member in visit.members] == ["Dana Lee", "Gus Guest", "P0", "P1", "P2", "P3", "P4"]
    assert visit.members[0].account == WHO
    assert visit.members[2].email == "p0@example.org"
    assert len(bot.fake.calls_to("pagedmembers")) == 4


@pytest.mark.parametrize("fault", ["404", "not-in-roster", "403"])
async def test_a_channel_without_the_bot_says_what_to_do(bot: Bot, fault: Fault) -> None:
    bot.fake.fail("GET", "pagedmembers", fault)

    visit = await bot.platform.port.visit(channel(bot.fake, "North"))

    assert visit.members == ()
    assert visit.name == "North"
    assert "Manage team" in visit.problem


async def test_a_nameless_channel_is_no_trouble(bot: Bot) -> None:
    bot.fake.fail("GET", "/teams/", "404")

    assert (await bot.platform.port.visit(channel(bot.fake))).name == ""


async def test_a_visit_in_a_storm_waits(bot: Bot) -> None:
    bot.fake.fail("GET", "pagedmembers", "429")

    with pytest.raises(Wait):
        await bot.platform.port.visit(channel(bot.fake))
