"""Activities outside of meetings, and make-ups for missed ones: logged by the mentee, settled with one tap.

What was settled wrongly is corrected with a reason; every step stays in the record.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from uuid import UUID

from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Buttons,
    Card,
    ChoiceField,
    Cmd,
    DateField,
    Field,
    Form,
    Note,
    NumberField,
    Option,
    Text,
    action,
    buttons,
    options_of,
    plain_text,
    say,
)
from handlers.core.paging import hint
from handlers.core.requests import Reply, notice
from handlers.core.router import Call, FieldReader, FormErrors, Refused, mentees_only, router
from handlers.meetings.planning import mentors_or_coordinators
from handlers.people.contacts import ask_coordinator
from handlers.people.recipients import NO_LONGER
from handlers.record.completion import ask_for_approval
from handlers.record.settling import settle_corrected
from program.core.times import local_day, say_day, to_local, to_utc
from program.core.words import listed, shortened
from program.meetings.attendance import correction_reasons
from program.record.policy import Activity, Policy
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.record import enrolments, ledger, standings
from storage.record.ledger import Line

MENTEES = frozenset({"mentee"})
NOON = time(12)
MOST_MISSED = 50
MOST_CORRECTED = 50
MODES = {"in_person": "In person", "video": "By video", "phone": "By phone", "written": "In writing"}
DECISIONS = {
    "verified": "verified",
    "approved": "approved",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "corrected": "corrected",
}


def _policy(call: Call) -> Policy:
    found = enrolments.of_person(call.work.tx, call.my_id)
    if found is None:
        raise Refused(f"You're not enrolled in the program yet. {ask_coordinator(call.work.tx, 'enroll you')}")
    mentees_only(call)
    return found.policy


# Logging ----------------------------------------------------------------------------------------


@router.command("log", "Log something you did outside meetings", who=MENTEES)
def log_command(call: Call) -> Reply:
    return Reply(form=_log_form(call))


@router.press("activities.log")
def log_form(call: Call) -> Reply:
    return Reply(form=_log_form(call))


def _log_form(call: Call) -> Form:
    policy = _policy(call)
    kinds = [one for one in policy.activities if one.logged_by == "mentee"]
    if not kinds:
        raise Refused("Your program has no activities for mentees to log.")
    return Form(
        "Log an activity",
        action("activities.logged"),
        opener=action("activities.log"),
        blocks=(Note(("Your mentor will verify it. Please leave out student names and private matters.",)),),
        fields=(
            ChoiceField("type", "What you did", tuple(Option(one.type, one.name) for one in kinds)),
            *_when_fields(call),
            *_mode_field(kinds),
        ),
    )


def _when_fields(call: Call) -> tuple[Field, ...]:
    today = to_local(call.work.now, call.me.zone).date()
    return (DateField("day", "When", today), NumberField("minutes", "Minutes", None, 1, 1440))


def _mode_field(kinds: list[Activity]) -> tuple[Field, ...]:
    modes = list(dict.fromkeys(mode for one in kinds for mode in one.modes))
    if not modes:
        return ()
    options = tuple(Option(mode, _mode_words(mode)) for mode in modes)
    return (ChoiceField("mode", _mode_label(kinds), options, optional=True),)


def _mode_words(mode: str) -> str:
    return MODES.get(mode, mode.replace("_", " ").capitalize())


def _mode_label(kinds: list[Activity]) -> str:
    """The question for how something was done, naming the kinds it is only for: other kinds leave it empty."""
    names = [kind.name[:1].lower() + kind.name[1:] for kind in kinds if kind.modes]
    return "How" if len(names) == len(kinds) else f"How (only for {listed(names)})"


def _read_when(call: Call, read: FieldReader, kind: Activity | None) -> tuple[date, int]:
    """The day and minutes, in the bounds of the policy's catalogue."""
    day = read.day("day", needed="Choose the day.")
    minutes = read.number("minutes", 1, 1440, needed="Enter the number of minutes.")
    if day and day > to_local(call.work.now, call.me.zone).date():
        read.errors["day"] = "That day is in the future. Choose today or an earlier day."
    if kind and minutes and isinstance(kind.min_minutes, int) and minutes < kind.min_minutes:
        read.errors["minutes"] = f"{kind.name} needs at least {kind.min_minutes} minutes to count."
    read.check()
    return day or date.min, minutes or 0


