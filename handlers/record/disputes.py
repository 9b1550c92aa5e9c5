"""Disputes: a mentee finds a record wrong. The ledger holds the steps; the text is for its readers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import MENTEES, Call, Refused
from handlers.core.cards import Block, Bold, Button, Card, Note, Text, When, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, FormErrors, Option, TextField, options_of
from handlers.core.paging import hint
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.recipients import only_for
from handlers.record import changed_notice
from handlers.record.dispute_access import NOT_THERE, readable, readers, text_of, wrote
from handlers.record.record_actions import NewDispute, ShowDispute
from handlers.record.settling import OUTCOMES, OpenSettling, change_of, close, correct_button, now_sentence
from program.core.times import say_day
from program.core.words import shortened
from program.meetings.attendance import STATUSES
from program.record.disputable import entry_in_words
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import people
from storage.record import disputes, enrolments, ledger, policies
from storage.record.disputes import Dispute
from storage.record.ledger import Line

MOST_RECORDS = 50
CHANGES = {
    ("transfer", "made"),
    ("credit", "granted"),
    ("waiver", "granted"),
    ("leave", "granted"),
    ("leave", "ended"),
    ("policy", "moved"),
}
DISPUTABLE = {("activity", "logged"), ("makeup", "asked"), *CHANGES}
READERS = {
    "mentor": "My mentors and the coordinator",
    "coordinator": "Only the coordinator (choose this if it's about a mentor)",
}


@action("disputes.open")
class SendDispute(Action):
    """Dispute the chosen record."""


@action("disputes.read")
class ReadDispute(Action):
    """Read what the mentee wrote."""

    dispute_id: UUID


@action("disputes.withdraw")
class WithdrawDispute(Action):
    """Take back one's own dispute."""

    dispute_id: UUID


# Disputing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Objection:
    """Which record is disputed, who may read why, and why."""

    record: UUID
    readers: str
    text: str = field(repr=False)


def _fields(options: Sequence[Option] = (), chosen: str = "", cut: str = "") -> Fields[Objection]:
    """``options``: the records that are offered; ``chosen``: the id of one of them; ``cut``: how many there are."""
    return Fields(
        Objection,
        ChoiceField(
            "record",
            "Which record",
            tuple(options),
            chosen,
            hint=cut,
            needed="Choose the record.",
            checked=False,
        ),
        ChoiceField(
            "readers",
            "Who may read this",
            options_of(READERS),
            "mentor",
            needed="Choose who may read this.",
        ),
        TextField(
            "text",
            "What is wrong, and what would be right",
            multiline=True,
            max_length=2000,
            needed="Enter what is wrong.",
        ),
    )


@router.command("dispute", "Say that a record about you is wrong", who=MENTEES, help={"mentee": 14})
def dispute_command(call: Call) -> Reply:
    """Open the form that disputes a record."""
    return Reply(form=_form(call, NewDispute()))


@router.press(NewDispute)
def new_form(call: Call, pressed: NewDispute) -> Reply:
    """Open the form that disputes a record, with the one that the button is about."""
    return Reply(form=_form(call, pressed))


def _form(call: Call, opener: NewDispute) -> Form:
    every = _records(call)
    options = [Option(str(line.id), _record_label(call.work, line, call.me.zone)) for line in every[:MOST_RECORDS]]
    if not options:
        raise Refused("Nothing is recorded about you yet.")
    chosen = str(opener.record_id) if opener.record_id else ""
    return Form(
        "A record is wrong",
        SendDispute(),
        opener=opener,
        submit="Send",
        confidential=True,
        blocks=(
            Note(
                (
                    "Only the people you choose can read this. Your record shows that you disputed the entry and the "
                    "outcome. Please leave out student names.",
                )
            ),
        ),
        fields=_fields(options, chosen, hint(len(every), len(options), "newest")).shown,
    )


def _records(call: Call) -> list[RecordLine]:
    """What may be disputed: the newest line on each meeting, what was logged, and the coordinator's changes."""
    lines = ledger.of_person(call.work.tx, call.my_id)
    latest: dict[object, RecordLine] = {}
    for line in lines:
        if line.kind == "attendance" and line.step != "tapped":
            latest[line.meeting_id or line.id] = line
        elif (line.kind, line.step) in DISPUTABLE:
            latest[line.id] = line
    return sorted(latest.values(), key=lambda line: line.happened_at, reverse=True)


def _record_label(work: Work, line: RecordLine, zone: str) -> str:
    """What a record is about. ``zone``: the reader's."""
    day = say_day(line.day(zone))
    if line.kind == "attendance":
        meeting = meetings.find(work.tx, line.meeting_id) if line.meeting_id else None
        topic = f" {shortened(meeting.topic, 30)}," if meeting else ""
        status = next((label for code, label in STATUSES.items() if code == line.status), line.status)
        minutes = f", {line.minutes} minutes" if line.status == "partial" and line.minutes is not None else ""
        return f"{day},{topic} {status.lower()}{minutes}"
    if line.kind == "policy":
        return shortened(f"{day}, requirements of {policies.get(work.tx, line.detail['to']).title}", 75)
    return shortened(f"{day}, {entry_in_words(line, enrolments.policy_of(work.tx, line.person_id))}", 75)


