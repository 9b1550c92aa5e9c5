"""What a coordinator does with certificates: find one, open it, revoke it or reissue it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, coordinators_only
from handlers.core.cards import Block, Bold, Button, Card, Cmd, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, FormErrors, TextField, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.certificates import certificate_buttons, certificate_card
from handlers.record.completion import ANOTHER, MANAGE, announce, check_record, outcome_card, withdrawn
from handlers.record.record_actions import FindCertificate, OpenCertificate
from program.record.certificate import REISSUE_REASONS, REVOKE_REASONS, printable, read_code
from storage.core import program
from storage.people import people
from storage.record import certificates
from storage.record.certificates import Certificate, NotInForce

CHOOSE_WHY = "Choose why."
ENTER_NAME = "Enter the name."


@action("completion.found")
class SendSearch(Action):
    """Find the certificates of a name, an email address or a code."""


@action("completion.revoke")
class OpenRevocation(Action):
    """Open the form that revokes a certificate."""

    certificate_id: UUID


@action("completion.revoked")
class RevokeCertificate(Action):
    """Revoke a certificate, with a reason."""

    certificate_id: UUID


@action("completion.reissue")
class OpenReissue(Action):
    """Open the form that issues a certificate again."""

    certificate_id: UUID


@action("completion.reissued")
class ReissueCertificate(Action):
    """Replace a certificate by one with a new code, with a reason."""

    certificate_id: UUID


# Finding ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """What a coordinator typed to find a certificate."""

    who: str


SEARCH = Fields(
    Search,
    TextField(
        "who",
        "Name, email address or code",
        max_length=200,
        needed="Enter a name, an email address or a code.",
    ),
)


@router.press(FindCertificate)
def find_form(call: Call, pressed: FindCertificate) -> Reply:
    """Open the form that finds a certificate."""
    coordinators_only(call, MANAGE)
    return Reply(
        form=Form("Find a certificate", SendSearch(), opener=pressed, submit="Find", fields=SEARCH.shown),
    )


@router.submit(SendSearch)
def find(call: Call, _sent: SendSearch) -> Reply:
    """Open the certificate that was found, or offer those that were."""
    coordinators_only(call, MANAGE)
    matches = _search(call, SEARCH.read(call.values).who)
    if not matches:
        raise FormErrors({"who": "I can't find a certificate with that name, email address or code."})
    if len(matches) == 1:
        return Reply(card=_managed_card(call, matches[0]))
    return Reply(card=Card("Which one?", (certificate_buttons(matches),)))


def _search(call: Call, text: str) -> list[Certificate]:
    code = read_code(text)
    by_code = certificates.by_code(call.work.tx, code) if code else None
    if by_code is not None:
        return [by_code]
    people_ids = [person.id for person in people.search(call.work.tx, text)]
    return list(certificates.newest_of(call.work.tx, people_ids).values())


@router.press(OpenCertificate)
def open_certificate(call: Call, pressed: OpenCertificate) -> Reply:
    """Show a certificate with what can be done about it."""
    return Reply(card=_managed_card(call, _certificate(call, pressed.certificate_id)))


def _certificate(call: Call, certificate_id: UUID) -> Certificate:
    """A certificate, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, or there is no such certificate.
    """
    coordinators_only(call, MANAGE)
    certificate = certificates.get(call.work.tx, certificate_id)
    if certificate is None:
        raise Refused("I can't find that certificate.")
    return certificate


def _managed_card(call: Call, certificate: Certificate) -> Card:
    """A certificate with what a coordinator may do about it; only the newest one can be reissued."""
    newest = certificates.of_person(call.work.tx, certificate.person_id)[0]
    reissue = Button("Reissue", OpenReissue(newest.id), opens_form=True)
    if not certificate.in_force:
        card = outcome_card(certificate, certificate.name, program.zone_of(call.work.tx))
        extra: tuple[Block, ...] = (
            (buttons(reissue),)
            if newest.id == certificate.id
            else (
                say("It was replaced."),
                buttons(Button("Open the new one", OpenCertificate(newest.id))),
            )
        )
        return Card(card.title, (*card.blocks, *extra))
    card = certificate_card(call, certificate, f"Certificate of {certificate.name}")
    revoke = Button("Revoke", OpenRevocation(certificate.id), style="danger", opens_form=True)
    return Card(card.title, (*card.blocks, buttons(reissue, revoke)))


# Revoking and reissuing -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why a certificate is revoked."""

    reason: str


