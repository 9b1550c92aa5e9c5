"""A coordinator moves a mentee to another cohort, from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call
from handlers.core.cards import Bold, say
from handlers.core.forms import NOT_AN_OPTION, ChoiceField, DateField, Fields, Form, FormErrors, Option, options_of
from handlers.core.paging import hint
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.handover import hand_over
from handlers.record.changed_notice import tell
from handlers.record.enrolled import mentee_of
from handlers.record.record_actions import OpenTransfer
from handlers.record.settling import kinds_of, settle_corrected
from program.core.times import say_day
from program.record.stated_days import stated_day
from program.record.wording import TRANSFER_REASONS
from storage.people import cohorts
from storage.people.cohorts import Cohort
from storage.record import enrolments, ledger
from storage.record.ledger import Line

MOST_COHORTS = 100  # in a choice


@action("records.transferred")
class TransferMentee(Action):
    """Move a mentee to the chosen cohort."""

    person_id: UUID


@dataclass(frozen=True, slots=True)
class Transfer:
    """To which cohort a mentee moves, from which day on, and why."""

    cohort: UUID
    day: date
    reason: str


def _fields(every: Sequence[Cohort] = (), today: date | None = None) -> Fields[Transfer]:
    """``every``: all cohorts, of which the first are offered."""
    shown = tuple(Option(str(cohort.id), cohort.name) for cohort in every[:MOST_COHORTS])
    cut = hint(len(every), len(shown))
    return Fields(
        Transfer,
        ChoiceField("cohort", "To the cohort", shown, hint=cut, needed="Choose the cohort.", checked=False),
        DateField("day", "From", today, needed="Choose the day."),
        ChoiceField("reason", "Why", options_of(TRANSFER_REASONS), needed="Choose a reason."),
    )


@router.press(OpenTransfer)
def transfer_form(call: Call, pressed: OpenTransfer) -> Reply:
    """Open the form that moves a mentee to another cohort."""
    person, _ = mentee_of(call, pressed.person_id)
    today = enrolments.today_of(call.work, person.id)
    return Reply(
        form=Form(
            "Transfer",
            TransferMentee(person.id),
            opener=pressed,
            submit="Transfer",
            blocks=(say(Bold(person.name), ". The mentee keeps all credit. The new cohort starts on this date."),),
            fields=_fields(cohorts.all_cohorts(call.work.tx), today).shown,
        )
    )


@router.submit(TransferMentee)
def transfer(call: Call, sent: TransferMentee) -> Reply:
    """Move the mentee, record it, and hand over what waits to the mentors of the new cohort."""
    person, _ = mentee_of(call, sent.person_id)
    chosen = _fields().read(call.values)
    day, to = chosen.day, cohorts.find(call.work.tx, chosen.cohort)
    if to is None:
        raise FormErrors({"cohort": NOT_AN_OPTION})
    if day > enrolments.today_of(call.work, person.id):
        raise FormErrors({"day": "Choose today or an earlier day."})
    here = cohorts.shared_cohorts(call.work.tx, person.id, ("mentee",))
    if to.id in {cohort.id for cohort in here}:
        raise FormErrors({"cohort": f"{person.name} is in {to.name} already."})
    for cohort in here:
        cohorts.leave(call.work, cohort.id, person.id, call.my_id)
    cohorts.join(call.work, to.id, person.id, "mentee", call.my_id)
    detail = {"on": day.isoformat(), "from": [cohort.name for cohort in here], "to": to.name}
    line = Line("transfer", "made", stated_day(day), call.my_id, "coordinator", reason=chosen.reason, detail=detail)
    line_id = ledger.add(call.work, person.id, line)
    if line.kind not in kinds_of(call.work, settle_corrected(call, person.id)):  # the outcome tells it already
        tell(call.work, line_id, person.id)
    hand_over(call.work, [person.id])
    refresh_schedule(call.work, [person.id])
    return notice(Bold(person.name), f" is in {to.name} from {say_day(day)}. All credit is kept.")
