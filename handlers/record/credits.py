"""Credits and waivers of one mentee."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import ChoiceField, DateField, Fields, Form, FormErrors, NumberField, Option, options_of
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from handlers.record.enrolled import mentee_of
from handlers.record.record_actions import OpenCredit, OpenWaiver, UndoEntry
from program.record.policy import AtLeast, Policy
from program.record.stated_days import stated_day
from storage.record import enrolments, ledger
from storage.record.ledger import Line


@action("records.credit.add")
class AddCredit(Action):
    """Credit a mentee with what they did elsewhere."""

    person_id: UUID


@action("records.waiver.add")
class AddWaiver(Action):
    """Require less of a mentee."""

    person_id: UUID


@dataclass(frozen=True, slots=True)
class AmountKind:
    """What differs between a credit and a waiver. ``name``: the kind of its line in the ledger."""

    name: str
    title: str
    why: str
    year_hint: str
    needs_amount: bool
    opens: Callable[[UUID], Action]
    adds: Callable[[UUID], Action]


CREDIT = AmountKind(
    "credit",
    "Credit",
    "Count something the mentee did elsewhere.",
    "Leave empty only for a requirement of the whole program",
    needs_amount=True,
    opens=OpenCredit,
    adds=AddCredit,
)
WAIVER = AmountKind(
    "waiver",
    "Waive",
    "Require less of this mentee. Leave the amount empty to waive the whole requirement.",
    "Leave empty for every year",
    needs_amount=False,
    opens=OpenWaiver,
    adds=AddWaiver,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of which requirement. ``year``: a number, or empty for all years; ``amount``: None for all of it."""

    rule: str
    year: str
    amount: int | None
    day: date
    reason: str


def _fields(kind: AmountKind, policy: Policy, today: date | None = None) -> Fields[Amount]:
    """The fields of the form.

    Raises:
        Refused: the policy has no rules for waivers and credits.
    """
    if policy.waivers is None:
        raise Refused("The policy doesn't allow waivers or credits.")
    rules = tuple(Option(rule.id, rule.name) for rule in _countable(policy))
    return Fields(
        Amount,
        ChoiceField("rule", "Requirement", rules, needed="Choose the requirement."),
        ChoiceField("year", "Program year", _years(policy), optional=True, hint=kind.year_hint),
        NumberField("amount", "How much", None, 1, 10_000, optional=not kind.needs_amount, needed="Enter how much."),
        DateField("day", "From", today, needed="Choose the day."),
        ChoiceField("reason", "Why", options_of(policy.waivers.reasons), needed="Choose a reason."),
    )


def _countable(policy: Policy) -> list[AtLeast]:
    return [rule for rule in policy.rules if isinstance(rule, AtLeast)]


def _years(policy: Policy) -> tuple[Option, ...]:
    count = policy.program.years
    numbers = range(1, (count if isinstance(count, int) else 2) + 1)
    return tuple(Option(str(number), f"Year {number}") for number in numbers)


@router.press(OpenCredit)
def credit_form(call: Call, pressed: OpenCredit) -> Reply:
    """Open the form of a credit."""
    return _amount_form(call, pressed.person_id, CREDIT)


@router.press(OpenWaiver)
def waiver_form(call: Call, pressed: OpenWaiver) -> Reply:
    """Open the form of a waiver."""
    return _amount_form(call, pressed.person_id, WAIVER)


def _amount_form(call: Call, person_id: UUID, kind: AmountKind) -> Reply:
    person, enrolment = mentee_of(call, person_id)
    return Reply(
        form=Form(
            kind.title,
            kind.adds(person.id),
            opener=kind.opens(person.id),
            submit=kind.title,
            blocks=(say(Bold(person.name), f". {kind.why}"),),
            fields=_fields(kind, enrolment.policy, enrolments.today_of(call.work, person.id)).shown,
        )
    )


@router.submit(AddCredit)
def credit(call: Call, sent: AddCredit) -> Reply:
    """Record a credit and tell the mentee."""
    return _add_amount(call, sent.person_id, CREDIT)


@router.submit(AddWaiver)
def waiver(call: Call, sent: AddWaiver) -> Reply:
    """Record a waiver and tell the mentee."""
    return _add_amount(call, sent.person_id, WAIVER)


def _add_amount(call: Call, person_id: UUID, kind: AmountKind) -> Reply:
    person, enrolment = mentee_of(call, person_id)
    sent = _fields(kind, enrolment.policy).read(call.values)
    per = next(rule.per for rule in _countable(enrolment.policy) if rule.id == sent.rule)
    if kind is CREDIT and not sent.year and per != "program":
        raise FormErrors({"year": "Choose the program year."})  # without it, it would count in none
    line_id = ledger.add(call.work, person.id, _line(call, kind, sent))
    tell(call.work, line_id, person.id)
    look_again(call.work, [person.id])
    told = say(f"Saved for {person.name}. I'll tell them. If you undo it, the record will show both.")
    undo = buttons(Button("Undo", UndoEntry(person.id, line_id)))
    return Reply(card=Card("", (told, undo)))


def _line(call: Call, kind: AmountKind, sent: Amount) -> Line:
    detail = {"year": int(sent.year) if sent.year else None, "amount": sent.amount}
    return Line(
        kind.name,
        "granted",
        stated_day(sent.day),
        call.my_id,
        "coordinator",
        code=sent.rule,
        reason=sent.reason,
        detail=detail,
    )
