"""Completion: a coordinator is asked to approve it, and the certificate is made and sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, coordinators_only
from handlers.core.cards import Bold, Button, Buttons, Card, Cmd, Facts, Note, Text, When, buttons, say, with_commands
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.planning import plan_daily
from handlers.people.recipients import is_coordinator, only_for
from handlers.program_desk.integrity import BLOCKED
from handlers.record.record_actions import GetCertificate, OpenCertificate, SeeRecord
from program.record import explain
from program.record.certificate import COMPLETED, printable
from program.record.standing import Standing
from program.record.wording import reason_words
from storage.core import program
from storage.core.work import Work
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts, people
from storage.record import certificates, enrolments, standings, verification
from storage.record.certificates import AlreadyIssued, Certificate
from storage.record.standings import Mentee

LOOK_AT = time(6, 0)  # before the working day, so that the question is there when it begins
FORGETTING = "What you wrote in check-ins is still kept, and only you can read it. Send “privacy” to delete it."
ANOTHER = "Ask another coordinator. If there isn't one, ask the operator to add one in PLC_COORDINATORS."
CHANGED = (
    "What I have on this certificate was changed outside the program, so I can't confirm it. Ask the person who runs "
    "the bot to run “plc-bot ledger verify”."
)
MANAGE = "approve completion and manage certificates"  # what only coordinators can do


@action("completion.approve")
class ApproveCompletion(Action):
    """Issue the certificate of a mentee who has completed the program."""

    person_id: UUID


# Who is complete --------------------------------------------------------------------------------


@router.at_start
def plan_look(work: Work) -> None:
    """Somebody may become complete without an act of anybody's, so it is looked at every day."""
    plan_daily(work, moments.COMPLETION_LOOK, LOOK_AT)


@router.moment(
    moments.COMPLETION_LOOK,
    "the bot checks who has completed the program",
    late="is done late, once for all missed days",
)
def look(work: Work, _moment: Moment) -> str | None:
    """Ask for approval of mentees who have completed the program, and plan the next day's check."""
    plan_look(work)
    ask_for_approval(work)
    return None


def ask_for_approval(work: Work, people_ids: Sequence[UUID] | None = None) -> None:
    """Ask every coordinator, once for each mentee, to approve those who are complete."""
    complete = to_approve(work, people_ids)
    if not complete:
        return
    for coordinator in people.coordinators(work.tx):
        for mentee in complete:
            deliveries.to_person(work, kinds.COMPLETION_ASK, coordinator.id, mentee.id)


def look_again(work: Work, people_ids: Sequence[UUID]) -> None:
    """Ask for approval of those who are complete after a change of their record, and refresh earlier questions."""
    deliveries.refresh_all(work, [kinds.COMPLETION_ASK], people_ids)
    ask_for_approval(work, people_ids)


def to_approve(work: Work, people_ids: Sequence[UUID] | None = None) -> list[Mentee]:
    """Those of these people (None: of everybody) who are complete and were never given a certificate."""
    mentees = (
        standings.of_cohorts(work.tx, None, work.now)
        if people_ids is None
        else standings.of_people(work.tx, people_ids, work.now)
    )
    complete = {mentee.id: mentee for mentee in mentees if mentee.standing.state == "complete"}
    had = certificates.newest_of(work.tx, list(complete)) if complete else {}
    return [mentee for mentee in complete.values() if mentee.id not in had]


@router.delivery(kinds.COMPLETION_ASK)
@only_for(is_coordinator)
def ask_delivery(work: Work, item: Delivery) -> Card | None:
    """The question to a coordinator; it is not posted once there is nothing to approve."""
    card = ask_card(work, UUID(item.subject))
    return None if item.verb == "post" and not _can_approve(card) else card


def _can_approve(card: Card) -> bool:
    rows = [block.buttons for block in card.blocks if isinstance(block, Buttons)]
    items = [button for row in rows for button in row]
    return any(isinstance(button, Button) and isinstance(button.action, ApproveCompletion) for button in items)


def ask_card(work: Work, person_id: UUID) -> Card:
    """The question to the coordinator as it stands now."""
    of_person = certificates.of_person(work.tx, person_id)
    name = people.get(work.tx, person_id).name
    if of_person:
        return outcome_card(of_person[0], name, program.zone_of(work.tx))
    mentees = standings.of_people(work.tx, [person_id], work.now)
    if not mentees or mentees[0].standing.state != "complete":
        text = say(Bold(name), " no longer meets every requirement, so there is nothing to approve.")
        return Card("Nothing to approve", (text,))
    mine = mentees[0]
    return Card(
        f"{name} has completed the program",
        (
            say(Bold(name), " has met every requirement. Approve to issue the certificate."),
            Facts(_facts(work, mine)),
            buttons(
                Button(
                    "Approve and issue",
                    ApproveCompletion(person_id),
                    style="primary",
                    confirm=f"Issue {name}'s certificate? You can revoke it later, but you can't undo this.",
                ),
                Button("See the record", SeeRecord(person_id)),
            ),
        ),
    )


def _facts(work: Work, mine: Mentee) -> tuple[tuple[str, Text], ...]:
    own = [cohort.name for cohort in cohorts.shared_cohorts(work.tx, mine.id, ("mentee",))]
    return (
        ("Cohort", (", ".join(own) or "none",)),
        *((label, (words,)) for label, words in years_in_words(mine.standing)),
        ("Policy", (mine.policy.title,)),
    )


