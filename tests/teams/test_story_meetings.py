"""Step 3: a series by dialog, the announcement and its answers, reminders, moving and cancelling."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from bot.teams.sentences import SENT_DIRECTLY
from storage.core.work import Work
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.meetings.meetings_tables import meeting
from storage.people import cohorts
from tests.fakes.teams import CHANNEL, actions_of
from tests.specimens import HOSTILE
from tests.teams.story import Answer, Someone, Story, shown

THURSDAY = datetime(2026, 9, 10, 20, 30, tzinfo=UTC)  # the first date a form proposes: 15:30 in Missouri


async def plan(mentor: Someone, **values: str | int) -> Answer:
    """Schedule with the dialogs, and hear that it is done."""
    asked = await mentor.says("meeting new")
    opened = await mentor.taps(asked.messages[0], "Schedule meetings")
    preview = await mentor.sends(opened.dialog, **{"topic": "Small groups", **values})
    return await mentor.sends(preview.dialog)


def scheduled(story: Story) -> list[Meeting]:
    now = story.clock.now()
    return story.read(lambda tx: meetings.between(tx, now, now + timedelta(days=400)))


async def test_a_series_is_planned_by_dialog(story: Story, cohort: dict[str, Someone]) -> None:
    ruth = cohort["ruth"]
    with story.database.write() as tx:
        break_days = (date(2026, 9, 24), date(2026, 9, 25))
        breaks.add(Work(tx, story.clock.now(), story.app.product.new_id), None, *break_days, "Fall break", ruth.id)

    # Asked in the channel, the form is offered where only Ruth sees it.
    asked = await ruth.asks("meeting new")
    assert story.thread()[-1] == SENT_DIRECTLY
    opened = await ruth.taps(asked.messages[0], "Schedule meetings")
    assert opened.dialog.title == "Schedule meetings"
    assert "Central Time" in opened.dialog.text
    assert opened.dialog.fields["day"] == "2026-09-10"

    # What is wrong is said beside the field, and what was typed stays.
    wrong = await ruth.sends(opened.dialog, topic="Small groups", day="2026-09-01", minutes=75, repeat="weekly")
    assert "That time is in the past. Choose a later one." in wrong.dialog.text
    assert wrong.dialog.fields["topic"] == "Small groups"
    assert wrong.dialog.fields["minutes"] == 75
    assert not scheduled(story)
    missing = await ruth.sends(wrong.dialog, topic="", day="2026-09-10")
    assert "Enter a topic." in missing.dialog.text

    # The preview names the dates and what a break skips, and there is a way back to the form as it was.
    preview = await ruth.sends(missing.dialog, topic="Small groups", repeat="weekly", until="2026-10-01")
    assert preview.dialog.title == "Are these dates right?"
    assert "3 meetings at 3:30 PM, 75 minutes" in preview.dialog.text
    assert "Thu Sep 24, 2026: Fall break" in preview.dialog.text
    back = await ruth.goes_back(preview.dialog)
    assert back.dialog.fields["topic"] == "Small groups"
    assert back.dialog.fields["until"] == "2026-10-01"
    preview = await ruth.sends(back.dialog, place="https://meet.example.org/ozarks?a=b&c=d")
    done = await ruth.sends(preview.dialog)

    assert done.closed
    assert "Scheduled 3 meetings and told the cohort." in done.text
    assert [meeting.local_start.day for meeting in scheduled(story)] == [10, 17, 1]
    said = story.in_channel()[-1]
    assert shown(said).startswith("PLC meeting: Small groups")
    assert "[Join](https://meet.example.org/ozarks?a=b&c=d)" in shown(said)
    assert "{{TIME(2026-09-10T20:30:00Z)}}" in shown(said)  # each reader's own zone

    # Teams sends the dialog again: nothing happens twice.
    before = story.everything()
    await ruth.repeats()
    assert story.everything() == before
    assert len(story.in_channel()) == 2


async def test_coming_or_not_changes_the_shared_card(story: Story, cohort: dict[str, Someone]) -> None:
    dana, lee, ruth, jordan = (cohort[name] for name in ("dana", "lee", "ruth", "jordan"))
    await plan(ruth)
    card = story.in_channel()[-1]

    answer = await dana.taps(card, "Coming", channel=CHANNEL)

    assert answer.told.startswith("You're coming to")  # only Dana sees it, where she tapped
    assert answer.messages == ()
    assert answer.card is None  # her answer never becomes everybody's card
    assert "You're coming to Small groups" in answer.text
    assert "Coming (1): Dana Reyes" in shown(card)
    assert card.edits == 1
    before = story.everything()
    await dana.repeats()
    assert story.everything() == before
    assert card.edits == 1

    await lee.taps(card, "Can't", channel=CHANNEL)
    await ruth.taps(card, "Coming", channel=CHANNEL)
    assert "Coming (2): Dana Reyes and Ruth Ellison" in shown(card)
    assert "Can't (1): Lee Okafor" in shown(card)

    # One's own state, in the personal chat.
    own = await lee.says("next")
    assert "You said you can't come." in own.text
    changed = await lee.taps(own.messages[0], "Coming")
    assert "You said you're coming." in changed.text
    assert not changed.messages
    assert "Coming (3)" in shown(card)

    # Somebody of another cohort, and somebody of no cohort, are told kindly and nothing is noted.
    before = story.everything()
    other = await jordan.taps(card, "Coming", channel=CHANNEL)
    assert "not in this cohort, so I didn't save your answer" in other.text
    nobody = await cohort["ollie"].taps(card, "Coming", channel=CHANNEL)
    assert "I can't match you to the roster yet, so I didn't save anything." in nobody.text
    assert story.everything()["rsvp"] == before["rsvp"]
    assert "Coming (3)" in shown(card)


async def test_the_answer_to_a_tap_fits_beside_the_card_however_long_the_topic(
    story: Story, cohort: dict[str, Someone]
) -> None:
    dana = cohort["dana"]
    await plan(cohort["ruth"], topic="W" * 200)
    before = len(dana.chat)
    answer = await dana.taps(story.in_channel()[-1], "Can't", channel=CHANNEL)
    assert answer.told.startswith("Saved: you can't come")
    assert "…" in answer.told
    assert len(dana.chat) == before


async def test_reminders_come_a_day_and_an_hour_before(story: Story, cohort: dict[str, Someone]) -> None:
    await plan(cohort["ruth"])

    await story.go_to(THURSDAY - timedelta(hours=24, minutes=1))
    assert len(story.in_channel()) == 2
    await story.go_to(THURSDAY - timedelta(hours=24))
    assert shown(story.in_channel()[2]).startswith("Reminder: Small groups")
    await story.go_to(THURSDAY - timedelta(minutes=60))
    assert len(story.in_channel()) == 4

    # An answer on the reminder shows on every card of the meeting.
    await cohort["sam"].taps(story.in_channel()[3], "Coming", channel=CHANNEL)
    assert ["Coming (1): Sam Whitfield" in shown(message) for message in story.in_channel()[1:]] == [True, True, True]


async def test_moving_takes_the_reminders_along(story: Story, cohort: dict[str, Someone]) -> None:
    ruth = cohort["ruth"]
    await plan(ruth, repeat="weekly", until="2026-09-24")
    announcement = story.in_channel()[-1]
    listed = await ruth.says("meetings")
    opened = await ruth.taps(listed.messages[0], "Move")  # the last of the three with that label
    assert opened.dialog.title == "Move the meeting"
    first = scheduled(story)[0]
    opened = await ruth.acts(ruth.client.opens_dialog({"plc": {"act": f"meetings.move|{first.id}"}}))
    past = await ruth.sends(opened.dialog, day="2026-09-01")
    assert "That time is in the past" in past.dialog.text

    moved = await ruth.sends(past.dialog, day="2026-09-11", at="10:00", reach="rest")

    assert "Moved 3 meetings" in moved.text
    assert [(meeting.local_start.day, meeting.local_start.hour) for meeting in scheduled(story)] == [
        (11, 10),
        (18, 10),
        (25, 10),
    ]
    assert shown(story.in_channel()[-1]).startswith("Moved: Small groups")
    assert "2026-09-11T15:00:00Z" in shown(announcement)
    await story.go_to(THURSDAY - timedelta(minutes=60))
    reminders = [message for message in story.in_channel() if shown(message).startswith("Reminder")]
    assert len(reminders) == 1  # the one a day before the new time; none for the old one
    assert "2026-09-11T15:00:00Z" in shown(reminders[0])


async def test_cancelling_is_told_and_undone(story: Story, cohort: dict[str, Someone]) -> None:
    ruth, dana = cohort["ruth"], cohort["dana"]
    await plan(ruth)
    announcement = story.in_channel()[-1]
    await dana.taps(announcement, "Coming", channel=CHANNEL)
    opened = await ruth.taps((await ruth.says("meetings")).messages[0], "Cancel")
    assert "A cancelled meeting doesn't count as an absence." in opened.dialog.text

    done = await ruth.sends(opened.dialog, reason="weather")

    assert "Cancelled 1 meeting" in done.text
    told = story.in_channel()[-1]
    assert shown(told).startswith("Cancelled: Small groups")
    assert "weather" in shown(told)
    assert shown(announcement).startswith("Cancelled: Small groups")
    assert "Coming" not in actions_of(announcement.card)
    assert "No meetings scheduled" in (await dana.says("next")).text
    late = await dana.acts(dana.client.presses({"plc": {"act": f"meetings.rsvp|{_any(story).id}|yes"}}, channel=True))
    assert "This meeting was cancelled." in late.text

    back = await ruth.taps(done.messages[0], "Undo")
    assert "1 meeting is back on the schedule" in back.text
    assert shown(told).startswith("Back on")
    assert "Coming (1): Dana Reyes" in shown(announcement)
    await story.go_to(THURSDAY - timedelta(minutes=60))
    assert len([message for message in story.in_channel() if shown(message).startswith("Reminder")]) == 2


async def test_a_snow_day_by_one_tap(story: Story, cohort: dict[str, Someone]) -> None:
    ruth = cohort["ruth"]
    await plan(ruth)
    listed = await ruth.says("meetings")

    done = await ruth.taps(listed.messages[0], "Yes: Snow day")

    assert "is a snow day. I cancelled the meeting" in done.text
    assert shown(story.in_channel()[-1]).startswith("Cancelled: Small groups")
    assert not scheduled(story)


async def test_a_mentee_schedules_nothing(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    assert "is only for coordinators and mentors" in (await dana.says("meeting new")).text
    forged = await dana.acts(dana.client.opens_dialog({"plc": {"act": f"meetings.new|{_ozarks(story)}"}}))
    assert "Only the cohort's mentors and coordinators" in forged.text
    assert forged.closed


async def test_typed_text_stays_text(story: Story, cohort: dict[str, Someone]) -> None:
    await plan(cohort["ruth"], topic=HOSTILE[:200], place=HOSTILE)

    card = story.in_channel()[-1]
    assert card.card["body"][0]["type"] == "TextBlock"
    assert "\\<script\\>" in shown(card)
    assert "<at>" not in shown(card)
    assert not card.card["msteams"].get("entities")


def _any(story: Story) -> Meeting:
    return story.read(lambda tx: meetings.get(tx, tx.execute(select(meeting.c.id)).scalar_one()))


def _ozarks(story: Story) -> UUID:
    cohort = story.read(lambda tx: cohorts.by_name(tx, "Ozarks"))
    assert cohort is not None
    return cohort.id
