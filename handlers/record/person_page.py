"""One person, as the coordinator sees them: standing, record, and the ways to change it from a date on."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import COORDINATORS, Call, Refused, coordinators_only
from handlers.core.cards import Block, Button, Buttons, Card, Cmd, Facts, Note, Table, Text, buttons
from handlers.core.forms import Form
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.removals import removal_buttons
from handlers.privacy.holds import hold_blocks
from handlers.record.enrolled import mentee_of
from handlers.record.leave_requests import span_words
from handlers.record.leave_return import back_button
from handlers.record.progress import standing_blocks
from handlers.record.record_actions import (
    ChooseCorrection,
    ChooseUndo,
    OpenCredit,
    OpenDeparture,
    OpenLeaveGrant,
    OpenPerson,
    OpenPolicyMove,
    OpenTransfer,
    OpenWaiver,
)
from handlers.record.undoing import undoable
from handlers.record.waiting import waiting_blocks
from program.core.times import local_day, say_day
from program.core.words import counted
from program.record.entry_words import entry_words, track_words
from program.record.ledger import Leave
from storage.people import cohorts, people
from storage.people.people import Person
from storage.record import certificates, enrolments, leaves, ledger, policies, standings
from storage.record.enrolments import Enrolment

SHOWN_LINES = 25
Fact = tuple[str, Text]


@action("records.details")
class SeeDetails(Action):
    """Open the details of a mentee's record, with the code that a check compares."""

    person_id: UUID


@router.command(
    "person",
    "See one person's record",
    who=COORDINATORS,
    takes="NAME",
    accepts=lambda words: bool(words),
    help={"coordinator": 4},
)
def person_command(call: Call) -> Reply:
    """Show the person who is named or mentioned, or ask which one is meant."""
    if call.mentions:
        return Reply(card=person_card(call, _mentioned(call)))
    if not call.words:
        raise Refused("Add a name, an email address or a mention, for example: person Dana Reyes")
    matches = people.search(call.work.tx, call.words.removeprefix("@"), most=6)
    if not matches:
        raise Refused("I can't find anyone with that name or email address.")
    if len(matches) > 1:
        items = [Button(f"{person.name} <{person.email}>", OpenPerson(person.id)) for person in matches[:5]]
        several = (Note(("There are more people with that name. Send more of it.",)),) if len(matches) > 5 else ()
        return Reply(card=Card("Which person?", (buttons(*items), *several)))
    return Reply(card=person_card(call, matches[0]))


def _mentioned(call: Call) -> Person:
    """The person whose confirmed account is mentioned.

    Raises:
        Refused: several accounts are mentioned, or one that is linked to no person.
    """
    if len(call.mentions) > 1:
        raise Refused("Mention one person.")
    account = call.mentions[0]
    actor = people.actor(call.work.tx, account.platform, account.tenant, account.user)
    if actor is None or actor.person_id is None:
        raise Refused(
            "That account isn't matched to anyone on the roster. Send ", Cmd("person NAME"), ", or ", Cmd("people"), "."
        )
    return people.get(call.work.tx, actor.person_id)


@router.press(OpenPerson)
def open_record(call: Call, pressed: OpenPerson) -> Reply:
    """Show a person to a coordinator."""
    coordinators_only(call)
    return Reply(card=person_card(call, call.person(pressed.person_id)))


def person_card(call: Call, person: Person) -> Card:
    """A person as a coordinator sees them; of a mentee also the standing, the record and what can be changed."""
    tx = call.work.tx
    enrolment = enrolments.of_person(tx, person.id)
    own = ", ".join(cohort.name for cohort in cohorts.shared_cohorts(tx, person.id)) or "none"
    facts: tuple[Fact, ...] = (("Email", (person.email,)), ("Cohort", (own,)))
    roles = (*removal_buttons(call.work, person), *hold_blocks(call.work, person))
    if enrolment is None:
        return Card(person.name, (Facts(facts), *roles))
    away = leaves.running(tx, person.id, enrolments.today_of(call.work, person.id))
    mine = standings.of_people(tx, [person.id], call.work.now)[:1]
    standing = [block for mentee in mine for block in standing_blocks(mentee, certificates.of_person(tx, mentee.id))]
    waiting = waiting_blocks(call.work, person.id, call.my_id)
    forms = _forms(call, person, away)
    lines = _last_lines(call, person)
    return Card(
        person.name,
        (Facts((*facts, *_enrolment_facts(enrolment, away))), *standing, *waiting, forms, *roles, *lines),
    )


def _enrolment_facts(enrolment: Enrolment, away: Leave | None) -> list[Fact]:
    """``away``: the leave that they are on."""
    facts: list[Fact] = [
        ("Started", (say_day(enrolment.starts),)),
        ("District", (enrolment.district or "not set",)),
        ("Track", (track_words(enrolment.policy, enrolment.track),)),
        ("Policy", (enrolment.policy.title,)),
    ]
    if away is not None:
        facts.append(("On leave", (span_words(away.starts, away.ends),)))
    return facts


def _forms(call: Call, person: Person, away: Leave | None) -> Buttons:
    """What can be changed; the way back from a leave first, the way out of the program last."""
    forms = [
        Button(label, opens, opens_form=True)
        for label, opens in (
            ("Transfer", OpenTransfer(person.id)),
            ("Credit", OpenCredit(person.id)),
            ("Waive", OpenWaiver(person.id)),
            ("Leave", OpenLeaveGrant(person.id)),
            ("Change policy", OpenPolicyMove(person.id)),
        )
    ]
    forms.append(Button("Correct", ChooseCorrection(person.id), opens_form=True))
    if undoable(call, person):
        forms.append(Button("Undo", ChooseUndo(person.id), opens_form=True))
    if away is not None:
        forms.insert(0, back_button(away.id, "End the leave"))
    if cohorts.shared_cohorts(call.work.tx, person.id, ("mentee",)):
        forms.append(Button("Remove from program", OpenDeparture(person.id), opens_form=True))
    return buttons(*forms)


def _last_lines(call: Call, person: Person) -> list[Block]:
    lines = ledger.of_person(call.work.tx, person.id)
    details = buttons(Button("Details", SeeDetails(person.id), opens_form=True))
    if not lines:
        return [details]
    policy = enrolments.policy_of(call.work.tx, person.id)
    entries = {line.id: line for line in lines}
    moves = {line.detail["to"] for line in lines if (line.kind, line.step) == ("policy", "moved")}
    titles = {name: policies.get(call.work.tx, name).title for name in moves}
    rows = tuple(
        (
            say_day(local_day(line.recorded_at, call.me.zone)),
            entry_words(line, policy, call.me.zone, entries.get(line.target_id) if line.target_id else None, titles),
            line.recorder,
        )
        for line in reversed(lines[-SHOWN_LINES:])
    )
    all_of_them = f"Record ({counted(len(lines), 'entry', 'entries')})"
    caption = all_of_them if len(rows) == len(lines) else f"Last {len(rows)} of {len(lines)} entries"
    return [Table(("Recorded", "What", "By"), rows, caption=caption), details]


@router.press(SeeDetails)
def details(call: Call, pressed: SeeDetails) -> Reply:
    """What a check of the record compares, which few people need to see."""
    person, _ = mentee_of(call, pressed.person_id)
    head = ledger.head_of(call.work.tx, person.id)[:16] or "empty"
    return Reply(
        form=Form(
            "Details of the record",
            pressed,
            opener=pressed,
            submit=None,
            blocks=(
                Facts((("Person", (person.name,)), ("Check code", (head,)))),
                Note(("It changes with every entry. Keep it to show later that nothing was changed.",)),
            ),
        )
    )
