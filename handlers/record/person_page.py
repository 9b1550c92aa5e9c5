"""One person, as the coordinator sees them: standing, record, and the forms that change it from a date on."""

from __future__ import annotations

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import untyped
from handlers.core.calls import COORDINATORS, Call, FieldReader, Refused, coordinators_only
from handlers.core.cards import Block, Bold, Button, Buttons, Card, Cmd, Facts, Note, Table, buttons, say
from handlers.core.forms import ChoiceField, DateField, Form, FormErrors, Option, options_of
from handlers.core.paging import hint
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.handover import hand_over
from handlers.people.removals import removal_buttons
from handlers.privacy.holds import hold_blocks
from handlers.record.changed_notice import tell
from handlers.record.enrolled import mentee_of
from handlers.record.leave_decisions import refuse_double, request_first
from handlers.record.leave_requests import leave_line, span_words
from handlers.record.leave_return import back_button
from handlers.record.progress import standing_blocks
from handlers.record.record_actions import (
    ChooseCorrection,
    ChooseUndo,
    OpenCredit,
    OpenDeparture,
    OpenWaiver,
    UndoEntry,
)
from handlers.record.settling import kinds_of, settle_corrected
from handlers.record.undoing import undoable
from handlers.record.waiting import waiting_blocks
from program.core.times import local_day, say_day
from program.core.words import counted
from program.record.entry_words import entry_words, track_words
from program.record.ledger import Leave
from program.record.stated_days import stated_day
from program.record.wording import TRANSFER_REASONS
from storage.people import cohorts, people
from storage.people.people import Person
from storage.record import certificates, enrolments, leaves, ledger, policies, standings
from storage.record.ledger import Line

SHOWN_LINES = 25
MOST_COHORTS = 100  # in a choice


@router.command(
    "person",
    "See one person's record",
    who=COORDINATORS,
    takes="NAME",
    accepts=lambda words: bool(words),
    help={"coordinator": 4},
)
def person_command(call: Call) -> Reply:
    if call.mentions:
        return Reply(card=person_card(call, _mentioned(call)))
    if not call.words:
        raise Refused("Add a name, an email address or a mention, for example: person Dana Reyes")
    matches = people.search(call.work.tx, call.words.removeprefix("@"), most=6)
    if not matches:
        raise Refused("I can't find anyone with that name or email address.")
    if len(matches) > 1:
        items = [
            Button(f"{person.name} <{person.email}>", untyped("records.open", person.id)) for person in matches[:5]
        ]
        several = (Note(("There are more people with that name. Send more of it.",)),) if len(matches) > 5 else ()
        return Reply(card=Card("Which person?", (buttons(*items), *several)))
    return Reply(card=person_card(call, matches[0]))


