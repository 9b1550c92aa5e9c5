"""How disputes end: the record stands, or a correction of it was recorded, or its author takes the dispute back."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from handlers.core.cards import Bullets, Button, Card, ChoiceField, Form, Option, action, buttons, say
from handlers.core.requests import Reply, notice
from handlers.core.router import Call, FieldReader, Refused, router
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries
from storage.people import cohorts, people
from storage.record import disputes, ledger
from storage.record.disputes import Dispute
from storage.record.ledger import Line
from storage.vault.vault import author_of

OUTCOMES = {
    "corrected": "The record was wrong. It is corrected",
    "stands": "The record stands",
    "withdrawn": "Withdrawn by the mentee",
}
CHOICES = {"corrected": "The record is wrong: correct it", "stands": OUTCOMES["stands"]}


def readers(work: Work, dispute: Dispute) -> set[UUID]:
    """The coordinators and, if chosen, those who were the mentee's mentors when it was written.

    The words were meant for them: a later cohort's mentors never come to read them, and who leads no cohort any
    more neither reads nor settles anything.
    """
    allowed = {one.id for one in people.coordinators(work.tx)}
    if dispute.with_mentors:
        allowed |= cohorts.mentors_at(work.tx, dispute.person_id, dispute.opened_at)
    return allowed - {dispute.person_id}


def readable(call: Call) -> Dispute:
    """A dispute that the asker may read: as its author, from the account that wrote it, or as one of its readers.

    Raises:
        Refused: there is none, or it is for others; the two look alike.
    """
    dispute = disputes.find(call.work.tx, call.id_at(0))
    if dispute is None or not (wrote(call, dispute) or call.my_id in readers(call.work, dispute)):
        raise Refused("I can't find that dispute.")
    return dispute


def wrote(call: Call, dispute: Dispute) -> bool:
    """Whether the asker's account wrote it; an account that replaced that one did not."""
    return dispute.person_id == call.my_id and author_of(call.work.tx, dispute.item_id) == call.me.account_id


def close(call: Call, dispute: Dispute, outcome: str) -> None:
    """Settle a dispute and tell the mentee.

    Raises:
        Refused: it was already settled.
    """
    if not disputes.settle(call.work, dispute.id, outcome):
        raise Refused("This dispute is already settled.")
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    line = Line("dispute", "settled", call.work.now, call.my_id, verified, target_id=dispute.line_id, code=outcome)
    ledger.add(call.work, dispute.person_id, line)
    deliveries.refresh(call.work, dispute.id, "dispute", "dispute.own")
    if outcome != "withdrawn":
        deliveries.to_person(call.work, "dispute.own", dispute.person_id, dispute.id, tag="settled")


# The correction ----------------------------------------------------------------------------------


def correct_button(line: RecordLine) -> Button | None:
    """The way to the correction of a disputed line; who may take it is asked there."""
    if line.kind == "attendance" and line.meeting_id is not None:
        return Button("Correct it", action("attendance.edit", line.meeting_id), opens_form=True)
    if line.kind in ("activity", "makeup"):
        return Button("Correct it", action("activities.correct", line.id), opens_form=True)
    return None


def correction_of(work: Work, dispute: Dispute) -> RecordLine | None:
    """What was recorded since the dispute was opened that corrects the disputed line; None: nothing was."""
    lines = ledger.of_person(work.tx, dispute.person_id)
    about = next((one for one in lines if one.id == dispute.about_id), None)
    opened = next((one for one in lines if one.id == dispute.line_id), None)
    if about is None or opened is None:
        return None
    later = [one for one in lines if one.position > opened.position and _corrects(one, about)]
    return later[-1] if later else None


def _corrects(line: RecordLine, about: RecordLine) -> bool:
    match about.kind:
        case "attendance" if about.meeting_id is not None:
            return (line.kind, line.step, line.meeting_id) == ("attendance", "corrected", about.meeting_id)
        case "attendance":  # of a file that was imported: what is missing there is credited
            return (line.kind, line.step) == ("credit", "granted")
        case "activity" | "makeup":
            return (line.kind, line.step, line.target_id) == (about.kind, "corrected", about.id)
        case "transfer" | "policy":
            return line.kind == about.kind
        case _:
            return (line.kind, line.target_id) == (about.kind, about.id) and line.step in ("withdrawn", "ended")


def settle_corrected(call: Call, person_id: UUID) -> bool:
    """Settle somebody's disputes that a correction answers, as far as the asker may read them; whether any was."""
    answered = [
        one
        for one in disputes.open_of(call.work.tx, person_id)
        if call.my_id in readers(call.work, one) and _is_exact(call.work, one) and correction_of(call.work, one)
    ]
    for one in answered:
        close(call, one, "corrected")
    return bool(answered)


def _is_exact(work: Work, dispute: Dispute) -> bool:
    """Whether a correction names what it corrects. A credit does not say which imported line it stands for."""
    about = ledger.get(work.tx, dispute.about_id)
    return about is not None and (about.kind != "attendance" or about.meeting_id is not None)


# Settling ----------------------------------------------------------------------------------------


@router.press("disputes.settle")
def settle_form(call: Call) -> Reply:
    dispute = _open(call)
    told = ("I'll tell the mentee the outcome.",)
    return Reply(
        form=Form(
            "Settle the dispute",
            action("disputes.settled", dispute.id),
            opener=action("disputes.settle", dispute.id),
            submit="Next",
            blocks=(Bullets((told, ("The correction opens next, and settles the dispute.",))),),
            fields=(ChoiceField("outcome", "Outcome", tuple(Option(*choice) for choice in CHOICES.items())),),
        )
    )


def _open(call: Call) -> Dispute:
    dispute = readable(call)
    if dispute.person_id == call.my_id:
        raise Refused("Someone else must settle it. You can withdraw it.")
    if dispute.outcome:
        raise Refused("This dispute is already settled.")
    return dispute


@router.submit("disputes.settled")
def settle(call: Call) -> Reply:
    """“Corrected” needs the correction: where there is none yet, this leads to it."""
    dispute = _open(call)
    read = FieldReader(call.values)
    outcome = read.choice("outcome", tuple(CHOICES), needed="Choose the outcome.")
    read.check()
    if outcome == "corrected" and correction_of(call.work, dispute) is None:
        return _to_the_correction(call, dispute)
    close(call, dispute, outcome)
    return notice(f"Settled: {OUTCOMES[outcome]}. I told the mentee.")


def _to_the_correction(call: Call, dispute: Dispute) -> Reply:
    line = ledger.get(call.work.tx, dispute.about_id)
    button = correct_button(line) if line else None
    if button is not None:
        return router.presses[button.action.name](replace(call, args=button.action.args, values={}))
    if not call.me.coordinator:
        raise Refused("Only a coordinator can correct this record. The dispute stays open until then.")
    way = Button("Open the record", action("records.open", dispute.person_id), style="primary")
    words = say("Correct the record first, then settle the dispute. It stays open until then.")
    return Reply(card=Card("Nothing is corrected yet", (words, buttons(way))))
