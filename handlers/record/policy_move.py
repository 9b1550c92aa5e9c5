"""A coordinator moves one mentee to another policy, by name and with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Note, say
from handlers.core.forms import ChoiceField, Field, Fields, Form, FormErrors, Option, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from handlers.record.enrolled import mentee_of
from handlers.record.record_actions import OpenPolicyMove
from handlers.record.settling import kinds_of, settle_corrected
from program.core.times import local_day, say_day
from program.core.words import counted
from program.record.corrections import track_changes
from program.record.policy import Policy
from program.record.wording import POLICY_REASONS
from storage.people.people import Person
from storage.record import certificates, enrolments, ledger, policies
from storage.record.enrolments import Enrolment
from storage.record.ledger import Line

NO_TRACK = "none"


@action("records.policy.set")
class MovePolicy(Action):
    """Move a mentee to the chosen policy, or ask first about what it lacks."""

    person_id: UUID


@action("records.policy.confirm")
class ConfirmPolicyMove(Action):
    """Move a mentee to a policy, knowing what it lacks."""

    person_id: UUID
    policy: str
    reason: str


# Choosing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PolicyMove:
    """To which policy a mentee moves, and why."""

    policy: str
    reason: str


def _fields(choices: Iterable[Policy]) -> Fields[PolicyMove]:
    options = tuple(Option(policy.name, _label(policy)) for policy in choices)
    return Fields(
        PolicyMove,
        ChoiceField("policy", "To", options, needed="Choose the policy."),
        ChoiceField("reason", "Why", options_of(POLICY_REASONS), needed="Choose a reason."),
    )


def _label(policy: Policy) -> str:
    return f"{policy.title} ({counted(len(policy.unset), 'value')} not set)" if policy.unset else policy.title


@router.press(OpenPolicyMove)
def choose_form(call: Call, pressed: OpenPolicyMove) -> Reply:
    """Open the form that moves a mentee to another policy."""
    person, enrolment = _movable(call, pressed.person_id)
    options = [policy for policy in _policies(call) if policy.name != enrolment.policy.name]
    if not options:
        raise Refused("There is no other policy. Ask the operator to add one: plc-bot policy adopt FILE")
    return Reply(
        form=Form(
            "Change policy",
            MovePolicy(person.id),
            opener=pressed,
            submit="Move",
            blocks=(
                say(
                    Bold(person.name),
                    f" is on {enrolment.policy.title}. A mentee keeps the policy they started with unless you change "
                    "it.",
                ),
            ),
            fields=_fields(options).shown,
        )
    )


def _policies(call: Call) -> list[Policy]:
    return [policies.get(call.work.tx, name) for name in policies.names(call.work.tx)]


def _movable(call: Call, person_id: UUID) -> tuple[Person, Enrolment]:
    """A mentee whose policy may be changed, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, there is no such mentee, or they hold a certificate, which stays under
            the policy that it was issued for.
    """
    person, enrolment = mentee_of(call, person_id)
    if any(certificate.in_force for certificate in certificates.of_person(call.work.tx, person.id)):
        raise Refused(f"{person.name} has a certificate, which stays under {enrolment.policy.title}.")
    return person, enrolment


@router.submit(MovePolicy)
def set_policy(call: Call, sent: MovePolicy) -> Reply:
    """Move somebody, or first ask about what the new policy lacks: values, or the mentee's track."""
    person, enrolment = _movable(call, sent.person_id)
    move = _fields(_policies(call)).read(call.values)
    policy = policies.get(call.work.tx, move.policy)
    if policy.name == enrolment.policy.name:
        raise FormErrors({"policy": f"{person.name} is on {policy.title} already."})
    _refuse_early(call, policy)
    if policy.unset or _asks_track(call, policy, enrolment):
        return Reply(form=_confirm_form(call, person, enrolment, policy, move.reason))
    return _move(call, person, enrolment, policy, move.reason)


def _refuse_early(call: Call, policy: Policy) -> None:
    """Nobody is moved to a policy before the day from which it applies.

    Raises:
        FormErrors: that day is still to come.
    """
    starts = policies.applies_from(call.work.tx, policy.name)
    if starts is not None and starts > local_day(call.work.now, policy.program.zone):
        text = f"{policy.title} applies from {say_day(starts)}. Mentees can't move to it before that day."
        raise FormErrors({"policy": text})


def _lacks_track(policy: Policy, enrolment: Enrolment) -> bool:
    return bool(enrolment.track.strip()) and policy.track(enrolment.track) is None


