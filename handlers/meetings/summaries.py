"""Session summaries: written by form, previewed, posted to the channel, edited or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call, Refused, old_form
from handlers.core.cards import Block, Bold, Button, Card, Note, When, buttons, say
from handlers.core.forms import Fields, Form, ManyField, TextField, options_of
from handlers.core.leading import led_meeting
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.meetings_actions import OpenSummary
from handlers.meetings.planning import tell_cohort
from handlers.people.recipients import in_meetings_cohort, leads_meeting, only_for
from program.core.words import listed
from program.meetings.topics import TOPICS
from storage.core import drafts
from storage.core.work import Work
from storage.meetings import meetings, summaries
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts

PRIVATE = "Please leave out student names and private matters. The whole cohort will read this."
MOST = 2500  # characters of one part, so that both fit one message
DRAFT = "summary"  # the kind of draft


@action("summaries.preview")
class PreviewSummary(Action):
    """See the summary before it is posted."""

    meeting_id: UUID


@action("summaries.post")
class PostSummary(Action):
    """Post the summary of the draft, or change the posted one to it."""

    meeting_id: UUID
    draft_id: UUID


@action("summaries.withdraw")
class WithdrawSummary(Action):
    """Remove the posted summary."""

    meeting_id: UUID


@dataclass(frozen=True, slots=True)
class SummaryText:
    """What a mentor writes of a meeting. ``topics``: codes."""

    topics: tuple[str, ...]
    did: str
    next: str

    @classmethod
    def of_draft(cls, values: Mapping[str, Any]) -> SummaryText:
        """The summary that a draft holds."""
        return cls(tuple(values["topics"]), values["did"], values["next"])


SUMMARY = Fields(
    SummaryText,
    ManyField("topics", "Topics", options_of(TOPICS)),
    TextField("did", "What we did", multiline=True, max_length=MOST, needed="Enter one or two sentences."),
    TextField("next", "Next steps", multiline=True, optional=True, max_length=MOST),
)


@router.command(
    "summary",
    "Write the summary of the last meeting",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 4},
    teams={"personal": 7, "team": 6},
)
def summary_command(call: Call) -> Reply:
    """Open the form for the summary of the cohort's last meeting."""
    last = meetings.last_meetings(call.work.tx, call.cohort.id, call.work.now, 1)
    if not last:
        raise Refused("No meeting has started yet, so there is nothing to summarize.")
    return Reply(form=_form(last[0], _posted(call, last[0])))


@router.press(OpenSummary)
def open_summary(call: Call, pressed: OpenSummary) -> Reply:
    """Open the form for a meeting's summary, with what was put into it before."""
    meeting = _summarized(call, pressed.meeting_id)
    values = call.draft(pressed.draft_id, DRAFT)
    return Reply(form=_form(meeting, SummaryText.of_draft(values) if values else _posted(call, meeting)))


def _summarized(call: Call, meeting_id: UUID) -> Meeting:
    """The meeting, whose summary the asker may write.

    Raises:
        Refused: others lead its cohort, or it was cancelled.
    """
    meeting = led_meeting(call, meeting_id, "write summaries")
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled, so there is nothing to summarize.")
    return meeting


def _posted(call: Call, meeting: Meeting) -> SummaryText:
    """What the newest summary says; empty where there is none."""
    newest = summaries.newest(call.work.tx, meeting.id)
    return SummaryText(tuple(newest.topics), newest.did, newest.next_steps) if newest else SummaryText((), "", "")


def _form(meeting: Meeting, text: SummaryText) -> Form:
    return Form(
        "Session summary",
        PreviewSummary(meeting.id),
        opener=OpenSummary(meeting.id),
        submit="Preview",
        blocks=(say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), "."), Note((PRIVATE,))),
        fields=SUMMARY.filled(text),
    )


@router.submit(PreviewSummary, keeps_words=True)
def preview(call: Call, sent: PreviewSummary) -> Reply:
    """Show the summary as the cohort will read it."""
    meeting = _summarized(call, sent.meeting_id)
    text = SUMMARY.read(call.values)
    draft = drafts.keep(call.work, call.my_id, DRAFT, asdict(text))
    back = OpenSummary(meeting.id, draft)
    return Reply(
        form=Form(
            "Post this summary?",
            PostSummary(meeting.id, draft),
            opener=back,
            submit="Post to the cohort",
            blocks=(Note((PRIVATE,)), *_body(text.topics, text.did, text.next)),
            back=back,
        )
    )


