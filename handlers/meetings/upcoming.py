"""The meetings to come: an answer to an invitation, the next one, and the list with what may be done about each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from handlers.core.calls import EVERYONE, LEADS, Call, Refused
from handlers.core.cards import Block, Bold, Button, Buttons, Card, Cmd, Facts, Note, Text, When, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.meetings import LENGTHS, facts, refresh_meeting, rsvp_buttons, when
from handlers.meetings.meetings_actions import (
    AnswerInvitation,
    CallSnowDay,
    OpenCancellation,
    OpenMove,
    OpenScheduling,
)
from program.core.words import shortened
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts

TOPIC_SHOWN = 100  # characters of a topic in an answer that is shown beside the pressed card


@router.press(AnswerInvitation)
def answer(call: Call, pressed: AnswerInvitation) -> Reply:
    """Save whether the asker comes, as long as the meeting isn't over."""
    meeting = meetings.find(call.work.tx, pressed.meeting_id)
    if meeting is None or not call.is_member(meeting.cohort_id):
        raise Refused("You're not in this cohort, so I didn't save your answer. To visit, ask its mentor.")
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled.")
    if meeting.ends_at <= call.work.now:
        raise Refused("This meeting is over.")
    meetings.answer(call.work, meeting.id, call.my_id, pressed.coming)
    refresh_meeting(call.work, meeting)
    if pressed.shown == "own":
        return Reply(replace=_own_card(call, meeting))
    words = "You're coming" if pressed.coming else "Saved: you can't come"
    topic = Bold(shortened(meeting.topic, TOPIC_SHOWN))
    return notice(f"{words} to ", topic, ", ", when(meeting), ". You can change your answer until it starts.")


@router.command(
    "next",
    "See the next meeting",
    cohort=frozenset(EVERYONE),
    cohort_optional=True,
    reads=True,
    help={"mentee": 1},
    teams={"personal": 1, "team": 1},
)
def next_command(call: Call) -> Reply:
    """In a cohort's channel the cohort's; elsewhere that of whatever the asker follows."""
    in_its_channel = call.place is not None and call.place.cohort_id == call.cohort_id
    own = [call.cohort_id] if call.cohort_id and in_its_channel else cohorts_followed(call)
    return Reply(card=next_card(call, own))


def cohorts_followed(call: Call) -> list[UUID]:
    """The cohorts of a member; every cohort for a coordinator whose own have no meeting to come."""
    own = [membership.cohort_id for membership in call.me.memberships]
    if not call.me.coordinator or (own and meetings.next_meeting(call.work.tx, own, call.work.now)):
        return own
    return [cohort.id for cohort in cohorts.all_cohorts(call.work.tx)]


def next_card(call: Call, cohort_ids: Sequence[UUID]) -> Card:
    """The next meeting of these cohorts; for a member with their own answer."""
    if not cohort_ids and not call.me.coordinator:
        return Card("You're not in a cohort now", (say(ask_coordinator(call.work.tx, "add you to one")),))
    meeting = meetings.next_meeting(call.work.tx, cohort_ids, call.work.now)
    if meeting is None:
        lead = call.me.coordinator or any(membership.role == "mentor" for membership in call.me.memberships)
        send: Text = ("Send ", Cmd("meeting new"), " to schedule one.")
        what: Text = send if lead else ("I'll tell you when your mentor schedules one.",)
        return Card("No meetings scheduled", (say(*what),))
    if not call.is_member(meeting.cohort_id):
        return Card(f"Next: {meeting.topic}", (_own_facts(call, meeting),))
    return _own_card(call, meeting)


def _own_facts(call: Call, meeting: Meeting) -> Facts:
    several = call.me.coordinator or len(call.me.memberships) > 1
    return facts(meeting, cohorts.get(call.work.tx, meeting.cohort_id).name if several else "")


def _own_card(call: Call, meeting: Meeting) -> Card:
    """The meeting with the asker's own answer; answering it changes this very card."""
    mine = meetings.coming(call.work.tx, meeting.id, call.my_id)
    state = {
        None: "You haven't answered yet.",
        True: "You said you're coming.",
        False: "You said you can't come.",
    }
    return Card(
        f"Next: {meeting.topic}", (_own_facts(call, meeting), Note((state[mine],)), rsvp_buttons(meeting, "own"))
    )


@router.command(
    "meetings",
    "See the next meetings",
    cohort=frozenset(EVERYONE),
    by_role=dict.fromkeys(LEADS, "See, move or cancel the next meetings"),
    help={"mentee": 9, "mentor": 2, "coordinator": 9},
    teams={"personal": 5, "team": 3},
)
def meetings_command(call: Call) -> Reply:
    """The next five meetings, with what may be done about each."""
    cohort = call.cohort
    now = call.work.now
    begun = now - timedelta(minutes=LENGTHS[1])  # the longest meeting that may still be going on
    coming = meetings.between(call.work.tx, begun, now + timedelta(days=1000), [cohort.id])
    rest = [meeting for meeting in coming if meeting.ends_at > now]
    leads = call.leads(cohort.id)
    blocks: list[Block] = []
    for meeting in rest[:5]:
        blocks.append(say(Bold(meeting.topic), ", ", when(meeting)))
        if leads:
            blocks.append(_change_buttons(meeting))
    if len(rest) > 5:
        last = When(rest[-1].starts_at, rest[-1].zone, "date")
        blocks.append(Note((f"and {len(rest) - 5} more, the last on ", last)))
    if not rest:
        blocks.append(say("No meetings scheduled."))
    if leads:
        blocks.append(buttons(Button("Schedule", OpenScheduling(cohort.id), style="primary", opens_form=True)))
    return Reply(card=Card(f"Meetings of {cohort.name}", tuple(blocks)))


def _change_buttons(meeting: Meeting) -> Buttons:
    question = "Cancel the meeting on this day and add a break for the cohort?"
    return buttons(
        Button("Move", OpenMove(meeting.id), opens_form=True),
        Button("Cancel", OpenCancellation(meeting.id), opens_form=True),
        Button("Snow day", CallSnowDay(meeting.id), confirm=question),
    )
