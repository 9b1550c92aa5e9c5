"""Make-ups: what a mentee did in place of a missed meeting, approved with one tap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import MENTEES, Call, Refused
from handlers.core.cards import Card, Note, say
from handlers.core.forms import ChoiceField, Fields, Form, FormErrors, Option
from handlers.core.paging import hint
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.activities import noon_of, policy_of_asker, type_field, when_errors, when_fields
from handlers.record.deciding import ask, withdraw_button
from program.core.times import say_day
from program.core.words import shortened
from program.record.policy import Activity, MakeUpRules
from storage.meetings import meetings
from storage.record import ledger, standings
from storage.record.ledger import Line

MOST_MISSED = 50


@action("activities.makeup")
class OpenMakeup(Action):
    """Open the form that makes up a missed meeting."""


@action("activities.makeup.asked")
class AskMakeup(Action):
    """Ask for a make-up."""


@dataclass(frozen=True, slots=True)
class Makeup:
    """What a mentee did in place of a missed meeting, on which day, for how many minutes."""

    meeting: UUID
    type: str
    day: date
    minutes: int


@router.command("makeup", "Make up a missed meeting", who=MENTEES, help={"mentee": 12})
def makeup_command(call: Call) -> Reply:
    """Open the form."""
    return Reply(form=_makeup_form(call))


@router.press(OpenMakeup)
def makeup_form(call: Call, _pressed: OpenMakeup) -> Reply:
    """Open the form."""
    return Reply(form=_makeup_form(call))


def _makeup_form(call: Call) -> Form:
    rules, kinds = _rules(call)
    missed = _missed(call)
    if not missed:
        raise Refused("You have no missed meetings to make up.")
    return Form(
        "Make up a meeting",
        AskMakeup(),
        opener=OpenMakeup(),
        submit="Send request",
        blocks=(Note((f"It counts after your {rules.approver} approves it.",)),),
        fields=_fields(call, kinds, missed[:MOST_MISSED], hint(len(missed), MOST_MISSED, "newest")).shown,
    )


def _rules(call: Call) -> tuple[MakeUpRules, list[Activity]]:
    """What the asker's policy says of make-ups, and the activities that are some.

    Raises:
        Refused: it allows none, or the asker is not enrolled.
    """
    policy = policy_of_asker(call)
    if policy.makeups is None:
        raise Refused("Your program doesn't allow make-ups.")
    return policy.makeups, [activity for activity in policy.activities if activity.type in policy.makeups.activities]


def _fields(call: Call, kinds: list[Activity], missed: list[Option], cut: str = "") -> Fields[Makeup]:
    return Fields(
        Makeup,
        ChoiceField("meeting", "The missed meeting", tuple(missed), hint=cut, needed="Choose the meeting."),
        type_field("What you did instead", kinds),
        *when_fields(call),
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


@router.submit(AskMakeup)
def makeup_asked(call: Call, _sent: AskMakeup) -> Reply:
    """Record the request, and put it to those who approve it."""
    rules, kinds = _rules(call)
    sent = _fields(call, kinds, _missed(call)).read(call.values)
    kind = next(activity for activity in kinds if activity.type == sent.type)
    if errors := when_errors(call, kind, sent.day, sent.minutes):
        raise FormErrors(errors)
    line = Line(
        "makeup",
        "asked",
        noon_of(call, sent.day),
        call.my_id,
        "self",
        meeting_id=sent.meeting,
        minutes=sent.minutes,
        code=kind.type,
    )
    line_id = ledger.add(call.work, call.my_id, line)
    ask(call.work, call.my_id, line_id, rules.approver)
    told = f"Request sent to your {rules.approver}. I'll tell you the decision."
    return Reply(card=Card("", (say(told), withdraw_button(line_id, "make-up"))))
