"""From what somebody may have to a file: the data is read in one transaction, the file is made outside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bot.documents.about import about_zip
from bot.documents.pdf import certificate_pdf, packet_pdf
from bot.documents.spreadsheet import to_xlsx
from bot.documents.wording import Wording
from handlers.record.completion import CHANGED, years_in_words
from program.core.sheets import to_csv
from program.core.times import local_day, long_day, say_day, say_time, to_local, zone_words
from program.record.certificate import COMPLETED
from program.record.chain import SHORT
from program.record.policy import Policy
from program.record.wording import RecordLine
from storage.core import program
from storage.core.database import Tx
from storage.people import account_links, cohorts, people
from storage.people.account_views import AccountView, view_of
from storage.privacy import personal_data
from storage.program_desk import exports
from storage.record import certificates, enrolments, ledger, policies, standings, verification
from storage.record.certificates import Certificate
from storage.vault import seals
from storage.vault.vault import Vault

PDF = "application/pdf"
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"


class NothingToMake(Exception):
    """There is no such file now. The text says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A finished document: its file name, media type and content."""

    name: str
    type: str
    data: bytes


Make = Callable[[], File]  # slow, and free of the database


@dataclass(frozen=True, slots=True)
class Maker:
    """What making documents needs. ``address``: where people's browsers reach the bot; empty where they cannot."""

    wording: Wording
    address: str
    vault: Vault | None = None  # for files with what somebody wrote in confidence

    def prepare(self, tx: Tx, what: str, subject: str, form: str, now: datetime) -> Make:
        """Read what a file needs.

        Raises:
            NothingToMake: it is not there, or no longer holds.
        """
        match what:
            case "certificate":
                return self._certificate(tx, UUID(subject))
            case "packet":
                return self._packet(tx, UUID(subject), now)
            case "person":
                return self._about(tx, UUID(subject), now)
            case _:
                return self._export(tx, what, subject, form, now)

    def _certificate(self, tx: Tx, certificate_id: UUID) -> Make:
        certificate = certificates.get(tx, certificate_id)
        if certificate is None or not certificate.in_force:
            raise NothingToMake("This certificate is no longer valid.")
        if not certificate.intact or verification.of_person(tx, seals.key_of(tx), certificate.person_id):
            raise NothingToMake(CHANGED)
        data = self._certificate_data(tx, certificate)
        kind = "certificate" if self.wording.complete else "record-of-completion"
        name = f"{kind}-{_file_name(certificate.name)}.pdf"
        return lambda: File(name, PDF, certificate_pdf(data, self.wording, certificate.issued_at))

    def _certificate_data(self, tx: Tx, certificate: Certificate) -> dict[str, Any]:
        return {
            **self._common(tx, certificate.code, policies.get(tx, certificate.policy)),
            "heading": self.wording.heading,
            "certificate": self.wording.complete,
            "name": certificate.name,
            "wording": self.wording.wording if self.wording.complete else "",
            "signatory": self.wording.signatory if self.wording.complete else "",
            "signatory_title": self.wording.title if self.wording.complete else "",
            "issued": long_day(certificate.issued_at, program.zone_of(tx)),
        }

    def _common(self, tx: Tx, code: str, policy: Policy) -> dict[str, Any]:
        settings = program.get(tx)
        verify = f"{self.address}/verify/{code}" if self.address and code else ""
        return {
            "issuer": self.wording.issuer or (settings.name if settings else ""),
            "example": bool(settings and settings.example),
            "completed": COMPLETED,
            "policy": {"label": policy.label, "version": policy.version},
            "code": code,
            "verify": verify,
            "verify_at": verify.split("//", maxsplit=1)[-1],
        }

    def _packet(self, tx: Tx, person_id: UUID, now: datetime) -> Make:
        enrolled = enrolments.of_person(tx, person_id)
        if enrolled is None:
            raise NothingToMake("This person is not enrolled in the program.")
        zone = program.zone_of(tx)
        issued = certificates.of_person(tx, person_id)
        certificate = next((candidate for candidate in issued if candidate.in_force), None)
        policy = policies.get(tx, certificate.policy) if certificate else enrolled.policy
        facts = [
            ("Cohort", ", ".join(cohorts.ever_of(tx, person_id)) or "none"),
            ("District", enrolled.district or "not recorded"),
            ("In the program since", say_day(enrolled.starts)),
            ("Requirements", f"{policy.label}, version {policy.version}"),
            *((label, words) for row in standings.of_people(tx, [person_id], now)[:1]
              for label, words in years_in_words(row.standing)),
        ]  # fmt: skip
        if certificate:
            facts.append(("Certificate", f"{certificate.code}, issued {long_day(certificate.issued_at, zone)}"))
        name = certificate.name if certificate else people.get(tx, person_id).name
        data = {
            **self._common(tx, certificate.code if certificate else "", policy),
            "heading": "Full record",
            "name": name,
            "completed": COMPLETED if certificate else "",
            "made": f"{long_day(now, zone)}, {say_time(to_local(now, zone))}",
            "zone": zone_words(zone),
            "facts": facts,
            "lines": [_line(line, zone) for line in ledger.of_person(tx, person_id)],
            "head": ledger.head_of(tx, person_id) or "",
        }
        file = f"record-{_file_name(name)}.pdf"
        return lambda: File(file, PDF, packet_pdf(data, self.wording, now))

    def _about(self, tx: Tx, account_id: UUID, now: datetime) -> Make:
        """Everything about the account's person, with what this very account wrote in confidence."""
        account = account_links.account_by_id(tx, account_id)
        vault = self.vault
        if account is None or account.person_id is None or vault is None:
            raise NothingToMake("You can no longer get this file.")
        view = view_of(tx, account_id)
        return about_file(tx, account.person_id, now, lambda item: vault.open(tx, item, account_id), view=view)

    def _export(self, tx: Tx, what: str, subject: str, form: str, now: datetime) -> Make:
        sheets = exports.sheets(tx, what, subject, now)
        day = local_day(now, program.zone_of(tx)).isoformat()
        whose = "program"
        if what == "own":
            whose = people.get(tx, UUID(subject)).name
        elif what == "cohort":
            whose = exports.cohort_name(tx, UUID(subject))
        name = f"{_file_name(whose)}-{day}"
        match form:
            case "xlsx":
                return lambda: File(f"{name}.xlsx", XLSX, to_xlsx(sheets, f"{whose}, {day}"))
            case "standings.csv":
                return lambda: File(f"{name}-standings.csv", CSV, to_csv(sheets[0]))
            case _:
                return lambda: File(f"{name}-record.csv", CSV, to_csv(sheets[1]))