REVOCATION = Fields(Revocation, ChoiceField("reason", "Why", options_of(REVOKE_REASONS), needed=CHOOSE_WHY))


@router.press(OpenRevocation)
def revoke_form(call: Call, pressed: OpenRevocation) -> Reply:
    """Open the form that revokes a certificate."""
    certificate = _certificate(call, pressed.certificate_id)
    return Reply(
        form=Form(
            "Revoke a certificate",
            RevokeCertificate(certificate.id),
            opener=pressed,
            submit="Revoke",
            blocks=(
                say(
                    Bold(certificate.name),
                    f", code {certificate.code}. Anyone who checks the code will see “revoked”. The record keeps it.",
                ),
            ),
            fields=REVOCATION.shown,
        )
    )


@router.submit(RevokeCertificate)
def revoke(call: Call, sent: RevokeCertificate) -> Reply:
    """Revoke the certificate and tell its holder."""
    certificate = _certificate(call, sent.certificate_id)
    reason = REVOCATION.read(call.values).reason
    try:
        certificates.revoke(call.work, certificate, reason, call.my_id)
    except NotInForce:
        raise Refused("It was revoked already.") from None
    withdrawn(call.work, certificate)
    return notice("Revoked. I told the mentee. The record keeps who revoked it, when and why.")


@dataclass(frozen=True, slots=True)
class Reissue:
    """The name on the new certificate, and why it is issued."""

    name: str
    reason: str


def _reissue_fields(name: str = "") -> Fields[Reissue]:
    """``name``: what the form is filled with."""
    return Fields(
        Reissue,
        TextField("name", "Name on the certificate", name, max_length=200, needed=ENTER_NAME),
        ChoiceField("reason", "Why", options_of(REISSUE_REASONS), needed=CHOOSE_WHY),
    )


@router.press(OpenReissue)
def reissue_form(call: Call, pressed: OpenReissue) -> Reply:
    """Open the form that reissues a certificate, filled with its holder's name."""
    certificate = _certificate(call, pressed.certificate_id)
    return Reply(
        form=Form(
            "Reissue a certificate",
            ReissueCertificate(certificate.id),
            opener=pressed,
            submit="Reissue",
            blocks=(say("The new certificate has a new code. Anyone who checks the earlier code will see “revoked”."),),
            fields=_reissue_fields(people.get(call.work.tx, certificate.person_id).name).shown,
        )
    )


@router.submit(ReissueCertificate)
def reissue(call: Call, sent: ReissueCertificate) -> Reply:
    """Replace the newest certificate of somebody else by one with a new code, and tell its holder."""
    certificate = _certificate(call, sent.certificate_id)
    answers = _reissue_fields().read(call.values)
    name = printable(answers.name)
    if not name:
        raise FormErrors({"name": ENTER_NAME})
    if certificate.person_id == call.my_id:
        raise Refused(f"You can't reissue your own certificate. {ANOTHER}")
    if certificates.of_person(call.work.tx, certificate.person_id)[0].id != certificate.id:
        raise Refused("It was replaced already. Send ", Cmd("certificates"), " to see the new one.")
    check_record(call, certificate.person_id)
    made = certificates.reissue(call.work, certificate, name, certificate.policy, answers.reason, call.my_id)
    withdrawn(call.work, certificate)
    announce(call.work, made)
    return Reply(card=_managed_card(call, made))