def _happened(call: Call, day: date) -> datetime:
    return to_utc(datetime.combine(day, NOON), call.me.zone)


@router.submit("activities.logged")
def logged(call: Call) -> Reply:
    policy = _policy(call)
    read = FieldReader(call.values)
    kind = policy.activity(read.choice("type", [one.type for one in policy.activities], needed="Choose what you did."))
    if kind and kind.modes and read.text("mode") not in kind.modes:  # it would never count
        ways = listed([_mode_words(mode).lower() for mode in kind.modes]).replace(" and ", " or ")
        read.errors["mode"] = f"Choose how you did it. {kind.name} counts {ways}."
    day, minutes = _read_when(call, read, kind)
    if kind is None or kind.logged_by != "mentee":
        raise FormErrors({"type": "Choose one of the options."})
    detail = {"mode": read.text("mode")} if read.text("mode") in kind.modes else {}
    line = Line(
        "activity", "logged", _happened(call, day), call.my_id, "self", minutes=minutes, code=kind.type, detail=detail
    )
    line_id = ledger.add(call.work, call.my_id, line)
    if kind.verified_by == "nobody":
        return notice(f"Logged: {kind.name}, {minutes} minutes. It counts right away.")
    _ask(call.work, call.my_id, line_id, kind.verified_by)
    told = f"Logged: {kind.name}, {minutes} minutes. I asked your {kind.verified_by} to verify it."
    return Reply(card=Card("", (say(told), _withdraw_button(line_id))))


def _ask(work: Work, person_id: UUID, line_id: UUID, who: str) -> None:
    for one in _deciders(work, person_id, who):
        deliveries.to_person(work, "activity.decide", one, line_id)


def _withdraw_button(line_id: UUID) -> Buttons:
    return buttons(Button("Withdraw", action("activities.withdraw", line_id), confirm="Take it back?"))


def hand_on(work: Work, person_id: UUID) -> None:
    """Somebody's cohort changed: what still waits is put to those who decide now; the others are told."""
    lines = ledger.of_person(work.tx, person_id)
    settled = {line.target_id for line in lines if line.kind in ("activity", "makeup")}
    for line in lines:
        if (line.kind, line.step) in ledger.REQUESTS and line.id not in settled and _approver(work, line) != "nobody":
            _ask(work, person_id, line.id, _approver(work, line))
            deliveries.refresh(work, line.id, "activity.decide")


def _deciders(work: Work, person_id: UUID, who: str) -> set[UUID]:
    """Who may settle something of this mentee: their mentors, the coordinators, or both."""
    found: set[UUID] = set()
    if "mentor" in who:
        for cohort in cohorts.shared_cohorts(work.tx, person_id, ("mentee",)):
            found |= {one.id for one in mentors_or_coordinators(work, cohort)}
    if "coordinator" in who or not found:
        found |= {one.id for one in people.coordinators(work.tx)}
    return found - {person_id}


# Make-ups ---------------------------------------------------------------------------------------


