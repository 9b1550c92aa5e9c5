"""The roster file: read and checked whole, before anything is written."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from program.core.times import is_zone
from program.core.words import folded

Role = Literal["mentee", "mentor", "coordinator"]
ROLES: tuple[Role, ...] = ("mentee", "mentor", "coordinator")
REQUIRED = ("cohort", "role", "name", "email")
OPTIONAL = ("region", "person_id", "zone", "district", "program_start", "track")
COLUMNS = (*REQUIRED, *OPTIONAL)
ALIASES = {"e-mail": "email", "e_mail": "email", "start": "program_start", "personid": "person_id"}
NAMES = ("cohort", "name", "region", "district")
# In emoji, in Persian, Indic, Hebrew and Arabic names, and where a long name may be divided.
JOINERS_AND_MARKS = "\u200c\u200d\u200e\u200f\u061c\u00ad"
FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")  # of a region, as Scotland's
MOST_NAME = 200  # characters
EARLIEST_START, LATEST_START = date(1990, 1, 1), date(2100, 1, 1)  # beyond these, a program start is a typing error
EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: one person's place in one cohort. ``email`` is in lower case."""

    line: int
    cohort: str
    role: Role
    name: str
    email: str
    zone: str
    region: str = ""
    person_id: str | None = None
    district: str = ""
    program_start: date | None = None
    track: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line (0: with the file), in a sentence."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.text}" if self.line else self.text


def read_roster(text: str, zone: str) -> tuple[list[Row], list[Problem]]:
    """The rows and every problem of a roster file (CSV with a header line, comma or semicolon).

    ``zone``: the program's, which lines without a zone get.
    """
    text = text.lstrip("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        return [], [Problem(reader.line_num, f"This file can't be read as CSV: {error}.")]
    if not lines:
        return [], [Problem(0, "The file is empty. Its first line must name the columns: " + ", ".join(COLUMNS) + ".")]
    header = [_column(cell) for cell in lines[0][1]]
    problems = _header_problems(header)
    if problems:
        return [], problems
    rows: list[Row] = []
    for number, cells in lines[1:]:
        row, wrong = _row(number, header, cells, zone)
        problems += wrong
        if row:
            rows.append(row)
    if not rows and not problems:
        problems.append(Problem(0, "The file has column names but no people."))
    return rows, problems + _conflicts(rows)


def _column(cell: str) -> str:
    name = re.sub(r"[\s]+", "_", cell.strip().lower())
    return ALIASES.get(name, name)


def _header_problems(header: list[str]) -> list[Problem]:
    problems = [Problem(1, f"The column {name} is missing.") for name in REQUIRED if name not in header]
    problems += [
        Problem(1, f"The column {name!r} is not one of the expected columns: {', '.join(COLUMNS)}.")
        for name in header
        if name not in COLUMNS
    ]
    problems += [Problem(1, f"The column {name} appears twice.") for name in COLUMNS if header.count(name) > 1]
    return problems


def _row(line: int, header: list[str], cells: list[str], program_zone: str) -> tuple[Row | None, list[Problem]]:
    if len(cells) != len(header):
        return None, [Problem(line, f"This line has {len(cells)} cells, but there are {len(header)} columns.")]
    cell = dict.fromkeys(COLUMNS, "") | dict(zip(header, (text.strip() for text in cells), strict=True))
    wrong: list[str] = [f"The {name} is empty." for name in ("cohort", "name", "email") if not cell[name]]
    wrong += [f"The {name} is over {MOST_NAME} characters." for name in COLUMNS if len(cell[name]) > MOST_NAME]
    wrong += [f"The {name} contains a control character." for name in COLUMNS if not _allowed(name, cell[name])]
    invisible = [name for name in ("cohort", "name") if cell[name] and not folded(cell[name])]
    wrong += [f"The {name} has no visible characters." for name in invisible]
    role = cell["role"].lower()
    if role not in ROLES:
        wrong.append(f"{cell['role']!r} is not a role. Use mentee, mentor or coordinator.")
    if cell["email"] and not EMAIL.fullmatch(cell["email"]):
        wrong.append(f"{cell['email']!r} is not an email address.")
    zone = cell["zone"] or program_zone
    if not is_zone(zone):
        wrong.append(f"{zone!r} is not a time zone. Use a name like America/Chicago.")
    the = f"{cell['name']}: the" if _allowed("name", cell["name"]) and cell["name"] else "The"
    start: date | None = None
    if cell["program_start"]:
        try:
            start = date.fromisoformat(cell["program_start"])
        except ValueError:
            wrong.append(f"{the} program start {cell['program_start']!r} is not a date like 2026-08-15.")
    if start is not None and not EARLIEST_START <= start < LATEST_START:
        years = f"{EARLIEST_START.year} to {LATEST_START.year - 1}"
        wrong.append(f"{the} program start {start} is not in the years {years}.")
    if wrong:
        return None, [Problem(line, sentence) for sentence in wrong]
    return Row(
        line=line,
        cohort=cell["cohort"],
        role=cast(Role, role),
        name=cell["name"],
        email=cell["email"].lower(),
        region=cell["region"],
        person_id=cell["person_id"] or None,
        zone=zone,
        district=cell["district"],
        program_start=start,
        track=cell["track"],
    ), []


def _allowed(column: str, text: str) -> bool:
    """Names may hold joiners, direction marks, special spaces and flags; nothing that breaks or reorders a line."""
    if column not in NAMES:
        return text.isprintable()
    text = FLAG.sub("", text)
    kept = "".join(char for char in text if unicodedata.category(char) != "Zs" and char not in JOINERS_AND_MARKS)
    return kept.isprintable()


def _conflicts(rows: list[Row]) -> list[Problem]:
    """Lines that contradict an earlier one about the same person or cohort."""
    problems: list[Problem] = []
    people: dict[str, Row] = {}
    ids: dict[str, Row] = {}
    places: dict[tuple[str, str], Row] = {}
    regions: dict[str, Row] = {}
    for row in rows:
        for key, seen, what in ((row.email, people, "address"), (row.person_id, ids, "person_id")):
            if key is None:
                continue
            other = seen.setdefault(key, row)
            same = (other.name, other.email, other.person_id, other.zone)
            if same != (row.name, row.email, row.person_id, row.zone):
                text = f"The same {what} is in line {other.line} with a different name, address, id or zone."
                problems.append(Problem(row.line, text))
        twin = places.setdefault((row.cohort.lower(), row.email), row)
        if twin is not row:
            problems.append(Problem(row.line, f"{row.name} is in {row.cohort} already, in line {twin.line}."))
        region = regions.setdefault(row.cohort.lower(), row)
        if region.region != row.region:
            problems.append(Problem(row.line, f"{row.cohort} has another region in line {region.line}."))
    unique = {(problem.line, problem.text): problem for problem in problems}
    return list(unique.values())
