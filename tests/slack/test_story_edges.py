"""The same product on Slack where people are hasty, forgetful, outside, or Slack repeats itself."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.slack import Patience
from storage.checkins.checkins_tables import checkin, prompt
from storage.meetings.meetings_tables import break_, meeting, rsvp
from storage.outbox.outbox_tables import conversation, delivery, due_moment, processed_request
from storage.people.people_tables import account, person
from storage.vault.vault_tables import vault_item
from tests.fakes.slack import BOT_USER, Fault
from tests.slack.phone import screen
from tests.slack.story import GATEWAY, LOUNGE, OZARKS, SERIES, Story

STARTS = datetime(2026, 9, 10, 20, 30, tzinfo=UTC)
OPENS = datetime(2026, 9, 10, 20, 15, tzinfo=UTC)
ENDS = datetime(2026, 9, 10, 21, 30, tzinfo=UTC)
CHECK_IN = datetime(2026, 9, 10, 20, 0, tzinfo=UTC)


# Who is who ------------------------------------------------------------------------------------


async def test_no_thats_not_me_links_nobody_and_is_not_asked_again(story: Story) -> None:
    story.imports()
    await story.dana.types("hello")
    await story.dana.taps_in_chat("No")

    assert "I didn't link your account" in story.dana.last()
    assert "That was a mistake" in await story.dana.types("progress")
    assert await story.rows(select(func.count()).where(person.c.welcomed_at.is_not(None))) == [(0,)]


async def test_a_question_that_was_answered_twice_changes_nothing(story: Story) -> None:
    story.imports()
    await story.dana.types("hello")
    question = dict(story.fake.messages(story.dana.chat)[0])
    await story.dana.taps("Yes, that's me", dict(question), story.dana.chat)
    told = await story.dana.taps("Yes, that's me", dict(question), story.dana.chat)

    assert told == "That's already decided. Your account is matched to Dana Reyes. Send /plc help."
    assert sum("# Welcome" in message for message in story.dana.inbox()) == 1


@pytest.mark.parametrize("change", [{"is_restricted": True}, {"is_email_confirmed": False}, {"email": "x@y.org"}])
@pytest.mark.parametrize("first", ["hello", "No"])
async def test_yes_is_refused_to_an_account_that_changed_on_slack_since_the_question(
    story: Story, change: dict[str, Any], first: str
) -> None:
    story.imports()
    await story.dana.types("hello")
    if first == "No":
        await story.dana.taps_in_chat("No")
        await story.dana.types("progress")
        await story.dana.taps_in_chat("That was a mistake")
    user = story.fake.users[story.dana.user]
    (user["profile"] if "email" in change else user).update(change)
    await story.dana.taps_in_chat("Yes, that's me")

    assert await story.rows(select(account.c.link).where(account.c.user == story.dana.user)) == [("none",)]
    assert await story.rows(select(func.count()).where(person.c.welcomed_at.is_not(None))) == [(0,)]
    assert "Your account or the roster has changed" in "".join(story.dana.inbox())


async def test_yes_links_nothing_while_slack_cannot_be_asked(story: Story) -> None:
    story.imports()
    await story.dana.types("hello")
    story.fake.fail("users.info", Fault(status=500))
    assert "I couldn't check your account just now" in await story.dana.taps_in_chat("Yes, that's me")
    assert await story.rows(select(account.c.link).where(account.c.user == story.dana.user)) == [("proposed",)]

    await story.dana.taps_in_chat("Yes, that's me")
    assert await story.rows(select(account.c.link).where(account.c.user == story.dana.user)) == [("confirmed",)]


async def test_somebody_who_joins_the_cohorts_channel_is_asked_and_a_guest_is_not(story: Story) -> None:
    story.imports()
    await story.ruth.types("hello")
    await story.ruth.taps_in_chat("Yes, that's me")
    members = story.fake.channels[OZARKS].members
    members[:] = [story.ruth.user]
    await story.ruth.sends("cohort link", OZARKS)
    assert "I couldn't match 3 people" not in "".join(story.dana.inbox())

    for neighbor in (story.dana, story.lee):
        members.append(neighbor.user)
        await neighbor.joins(OZARKS)
    await story.settled()

    asked = [message for message in story.dana.inbox() if "# Is this you?" in message]
    assert len(asked) == 1, "found by address at the link, and not asked twice"
    assert story.lee.inbox() == []


async def test_an_address_that_is_confirmed_later_is_found_at_the_next_word(story: Story) -> None:
    """A command that only reads could not propose anything: it ran in a reading transaction."""
    await story.dana.types("hello")
    assert "I can't match you to the roster yet" in story.dana.last()
    story.imports()

    assert "Is this you?" in await story.dana.sends("help")


async def test_linking_says_which_cohort_where_a_coordinator_could_mean_two(story: Story) -> None:
    await story.all_matched()
    story.fake.add_channel("C00NEW", "plc-new", (story.carol.user,))

    asked = await story.carol.sends("cohort link", "C00NEW")
    assert asked == "# Which cohort?\n[Gateway] [Ozarks]"
    told = await story.carol.taps_notice("Gateway", "C00NEW")

    assert "it becomes the home of Gateway. Until then its earlier channel stays the home." in told
    assert "# Hello, Gateway" in story.carol.reads("C00NEW")[0]


async def test_a_mentee_cannot_lead(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()

    for command in ("cohort link", "meeting new", "attendance", "summary", "breaks", "people", "prompts", "digest"):
        refused = await story.dana.sends(command, OZARKS)
        assert refused.startswith(f"/plc {command} is only for"), refused
        assert not story.fake.sees_modal(story.dana.user)
    await story.ruth.sends("meetings", OZARKS)
    stolen = story.fake.notices[-1]
    for label in ("Move", "Cancel", "Snow day"):
        told = await story.dana.taps(label, stolen, OZARKS, notice=True)
        assert "mentors and" in told
    assert not story.fake.sees_modal(story.dana.user)
    assert await story.rows(select(func.count()).where(meeting.c.cancelled_at.is_not(None))) == [(0,)]


# What Slack does twice -------------------------------------------------------------------------


async def test_slacks_retries_and_double_presses_change_nothing(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()
    await story.go_to(CHECK_IN)
    said = story.dana.event_payload({**story.dana._said("A word"), **im(story.dana.chat)})
    chat = story.fake.messages(OZARKS)
    announced = story.dana.message(OZARKS, "Coming", "PLC meeting")
    press = story.dana.press_payload("Coming", announced, OZARKS)
    command = story.dana.command_payload("snooze until 2026-12-01", story.dana.chat)

    for retry in range(3):
        await story.wire.event(said, retry)
        await story.wire.interactive(press)
        await story.wire.command(command)
    await story.settled()
    first = await everything(story)

    # The process is another one by now: what it had in memory is gone, the database has not forgotten.
    story.platform._asking._processed.clear()
    await story.wire.event(said, 3)
    await story.wire.interactive(press)
    await story.wire.command(command)
    await story.settled()

    assert await everything(story) == first
    assert len(await story.rows(select(vault_item.c.id))) == 1
    assert len(await story.rows(select(rsvp.c.coming))) == 1
    assert sum("[Keep as my reflection]" in message for message in story.dana.inbox()) == 1
    assert len(story.fake.messages(OZARKS)) == len(chat)


async def test_a_form_sent_twice_is_one_meeting(story: Story) -> None:
    await story.all_matched()
    await story.ruth.sends("meeting new", OZARKS)
    await story.ruth.fills(**{**SERIES, "repeat": "once", "until": ""})
    twice = story.ruth.submission_payload()

    answers = await asyncio.gather(story.wire.interactive(twice), story.wire.interactive(twice))
    await story.settled()
    await story.wire.interactive(twice)
    await story.settled()

    assert {answer.body.get("response_action") for answer in answers} == {"clear"}
    assert len(await story.rows(select(meeting.c.id))) == 1


async def test_a_form_that_led_on_can_be_changed_by_the_back_arrow(story: Story) -> None:
    await story.all_matched()
    await story.ruth.sends("meeting new", OZARKS)
    await story.ruth.fills(**{**SERIES, "repeat": "once", "until": ""})
    story.ruth.goes_back()
    await story.ruth.fills(**{**SERIES, "topic": "Small groups", "repeat": "once", "until": ""})
    await story.ruth.fills()
    assert await story.rows(select(meeting.c.topic)) == [("Small groups",)]


async def test_another_click_on_a_saved_form_is_told_that_its_changes_are_not_saved(story: Story) -> None:
    await story.all_matched()
    await story.ruth.sends("meeting new", OZARKS)
    await story.ruth.fills(**{**SERIES, "repeat": "once", "until": ""})
    first = story.ruth.submission_payload()
    await story.wire.interactive(first)
    await story.settled()
    again = {**first, "trigger_id": story.fake.trigger(story.ruth.user)}

    answered = await story.wire.interactive(again)

    assert "is saved already" in json.dumps(answered.body)
    assert len(await story.rows(select(meeting.c.id))) == 1
    assert (await story.wire.interactive(first)).body.get("response_action") == "clear", "Slack's retry says no more"
    assert sum("# PLC meeting" in message for message in story.dana.reads(OZARKS)) == 1


async def test_two_mentees_tap_at_the_same_moment(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()
    await story.go_to(OPENS)
    here = story.dana.message(OZARKS, "I'm here")

    await asyncio.gather(
        *(neighbor.press("I'm here", here, OZARKS) for neighbor in (story.dana, story.lee, story.sam) * 2)
    )
    await story.settled()

    assert sorted(name for name, *_ in await story.ledger()) == ["Dana Reyes", "Lee Okafor", "Sam Whitfield"]
    assert "Here (3): Dana Reyes, Lee Okafor and Sam Whitfield" in story.ruth.reads(OZARKS)[-1]


async def test_everyone_came_pressed_by_two_mentors_is_recorded_once(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()
    await story.go_to(ENDS)
    roster = dict(story.ruth.message(story.ruth.chat, "Everyone came"))

    await story.ruth.taps("Everyone came", dict(roster), story.ruth.chat)
    await story.ruth.taps("Everyone came", dict(roster), story.ruth.chat)
    await story.carol.taps("Everyone came", dict(roster), story.carol.chat)

    assert [step for _, step, *_ in await story.ledger()] == ["confirmed"] * 3
    assert "# Attendance is complete" in "".join(story.ruth.inbox())


# Slow and failing ------------------------------------------------------------------------------


async def test_a_command_slower_than_two_seconds_answers_through_its_response_address(story: Story) -> None:
    await story.all_matched()
    held = holds_answers(story)

    answered = await story.dana.command("progress", OZARKS)
    assert answered.body.get("text", "") == "", "acknowledged without an answer"
    before = len(story.fake.made("response_url"))
    held.set()
    await story.settled()

    (late,) = story.fake.made("response_url")[before:]
    assert late["response_type"] == "ephemeral"
    assert screen(late).startswith("# Your progress")


async def test_a_form_after_a_slow_command_is_behind_a_button(story: Story) -> None:
    await story.all_matched()
    held = holds_answers(story)

    await story.ruth.command("meeting new", OZARKS)
    held.set()
    await story.settled()
    story.platform._asking.patience = Patience(answer=30, form=30, stop=20)

    assert screen(story.fake.notices[-1]) == "# Schedule meetings\n[Open]"
    await story.ruth.taps_notice("Open", OZARKS)
    assert "For Ozarks." in story.ruth.modal()


async def test_slack_that_asks_to_wait_gets_every_message_once(story: Story) -> None:
    await story.all_matched()
    story.fake.fail("chat.postMessage", Fault(status=429, retry_after=30, after=False))
    await story.scheduled()
    assert not any("# PLC meeting" in message for message in story.dana.reads(OZARKS))

    await story.pass_time(seconds=31)

    assert sum("# PLC meeting" in message for message in story.dana.reads(OZARKS)) == 1
    assert await story.undelivered() == []


async def test_a_direct_message_whose_answer_was_lost_is_looked_up_before_it_is_sent_again(story: Story) -> None:
    await story.all_matched()
    story.fake.fail("chat.postMessage", Fault(drop=True))
    await story.go_to(CHECK_IN)
    await story.pass_time(minutes=5)

    sent = [message for who in (story.dana, story.lee, story.jordan) for message in who.inbox()]
    assert sum("# How are things going?" in message for message in sent) == 3
    assert await story.undelivered() == []


async def test_an_announcement_that_may_have_arrived_is_shown_to_the_coordinator(story: Story) -> None:
    await story.all_matched()
    story.fake.fail("chat.postMessage", Fault(drop=True))
    await story.scheduled()
    await story.pass_time(minutes=5)

    assert sum("# PLC meeting" in message for message in story.dana.reads(OZARKS)) == 1
    digest = await story.carol.sends("digest")
    assert "Messages I couldn't deliver (1)" in digest
    assert "plc-ozarks: an announcement. it may not have arrived" in digest


async def test_a_check_in_that_cannot_be_delivered_is_not_named_in_the_digest(story: Story) -> None:
    await story.all_matched()
    story.fake.users[story.lee.user]["deleted"] = True
    story.platform.port._people.clear()
    await story.go_to(CHECK_IN)

    digest = await story.carol.sends("digest")
    assert "Lee Okafor: " not in digest
    assert "couldn't deliver" not in digest


async def test_a_channel_that_threw_the_bot_out(story: Story) -> None:
    await story.all_matched()
    story.fake.channels[OZARKS].members.remove(BOT_USER)
    await story.carol.event({"type": "channel_left", "channel": OZARKS})
    await story.scheduled()

    digest = await story.carol.sends("digest")
    assert "plc-ozarks: an announcement. The bot is not in this channel, or the channel is gone. Invite" in digest


async def test_a_leave_that_comes_after_the_bot_is_back_loses_no_channel(story: Story) -> None:
    await story.all_matched()
    left = {"type": "channel_left", "channel": OZARKS, "event_ts": "1900000000.1"}
    back = {"type": "member_joined_channel", "user": BOT_USER, "channel": OZARKS, "team": "T00HOME"}
    await story.carol.event({**back, "inviter": "U00RUTH", "event_ts": "1900000010.1"})
    await story.carol.event(left)
    await story.settled()
    gone = select(conversation.c.gone).where(conversation.c.external == OZARKS)
    assert await story.rows(gone) == [(False,)]
    await story.carol.event({**left, "event_ts": "1900000020.1"})
    assert await story.rows(gone) == [(True,)]


# Meetings --------------------------------------------------------------------------------------


async def test_the_rest_of_a_series_moves_and_its_reminders_follow(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()
    await story.ruth.sends("meetings", OZARKS)
    await story.ruth.taps_notice("Move", OZARKS)
    assert "Which" in story.ruth.modal()
    told = await story.ruth.fills(reach="rest", at="16:00")

    assert told.startswith("Moved 3 meetings: now Thursday, September 10, 2026 at 4:00 PM.")
    moved = story.dana.reads(OZARKS)[-1]
    assert "• Thursday, September 17, 2026 at 4:00 PM\n• Thursday, September 24, 2026 at 4:00 PM" in moved
    waiting = select(due_moment.c.due_at).where(
        due_moment.c.kind == "meeting.reminder", due_moment.c.state == "waiting"
    )
    times = [at.astimezone(UTC).strftime("%m-%d %H:%M") for (at,) in await story.rows(waiting)]
    assert sorted(times) == ["09-09 21:00", "09-10 20:00", "09-16 21:00", "09-17 20:00", "09-23 21:00", "09-24 20:00"]


async def test_a_snow_day_by_one_tap_and_its_undo(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()
    await story.ruth.sends("meetings", OZARKS)
    told = await story.ruth.taps_notice("Snow day", OZARKS)

    assert "Thu Sep 10, 2026 is a snow day. I cancelled the meeting and told the cohort." in told
    assert "is cancelled (weather). It doesn't count as an absence." in story.dana.reads(OZARKS)[-1]
    assert await story.rows(select(break_.c.label)) == [("Snow day",)]
    await story.ruth.taps_notice("Undo", OZARKS)
    assert "Back on" in story.dana.reads(OZARKS)[-1]
    await story.go_to(STARTS)
    assert any("[I'm here]" in message for message in story.dana.reads(OZARKS))


async def test_a_meeting_across_the_clock_change_keeps_its_local_time(story: Story) -> None:
    await story.all_matched()
    await story.scheduled(day="2026-10-29", until="2026-11-05")

    assert "When: Thursday, October 29, 2026 at 3:30 PM" in story.dana.reads(OZARKS)[-1]
    assert "• Thursday, November 5, 2026 at 3:30 PM" in story.dana.reads(OZARKS)[-1]
    assert "• Thursday, November 5, 2026 at 2:30 PM" in story.sam.reads(OZARKS)[-1]


async def test_attendance_nobody_confirms_is_chased_then_escalated_and_never_absent(story: Story) -> None:
    await story.all_matched()
    await story.scheduled(repeat="once", until="")
    await story.go_to(ENDS)
    await story.pass_time(hours=24)
    assert any("# Attendance is still open" in message for message in story.ruth.inbox())
    assert any("# Please write a summary" in message for message in story.ruth.inbox())
    assert not any("Attendance" in message.splitlines()[0] for message in story.carol.inbox())

    await story.pass_time(hours=48)
    assert "# Attendance is still not confirmed" in story.carol.last()
    assert await story.ledger() == [], "open is not absent"
    await story.carol.taps_in_chat("Everyone came")
    assert "# Attendance is complete" in story.carol.last()
    assert not any("[Everyone came]" in message for message in story.ruth.inbox()), "her messages follow"
    chased = sum("# Please write a summary" in message for message in story.ruth.inbox())
    assert chased == 1, "reminded once"


# Check-ins -------------------------------------------------------------------------------------


async def test_mentors_may_turn_check_ins_on_and_anybody_off(story: Story) -> None:
    await story.all_matched()
    assert "Check-ins are on." in await story.ruth.sends("checkins on")
    assert "Check-ins are off." in await story.dana.sends("checkins off")
    await story.go_to(CHECK_IN)

    assert "# How are things going?" in story.ruth.last()
    assert not any("# How are things going?" in message for message in story.dana.inbox())


async def test_a_snooze_stops_the_reminder_of_an_open_check_in_too(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    await story.dana.sends("snooze until 2026-12-01")
    await story.pass_time(days=4)

    assert not any("still open" in message for message in story.dana.inbox())
    assert any("still open" in message for message in story.lee.inbox())
    assert (
        len(await story.rows(select(checkin.c.id).join_from(checkin, person).where(person.c.name == "Dana Reyes"))) == 1
    )


async def test_the_coordinator_edits_the_prompts_and_open_check_ins_keep_theirs(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    await story.carol.sends("prompts")
    assert await story.carol.fills(prompts="What made you laugh?") == ("Saved 1 prompt. Open check-ins don't change.")

    await story.dana.taps_in_chat("Write a reflection")
    assert "What made you laugh?" not in story.dana.modal()
    await story.pass_time(days=14)
    await story.dana.taps_in_chat("Write a reflection")
    assert "What made you laugh? (optional):" in story.dana.modal()
    assert len(await story.rows(select(prompt.c.id).where(prompt.c.retired_at.is_(None)))) == 1


async def test_somebody_elses_check_in_cannot_be_answered(story: Story) -> None:
    await story.all_matched()
    await story.go_to(CHECK_IN)
    theirs = story.dana.message(story.dana.chat, "4")

    assert await story.lee.taps("4", theirs, story.lee.chat) == "I can't find that check-in."
    assert "I can't find that check-in." in await story.ruth.taps("Write a reflection", theirs, story.ruth.chat)
    assert await story.rows(select(vault_item.c.id)) == []


# Words -----------------------------------------------------------------------------------------


async def test_help_privacy_and_a_command_that_nobody_knows(story: Story) -> None:
    await story.all_matched()
    mentee, mentor, coordinator = [await who.sends("help") for who in (story.dana, story.ruth, story.carol)]
    assert "# As a mentee" in mentee
    assert "for example “snooze until Monday”" in mentee
    assert "meeting new" not in mentee
    assert "• meeting new: Schedule one or more meetings" in mentor
    assert "• digest: See the weekly digest now" in coordinator
    assert "# Who sees what" in await story.carol.taps_notice("Privacy")
    assert "Your answers: only you and mentors you choose see them" in await story.dana.sends("privacy")

    unknown = await story.dana.sends("progrss")
    assert unknown == "I don't know that command. Did you mean one of these?\n[progress]"
    assert "# Your progress" in await story.dana.taps_notice("progress")
    assert await story.dana.sends("xyzzy") == "I don't know that command. Send /plc help to see what I can do."
    assert "# What I can do" in await story.dana.sends("")


async def test_a_mention_in_the_channel_is_a_command_and_its_answer_is_private(story: Story) -> None:
    await story.all_matched()
    messages = len(story.fake.messages(OZARKS))
    await story.dana.mention("progress", OZARKS)
    await story.settled()

    assert story.fake.notices[-1]["user"] == story.dana.user
    assert screen(story.fake.notices[-1]).startswith("# Your progress")
    assert len(story.fake.messages(OZARKS)) == messages


async def test_in_another_cohorts_channel_somebody_is_never_shown_it(story: Story) -> None:
    await story.all_matched()
    await story.scheduled()

    assert "is only for this cohort's mentors" in await story.tom.sends("attendance", OZARKS)
    assert "First steps" not in await story.tom.sends("next", OZARKS)
    assert "Dana" not in await story.jordan.sends("cohort", OZARKS)
    assert "No meetings scheduled" in await story.tom.sends("meetings", GATEWAY)


async def everything(story: Story) -> list[list[tuple[Any, ...]]]:
    """What the database holds of acts and messages, and what stands in the chats."""
    counts = [
        await story.rows(select(func.count()).select_from(table))
        for table in (vault_item, rsvp, delivery, due_moment, processed_request)
    ]
    return [*counts, [(user,) for neighbor in (story.dana, story.ruth) for user in neighbor.inbox()]]


def holds_answers(story: Story) -> asyncio.Event:
    """From now on an answer takes longer than Slack waits, until this is set."""
    held = asyncio.Event()
    answer = story.app.dispatcher.answer

    async def slowly(request: Any) -> Any:
        await held.wait()
        return await answer(request)

    story.platform._asking._answer = slowly
    story.platform._asking.patience = Patience(answer=0, form=0, stop=20)
    return held


def im(channel: str) -> dict[str, str]:
    return {"type": "message", "channel_type": "im", "channel": channel}


async def test_a_command_sent_before_yes_is_answered_after_it(story: Story) -> None:
    asked = await story.carol.sends("digest", LOUNGE)
    assert "Is this you?" in asked
    assert "Weekly digest" not in asked
    told = await story.carol.taps_notice("Yes, that's me", LOUNGE)
    assert "Weekly digest" in told
