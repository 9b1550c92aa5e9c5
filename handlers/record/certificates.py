"""Certificates: the holder gets their own; a coordinator finds, opens, revokes and reissues them."""

from __future__ import annotations

from handlers.core.actions import untyped
from handlers.core.calls import COORDINATORS, Call, FieldReader, Refused
from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Card,
    Cmd,
    Facts,
    Heading,
    LinkButton,
    Note,
    Text,
    When,
    buttons,
    say,
)
from handlers.core.forms import ChoiceField, Form, FormErrors, TextField, options_of
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.program_desk.downloads import files, verify_address
from handlers.record.completion import (
    ANOTHER,
    CHANGED,
    announce,
    ask_card,
    check_record,
    coordinators_only,
    given_card,
    mentee_at,
    to_approve,
    withdrawn,
)
from program.record.certificate import REISSUE_REASONS, REVOKE_REASONS, printable, read_code
from program.record.wording import reason_words
from storage.core import program
from storage.people import cohorts, people
from storage.record import certificates, enrolments, policies, standings
from storage.record.certificates import Certificate, NotInForce

SHOWN = 8


@router.command("certificate", "Your certificate and how to verify it", help={"mentee": 10})
def certificate_command(call: Call) -> Reply:
    if call.me.coordinator and not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Reply(card=certificates_card(call))
    return Reply(card=own_card(call))


@router.press("completion.mine")
def mine(call: Call) -> Reply:
    return Reply(card=own_card(call))


def own_card(call: Call) -> Card:
    if not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Card("No certificate", (say("You're not enrolled as a mentee, so you have no certificate."),))
    of_person = certificates.of_person(call.work.tx, call.my_id)
    if of_person and of_person[0].in_force:
        return _certificate_card(call, of_person[0], "Your certificate")
    email = people.get(call.work.tx, call.my_id).email
    so_far = files(
        call,
        [("Your record so far (PDF)", "packet", call.my_id, "pdf")],
        f"plc-bot certificate write {email} --packet --output FILE",
    )
    if of_person:
        text = say(
            "Your certificate was revoked. ", reason_words(of_person[0].reason), ". Ask your coordinator about it."
        )
        return Card("Your certificate was revoked", (text, *so_far))
    mentees = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    if mentees and mentees[0].standing.state == "complete":
        waiting = say("You've met every requirement. I asked your coordinator to approve it.")
        return Card("Almost there", (waiting, *so_far))
    if not cohorts.shared_cohorts(call.work.tx, call.my_id, ("mentee",)):
        left = say("You left before you completed the two years. Here is a copy of your record.")
        return Card("Your record", (left, *so_far))
    later = say("You'll get it when you complete the two years. Send ", Cmd("progress"), " to see what's left.")
    return Card("Your certificate comes later", (later, *so_far))


def _certificate_card(call: Call, certificate: Certificate, title: str) -> Card:
    """One certificate that holds, with its files, for its holder or a coordinator."""
    if not certificate.intact:
        return Card(title, (say(CHANGED),))
    policy = policies.get(call.work.tx, certificate.policy)
    facts: tuple[tuple[str, Text], ...] = (
        ("Name", (certificate.name,)),
        ("Issued", (When(certificate.issued_at, program.zone_of(call.work.tx), "date"),)),
        ("Code", (Bold(certificate.code),)),
        ("Policy", (policy.title,)),
    )
    email = people.get(call.work.tx, certificate.person_id).email
    blocks: list[Block] = [Facts(facts)]
    blocks += files(
        call,
        [
            ("Certificate (PDF)", "certificate", certificate.id, "pdf"),
            ("Full record (PDF)", "packet", certificate.person_id, "pdf"),
        ],
        f"plc-bot certificate write {email} --output FILE, and the same with --packet",
    )
    if call.work.address:
        check = LinkButton("Check it online", verify_address(call, certificate.code))
        blocks.append(buttons(check))
        blocks.append(Note(("Anyone with the code can check it there.",)))
    return Card(title, tuple(blocks))


