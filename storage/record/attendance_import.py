"""Attendance import: a file of a cohort's earlier attendance is imported whole or not at all, with its source."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select

from program.core.times import to_utc
from program.people.roster import Problem
from program.record.attendance_import import ImportedMeeting
from storage.core.work import Work
from storage.people import people
from storage.record import enrolments, ledger
from storage.record.ledger import Line
from storage.record.record_tables import ledger_line

NOON = time(12)


def fingerprint(text: str) -> str:
    """What a file is known by: the SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def imported_before(work: Work, file: str) -> bool:
    """Whether a file with this fingerprint was imported."""
    query = select(ledger_line.c.id).where(ledger_line.c.verified == "import", ledger_line.c.code == file)
    return work.tx.execute(query).first() is not None


def import_attendance(
    work: Work, rows: Sequence[ImportedMeeting], file: str, attests: UUID, by: UUID | None
) -> list[Problem]:
    """Add a line for each meeting, and one for each person that says what the file covers.

    The caller rolls back when there is any problem.

    ``file``: the file's fingerprint; ``attests``: the person who vouches for it.
    """
    problems = []
    known: dict[str, people.Person | None] = {}
    recorded: dict[UUID, set[str]] = {}
    covered: Counter[UUID] = Counter()
    for row in rows:
        if row.email not in known:
            known[row.email] = people.by_email(work.tx, row.email)
        person = known[row.email]
        if person is None:
            problems.append(Problem(row.line, f"{row.email} is not on the roster."))
            continue
        if not enrolments.is_enrolled(work.tx, person.id):
            problems.append(Problem(row.line, f"{person.name} is not enrolled as a mentee."))
            continue
        covered[person.id] += row.day is not None
        if row.day is None:
            continue
        days = recorded.setdefault(person.id, _days_of(work, person.id))
        if row.day.isoformat() in days:
            problems.append(Problem(row.line, f"{person.name} has a meeting on {row.day} in the record already."))
            continue
        zone = enrolments.policy_of(work.tx, person.id).program.zone
        ledger.add(work, person.id, _meeting_line(row, row.day, zone, file, attests, by))
    for person_id, meetings in covered.items():
        detail = {"attests": attests.hex, "meetings": meetings}
        ledger.add(work, person_id, Line("import", "imported", work.now, by, "import", code=file, detail=detail))
    return problems


def _meeting_line(row: ImportedMeeting, day: date, zone: str, file: str, attests: UUID, by: UUID | None) -> Line:
    return Line(
        "attendance",
        "imported",
        to_utc(datetime.combine(day, NOON), zone),
        by,
        "import",
        status=row.status,
        minutes=row.minutes,
        code=file,
        detail={"attests": attests.hex, "line": row.line, "topic": row.topic, "day": day.isoformat()},
    )


def _days_of(work: Work, person_id: UUID) -> set[str]:
    return {
        str(line.detail.get("day", line.happened_at.date().isoformat()))
        for line in ledger.of_person(work.tx, person_id)
        if line.kind == "attendance"
    }
