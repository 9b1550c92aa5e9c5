"""One cohort's story, told in the browser with the whole product behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.async_api import expect
from sqlalchemy import func, select

from storage.checkins import checkins
from storage.core.database import Tx
from storage.meetings import attendance, meetings, summaries
from storage.meetings.meetings import Meeting
from storage.meetings.meetings_tables import meeting, rsvp
from storage.outbox import conversations
from storage.outbox.outbox_tables import delivery
from storage.people import cohorts, people
from storage.people.people_tables import account
from storage.vault.vault_tables import vault_item
from tests.attendance_lines import attendance_lines
from tests.browser.product import (
    ALEX,
    CAROL,
    DANA,
    GATEWAY,
    JORDAN,
    LEE,
    MARIA,
    OZARKS,
    PRIYA,
    RUTH,
    SAM,
    TOM,
    Running,
)
from tests.browser.workspace import Person, Windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NEXT = "Responsive services in a small school"  # the example's series
MEETING = datetime(2026, 10, 22, 20, 30, tzinfo=UTC)  # its first meeting: Thursday 3:30 PM in Missouri
AFTER = datetime(2026, 10, 22, 21, 30, tzinfo=UTC)  # when it is over
CHECKIN = datetime(2026, 10, 22, 20, 0, tzinfo=UTC)  # Thursday 3:00 PM in Missouri


@asynccontextmanager
async def at(windows: Windows, product: Running, *who: tuple[str, str | None]) -> AsyncIterator[list[Person]]:
    """People at their pages, each in a window of their own: (user, channel), None for the direct message."""
    async with windows.take(len(who)) as pages:
        yield [await Person.open(page, *where, product.address) for page, where in zip(pages, who, strict=True)]


def ozarks(tx: Tx) -> UUID:
    cohort = cohorts.by_name(tx, "Ozarks")
    assert cohort is not None
    return cohort.id


def person(tx: Tx, email: str) -> UUID:
    known = people.by_email(tx, email)
    assert known is not None
    return known.id


def meeting_at(product: Running, starts: datetime) -> Meeting:
    """The Ozarks meeting that begins then."""

    def find(tx: Tx) -> Meeting:
        wanted = select(meeting.c.id).where(meeting.c.cohort_id == ozarks(tx), meeting.c.starts_at == starts)
        return meetings.get(tx, tx.scalars(wanted).one())

    return product.read(find)


async def until(person: Person, time: str) -> None:
    """Go from due moment to due moment until the clock shows this."""
    for _ in range(10):
        if time in await person.page.locator("#clock .now").inner_text():
            return
        await person.move_clock()
    pytest.fail(f"The clock never showed {time}.")


# Who one is -------------------------------------------------------------------------------------


async def test_a_visitor_reads_the_tour_and_becomes_dana(windows: Windows, product: Running) -> None:
    async with windows.take(1) as (page,):
        await page.goto(product.address)
        await expect(page.get_by_text("Example — not real people, not DESE policy")).to_be_visible()
        await expect(page.get_by_role("region", name="A five-minute tour")).to_be_visible()
        for role in ("Mentees", "Mentors", "Coordinator", "Not matched"):
            await expect(page.get_by_role("heading", name=role, exact=True)).to_be_visible()
        await page.get_by_role("link", name="Dana Reyes").click()
        dana = Person(page, DANA, product.address)
        await dana.settled()
        await expect(page.locator(".me")).to_contain_text("mentee · Ozarks")
        welcome = await dana.reads("Welcome, Dana Reyes")
        await expect(welcome).to_contain_text("You are in Ozarks.")
        await expect(welcome).to_contain_text("I show it only to a mentor you choose")
        await dana.press("Privacy", welcome)
        await dana.reads("Who sees what")


async def test_gateway_gets_its_home_and_its_guest_is_matched(windows: Windows, product: Running) -> None:
    people_here = (TOM, GATEWAY), (ALEX, None), (CAROL, None), (JORDAN, GATEWAY)
    async with at(windows, product, *people_here) as (tom, alex, carol, jordan):
        await jordan.command("cohort link")
        await jordan.reads_notice("/plc cohort link is only for coordinators and mentors.")

        await tom.command("cohort link")
        await tom.reads_notice("it becomes the home of Gateway")
        hello = await jordan.reads("Hello, Gateway")
        await expect(hello).to_contain_text("Led by @Tom Becker")
        await tom.go()
        locator = await tom.reads("Gateway is set up")
        await expect(locator).to_contain_text("I couldn't match 1 person on the roster:")
        await expect(locator).to_contain_text("Alex Romero <alex.romero@example.org>")

        await alex.say("progress")
        await alex.reads("I can't match you to the roster yet. Ask your coordinator")
        await carol.say("people")
        await carol.press("Match someone", await carol.reads("Not matched to an account"))
        await carol.choose("On the roster", "Alex Romero <alex.romero@example.org>")
        await carol.choose("Account", "Alex R. (no address, guest or unconfirmed, local)")
        await carol.submit("Match")
        await carol.reads("Alex Romero is now matched to Alex R.")
        await alex.reads("Welcome, Alex Romero")
        await alex.say("progress")
        await alex.reads("Your progress: on track")

    def linked(tx: Tx) -> tuple[str, str]:
        romero = person(tx, "alex.romero@example.org")
        (user,) = tx.scalars(select(account.c.user).where(account.c.person_id == romero))
        gateway = cohorts.by_name(tx, "Gateway")
        assert gateway is not None
        assert gateway.home_id is not None
        return user, conversations.get(tx, gateway.home_id).name

    assert product.read(linked) == (ALEX, "gateway-cohort")


# Meetings ---------------------------------------------------------------------------------------


async def test_a_series_is_previewed_scheduled_and_answered(windows: Windows, product: Running) -> None:
    async with at(windows, product, (RUTH, OZARKS), (DANA, OZARKS), (SAM, OZARKS)) as (ruth, dana, sam):
        await ruth.command("meeting new")
        await expect(ruth.dialog("Schedule meetings")).to_contain_text("For Ozarks. Times are in Central Time.")
        await ruth.submit("Preview dates")
        await expect(ruth.page.get_by_label("Topic")).to_have_accessible_description("Enter a value.")
        await ruth.fill("Topic", "Small groups")
        await ruth.fill("First date", "2026-10-28")
        await ruth.fill("Time", "14:00")
        await ruth.choose("Repeat", "Every week")
        await ruth.submit("Preview dates")
        await expect(ruth.page.get_by_label("Repeat until")).to_have_accessible_description(
            re.compile("Choose the last date")
        )
        await ruth.fill("Repeat until", "2027-01-08")
        await ruth.submit("Preview dates")
        preview = ruth.dialog("Are these dates right?")
        await expect(preview).to_contain_text("9 meetings at 2:00 PM, 60 minutes")
        await expect(preview).to_contain_text("Wed Jan 6, 2027")
        await expect(preview).to_contain_text("Skipped, because of a break:")
        await expect(preview.get_by_role("listitem").filter(has_text="Winter break")).to_have_count(2)
        await ruth.submit("Back")
        await expect(ruth.page.get_by_label("Topic")).to_have_value("Small groups")
        await ruth.fill("Topic", "Small groups that work")
        await ruth.submit("Preview dates")
        await ruth.submit("Schedule")
        await ruth.reads_notice("Scheduled 9 meetings and told the cohort.")

        card = await dana.reads("PLC meeting: Small groups that work")
        await expect(card).to_contain_text("Wed Oct 28, 2026, 2:00 PM CDT")
        await expect(card).to_contain_text("Wed Nov 4, 2026, 2:00 PM CST")
        await expect(await sam.reads("PLC meeting: Small groups that work")).to_contain_text("1:00 PM MDT")

        await dana.press("Coming", card)
        await dana.reads_notice("You're coming to Small groups that work")
        await sam.reads("Coming (1): Dana Reyes")
        await sam.press("Can't", sam.message("PLC meeting: Small groups that work"))
        await dana.reads("Can't (1): Sam Whitfield")
        await dana.press("Can't", dana.message("PLC meeting: Small groups that work"))
        await ruth.reads("Can't (2): Dana Reyes and Sam Whitfield")

    def stored(tx: Tx) -> tuple[set[str], list[bool]]:
        made = [
            meeting
            for meeting in meetings.between(tx, MEETING, MEETING.replace(year=2028))
            if "groups" in meeting.topic
        ]
        answers = select(rsvp.c.coming).where(rsvp.c.meeting_id == made[0].id)
        return {f"{meeting.local_start:%H:%M} {meeting.starts_at:%H}" for meeting in made}, list(tx.scalars(answers))

    # The hour on the wall stays across the change of clocks; UTC follows.
    assert product.read(stored) == ({"14:00 19", "14:00 20"}, [False, False])


async def test_an_outsiders_tap_counts_for_nothing(windows: Windows, product: Running) -> None:
    async with at(windows, product, (JORDAN, OZARKS)) as (jordan,):
        await jordan.page.get_by_role("button", name="Join #ozarks-cohort").click()
        await jordan.press("Coming", await jordan.reads(NEXT))
        await jordan.reads_notice("You're not in this cohort, so I didn't save your answer.")
        await expect(jordan.message(f"PLC meeting: {NEXT}")).not_to_contain_text("Coming (")
    assert product.read(lambda tx: tx.scalar(select(func.count()).select_from(rsvp))) == 0


async def test_a_meeting_moves_a_meeting_is_cancelled_and_it_snows(windows: Windows, product: Running) -> None:
    async with at(windows, product, (RUTH, OZARKS), (DANA, OZARKS)) as (ruth, dana):
        await ruth.command("meetings")
        listing = await ruth.reads_notice("Meetings of Ozarks")
        await listing.get_by_role("button", name="Move").nth(1).click()
        await expect(ruth.dialog("Move the meeting")).to_contain_text(NEXT)
        await ruth.choose("Which meetings", "This and the 3 after it")
        await ruth.fill("New date", "2026-11-06")
        await ruth.submit("Move")
        await ruth.reads_notice("Moved 4 meetings: now Fri Nov 6, 2026, 3:30 PM CST. I told the cohort.")
        moved = await dana.reads(f"Moved: {NEXT}")
        await expect(moved).to_contain_text("It was scheduled for Thu Nov 5, 2026, 3:30 PM CST.")
        await expect(dana.message(f"PLC meeting: {NEXT}")).to_contain_text("Fri Nov 6, 2026")

        await listing.get_by_role("button", name="Cancel").nth(1).click()
        await ruth.choose("Why", "Illness")
        await ruth.submit("Cancel meeting")
        await ruth.reads_notice("Cancelled 1 meeting. I told the cohort.")
        told = await dana.reads("is cancelled (illness). It doesn't count as an absence.")
        await expect(told).to_contain_text("The next meeting: Thu Oct 22, 2026")
        await ruth.press("Undo")
        await dana.reads(f"Back on: {NEXT}")

        await listing.get_by_role("button", name="Snow day").first.click()
        await ruth.answer_question("Snow day")
        await ruth.reads_notice("Thu Oct 22, 2026 is a snow day. I cancelled the meeting and told the cohort.")
        await dana.reads(f"Cancelled: {NEXT}")
        await ruth.command("breaks")
        await ruth.reads_notice(re.compile(r"Snow day.*Thu Oct 22, 2026 \(Ozarks\)", re.DOTALL))
        assert meeting_at(product, MEETING).cancelled_at is not None

        await dana.move_clock()  # to the next thing that happens: no reminder of Thursday's meeting
        assert "Oct 21" not in await dana.clock()
        assert "Oct 22, 2026, 3:15 PM" not in await dana.clock()


async def test_the_day_of_a_meeting(windows: Windows, product: Running) -> None:
    async with at(windows, product, (DANA, OZARKS), (LEE, OZARKS), (JORDAN, OZARKS)) as (dana, lee, jordan):
        assert "Next: the reminder of a meeting" in await dana.clock()
        await dana.move_clock()
        assert "Wed Oct 21, 2026, 3:30 PM CDT" in await dana.clock()
        reminder = await lee.reads(f"Reminder: {NEXT}")
        await lee.press("Coming", reminder)
        await dana.reads(re.compile(rf"Reminder: {NEXT}.*Coming \(1\): Lee Okafor", re.DOTALL))
        await until(dana, "2:30 PM CDT")
        await expect(dana.messages().filter(has_text="Reminder:")).to_have_count(2)
        await until(dana, "3:15 PM CDT")

        await dana.press("I'm here")
        await dana.reads_notice("You're marked as here, 3:15 PM CDT.")
        await lee.reads("Here (1): Dana Reyes")
        await lee.press("I'm here")
        await dana.reads("Here (2): Dana Reyes and Lee Okafor")
        await lee.press("I'm here")
        await lee.reads_notice("You're already marked here.")

        await jordan.page.get_by_role("button", name="Join #ozarks-cohort").click()
        await jordan.reads("Here (2)")
        await jordan.press("I'm here")
        await jordan.reads_notice("You're not in this cohort, so I didn't mark you as here.")
        held = meeting_at(product, MEETING)
        assert len(product.read(lambda tx: attendance.of_meeting(tx, held.id))) == 2

        await until(dana, "4:30 PM CDT")
        await dana.page.get_by_text("Be somebody else").click()
        await dana.page.get_by_role("link", name="Ruth Ellison").click()
        ruth = Person(dana.page, RUTH, product.address)
        await ruth.go()
        roster = await ruth.reads("Who came?")
        await expect(roster.get_by_role("row", name=re.compile("Dana Reyes tapped"))).to_be_visible()
        await expect(roster.get_by_role("row", name="Maria Gutierrez no tap yet")).to_be_visible()
        await expect(roster).to_contain_text("doesn't mean absent")


async def test_the_mentor_settles_the_roster_person_by_person(windows: Windows, product: Running) -> None:
    held = meeting_at(product, MEETING)
    await product.go_to(MEETING)
    async with at(windows, product, (DANA, OZARKS), (RUTH, None)) as (dana, ruth):
        await dana.press("I'm here")
        await dana.reads_notice("You're marked as here")
        await product.go_to(AFTER)
        await ruth.press("Confirm the 1 who tapped", await ruth.reads("Who came?"))
        await expect(ruth.message("Who came?").get_by_role("row", name="Dana Reyes Present")).to_be_visible()

        await ruth.press("Person by person")
        for name, status in (
            ("Lee Okafor", "Partly there"),
            ("Maria Gutierrez", "Excused"),
            ("Sam Whitfield", "Absent"),
        ):
            await ruth.choose(name, status)
        await ruth.fill("A visitor from another cohort", "Jordan Blake")
        await ruth.submit("Save")
        await expect(ruth.dialog("How long?")).to_contain_text("The meeting was 60 minutes long.")
        await ruth.fill("Lee Okafor, minutes", "40")
        await ruth.submit("Save")
        await ruth.reads("Saved. 1 person still needs an answer.")
        assert meeting_at(product, MEETING).settled_at is None

        roster = ruth.message("Who came?")
        await expect(roster.get_by_role("row", name="Lee Okafor Partly there, 40 minutes")).to_be_visible()
        await expect(roster.get_by_role("row", name="Jordan Blake (visitor) Present")).to_be_visible()
        await ruth.press("The last person came", roster)
        roster = await ruth.reads("Attendance is complete")
        await expect(roster.get_by_role("row", name="Priya Natarajan Present")).to_be_visible()
        await dana.reads(f"{NEXT}: attendance is complete")

        await ruth.press("Correct", roster)
        await ruth.choose("Sam Whitfield", "Present")
        await ruth.submit("Save")
        await expect(ruth.page.get_by_label("Why")).to_have_accessible_description(
            re.compile("Choose why you're changing it.")
        )
        await ruth.choose("Why", "The first entry was wrong")
        await ruth.submit("Save")
        await expect(ruth.page.get_by_role("row", name="Sam Whitfield Present (corrected)")).to_be_visible()
        assert "attendance" not in (await ruth.clock()).lower()  # nobody is reminded of what is done

    def lines(tx: Tx) -> list[tuple[str, str, str]]:
        told = attendance_lines(tx, held.id, person(tx, SAM))
        return [(line.step, line.status, line.reason) for line in told]

    assert product.read(lines) == [("confirmed", "absent", ""), ("corrected", "present", "late_entry")]
    assert meeting_at(product, MEETING).settled_at is not None


async def test_open_attendance_reaches_the_coordinator(windows: Windows, product: Running) -> None:
    await product.go_to(AFTER)
    async with at(windows, product, (RUTH, None), (CAROL, None)) as (ruth, carol):
        await ruth.move_clock()
        await ruth.reads("Attendance is still open")
        while "Attendance is still not confirmed" not in await carol.page.locator("#messages").inner_text():
            await carol.move_clock()
            assert "Nov" not in await carol.clock()
        await carol.press("Everyone came", await carol.reads("Attendance is still not confirmed"))
        await carol.reads("Attendance is complete")
        await expect(ruth.message("Who came?")).to_have_count(0)
    held = meeting_at(product, MEETING)
    marks = product.read(lambda tx: attendance.of_meeting(tx, held.id))
    assert {mark.status for mark in marks.values()} == {"present"}


# Check-ins --------------------------------------------------------------------------------------


async def test_a_check_in_is_answered_in_every_way_and_shows_nothing(windows: Windows, product: Running) -> None:
    secret, typed = "The hallway duty wears me out.", "I miss my old building."
    await product.go_to(CHECKIN)
    async with at(windows, product, (DANA, None), (RUTH, None)) as (dana, ruth):
        asked = await dana.reads("How are things going?")
        await expect(asked).to_contain_text("One tap is enough")
        await dana.press("4", asked)
        await dana.reads("Saved. I show your number only to you.")

        await dana.press("Write or change")
        form = dana.dialog("Your reflection")
        await expect(form).to_contain_text("What you write here isn’t posted in the chat.")
        await expect(form.locator("textarea")).to_have_count(3)
        await form.locator("textarea").first.fill(secret)
        await dana.submit("Save")
        await dana.closed()
        await dana.press("Write or change")
        await expect(form.locator("textarea").first).to_have_value(secret)
        await dana.page.keyboard.press("Escape")
        await expect(dana.page.locator("#messages")).not_to_contain_text(secret)

        await dana.say(typed)
        await dana.press("Keep as my reflection", await dana.reads("Should I keep that"))
        saved = await dana.reads("This chat itself keeps what you typed.")
        await expect(saved).not_to_contain_text(typed)
        await dana.press("Undo", saved)
        await dana.reads("Undone. I deleted it.")

        await dana.press("Ask my mentor to reach out")
        await dana.reads("I asked your mentor to reach out. I sent nothing else.")
        reach = await ruth.reads("Please reach out")
        await expect(reach).to_contain_text("Dana Reyes asked you to reach out.")
        await expect(ruth.message("How are things going?")).to_have_count(0)  # mentors get none unless they want them

        def kinds(tx: Tx) -> list[str]:
            mine = select(vault_item.c.kind).where(vault_item.c.person_id == person(tx, DANA))
            return sorted(tx.scalars(mine))

        assert product.read(kinds) == ["pulse", "reflection"]
        assert secret.encode() not in product.bytes_on_disk()


async def test_maria_reads_the_notice_once_and_agrees(windows: Windows, product: Running) -> None:
    await product.go_to(CHECKIN)
    async with at(windows, product, (MARIA, None)) as (maria,):
        notice = await maria.reads("Before your first check-in")
        for words in ("has the keys", "1-800-392-3738", "988", "Sunshine Law", "could identify"):
            await expect(notice).to_contain_text(words)
        await maria.say("Something I would rather not have kept.")
        await maria.reads("I didn't save what you typed. Please read the notice")
        await maria.press("Agree", notice)
        await maria.reads("How are things going?")
        await maria.command("privacy")
        shown = await maria.reads("Who sees what")
        await expect(shown).to_contain_text("You agreed to check-ins")
        await maria.press("Decline", shown)
        await maria.reads("You declined check-ins")


async def test_a_reflection_is_shared_and_its_reading_seen(windows: Windows, product: Running) -> None:
    await product.go_to(CHECKIN)
    async with at(windows, product, (DANA, None), (RUTH, None)) as (dana, ruth):
        await dana.press("Write a reflection", await dana.reads("How are things going?"))
        await dana.dialog().locator("textarea").first.fill("The hallway duty wears me out.")
        await dana.submit("Save")
        await dana.closed()
        await dana.command("reflections")
        await dana.press("Share", await dana.reads("Your reflections"))
        await dana.submit("Share")
        await dana.closed()
        await ruth.press("Read it", await ruth.reads("Dana Reyes shared a reflection with you"))
        await expect(ruth.dialog("A shared reflection")).to_contain_text("The hallway duty wears me out.")
        await ruth.page.keyboard.press("Escape")
        await expect(ruth.page.locator("#messages")).not_to_contain_text("hallway")
        await dana.command("reflections")
        await dana.reads(re.compile(r"Shared with Ruth Ellison\. Read "))


async def test_one_reminder_to_those_who_did_not_answer_then_it_closes(windows: Windows, product: Running) -> None:
    await product.go_to(CHECKIN)
    async with at(windows, product, (DANA, None), (LEE, None)) as (dana, lee):
        await dana.press("5 great", await dana.reads("How are things going?"))
        await dana.reads("Saved.")
        await lee.reads("How are things going?")
        await product.go_to(CHECKIN.replace(day=26))
        await lee.reads("Your check-in is still open")
        await expect(dana.message("Your check-in is still open")).to_have_count(0)
        await product.go_to(CHECKIN.replace(day=30))
        await lee.reads("You don't need to do anything.")
        await dana.reads(re.compile("This check-in is closed.*Saved", re.DOTALL))
        await dana.say("Good night")
        await dana.reads("See you!")


async def test_sam_pauses_and_ends_the_pause(windows: Windows, product: Running) -> None:
    async with at(windows, product, (SAM, None)) as (sam,):
        await sam.say("snooze until 2026-11-20")
        await sam.press("Undo", await sam.reads("No check-ins until Fri Nov 20, 2026."))
        await sam.reads("Pause ended. Your next check-in is Thu Oct 22, 2026, 3:00 PM MDT.")
        await sam.say("snooze until 2026-11-20")
        await sam.reads("No check-ins until")
        await product.go_to(CHECKIN.replace(hour=23))
        await expect(sam.message("How are things going?")).to_have_count(0)
    assert product.read(lambda tx: checkins.open_of(tx, person(tx, SAM), CHECKIN)) is None
    assert product.read(lambda tx: checkins.open_of(tx, person(tx, MARIA), CHECKIN)) is not None


# Progress, summaries, the digest ----------------------------------------------------------------


async def test_progress_as_mentee_mentor_and_coordinator(windows: Windows, product: Running) -> None:
    who = (DANA, OZARKS), (RUTH, OZARKS), (CAROL, None)
    async with at(windows, product, *who) as (dana, ruth, carol):
        await dana.command("progress")
        mine = await dana.reads_notice("Your progress: on track")
        await expect(mine.get_by_role("progressbar").first).to_have_attribute("value", "2")
        await expect(mine).to_contain_text("6 more meetings by")
        await expect(mine).to_contain_text(f"Next meeting: {NEXT}, Thu Oct 22, 2026, 3:30 PM CDT.")
        await expect(mine).to_contain_text("Example, not DESE policy")
        await ruth.command("progress")
        cohort = await ruth.reads_notice("Progress of Ozarks")
        await expect(cohort.get_by_role("row", name="Maria Gutierrez 1 of 8")).to_be_visible()
        await expect(cohort.get_by_role("row", name="Dana Reyes 2 of 8")).to_be_visible()
        await expect(dana.message("Progress of Ozarks")).to_have_count(0)
        await carol.say("progress")
        program = await carol.reads("Progress of the program")
        await expect(program.get_by_role("row", name="Ozarks 5")).to_be_visible()
        await expect(program).not_to_contain_text("Dana")


async def test_a_summary_is_previewed_posted_edited_and_withdrawn(windows: Windows, product: Running) -> None:
    await product.go_to(AFTER)
    async with at(windows, product, (RUTH, None), (LEE, OZARKS)) as (ruth, lee):
        await ruth.press("Everyone came", await ruth.reads("Who came?"))
        await ruth.press("Write the summary", await ruth.reads("Attendance is complete"))
        await expect(ruth.dialog("Session summary")).to_contain_text(
            "Please leave out student names and private matters"
        )
        await ruth.choose("Topics", "Responsive Services")
        await ruth.fill("What we did", "Looked at referral forms.")
        await ruth.fill("Next steps", "Bring one of yours.")
        await ruth.submit("Preview")
        preview = ruth.dialog("Post this summary?")
        await expect(preview).to_contain_text("Looked at referral forms.")
        await ruth.submit("Back")
        await expect(ruth.dialog().get_by_label("Responsive Services", exact=True)).to_be_checked()
        await ruth.fill("What we did", "Compared referral forms.")
        await ruth.submit("Preview")
        await ruth.submit("Post to the cohort")
        posted = await ruth.reads("Posted in the cohort's channel.")
        card = await lee.reads(f"Summary of {NEXT}")
        await expect(card).to_contain_text("Compared referral forms.")
        await expect(card).to_contain_text("Topics: Responsive Services")
        await expect(
            ruth.message("Attendance is complete").get_by_role("button", name="Edit the summary")
        ).to_be_visible()

        await ruth.press("Edit", posted)
        await ruth.fill("Next steps", "Bring two.")
        await ruth.submit("Preview")
        await ruth.submit("Post to the cohort")
        await lee.reads(re.compile("Bring two.*Ruth Ellison, edited", re.DOTALL))
        await ruth.press("Remove")
        await ruth.answer_question("Remove")
        await lee.reads("This summary was removed.")
        await expect(lee.messages().filter(has_text="Compared referral forms.")).to_have_count(0)
    held = meeting_at(product, MEETING)
    newest = product.read(lambda tx: summaries.newest(tx, held.id))
    assert newest is not None
    assert (newest.version, newest.withdrawn_at is None) == (2, False)


async def test_the_digest_comes_on_monday_with_what_needs_the_coordinator(windows: Windows, product: Running) -> None:
    await product.go_to(datetime(2026, 10, 26, 12, 0, tzinfo=UTC))
    async with at(windows, product, (CAROL, None)) as (carol,):
        assert "Next: the coordinator's weekly digest" in await carol.clock()
        await carol.move_clock()
        assert "Mon Oct 26, 2026, 7:30 AM CDT" in await carol.clock()
        digest = await carol.reads("Weekly digest")
        await expect(digest).to_contain_text(f"Ozarks, {NEXT}, Thu Oct 22, 2026: needs attendance and summary")
        await expect(digest).to_contain_text("1 person on the roster has no matched account.")
        await expect(digest.get_by_role("row", name="Gateway 2 1")).to_be_visible()
        await carol.say("digest")
        await expect(carol.messages().filter(has_text="Weekly digest")).to_have_count(2)


async def test_help_is_by_role_and_an_unknown_command_gets_the_nearest(windows: Windows, product: Running) -> None:
    async with at(windows, product, (PRIYA, OZARKS), (RUTH, None)) as (priya, ruth):
        await priya.command("help")
        own = await priya.reads_notice("What I can do")
        await expect(own).to_contain_text("As a mentee")
        await expect(own).not_to_contain_text("As a mentor")
        await priya.command("progess")
        await priya.press("progress", await priya.reads_notice("Did you mean one of these?"))
        await priya.reads_notice("Your progress")
        await priya.command("digest")
        await priya.reads_notice("/plc digest is only for coordinators.")
        await ruth.say("help")
        await expect(await ruth.reads("What I can do")).to_contain_text("As a mentor")


async def test_start_over_brings_the_example_back(windows: Windows, product: Running) -> None:
    async with at(windows, product, (DANA, OZARKS), (RUTH, OZARKS)) as (dana, ruth):
        await dana.press("Coming", await dana.reads(NEXT))
        await ruth.reads("Coming (1): Dana Reyes")
        await dana.move_clock()
        await dana.move_clock("Start over")
        for person in (dana, ruth):
            await expect(person.page).to_have_url(re.compile("direct$"))
            await person.settled()
            await person.reads("Welcome, ")
            await person.go(OZARKS)
            await person.reads(f"PLC meeting: {NEXT}")
            await expect(person.messages()).to_have_count(1)
            await expect(person.messages()).not_to_contain_text("Coming (1)")
        assert "Mon Oct 19, 2026, 9:00 AM CDT" in await dana.clock()
    assert product.read(lambda tx: tx.scalar(select(func.count()).select_from(rsvp))) == 0


async def test_nothing_failed_on_its_way(windows: Windows, product: Running) -> None:
    """A month of the example, as the clock's buttons live through it, ends with every message delivered."""
    async with at(windows, product, (CAROL, None)) as (carol,):
        for _ in range(4):
            await carol.move_clock("+1 day")
        await carol.reads("Welcome, Carol Dietz")
        await product.go_to(datetime(2026, 11, 19, 15, 0, tzinfo=UTC))
        await carol.reads("Weekly digest")

    def states(tx: Tx) -> set[str]:
        return set(tx.scalars(select(delivery.c.state).distinct()))

    await product.app.loop.drain()
    assert product.read(states) <= {"sent", "dropped"}