@router.press("completion.record")
def see_record(call: Call) -> Reply:
    """The ledger lines a coordinator is asked to approve on."""
    person_id = mentee_at(call)
    person = people.get(call.work.tx, person_id)
    command = f"plc-bot certificate write {person.email} --packet --output FILE"
    return Reply(
        card=Card(
            f"The record of {person.name}",
            tuple(files(call, [("Full record (PDF)", "packet", person_id, "pdf")], command)),
        )
    )


# The coordinator's desk --------------------------------------------------------------------------


@router.command(
    "certificates",
    "Approve completions; revoke or reissue certificates",
    who=COORDINATORS,
    reads=True,
    help={"coordinator": 11},
)
def certificates_command(call: Call) -> Reply:
    return Reply(card=certificates_card(call))


def certificates_card(call: Call) -> Card:
    waiting = to_approve(call.work)
    newest = sorted(
        certificates.newest_of(call.work.tx).values(), key=lambda issued: (issued.issued_at, issued.name), reverse=True
    )
    blocks: list[Block] = [Heading(f"To approve ({len(waiting)})")]
    if waiting:
        blocks.append(
            buttons(*(Button(mentee.name, untyped("completion.ask", mentee.id)) for mentee in waiting[:SHOWN]))
        )
        blocks += more(len(waiting), SHOWN)
    else:
        blocks.append(say("No one is waiting for your approval."))
    blocks.append(Heading(f"Issued ({sum(certificate.in_force for certificate in newest)})"))
    if newest:
        shown = newest[:SHOWN]
        blocks.append(
            buttons(*(Button(_label(certificate), untyped("completion.open", certificate.id)) for certificate in shown))
        )
        blocks += more(len(newest), SHOWN)
        blocks.append(buttons(Button("Find a certificate", untyped("completion.find"), opens_form=True)))
    else:
        blocks.append(say("No certificates have been issued yet."))
    return Card("Certificates", tuple(blocks))


def _label(certificate: Certificate) -> str:
    return certificate.name if certificate.in_force else f"{certificate.name} (revoked)"


@router.press("completion.ask")
def ask_again(call: Call) -> Reply:
    return Reply(card=ask_card(call.work, mentee_at(call)))


@router.press("completion.find")
def find_form(call: Call) -> Reply:
    coordinators_only(call)
    return Reply(
        form=Form(
            "Find a certificate",
            untyped("completion.found"),
            opener=untyped("completion.find"),
            submit="Find",
            fields=(TextField("who", "Name, email address or code", max_length=200),),
        )
    )


@router.submit("completion.found")
def find(call: Call) -> Reply:
    coordinators_only(call)
    read = FieldReader(call.values)
    text = read.text("who", needed="Enter a name, an email address or a code.", most=200)
    read.check()
    search = _search(call, text)
    if not search:
        raise FormErrors({"who": "I can't find a certificate with that name, email address or code."})
    if len(search) == 1:
        return Reply(card=_one(call, search[0]))
    return Reply(
        card=Card(
            "Which one?",
            (
                buttons(
                    *(Button(_label(certificate), untyped("completion.open", certificate.id)) for certificate in search)
                ),
            ),
        )
    )


def _search(call: Call, text: str) -> list[Certificate]:
    code = read_code(text)
    by_code = certificates.by_code(call.work.tx, code) if code else None
    if by_code is not None:
        return [by_code]
    people_ids = [person.id for person in people.search(call.work.tx, text)]
    return list(certificates.newest_of(call.work.tx, people_ids).values())


@router.press("completion.open")
def open_certificate(call: Call) -> Reply:
    return Reply(card=_one(call, _certificate(call)))


