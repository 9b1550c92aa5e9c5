"""What an export holds: standings and the recorded lines, for a mentee, a cohort or the program."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from program.core.sheets import Cell, Sheet
from program.core.times import to_local
from program.record import explain
from program.record.stated_days import STATING_KINDS
from program.record.wording import SHARED_KINDS, RecordLine
from storage.core import program
from storage.core.database import Tx
from storage.people import cohorts
from storage.record import certificates, enrolments, ledger, standings
from storage.record.certificates import Certificate
from storage.record.standings import Mentee

RECORD_COLUMNS = (
    "Mentee",
    "Line",
    "Happened",
    "What",
    "Kind",
    "Step",
    "Status",
    "Minutes",
    "Meeting",
    "Cohort",
    "Recorded",
    "Recorded by",
    "Confirmed by",
    "Why",
)


def sheets(tx: Tx, what: str, subject: str, now: datetime) -> list[Sheet]:
    """``what``: own, cohort or program; ``subject``: the person's or the cohort's id."""
    zone = program.zone_of(tx)
    if what == "own":
        person_id = UUID(subject)
        lines = ledger.of_person(tx, person_id)
        mentees = standings.of_people(tx, [person_id], now)
    else:
        cohort_id = UUID(subject) if what == "cohort" else None
        lines = ledger.of_cohort(tx, cohort_id, SHARED_KINDS)
        mentees = standings.of_cohorts(tx, None if cohort_id is None else [cohort_id], now)
    return [_standings(tx, mentees, zone), _record(lines, zone)]


def _standings(tx: Tx, mentees: Sequence[Mentee], zone: str) -> Sheet:
    names = {cohort.id: cohort.name for cohort in cohorts.all_cohorts(tx)}
    issued = certificates.newest_of(tx, [mentee.id for mentee in mentees]) if mentees else {}
    where = enrolments.districts(tx) if mentees else {}
    years = max((len(mentee.standing.years) for mentee in mentees), default=0)
    columns = ["Mentee", "Cohort", "District", "Started", "Policy"]
    columns += [f"Year {number}" for number in range(1, years + 1)]
    rows = []
    for mentee in mentees:
        district, starts = where[mentee.id]
        own = ", ".join(names[cohort_id] for cohort_id in mentee.cohort_ids)
        cells: list[Cell] = [mentee.name, own, district, starts.isoformat(), mentee.policy.name]
        for number in range(years):
            year = mentee.standing.years[number] if number < len(mentee.standing.years) else None
            cells.append(explain.in_numbers(year) if year else None)
        rows.append((*cells, str(mentee.standing.state), *_certificate(issued.get(mentee.id), zone)))
    return Sheet("Standings", (*columns, "Standing", "Certificate", "Issued"), tuple(rows))


def _certificate(certificate: Certificate | None, zone: str) -> tuple[Cell, Cell]:
    if certificate is None:
        return None, None
    return "in force" if certificate.in_force else "revoked", _local(certificate.issued_at, zone)[:10]


def _record(lines: Sequence[RecordLine], zone: str) -> Sheet:
    return Sheet("Record", RECORD_COLUMNS, tuple(_row(line, zone) for line in lines))


def _row(line: RecordLine, zone: str) -> tuple[Cell, ...]:
    return (
        line.person,
        line.number,
        _happened(line, zone),
        line.what,
        line.kind,
        line.step,
        line.status,
        line.minutes,
        line.topic,
        line.cohort,
        _local(line.recorded_at, zone),
        line.recorder,
        line.proof,
        line.why,
    )


def _happened(line: RecordLine, zone: str) -> str:
    """When it happened; an entry that states a day has no time."""
    if line.kind in STATING_KINDS:
        return f"{line.day(zone)} 00:00"
    return _local(line.happened_at, zone)


def _local(at: datetime, zone: str) -> str:
    return to_local(at, zone).strftime("%Y-%m-%d %H:%M")


def cohort_name(tx: Tx, cohort_id: UUID) -> str:
    """A cohort's name for a file's name."""
    cohort = cohorts.find(tx, cohort_id)
    return cohort.name if cohort else "cohort"