@router.command("makeup", "Make up a missed meeting", who=MENTEES)
def makeup_command(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


@router.press("activities.makeup")
def makeup_form(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


def _makeup_form(call: Call) -> Form:
    policy = _policy(call)
    if policy.makeups is None:
        raise Refused("Your program doesn't allow make-ups.")
    missed = _missed(call)
    if not missed:
        raise Refused("You have no missed meetings to make up.")
    kinds = [one for one in policy.activities if one.type in policy.makeups.activities]
    return Form(
        "Make up a meeting",
        action("activities.makeup.asked"),
        opener=action("activities.makeup"),
        submit="Send request",
        blocks=(Note((f"It counts after your {policy.makeups.approver} approves it.",)),),
        fields=(
            ChoiceField(
                "meeting",
                "The missed meeting",
                tuple(missed[:MOST_MISSED]),
                hint=hint(len(missed), MOST_MISSED, "newest"),
            ),
            ChoiceField("type", "What you did instead", tuple(Option(one.type, one.name) for one in kinds)),
            *_when_fields(call),
        ),
    )


def _missed(call: Call) -> list[Option]:
    """The meetings that can still be made up, as the standing says, the newest first."""
    found = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    options = []
    for item in (item for one in found for item in one.standing.to_make_up):
        meeting = meetings.find(call.work.tx, item.id)
        if meeting is not None:  # an imported line has none of its own
            options.append(Option(str(item.id), f"{say_day(item.day)}, {shortened(meeting.topic, 40)} ({item.why})"))
    return options


@router.submit("activities.makeup.asked")
def makeup_asked(call: Call) -> Reply:
    policy = _policy(call)
    if policy.makeups is None:
        raise Refused("Your program doesn't allow make-ups.")
    read = FieldReader(call.values)
    open_ones = [one.value for one in _missed(call)]
    meeting_id = read.choice("meeting", open_ones, needed="Choose the meeting.")
    kind = policy.activity(read.choice("type", policy.makeups.activities, needed="Choose what you did."))
    day, minutes = _read_when(call, read, kind)
    if kind is None:
        raise FormErrors({"type": "Choose one of the options."})
    line = Line(
        "makeup",
        "asked",
        _happened(call, day),
        call.my_id,
        "self",
        meeting_id=UUID(meeting_id),
        minutes=minutes,
        code=kind.type,
    )
    line_id = ledger.add(call.work, call.my_id, line)
    _ask(call.work, call.my_id, line_id, policy.makeups.approver)
    told = f"Request sent to your {policy.makeups.approver}. I'll tell you the decision."
    return Reply(card=Card("", (say(told), _withdraw_button(line_id))))


# Deciding ---------------------------------------------------------------------------------------


def _outcome(work: Work, line: RecordLine) -> str:
    """The last decision about a line; empty while it waits."""
    decided = [one.step for one in ledger.about(work.tx, line.id) if one.kind == line.kind]
    return decided[-1] if decided else ""


def _approver(work: Work, line: RecordLine) -> str:
    policy = enrolments.policy_of(work.tx, line.person_id)
    if line.kind == "makeup":
        return policy.makeups.approver if policy.makeups else "coordinator"
    kind = policy.activity(line.code)
    return kind.verified_by if kind else "mentor"


def _told(work: Work, line: RecordLine) -> Text:
    policy = enrolments.policy_of(work.tx, line.person_id)
    kind = policy.activity(line.code)
    day = say_day(local_day(line.happened_at, policy.program.zone))
    what = f"{kind.name if kind else line.code}, {day}, {line.minutes} minutes"
    if line.kind == "makeup" and line.meeting_id:
        missed = meetings.get(work.tx, line.meeting_id)
        return (f"{what}, to make up {missed.topic} of {say_day(missed.local_start.date())}",)
    return (what,)


@router.delivery("activity.decide")
def decide_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None or (item.verb == "post" and _goes_to_others(work, line, item.person_id)):
        return None
    if _outcome(work, line) and not _may_see(work, line, item.person_id):
        return NO_LONGER if item.verb == "update" else None
    return _question(work, line, item.person_id)


def _may_see(work: Work, line: RecordLine, reader_id: UUID | None) -> bool:
    """Whether somebody may still see what was decided: whoever decides or corrects now."""
    return reader_id in _deciders(work, line.person_id, _approver(work, line)) | _correctors(work, line)


def _goes_to_others(work: Work, line: RecordLine, reader_id: UUID | None) -> bool:
    """Whether it waits for a decision that is not this reader's."""
    return not _outcome(work, line) and reader_id not in _deciders(work, line.person_id, _approver(work, line))


def _question(work: Work, line: RecordLine, reader_id: UUID | None) -> Card:
    """The question to somebody who decides, or what was decided."""
    who = people.get(work.tx, line.person_id).name
    outcome = _outcome(work, line)
    told = say(Bold(who), ": ", *_told(work, line), ".")
    if outcome:
        title = f"{'Make-up' if line.kind == 'makeup' else 'Activity'} {DECISIONS[outcome]}"
        if outcome == "withdrawn" or reader_id not in _correctors(work, line):
            return Card(title, (told, *_corrected(work, line)))
        correct = Button("Correct", action("activities.correct", line.id), opens_form=True)
        return Card(title, (told, *_corrected(work, line), buttons(correct)))
    if _goes_to_others(work, line, reader_id):
        gone = Note(("I asked the person who decides now. You don't need to do anything.",))
        return Card("Someone else decides this now", (told, gone))
    yes = "Approve" if line.kind == "makeup" else "Verify"
    items = buttons(
        Button(yes, action("activities.decide", line.id, "yes"), style="primary"),
        Button("Decline", action("activities.decide", line.id, "no"), confirm="Decline it? I'll tell the mentee."),
    )
    return Card("A make-up to approve" if line.kind == "makeup" else "An activity to verify", (told, items))


@router.delivery("activity.own")
def own_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    outcome = _outcome(work, line)
    told = say(*_told(work, line), ".")
    what = "make-up" if line.kind == "makeup" else "activity"
    if outcome:
        return Card(f"Your {what} is {DECISIONS[outcome]}", (told, *_corrected(work, line)))
    waits = Note((f"Waiting for your {_approver(work, line)}.",))
    return Card(f"Your {what} is saved", (told, waits, _withdraw_button(line.id)))


def _waiting(call: Call) -> RecordLine:
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or (line.kind, line.step) not in ledger.REQUESTS:
        raise Refused("I can't find that entry.")
    if _outcome(call.work, line):
        raise Refused("That's already decided.")
    return line


@router.press("activities.decide")
def decide(call: Call) -> Reply:
    line = _waiting(call)
    if call.my_id not in _deciders(call.work, line.person_id, _approver(call.work, line)):
        raise Refused("I can't find that entry.")
    yes = "approved" if line.kind == "makeup" else "verified"
    _settle(call, line, yes if call.args[1:2] == ("yes",) else "declined")
    return Reply(replace=_question(call.work, line, call.my_id))


@router.press("activities.withdraw")
def withdraw(call: Call) -> Reply:
    line = _waiting(call)
    if line.person_id != call.my_id:
        raise Refused("I can't find that entry.")
    _settle(call, line, "withdrawn")
    return Reply(replace=Card("Withdrawn", (say("You took it back. No one needs to decide it now."),)))


def _decision(call: Call, line: RecordLine, outcome: str) -> Line:
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    return Line(
        line.kind, outcome, line.happened_at, call.my_id, verified, meeting_id=line.meeting_id, target_id=line.id
    )


def _settle(call: Call, line: RecordLine, outcome: str) -> None:
    ledger.add(call.work, line.person_id, _decision(call, line, outcome))
    deliveries.refresh(call.work, line.id, "activity.decide", "activity.own")
    if outcome != "withdrawn":
        deliveries.to_person(call.work, "activity.own", line.person_id, line.id, tag="settled")
        ask_for_approval(call.work, [line.person_id])


# Correcting what was settled wrongly --------------------------------------------------------------

COUNTS = {"counts": "It counts", "does_not_count": "It doesn't count"}


def _correctors(work: Work, line: RecordLine) -> set[UUID]:
    """Who may correct this: as the policy says of corrections, else whoever may decide about it."""
    rules = enrolments.policy_of(work.tx, line.person_id).corrections
    return _deciders(work, line.person_id, rules.approver if rules else _approver(work, line))


def _correction(work: Work, line: RecordLine) -> RecordLine | None:
    """The last correction of a line."""
    return next((one for one in reversed(ledger.about(work.tx, line.id)) if one.step == "corrected"), None)


def _corrected(work: Work, line: RecordLine) -> list[Block]:
    """What a correction said, for everybody who sees the line."""
    found = _correction(work, line)
    if found is None:
        return []
    minutes = f" with {found.minutes} minutes" if found.minutes is not None and found.status == "counts" else ""
    reasons = correction_reasons([enrolments.policy_of(work.tx, line.person_id)])
    return [say(f"{COUNTS[found.status]}{minutes}. {reasons.get(found.reason, found.reason)}.")]


def _may_correct(work: Work, line: RecordLine) -> bool:
    """Whether something was decided about a line that may have been wrong; what nobody verifies counts at once."""
    outcome = _outcome(work, line)
    return outcome != "withdrawn" and (outcome != "" or _approver(work, line) == "nobody")


def _settled(call: Call, line_id: UUID) -> RecordLine:
    """A line that was decided about and that the asker may correct."""
    line = ledger.get(call.work.tx, line_id)
    if line is None or (line.kind, line.step) not in ledger.REQUESTS or call.my_id not in _correctors(call.work, line):
        raise Refused("I can't find that entry.")
    if not _may_correct(call.work, line):
        raise Refused("No one has decided it yet, so there is nothing to correct.")
    return line


@router.press("activities.choose")
def choose_form(call: Call) -> Reply:
    """Which of somebody's activities and make-ups to correct, the newest first."""
    if not call.me.coordinator:
        raise Refused("Only coordinators can do that.")
    person = call.person_at(0)
    every = [one for one in ledger.of_person(call.work.tx, person.id) if (one.kind, one.step) in ledger.REQUESTS]
    found = [one for one in reversed(every) if _may_correct(call.work, one)]
    if not found:
        raise Refused(f"{person.name} has no decided activities or make-ups, so there is nothing to correct.")
    shown = found[:MOST_CORRECTED]
    choices = tuple(Option(str(one.id), shortened(plain_text(_told(call.work, one)), 75)) for one in shown)
    return Reply(
        form=Form(
            "Correct",
            action("activities.chosen", person.id),
            opener=action("activities.choose", person.id),
            submit="Next",
            blocks=(say(Bold(person.name), ". To correct attendance, send ", Cmd("attendance"), "."),),
            fields=(ChoiceField("line", "Which entry", choices, hint=hint(len(found), len(choices), "newest")),),
        )
    )


@router.submit("activities.chosen")
def chosen(call: Call) -> Reply:
    read = FieldReader(call.values)
    line_id = read.uuid("line", needed="Choose the entry.")
    read.check()
    if line_id is None:
        raise FormErrors({"line": "Choose the entry."})
    return Reply(form=_correct_form(call, _settled(call, line_id)))


@router.press("activities.correct")
def correct_form(call: Call) -> Reply:
    return Reply(form=_correct_form(call, _settled(call, call.id_at(0))))


def _correct_form(call: Call, line: RecordLine) -> Form:
    reasons = correction_reasons([enrolments.policy_of(call.work.tx, line.person_id)])
    before = _correction(call.work, line)
    minutes = before.minutes if before and before.minutes is not None else line.minutes
    return Form(
        "Correct",
        action("activities.corrected", line.id),
        opener=action("activities.correct", line.id),
        submit="Correct",
        blocks=(
            say(Bold(people.get(call.work.tx, line.person_id).name), ": ", *_told(call.work, line), "."),
            Note(("The record keeps both entries. I'll tell the mentee.",)),
        ),
        fields=(
            ChoiceField("status", "Correct result", options_of(COUNTS)),
            NumberField("minutes", "Minutes", minutes, 1, 1440),
            ChoiceField("reason", "Why", options_of(reasons)),
        ),
    )


@router.submit("activities.corrected")
def correct(call: Call) -> Reply:
    line = _settled(call, call.id_at(0))
    read = FieldReader(call.values)
    status = read.choice("status", tuple(COUNTS), needed="Choose the correct result.")
    minutes = read.number("minutes", 1, 1440, needed="Enter the number of minutes.")
    reasons = correction_reasons([enrolments.policy_of(call.work.tx, line.person_id)])
    reason = read.choice("reason", tuple(reasons), needed="Choose a reason.")
    read.check()
    corrected = replace(
        _decision(call, line, "corrected"),
        status=status,
        minutes=minutes if status == "counts" else None,
        reason=reason,
    )
    line_id = ledger.add(call.work, line.person_id, corrected)
    deliveries.refresh(call.work, line.id, "activity.decide", "activity.own")
    if not settle_corrected(call, line.person_id):  # the outcome of a dispute tells it already
        deliveries.to_person(call.work, "activity.own", line.person_id, line.id, tag=line_id)
    ask_for_approval(call.work, [line.person_id])
    return notice("Corrected. I told the mentee. The record keeps both entries.")
