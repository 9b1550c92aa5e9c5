"""A coordinator moves one mentee to another policy, by name and with a reason."""

from __future__ import annotations

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Note, say
from handlers.core.forms import ChoiceField, Field, Form, FormErrors, Option, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from handlers.record.enrolled import mentee_of
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


@router.press("records.policy")
def choose_form(call: Call) -> Reply:
    person, enrolment = _movable(call)
    others = [policies.get(call.work.tx, name) for name in policies.names(call.work.tx)]
    options = tuple(Option(policy.name, _label(policy)) for policy in others if policy.name != enrolment.policy.name)
    if not options:
        raise Refused("There is no other policy. Ask the operator to add one: plc-bot policy adopt FILE")
    return Reply(
        form=Form(
            "Change policy",
            untyped("records.policy.set", person.id),
            opener=untyped("records.policy", person.id),
            submit="Move",
            blocks=(
                say(
                    Bold(person.name),
                    f" is on {enrolment.policy.title}. A mentee keeps the policy they started with unless you change "
                    "it.",
                ),
            ),
            fields=(ChoiceField("policy", "To", options), ChoiceField("reason", "Why", options_of(POLICY_REASONS))),
        )
    )


def _movable(call: Call) -> tuple[Person, Enrolment]:
    """The mentee whose policy may be changed.

    Raises:
        Refused: they hold a certificate, which stays under the policy that it was issued for.
    """
    person, enrolment = mentee_of(call, call.id_at(0))
    if any(certificate.in_force for certificate in certificates.of_person(call.work.tx, person.id)):
        raise Refused(f"{person.name} has a certificate, which stays under {enrolment.policy.title}.")
    return person, enrolment


def _label(policy: Policy) -> str:
    return f"{policy.title} ({counted(len(policy.unset), 'value')} not set)" if policy.unset else policy.title


@router.submit("records.policy.set")
def set_policy(call: Call) -> Reply:
    """Move somebody, or first ask about what the new policy lacks: values, or the mentee's track."""
    person, enrolment = _movable(call)
    read = FieldReader(call.values)
    name = read.choice("policy", policies.names(call.work.tx), needed="Choose the policy.")
    reason = read.choice("reason", tuple(POLICY_REASONS), needed="Choose a reason.")
    read.check()
    policy = policies.get(call.work.tx, name)
    if name == enrolment.policy.name:
        raise FormErrors({"policy": f"{person.name} is on {policy.title} already."})
    _refuse_early(call, policy)
    if policy.unset or _asks_track(call, policy, enrolment):
        return Reply(form=_confirm_form(call, person, enrolment, policy, reason))
    return _move(call, person, enrolment, policy, reason)


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


def _confirm_form(call: Call, person: Person, enrolment: Enrolment, policy: Policy, reason: str) -> Form:
    blocks: list[Block] = [say("Move ", Bold(person.name), f" to {policy.title}?")]
    fields: list[Field] = []
    if policy.unset:
        values = counted(len(policy.unset), "value is", "values are")
        blocks.append(
            Note((f"{values} not set in this policy. {person.name} can't complete the program until they are set.",))
        )
    if _asks_track(call, policy, enrolment):
        earlier = _earlier_track(call, policy, enrolment)
        blocks.append(Note((_track_words(person, enrolment, policy, earlier),)))
        options = (*(Option(track.id, track.name) for track in policy.tracks), Option(NO_TRACK, "No track"))
        known = policy.track(earlier) if earlier else None
        chosen = known.id if known else "" if earlier is None else NO_TRACK
        fields.append(ChoiceField("track", "Track", options, chosen))
    return Form(
        "Before you move them",
        untyped("records.policy.confirm", person.id, policy.name, reason),
        opener=untyped("records.policy", person.id),
        submit="Move",
        blocks=tuple(blocks),
        fields=tuple(fields),
        back=untyped("records.policy", person.id),
    )


def _track_words(person: Person, enrolment: Enrolment, policy: Policy, earlier: str | None) -> str:
    if earlier is None:
        named = enrolment.policy.track(enrolment.track)
        track = named.name if named else enrolment.track
        return f"This policy doesn't have the track “{track}”. Choose {person.name}'s track."
    before = policy.track(earlier) if earlier else None
    had = f"was on the track “{before.name}”" if before else "had no track"
    return f"{person.name} {had} when this policy last applied to them. Check the track."


@router.submit("records.policy.confirm")
def confirm(call: Call) -> Reply:
    person, enrolment = _movable(call)
    name, reason = (*call.args[1:3], "", "")[:2]
    if name not in policies.names(call.work.tx) or reason not in POLICY_REASONS:
        raise Refused("I can't find that policy.")
    policy = policies.get(call.work.tx, name)
    if name == enrolment.policy.name:
        raise Refused(f"{person.name} is on {policy.title} already.")
    _refuse_early(call, policy)
    if not _asks_track(call, policy, enrolment):
        return _move(call, person, enrolment, policy, reason)
    read = FieldReader(call.values)
    tracks = (*(track.id for track in policy.tracks), NO_TRACK)
    track = read.choice("track", tracks, needed="Choose the track.")
    read.check()
    return _move(call, person, enrolment, policy, reason, track="" if track == NO_TRACK else track)


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
