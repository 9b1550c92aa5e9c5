"""Session summaries: written by form, previewed, posted to the channel, edited or withdrawn."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import LEADS, Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Button, Card, Cmd, Note, When, buttons, say
from handlers.core.forms import Form, ManyField, TextField, options_of
from handlers.core.requests import Reply
from handlers.core.router import router
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


@router.command(
    "summary",
    "Write the summary of the last meeting",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 4},
    teams={"personal": 7, "team": 6},
)
def summary_command(call: Call) -> Reply:
    last = meetings.last_meetings(call.work.tx, call.cohort.id, call.work.now, 1)
    if not last:
        raise Refused("No meeting has started yet, so there is nothing to summarize.")
    return Reply(form=_form(call, last[0], None))


@router.press("summaries.open")
def open_form(call: Call) -> Reply:
    meeting = _led(call)
    values = call.draft("summary")
    return Reply(form=_form(call, meeting, values))


def _led(call: Call) -> Meeting:
    meeting = meetings.find(call.work.tx, call.id_at(0))
    if meeting is None or not call.leads(meeting.cohort_id):
        raise Refused("Only the cohort's mentors and coordinators can write summaries.")
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled, so there is nothing to summarize.")
    return meeting


def _form(call: Call, meeting: Meeting, values: dict[str, object] | None) -> Form:
    before = summaries.newest(call.work.tx, meeting.id)
    topics: tuple[str, ...] = tuple(before.topics) if before else ()
    did, following = (before.did, before.next_steps) if before else ("", "")
    if values is not None:
        chosen = values.get("topics")
        topics = tuple(chosen) if isinstance(chosen, list) else ()
        did, following = str(values["did"]), str(values["next"])
    options = options_of(TOPICS)
    return Form(
        "Session summary",
        untyped("summaries.preview", meeting.id),
        opener=untyped("summaries.open", meeting.id),
        submit="Preview",
        blocks=(say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), "."), Note((PRIVATE,))),
        fields=(
            ManyField("topics", "Topics", options, topics),
            TextField("did", "What we did", did, multiline=True, max_length=MOST),
            TextField("next", "Next steps", following, multiline=True, optional=True, max_length=MOST),
        ),
    )


@router.submit("summaries.preview")
def preview(call: Call) -> Reply:
    meeting = _led(call)
    read = FieldReader(call.values)
    did = read.text("did", needed="Enter one or two sentences.", most=MOST)
    following = read.text("next", most=MOST)
    topics = [code for code in read.many("topics") if code in TOPICS]
    read.check()
    values = {"topics": topics, "did": did, "next": following}
    draft = drafts.keep(call.work, call.my_id, "summary", values)
    return Reply(
        form=Form(
            "Post this summary?",
            untyped("summaries.post", meeting.id, draft),
            opener=untyped("summaries.open", meeting.id, draft),
            submit="Post to the cohort",
            blocks=(Note((PRIVATE,)), *_body(topics, did, following)),
            back=untyped("summaries.open", meeting.id, draft),
        )
    )


def _body(topics: list[str], did: str, following: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if topics:
        blocks.append(say(Bold("Topics: "), listed([TOPICS[code] for code in topics if code in TOPICS], 30)))
    blocks += [say(Bold("What we did")), say(did)]
    if following:
        blocks += [say(Bold("Next steps")), say(following)]
    return tuple(blocks)


@router.submit("summaries.post")
def post(call: Call) -> Reply:
    meeting = _led(call)
    draft = call.id_at(1)
    values = call.draft("summary")
    if values is None:
        raise Refused("You sent this form already, or it is too old. Send ", Cmd("summary"), " to see the summary.")
    before = summaries.newest(call.work.tx, meeting.id)
    summaries.add(call.work, meeting.id, call.my_id, values["topics"], values["did"], values["next"])
    drafts.drop(call.work, draft)
    due.cancel(call.work, meeting.id, (moments.SUMMARY_CHASE,))
    cohort = cohorts.get(call.work.tx, meeting.cohort_id)
    if before is None:
        tell_cohort(call.work, cohort, kinds.SUMMARY, meeting.id)
    deliveries.refresh(call.work, meeting.id, kinds.SUMMARY, kinds.ATTENDANCE_ROSTER)
    where = "Posted in the cohort's channel." if cohort.home_id else "Sent to each member of the cohort."
    said = where if before is None else "I changed the posted summary."
    items = buttons(
        Button("Edit", untyped("summaries.open", meeting.id), opens_form=True),
        Button("Remove", untyped("summaries.withdraw", meeting.id), confirm="Remove the posted summary?"),
    )
    return Reply(card=Card("", (say(said), items)))


@router.press("summaries.withdraw")
def withdraw(call: Call) -> Reply:
    meeting = _led(call)
    if not summaries.withdraw(call.work, meeting.id, call.my_id):
        raise Refused("There is no posted summary to remove.")
    deliveries.refresh(call.work, meeting.id, kinds.SUMMARY, kinds.ATTENDANCE_ROSTER)
    home = cohorts.get(call.work.tx, meeting.cohort_id).home_id
    told = "Removed from the channel." if home else "Removed. The messages that held it say so now."
    again = Button("Write it again", untyped("summaries.open", meeting.id), opens_form=True)
    return Reply(replace=Card("", (say(told), buttons(again))))


@router.delivery(kinds.SUMMARY)
@only_for(in_meetings_cohort)
def summary_card(work: Work, item: Delivery) -> Card | None:
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
    return Card(f"Summary of {meeting.topic}", (*_body(list(summary.topics), summary.did, summary.next_steps), by))


@router.moment(
    moments.SUMMARY_CHASE,
    "the mentor is reminded of the summary",
    late="goes out late until the summary is posted",
)
def chase(work: Work, moment: Moment) -> str | None:
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
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None or meeting.cancelled_at is not None or summaries.newest(work.tx, meeting.id):
        return None
    write = Button("Write it", untyped("summaries.open", meeting.id), style="primary", opens_form=True)
    text = say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), ". Two sentences are enough.")
    return Card("Please write a summary", (text, buttons(write)))
