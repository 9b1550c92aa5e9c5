"""The policy, for everybody to read; its unset numbers, for the coordinator to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, old_form
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Cmd, Heading, Note, Text, buttons, say
from handlers.core.forms import ChoiceField, Field, Form, FormErrors, TextField, Values, options_of, read_fields
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from program.core.words import counted
from program.record.english import describe
from program.record.policy import Policy, Value
from program.record.policy_reading import BadPolicy, amend
from program.record.unset import UnsetValue, refused_words
from storage.core import drafts
from storage.record import enrolments, policies

MOST_FIELDS = 40
MOST_OTHERS = 20
MOST_CHARACTERS = 50  # of a value
HINTS = {"number": "A number.", "date": "A date like 2026-07-01."}
CHOICES = {
    "yes or no": {"yes": "Yes", "no": "No"},
    "choice": {"when met": "As soon as everything is met", "end of program": "When the last program year has ended"},
}


@action("policy.show")
class ShowPolicy(Action):
    """Show another policy."""

    policy: str


@action("policy.fill")
class OpenValues(Action):
    """Open the form that fills in a policy's values; with a draft, as it was filled in before."""

    policy: str
    draft_id: UUID | None = None


@action("policy.preview")
class PreviewValues(Action):
    """Show the policy with the values, before they count."""

    policy: str


@action("policy.amend")
class SaveValues(Action):
    """Set the values of a draft for everyone on the policy."""

    policy: str
    draft_id: UUID


@router.command(
    "policy", "What the two years require", help={"mentee": 15, "mentor": 11, "coordinator": 12, "former": 2}
)
def policy_command(call: Call) -> Reply:
    """Show the policy in English; to coordinators also what is not set, and the other policies."""
    if call.words.startswith("adopt"):
        raise Refused("The operator does that in the terminal: plc-bot policy adopt FILE")
    return Reply(card=_card(call, _which(call)))


def _which(call: Call) -> Policy:
    """A mentee's own policy; for everybody else the one that new mentees enter on."""
    mine = enrolments.of_person(call.work.tx, call.my_id)
    if mine is not None:
        return mine.policy
    return policies.of_today(call.work)


def _card(call: Call, policy: Policy) -> Card:
    blocks = english_blocks(policy, for_mentee=not call.me.coordinator)
    if call.me.coordinator and policy.unset:
        blocks.append(buttons(_fill_button(policy)))
    if call.me.coordinator:
        blocks += _others(call, policy)
    return Card(policy.title, tuple(blocks))


def _fill_button(policy: Policy) -> Button:
    label = f"Fill in {counted(len(policy.unset), 'value')}"
    return Button(label, OpenValues(policy.name), style="primary", opens_form=True)


def _others(call: Call, shown: Policy) -> list[Block]:
    """The other versions, those that people are on first: what they leave unset is filled in there."""
    on = policies.in_use(call.work.tx)
    names = [name for name in policies.names(call.work.tx) if name != shown.name]
    if not names:
        return []
    names.sort(key=lambda name: (-on.get(name, 0), name))
    blocks: list[Block] = [Heading("Other policies")]
    for name in names[:MOST_OTHERS]:
        policy = policies.get(call.work.tx, name)
        state = "" if policy.unset else " Every value is set."
        blocks.append(say(Bold(policy.title), f": {counted(on.get(name, 0), 'mentee')}.{state}"))
        fill = [_fill_button(policy)] if policy.unset else []
        blocks.append(buttons(*fill, Button("See it", ShowPolicy(name))))
    return [*blocks, *more(len(names), MOST_OTHERS)]


@router.press(ShowPolicy)
def show(call: Call, pressed: ShowPolicy) -> Reply:
    """Show a coordinator another policy."""
    return Reply(card=_card(call, _named(call, pressed.policy)))


def _named(call: Call, name: str) -> Policy:
    """The policy of this name, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, or there is no such policy.
    """
    if not call.me.coordinator:
        raise Refused("Only a coordinator can fill in a policy.")
    if name not in policies.names(call.work.tx):
        raise Refused("I can't find that policy. Send ", Cmd("policy"), " to see the list.")
    return policies.get(call.work.tx, name)


def english_blocks(policy: Policy, *, for_mentee: bool = False) -> list[Block]:
    """The description, its headings and lists as blocks."""
    blocks: list[Block] = []
    items: list[Text] = []
    for line in describe(policy, for_mentee=for_mentee).splitlines()[1:]:
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


@router.press(OpenValues)
def fill_form(call: Call, pressed: OpenValues) -> Reply:
    """Open the form with the values that are not set."""
    policy = _amendable(call, pressed.policy)
    return Reply(form=_form(policy, call.draft(pressed.draft_id, "policy") or {}))