def _certificate(call: Call) -> Certificate:
    coordinators_only(call)
    certificate = certificates.get(call.work.tx, call.id_at(0))
    if certificate is None:
        raise Refused("I can't find that certificate.")
    return certificate


def _one(call: Call, certificate: Certificate) -> Card:
    """A certificate with what a coordinator may do about it; only the newest one can be reissued."""
    newest = certificates.of_person(call.work.tx, certificate.person_id)[0]
    reissue = Button("Reissue", untyped("completion.reissue", newest.id), opens_form=True)
    if not certificate.in_force:
        card = given_card(certificate, certificate.name, program.zone_of(call.work.tx))
        extra: tuple[Block, ...] = (
            (buttons(reissue),)
            if newest.id == certificate.id
            else (
                say("It was replaced."),
                buttons(Button("Open the new one", untyped("completion.open", newest.id))),
            )
        )
        return Card(card.title, (*card.blocks, *extra))
    card = _certificate_card(call, certificate, f"Certificate of {certificate.name}")
    revoke = Button("Revoke", untyped("completion.revoke", certificate.id), style="danger", opens_form=True)
    return Card(card.title, (*card.blocks, buttons(reissue, revoke)))


# Revoking and reissuing -------------------------------------------------------------------------


@router.press("completion.revoke")
def revoke_form(call: Call) -> Reply:
    certificate = _certificate(call)
    return Reply(
        form=Form(
            "Revoke a certificate",
            untyped("completion.revoked", certificate.id),
            opener=untyped("completion.revoke", certificate.id),
            submit="Revoke",
            blocks=(
                say(
                    Bold(certificate.name),
                    f", code {certificate.code}. Anyone who checks the code will see “revoked”. The record keeps it.",
                ),
            ),
            fields=(ChoiceField("reason", "Why", options_of(REVOKE_REASONS)),),
        )
    )


@router.submit("completion.revoked")
def revoke(call: Call) -> Reply:
    certificate = _certificate(call)
    read = FieldReader(call.values)
    reason = read.choice("reason", tuple(REVOKE_REASONS), needed="Choose why.")
    read.check()
    try:
        certificates.revoke(call.work, certificate, reason, call.my_id)
    except NotInForce:
        raise Refused("It was revoked already.") from None
    withdrawn(call.work, certificate)
    return notice("Revoked. I told the mentee. The record keeps who revoked it, when and why.")


@router.press("completion.reissue")
def reissue_form(call: Call) -> Reply:
    certificate = _certificate(call)
    name = people.get(call.work.tx, certificate.person_id).name
    return Reply(
        form=Form(
            "Reissue a certificate",
            untyped("completion.reissued", certificate.id),
            opener=untyped("completion.reissue", certificate.id),
            submit="Reissue",
            blocks=(say("The new certificate has a new code. Anyone who checks the earlier code will see “revoked”."),),
            fields=(
                TextField("name", "Name on the certificate", name, max_length=200),
                ChoiceField("reason", "Why", options_of(REISSUE_REASONS)),
            ),
        )
    )


@router.submit("completion.reissued")
def reissue(call: Call) -> Reply:
    certificate = _certificate(call)
    read = FieldReader(call.values)
    reason = read.choice("reason", tuple(REISSUE_REASONS), needed="Choose why.")
    name = printable(read.text("name", needed="Enter the name.", most=200))
    if not name:
        read.errors.setdefault("name", "Enter the name.")
    read.check()
    if certificate.person_id == call.my_id:
        raise Refused(f"You can't reissue your own certificate. {ANOTHER}")
    if certificates.of_person(call.work.tx, certificate.person_id)[0].id != certificate.id:
        raise Refused("It was replaced already. Send ", Cmd("certificates"), " to see the new one.")
    check_record(call, certificate.person_id)
    made = certificates.reissue(call.work, certificate, name, certificate.policy, reason, call.my_id)
    withdrawn(call.work, certificate)
    announce(call.work, made)
    return Reply(card=_one(call, made))
