"""The policy, for everybody to read; its unset numbers, for the coordinator to fill in."""

from __future__ import annotations

from handlers.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Card,
    Cmd,
    Field,
    Form,
    Heading,
    Note,
    Text,
    TextField,
    action,
    buttons,
    say,
)
from handlers.requests import Reply, notice
from handlers.router import Call, FieldReader, FormErrors, Refused, router
from program.english import describe
from program.policy import BadPolicy, Policy, Value, amend
from program.times import PROGRAM_ZONE, local_day
from program.unset import UnsetValue
from program.words import counted
from storage import drafts, enrolments, policies

MOST_FIELDS = 40
MOST_OTHERS = 20
HINTS = {
    "number": "A whole number, or “none” if the program asks for no such thing",
    "yes or no": "yes or no",
    "date": "A date like 2026-07-01",
    "choice": "“when met” or “end of program”",
}


@router.command("policy", "What the two years ask for, in plain English")
def policy_command(call: Call) -> Reply:
    return Reply(card=_card(call, _which(call)))


def _which(call: Call) -> Policy:
    """A mentee's own policy; for everybody else the one that new mentees enter on."""
    mine = enrolments.of_person(call.work.tx, call.my_id)
    if mine is not None:
        return mine.policy
    return policies.get(call.work.tx, policies.current(call.work.tx, local_day(call.work.now, PROGRAM_ZONE)))


def _card(call: Call, policy: Policy) -> Card:
    blocks = english_blocks(policy)
    if call.me.coordinator and policy.unset:
        fill = Button("Fill in what is unset", action("policy.fill", policy.name), style="primary", opens_form=True)
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
    return [say(Bold("Other policies")), buttons(*items[:MOST_OTHERS])] if items else []


def _summary(call: Call, name: str, people: int) -> str:
    """A version on a button: "missouri-dese/2018: 3 mentees, 11 values unset"."""
    unset = len(policies.get(call.work.tx, name).unset)
    return f"{name}: {counted(people, 'mentee')}, " + (f"{counted(unset, 'value')} unset" if unset else "all set")


@router.press("policy.show")
def show(call: Call) -> Reply:
    return Reply(card=_card(call, _named(call)))


def _named(call: Call) -> Policy:
    """The policy that a coordinator's button names."""
    if not call.me.coordinator:
        raise Refused("What a policy leaves open is filled in by the coordinator.")
    name = call.args[0] if call.args else ""
    if name not in policies.names(call.work.tx):
        raise Refused("That policy is not there.")
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
        raise Refused("Everything in this policy is set.")
    return policy


def _form(policy: Policy, values: dict[str, str]) -> Form:
    fields: list[Field] = [
        TextField(
            _field(number),
            one.says[:1].upper() + one.says[1:],
            values.get(one.path, ""),
            optional=True,
            hint=HINTS[one.kind],
        )
        for number, one in enumerate(policy.unset[:MOST_FIELDS])
    ]
    return Form(
        "Fill in the policy",
        action("policy.preview", policy.name),
        opener=action("policy.fill", policy.name),
        submit="Read it in English",
        blocks=(
            say(
                Bold(policy.label), f", version {policy.version}. What you fill in holds for everybody on this version."
            ),
            Note(("Leave empty what you do not know. A value that is filled in cannot be changed this way again.",)),
        ),
        fields=tuple(fields),
    )


def _label(one: UnsetValue) -> str:
    return one.says[:1].upper() + one.says[1:]


def _field(number: int) -> str:
    return f"v{number}"


@router.submit("policy.preview")
def preview(call: Call) -> Reply:
    """The coordinator reads the English before it counts."""
    policy = _amendable(call)
    read = FieldReader(call.values)
    typed = {
        one.path: _worded(one, text)
        for number, one in enumerate(policy.unset[:MOST_FIELDS])
        if (text := read.text(_field(number), most=50).lower())
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
            submit="Make it so",
            blocks=tuple(english_blocks(amended)),
            back=back,
        )
    )


def _amended(policy: Policy, typed: dict[str, str]) -> Policy:
    """The policy with what was typed; each value that does not fit is said at its field."""
    errors = {}
    good: dict[str, Value] = {}
    for number, one in enumerate(policy.unset[:MOST_FIELDS]):
        if one.path not in typed:
            continue
        value = policies.typed_value(typed[one.path])
        try:
            amend(policy, {one.path: value})
            good[one.path] = value
        except BadPolicy as problem:
            errors[_field(number)] = str(problem).splitlines()[0]
    if errors:
        raise FormErrors(errors)
    try:
        return amend(policy, good)
    except BadPolicy as problem:
        raise FormErrors({_field(0): str(problem).splitlines()[0]}) from None


def _worded(one: UnsetValue, text: str) -> str:
    return text if one.kind != "yes or no" else {"y": "yes", "n": "no"}.get(text, text)


@router.submit("policy.amend")
def amend_policy(call: Call) -> Reply:
    policy = _amendable(call)
    draft = call.id_at(1)
    typed = call.draft("policy")
    if typed is None:
        raise Refused("This form was sent already, or is too old. Send ", Cmd("policy"), " to read it.")
    _amended(policy, typed)
    values = {path: policies.typed_value(text) for path, text in typed.items()}
    amended = policies.amend(call.work, policy.name, values, call.my_id)
    drafts.drop(call.work, draft)
    rest = f" {len(amended.unset)} values are still unset." if amended.unset else " Everything is set."
    return notice(f"Filled in for everybody on {policy.name}.{rest}")
