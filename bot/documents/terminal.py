"""What the operator's terminal makes: the same files as the links, for a program without a web address too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from bot.cli import keyring
from bot.documents.making import File, Maker, NothingToMake, about_file
from bot.documents.wording import read_wording
from bot.settings import Settings
from bot.startup import CannotStart
from storage.core import audit_log
from storage.core.database import Tx
from storage.core.migrate import SchemaProblem
from storage.core.work import Work
from storage.people import cohorts, people
from storage.privacy import personal_data
from storage.record import certificates
from storage.vault.operator_keys import BadKey

FORMATS = {".xlsx": "xlsx", ".csv": "record.csv"}

Wanted = tuple[str, str, str]  # what, subject, format


def certificate_file(settings: Settings, email: str, now: datetime, *, packet: bool) -> File:
    """Somebody's certificate, or their full record.

    Raises:
        NothingToMake: with the reason.
    """

    def find(tx: Tx) -> Wanted:
        person_id = _person(tx, email)
        if packet:
            return "packet", str(person_id), "pdf"
        issued = certificates.of_person(tx, person_id)
        if not issued:
            raise NothingToMake(
                f"{email} has no certificate. A coordinator can approve it in the chat: send “certificates”."
            )
        return "certificate", str(issued[0].id), "pdf"

    return _make(settings, find, now)


def export_file(settings: Settings, suffix: str, now: datetime, *, cohort: str, mentee: str, standings: bool) -> File:
    """The program, one cohort or one mentee as a spreadsheet.

    Raises:
        NothingToMake: with the reason.
    """
    form = FORMATS.get(suffix.lower())
    if form is None:
        raise NothingToMake("The output file must end in .xlsx or .csv.")
    if standings and form != "xlsx":
        form = "standings.csv"

    def find(tx: Tx) -> Wanted:
        if mentee:
            return "own", str(_person(tx, mentee)), form
        if not cohort:
            return "program", "", form
        named = cohorts.by_name(tx, cohort)
        if named is None:
            raise NothingToMake(f"There is no cohort {cohort}.")
        return "cohort", str(named.id), form

    return _make(settings, find, now)


def person_file(
    settings: Settings, name: str, now: datetime, new_id: Callable[[], UUID], *, confidential: bool
) -> File:
    """Everything that is kept about one person, for the operator to hand to them.

    ``confidential``: with what they wrote in confidence, and with what tells whether they take part in check-ins.
    Each export is noted for them to see under “privacy”.

    Raises:
        NothingToMake: with the reason.
        BadKey, CannotStart: the keys are missing or do not fit.
    """
    with keyring.opened(settings) as (database, vault), database.write() as tx:
        person_id = _named(tx, name)
        audit_log.note(Work(tx, now, new_id), person_id, "person.exported", None, confidential=confidential)
        if not confidential:
            return about_file(tx, person_id, now, lambda _item: None, personal_data.PARTICIPATION)()
        return about_file(tx, person_id, now, lambda item: vault.open_shared(tx, item))()


def _named(tx: Tx, name: str) -> UUID:
    matches = people.search(tx, name)
    if len(matches) == 1:
        return matches[0].id
    if not matches:
        raise NothingToMake(f"No one on the roster is called {name}.")
    several = ", ".join(f"{person.name} <{person.email}>" for person in matches)
    raise NothingToMake(f"Several people match {name}: {several}. Use the email address.")


def _person(tx: Tx, email: str) -> UUID:
    person = people.by_email(tx, email)
    if person is None:
        raise NothingToMake(f"No one on the roster has the address {email}.")
    return person.id


def _make(settings: Settings, find: Callable[[Tx], Wanted], now: datetime) -> File:
    address = settings.public_url if settings.plc_public_url or settings.local else ""
    maker = Maker(read_wording(settings.plc_certificate), address)
    try:
        with keyring.opened(settings) as (database, _vault), database.read() as tx:
            make = maker.prepare(tx, *find(tx), now)
    except (BadKey, CannotStart, SchemaProblem) as error:
        raise NothingToMake(str(error)) from None
    return make()
