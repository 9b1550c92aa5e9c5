"""A coordinator gives a mentee a leave of absence that the mentee did not ask for."""

from __future__ import annotations

from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import Fields, Form
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.enrolled import mentee_of
from handlers.record.leave_decisions import refuse_double, request_first
from handlers.record.leave_requests import LeaveDays, leave_fields, leave_line
from handlers.record.record_actions import OpenLeaveGrant, UndoEntry
from program.core.times import say_day
from program.record.policy import Policy
from storage.record import enrolments, ledger


@action("records.leave.add")
class GrantLeave(Action):
    """Give a mentee a leave of these days."""

    person_id: UUID


def _fields(policy: Policy) -> Fields[LeaveDays]:
    return leave_fields(policy.leave.reasons if policy.leave else {}, last_day="Last day, if known")


@router.press(OpenLeaveGrant)
def grant_form(call: Call, pressed: OpenLeaveGrant) -> Reply:
    """Open the form that gives a mentee a leave."""
    person, enrolment = mentee_of(call, pressed.person_id)
    if enrolment.policy.leave is None:
        raise Refused("The policy has no rules for leave.")
    from_today = LeaveDays(enrolments.today_of(call.work, person.id), None, "")
    return Reply(
        form=Form(
            "Leave of absence",
            GrantLeave(person.id),
            opener=pressed,
            blocks=(say(Bold(person.name), "."),),
            fields=_fields(enrolment.policy).filled(from_today),
        )
    )


@router.submit(GrantLeave)
def grant(call: Call, sent: GrantLeave) -> Reply:
    """Record the leave and tell the mentee; a request that waits for the same days is decided first."""
    person, enrolment = mentee_of(call, sent.person_id)
    days = _fields(enrolment.policy).read(call.values)
    refuse_double(call.work, person.id, days.starts, days.ends)
    if question := request_first(call.work, person.id, days.starts, days.ends):
        return Reply(card=question)
    line = leave_line("granted", days.starts, days.ends, days.reason, call.my_id, "coordinator")
    line_id = ledger.add(call.work, person.id, line)
    refresh_schedule(call.work, [person.id])
    tell(call.work, line_id, person.id)
    told = say(f"Saved. {person.name} is on leave from {say_day(days.starts)}. I'll tell them.")
    return Reply(card=Card("", (told, buttons(Button("Undo", UndoEntry(person.id, line_id))))))