def about_file(
    tx: Tx,
    person_id: UUID,
    now: datetime,
    opened: personal_data.Opened,
    left_out: Collection[str] = (),
    view: AccountView | None = None,
) -> Make:
    """Everything about a person but for the kinds that are left out.

    ``opened`` and ``view`` decide on confidential words: see :func:`storage.privacy.personal_data.everything`.
    """
    zone = program.zone_of(tx)
    name = people.get(tx, person_id).name
    made = f"{long_day(now, zone)}, {say_time(to_local(now, zone))}"
    kinds = [kind for kind in personal_data.everything(tx, person_id, opened, view) if kind.name not in left_out]
    return lambda: File(f"about-{_file_name(name)}.zip", ZIP, about_zip(name, made, kinds))


def _line(line: RecordLine, zone: str) -> dict[str, Any]:
    return {
        "number": line.number,
        "happened": _short(line.day(zone)),
        "what": line.what,
        "why": line.why,
        "recorded": f"{_short_day(line.recorded_at, zone)}, {say_time(to_local(line.recorded_at, zone))}",
        "by": line.recorder,
        "proof": line.proof,
        "mark": line.mark.hex()[:SHORT],
    }


def _short_day(at: datetime, zone: str) -> str:
    return _short(local_day(at, zone))


def _short(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _file_name(text: str) -> str:
    """A name that every file system takes: plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "file"
