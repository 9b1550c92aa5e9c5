"""A meeting's cards: its announcement and reminder, who comes, and the buttons that answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from handlers.core.cards import (
    Block,
    Bullets,
    Button,
    Buttons,
    Card,
    Facts,
    Link,
    Note,
    Text,
    When,
    buttons,
    say,
)
from handlers.core.router import router
from handlers.meetings.meetings_actions import AnswerInvitation
from handlers.meetings.planning import tell_cohort
from handlers.people.recipients import in_meetings_cohort, only_for
from program.core.words import listed
from storage.core.work import Work
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts

LENGTHS = (5, 720)  # minutes


def when(meeting: Meeting) -> When:
    """The start of a meeting, shown in each reader's zone."""
    return When(meeting.starts_at, meeting.zone)


def _place(meeting: Meeting) -> Text:
    place = meeting.place
    if place.startswith(("https://", "http://")) and " " not in place:
        return (Link("Join", place),)
    return (place,) if place else ()


def facts(meeting: Meeting, cohort: str = "") -> Facts:
    """When, how long and where. ``cohort``: its name, for a reader who follows several."""
    place = _place(meeting)
    rows: list[tuple[str, Text]] = [("Cohort", (cohort,))] if cohort else []
    rows += [("When", (when(meeting),)), ("Length", (f"{meeting.minutes} minutes",))]
    if place:
        rows.append(("Where", place))
    return Facts(tuple(rows))


def cohort_for(work: Work, item: Delivery, meeting: Meeting) -> str:
    """The cohort's name, where a direct message goes to a member of several cohorts; empty elsewhere."""
    own = cohorts.shared_cohorts(work.tx, item.person_id) if item.person_id else []
    return next((cohort.name for cohort in own if cohort.id == meeting.cohort_id), "") if len(own) > 1 else ""


def rsvp_buttons(meeting: Meeting, shown: Literal["own"] | None = None) -> Buttons:
    """Coming or not. ``shown``: see :class:`AnswerInvitation`."""
    return buttons(
        Button("Coming", AnswerInvitation(meeting.id, True, shown), style="primary"),
        Button("Can't", AnswerInvitation(meeting.id, False, shown)),
    )


def who_comes(work: Work, meeting: Meeting) -> tuple[Block, ...]:
    """The names of those who come and of those who can't."""
    answers = meetings.answers(work.tx, meeting.id)
    lines: list[Block] = []
    if answers.coming:
        lines.append(Note((f"Coming ({len(answers.coming)}): {listed(answers.coming)}",)))
    if answers.not_coming:
        lines.append(Note((f"Can't ({len(answers.not_coming)}): {listed(answers.not_coming)}",)))
    return tuple(lines)


@router.delivery(kinds.MEETING_ANNOUNCEMENT)
@only_for(in_meetings_cohort)
def announcement(work: Work, item: Delivery) -> Card | None:
    """A new series in the channel: its dates, and coming or not to the first."""
    first = meetings.find(work.tx, UUID(item.subject))
    if first is None:
        return None
    rest = meetings.of_series(work.tx, first.series_id)
    if first.cancelled_at is not None:
        return Card(f"Cancelled: {first.topic}", (say("It was scheduled for ", when(first), "."), *later_ones(rest)))
    blocks: list[Block] = [facts(first, cohort_for(work, item, first))]
    if first.ends_at > work.now:
        blocks += [rsvp_buttons(first), *who_comes(work, first)]
    blocks += later_ones([meeting for meeting in rest if meeting.id != first.id])
    return Card(f"PLC meeting: {first.topic}", tuple(blocks))


def later_ones(rest: Sequence[Meeting]) -> list[Block]:
    """The dates of meetings that follow, the first twelve of them."""
    if not rest:
        return []
    shown: list[Text] = [(When(meeting.starts_at, meeting.zone),) for meeting in rest[:12]]
    if len(rest) > 12:
        shown.append((f"and {len(rest) - 12} more",))
    return [say("Later meetings:"), Bullets(tuple(shown))]


@router.delivery(kinds.MEETING_REMINDER)
@only_for(in_meetings_cohort)
def reminder(work: Work, item: Delivery) -> Card | None:
    """A meeting before it begins; a sent reminder says later if it was cancelled."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if meeting.cancelled_at is not None:
        return Card(f"Cancelled: {meeting.topic}", (say("It was scheduled for ", when(meeting), "."),))
    if item.verb == "post" and meeting.starts_at <= work.now:
        return None
    blocks: tuple[Block, ...] = (facts(meeting, cohort_for(work, item, meeting)),)
    if meeting.ends_at > work.now:
        blocks += (rsvp_buttons(meeting), *who_comes(work, meeting))
    return Card(f"Reminder: {meeting.topic}", blocks)


@router.moment(
    moments.MEETING_REMINDER,
    "the reminder of a meeting",
    late="goes out late until the meeting begins; after that it is skipped",
)
def remind(work: Work, moment: Moment) -> str | None:
    """Late is better than never until the meeting begins; after that it is recorded as missed."""
    meeting = meetings.find(work.tx, UUID(moment.subject))
    if meeting is None or meeting.cancelled_at is not None or meeting.version != moment.version:
        return "cancelled"
    if meeting.starts_at <= work.now:
        return "missed"
    tag = f"{moment.version}:{moment.due_at.isoformat()}"
    tell_cohort(work, cohorts.get(work.tx, meeting.cohort_id), kinds.MEETING_REMINDER, meeting.id, tag)
    return None


def refresh_meeting(work: Work, meeting: Meeting) -> None:
    """Bring the messages about a meeting up to date."""
    deliveries.refresh(
        work, meeting.id, kinds.MEETING_ANNOUNCEMENT, kinds.MEETING_MOVED, kinds.MEETING_REMINDER, kinds.ATTENDANCE_HERE
    )
