"""Steps 1 and 2: the roster, the home channel, and who is who."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.app import App
from bot.cli import roster
from bot.cli.roster import NothingImported
from bot.startup import open_database, prepare
from bot.teams.sentences import SENT_DIRECTLY
from handlers.core.requests import AccountKey
from storage.outbox import undelivered
from storage.outbox.outbox_tables import conversation
from storage.people import account_links, cohorts, people
from tests.fakes.teams import BOT, CHANNEL, TEAM, TENANT, TeamsClient
from tests.teams.story import (
    CAROL,
    DANA,
    GATEWAY_CHANNEL,
    LEE,
    OLLIE,
    RUTH,
    SAM,
    Someone,
    Story,
    join,
    match,
    of_the_team,
    settings_in,
    shown,
    somebody,
)
from tests.world import ROSTER, START


async def test_a_channel_becomes_a_cohorts_home_and_people_are_matched(story: Story) -> None:
    ruth, dana, lee, sam, carol = (story.meets(person) for person in (RUTH, DANA, LEE, SAM, CAROL))

    # The bot is put into the team; Teams says so twice and names the team, not a channel.
    await carol.acts(of_the_team(carol, "membersAdded", {"id": BOT}))
    await carol.acts({**of_the_team(carol, "membersAdded"), "type": "installationUpdate", "action": "add"})
    [hello] = story.in_channel(TEAM)
    assert "cohort link" in shown(hello)

    # Carol's address is in the settings: that alone lets nobody in, she says that it is her.
    first = await carol.says("digest")
    assert "Is this you?" in first.text
    assert "Weekly digest" not in first.text
    told = await carol.taps(carol.sees("Is this you?"), "Yes, that's me")
    assert "Weekly digest" in told.text, "what she asked for is answered now"

    # In the channel, with the mention stripped. She may mean either cohort, so she is asked, directly.
    asked = await carol.asks("cohort link")
    assert story.thread() == [SENT_DIRECTLY]
    assert "Which cohort?" in asked.text
    answer = await carol.taps(carol.sees("Which cohort?"), "Ozarks")

    assert "When I'm in, it becomes the home of Ozarks." in answer.text
    message = carol.sees("Ozarks is set up")
    assert "Lee Okafor <lee@example.org>" in shown(message)
    [said] = story.in_channel(CHANNEL)
    assert shown(said).startswith("Hello, Ozarks")
    assert "Ruth Ellison" in shown(said)

    # The members whose address is on the roster are asked in their own chats; nobody else is written to.
    assert "Ruth Ellison" in shown(ruth.sees("Is this you?"))
    assert [shown(message).splitlines()[0] for message in dana.chat] == ["Is this you?"]
    opened = [call.body for call in story.fake.calls_to("/v3/conversations", "POST") if "members" in call.body]
    assert DANA.id in {
        body["members"][0]["id"] for body in opened
    }  # Teams' own id of her, as the channel's list of members told it
    assert not lee.chat
    assert not story.meets(OLLIE).chat
    assert not story.read(lambda tx: account_links.accounts_of(tx, dana.id))

    # Yes, and the welcome says who sees what; the question is answered where it stood.
    answer = await dana.taps(dana.sees("Is this you?"), "Yes, that's me")
    assert "Good to meet you, Dana Reyes." in answer.text
    welcome = dana.sees("Welcome, Dana Reyes")
    assert "You are in Ozarks." in shown(welcome)
    assert "Who sees what." in shown(welcome)
    before = story.everything()
    await dana.repeats()
    assert story.everything() == before
    assert len([message for message in dana.chat if "Welcome" in shown(message)]) == 1
    [account] = story.read(lambda tx: account_links.accounts_of(tx, dana.id))
    assert (account.platform, account.tenant, account.user) == ("teams", TENANT, DANA.object_id)

    # No, and nothing is linked, nor asked again.
    await sam.taps(sam.sees("Is this you?"), "No")
    assert not story.read(lambda tx: account_links.accounts_of(tx, sam.id))
    assert "Is this you?" not in (await sam.says("progress")).text

    # A guest's sign-in name is not the address: the coordinator matches, and the welcome comes.
    assert "I can't match you to the roster yet" in (await lee.says("progress")).text
    done = await match(carol, LEE)
    assert "Lee Okafor is now matched" in done.text
    assert "You are in Ozarks." in shown(lee.sees("Welcome, Lee Okafor"))
    assert "Your progress" in (await lee.says("progress")).text


async def test_the_running_product_needs_nobody_to_wake_it(story: Story) -> None:
    ruth, dana = story.meets(RUTH), story.meets(DANA)
    await ruth.says("hello")
    await ruth.taps(ruth.sees("Is this you?"), "Yes, that's me")
    story.app.loop.start()

    await ruth.client.send(ruth.client.mentions("cohort link"))

    async with asyncio.timeout(20):
        await story.fake.until(lambda: bool(dana.chat and story.in_channel()))
    assert "Is this you?" in shown(dana.chat[0])
    assert shown(story.in_channel()[0]).startswith("Hello, Ozarks")


async def test_linking_again_and_retried_links_change_nothing(story: Story) -> None:
    ruth = story.meets(RUTH)
    await ruth.says("hello")
    await ruth.taps(ruth.sees("Is this you?"), "Yes, that's me")
    linked = await ruth.asks("cohort link")
    assert "home of Ozarks" in linked.text
    before = story.everything()

    await ruth.repeats()

    assert story.everything() == before
    assert len(story.in_channel()) == 1
    again = await ruth.asks("cohort link")
    assert "home of Ozarks" in again.text
    assert len(story.in_channel()) == 1
    assert len([message for message in story.meets(DANA).chat if "Is this you?" in shown(message)]) == 1


async def test_a_newcomer_is_asked_though_teams_names_no_channel(story: Story, cohort: dict[str, Someone]) -> None:
    nia = somebody("Nia Newcomer", 30)
    text = ROSTER + "Ozarks,Southwest,mentee,Nia Newcomer,nia@example.org,P9,America/Chicago,R-I,2026-09-01,\n"
    roster.import_file(story.settings, text, story.clock.now(), story.app.product.new_id, dry_run=False)
    newcomer, stranger = story.meets(nia), story.meets(somebody("Stan Stranger", 31))

    joined = of_the_team(cohort["carol"], "membersAdded", nia.account(), stranger.person.account())
    await cohort["carol"].acts(joined)

    assert "(Ozarks) with your email address" in shown(newcomer.sees("Is this you?"))
    assert not stranger.chat
    await cohort["carol"].acts(joined)
    assert len(newcomer.chat) == 1
    await newcomer.taps(newcomer.sees("Is this you?"), "Yes, that's me")
    assert newcomer.sees("Welcome, Nia Newcomer")

    # Leaving the team ends no place in the cohort.
    await cohort["carol"].acts(of_the_team(cohort["carol"], "membersRemoved", nia.account()))
    assert "Ozarks" in (await newcomer.says("cohort")).text


async def test_a_guest_with_the_right_address_is_never_let_in_by_it(story: Story) -> None:
    ghost = story.meets(somebody("Dana Reyes", 40, email="ruth@example.org", guest=True))

    await ghost.acts(of_the_team(ghost, "membersAdded", ghost.person.account()))
    answer = await ghost.says("progress")

    assert "I can't match you to the roster yet" in answer.text
    assert "Is this you?" not in answer.text
    key = AccountKey("teams", TENANT, ghost.person.object_id)
    me = story.read(lambda tx: people.actor(tx, key.platform, key.tenant, key.user))
    assert me is not None
    assert (me.person_id, me.link) == (None, "none")


async def test_a_personal_install_asks_those_of_the_roster_and_leaves_others_in_peace(story: Story) -> None:
    dana, ollie = story.meets(DANA), story.meets(OLLIE)

    for someone in (dana, ollie):  # Teams tells of one install by two activities
        await someone.acts(someone.client.installs())
        await someone.acts(someone.client.activity("conversationUpdate", membersAdded=[{"id": BOT}]))

    assert [shown(message).splitlines()[0] for message in dana.chat] == ["Is this you?"]
    assert not ollie.chat


async def test_everybody_is_matched_and_each_cohort_is_at_home(story: Story, cohort: dict[str, Someone]) -> None:
    assert "Everyone on the roster is matched" in (await cohort["carol"].says("people")).text
    homes = {cohort.name: cohort.home_id for cohort in story.read(cohorts.all_cohorts)}
    assert len(set(homes.values())) == 2
    assert None not in homes.values()
    assert shown(story.in_channel(GATEWAY_CHANNEL)[0]).startswith("Hello, Gateway")
    assert "(Gateway) with your email" not in "".join(map(shown, cohort["dana"].chat))
    assert cohort["jordan"].sees("Welcome, Jordan Blake")


async def test_the_bot_is_removed_and_it_is_said(story: Story, cohort: dict[str, Someone]) -> None:
    """Nothing can be written to the channel any more; the coordinator reads why."""
    story.fake.fail("POST", f"/{CHANNEL}/activities", "not-in-roster")
    await cohort["carol"].acts(of_the_team(cohort["carol"], "membersRemoved", {"id": BOT}))
    ruth = cohort["ruth"]
    opened = await ruth.taps((await ruth.says("meeting new")).messages[0], "Schedule meetings")
    preview = (await ruth.sends(opened.dialog, topic="Groups")).dialog

    await ruth.sends(preview)

    [lost] = story.read(lambda tx: undelivered.undelivered(tx, story.clock.now()))
    assert lost.kind == "meeting.announcement"
    assert "Add the app" in lost.reason
    assert "Add the app" in (await cohort["carol"].says("digest")).text


async def test_an_app_removed_and_added_again_within_a_minute_is_there(
    story: Story, cohort: dict[str, Someone]
) -> None:
    """Teams tells of each by two activities."""
    carol = cohort["carol"]
    changes: tuple[Literal["membersAdded", "membersRemoved"], ...] = ("membersAdded", "membersRemoved", "membersAdded")
    for change in changes:
        action = "add" if change == "membersAdded" else "remove"
        await carol.acts(of_the_team(carol, change, {"id": BOT}))
        await carol.acts({**of_the_team(carol, change), "type": "installationUpdate", "action": action})

    def is_gone() -> bool:
        query = select(conversation.c.gone).where(conversation.c.external == TEAM)
        return bool(story.read(lambda tx: tx.scalar(query)))

    assert not is_gone()
    assert sum("cohort link" in shown(message) for message in story.in_channel(TEAM)) == 1
    await carol.acts(of_the_team(carol, "membersRemoved", {"id": BOT}))
    assert is_gone()


def gone(story: Story) -> bool:
    """Whether the bot believes that it was taken out of the team."""
    query = select(conversation.c.gone).where(conversation.c.external == TEAM)
    return bool(story.read(lambda tx: tx.scalar(query)))


async def test_a_removal_that_comes_after_the_app_is_back_removes_nothing(
    story: Story, cohort: dict[str, Someone]
) -> None:
    carol = cohort["carol"]
    late = {**of_the_team(carol, "membersRemoved", {"id": BOT}), "timestamp": "2030-01-01T10:00:00.1234567Z"}
    back = {**of_the_team(carol, "membersAdded", {"id": BOT}), "timestamp": "2030-01-01T10:00:30Z"}
    await carol.acts(back)
    await carol.acts(late)
    assert not gone(story)
    await carol.acts({**of_the_team(carol, "membersRemoved", {"id": BOT}), "timestamp": "2030-01-01T10:01:00Z"})
    assert gone(story)


async def test_an_uninstall_that_comes_late_loses_no_personal_chat(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await dana.acts({**dana.client.installs(), "timestamp": "2030-01-01T10:00:30Z"})
    await dana.acts({**dana.client.installs("remove"), "timestamp": "2030-01-01T10:00:00Z"})
    chats = select(conversation.c.gone).where(conversation.c.kind == "personal")
    assert not any(story.read(lambda tx: tx.scalars(chats).all()))


async def test_an_app_that_two_processes_hear_is_removed_and_added_is_there(
    story: Story, cohort: dict[str, Someone], tmp_path: Path
) -> None:
    """Each process hears one of the two activities that Teams sends of each change, the other half the next time."""
    carol = cohort["carol"]
    settings = story.settings
    database = open_database(settings)
    other = App(settings, database, prepare(settings, database, story.clock, uuid4), story.clock, uuid4)
    join(other, story.fake)
    await other.start()
    await other.loop.stop()
    two = TeamsClient(story.fake, f"{other.address}api/messages", person=CAROL)
    try:

        async def hear(client: TeamsClient, change: Literal["membersAdded", "membersRemoved"], second: int) -> None:
            """``change`` as a conversationUpdate at one process, and as an installationUpdate at the other."""
            at = {"timestamp": f"2030-01-01T10:00:{second:02}Z"}
            action = "add" if change == "membersAdded" else "remove"
            update = {**of_the_team(carol, change), "type": "installationUpdate", "action": action, **at}
            rest = two if client is carol.client else carol.client
            for who, activity in ((client, {**of_the_team(carol, change, {"id": BOT}), **at}), (rest, update)):
                status, _ = await who.send(activity)
                assert status == 200

        await hear(carol.client, "membersAdded", 0)
        await hear(carol.client, "membersRemoved", 10)
        assert gone(story)
        await hear(two, "membersAdded", 20)
        assert not gone(story)
    finally:
        await other.stop()


def test_three_broken_rows_import_none_and_a_good_file_twice_changes_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lines = ROSTER.splitlines()
    lines[2] = lines[2].replace("dana@example.org", "dana at example.org")
    lines[3] = lines[3].replace("mentee", "pupil")
    lines[4] = lines[4].replace("America/Denver", "Mars/Olympus")

    with pytest.raises(NothingImported) as wrong:
        roster.import_file(settings, "\n".join(lines), START, uuid4, dry_run=False)
    shown_only = roster.import_file(settings, ROSTER, START, uuid4, dry_run=True)
    written = roster.import_file(settings, ROSTER, START, uuid4, dry_run=False)

    assert [line[:6] for line in str(wrong.value).splitlines()] == ["Line 3", "Line 4", "Line 5"]
    assert shown_only == written
    assert len(written) > 6
    assert roster.import_file(settings, ROSTER, START, uuid4, dry_run=False) == []
