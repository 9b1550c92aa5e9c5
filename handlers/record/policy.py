"""The policy, for everybody to read; its unset numbers, for the coordinator to fill in."""

from __future__ import annotations

from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Card,
    ChoiceField,
    Cmd,
    Field,
    Form,
    Heading,
    Note,
    Text,
    TextField,
    action,
    buttons,
    options_of,
    say,
)
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import Call, FieldReader, FormErrors, Refused, router
from program.core.times import local_day
from program.core.words import counted
from program.record.english import describe
from program.record.policy import BadPolicy, Policy, Value, amend
from program.record.unset import UnsetValue, refused_words
from storage.core import drafts, program
from storage.record import enrolments, policies

MOST_FIELDS = 40
MOST_OTHERS = 20
HINTS = {
    "number": "A whole number, or “none” if the program doesn't require this",
    "date": "A date like 2026-07-01, or “none” if there is no such day",
}
CHOICES = {
    "yes or no": {"yes": "Yes", "no": "No"},
    "choice": {"when met": "As soon as everything is met", "end of program": "When the last program year has ended"},
}


@router.command("policy", "What the two years require")
def policy_command(call: Call) -> Reply:
    return Reply(card=_card(call, _which(call)))


def _which(call: Call) -> Policy:
    """A mentee's own policy; for everybody else the one that new mentees enter on."""
    mine = enrolments.of_person(call.work.tx, call.my_id)
    if mine is not None:
        return mine.policy
    today = local_day(call.work.now, program.zone_of(call.work.tx))
    return policies.get(call.work.tx, policies.current(call.work.tx, today))


def _card(call: Call, policy: Policy) -> Card:
    blocks = english_blocks(policy)
    if call.me.coordinator and policy.unset:
        fill = Button("Fill in open values", action("policy.fill", policy.name), style="primary", opens_form=True)
        blocks.append(buttons(fill))
    if call.me.coordinator:
        blocks += _others(call, policy)
    return Card(policy.label, tuple(blocks))


def _others(call: Call, shown: Policy) -> list[Block]:
    """The other versions, those that people are on first: what they leave unset is filled in there."""
    on = policies.in_use(call.work.tx)
    names = [name for name in policies.names(call.work.tx) if name != shown.name]
    names.sort(key=lambda name: (-on.get(name, 0), name))
    items = [Button(_summary(call, name, on.get(name, 0)), action("policy.show", name)) for name in names]
    return [say(Bold("Other policies")), buttons(*items[:MOST_OTHERS]), *more(len(items), MOST_OTHERS)] if items else []


def _summary(call: Call, name: str, people: int) -> str:
    """A version on a button: "Missouri DESE, version 2018: 3 mentees, 11 values to fill in"."""
    policy = policies.get(call.work.tx, name)
    unset = len(policy.unset)
    return f"{policy.label}, version {policy.version}: {counted(people, 'mentee')}, " + (
        f"{counted(unset, 'value')} to fill in" if unset else "complete"
    )


@router.press("policy.show")
def show(call: Call) -> Reply:
    return Reply(card=_card(call, _named(call)))


def _named(call: Call) -> Policy:
    """The policy that a coordinator's button names."""
    if not call.me.coordinator:
        raise Refused("Only a coordinator can fill in a policy.")
    name = call.args[0] if call.args else ""
    if name not in policies.names(call.work.tx):
        raise Refused("I can't find that policy. Send ", Cmd("policy"), " to see the list.")
    return policies.get(call.work.tx, name)


def english_blocks(policy: Policy) -> list[Block]:
    """The description, its headings and lists as blocks."""
    blocks: list[Block] = []
    items: list[Text] = []
    for line in describe(policy).splitlines()[1:]:
        if line.startswith("- "):
            items.append((line[2:],))
            continue
        if items:
            blocks.append(Bullets(tuple(items)))
            items = []
        if line.endswith(":"):
            blocks.append(Heading(line[:-1]))
        elif line:
            blocks.append(say(line))
    return [*blocks, Bullets(tuple(items))] if items else blocks