def _amendable(call: Call, name: str) -> Policy:
    """A policy with values that are not set, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, there is no such policy, or every value of it is set.
    """
    policy = _named(call, name)
    if not policy.unset:
        raise Refused("Everything in this policy is filled in already.")
    return policy


def _form(policy: Policy, typed: Mapping[str, str]) -> Form:
    return Form(
        "Fill in the policy",
        PreviewValues(policy.name),
        opener=OpenValues(policy.name),
        submit="Preview",
        blocks=(
            say(
                Bold(policy.title),
                ". What you fill in applies to everyone on this version.",
            ),
            Note(
                ("Leave a field empty if you don't know the answer yet. You can't change a value here once it's set.",)
            ),
            *more(len(policy.unset), MOST_FIELDS, ". You'll see the rest after you save."),
        ),
        fields=_fields(policy.unset[:MOST_FIELDS], typed),
    )


def _fields(unset: Sequence[UnsetValue], typed: Mapping[str, str] = MappingProxyType({})) -> tuple[Field, ...]:
    """A field for each value. ``typed``: what they hold, by the value's path."""
    return tuple(_input(number, value, typed.get(value.path, "")) for number, value in enumerate(unset))


def _input(number: int, value: UnsetValue, typed: str) -> Field:
    if value.kind in CHOICES:
        return ChoiceField(_field(number), value.asks, options_of(CHOICES[value.kind]), typed, optional=True)
    without = f" Type “none” if {value.none_if}." if value.none_if else ""
    hint = HINTS[value.kind] + without
    return TextField(_field(number), value.asks, typed, optional=True, max_length=MOST_CHARACTERS, hint=hint)


def _field(number: int) -> str:
    return f"v{number}"


@router.submit(PreviewValues)
def preview(call: Call, sent: PreviewValues) -> Reply:
    """The coordinator reads the English before it counts."""
    policy = _amendable(call, sent.policy)
    typed = _typed(policy.unset[:MOST_FIELDS], call.values)
    if not typed:
        raise FormErrors({_field(0): "Fill in at least one value."})
    amended = _amended(policy, typed)
    draft = drafts.keep(call.work, call.my_id, "policy", typed)
    back = OpenValues(policy.name, draft)
    return Reply(
        form=Form(
            "Is this the policy?",
            SaveValues(policy.name, draft),
            opener=back,
            submit="Use this policy",
            blocks=tuple(english_blocks(amended)),
            back=back,
        )
    )


def _typed(unset: Sequence[UnsetValue], values: Values) -> dict[str, str]:
    """What was typed for these values, by their paths, without those that stay unset.

    Raises:
        FormErrors: a sentence for each field that cannot be used.
    """
    answers = read_fields(_fields(unset), values)
    texts = {value.path: str(answers[_field(number)]).lower() for number, value in enumerate(unset)}
    return {path: text for path, text in texts.items() if text}


def _amended(policy: Policy, typed: dict[str, str]) -> Policy:
    """The policy with what was typed; each value that does not fit is explained at its field."""
    errors = {}
    good: dict[str, Value] = {}
    asked = [(number, value) for number, value in enumerate(policy.unset[:MOST_FIELDS]) if value.path in typed]
    for number, value in asked:
        read = policies.typed_value(typed[value.path])
        try:
            amend(policy, {value.path: read})
            good[value.path] = read
        except BadPolicy as problem:
            errors[_field(number)] = refused_words(value, typed[value.path], str(problem))
    if errors:
        raise FormErrors(errors)
    try:
        return amend(policy, good)
    except BadPolicy as problem:  # two values that do not fit together
        number, value = next((at for at in asked if f" {at[1].path} " in str(problem)), asked[0])
        raise FormErrors({_field(number): refused_words(value, typed[value.path], str(problem))}) from None


@router.submit(SaveValues)
def amend_policy(call: Call, sent: SaveValues) -> Reply:
    """Set the values for everyone on the policy."""
    policy = _amendable(call, sent.policy)
    typed = call.draft(sent.draft_id, "policy")
    if typed is None:
        raise old_form("policy", "the policy")
    _amended(policy, typed)
    values = {path: policies.typed_value(text) for path, text in typed.items()}
    amended = policies.amend(call.work, policy.name, values, call.my_id)
    drafts.drop(call.work, sent.draft_id)
    left = counted(len(amended.unset), "value is", "values are")
    rest = f" {left} still not set." if amended.unset else " Every value is set."
    return notice(f"Saved for everyone on {policy.title}.{rest}")
