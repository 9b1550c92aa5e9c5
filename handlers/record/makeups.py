"""Make-ups: what a mentee did in place of a missed meeting, approved with one tap."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Card, Note, say
from handlers.core.forms import ChoiceField, Form, FormErrors, Option
from handlers.core.paging import hint
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.activities import MENTEES, noon_of, policy_of_asker, read_when, when_fields
from handlers.record.deciding import ask, withdraw_button
from program.core.times import say_day
from program.core.words import shortened
from storage.meetings import meetings
from storage.record import ledger, standings
from storage.record.ledger import Line

MOST_MISSED = 50


@router.command("makeup", "Make up a missed meeting", who=MENTEES, help={"mentee": 12})
def makeup_command(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


@router.press("activities.makeup")
def makeup_form(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


def _makeup_form(call: Call) -> Form:
    policy = policy_of_asker(call)
    if policy.makeups is None:
        raise Refused("Your program doesn't allow make-ups.")
    missed = _missed(call)
    if not missed:
        raise Refused("You have no missed meetings to make up.")
    kinds = [activity for activity in policy.activities if activity.type in policy.makeups.activities]
    return Form(
        "Make up a meeting",
        untyped("activities.makeup.asked"),
        opener=untyped("activities.makeup"),
        submit="Send request",
        blocks=(Note((f"It counts after your {policy.makeups.approver} approves it.",)),),
        fields=(
            ChoiceField(
                "meeting",
                "The missed meeting",
                tuple(missed[:MOST_MISSED]),
                hint=hint(len(missed), MOST_MISSED, "newest"),
            ),
            ChoiceField(
                "type", "What you did instead", tuple(Option(activity.type, activity.name) for activity in kinds)
            ),
            *when_fields(call),
        ),
    )


def _missed(call: Call) -> list[Option]:
    """The meetings that can still be made up, as the standing says, the newest first."""
    own = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    options = []
    for item in (item for mentee in own for item in mentee.standing.to_make_up):
        meeting = meetings.find(call.work.tx, item.id)
        if meeting is not None:  # an imported line has none of its own
            options.append(Option(str(item.id), f"{say_day(item.day)}, {shortened(meeting.topic, 40)} ({item.why})"))
    return options


@router.submit("activities.makeup.asked")
def makeup_asked(call: Call) -> Reply:
    policy = policy_of_asker(call)
    if policy.makeups is None:
        raise Refused("Your program doesn't allow make-ups.")
    read = FieldReader(call.values)
    missed = [option.value for option in _missed(call)]
    meeting_id = read.choice("meeting", missed, needed="Choose the meeting.")
    kind = policy.activity(read.choice("type", policy.makeups.activities, needed="Choose what you did."))
    day, minutes = read_when(call, read, kind)
    if kind is None:
        raise FormErrors({"type": "Choose one of the options."})
    line = Line(
        "makeup",
        "asked",
        noon_of(call, day),
        call.my_id,
        "self",
        meeting_id=UUID(meeting_id),
        minutes=minutes,
        code=kind.type,
    )
    line_id = ledger.add(call.work, call.my_id, line)
    ask(call.work, call.my_id, line_id, policy.makeups.approver)
    told = f"Request sent to your {policy.makeups.approver}. I'll tell you the decision."
    return Reply(card=Card("", (say(told), withdraw_button(line_id, "make-up"))))