@router.press("policy.fill")
def fill_form(call: Call) -> Reply:
    policy = _amendable(call)
    values = call.draft("policy")
    return Reply(form=_form(policy, values or {}))


def _amendable(call: Call) -> Policy:
    policy = _named(call)
    if not policy.unset:
        raise Refused("Everything in this policy is filled in already.")
    return policy


def _form(policy: Policy, values: dict[str, str]) -> Form:
    unset = policy.unset[:MOST_FIELDS]
    return Form(
        "Fill in the policy",
        action("policy.preview", policy.name),
        opener=action("policy.fill", policy.name),
        submit="Preview",
        blocks=(
            say(
                Bold(policy.label),
                f", version {policy.version}. What you fill in applies to everyone on this version.",
            ),
            Note(
                ("Leave a field empty if you don't know the answer yet. You can't change a value here once it's set.",)
            ),
            *more(len(policy.unset), MOST_FIELDS, ", which come once these are saved"),
        ),
        fields=tuple(_input(number, one, values.get(one.path, "")) for number, one in enumerate(unset)),
    )


def _input(number: int, one: UnsetValue, value: str) -> Field:
    label = one.says[:1].upper() + one.says[1:]
    if one.kind in CHOICES:
        return ChoiceField(_field(number), label, options_of(CHOICES[one.kind]), value, optional=True)
    return TextField(_field(number), label, value, optional=True, hint=HINTS[one.kind])


def _field(number: int) -> str:
    return f"v{number}"


@router.submit("policy.preview")
def preview(call: Call) -> Reply:
    """The coordinator reads the English before it counts."""
    policy = _amendable(call)
    read = FieldReader(call.values)
    typed = {
        one.path: text for number, one in enumerate(policy.unset[:MOST_FIELDS]) if (text := _typed(read, number, one))
    }
    read.check()
    if not typed:
        raise FormErrors({_field(0): "Fill in at least one value."})
    amended = _amended(policy, typed)
    draft = drafts.keep(call.work, call.my_id, "policy", typed)
    back = action("policy.fill", policy.name, draft)
    return Reply(
        form=Form(
            "Is this the policy?",
            action("policy.amend", policy.name, draft),
            opener=back,
            submit="Use this policy",
            blocks=tuple(english_blocks(amended)),
            back=back,
        )
    )


def _typed(read: FieldReader, number: int, one: UnsetValue) -> str:
    if one.kind in CHOICES:
        return read.choice(_field(number), tuple(CHOICES[one.kind]))
    return read.text(_field(number), most=50).lower()


def _amended(policy: Policy, typed: dict[str, str]) -> Policy:
    """The policy with what was typed; each value that does not fit is explained at its field."""
    errors = {}
    good: dict[str, Value] = {}
    asked = [(number, one) for number, one in enumerate(policy.unset[:MOST_FIELDS]) if one.path in typed]
    for number, one in asked:
        value = policies.typed_value(typed[one.path])
        try:
            amend(policy, {one.path: value})
            good[one.path] = value
        except BadPolicy as problem:
            errors[_field(number)] = refused_words(one, typed[one.path], str(problem))
    if errors:
        raise FormErrors(errors)
    try:
        return amend(policy, good)
    except BadPolicy as problem:  # two values that do not fit together
        number, one = next((at for at in asked if f" {at[1].path} " in str(problem)), asked[0])
        raise FormErrors({_field(number): refused_words(one, typed[one.path], str(problem))}) from None


@router.submit("policy.amend")
def amend_policy(call: Call) -> Reply:
    policy = _amendable(call)
    draft = call.id_at(1)
    typed = call.draft("policy")
    if typed is None:
        raise Refused("You sent this form already, or it is too old. Send ", Cmd("policy"), " to see the policy.")
    _amended(policy, typed)
    values = {path: policies.typed_value(text) for path, text in typed.items()}
    amended = policies.amend(call.work, policy.name, values, call.my_id)
    drafts.drop(call.work, draft)
    left = counted(len(amended.unset), "value is", "values are")
    rest = f" {left} still open." if amended.unset else " Every value is filled in."
    return notice(f"Saved for everyone on {policy.label}, version {policy.version}.{rest}")