def years_in_words(standing: Standing) -> list[tuple[str, str]]:
    """What each program year has and needs."""
    return [(year.label, explain.in_numbers(year)) for year in standing.years]


def outcome_card(certificate: Certificate, name: str, zone: str) -> Card:
    """What became of a certificate, with a button to it while it is in force. ``zone``: of the days."""
    issued = When(certificate.issued_at, zone, "date")
    if certificate.revoked_at is not None:
        revoked = When(certificate.revoked_at, zone, "date")
        text = say("Issued ", issued, ", revoked ", revoked, f". {reason_words(certificate.reason)}.")
        return Card(f"{name}: certificate revoked", (text,))
    manage = Button("Open", OpenCertificate(certificate.id))
    return Card(
        f"{name}: certificate issued", (say("Issued ", issued, ". Code ", Bold(certificate.code), "."), buttons(manage))
    )


# Approving --------------------------------------------------------------------------------------


@router.press(ApproveCompletion)
def approve(call: Call, pressed: ApproveCompletion) -> Reply:
    """Issue the certificate. A second press shows that it was issued."""
    person_id = pressed.person_id
    check_enrolled(call, person_id)
    if person_id == call.my_id:
        raise Refused(f"You can't approve your own completion. {ANOTHER}")
    if not certificates.of_person(call.work.tx, person_id):
        check_record(call, person_id)  # first: a standing of a changed record says nothing
        mentees = standings.of_people(call.work.tx, [person_id], call.work.now)
        if not mentees or mentees[0].standing.state != "complete":
            raise Refused("Not issued: this person no longer meets every requirement.")
        _issue(call, mentees[0])
    return Reply(replace=ask_card(call.work, person_id))


def check_enrolled(call: Call, person_id: UUID) -> None:
    """Check that a coordinator asks about somebody in the program.

    Raises:
        Refused: the asker is no coordinator, or the person is not enrolled.
    """
    coordinators_only(call, MANAGE)
    if not enrolments.is_enrolled(call.work.tx, person_id):
        raise Refused("This person is not enrolled in the program.")


def check_record(call: Call, person_id: UUID) -> None:
    """Nothing is issued on a record that the program did not write.

    Raises:
        Refused: the record was changed outside the program.
    """
    problems = verification.of_person(call.work.tx, call.work.chain_key, person_id)
    if problems:
        raise Refused(BLOCKED)


def _issue(call: Call, mine: Mentee) -> None:
    try:
        made = certificates.issue(call.work, mine.id, printable(mine.name), mine.policy.name, call.my_id)
    except AlreadyIssued:
        return
    announce(call.work, made)


def announce(work: Work, made: Certificate) -> None:
    """The holder gets no more prompts and is told; the question to the coordinators shows the outcome."""
    refresh_schedule(work, [made.person_id])
    deliveries.refresh(work, made.person_id, kinds.COMPLETION_ASK)
    deliveries.to_person(work, kinds.COMPLETION_DONE, made.person_id, made.id)


@router.delivery(kinds.COMPLETION_DONE)
def done_delivery(work: Work, item: Delivery) -> Card | None:
    """The holder's message about their certificate; one that is no longer valid is not posted."""
    certificate = certificates.get(work.tx, UUID(item.subject))
    if certificate is None:
        return None
    if not certificate.in_force:
        text = say("This certificate is no longer valid. ", reason_words(certificate.reason), ".")
        return Card("Certificate revoked", (text,)) if item.verb == "update" else None
    get = Button("Get your certificate", GetCertificate(), style="primary")
    if certificate.number > 1:
        text = say("Your certificate was issued again. The earlier one is no longer valid.")
        return Card("Your new certificate", (text, buttons(get)))
    return Card(
        f"Congratulations, {certificate.name}!",
        (
            say("You ", Bold(COMPLETED), ". Your coordinator approved it. Your certificate is ready."),
            buttons(get),
            Note(
                (
                    "I won't send you more check-ins. To get a copy of your record, send ",
                    Cmd("export"),
                    ".",
                )
            ),
            Note(with_commands(FORGETTING)),
        ),
    )


def withdrawn(work: Work, certificate: Certificate) -> None:
    """The question to the coordinators and the holder's message show that a certificate holds no longer."""
    refresh_schedule(work, [certificate.person_id])
    deliveries.refresh(work, certificate.person_id, kinds.COMPLETION_ASK)
    deliveries.refresh(work, certificate.id, kinds.COMPLETION_DONE)


def goodbye(work: Work, person_id: UUID) -> None:
    """Somebody left the program: prompts stop today, they are offered their record and told of forgetting."""
    refresh_schedule(work, [person_id])
    if not cohorts.shared_cohorts(work.tx, person_id):
        deliveries.to_person(work, kinds.COMPLETION_LEFT, person_id, person_id, tag=work.now.isoformat())


@router.delivery(kinds.COMPLETION_LEFT)
def left_delivery(work: Work, item: Delivery) -> Card | None:
    """The goodbye to somebody who left the program, or a welcome in its place once they are back."""
    if cohorts.shared_cohorts(work.tx, UUID(item.subject)):
        again = Card("You're back in the program", (say("Everything you did before still counts."),))
        return again if item.verb == "update" else None
    return Card(
        "You're not in a cohort now",
        (
            say("I won't send you check-ins or reminders anymore. Your record is kept, and you can get a copy."),
            buttons(Button("Get your record", GetCertificate())),
            Note(with_commands(FORGETTING)),
        ),
    )