def _body(topics: Sequence[str], did: str, following: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if topics:
        blocks.append(say(Bold("Topics: "), listed([TOPICS[code] for code in topics if code in TOPICS], 30)))
    blocks += [say(Bold("What we did")), say(did)]
    if following:
        blocks += [say(Bold("Next steps")), say(following)]
    return tuple(blocks)


@router.submit(PostSummary)
def post(call: Call, sent: PostSummary) -> Reply:
    """Post the summary of the draft, or change the posted one to it."""
    meeting = _summarized(call, sent.meeting_id)
    values = call.draft(sent.draft_id, DRAFT)
    if values is None:
        raise old_form("summary", "the summary")
    before = summaries.newest(call.work.tx, meeting.id)
    summaries.add(call.work, meeting.id, call.my_id, values["topics"], values["did"], values["next"])
    drafts.drop(call.work, sent.draft_id)
    due.cancel(call.work, meeting.id, (moments.SUMMARY_CHASE,))
    cohort = cohorts.get(call.work.tx, meeting.cohort_id)
    if before is None:
        tell_cohort(call.work, cohort, kinds.SUMMARY, meeting.id)
    deliveries.refresh(call.work, meeting.id, kinds.SUMMARY, kinds.ATTENDANCE_ROSTER)
    where = "Posted in the cohort's channel." if cohort.home_id else "Sent to each member of the cohort."
    said = where if before is None else "I changed the posted summary."
    items = buttons(
        Button("Edit", OpenSummary(meeting.id), opens_form=True),
        Button("Remove", WithdrawSummary(meeting.id), confirm="Remove the posted summary?"),
    )
    return Reply(card=Card("", (say(said), items)))


@router.press(WithdrawSummary)
def withdraw(call: Call, pressed: WithdrawSummary) -> Reply:
    """Remove the posted summary."""
    meeting = _summarized(call, pressed.meeting_id)
    if not summaries.withdraw(call.work, meeting.id, call.my_id):
        raise Refused("There is no posted summary to remove.")
    deliveries.refresh(call.work, meeting.id, kinds.SUMMARY, kinds.ATTENDANCE_ROSTER)
    home = cohorts.get(call.work.tx, meeting.cohort_id).home_id
    told = "Removed from the channel." if home else "Removed. The messages that held it say so now."
    again = Button("Write it again", OpenSummary(meeting.id), opens_form=True)
    return Reply(replace=Card("", (say(told), buttons(again))))


@router.delivery(kinds.SUMMARY)
@only_for(in_meetings_cohort)
def summary_card(work: Work, item: Delivery) -> Card | None:
    """The newest version of a summary; a sent one says later if it was removed."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    summary = summaries.newest(work.tx, meeting.id) if meeting else None
    if meeting is None or summary is None:
        return None
    if summary.withdrawn_at is not None:
        return (
            Card(f"Summary of {meeting.topic}", (say("This summary was removed."),)) if item.verb == "update" else None
        )
    edited = ", edited" if summary.version > 1 else ""
    by = Note((f"{summary.author}{edited}, meeting of ", When(meeting.starts_at, meeting.zone, "date")))
    return Card(f"Summary of {meeting.topic}", (*_body(summary.topics, summary.did, summary.next_steps), by))


@router.moment(
    moments.SUMMARY_CHASE,
    "the mentor is reminded of the summary",
    late="goes out late until the summary is posted",
)
def chase(work: Work, moment: Moment) -> str | None:
    """Remind each mentor of the cohort, unless the summary is posted."""
    meeting = meetings.find(work.tx, UUID(moment.subject))
    if meeting is None or meeting.cancelled_at is not None or meeting.version != moment.version:
        return "cancelled"
    if summaries.newest(work.tx, meeting.id) is None:
        for mentor in cohorts.members(work.tx, meeting.cohort_id, "mentor"):
            deliveries.to_person(work, kinds.SUMMARY_CHASE, mentor.id, meeting.id, moment.version)
    return None


@router.delivery(kinds.SUMMARY_CHASE)
@only_for(leads_meeting)
def chase_card(work: Work, item: Delivery) -> Card | None:
    """Asks a mentor for the summary, with the button that opens its form."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None or meeting.cancelled_at is not None or summaries.newest(work.tx, meeting.id):
        return None
    write = Button("Write it", OpenSummary(meeting.id), style="primary", opens_form=True)
    text = say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), ". Two sentences are enough.")
    return Card("Please write a summary", (text, buttons(write)))
