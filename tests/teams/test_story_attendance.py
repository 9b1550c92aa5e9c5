"""Step 4: one tap by the mentee, one tap by the mentor, and corrections that say why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.meetings import attendance, meetings
from storage.meetings.meetings import Meeting
from tests.attendance_lines import attendance_lines
from tests.fakes.teams import CHANNEL, Message, actions_of
from tests.teams.story import Someone, Story, shown
from tests.teams.test_story_meetings import THURSDAY, plan

AFTER = THURSDAY + timedelta(minutes=60)


@pytest.fixture
async def meeting(story: Story, cohort: dict[str, Someone]) -> Meeting:
    """A meeting that starts in ten minutes."""
    await plan(cohort["ruth"])
    await story.go_to(THURSDAY - timedelta(minutes=10))
    meeting: Meeting = story.read(lambda tx: meetings.between(tx, story.clock.now(), AFTER))[0]
    return meeting


def here(story: Story) -> Message:
    return next(message for message in reversed(story.in_channel()) if "I'm here" in actions_of(message.card))


def ledger(story: Story, meeting: Meeting, someone: Someone) -> list[tuple[str, str, int | None, str, str]]:
    lines = story.read(lambda tx: attendance_lines(tx, meeting.id, someone.id))
    return [(line.step, line.status, line.minutes, line.by, line.reason) for line in lines]


async def test_im_here_is_one_tap_and_a_second_changes_nothing(
    story: Story, cohort: dict[str, Someone], meeting: Meeting
) -> None:
    dana = cohort["dana"]
    card = here(story)
    assert "No taps yet." in shown(card)

    answer = await dana.taps(card, "I'm here", channel=CHANNEL)

    assert answer.told.startswith("You're marked as here")
    assert answer.messages == (), "no direct message for a tap"
    assert answer.card is None
    assert "You're marked as here" in answer.text
    assert "Here (1): Dana Reyes" in shown(card)
    assert ledger(story, meeting, dana) == [("tapped", "present", None, "Dana Reyes", "")]
    before = story.everything()
    await dana.repeats()
    assert story.everything() == before
    again = await dana.taps(card, "I'm here", channel=CHANNEL)
    assert "already marked here" in again.text
    assert len(ledger(story, meeting, dana)) == 1


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("jordan", "not in this cohort, so I didn't mark you as here"),
        ("ollie", "I can't match you to the roster yet, so I didn't save anything"),
        ("ruth", "Only mentees need to tap"),
        ("carol", "not in this cohort, so I didn't mark you as here"),
    ],
)
async def test_a_tap_from_outside_records_nothing_and_says_so(
    story: Story, cohort: dict[str, Someone], meeting: Meeting, who: str, said: str
) -> None:
    answer = await cohort[who].taps(here(story), "I'm here", channel=CHANNEL)

    assert answer.messages == ()
    assert said in answer.text
    assert not story.read(lambda tx: attendance.of_meeting(tx, meeting.id))
    assert "No taps yet." in shown(here(story))


async def test_everyone_came_is_one_tap(story: Story, cohort: dict[str, Someone], meeting: Meeting) -> None:
    ruth = cohort["ruth"]
    for name in ("dana", "lee", "sam"):
        await cohort[name].taps(here(story), "I'm here", channel=CHANNEL)
    card = here(story)
    await story.go_to(AFTER)
    roster = ruth.sees("Who came?")
    assert "tapped 3:20 PM" in shown(roster)
    assert cohort["tom"].never_saw("Who came?")

    said = [message for message in story.in_channel() if "Small groups" in shown(message)]
    assert not [message for message in said if "Coming" in actions_of(message.card)]  # that is over

    answer = await ruth.taps(roster, "Everyone came")

    assert answer.card is not None
    assert "Attendance is complete" in answer.text
    assert story.read(lambda tx: meetings.get(tx, meeting.id)).settled_at is not None
    assert "attendance is complete" in shown(card)
    assert "I'm here" not in actions_of(card.card)
    before = story.everything()
    await ruth.repeats()
    assert story.everything() == before
    for name in ("dana", "lee", "sam"):
        assert [line[:2] for line in ledger(story, meeting, cohort[name])] == [
            ("tapped", "present"),
            ("confirmed", "present"),
        ]


async def test_whoever_did_not_tap_is_left_open(story: Story, cohort: dict[str, Someone], meeting: Meeting) -> None:
    ruth = cohort["ruth"]
    await cohort["dana"].taps(here(story), "I'm here", channel=CHANNEL)
    await story.go_to(AFTER)
    roster = ruth.sees("Who came?")
    assert "doesn't mean absent" in shown(roster)

    answer = await ruth.taps(roster, "Confirm the 1 who tapped")

    assert "no tap yet" in answer.text
    assert "Person by person" in actions_of(answer.card or {})
    assert story.read(lambda tx: meetings.get(tx, meeting.id)).settled_at is None
    assert not ledger(story, meeting, cohort["lee"])
    # The mentor is reminded after a day, the coordinator after three.
    await story.pass_time(hours=24)
    assert ruth.sees("Attendance is still open")
    await story.pass_time(hours=48)
    carols = cohort["carol"].sees("Attendance is still not confirmed")
    await cohort["carol"].taps(carols, "The other 2 came")
    assert ledger(story, meeting, cohort["lee"]) == [("confirmed", "present", None, "Carol Dietz", "")]
    assert "Attendance is complete" in shown(ruth.sees("Attendance is complete"))


async def test_person_by_person_with_minutes_a_visitor_and_a_correction(
    story: Story, cohort: dict[str, Someone], meeting: Meeting
) -> None:
    ruth, dana, lee, sam, jordan = (cohort[name] for name in ("ruth", "dana", "lee", "sam", "jordan"))
    await dana.taps(here(story), "I'm here", channel=CHANNEL)
    await story.go_to(AFTER)
    roster = ruth.sees("Who came?")
    opened = await ruth.taps(roster, "Person by person")
    field = {label: name for name, label in opened.dialog.labels().items()}
    assert opened.dialog.fields[field["Dana Reyes"]] == "present"  # prefilled by the tap
    assert opened.dialog.fields[field["Lee Okafor"]] is None  # never assumed

    wrong = await ruth.sends(opened.dialog, **{field["Lee Okafor"]: "partial", "visitor": "Nobody Known"})
    assert "I can't find anyone with that name or email address." in wrong.dialog.text
    assert wrong.dialog.fields[field["Lee Okafor"]] == "partial"
    assert len(ledger(story, meeting, dana)) == 1
    minutes = await ruth.sends(wrong.dialog, **{field["Sam Whitfield"]: "excused", "visitor": "jordan@example.org"})
    assert minutes.dialog.title == "How long?"
    [name] = minutes.dialog.fields
    assert "Lee Okafor, minutes" in minutes.dialog.labels().values()
    done = await ruth.sends(minutes.dialog, **{name: 35})

    assert done.closed
    assert "Saved." in done.text
    assert "Lee Okafor" in shown(roster)
    assert "Partly there, 35 minutes" in shown(roster)
    assert "Jordan Blake (visitor)" in shown(roster)
    assert ledger(story, meeting, lee) == [("confirmed", "partial", 35, "Ruth Ellison", "")]
    assert ledger(story, meeting, jordan) == [("confirmed", "present", None, "Ruth Ellison", "")]
    before = story.everything()
    await ruth.repeats()
    assert story.everything() == before

    # A correction says who, when and why; what was recorded stays.
    opened = await ruth.taps(roster, "Correct")
    field = {label: name for name, label in opened.dialog.labels().items()}
    silent = await ruth.sends(opened.dialog, **{field["Sam Whitfield"]: "present"})
    assert "Choose why you're changing it." in silent.dialog.text
    done = await ruth.sends(silent.dialog, reason="told_later")
    assert "Saved." in done.text
    assert ledger(story, meeting, sam) == [
        ("confirmed", "excused", None, "Ruth Ellison", ""),
        ("corrected", "present", None, "Ruth Ellison", "told_later"),
    ]
    assert "Present (corrected)" in shown(roster)


async def test_nobody_else_confirms(story: Story, cohort: dict[str, Someone], meeting: Meeting) -> None:
    await story.go_to(AFTER)
    for name in ("dana", "tom"):
        forged = await cohort[name].acts(cohort[name].client.presses({"plc": {"act": f"attendance.all|{meeting.id}"}}))
        assert "Only the cohort's mentors and coordinators can confirm attendance" in forged.text
    assert not story.read(lambda tx: attendance.of_meeting(tx, meeting.id))