def _mentioned(call: Call) -> Person:
    """The person whose confirmed account is mentioned.

    Raises:
        Refused: several accounts are mentioned, or one that is nobody's here.
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


@router.press("records.open")
def open_record(call: Call) -> Reply:
    coordinators_only(call)
    return Reply(card=person_card(call, call.person_at(0)))


def person_card(call: Call, person: Person) -> Card:
    tx = call.work.tx
    enrolment = enrolments.of_person(tx, person.id)
    own = ", ".join(cohort.name for cohort in cohorts.shared_cohorts(tx, person.id)) or "none"
    facts = [("Email", (person.email,)), ("Cohort", (own,))]
    if enrolment is None:
        return Card(
            person.name,
            (Facts(tuple(facts)), *removal_buttons(call.work, person), *hold_blocks(call.work, person)),
        )
    facts += [
        ("Started", (say_day(enrolment.starts),)),
        ("District", (enrolment.district or "not set",)),
        ("Track", (track_words(enrolment.policy, enrolment.track),)),
        ("Policy", (enrolment.policy.title,)),
    ]
    away = leaves.running(tx, person.id, enrolments.today_of(call.work, person.id))
    if away is not None:
        facts.append(("On leave", (span_words(away.starts, away.ends),)))
    mine = standings.of_people(tx, [person.id], call.work.now)[:1]
    standing = [block for mentee in mine for block in standing_blocks(mentee, certificates.of_person(tx, mentee.id))]
    return Card(
        person.name,
        (
            Facts(tuple(facts)),
            *standing,
            *waiting_blocks(call.work, person.id, call.my_id),
            _forms(call, person, away),
            *removal_buttons(call.work, person),
            *hold_blocks(call.work, person),
            *_last_lines(call, person),
        ),
    )


def _forms(call: Call, person: Person, away: Leave | None) -> Buttons:
    """What can be changed; the way back from a leave first, the way out of the program last."""
    forms = [
        Button(label, opens, opens_form=True)
        for label, opens in (
            ("Transfer", untyped("records.transfer", person.id)),
            ("Credit", OpenCredit(person.id)),
            ("Waive", OpenWaiver(person.id)),
            ("Leave", untyped("records.leave", person.id)),
            ("Change policy", untyped("records.policy", person.id)),
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
    details = buttons(Button("Details", untyped("records.details", person.id), opens_form=True))
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


@router.press("records.details")
def details(call: Call) -> Reply:
    """What a check of the record compares, which few people need to see."""
    person, _ = mentee_of(call, call.id_at(0))
    head = ledger.head_of(call.work.tx, person.id)[:16] or "empty"
    this = untyped("records.details", person.id)
    return Reply(
        form=Form(
            "Details of the record",
            this,
            opener=this,
            submit=None,
            blocks=(
                Facts((("Person", (person.name,)), ("Check code", (head,)))),
                Note(("It changes with every entry. Keep it to show later that nothing was changed.",)),
            ),
        )
    )


# The forms --------------------------------------------------------------------------------------


@router.press("records.transfer")
def transfer_form(call: Call) -> Reply:
    person, _ = mentee_of(call, call.id_at(0))
    every = [Option(str(cohort.id), cohort.name) for cohort in cohorts.all_cohorts(call.work.tx)]
    shown = tuple(every[:MOST_COHORTS])
    return Reply(
        form=Form(
            "Transfer",
            untyped("records.transferred", person.id),
            opener=untyped("records.transfer", person.id),
            submit="Transfer",
            blocks=(say(Bold(person.name), ". The mentee keeps all credit. The new cohort starts on this date."),),
            fields=(
                ChoiceField("cohort", "To the cohort", shown, hint=hint(len(every), len(shown))),
                DateField("day", "From", enrolments.today_of(call.work, person.id)),
                ChoiceField("reason", "Why", options_of(TRANSFER_REASONS)),
            ),
        )
    )


@router.submit("records.transferred")
def transfer(call: Call) -> Reply:
    person, _ = mentee_of(call, call.id_at(0))
    read = FieldReader(call.values)
    cohort_id = read.uuid("cohort", needed="Choose the cohort.")
    day = read.day("day", needed="Choose the day.")
    reason = read.choice("reason", tuple(TRANSFER_REASONS), needed="Choose a reason.")
    read.check()
    to = cohorts.find(call.work.tx, cohort_id) if cohort_id else None
    if to is None or day is None:
        raise FormErrors({"cohort": "Choose one of the options."})
    if day > enrolments.today_of(call.work, person.id):
        raise FormErrors({"day": "Choose today or an earlier day."})
    here = cohorts.shared_cohorts(call.work.tx, person.id, ("mentee",))
    if to.id in {cohort.id for cohort in here}:
        raise FormErrors({"cohort": f"{person.name} is in {to.name} already."})
    for cohort in here:
        cohorts.leave(call.work, cohort.id, person.id, call.my_id)
    cohorts.join(call.work, to.id, person.id, "mentee", call.my_id)
    detail = {"on": day.isoformat(), "from": [cohort.name for cohort in here], "to": to.name}
    line = Line("transfer", "made", stated_day(day), call.my_id, "coordinator", reason=reason, detail=detail)
    line_id = ledger.add(call.work, person.id, line)
    if line.kind not in kinds_of(call.work, settle_corrected(call, person.id)):  # the outcome tells it already
        tell(call.work, line_id, person.id)
    hand_over(call.work, [person.id])
    refresh_schedule(call.work, [person.id])
    return notice(Bold(person.name), f" is in {to.name} from {say_day(day)}. All credit is kept.")


@router.press("records.leave")
def leave_form(call: Call) -> Reply:
    person, enrolment = mentee_of(call, call.id_at(0))
    if enrolment.policy.leave is None:
        raise Refused("The policy has no rules for leave.")
    reasons = options_of(enrolment.policy.leave.reasons)
    return Reply(
        form=Form(
            "Leave of absence",
            untyped("records.leave.add", person.id),
            opener=untyped("records.leave", person.id),
            blocks=(say(Bold(person.name), "."),),
            fields=(
                DateField("starts", "First day", enrolments.today_of(call.work, person.id)),
                DateField("ends", "Last day, if known", None, optional=True),
                ChoiceField("reason", "Why", reasons),
            ),
        )
    )


@router.submit("records.leave.add")
def leave(call: Call) -> Reply:
    person, enrolment = mentee_of(call, call.id_at(0))
    read = FieldReader(call.values)
    starts = read.day("starts", needed="Choose the first day.")
    ends = read.day("ends")
    reasons = enrolment.policy.leave.reasons if enrolment.policy.leave else {}
    reason = read.choice("reason", tuple(reasons), needed="Choose a reason.")
    read.check()
    if starts is None or (ends is not None and ends < starts):
        raise FormErrors({"ends": "The last day must be after the first day."})
    refuse_double(call.work, person.id, starts, ends)
    if question := request_first(call.work, person.id, starts, ends):
        return Reply(card=question)
    line_id = ledger.add(call.work, person.id, leave_line("granted", starts, ends, reason, call.my_id, "coordinator"))
    refresh_schedule(call.work, [person.id])
    tell(call.work, line_id, person.id)
    undone = buttons(Button("Undo", UndoEntry(person.id, line_id)))
    return Reply(
        card=Card("", (say(f"Saved. {person.name} is on leave from {say_day(starts)}. I'll tell them."), undone))
    )
