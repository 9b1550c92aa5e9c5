"""The record of two years on Slack, over signed HTTP: each flow once, as people see it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, update

from storage.core.database import Tx
from storage.people.people_tables import account
from storage.record import policies, verification
from storage.vault.vault_tables import vault_item
from tests.slack.phone import screen
from tests.slack.story import OZARKS, Neighbour, Story
from tests.world import everybody_on, renamed

OVER = datetime(2026, 9, 10, 21, 30, tzinfo=UTC)
CANARY = "canary-Rohrammer-4410"
YEARS = "Meetings, Year 1 (2026-27): "


@pytest.fixture
async def matched(story: Story) -> AsyncIterator[Story]:
    """Everybody is matched, on the example policy; at the end nothing is undelivered and every chain is whole."""
    await story.all_matched()
    await story.app.product.threads.write(lambda tx: everybody_on(tx, policies.EXAMPLE))
    yield story
    key = story.app.product.chain_key
    assert (await story.app.product.threads.read(lambda tx: verification.verify(tx, key))).problems == []
    assert await story.undelivered() == []


async def absent(story: Story) -> None:
    """A meeting at which Ruth records Dana as absent."""
    await story.scheduled(repeat="once", until="")
    await story.go_to(OVER)
    ruth = story.ruth
    await ruth.taps_in_chat("Person by person")
    await ruth.fills(**{ruth.field(name): "present" for name in ("Lee Okafor", "Sam Whitfield")} | here(ruth, "absent"))


def here(ruth: Neighbour, status: str) -> dict[str, str]:
    return {ruth.field("Dana Reyes"): status}


async def steps(story: Story, name: str = "Dana Reyes") -> list[str]:
    return [step for who, step, *_ in await story.ledger() if who == name]


async def test_an_activity_is_logged_and_verified(matched: Story) -> None:
    dana, ruth = matched.dana, matched.ruth
    await dana.sends("log")
    assert "Please leave out student names and private matters." in dana.modal()
    contact = {"type": "contact", "day": "2026-09-07", "minutes": "30"}
    assert "counts in person, by video or by phone." in await dana.fills(**contact)
    told = await dana.fills(**contact, mode="phone")
    assert "Logged: One-to-one contact with the mentor, 30 minutes. I asked your mentor to verify it." in told
    asked = ruth.last()
    assert asked == (
        "# An activity to verify\n"
        "Dana Reyes: One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes.\n"
        "[Verify] [Decline]"
    )
    assert "0 of 2" in await dana.sends("progress")

    await ruth.taps_in_chat("Verify")

    assert ruth.last() == (
        "# Activity verified\nDana Reyes: One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes.\n[Correct]"
    )
    assert not any("[Verify]" in message for message in ruth.inbox())
    assert dana.last().startswith("# Your activity is verified")
    assert "One-to-one contacts, Year 1 (2026-27): 1 of 2" in await dana.sends("progress")
    assert await steps(matched) == ["logged", "verified"]

    await ruth.taps_in_chat("Correct")
    assert "I told the mentee" in await ruth.fills(status="does_not_count", reason="late_entry")

    assert dana.last().endswith("It doesn't count. The first entry was wrong.")
    assert "0 of 2" in await dana.sends("progress")
    assert await steps(matched) == ["logged", "verified", "corrected"]


async def test_a_missed_meeting_is_made_up(matched: Story) -> None:
    dana, ruth, carol = matched.dana, matched.ruth, matched.carol
    assert "You have no missed meetings" in await dana.sends("makeup")
    await absent(matched)
    assert YEARS + "0 of 8" in await dana.sends("progress")

    await dana.sends("makeup")
    meeting = matched.option(dana, "meeting", "First steps (absent)")
    told = await dana.fills(meeting=meeting, type="observation", day="2026-09-10", minutes="60")
    assert "Request sent to your mentor or coordinator. I'll tell you the decision." in told
    for neighbor in (ruth, carol):
        assert neighbor.last().startswith(
            "# A make-up to approve\n"
            "Dana Reyes: Observation of another counselor, Thu Sep 10, 2026, 60 minutes, "
            "to make up First steps of Thu Sep 10, 2026."
        )
    await carol.taps_in_chat("Approve")

    assert "# Make-up approved" in ruth.last(), "the mentor's copy says it is done"
    assert dana.last().startswith("# Your make-up is approved")
    assert YEARS + "1 of 8" in await dana.sends("progress")
    assert "You have no missed meetings" in await dana.sends("makeup")


async def test_a_leave_is_asked_and_granted(matched: Story) -> None:
    dana, carol = matched.dana, matched.carol
    await dana.sends("leave")
    assert "To pause only check-ins, send /plc snooze until DATE." in dana.modal()
    backwards = await dana.fills(starts="2026-09-08", ends="2026-09-01", reason="family")
    assert backwards == "The last day must be after the first day."
    assert "Request sent" in await dana.fills(starts="2026-09-08", ends="2026-12-20", reason="family")
    assert carol.last() == (
        "# A leave request to decide\n"
        "Dana Reyes: Tue Sep 8, 2026 to Sun Dec 20, 2026 (Family or parental leave).\n"
        "[Approve] [Decline]"
    )

    await carol.taps_in_chat("Approve")

    assert dana.last() == (
        "# Your leave is approved\n"
        "Tue Sep 8, 2026 to Sun Dec 20, 2026. You won't get check-ins during your leave. Everything you did "
        "still counts.\n"
        "[I'm back]"
    )
    await matched.go_to(datetime(2026, 9, 18, 12, 0, tzinfo=UTC))
    assert not any("check-in is closed" in message for message in dana.inbox())
    assert any("check-in is closed" in message for message in matched.sam.inbox()), "the others were asked"
    paused = await dana.sends("progress")
    assert paused.startswith("# Your progress: paused")
    assert (
        "On leave until December 20, 2026. Nothing is due during the leave. Everything done before still counts."
    ) in paused

    await dana.taps_in_chat("I'm back")
    assert "Your first day is Fri Sep 18, 2026." in await dana.fills(day="2026-09-18")
    assert carol.last().startswith("# Back from leave\nDana Reyes is back")
    assert not (await dana.sends("progress")).startswith("# Your progress: paused")


async def test_a_dispute_is_read_by_those_it_is_for_and_by_nobody_else(matched: Story) -> None:
    dana, ruth, carol = matched.dana, matched.ruth, matched.carol
    await absent(matched)
    letters = len(ruth.inbox())

    await dana.sends("dispute")
    assert "Only the people you choose can read this." in dana.modal()
    record = matched.option(dana, "record", "First steps, absent")
    sent = await dana.fills(record=record, readers="coordinator", text=f"{CANARY} was there")
    assert "I asked the people you chose to look at it" in sent
    assert carol.last() == (
        "# A record is disputed\n"
        "Dana Reyes says a record is wrong: Thu Sep 10, 2026, First steps, absent.\n"
        "[Read it] [Correct it] [Settle it]"
    )
    assert ruth.inbox()[letters:] == [], "it is for the coordinator alone"
    for neighbor in (dana, ruth, carol):
        for command in ("progress", "digest", "next"):
            await neighbor.sends(command)

    calls = len(matched.fake.calls)
    await carol.taps_in_chat("Read it")
    assert f"{CANARY} was there" in carol.modal()
    shown = [name for name, arguments in matched.fake.calls[calls:] if CANARY in json.dumps(arguments)]
    assert shown == ["views.open"]
    matched.fake.stacks[carol.user] = []  # she closes it
    button = carol.message(carol.chat, "Read it")
    assert "I can't find that dispute." in await ruth.taps("Read it", button, ruth.chat), "a forged press"
    assert not matched.fake.sees_modal(ruth.user)

    await carol.taps_in_chat("Settle it")
    await carol.fills(outcome="corrected")
    assert "# Dispute settled" not in "".join(carol.inbox())
    await carol.fills(**{carol.field("Dana Reyes"): "present", "reason": "mentee_asked"})
    assert dana.last() == (
        "# Your dispute is settled\n"
        "About: Thu Sep 10, 2026, First steps, absent.\n"
        "The record was wrong. It is corrected.\n"
        "The record now says: present."
    )
    assert "# Dispute settled" in "".join(carol.inbox())
    assert YEARS + "1 of 8" in await dana.sends("progress")
    assert await steps(matched) == ["confirmed", "opened", "corrected", "settled"]

    assert len(await matched.rows(select(vault_item.c.id))) == 1


async def test_the_coordinator_opens_one_record_transfers_credits_and_undoes(matched: Story) -> None:
    dana, carol, ruth = matched.dana, matched.carol, matched.ruth
    assert "only for coordinators" in await ruth.sends("person Dana Reyes")
    record = await carol.sends("person Dana Reyes")
    assert record.startswith("# Dana Reyes\n")
    assert "[Transfer] [Credit] [Waive] [Leave] [Change policy]" in record
    assert "Check code" not in record
    await carol.taps_notice("Details")
    assert "Check code: empty" in carol.modal()
    matched.fake.stacks[carol.user] = []  # she closes it

    await carol.taps_notice("Credit")
    credit = await carol.fills(rule="meetings", year="1", amount="3", day="2026-09-07", reason="prior_program")
    assert credit == "Saved for Dana Reyes. I'll tell them. If you undo it, the record will show both.\n[Undo]"
    assert "Carol Dietz credited you with 3 meetings in year 1." in dana.last()
    assert YEARS + "3 of 8" in await dana.sends("progress")
    await carol.taps_in_chat("Undo")
    assert carol.last() == "Undone for Dana Reyes. The record shows both."
    assert "Carol Dietz removed your credit: 3 meetings in year 1." in dana.last()
    assert YEARS + "0 of 8" in await dana.sends("progress")

    await carol.sends("person dana@example.org")
    await carol.taps_notice("Transfer")
    told = await carol.fills(cohort=matched.option(carol, "cohort", "Gateway"), day="2026-09-07", reason="moved")
    assert told == "Dana Reyes is in Gateway from Mon Sep 7, 2026. All credit is kept."
    assert dana.last() == (
        "# Your record changed\n"
        "Carol Dietz moved you to Gateway, starting Mon Sep 7, 2026.\n"
        "[My progress] [This is wrong]"
    )
    assert "Gateway" in await dana.sends("cohort")
    assert await steps(matched) == ["granted", "withdrawn", "made"]

    await dana.taps_in_chat("This is wrong")
    assert "Mon Sep 7, 2026, Transfer to Gateway" in json.dumps(matched.fake.top_view(dana.user))


async def test_what_a_policy_leaves_open_is_filled_in_after_reading_it(matched: Story) -> None:
    dana, carol = matched.dana, matched.carol
    threads = matched.app.product.threads
    await threads.write(lambda tx: everybody_on(tx, policies.MISSOURI))
    assert "the number required isn't set yet" in await dana.sends("progress")
    shown = await carol.sends("policy")
    assert "Meetings: at least (not set yet) in the year." in shown

    await carol.taps_notice("Fill in 12 values")
    needed = carol.field("Meetings: how many are needed")
    partly = carol.field("Does attending part of a meeting count?")
    assert "Enter a whole number" in await carol.fills(**{needed: "many"})
    read = await carol.fills(**{needed: "6", partly: "yes"})
    assert "Meetings: at least 6 in the year." in read
    assert "Attending part of a meeting counts, for the minutes attended." in read
    assert "hasn't set" in await dana.sends("progress"), "reading it changes nothing"
    assert "Saved for everyone on Missouri DESE counselor mentoring program, version 2018." in await carol.fills()

    assert YEARS + "0 of 6" in await dana.sends("progress")
    assert "[Fill in " not in await dana.sends("policy")


async def test_person_takes_a_mention_of_a_confirmed_account(matched: Story) -> None:
    carol, dana, lee = matched.carol, matched.dana, matched.lee
    for asked in (f"person <@{dana.user}|dana>", f"person <@{dana.user}>"):
        assert (await carol.sends(asked)).startswith("# Dana Reyes")
    await carol.mention(f"person <@{lee.user}>", OZARKS)
    await matched.settled()
    assert "# Lee Okafor" in "\n".join(carol.inbox() + [screen(notice, carol.zone) for notice in matched.fake.notices])
    assert "only for coordinators" in await matched.ruth.sends(f"person <@{dana.user}|dana>")
    assert "Mention one person" in await carol.sends(f"person <@{dana.user}> <@{lee.user}>")
    assert "That account isn't matched to anyone on the roster." in await carol.sends("person <@U00NOBODY|dana>")


async def test_person_takes_no_mention_of_an_account_whose_seal_does_not_fit(story: Story) -> None:
    await story.all_matched()
    carol, dana, lee = story.carol, story.dana, story.lee
    assert (await carol.sends(f"person <@{lee.user}|lee>")).startswith("# Lee Okafor")
    move = update(account).where(account.c.user == lee.user)
    await story.app.product.threads.write(lambda tx: tx.execute(move.values(person_id=dana_id(tx, dana.user))))
    assert "isn't matched to anyone" in await carol.sends(f"person <@{lee.user}|lee>")


def dana_id(tx: Tx, user: str) -> UUID | None:
    return tx.scalar(select(account.c.person_id).where(account.c.user == user))


async def test_a_right_to_left_name_is_isolated_on_slack(matched: Story) -> None:
    await matched.app.product.threads.write(lambda tx: renamed(tx, "dana@example.org", "נעמה לוי"))
    assert "\u2068נעמה לוי\u2069 | 0 of 8" in await matched.ruth.sends("progress")
