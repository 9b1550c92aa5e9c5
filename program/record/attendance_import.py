"""The file of earlier attendance: read and checked whole, before anything is written."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date

from program.meetings.attendance import STATUSES, Status
from program.people.roster import EMAIL, Problem

REQUIRED = ("email", "date", "minutes")
COLUMNS = (*REQUIRED, "status", "topic")
MOST_DIGITS = 12  # of a number of minutes, zeros in front of it included


@dataclass(frozen=True, slots=True)
class ImportedMeeting:
    """One person in one meeting that was before the bot.

    ``day`` None: the file covers this person, and there was no meeting to bring.
    """

    line: int
    email: str
    day: date | None
    minutes: int
    status: Status
    topic: str


def read_attendance(text: str, today: date) -> tuple[list[ImportedMeeting], list[Problem]]:
    """The rows and every problem of a file with the columns email, date, minutes, status and topic."""
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        return [], [Problem(reader.line_num, f"This file can't be read as CSV: {error}.")]
    if not lines:
        return [], [Problem(0, "The file is empty. Its first line must name the columns: " + ", ".join(COLUMNS) + ".")]
    header = [cell.strip().lower().replace("e-mail", "email") for cell in lines[0][1]]
    problems = [Problem(1, f"The column {name} is missing.") for name in REQUIRED if name not in header]
    problems += [
        Problem(1, f"The column {name!r} is not one of the expected columns.") for name in header if name not in COLUMNS
    ]
    if problems:
        return [], problems
    rows: list[ImportedMeeting] = []
    for number, cells in lines[1:]:
        row, wrong = _row(number, header, cells, today)
        problems += [Problem(number, sentence) for sentence in wrong]
        if row:
            rows.append(row)
    return rows, problems + _twice(rows)


def _row(line: int, header: list[str], cells: list[str], today: date) -> tuple[ImportedMeeting | None, list[str]]:
    if len(cells) != len(header):
        return None, [f"This line has {len(cells)} cells, but there are {len(header)} columns."]
    cell = dict.fromkeys(COLUMNS, "") | dict(zip(header, (text.strip() for text in cells), strict=True))
    wrong = []
    if not EMAIL.fullmatch(cell["email"]):
        wrong.append(f"{cell['email']!r} is not an email address.")
    if not wrong and not any(cell[name] for name in COLUMNS if name != "email"):
        return ImportedMeeting(line, cell["email"].lower(), None, 0, "absent", ""), []
    day: date | None = None
    try:
        day = date.fromisoformat(cell["date"])
    except ValueError:
        wrong.append(f"{cell['date']!r} is not a date. Use the form 2025-10-09.")
    if day is not None and day > today:
        wrong.append(f"The date {day} is in the future.")
    digits = cell["minutes"].isdecimal() and len(cell["minutes"]) <= MOST_DIGITS
    if not digits or not 0 < int(cell["minutes"]) <= 1440:
        wrong.append(f"{cell['minutes']!r} is not a number of minutes. Use a whole number from 1 to 1440.")
    status = next((code for code in STATUSES if code == (cell["status"].lower() or "present")), None)
    if status is None:
        wrong.append(f"{cell['status']!r} is not a status. Use one of {', '.join(STATUSES)}.")
    if len(cell["topic"]) > 200 or not cell["topic"].isprintable():
        wrong.append("The topic is over 200 characters or contains a control character.")
    if wrong or day is None or status is None:
        return None, wrong
    return ImportedMeeting(line, cell["email"].lower(), day, int(cell["minutes"]), status, cell["topic"]), []


def _twice(rows: list[ImportedMeeting]) -> list[Problem]:
    seen: dict[tuple[str, date | None], int] = {}
    problems = []
    for row in rows:
        first = seen.setdefault((row.email, row.day), row.line)
        if first != row.line:
            what = f"on {row.day} stands" if row.day else "without a meeting stands"
            problems.append(Problem(row.line, f"{row.email} {what} in line {first} already."))
    with_meetings = {row.email for row in rows if row.day is not None}
    for email, day in seen:
        if day is None and email in with_meetings:
            text = f"{email} has meetings in this file, so a row without a meeting makes no sense. Delete that row."
            problems.append(Problem(seen[email, None], text))
    return problems
