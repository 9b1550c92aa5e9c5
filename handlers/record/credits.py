"""Credits and waivers of one mentee."""

from __future__ import annotations

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import ChoiceField, DateField, Form, NumberField, Option, options_of
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from handlers.record.enrolled import mentee_of
from program.record.policy import AtLeast, Policy
from program.record.stated_days import stated_day
from storage.record import enrolments, ledger
from storage.record.ledger import Line

YEAR_HINTS = {
    "waiver": "Leave empty for every year",
    "credit": "Leave empty only for a requirement of the whole program",
}


def _countable(policy: Policy) -> list[AtLeast]:
    return [rule for rule in policy.rules if isinstance(rule, AtLeast)]


def _years(policy: Policy) -> tuple[Option, ...]:
    count = policy.program.years
    numbers = range(1, (count if isinstance(count, int) else 2) + 1)
    return tuple(Option(str(number), f"Year {number}") for number in numbers)


@router.press("records.credit")
def credit_form(call: Call) -> Reply:
    return _amount_form(call, "credit", "Credit", "Count something the mentee did elsewhere.")


@router.press("records.waiver")
def waiver_form(call: Call) -> Reply:
    return _amount_form(
        call, "waiver", "Waive", "Require less of this mentee. Leave the amount empty to waive the whole requirement."
    )


def _amount_form(call: Call, kind: str, submit: str, why: str) -> Reply:
    person, enrolment = mentee_of(call, call.id_at(0))
    if enrolment.policy.waivers is None:
        raise Refused("The policy doesn't allow waivers or credits.")
    rules = tuple(Option(rule.id, rule.name) for rule in _countable(enrolment.policy))
    reasons = options_of(enrolment.policy.waivers.reasons)
    return Reply(
        form=Form(
            submit,
            untyped(f"records.{kind}.add", person.id),
            opener=untyped(f"records.{kind}", person.id),
            submit=submit,
            blocks=(say(Bold(person.name), f". {why}"),),
            fields=(
                ChoiceField("rule", "Requirement", rules),
                ChoiceField("year", "Program year", _years(enrolment.policy), optional=True, hint=YEAR_HINTS[kind]),
                NumberField("amount", "How much", None, 1, 10_000, optional=kind == "waiver"),
                DateField("day", "From", enrolments.today_of(call.work, person.id)),
                ChoiceField("reason", "Why", reasons),
            ),
        )
    )


@router.submit("records.credit.add")
def credit(call: Call) -> Reply:
    return _add_amount(call, "credit")


@router.submit("records.waiver.add")
def waiver(call: Call) -> Reply:
    return _add_amount(call, "waiver")


def _add_amount(call: Call, kind: str) -> Reply:
    person, enrolment = mentee_of(call, call.id_at(0))
    read = FieldReader(call.values)
    rules = {rule.id: rule for rule in _countable(enrolment.policy)}
    rule = read.choice("rule", tuple(rules), needed="Choose the requirement.")
    year = read.number("year", 1, 10)
    if kind == "credit" and year is None and rule in rules and rules[rule].per != "program":
        read.errors["year"] = "Choose the program year."  # without it, it would count in none
    amount = read.number("amount", 1, 10_000, needed="Enter how much." if kind == "credit" else "")
    day = read.day("day", needed="Choose the day.")
    reasons = enrolment.policy.waivers.reasons if enrolment.policy.waivers else {}
    reason = read.choice("reason", tuple(reasons), needed="Choose a reason.")
    read.check()
    detail = {"year": year, "amount": amount}
    happened = stated_day(day or enrolments.today_of(call.work, person.id))
    line = Line(kind, "granted", happened, call.my_id, "coordinator", code=rule, reason=reason, detail=detail)
    line_id = ledger.add(call.work, person.id, line)
    tell(call.work, line_id, person.id)
    look_again(call.work, [person.id])
    undo = buttons(Button("Undo", untyped("records.undo", person.id, line_id)))
    return Reply(
        card=Card(
            "", (say(f"Saved for {person.name}. I'll tell them. If you undo it, the record will show both."), undo)
        )
    )
