"""Links to files, each for one person, good once. Where browsers cannot reach the bot, the operator's command."""

from __future__ import annotations

from uuid import UUID

from handlers.core.calls import Call
from handlers.core.cards import Block, LinkButton, Note, Text, buttons, say
from storage.core.database import Tx
from storage.people import account_links, cohorts, people
from storage.program_desk import downloads
from storage.record import certificates, enrolments

FILES = ("certificate", "packet", "own", "cohort", "program")


def files(call: Call, wanted: list[tuple[str, str, object, str]], command: str) -> list[Block]:
    """A button for each (label, what, subject, format), or the command that makes the same files.

    ``command``: what the operator types where there is no address to link to.
    """
    if not call.work.address:
        return [say("I can't make a download link here. Ask the operator of the bot to run: ", command)]
    links = [
        LinkButton(label, f"{call.work.address}/download/{downloads.make(call.work, call.my_id, what, subject, form)}")
        for label, what, subject, form in wanted
    ]
    minutes = int(downloads.GOOD_FOR.total_seconds() // 60)
    once: Text = (f"Each link works once, only for you, for {minutes} minutes. Send the command again for new links.",)
    return [buttons(*links), Note(once)]


def verify_address(call: Call, code: str) -> str:
    """The address at which anybody can verify the certificate of this code."""
    return f"{call.work.address}/verify/{code}"


def may_have(tx: Tx, person_id: UUID, what: str, subject: str) -> bool:
    """Whether this file is this person's to have now; asked again when the link is used.

    Everything about a person (``person``) is theirs alone, with the account that asked; no coordinator has it.
    """
    if what == "person":
        account = account_links.account_by_id(tx, UUID(subject))
        return account is not None and account.person_id == person_id and account.link == "confirmed"
    if people.get(tx, person_id).coordinator:
        return what in FILES
    match what:
        case "certificate":
            certificate = certificates.get(tx, UUID(subject))
            return certificate is not None and certificate.person_id == person_id
        case "packet" | "own":
            return UUID(subject) == person_id and enrolments.is_enrolled(tx, person_id)
        case "cohort":
            return any(person.id == person_id for person in cohorts.members(tx, UUID(subject), "mentor"))
        case _:
            return False