@router.submit(SendDispute, keeps_words=True)
def open_dispute(call: Call, _sent: SendDispute) -> Reply:
    """Open the dispute and ask the people who were chosen to look at it."""
    objection = _fields().read(call.values)
    line = next((line for line in _records(call) if line.id == objection.record), None)
    if line is None:
        raise Refused("I can't find that record.")
    if disputes.open_about(call.work.tx, line.id):
        raise FormErrors({"record": "You already have an open dispute about this record."})
    opened = Line(
        "dispute", "opened", line.happened_at, call.my_id, "self", meeting_id=line.meeting_id, target_id=line.id
    )
    opened_id = ledger.add(call.work, call.my_id, opened)
    item = call.vault.save(
        call.work, "dispute", objection.text, person_id=call.my_id, account_id=call.me.account_id, checkin_id=None
    )
    dispute = disputes.add(call.work, call.my_id, opened_id, line.id, item, with_mentors=objection.readers == "mentor")
    for reader in readers(call.work, dispute):
        deliveries.to_person(call.work, kinds.DISPUTE, reader, dispute.id)
    return Reply(card=_own_card(call.work, dispute))


def _is_reader(work: Work, item: Delivery, reader_id: UUID) -> bool:
    dispute = disputes.find(work.tx, UUID(item.subject))
    return dispute is None or reader_id in readers(work, dispute)


@router.delivery(kinds.DISPUTE)
@only_for(_is_reader)
def dispute_card(work: Work, item: Delivery) -> Card | None:
    """A dispute's message to one of its readers."""
    dispute = disputes.find(work.tx, UUID(item.subject))
    return None if dispute is None else _readers_card(work, dispute, item.person_id)


@router.press(ShowDispute)
def show(call: Call, pressed: ShowDispute) -> Reply:
    """A dispute to settle, from a list of what waits; for its readers."""
    dispute = readable(call, pressed.dispute_id)
    mine = call.my_id == dispute.person_id
    card = _own_card(call.work, dispute) if mine else _readers_card(call.work, dispute, call.my_id)
    if card is None:
        raise Refused(NOT_THERE)
    return Reply(card=card)


def _readers_card(work: Work, dispute: Dispute, reader_id: UUID | None) -> Card | None:
    """A dispute as its readers see it; None: what it is about is not there."""
    line = ledger.get(work.tx, dispute.about_id)
    if line is None:
        return None
    who = people.get(work.tx, dispute.person_id).name
    zone = people.get(work.tx, reader_id or dispute.person_id).zone
    about: Text = (Bold(who), f" says a record is wrong: {_record_label(work, line, zone)}.")
    if dispute.outcome:
        return Card("Dispute settled", (say(*about), say(OUTCOMES[dispute.outcome] + ".")))
    correct = correct_button(work, line, dispute, reader_id) if reader_id else None
    items = [
        Button("Read it", ReadDispute(dispute.id), style="primary", opens_form=True),
        *([correct] if correct else []),
        Button("Settle it", OpenSettling(dispute.id), opens_form=True),
    ]
    return Card("A record is disputed", (say(*about), buttons(*items)))


@router.delivery(kinds.DISPUTE_OWN)
def own_card(work: Work, item: Delivery) -> Card | None:
    """A dispute's message to its author: who looks at it, or its outcome."""
    dispute = disputes.find(work.tx, UUID(item.subject))
    return None if dispute is None else _own_card(work, dispute)


def _own_card(work: Work, dispute: Dispute) -> Card | None:
    line = ledger.get(work.tx, dispute.about_id)
    if line is None:
        return None
    zone = people.get(work.tx, dispute.person_id).zone
    about = say(f"About: {_record_label(work, line, zone)}.")
    if dispute.outcome:
        return Card("Your dispute is settled", (about, say(OUTCOMES[dispute.outcome] + "."), *_now(work, dispute)))
    when = When(dispute.opened_at, zone)
    sent = say("Sent ", when, ". I asked the people you chose to look at it. I'll tell you the outcome.")
    items = buttons(
        Button("Read it again", ReadDispute(dispute.id), opens_form=True),
        Button("Withdraw", WithdrawDispute(dispute.id), confirm="Withdraw this dispute?"),
    )
    return Card("Your dispute is open", (about, sent, items))


def _now(work: Work, dispute: Dispute) -> list[Block]:
    """What the record says since somebody changed it, for another reason than the dispute where it stands."""
    change = change_of(work, dispute) if dispute.outcome in ("corrected", "stands") else None
    if change is not None and dispute.outcome == "stands" and change.exact:
        return []
    if change is not None and change.line.kind in changed_notice.KINDS:
        return [say(changed_notice.change_sentence(work, change.line))]
    return [say(now_sentence(work, change))] if change is not None else []


@router.press(ReadDispute)
def read_dispute(call: Call, pressed: ReadDispute) -> Reply:
    """Open what the mentee wrote, for its author and its readers."""
    dispute = readable(call, pressed.dispute_id)
    return Reply(
        form=Form(
            "Disputed record",
            pressed,
            opener=pressed,
            submit=None,
            confidential=True,
            blocks=(say(text_of(call, dispute)),),
        )
    )


@router.press(WithdrawDispute)
def withdraw(call: Call, pressed: WithdrawDispute) -> Reply:
    """Close one's own dispute."""
    dispute = readable(call, pressed.dispute_id)
    if not wrote(call, dispute):
        raise Refused("Only the mentee can withdraw a dispute.")
    close(call, dispute, "withdrawn")
    return Reply(replace=_own_card(call.work, disputes.find(call.work.tx, dispute.id) or dispute))
