"""Disputes: a mentee finds a record wrong. The ledger holds the steps; the text is for its readers alone."""

from __future__ import annotations

from uuid import UUID

from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Card,
    ChoiceField,
    Form,
    Note,
    Option,
    Text,
    TextField,
    When,
    action,
    buttons,
    options_of,
    say,
)
from handlers.core.paging import hint
from handlers.core.requests import Reply
from handlers.core.router import Call, FieldReader, FormErrors, Refused, router
from handlers.people.recipients import only_for
from handlers.record import changed_notice
from handlers.record.settling import OUTCOMES, close, correct_button, correction_of, readable, readers, wrote
from program.core.times import local_day, say_day
from program.core.words import shortened
from program.meetings.attendance import STATUSES
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries
from storage.outbox.deliveries import Delivery
from storage.people import people
from storage.record import disputes, ledger
from storage.record.disputes import Dispute
from storage.record.ledger import Line

MENTEES = frozenset({"mentee"})
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


@router.command("dispute", "Say that a record about you is wrong", who=MENTEES)
def dispute_command(call: Call) -> Reply:
    return Reply(form=_form(call))


@router.press("disputes.new")
def new_form(call: Call) -> Reply:
    chosen = call.args[0] if call.args else ""
    return Reply(form=_form(call, chosen))


