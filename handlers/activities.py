"""Activities outside of meetings, and make-ups for missed ones: logged by the mentee, settled with one tap."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time
from uuid import UUID

from handlers.cards import (
    Bold,
    Button,
    Card,
    ChoiceField,
    DateField,
    Field,
    Form,
    Note,
    NumberField,
    Option,
    Text,
    action,
    buttons,
    say,
)
from handlers.completion import ask_for_approval
from handlers.planning import mentors_or_coordinators
from handlers.requests import Reply, notice
from handlers.router import Call, FieldReader, FormErrors, Refused, router
from program.periods import year_of
from program.policy import Activity, Policy
from program.times import local_day, say_day, to_local, to_utc
from program.words import listed
from storage import cohorts, deliveries, enrolments, ledger, meetings, people
from storage.deliveries import Delivery
from storage.ledger import Line, Recorded
from storage.work import Work

MENTEES = frozenset({"mentee"})
NOON = time(12)
MOST_MISSED = 50
MODES = {"in_person": "In person", "video": "By video", "phone": "By phone", "written": "In writing"}
DECISIONS = {
    "verified": "verified",
    "approved": "approved",
    "declined": "declined",
    "withdrawn": "withdrawn",
}


def _policy(call: Call) -> Policy:
    found = enrolments.of_person(call.work.tx, call.my_id)
    if found is None:
        raise Refused("You are not enrolled yet. Please ask your coordinator.")
    return found.policy


# Logging ----------------------------------------------------------------------------------------


@router.command("log", "Log an activity outside the meetings", who=MENTEES)
def log_command(call: Call) -> Reply:
    return Reply(form=_log_form(call))


@router.press("activities.log")
def log_form(call: Call) -> Reply:
    return Reply(form=_log_form(call))


def _log_form(call: Call) -> Form:
    policy = _policy(call)
    kinds = [one for one in policy.activities if one.logged_by == "mentee"]
    if not kinds:
        raise Refused("Your program's policy lists no activities that mentees log.")
    return Form(
        "Log an activity",
        action("activities.logged"),
        opener=action("activities.log"),
        blocks=(Note(("Your mentor verifies it with one tap. Please nothing about students.",)),),
        fields=(
            ChoiceField("type", "What", tuple(Option(one.type, one.name) for one in kinds)),
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
    return (ChoiceField("mode", "How", options, optional=True, hint=_mode_hint(kinds)),)


def _mode_words(mode: str) -> str:
    return MODES.get(mode, mode.replace("_", " ").capitalize())


def _mode_hint(kinds: list[Activity]) -> str:
    return f"Needed for: {listed([one.name for one in kinds if one.modes])}."


def _read_when(call: Call, read: FieldReader, kind: Activity | None) -> tuple[date, int]:
    """The day and minutes, in the bounds of the policy's catalogue."""
    day = read.day("day", needed="Choose the day.")
    minutes = read.number("minutes", 1, 1440, needed="Write the minutes.")
    if day and day > to_local(call.work.now, call.me.zone).date():
        read.errors["day"] = "That day is ahead."
    if kind and minutes and isinstance(kind.min_minutes, int) and minutes < kind.min_minutes:
        read.errors["minutes"] = f"{kind.name} counts from {kind.min_minutes} minutes."
    read.check()
    return day or date.min, minutes or 0


def _happened(call: Call, day: date) -> datetime:
    return to_utc(datetime.combine(day, NOON), call.me.zone)


@router.submit("activities.logged")
def logged(call: Call) -> Reply:
    policy = _policy(call)
    read = FieldReader(call.values)
    kind = policy.activity(read.choice("type", [one.type for one in policy.activities], needed="Choose what it was."))
    if kind and kind.modes and read.text("mode") not in kind.modes:  # it would never count
        ways = listed([_mode_words(mode).lower() for mode in kind.modes]).replace(" and ", " or ")
        read.errors["mode"] = f"{kind.name} counts {ways}: choose which."
    day, minutes = _read_when(call, read, kind)
    if kind is None or kind.logged_by != "mentee":
        raise FormErrors({"type": "Choose one of the options."})
    detail = {"mode": read.text("mode")} if read.text("mode") in kind.modes else {}
    line = Line(
        "activity", "logged", _happened(call, day), call.my_id, "self", minutes=minutes, code=kind.type, detail=detail
    )
    line_id = ledger.add(call.work, call.my_id, line)
    if kind.verified_by == "nobody":
        return notice(f"Logged: {kind.name}, {minutes} minutes. It needs nobody's verification.")
    _ask(call, line_id, kind.verified_by)
    return notice(f"Logged: {kind.name}, {minutes} minutes. Your {kind.verified_by} is asked to verify it.")


def _ask(call: Call, line_id: UUID, who: str) -> None:
    for one in _deciders(call.work, call.my_id, who):
        deliveries.to_person(call.work, "activity.decide", one, line_id)
    deliveries.to_person(call.work, "activity.own", call.my_id, line_id)


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