def _earlier_track(call: Call, policy: Policy, enrolment: Enrolment) -> str | None:
    """The track that the mentee had when they last left this policy; None: never, or it has no such track."""
    lines = ledger.of_person(call.work.tx, enrolment.person_id)
    away = [line for line in lines if (line.kind, line.step) == ("policy", "moved")]
    away = [line for line in away if line.detail["from"] == policy.name]
    if not away:
        return None
    changes = track_changes(lines, away[-1].position)
    track = changes[0]["from"] if changes else enrolment.track
    return track if not track.strip() or policy.track(track) is not None else None


def _asks_track(call: Call, policy: Policy, enrolment: Enrolment) -> bool:
    """Whether the track must be chosen: the policy lacks it, or the mentee had another one on this policy before."""
    earlier = _earlier_track(call, policy, enrolment)
    return _lacks_track(policy, enrolment) or (earlier is not None and earlier != enrolment.track)


# What the new policy lacks -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """The track of a mentee on the new policy; :data:`NO_TRACK`: none."""

    track: str


def _track_fields(policy: Policy, chosen: str = "") -> Fields[TrackChoice]:
    options = (*(Option(track.id, track.name) for track in policy.tracks), Option(NO_TRACK, "No track"))
    return Fields(TrackChoice, ChoiceField("track", "Track", options, chosen, needed="Choose the track."))


def _confirm_form(call: Call, person: Person, enrolment: Enrolment, policy: Policy, reason: str) -> Form:
    blocks: list[Block] = [say("Move ", Bold(person.name), f" to {policy.title}?")]
    fields: tuple[Field, ...] = ()
    if policy.unset:
        values = counted(len(policy.unset), "value is", "values are")
        blocks.append(
            Note((f"{values} not set in this policy. {person.name} can't complete the program until they are set.",))
        )
    if _asks_track(call, policy, enrolment):
        earlier = _earlier_track(call, policy, enrolment)
        blocks.append(Note((_track_words(person, enrolment, policy, earlier),)))
        known = policy.track(earlier) if earlier else None
        chosen = known.id if known else "" if earlier is None else NO_TRACK
        fields = _track_fields(policy, chosen).shown
    return Form(
        "Before you move them",
        ConfirmPolicyMove(person.id, policy.name, reason),
        opener=OpenPolicyMove(person.id),
        submit="Move",
        blocks=tuple(blocks),
        fields=fields,
        back=OpenPolicyMove(person.id),
    )


def _track_words(person: Person, enrolment: Enrolment, policy: Policy, earlier: str | None) -> str:
    if earlier is None:
        named = enrolment.policy.track(enrolment.track)
        track = named.name if named else enrolment.track
        return f"This policy doesn't have the track “{track}”. Choose {person.name}'s track."
    before = policy.track(earlier) if earlier else None
    had = f"was on the track “{before.name}”" if before else "had no track"
    return f"{person.name} {had} when this policy last applied to them. Check the track."


@router.submit(ConfirmPolicyMove)
def confirm(call: Call, sent: ConfirmPolicyMove) -> Reply:
    """Move the mentee, with the chosen track where one was asked for."""
    person, enrolment = _movable(call, sent.person_id)
    if sent.policy not in policies.names(call.work.tx) or sent.reason not in POLICY_REASONS:
        raise Refused("I can't find that policy.")
    policy = policies.get(call.work.tx, sent.policy)
    if policy.name == enrolment.policy.name:
        raise Refused(f"{person.name} is on {policy.title} already.")
    _refuse_early(call, policy)
    if not _asks_track(call, policy, enrolment):
        return _move(call, person, enrolment, policy, sent.reason)
    track = _track_fields(policy).read(call.values).track
    return _move(call, person, enrolment, policy, sent.reason, track="" if track == NO_TRACK else track)


def _move(
    call: Call, person: Person, enrolment: Enrolment, policy: Policy, reason: str, track: str | None = None
) -> Reply:
    """``track``: another track than before; None: it stays."""
    detail = {"from": enrolment.policy.name, "to": policy.name}
    line = Line("policy", "moved", call.work.now, call.my_id, "coordinator", reason=reason, detail=detail)
    line_id = ledger.add(call.work, person.id, line)
    changed = {"policy": policy.name}
    if track is not None and track != enrolment.track:
        changed["track"] = track
        moved = {"track": {"from": enrolment.track, "to": track}}
        ledger.add(
            call.work, person.id, Line("enrolment", "changed", call.work.now, call.my_id, "coordinator", detail=moved)
        )
    enrolments.change(call.work, person.id, call.my_id, **changed)
    if line.kind not in kinds_of(call.work, settle_corrected(call, person.id)):  # the outcome tells it already
        tell(call.work, line_id, person.id)
    look_again(call.work, [person.id])
    return notice(Bold(person.name), f" is now on {policy.title}.")
