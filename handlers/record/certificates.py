"""Certificates: the holder gets their own; a coordinator sees who waits for approval and what was issued."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.core.calls import COORDINATORS, Call
from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Buttons,
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
from handlers.core.paging import more
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.program_desk.downloads import files, verify_address
from handlers.record.completion import CHANGED, ask_card, check_enrolled, to_approve
from handlers.record.record_actions import AskCompletion, FindCertificate, GetCertificate, OpenCertificate, SeeRecord
from program.record.wording import reason_words
from storage.core import program
from storage.people import cohorts, people
from storage.record import certificates, enrolments, policies, standings
from storage.record.certificates import Certificate

SHOWN = 8


@router.command("certificate", "Your certificate and how to verify it", help={"mentee": 10})
def certificate_command(call: Call) -> Reply:
    """One's own certificate; for coordinators who are not enrolled, the list of certificates."""
    if call.me.coordinator and not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Reply(card=certificates_card(call))
    return Reply(card=own_card(call))


@router.press(GetCertificate)
def mine(call: Call, _pressed: GetCertificate) -> Reply:
    """Show the asker's certificate, or why there is none and the record so far."""
    return Reply(card=own_card(call))


def own_card(call: Call) -> Card:
    """The asker's certificate, or why there is none and the record so far."""
    if not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Card("No certificate", (say("You're not enrolled as a mentee, so you have no certificate."),))
    of_person = certificates.of_person(call.work.tx, call.my_id)
    if of_person and of_person[0].in_force:
        return certificate_card(call, of_person[0], "Your certificate")
    if not of_person:
        return _not_yet_card(call)
    text = say("Your certificate was revoked. ", reason_words(of_person[0].reason), ". Ask your coordinator about it.")
    return Card("Your certificate was revoked", (text, *_record_so_far(call)))


def _record_so_far(call: Call) -> list[Block]:
    """The asker's record as a file."""
    email = people.get(call.work.tx, call.my_id).email
    command = f"plc-bot certificate write {email} --packet --output FILE"
    return files(call, [("Your record so far (PDF)", "packet", call.my_id, "pdf")], command)


def _not_yet_card(call: Call) -> Card:
    """Why somebody who was never issued a certificate has none, and the record so far."""
    so_far = _record_so_far(call)
    mentees = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    if mentees and mentees[0].standing.state == "complete":
        waiting = say("You've met every requirement. I asked your coordinator to approve it.")
        return Card("Almost there", (waiting, *so_far))
    if not cohorts.shared_cohorts(call.work.tx, call.my_id, ("mentee",)):
        left = say("You left before you completed the two years. Here is a copy of your record.")
        return Card("Your record", (left, *so_far))
    later = say("You'll get it when you complete the two years. Send ", Cmd("progress"), " to see what's left.")
    return Card("Your certificate comes later", (later, *so_far))


def certificate_card(call: Call, certificate: Certificate, title: str) -> Card:
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


@router.press(SeeRecord)
def see_record(call: Call, pressed: SeeRecord) -> Reply:
    """Give a coordinator the record that they are asked to approve on."""
    person_id = pressed.person_id
    check_enrolled(call, person_id)
    person = people.get(call.work.tx, person_id)
    command = f"plc-bot certificate write {person.email} --packet --output FILE"
    return Reply(
        card=Card(
            f"The record of {person.name}",
            tuple(files(call, [("Full record (PDF)", "packet", person_id, "pdf")], command)),
        )
    )


# The coordinator's list --------------------------------------------------------------------------


@router.command(
    "certificates",
    "Approve completions; revoke or reissue certificates",
    who=COORDINATORS,
    reads=True,
    help={"coordinator": 11},
)
def certificates_command(call: Call) -> Reply:
    """Show whose completion waits for approval, and the newest certificates."""
    return Reply(card=certificates_card(call))


def certificates_card(call: Call) -> Card:
    """Whose completion waits for approval, and the newest certificates."""
    waiting = to_approve(call.work)
    newest = sorted(
        certificates.newest_of(call.work.tx).values(), key=lambda issued: (issued.issued_at, issued.name), reverse=True
    )
    blocks: list[Block] = [Heading(f"To approve ({len(waiting)})")]
    if waiting:
        blocks.append(buttons(*(Button(mentee.name, AskCompletion(mentee.id)) for mentee in waiting[:SHOWN])))
        blocks += more(len(waiting), SHOWN)
    else:
        blocks.append(say("No one is waiting for your approval."))
    blocks.append(Heading(f"Issued ({sum(certificate.in_force for certificate in newest)})"))
    if newest:
        shown = newest[:SHOWN]
        blocks.append(certificate_buttons(shown))
        blocks += more(len(newest), SHOWN)
        blocks.append(buttons(Button("Find a certificate", FindCertificate(), opens_form=True)))
    else:
        blocks.append(say("No certificates have been issued yet."))
    return Card("Certificates", tuple(blocks))


def certificate_buttons(shown: Iterable[Certificate]) -> Buttons:
    """A button that opens each of these certificates."""
    return buttons(*(Button(_label(certificate), OpenCertificate(certificate.id)) for certificate in shown))


def _label(certificate: Certificate) -> str:
    return certificate.name if certificate.in_force else f"{certificate.name} (revoked)"


@router.press(AskCompletion)
def ask_again(call: Call, pressed: AskCompletion) -> Reply:
    """Show a coordinator the question whether a mentee's completion is approved."""
    check_enrolled(call, pressed.person_id)
    return Reply(card=ask_card(call.work, pressed.person_id))