def _form(call: Call, chosen: str = "") -> Form:
    every = _records(call)
    options = [Option(str(one.id), _record_label(call.work, one, call.me.zone)) for one in every[:MOST_RECORDS]]
    if not options:
        raise Refused("Nothing is recorded about you yet.")
    return Form(
        "A record is wrong",
        action("disputes.open"),
        opener=action("disputes.new", chosen) if chosen else action("disputes.new"),
        submit="Send",
        confidential=True,
        blocks=(
            Note(
                (
                    "Only the people you choose below can read your words, and only in a form. The record shows that "
                    "you disputed it, and how that ended. Please leave out student names.",
                )
            ),
        ),
        fields=(
            ChoiceField(
                "record", "Which record", tuple(options), chosen, hint=hint(len(every), len(options), "newest")
            ),
            ChoiceField("readers", "Who may read this", options_of(READERS), "mentor"),
            TextField("text", "What is wrong, and what would be right", multiline=True, max_length=2000),
        ),
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
    return sorted(latest.values(), key=lambda one: one.happened_at, reverse=True)


def _record_label(work: Work, line: RecordLine, zone: str) -> str:
    """What a record is about. ``zone``: the reader's."""
    day = say_day(local_day(line.happened_at, zone))
    if line.kind == "attendance":
        meeting = meetings.find(work.tx, line.meeting_id) if line.meeting_id else None
        topic = f" {shortened(meeting.topic, 30)}," if meeting else ""
        status = next((label for code, label in STATUSES.items() if code == line.status), line.status)
        return f"{day},{topic} {status.lower()}"
    if (line.kind, line.step) in CHANGES:
        return ", ".join(part for part in (day, line.kind, line.code.replace("_", " ")) if part)
    return f"{day}, {line.code.replace('_', ' ')}, {line.minutes or 0} minutes"


@router.submit("disputes.open")
def open_dispute(call: Call) -> Reply:
    read = FieldReader(call.values)
    record_id = read.uuid("record", needed="Choose the record.")
    chosen = read.choice("readers", tuple(READERS), needed="Choose who may read this.")
    text = read.text("text", needed="Enter what is wrong.", most=2000)
    read.check()
    line = next((one for one in _records(call) if one.id == record_id), None)
    if line is None:
        raise Refused("I can't find that record.")
    if disputes.open_about(call.work.tx, line.id):
        raise FormErrors({"record": "You already have an open dispute about this record."})
    opened = Line(
        "dispute", "opened", line.happened_at, call.my_id, "self", meeting_id=line.meeting_id, target_id=line.id
    )
    opened_id = ledger.add(call.work, call.my_id, opened)
    item = call.vault.save(
        call.work, "dispute", text, person_id=call.my_id, account_id=call.me.account_id, checkin_id=None
    )
    found = disputes.add(call.work, call.my_id, opened_id, line.id, item, with_mentors=chosen == "mentor")
    for reader in readers(call.work, found):
        deliveries.to_person(call.work, "dispute", reader, found.id)
    return Reply(card=_own_card(call.work, found))


def _is_reader(work: Work, item: Delivery, reader_id: UUID) -> bool:
    dispute = disputes.find(work.tx, UUID(item.subject))
    return dispute is None or reader_id in readers(work, dispute)


@router.delivery("dispute")
@only_for(_is_reader)
def dispute_card(work: Work, item: Delivery) -> Card | None:
    found = disputes.find(work.tx, UUID(item.subject))
    line = ledger.get(work.tx, found.about_id) if found else None
    if found is None or line is None:
        return None
    who = people.get(work.tx, found.person_id).name
    zone = people.get(work.tx, item.person_id or found.person_id).zone
    about: Text = (Bold(who), f" says a record is wrong: {_record_label(work, line, zone)}.")
    if found.outcome:
        return Card("Dispute settled", (say(*about), say(OUTCOMES[found.outcome] + ".")))
    correct = correct_button(line)
    items = [
        Button("Read it", action("disputes.read", found.id), style="primary", opens_form=True),
        *([correct] if correct else []),
        Button("Settle it", action("disputes.settle", found.id), opens_form=True),
    ]
    return Card("A record is disputed", (say(*about), buttons(*items)))


@router.delivery("dispute.own")
def own_card(work: Work, item: Delivery) -> Card | None:
    found = disputes.find(work.tx, UUID(item.subject))
    return None if found is None else _own_card(work, found)


def _own_card(work: Work, found: Dispute) -> Card | None:
    line = ledger.get(work.tx, found.about_id)
    if line is None:
        return None
    zone = people.get(work.tx, found.person_id).zone
    about = say(f"About: {_record_label(work, line, zone)}.")
    if found.outcome:
        return Card("Your dispute is settled", (about, say(OUTCOMES[found.outcome] + "."), *_now(work, found)))
    when = When(found.opened_at, zone)
    sent = say("Sent ", when, ". I asked the people you chose to look at it. I'll tell you the outcome.")
    items = buttons(
        Button("Read it again", action("disputes.read", found.id), opens_form=True),
        Button("Withdraw", action("disputes.withdraw", found.id), confirm="Withdraw this dispute?"),
    )
    return Card("Your dispute is open", (about, sent, items))


def _now(work: Work, found: Dispute) -> list[Block]:
    """What the record says after a correction."""
    correction = correction_of(work, found) if found.outcome == "corrected" else None
    if correction is not None and correction.kind in changed_notice.KINDS:
        return [say(changed_notice.change_sentence(work, correction))]
    if correction is None or correction.status not in STATUSES:
        return []
    return [say(f"The record now says: {STATUSES[correction.status].lower()}.")]


@router.press("disputes.read")
def read_dispute(call: Call) -> Reply:
    found = readable(call)
    if wrote(call, found):
        text = call.vault.open(call.work.tx, found.item_id, call.me.account_id)
    else:
        text = call.vault.open_shared(call.work.tx, found.item_id)
    return Reply(
        form=Form(
            "Disputed record",
            action("disputes.read", found.id),
            opener=action("disputes.read", found.id),
            submit=None,
            confidential=True,
            blocks=(say(text or "The text is no longer kept."),),
        )
    )


@router.press("disputes.withdraw")
def withdraw(call: Call) -> Reply:
    found = readable(call)
    if not wrote(call, found):
        raise Refused("Only the mentee can withdraw a dispute.")
    close(call, found, "withdrawn")
    return Reply(replace=_own_card(call.work, disputes.find(call.work.tx, found.id) or found))