@router.command("makeup", "Ask for a make-up for a missed meeting", who=MENTEES)
def makeup_command(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


@router.press("activities.makeup")
def makeup_form(call: Call) -> Reply:
    return Reply(form=_makeup_form(call))


def _makeup_form(call: Call) -> Form:
    policy = _policy(call)
    if policy.makeups is None:
        raise Refused("Your program's policy knows no make-ups.")
    missed = _missed(call, policy)
    if not missed:
        raise Refused("You missed no meeting this program year that is not made up already.")
    kinds = [one for one in policy.activities if one.type in policy.makeups.activities]
    return Form(
        "Make up a meeting",
        action("activities.makeup.asked"),
        opener=action("activities.makeup"),
        submit="Ask",
        blocks=(Note((f"It counts once your {policy.makeups.approver} has approved it.",)),),
        fields=(
            ChoiceField("meeting", "The missed meeting", tuple(missed)),
            ChoiceField("type", "What you did instead", tuple(Option(one.type, one.name) for one in kinds)),
            *_when_fields(call),
        ),
    )


def _missed(call: Call, policy: Policy) -> list[Option]:
    """This program year's meetings with an absence, and not as many make-ups asked as one needs."""
    lines = ledger.of_person(call.work.tx, call.my_id)
    last: dict[UUID, Recorded] = {}
    for line in lines:
        if line.kind == "attendance" and line.step != "tapped" and line.meeting_id:
            last[line.meeting_id] = line
    refused = {line.target_id for line in lines if line.kind == "makeup" and line.step in ("declined", "withdrawn")}
    asked = Counter(
        line.meeting_id for line in lines if line.kind == "makeup" and line.step == "asked" and line.id not in refused
    )
    ratio = policy.makeups.ratio if policy.makeups and isinstance(policy.makeups.ratio, int) else 1
    year = year_of(local_day(call.work.now, policy.program.zone), policy.program.boundary)
    options = []
    for meeting_id, line in sorted(last.items(), key=lambda item: item[1].happened_at, reverse=True):
        day = local_day(line.happened_at, policy.program.zone)
        if (
            line.status in ("absent", "excused")
            and asked[meeting_id] < ratio
            and year_of(day, policy.program.boundary) == year
        ):
            meeting = meetings.get(call.work.tx, meeting_id)
            label = f"{say_day(day)}, {meeting.topic[:40]} ({line.status})"
            if meeting.cancelled_at is None:
                options.append(Option(str(meeting_id), label))
    return options[:MOST_MISSED]


@router.submit("activities.makeup.asked")
def makeup_asked(call: Call) -> Reply:
    policy = _policy(call)
    if policy.makeups is None:
        raise Refused("Your program's policy knows no make-ups.")
    read = FieldReader(call.values)
    open_ones = [one.value for one in _missed(call, policy)]
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
    _ask(call, ledger.add(call.work, call.my_id, line), policy.makeups.approver)
    return notice(f"Asked. Your {policy.makeups.approver} can approve it with one tap.")


# Deciding ---------------------------------------------------------------------------------------


def _outcome(work: Work, line: Recorded) -> str:
    """The last decision about a line; empty while it waits."""
    decided = [one.step for one in ledger.about(work.tx, line.id) if one.kind == line.kind]
    return decided[-1] if decided else ""


def _approver(work: Work, line: Recorded) -> str:
    policy = enrolments.policy_of(work.tx, line.person_id)
    if line.kind == "makeup":
        return policy.makeups.approver if policy.makeups else "coordinator"
    kind = policy.activity(line.code)
    return kind.verified_by if kind else "mentor"


def _told(work: Work, line: Recorded) -> Text:
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
    return None if line is None else _question(work, line)


def _question(work: Work, line: Recorded) -> Card:
    """The question to those who decide, or what was decided."""
    who = people.get(work.tx, line.person_id).name
    outcome = _outcome(work, line)
    told = say(Bold(who), ": ", *_told(work, line), ".")
    if outcome:
        return Card(f"{'Make-up' if line.kind == 'makeup' else 'Activity'} {DECISIONS[outcome]}", (told,))
    yes = "Approve" if line.kind == "makeup" else "Verify"
    items = buttons(
        Button(yes, action("activities.decide", line.id, "yes"), style="primary"),
        Button("Decline", action("activities.decide", line.id, "no"), confirm="Decline it? The mentee is told."),
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
        return Card(f"Your {what} is {DECISIONS[outcome]}", (told,))
    waits = Note((f"It waits for your {_approver(work, line)}.",))
    back = buttons(Button("Withdraw", action("activities.withdraw", line.id), confirm="Take it back?"))
    return Card(f"Your {what} is recorded", (told, waits, back))


def _waiting(call: Call) -> Recorded:
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or line.kind not in ("activity", "makeup") or line.step not in ("logged", "asked"):
        raise Refused("That is not there.")
    if _outcome(call.work, line):
        raise Refused("That is settled already.")
    return line


@router.press("activities.decide")
def decide(call: Call) -> Reply:
    line = _waiting(call)
    if call.my_id not in _deciders(call.work, line.person_id, _approver(call.work, line)):
        raise Refused("That is not there.")
    yes = "approved" if line.kind == "makeup" else "verified"
    _settle(call, line, yes if call.args[1:2] == ("yes",) else "declined")
    return Reply(replace=_question(call.work, line))


@router.press("activities.withdraw")
def withdraw(call: Call) -> Reply:
    line = _waiting(call)
    if line.person_id != call.my_id:
        raise Refused("That is not there.")
    _settle(call, line, "withdrawn")
    return Reply(replace=Card("Withdrawn", (say("It no longer waits for anybody."),)))


def _settle(call: Call, line: Recorded, outcome: str) -> None:
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    settled = Line(
        line.kind, outcome, line.happened_at, call.my_id, verified, meeting_id=line.meeting_id, target_id=line.id
    )
    ledger.add(call.work, line.person_id, settled)
    deliveries.refresh(call.work, "activity.decide", line.id)
    deliveries.refresh(call.work, "activity.own", line.id)
    if outcome != "withdrawn":
        deliveries.to_person(call.work, "activity.own", line.person_id, line.id, tag="settled")
        ask_for_approval(call.work, [line.person_id])
