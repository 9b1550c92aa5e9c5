"""Disputes: a mentee finds a record wrong. The ledger holds the steps; the text is for its readers alone."""

from __future__ import annotations

from uuid import UUID

from handlers.cards import (
    Bold,
    Bullets,
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
from handlers.requests import Reply, notice
from handlers.router import Call, FieldReader, FormErrors, Refused, router
from program.attendance import STATUSES
from program.times import local_day, say_day
from program.wording import RecordLine
from storage import cohorts, deliveries, disputes, ledger, meetings, people
from storage.deliveries import Delivery
from storage.disputes import Dispute
from storage.ledger import Line
from storage.work import Work

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
OUTCOMES = {
    "corrected": "The record was wrong; it is corrected",
    "stands": "The record stands",
    "withdrawn": "Withdrawn by the mentee",
}
READERS = {
    "mentor": "My mentors and the coordinator",
    "coordinator": "The coordinator alone (choose this if it concerns a mentor)",
}


@router.command("dispute", "Say that a record about you is wrong", who=MENTEES)
def dispute_command(call: Call) -> Reply:
    return Reply(form=_form(call))


@router.press("disputes.new")
def new_form(call: Call) -> Reply:
    chosen = call.args[0] if call.args else ""
    return Reply(form=_form(call, chosen))


def _form(call: Call, chosen: str = "") -> Form:
    options = [Option(str(one.id), _record_label(call.work, one)) for one in _records(call)]
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
                    "Only those you choose below can read your words, and only in a form like this one. That there "
                    "is a dispute, and how it ends, is part of the record.",
                )
            ),
        ),
        fields=(
            ChoiceField("record", "Which record", tuple(options), chosen),
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
    return sorted(latest.values(), key=lambda one: one.happened_at, reverse=True)[:MOST_RECORDS]


def _record_label(work: Work, line: RecordLine) -> str:
    day = say_day(local_day(line.happened_at, "America/Chicago"))
    if line.kind == "attendance":
        meeting = meetings.find(work.tx, line.meeting_id) if line.meeting_id else None
        topic = f" {meeting.topic[:30]}," if meeting else ""
        status = next((label for code, label in STATUSES.items() if code == line.status), line.status)
        return f"{day},{topic} {status.lower()}"
    if (line.kind, line.step) in CHANGES:
        return ", ".join(part for part in (day, line.kind, line.code.replace("_", " ")) if part)
    return f"{day}, {line.code.replace('_', ' ')}, {line.minutes or 0} minutes"


@router.submit("disputes.open")
def open_dispute(call: Call) -> Reply:
    read = FieldReader(call.values)
    record_id = read.uuid("record", needed="Choose the record.")
    readers = read.choice("readers", tuple(READERS), needed="Choose who may read this.")
    text = read.text("text", needed="Say what is wrong.", most=2000)
    read.check()
    line = next((one for one in _records(call) if one.id == record_id), None)
    if line is None:
        raise Refused("That record is not there.")
    if disputes.open_about(call.work.tx, line.id):
        raise FormErrors({"record": "There is an open dispute about this record already."})
    opened = Line(
        "dispute", "opened", line.happened_at, call.my_id, "self", meeting_id=line.meeting_id, target_id=line.id
    )
    opened_id = ledger.add(call.work, call.my_id, opened)
    item = call.vault.save(
        call.work, "dispute", text, person_id=call.my_id, account_id=call.me.account_id, checkin_id=None
    )
    found = disputes.add(call.work, call.my_id, opened_id, line.id, item, with_mentors=readers == "mentor")
    for reader in _readers(call.work, found):
        deliveries.to_person(call.work, "dispute", reader, found.id)
    deliveries.to_person(call.work, "dispute.own", call.my_id, found.id)
    return notice("Sent. Those you chose are asked to look at it; you are told the outcome.")


def _readers(work: Work, found: Dispute) -> set[UUID]:
    """The coordinators and, if chosen, those who were the mentee's mentors when it was written.

    The words were meant for them: a later cohort's mentors never come to read them, and who leads no cohort any
    more neither reads nor settles anything.
    """
    readers = {one.id for one in people.coordinators(work.tx)}
    if found.with_mentors:
        readers |= cohorts.mentors_at(work.tx, found.person_id, found.opened_at)
    return readers - {found.person_id}


def _readable(call: Call) -> Dispute:
    """A dispute the asker may read; for everybody else it looks as if there were none."""
    found = disputes.find(call.work.tx, call.id_at(0))
    if found is None or call.my_id not in _readers(call.work, found) | {found.person_id}:
        raise Refused("That dispute is not there.")
    return found


@router.delivery("dispute")
def dispute_card(work: Work, item: Delivery) -> Card | None:
    found = disputes.find(work.tx, UUID(item.subject))
    line = ledger.get(work.tx, found.about_id) if found else None
    if found is None or line is None:
        return None
    who = people.get(work.tx, found.person_id).name
    about: Text = (Bold(who), f" finds a record wrong: {_record_label(work, line)}.")
    if found.outcome:
        return Card("Dispute settled", (say(*about), say(OUTCOMES[found.outcome] + ".")))
    items = [
        Button("Read it", action("disputes.read", found.id), style="primary", opens_form=True),
        *_correct_button(line),
        Button("Settle it", action("disputes.settle", found.id), opens_form=True),
    ]
    return Card("A record is disputed", (say(*about), buttons(*items)))


def _correct_button(line: RecordLine) -> list[Button]:
    """The way to the correction of what is disputed; who may take it is asked there."""
    if line.kind == "attendance" and line.meeting_id is not None:
        return [Button("Correct it", action("attendance.edit", line.meeting_id), opens_form=True)]
    if line.kind in ("activity", "makeup"):
        return [Button("Correct it", action("activities.correct", line.id), opens_form=True)]
    return []


@router.delivery("dispute.own")
def own_card(work: Work, item: Delivery) -> Card | None:
    found = disputes.find(work.tx, UUID(item.subject))
    return None if found is None else _own_card(work, found)


def _own_card(work: Work, found: Dispute) -> Card | None:
    line = ledger.get(work.tx, found.about_id)
    if line is None:
        return None
    about = say(f"About: {_record_label(work, line)}.")
    if found.outcome:
        return Card("Your dispute is settled", (about, say(OUTCOMES[found.outcome] + ".")))
    sent = say("Sent ", When(found.opened_at, people.get(work.tx, found.person_id).zone), ".")
    items = buttons(
        Button("Read it again", action("disputes.read", found.id), opens_form=True),
        Button("Withdraw", action("disputes.withdraw", found.id), confirm="Withdraw this dispute?"),
    )
    return Card("Your dispute is open", (about, sent, items))


@router.press("disputes.read")
def read_dispute(call: Call) -> Reply:
    found = _readable(call)
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


@router.press("disputes.settle")
def settle_form(call: Call) -> Reply:
    found = _readable(call)
    if found.outcome or found.person_id == call.my_id:
        raise Refused("This dispute is settled already.")
    options = tuple(Option(code, label) for code, label in OUTCOMES.items() if code != "withdrawn")
    return Reply(
        form=Form(
            "Settle the dispute",
            action("disputes.settled", found.id),
            opener=action("disputes.settle", found.id),
            submit="Settle",
            blocks=(
                say("If the record was wrong, correct it first: “Correct it” is on the message about this dispute."),
                Bullets((("The mentee is told the outcome.",), ("Both steps stay in the record.",))),
            ),
            fields=(ChoiceField("outcome", "Outcome", options),),
        )
    )


@router.submit("disputes.settled")
def settle(call: Call) -> Reply:
    found = _readable(call)
    read = FieldReader(call.values)
    outcome = read.choice("outcome", ("corrected", "stands"), needed="Choose the outcome.")
    read.check()
    if found.person_id == call.my_id:
        raise Refused("Somebody else settles it; you can withdraw it.")
    _close(call, found, outcome)
    return notice(f"Settled: {OUTCOMES[outcome].lower()}. The mentee is told.")


@router.press("disputes.withdraw")
def withdraw(call: Call) -> Reply:
    found = _readable(call)
    if found.person_id != call.my_id:
        raise Refused("Only the mentee withdraws a dispute.")
    _close(call, found, "withdrawn")
    return Reply(replace=_own_card(call.work, disputes.find(call.work.tx, found.id) or found))


def _close(call: Call, found: Dispute, outcome: str) -> None:
    if not disputes.settle(call.work, found.id, outcome):
        raise Refused("This dispute is settled already.")
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    line = Line("dispute", "settled", call.work.now, call.my_id, verified, target_id=found.line_id, code=outcome)
    ledger.add(call.work, found.person_id, line)
    deliveries.refresh(call.work, found.id, "dispute", "dispute.own")
    if outcome != "withdrawn":
        deliveries.to_person(call.work, "dispute.own", found.person_id, found.id, tag="settled")
