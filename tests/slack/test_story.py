"""One cohort's story on Slack, over signed HTTP: from the roster to the digest, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from bot.cli.roster import NothingImported
from storage.checkins.checkins_tables import checkin
from storage.core.core_tables import audit_entry
from storage.meetings.meetings_tables import meeting, rsvp, summary
from storage.outbox.outbox_tables import conversation
from storage.people.people_tables import account, cohort, membership, person
from storage.record import policies
from storage.record.record_tables import ledger_line
from storage.vault.vault_tables import vault_item
from tests.fakes.slack import BOT_USER
from tests.slack.story import OZARKS, SERIES, Neighbour, Story, told
from tests.world import ROSTER, everybody_on

DAY_BEFORE = datetime(2026, 9, 9, 20, 30, tzinfo=UTC)
CHECK_IN = datetime(2026, 9, 10, 20, 0, tzinfo=UTC)  # 15:00 in Missouri, 14:00 in Denver
MOVED = datetime(2026, 9, 11, 21, 0, tzinfo=UTC)  # 16:00 in Missouri
MONDAY = datetime(2026, 9, 14, 12, 30, tzinfo=UTC)  # 7:30 in Missouri

BROKEN = """cohort,region,role,name,e-mail,person_id,zone,district,program start,track
Ozarks,Southwest,mentor,Ruth Ellison,ruth@example.org,P1,America/Chicago,R-I,,
Ozarks,Southwest,teacher,Dana Reyes,dana@example.org,P2,America/Chicago,R-I,2026-07-01,
Ozarks,Southwest,mentee,Lee Okafor,lee(at)example.org,P3,America/Chicago,R-II,2026-07-01,
Ozarks,Southwest,mentee,Sam Whitfield,sam@example.org,P4,Mountain Time,R-III,2026-07-01,
"""


async def test_one_cohorts_story(database_url: str) -> None:
    async with told(database_url) as story:
        await the_roster(story)
        await the_home_channel(story)
        await who_is_who(story)
        await a_series_of_meetings(story)
        await coming_or_not(story)
        await reminded_and_moved(story)
        await a_check_in(story)
        await attendance_is_taken(story)
        await where_everybody_stands(story)
        await what_the_session_was_about(story)
        await the_coordinators_monday(story)
        await a_meeting_is_cancelled(story)
        assert await story.undelivered() == []


async def the_roster(story: Story) -> None:
    with pytest.raises(NothingImported) as refused:
        story.imports(BROKEN)
    said = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in said] == ["Line 3", "Line 4", "Line 5"]
    assert "'teacher' is not a role. Use mentee, mentor or coordinator." in said[0]
    assert "'lee(at)example.org' is not an email address." in said[1]
    assert "'Mountain Time' is not a time zone" in said[2]
    assert await story.rows(select(person.c.email)) == [("carol@example.org",)], "only the settings' coordinator"

    would = story.imports(dry_run=True)
    assert "Dana Reyes joins Ozarks as mentee." in would
    assert await story.rows(select(cohort.c.name)) == []

    assert story.imports() == would
    assert await story.rows(select(cohort.c.name).order_by(cohort.c.name)) == [("Gateway",), ("Ozarks",)]
    assert await story.rows(select(func.count()).select_from(membership)) == [(6,)]
    assert story.imports() == []
    await story.all_agree()

    fewer = "\n".join(line for line in ROSTER.splitlines() if "Jordan" not in line)
    assert story.imports(fewer) == [], "a missing row removes nobody"
    assert await story.rows(select(func.count()).select_from(membership).where(membership.c.until.is_(None))) == [(6,)]


async def the_home_channel(story: Story) -> None:
    ruth, dana = story.ruth, story.dana

    assert "The roster lists Ruth Ellison (Ozarks)" in await ruth.types("hello")
    await ruth.taps_in_chat("Yes, that's me")
    asked, welcome = ruth.inbox()
    assert asked == "# Thank you\nGood to meet you, Ruth Ellison.", "the question is gone"
    assert welcome.startswith("# Welcome, Ruth Ellison\nI'm your program's cohort bot. You are in Ozarks.")
    assert "after each meeting I send you the list" in welcome
    assert "What you write in a check-in is encrypted, and I show it only to a mentor you choose." in welcome

    assert BOT_USER not in story.fake.channels[OZARKS].members
    told_her = await ruth.sends("cohort link", OZARKS)
    assert "When I'm in, it becomes the home of Ozarks." in told_her
    assert BOT_USER in story.fake.channels[OZARKS].members, "a public channel is joined"

    (hello,) = ruth.reads(OZARKS)
    assert hello.startswith("# Hello, Ozarks\nThis channel is your cohort's home now. Led by @U00RUTH.")
    report = ruth.last()
    assert "I couldn't match 2 people on the roster:" in report
    assert "• Lee Okafor <lee@example.org>\n• Sam Whitfield <sam@example.org>" in report
    assert "I've asked these people to confirm who they are: Dana Reyes." in report

    assert "The roster lists Dana Reyes (Ozarks)" in dana.last()
    await dana.taps_in_chat("Yes, that's me")
    assert "# Welcome, Dana Reyes" in dana.last()
    assert "tap “I'm here”. Your mentor confirms the list later." in dana.last()
    assert len(dana.inbox()) == 2


async def who_is_who(story: Story) -> None:
    """A guest and somebody with another address are matched by the coordinator, and by nobody else."""
    carol, lee, sam = story.carol, story.lee, story.sam

    assert "I can't match you to the roster yet. Ask your coordinator" in await lee.types("hello")
    await carol.types("hello")
    await carol.taps_in_chat("Yes, that's me")
    assert "every Monday I send you a digest" in carol.last()
    assert "is only for coordinators" in await story.ruth.sends("people")

    listed = await carol.sends("people")
    assert "• Lee Okafor <lee@example.org>" in listed
    assert "Lee Okafor (lee@example.org, guest or unconfirmed, slack)" in listed
    assert "Lee Okafor is now matched to Lee Okafor" in await story.match(lee)
    assert "Sam Whitfield is now matched to" in await story.match(sam)
    assert "# Welcome, Lee Okafor" in lee.last()
    assert "# Welcome, Sam Whitfield" in sam.last()

    matched = select(person.c.name).join_from(account, person).where(account.c.link == "confirmed")
    assert {name for (name,) in await story.rows(matched)} == {
        "Carol Dietz",
        "Dana Reyes",
        "Lee Okafor",
        "Ruth Ellison",
        "Sam Whitfield",
    }
    for neighbor in (story.tom, story.jordan):
        await neighbor.types("hello")
        await neighbor.taps_in_chat("Yes, that's me")


async def a_series_of_meetings(story: Story) -> None:
    ruth = story.ruth
    await ruth.sends("breaks", OZARKS)
    await ruth.taps_notice("Add a break", OZARKS)
    asked = await ruth.fills(label="Fall break", starts="2026-09-16", ends="2026-09-18")
    assert "Fall break, Wed Sep 16, 2026 to Fri Sep 18, 2026.\nNo meetings fall in this break." in asked
    await ruth.fills()

    await ruth.sends("meeting new", OZARKS)
    assert ruth.modal().startswith("== Schedule meetings ==\nFor Ozarks. Times are in Central Time.")
    assert await ruth.fills(**{**SERIES, "until": ""}) == "Choose the last date."
    preview = await ruth.fills(**{**SERIES, "until": "2026-10-01"})
    assert preview.startswith("== Are these dates right? ==\nFirst steps: 3 meetings at 3:30 PM, 60 minutes")
    assert "• Thu Sep 10, 2026\n• Thu Sep 24, 2026\n• Thu Oct 1, 2026" in preview
    assert "Skipped, because of a break:\n• Thu Sep 17, 2026: Fall break" in preview
    assert await story.rows(select(meeting.c.id)) == [], "a preview schedules nothing"

    told_her = await ruth.fills()
    assert told_her.startswith("Scheduled 3 meetings and told the cohort. First meeting: Thursday, September 10, 2026")
    announced = story.dana.reads(OZARKS)[-1]
    assert announced.startswith("# PLC meeting: First steps\nWhen: Thursday, September 10, 2026 at 3:30 PM")
    assert "[Coming] [Can't]" in announced
    assert "• Thursday, September 24, 2026 at 3:30 PM\n• Thursday, October 1, 2026 at 3:30 PM" in announced
    assert "When: Thursday, September 10, 2026 at 2:30 PM" in story.sam.reads(OZARKS)[-1], "in each reader's zone"


async def coming_or_not(story: Story) -> None:
    messages = len(story.fake.messages(OZARKS))
    assert (await story.dana.taps_in(OZARKS, "Coming")).startswith("You're coming to First steps, Thursday")
    assert (await story.sam.taps_in(OZARKS, "Can't")).startswith("Saved: you can't come to First steps")
    announced = story.lee.reads(OZARKS)[-1]
    assert "Coming (1): Dana Reyes\nCan't (1): Sam Whitfield" in announced

    await story.sam.taps_in(OZARKS, "Coming")
    assert "Coming (2): Dana Reyes and Sam Whitfield" in story.lee.reads(OZARKS)[-1]
    assert len(story.fake.messages(OZARKS)) == messages, "the message changes; no new one"
    assert "You're not in this cohort" in await story.jordan.taps_in(OZARKS, "Coming")
    answers = select(person.c.name, rsvp.c.coming).join_from(rsvp, person).order_by(person.c.name)
    assert await story.rows(answers) == [("Dana Reyes", True), ("Sam Whitfield", True)]


async def reminded_and_moved(story: Story) -> None:
    ruth = story.ruth
    await story.go_to(DAY_BEFORE)
    reminder = story.dana.reads(OZARKS)[-1]
    assert reminder.startswith("# Reminder: First steps\nWhen: Thursday, September 10, 2026 at 3:30 PM")
    assert "Coming (2)" in reminder

    await ruth.sends("meetings", OZARKS)
    await ruth.taps_notice("Move", OZARKS)
    assert "Which meetings: Only this meeting" in ruth.modal()
    told_her = await ruth.fills(day="2026-09-11", at="16:00")
    assert told_her == "Moved 1 meeting: now Friday, September 11, 2026 at 4:00 PM. I told the cohort."
    announced, reminder, moved = story.dana.reads(OZARKS)[-3:]
    assert "When: Friday, September 11, 2026 at 4:00 PM" in announced
    assert "When: Friday, September 11, 2026 at 4:00 PM" in reminder
    assert moved.startswith(
        "# Moved: First steps\nIt was scheduled for Thursday, September 10, 2026 at 3:30 PM. New time:\n"
        "When: Friday, September 11, 2026 at 4:00 PM"
    )
    await story.sam.taps_in(OZARKS, "Can't")
    assert "Can't (1): Sam Whitfield" in story.dana.reads(OZARKS)[-1]
    moves = select(audit_entry.c.detail).where(audit_entry.c.what == "meeting.moved")
    assert await story.rows(moves) == [({"was": "2026-09-10T15:30:00", "to": "2026-09-11T16:00:00"},)]


async def a_check_in(story: Story) -> None:
    """The pulse, the form, typed words with Undo, and asking the mentor; nothing of it is ever shown."""
    dana, lee, sam, ruth = story.dana, story.lee, story.sam, story.ruth
    before = len(story.fake.messages(OZARKS))
    await story.go_to(CHECK_IN)
    assert len(story.fake.messages(OZARKS)) == before, "the reminder went with the meeting"
    assert dana.last() == (
        "# How are things going?\n"
        "One tap is enough: 1 is hard, 5 is great.\n"
        "[1 hard] [2] [3] [4] [5 great]\n"
        "[Write a reflection] [Ask my mentor to reach out]\n"
        "Open until Thursday, September 17, 2026 at 3:00 PM. You can skip any question."
    )
    assert "How are things going?" in lee.last()
    assert "How are things going?" not in sam.last(), "it is two o'clock in Denver"
    assert all("How are things going?" not in message for message in ruth.inbox()), "mentors turn them on"

    await dana.taps_in_chat("2")
    assert "Saved. I show your number only to you." in dana.last()
    assert "One tap is enough" not in dana.last()
    await dana.taps_in_chat("Change my number")
    await dana.taps_in_chat("3")
    assert await story.rows(select(vault_item.c.kind)) == [("pulse",)], "a second number replaces the first"
    await dana.taps_in_chat("Write or change")
    assert dana.modal().count("(optional):") == 3, "three prompts, none required"
    told_her = await dana.fills(**{dana.field("What surprised you about how your building works?"): "The bells."})
    assert told_her == "Saved. I show it to no one unless you share it."
    await dana.taps_in_chat("Write or change")
    assert "What surprised you about how your building works? (optional): The bells." in dana.modal()

    said = await lee.types("A long week, but a good one.")
    assert said.startswith("Should I keep that as part of your check-in reflection?\n[Keep as my reflection] [No]\n")
    await lee.taps_in_chat("Keep as my reflection")
    kept = lee.last()
    assert kept.startswith("Saved. I show it to no one unless you share it.\n[Undo]\nThis chat itself keeps")
    assert len(await story.rows(select(vault_item.c.kind))) == 3
    await lee.taps_in_chat("Undo")
    assert "Undone. I deleted it." in lee.last()
    assert len(await story.rows(select(vault_item.c.kind))) == 2
    assert "# Next: First steps" in await lee.types("next"), "an exact command wins"
    assert len(await story.rows(select(vault_item.c.kind))) == 2

    await lee.taps_in_chat("Ask my mentor to reach out")
    assert ruth.last() == (
        "# Please reach out\nLee Okafor asked you to reach out. That's all I know. I never send what they wrote."
    )
    assert "I asked your mentor to reach out." in "".join(lee.inbox())
    assert "[Ask my mentor to reach out]" not in "".join(lee.inbox()), "asked once"

    await story.go_to(datetime(2026, 9, 10, 21, 0, tzinfo=UTC))
    assert "Open until Thursday, September 17, 2026 at 3:00 PM" in sam.last(), "Denver's three o'clock"
    snoozed = await sam.sends("snooze until 2026-10-20")
    assert snoozed.startswith("No check-ins until Tue Oct 20, 2026.")
    answered = select(person.c.name).join_from(checkin, person).where(checkin.c.answered_at.is_not(None))
    assert await story.rows(answered) == [("Dana Reyes",)]


async def attendance_is_taken(story: Story) -> None:
    dana, lee, sam, ruth, jordan = story.dana, story.lee, story.sam, story.ruth, story.jordan
    await story.go_to(datetime(2026, 9, 11, 20, 0, tzinfo=UTC))
    reminders = [message for message in dana.reads(OZARKS) if message.startswith("# Reminder")]
    assert len(reminders) == 3, "a day before the first time; a day and an hour before the new one"

    await story.go_to(datetime(2026, 9, 11, 20, 45, tzinfo=UTC))
    assert "The PLC meeting starts at 4:00 PM.\n[I'm here]\nNo taps yet." in dana.reads(OZARKS)[-1]
    assert (await dana.taps_in(OZARKS, "I'm here")).startswith("You're marked as here, 3:45 PM.")
    assert (await dana.taps_in(OZARKS, "I'm here")).startswith("You're already marked here.")
    await lee.taps_in(OZARKS, "I'm here")
    assert "Here (2): Dana Reyes and Lee Okafor" in sam.reads(OZARKS)[-1]
    outside = await jordan.taps_in(OZARKS, "I'm here")
    assert outside.startswith("You're not in this cohort, so I didn't mark you as here.")
    assert "I can't match you to the roster yet" in await story.olga.taps_in(OZARKS, "I'm here")
    assert "Only mentees need to tap. Thanks for coming!" in await ruth.taps_in(OZARKS, "I'm here")
    taps = [("Dana Reyes", "tapped", "present", None, ""), ("Lee Okafor", "tapped", "present", None, "")]
    assert await story.ledger() == taps

    await story.go_to(datetime(2026, 9, 11, 22, 0, tzinfo=UTC))
    assert ruth.last() == (
        "# Who came?\n"
        "First steps, Friday, September 11, 2026 at 4:00 PM, Ozarks.\n"
        "Name | Attendance\n"
        "Dana Reyes | tapped 3:45 PM\n"
        "Lee Okafor | tapped 3:45 PM\n"
        "Sam Whitfield | no tap yet\n"
        "[Confirm the 2 who tapped] [Everyone came] [Person by person]\n"
        "No tap yet doesn't mean absent. Mark who was there."
    )
    await ruth.taps_in_chat("Person by person")
    assert (
        "Dana Reyes (optional): Present (Tapped 3:45 PM.)\nLee Okafor (optional): Present (Tapped 3:45 PM.)\n"
        "Sam Whitfield (optional): \n"
    ) in ruth.modal()
    step = await ruth.fills(**{ruth.field("Lee Okafor"): "partial", "visitor": "Jordan Blake"})
    assert step.startswith("== How long? ==\nThe meeting was 60 minutes long.")
    told_her = await ruth.fills(**{ruth.field("Lee Okafor, minutes"): "25"})
    assert told_her == "Saved. 1 person still needs an answer."
    roster = next(message for message in ruth.inbox() if "[Person by person]" in message)
    assert "Lee Okafor | Partly there, 25 minutes, tapped 3:45 PM\nSam Whitfield | no tap yet\nJordan Blake" in roster

    await ruth.taps_in_chat("Person by person")
    await ruth.fills(**{ruth.field("Sam Whitfield"): "absent"})
    assert any("# Attendance is complete" in message for message in ruth.inbox())
    assert "attendance is complete" in dana.reads(OZARKS)[-1]
    await ruth.taps_in_chat("Correct")
    sam_was = {ruth.field("Sam Whitfield"): "excused"}
    assert await ruth.fills(**sam_was) == "Choose why you're changing it."
    assert await ruth.fills(**sam_was, reason="told_later") == "Saved. Attendance is complete."
    assert "Sam Whitfield | Excused (corrected)" in "".join(ruth.inbox())
    assert await story.ledger() == [
        *taps,
        ("Dana Reyes", "confirmed", "present", None, ""),
        ("Jordan Blake", "confirmed", "present", None, ""),
        ("Lee Okafor", "confirmed", "partial", 25, ""),
        ("Sam Whitfield", "confirmed", "absent", None, ""),
        ("Sam Whitfield", "corrected", "excused", None, "told_later"),
    ]
    by = select(person.c.name).join_from(ledger_line, person, person.c.id == ledger_line.c.by)
    assert await story.rows(by.where(ledger_line.c.step == "corrected")) == [("Ruth Ellison",)]


async def where_everybody_stands(story: Story) -> None:
    """Each sees their own, and nobody sees a standing that is not theirs to see."""
    dana, ruth, carol, jordan = story.dana, story.ruth, story.carol, story.jordan
    unset = await dana.sends("progress")
    assert "Year 1 (2026-27): 1 meeting attended; the number required isn't set yet." in unset

    await story.app.product.threads.write(lambda tx: everybody_on(tx, policies.EXAMPLE))
    own = await dana.sends("progress")
    assert own.startswith("# Your progress: on track\nMeetings, Year 1 (2026-27): 1 of 8 █░░░░░░░░░\n")
    assert "7 more meetings by June 30, 2027." in own
    assert "Next meeting: First steps, Thursday, September 24, 2026 at 3:30 PM." in own
    assert "Lee" not in own + await dana.sends("progress", OZARKS)

    led = await ruth.sends("progress")
    assert led.startswith("# Progress of Ozarks\n3 mentees: 1 at risk, 2 on track.")
    assert "Sam Whitfield | 0 of 8 | 0 of 8 | at risk\nDana Reyes | 1 of 8 | 0 of 8 | on track" in led
    assert "Jordan" not in led

    program = await carol.sends("progress")
    assert "Cohorts: 2\nMentees: 4" in program
    assert "Ozarks | 3 | 1 | 0" in program
    assert "Dana" not in program
    assert "Dana" not in await jordan.sends("progress", OZARKS)
    assert "Dana" not in await story.tom.sends("progress", OZARKS)
    assert "I can't match you to the roster yet" in await story.olga.sends("progress", OZARKS)

    await dana.opens_home()
    assert dana.home().startswith("# Your progress: on track")
    assert "Next: First steps" in dana.home()
    await dana.press_at_home("Coming")
    await story.settled()
    assert "You said you're coming." in dana.home(), "the home tab shows what was just pressed there"
    await story.olga.opens_home()
    assert "I can't match you to the roster yet" in story.olga.home()


async def what_the_session_was_about(story: Story) -> None:
    ruth, dana = story.ruth, story.dana
    await ruth.sends("summary", OZARKS)
    form = ruth.modal()
    assert "Please leave out student names and private matters. The whole cohort will read this." in form
    channel = len(story.fake.messages(OZARKS))
    shown = await ruth.fills(topics=["planning", "ethics"], did="We met.\nEverybody spoke.", next="Read chapter 1.")
    assert "What we did\nWe met.\nEverybody spoke.\nNext steps\nRead chapter 1.\n<Post to the cohort>" in shown
    assert len(story.fake.messages(OZARKS)) == channel, "a preview posts nothing"
    assert "Posted in the cohort's channel.\n[Edit] [Remove]" in await ruth.fills()
    posted = dana.reads(OZARKS)[-1]
    assert posted.startswith(
        "# Summary of First steps\nTopics: Individual Student Planning and Professional and Ethical Conduct"
    )
    assert posted.endswith("Ruth Ellison, meeting of Friday, September 11, 2026")

    await ruth.taps_notice("Edit", OZARKS)
    await ruth.fills(did="We met twice.")
    assert "I changed the posted summary." in await ruth.fills()
    assert len(story.fake.messages(OZARKS)) == channel + 1
    assert "We met twice." in dana.reads(OZARKS)[-1]
    assert "Ruth Ellison, edited, meeting of" in dana.reads(OZARKS)[-1]
    stored = select(summary.c.version, summary.c.did).order_by(summary.c.version)
    assert await story.rows(stored) == [(1, "We met.\nEverybody spoke."), (2, "We met twice.")]

    await ruth.taps_notice("Remove", OZARKS)
    assert dana.reads(OZARKS)[-1] == "# Summary of First steps\nThis summary was removed."
    assert story.fake.notices[-1]["blocks"][0], "the notice stays with a way to write it again"


async def the_coordinators_monday(story: Story) -> None:
    carol, lee, dana, ruth = story.carol, story.lee, story.dana, story.ruth
    await story.go_to(datetime(2026, 9, 13, 20, 0, tzinfo=UTC))
    assert lee.last().startswith("# Your check-in is still open"), "one reminder to who has not answered"
    assert all("still open" not in message for message in dana.inbox() + story.sam.inbox())

    before = len(carol.inbox())
    await story.go_to(datetime(2026, 9, 14, 12, 29, tzinfo=UTC))
    assert len(carol.inbox()) == before
    await story.go_to(MONDAY)
    digest = carol.last()
    parts = [digest.index(title) for title in ("# To do", "# By cohort", "# The week ahead")]
    assert digest.startswith("# Weekly digest")
    assert parts == sorted(parts)
    assert "• Ozarks, First steps, Friday, September 11, 2026: needs summary" in digest
    assert "Mentees who need help (1)\n• Sam Whitfield, Ozarks: at risk" in digest
    assert "Ozarks | 3 | 1 | 1 | 0" in digest
    assert "Dana" not in digest
    assert "Lee" not in digest, "who asked for a mentor, and who wrote, is not the digest's matter"
    assert await carol.sends("digest") == digest
    assert "is only for coordinators" in await ruth.sends("digest")

    await story.go_to(datetime(2026, 9, 17, 21, 0, tzinfo=UTC))
    closed = [message for message in lee.inbox() if "This check-in is closed" in message]
    assert len(closed) == 2, "the check-in and its reminder"
    assert all("[1 hard]" not in message for message in lee.inbox())


async def a_meeting_is_cancelled(story: Story) -> None:
    ruth, dana = story.ruth, story.dana
    await ruth.sends("meetings", OZARKS)
    await ruth.taps_notice("Cancel", OZARKS)
    assert "A cancelled meeting doesn't count as an absence." in ruth.modal()
    told_her = await ruth.fills(reason="weather")
    assert told_her == "Cancelled 1 meeting. I told the cohort.\n[Undo]"
    cancelled = dana.reads(OZARKS)[-1]
    assert cancelled.startswith(
        "# Cancelled: First steps\nThe meeting of Thursday, September 24, 2026 at 3:30 PM is cancelled (weather)."
    )
    assert "The next meeting: Thursday, October 1, 2026 at 3:30 PM" in cancelled
    messages, letters, ledger = len(dana.reads(OZARKS)), len(ruth.inbox()), await story.ledger()
    await story.go_to(datetime(2026, 9, 28, 12, 0, tzinfo=UTC))
    assert len(dana.reads(OZARKS)) == messages, "no reminder, no attendance"
    assert not any("September 24" in message for message in ruth.inbox()[letters:])
    assert await story.ledger() == ledger
    left = select(func.count()).select_from(meeting).where(meeting.c.cancelled_at.is_not(None))
    assert await story.rows(left) == [(1,)], "history stays"
    assert "September 24" not in await dana.sends("progress")


async def test_a_private_channel_says_what_to_do(story: Story) -> None:
    story.imports()
    ruth = story.ruth
    await ruth.types("hello")
    await ruth.taps_in_chat("Yes, that's me")
    channel = story.fake.add_channel("C00PRIVATE", "plc-private", (ruth.user, story.dana.user), private=True)

    await ruth.sends("cohort link", channel.id)
    assert ruth.last() == (
        "# I couldn't join the channel\n"
        "I can't join this channel. Invite me with /invite @PLC Cohort Bot, then send the command again.\n"
        "The cohort's home hasn't changed."
    )
    homes = select(conversation.c.name).join_from(cohort, conversation, cohort.c.home_id == conversation.c.id)
    assert await story.rows(homes) == []
    assert BOT_USER not in channel.members

    await story.pass_time(minutes=1)
    channel.members.append(BOT_USER)
    await invited(ruth, channel.id)
    await story.pass_time(minutes=1)
    await ruth.sends("cohort link", channel.id)
    assert "# Ozarks is set up" in ruth.last()
    hellos = [message for message in ruth.reads(channel.id) if message.startswith("# Hello, Ozarks")]
    assert len(hellos) == 1
    assert await story.rows(homes) == [("plc-private",)]


async def invited(by: Neighbour, channel: str) -> None:
    """What Slack says when somebody invites the bot."""
    said = {"type": "member_joined_channel", "user": BOT_USER, "channel": channel, "team": "T00HOME"}
    await by.event({**said, "inviter": by.user, "channel_type": "G"})
    await by.story.settled()
