"""One cohort's story, told on paper: from the roster to the digest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from handlers.people import identity
from handlers.people.homes import Linking, make_home
from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.meetings import attendance, breaks, meetings
from storage.meetings.meetings_tables import meeting, rsvp
from storage.outbox import conversations
from storage.outbox.outbox_tables import conversation, delivery
from storage.people import cohorts
from storage.people.people_tables import cohort
from storage.vault.vault_tables import vault_item
from tests.attendance_lines import attendance_lines
from tests.world import Person, World, buttons_of, said

HOME = "ozarks"


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def lee(world: World) -> Person:
    return world.matched("Lee Okafor", "lee@example.org")


@pytest.fixture
def sam(world: World) -> Person:
    return world.matched("Sam Whitfield", "sam@example.org")


@pytest.fixture
def ruth(world: World) -> Person:
    return world.matched("Ruth Ellison", "ruth@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


@pytest.fixture
def jordan(world: World) -> Person:
    return world.matched("Jordan Blake", "jordan@example.org")


async def linked(world: World, ruth: Person) -> None:
    world.port.channels.setdefault(HOME, [ruth.user])
    await ruth.sends("cohort link", HOME)


async def scheduled(world: World, ruth: Person, **values: str) -> None:
    """A series of three Thursdays at 15:30 in Missouri, from 10 September 2026."""
    form = (await ruth.sends("meeting new", HOME)).form
    filled = {
        "topic": "First steps",
        "day": "2026-09-10",
        "at": "15:30",
        "minutes": "60",
        "place": "https://meet.example.org/x",
        "repeat": "weekly",
        "until": "2026-09-24",
    }
    preview = await ruth.fills(form, HOME, **(filled | values))
    assert preview.form is not None, preview.errors
    reply = await ruth.fills(preview.form, HOME)
    assert "Scheduled" in said(reply)


async def test_linking_a_channel_says_hello_and_names_who_is_missing(world: World, ruth: Person) -> None:
    dana = world.account("Dana R.", "dana@example.org")
    world.port.channels[HOME] = [ruth.user, dana.user]
    reply = await ruth.sends("cohort link", HOME)
    assert "When I'm in, it becomes the home of Ozarks." in said(reply)
    assert "Hello, Ozarks" in world.in_channel(HOME)[0].text
    report = world.to(ruth)[-1].text
    assert "couldn't match 2 people" in report
    assert "Lee Okafor <lee@example.org>" in report
    assert "asked these people to confirm who they are: Dana Reyes" in report

    question = world.to(dana)[-1]
    assert "Is this you?" in question.text
    reply = await dana.presses(question, "Yes, that's me")
    assert "Good to meet you, Dana Reyes" in said(reply)
    assert "Welcome, Dana Reyes" in world.to(dana)[-1].text
    again = await dana.presses(question, "Yes, that's me")
    assert "already decided" in said(again)
    assert sum("Welcome" in message.text for message in world.to(dana)) == 1


async def test_a_private_channel_says_what_to_do(world: World, ruth: Person) -> None:
    world.port.closed.add(HOME)
    await ruth.sends("cohort link", HOME)
    assert world.in_channel(HOME) == []
    assert "Invite me with /invite" in world.to(ruth)[-1].text


async def test_a_series_is_previewed_announced_and_answered(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    card = world.in_channel(HOME)[-1]
    assert "PLC meeting: First steps" in card.text
    assert "Thu Sep 10, 2026, 3:30 PM CDT" in card.text
    assert "Thu Sep 24, 2026" in card.text
    reply = await dana.presses(card, "Coming", HOME)
    assert "You're coming to First steps" in said(reply)
    assert "Coming (1): Dana Reyes" in card.text
    await dana.presses(card, "Can't", HOME)
    assert "Can't (1): Dana Reyes" in card.text
    assert "Coming (1)" not in card.text
    with world.database.read() as tx:
        assert [row.coming for row in tx.execute(select(rsvp))] == [False]


async def test_breaks_are_skipped_and_said(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    form = (await ruth.sends("breaks", HOME)).card
    assert form is not None
    opened = await ruth.presses(form, "Add a break", HOME)
    step = await ruth.fills(opened.form, HOME, label="Fair week", starts="2026-09-14", ends="2026-09-18")
    assert "No meetings fall in this break" in said(step)
    assert "Added Fair week" in said(await ruth.fills(step.form, HOME))
    meeting_form = (await ruth.sends("meeting new", HOME)).form
    preview = await ruth.fills(
        meeting_form, HOME, topic="T", day="2026-09-10", at="15:30", repeat="weekly", until="2026-09-24"
    )
    text = said(preview)
    assert "2 meetings" in text
    assert "Thu Sep 17, 2026: Fair week" in text


async def test_the_preview_says_what_is_at_that_time_already(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    form = (await ruth.sends("meeting new", HOME)).form
    values = {"topic": "Crisis plans", "day": "2026-09-17", "repeat": "once"}
    preview = await ruth.fills(form, HOME, **values, at="16:00", minutes="60")
    assert "Ozarks already has a meeting at that time" in said(preview)
    assert "First steps, Thu Sep 17, 2026" in said(preview)
    after_it = await ruth.fills(form, HOME, **values, at="16:30", minutes="60")
    assert "already has a meeting at that time" not in said(after_it)


async def test_a_break_cancels_what_falls_into_it(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    card = (await ruth.sends("breaks", HOME)).card
    assert card is not None
    opened = await ruth.presses(card, "Add a break", HOME)
    step = await ruth.fills(opened.form, HOME, label="Snow", starts="2026-09-17", ends="2026-09-17")
    assert "This cancels 1 meeting: Thu Sep 17, 2026" in said(step)
    await ruth.fills(step.form, HOME)
    assert "Cancelled: First steps" in world.in_channel(HOME)[-1].text
    await world.go_to(datetime(2026, 9, 18, 12, 0, tzinfo=UTC))
    assert not any("Sep 17" in message.text and "Reminder" in message.text for message in world.in_channel(HOME))


async def test_reminders_come_a_day_and_an_hour_before(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 9, 20, 29, tzinfo=UTC))
    assert not any("Reminder" in message.text for message in world.port.messages)
    await world.go_to(datetime(2026, 9, 9, 20, 30, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 1
    await world.go_to(datetime(2026, 9, 10, 19, 30, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 2
    with world.database.read() as tx:
        kept = str(tx.execute(select(delivery)).all())
    assert "meeting.reminder" in kept
    assert "First steps" not in kept, "of a message nothing is kept but its kind, recipient and state"


async def test_moving_a_meeting_moves_its_reminders(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    listed = (await ruth.sends("meetings", HOME)).card
    assert listed is not None
    form = (await ruth.presses(listed, "Move", HOME)).form
    reply = await ruth.fills(form, HOME, day="2026-09-11", at="16:00")
    assert "Moved 1 meeting" in said(reply)
    moved = world.in_channel(HOME)[-1]
    assert "Moved: First steps" in moved.text
    assert "Fri Sep 11, 2026, 4:00 PM CDT" in moved.text
    assert "Fri Sep 11" in world.in_channel(HOME)[1].text  # the announcement follows
    await world.go_to(datetime(2026, 9, 10, 20, 59, tzinfo=UTC))
    assert not any("Reminder" in message.text for message in world.port.messages)
    await world.go_to(datetime(2026, 9, 10, 21, 0, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 1
    assert "Only the cohort's mentors" in said(await dana.does_press("meetings.move", meeting_id(world)))


async def test_a_move_that_changes_nothing_tells_nobody(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    before = len(world.in_channel(HOME))
    listed = (await ruth.sends("meetings", HOME)).card
    assert listed is not None
    form = (await ruth.presses(listed, "Move", HOME)).form
    same = await ruth.fills(form, HOME)
    assert same.errors == {"day": "You haven't changed anything. Choose another date, time, length or place."}
    assert len(world.in_channel(HOME)) == before


async def test_a_new_place_is_a_change_and_no_move(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    listed = (await ruth.sends("meetings", HOME)).card
    assert listed is not None
    form = (await ruth.presses(listed, "Move", HOME)).form
    assert "Changed 1 meeting" in said(await ruth.fills(form, HOME, place="Library"))
    told = world.in_channel(HOME)[-1].text
    assert "Changed: First steps" in told
    assert "Library" in told
    assert "It was scheduled for" not in told


def meeting_id(world: World, number: int = 0) -> str:
    with world.database.read() as tx:
        return str(tx.scalars(select(meeting.c.id).order_by(meeting.c.starts_at)).all()[number])


async def test_cancelling_the_rest_tells_people_and_can_be_undone(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    listed = (await ruth.sends("meetings", HOME)).card
    assert listed is not None
    form = (await ruth.presses(listed, "Cancel", HOME)).form
    reply = await ruth.fills(form, HOME, reach="rest", reason="weather")
    assert "Cancelled 3 meetings" in said(reply)
    (told,) = [message for message in world.in_channel(HOME) if "are cancelled (weather)" in message.text]
    assert "Cancelled: 3 meetings" in told.text
    assert told.text.count("First steps") == 3
    assert "Undone" in said(await ruth.does_press("meetings.restore", meeting_id(world, 1)))
    assert "Cancelled: 2 meetings" in told.text
    assert "These are back on" in told.text
    undone = await ruth.presses(reply, "Undo", HOME)
    assert "2 meetings are back on the schedule" in said(undone)
    assert "No meeting is cancelled" in told.text
    assert told.text.count("First steps") == 3
    await world.go_to(datetime(2026, 9, 10, 19, 30, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 2


async def test_attendance_from_the_tap_to_the_correction(
    world: World, ruth: Person, dana: Person, lee: Person, sam: Person, jordan: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 10, 20, 15, tzinfo=UTC))
    card = world.in_channel(HOME)[-1]
    assert "starts at 3:30 PM CDT" in card.text
    assert "You're marked as here" in said(await dana.presses(card, "I'm here", HOME))
    assert "already marked here" in said(await dana.presses(card, "I'm here", HOME))
    assert "not in this cohort" in said(await jordan.presses(card, "I'm here", HOME))
    assert "Only mentees need to tap" in said(await ruth.presses(card, "I'm here", HOME))
    assert "Here (1): Dana Reyes" in card.text

    await world.go_to(datetime(2026, 9, 10, 21, 30, tzinfo=UTC))
    roster = world.to(ruth)[-1]
    assert "Name: Dana Reyes, Attendance: tapped 3:15 PM" in roster.text
    assert "Name: Lee Okafor, Attendance: no tap yet" in roster.text
    assert [button.label for button in buttons_of(roster.card)] == [
        "Confirm the 1 who tapped",
        "Everyone came",
        "Person by person",
    ]
    await ruth.presses(roster, "Confirm the 1 who tapped")
    assert "Name: Dana Reyes, Attendance: Present" in roster.text
    assert "Name: Lee Okafor, Attendance: no tap yet" in roster.text

    form = (await ruth.presses(roster, "Person by person")).form
    assert form is not None
    fields = {field.label: field.id for field in form.fields}
    step = await ruth.fills(
        form, **{fields["Lee Okafor"]: "partial", fields["Sam Whitfield"]: "excused", "visitor": "jordan@example.org"}
    )
    assert step.form is not None
    assert "Saved. Attendance is complete." in said(await ruth.fills(step.form, **{step.form.fields[0].id: "20"}))
    assert "Attendance is complete" in roster.text
    assert "Lee Okafor, Attendance: Partly there, 20 minutes" in roster.text
    assert "Jordan Blake (visitor), Attendance: Present" in roster.text
    assert "attendance is complete" in card.text
    assert "Sam" not in card.text, "the channel is not told of absences"
    assert "Here (3): Dana Reyes, Lee Okafor and Jordan Blake" in card.text  # with whoever was partly there

    form = (await ruth.presses(roster, "Correct")).form
    assert form is not None
    fields = {field.label: field.id for field in form.fields}
    wrong = await ruth.fills(form, **{fields["Sam Whitfield"]: "present"})
    assert wrong.errors == {"reason": "Choose why you're changing it."}
    prose = await ruth.fills(form, **{fields["Sam Whitfield"]: "present", "reason": "He told me of his illness"})
    assert prose.errors == {"reason": "Choose one of the options."}
    await ruth.fills(form, **{fields["Sam Whitfield"]: "present", "reason": "told_later"})
    assert "Sam Whitfield, Attendance: Present (corrected)" in roster.text
    with world.database.read() as tx:
        of_series = meetings.of_series(
            tx, meetings.between(tx, world.clock.at.replace(day=1), world.clock.at)[0].series_id
        )
        story = attendance_lines(tx, of_series[0].id, sam.id)
    assert [(line.step, line.status, line.by, line.reason) for line in story] == [
        ("confirmed", "excused", "Ruth Ellison", ""),
        ("corrected", "present", "Ruth Ellison", "told_later"),
    ]


async def test_the_mentor_sees_when_somebody_tapped_and_how_late_that_was(
    world: World, ruth: Person, dana: Person, lee: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 10, 20, 25, tzinfo=UTC))
    await dana.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    await world.go_to(datetime(2026, 9, 10, 20, 50, 30, tzinfo=UTC))
    await lee.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    await world.go_to(datetime(2026, 9, 10, 21, 30, tzinfo=UTC))
    roster = world.to(ruth)[-1]
    assert "Name: Dana Reyes, Attendance: tapped 3:25 PM\n" in roster.text
    assert "Name: Lee Okafor, Attendance: tapped 3:50 PM, 20 minutes after the start" in roster.text
    form = (await ruth.presses(roster, "Person by person")).form
    assert form is not None
    hints = {field.label: field.hint for field in form.fields}
    assert hints["Lee Okafor"] == "Tapped 3:50 PM, 20 minutes after the start."
    await ruth.presses(roster, "Everyone came")
    assert "Name: Lee Okafor, Attendance: Present, tapped 3:50 PM, 20 minutes after the start" in roster.text


async def test_everyone_came_is_one_tap(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 10, 21, 30, tzinfo=UTC))
    roster = world.to(ruth)[-1]
    reply = await ruth.presses(roster, "Everyone came")
    assert "Attendance is complete" in said(reply)
    with world.database.read() as tx:
        item = meetings.between(tx, datetime(2026, 9, 1, tzinfo=UTC), world.clock.at)[0]
        assert {mark.status for mark in attendance.of_meeting(tx, item.id).values()} == {"present"}
        assert item.settled_at == world.clock.at
    assert "Meetings, Year 1 (2026-27): 1 of 8" in said(await dana.sends("progress"))


async def test_open_attendance_is_chased_and_then_shown_to_the_coordinator(
    world: World, ruth: Person, carol: Person
) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth, repeat="once", until="")
    await world.go_to(datetime(2026, 9, 11, 21, 30, tzinfo=UTC))
    assert any("Attendance is still open" in message.text for message in world.to(ruth))
    await world.go_to(datetime(2026, 9, 13, 21, 30, tzinfo=UTC))
    asked = [message for message in world.to(carol) if "still not confirmed" in message.text]
    assert len(asked) == 1
    await carol.presses(asked[0], "Everyone came")
    assert "Attendance is complete" in asked[0].text
    with world.database.read() as tx:
        assert cohorts.by_name(tx, "ozarks") is not None


async def test_a_checkin_is_saved_and_never_echoed(world: World, ruth: Person, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = world.to(dana)[-1]
    assert "How are things going?" in asked.text
    reply = await dana.presses(asked, "4")
    assert "Saved. I show your number only to you." in said(reply)
    form = (await dana.presses(reply.replace or asked.card, "Write or change")).form
    assert form is not None
    assert form.confidential
    assert len(form.fields) == 3
    first = form.fields[0].id
    assert "Saved." in said(await dana.fills(form, **{first: "CANARY-form"}))
    typed = await dana.keeps("CANARY-typed and more")
    assert "This chat itself keeps what you typed" in said(typed)
    again = (await dana.presses(asked, "Write or change")).form
    assert again is not None
    values = {field.label: getattr(field, "value", "") for field in again.fields}
    assert "CANARY-form" in values.values()
    assert values["What you typed to me"] == "CANARY-typed and more"
    assert "Undone" in said(await dana.presses(typed, "Undo"))
    assert "CANARY" not in "".join(message.text for message in world.port.messages)
    with world.database.read() as tx:
        assert all(b"CANARY" not in row.sealed for row in tx.execute(select(vault_item)))
        assert len(tx.execute(select(checkin).where(checkin.c.person_id == dana.id)).all()) == 1
    assert "can't find" in said(await ruth.does_press("checkins.write", str(checkin_id(world))))


async def test_what_is_typed_while_the_form_is_open_stays(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = world.to(dana)[-1]
    form = (await dana.presses(asked, "Write a reflection")).form
    assert form is not None
    await dana.keeps("CANARY-typed meanwhile")
    await dana.fills(form, **{form.fields[0].id: "CANARY-form"})
    again = (await dana.presses(asked, "Write or change")).form
    assert again is not None
    assert [getattr(field, "value", "") for field in again.fields][-1] == "CANARY-typed meanwhile"
    assert getattr(again.fields[0], "value", "") == "CANARY-form"


async def next_checkin(world: World, person: Person) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, person.id)
    assert at is not None
    await world.go_to(at)


def checkin_id(world: World) -> object:
    with world.database.read() as tx:
        return tx.scalar(select(checkin.c.id))


async def test_exact_commands_win_over_reflections(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    assert "What I can do" in said(await dana.types("help"))
    assert "Should I keep that" in said(await dana.types("help me, this week was long"))
    assert "No check-ins until" in said(await dana.types("snooze until Monday"))


async def test_asking_the_mentor_sends_just_that(world: World, ruth: Person, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = next(message for message in world.to(dana) if "How are things" in message.text)
    await dana.types("CANARY words")
    reply = await dana.presses(asked, "Ask my mentor to reach out")
    assert "I asked your mentor to reach out. I sent nothing else." in said(reply)
    received = world.to(ruth)[-1].text
    assert "Dana Reyes asked you to reach out" in received
    assert "CANARY" not in received
    await dana.does_press("checkins.reach", str(checkin_id(world)))
    assert sum("reach out" in message.text for message in world.to(ruth)) == 1


async def test_an_unanswered_checkin_is_nudged_once_and_closes(world: World, dana: Person, lee: Person) -> None:
    await next_checkin(world, dana)
    asked = next(message for message in world.to(lee) if "How are things" in message.text)
    await lee.presses(asked, "3")
    await world.pass_time(days=3, hours=1)
    assert sum("still open" in message.text for message in world.to(dana)) == 1
    assert not any("still open" in message.text for message in world.to(lee))
    await world.pass_time(days=5)
    assert "This check-in is closed" in asked.text
    assert "is closed" in said(await lee.does_press("checkins.pulse", str(checkin_of(world, lee)), "5"))


def checkin_of(world: World, person: Person) -> object:
    with world.database.read() as tx:
        return tx.scalar(select(checkin.c.id).where(checkin.c.person_id == person.id))


async def test_snoozing_stops_checkins_until_the_day(world: World, dana: Person) -> None:
    reply = await dana.sends("snooze until 2026-10-20")
    assert "No check-ins until Tue Oct 20, 2026" in said(reply)
    await world.go_to(datetime(2026, 10, 19, tzinfo=UTC))
    assert not any("How are things" in message.text for message in world.to(dana))
    await world.go_to(datetime(2026, 11, 20, tzinfo=UTC))
    assert any("How are things" in message.text for message in world.to(dana))
    assert "is past. Choose a later day." in said(await dana.sends("snooze until 2020-01-01"))
    assert "Until when?" in said(await dana.sends("snooze"))


async def test_mentors_get_checkins_only_when_they_want(world: World, ruth: Person) -> None:
    await world.pass_time(days=15)
    assert world.to(ruth) == []
    assert "Check-ins are on" in said(await ruth.sends("checkins on"))
    await next_checkin(world, ruth)
    assert any("How are things" in message.text for message in world.to(ruth))


async def test_nobody_sees_a_standing_that_is_not_theirs(
    world: World, dana: Person, ruth: Person, carol: Person, jordan: Person
) -> None:
    await linked(world, ruth)
    own = said(await dana.sends("progress", HOME))
    assert "Your progress" in own
    assert "Lee" not in own
    cohort = said(await ruth.sends("progress", HOME))
    assert "Progress of Ozarks" in cohort
    assert "Lee Okafor" in cohort
    assert "Jordan" not in cohort
    other = said(await jordan.sends("progress", HOME))
    assert "Lee" not in other
    program = said(await carol.sends("progress"))
    assert "Gateway" in program
    assert "Ozarks" in program


async def test_a_summary_is_previewed_posted_edited_and_withdrawn(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth, repeat="once", until="")
    await world.go_to(datetime(2026, 9, 11, 21, 30, tzinfo=UTC))
    assert sum("Please write a summary" in message.text for message in world.to(ruth)) == 1
    form = (await ruth.sends("summary", HOME)).form
    assert "leave out student names" in said(await ruth.sends("summary", HOME))
    step = await ruth.fills(form, HOME, topics=["responsive"], did="We met <b>all</b>.", next="Bring forms.")
    assert "We met <b>all</b>." in said(step)
    reply = await ruth.fills(step.form, HOME)
    posted = world.in_channel(HOME)[-1]
    assert "Summary of First steps" in posted.text
    assert "Topics: Responsive Services" in posted.text
    form = (await ruth.presses(reply, "Edit", HOME)).form
    step = await ruth.fills(form, HOME, did="We met everybody.")
    await ruth.fills(step.form, HOME)
    assert "We met everybody." in posted.text
    assert "edited" in posted.text
    await ruth.presses(reply, "Remove", HOME)
    assert "removed" in posted.text
    assert "everybody" not in posted.text
    assert "is only for coordinators and mentors" in said(await dana.sends("summary", HOME))


async def test_the_digest_names_what_needs_the_coordinator(world: World, ruth: Person, carol: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(datetime(2026, 9, 14, 12, 29, tzinfo=UTC))
    assert not any("Weekly digest" in message.text for message in world.to(carol))
    await world.go_to(datetime(2026, 9, 14, 12, 30, tzinfo=UTC))
    text = world.to(carol)[-1].text
    assert "Weekly digest" in text
    assert "Ozarks, First steps, Thu Sep 10, 2026: needs attendance and summary" in text
    assert "Thu Sep 17, 2026, 3:30 PM CDT: Ozarks, First steps" in text
    assert "Cohort: Gateway, Mentees: 1" in text
    await world.pass_time(days=7)
    assert sum("Weekly digest" in message.text for message in world.to(carol)) == 2
    assert "is only for coordinators" in said(await ruth.sends("digest"))


async def test_help_privacy_and_unknown_commands(world: World, dana: Person, ruth: Person) -> None:
    assert "As a mentee" in said(await dana.sends("help"))
    assert "As a mentor" not in said(await dana.sends("help"))
    assert "As a mentor" in said(await ruth.sends("help"))
    assert "Who sees what" in said(await dana.sends("privacy"))
    reply = await dana.sends("progres")
    assert "Did you mean" in said(reply)
    assert "Your progress" in said(await dana.presses(reply, "progress"))
    assert "What I can do" in said(await dana.sends(""))
    assert "digest" not in said(await dana.sends("digset"))


async def test_a_stranger_records_nothing(world: World, ruth: Person) -> None:
    guest = world.account("Guest", "", member=False)
    text = said(await guest.sends("progress"))
    assert "I can't match you to the roster yet" in text
    assert "Carol Dietz" in text


async def test_the_coordinator_matches_a_guest(world: World, carol: Person) -> None:
    guest = world.account("Lee O. (guest)", "", member=False, user="U-guest")
    await guest.sends("help")
    card = (await carol.sends("people")).card
    assert card is not None
    form = (await carol.presses(card, "Match someone")).form
    assert form is not None
    options = {field.id: getattr(field, "options", ()) for field in form.fields}
    person = next(option.value for option in options["person"] if "Lee Okafor" in option.label)
    account = next(option.value for option in options["account"] if "guest" in option.label)
    assert "now matched" in said(await carol.fills(form, person=person, account=account))
    assert "Welcome, Lee Okafor" in world.to(guest)[-1].text
    assert "Your progress" in said(await guest.sends("progress"))


async def test_a_repeated_act_changes_nothing(world: World, ruth: Person, dana: Person) -> None:
    from handlers.core.requests import Press
    from tests.world import button

    await linked(world, ruth)
    await scheduled(world, ruth)
    card = world.in_channel(HOME)[-1]
    await dana.does(Press(button(card.card, "Coming")), HOME, key="one")
    await dana.does(Press(button(card.card, "Can't")), HOME, key="two")
    await dana.does(Press(button(card.card, "Coming")), HOME, key="one")
    assert "Can't (1): Dana Reyes" in card.text


async def test_several_cohorts_are_asked_never_guessed(world: World, carol: Person) -> None:
    reply = await carol.sends("meeting new")
    assert "Which cohort?" in said(reply)
    form = (await carol.presses(reply, "Gateway")).form
    assert form is not None
    assert "For Gateway" in said(await carol.presses(reply, "Gateway"))


async def test_a_nudge_does_not_come_on_a_break(world: World, dana: Person, carol: Person) -> None:
    await next_checkin(world, dana)
    day = (world.clock.at + timedelta(days=3)).date().isoformat()
    with world.database.write() as tx:
        breaks.add(world.work(tx), None, date.fromisoformat(day), date.fromisoformat(day), "Holiday", carol.id)
    await world.pass_time(days=4)
    assert not any("still open" in message.text for message in world.to(dana))


async def test_an_account_seen_before_the_roster_is_asked_after_it(world: World) -> None:
    new = world.account("Nia New", "nia@example.org")
    assert "I can't match you to the roster yet" in said(await new.sends("help"))
    row = "cohort,role,name,email\nOzarks,mentee,Nia New,nia@example.org\n"
    world.import_roster(row)
    with world.database.write() as tx:
        identity.propose_again(world.work(tx))
    await world.loop.drain()
    assert "Is this you?" in world.to(new)[-1].text


async def test_reminder_times_are_the_cohorts_to_set(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth, repeat="once", until="")
    card = (await ruth.sends("cohort", HOME)).card
    assert card is not None
    assert "1 day before and 1 hour before" in said(await ruth.sends("cohort", HOME))
    form = (await ruth.presses(card, "Settings", HOME)).form
    reply = await ruth.fills(form, HOME, first="2880", second="", weekday="0", at="09:00", weeks="1")
    assert "Reminders: 2 days before. Check-ins: every week on Monday at 9:00 AM" in said(reply)
    await world.go_to(datetime(2026, 9, 8, 20, 30, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 1
    await world.go_to(datetime(2026, 9, 10, 20, 0, tzinfo=UTC))
    assert sum("Reminder" in message.text for message in world.port.messages) == 1


def home_of_ozarks(world: World) -> str | None:
    with world.database.read() as tx:
        query = select(conversation.c.external).join_from(cohort, conversation, cohort.c.home_id == conversation.c.id)
        name: str | None = tx.scalar(query.where(cohort.c.name == "Ozarks"))
        return name


async def test_the_home_stays_where_it_was_when_the_bot_cannot_enter_the_new_channel(
    world: World, ruth: Person
) -> None:
    await linked(world, ruth)
    world.port.channels["C00NEW"] = [ruth.user]
    world.port.closed.add("C00NEW")
    reply = await ruth.sends("cohort link", "C00NEW")
    assert "Until then its earlier channel stays the home." in said(reply)
    assert home_of_ozarks(world) == HOME
    assert "The cohort's home hasn't changed." in world.to(ruth)[-1].text
    world.port.closed.clear()
    await world.go_to(world.clock.at + timedelta(minutes=1))
    await ruth.sends("cohort link", "C00NEW")
    assert home_of_ozarks(world) == "C00NEW"
    assert "already the home of Ozarks" in said(await ruth.sends("cohort link", "C00NEW"))


async def test_who_no_longer_leads_when_the_bot_is_in_moves_no_home(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    world.port.channels["C00NEW"] = [ruth.user]
    with world.database.read() as tx:
        ozarks = cohorts.by_name(tx, "Ozarks")
        assert ozarks is not None
    with world.database.write() as tx:
        work = world.work(tx)
        place = conversations.remember(
            work, platform=world.platform, tenant=world.tenant, external="C00NEW", kind="channel", name="", reference={}
        )
        cohorts.leave(work, ozarks.id, ruth.id, None)
        cohorts.want_home(tx, ozarks.id, place)
        assert make_home(work, place, Linking(ruth.id, ozarks.id)) == "not_allowed"
    assert home_of_ozarks(world) == HOME
