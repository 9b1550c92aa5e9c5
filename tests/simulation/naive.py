"""A second, naive measure of a mentee by the policy ``example``, straight from the tables' rows.

It shares no code with the product's: it is slow, knows this one policy by heart, and asks day by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from storage.core.database import Tx, in_ids
from storage.meetings.meetings_tables import meeting
from storage.people.people_tables import membership
from storage.record.record_tables import enrolment, ledger_line

ZONE = ZoneInfo("America/Chicago")
YEARS = 2
NEEDS = {"meetings": 8, "contacts": 2}
MOST_ABSENCES = 3
MADE_UP_WITHIN = timedelta(days=60)
MADE_UP_A_YEAR = 2
PAUSING_DAYS = 90
FEWEST_MINUTES = {"contact": 15, "observation": 30, "workshop": 60, "book_study": 30}
WAYS = ("in_person", "video", "phone")
Row = Mapping[str, Any]
Figures = tuple[int, int, int, int, str]  # need, have, credited, waived, outcome


@dataclass(frozen=True, slots=True)
class Measured:
    """A state, and figures by year and rule."""

    state: str
    figures: Mapping[tuple[int, str], Figures]


@dataclass(frozen=True, slots=True)
class Books:
    """The rows about one mentee."""

    enrolled: Row
    lines: Sequence[Row]
    first_here: datetime
    meetings: Mapping[UUID, Row]  # those that lines speak of
    calendar: Sequence[Row]  # of the cohorts they are in now


def read_books(tx: Tx, people: Iterable[UUID]) -> dict[UUID, Books]:
    """The rows about these people, as far as they are mentees of a cohort now."""
    wanted = list(people)
    enrolled = {
        row["person_id"]: row for row in _rows(tx, select(enrolment).where(in_ids(tx, enrolment.c.person_id, wanted)))
    }
    by_enrolment = {row["id"]: person_id for person_id, row in enrolled.items()}
    lines: dict[UUID, list[Row]] = {person_id: [] for person_id in enrolled}
    query = select(ledger_line).where(in_ids(tx, ledger_line.c.enrolment_id, list(by_enrolment)))
    for row in _rows(tx, query.order_by(ledger_line.c.position)):
        lines[by_enrolment[row["enrolment_id"]]].append(row)
    held = {row["id"]: row for row in _rows(tx, select(meeting))}
    places: dict[UUID, list[Row]] = {}
    for row in _rows(tx, select(membership).where(membership.c.role == "mentee")):
        places.setdefault(row["person_id"], []).append(row)
    books_of: dict[UUID, Books] = {}
    for mine, enrolled_row in enrolled.items():
        here = {place["cohort_id"] for place in places.get(mine, []) if place["until"] is None}
        if here:
            first = min(place["since"] for place in places[mine])
            calendar = [row for row in held.values() if row["cohort_id"] in here]
            books_of[mine] = Books(enrolled_row, lines[mine], first, held, calendar)
    return books_of


def _rows(tx: Tx, query: Any) -> list[Row]:
    return [dict(row) for row in tx.execute(query).mappings()]


def measure(books: Books, today: date) -> Measured:
    """The state and figures of one mentee on a day."""
    years = _years(books, today)
    meetings = _meetings(books, today)
    figures: dict[tuple[int, str], Figures] = {}
    for number, (begins, ends) in enumerate(years, 1):
        inside = [(verdict, absent) for day, verdict, absent in meetings if begins <= day <= ends]
        figures[number, "meetings"] = _by_meetings(books, number, begins, ends, [day for day, _ in inside], today)
        figures[number, "contacts"] = _by_contacts(books, number, begins, ends, today)
        absences = sum(absent and verdict.startswith("missed") for verdict, absent in inside)
        outcome = "behind" if absences > MOST_ABSENCES else "met"
        figures[number, "absences"] = (MOST_ABSENCES, absences, 0, 0, outcome)
    return Measured(_state(books, figures, today), figures)


def _state(books: Books, figures: Mapping[tuple[int, str], Figures], today: date) -> str:
    outcomes = {figure[-1] for figure in figures.values()}
    if outcomes == {"met"}:
        return "complete"
    if _year(books.enrolled["starts"]) < _year(_day(books.first_here)):  # nothing is imported here
        return "history not imported"
    if on_leave(books, today):
        return "paused"
    for state in ("behind", "at risk"):
        if state in outcomes:
            return state
    return "on track"


# Days -------------------------------------------------------------------------------------------


def _day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def _year(day: date) -> int:
    """The program year of a day, by the calendar year in which it began."""
    return day.year if day.month >= 7 else day.year - 1


def _leaves(books: Books) -> list[tuple[date, date | None]]:
    """The leaves that hold: granted, perhaps ended early, and neither taken back."""
    taken_back = {row["target_id"] for row in books.lines if (row["kind"], row["step"]) == ("leave", "withdrawn")}
    standing = [row for row in books.lines if row["kind"] == "leave" and row["id"] not in taken_back]
    leaves = []
    for row in standing:
        if row["step"] == "granted":
            endings = [ending for ending in standing if (ending["step"], ending["target_id"]) == ("ended", row["id"])]
            last = endings[-1] if endings else row
            leaves.append((date.fromisoformat(row["detail"]["starts"]), _maybe_day(last["detail"]["ends"])))
    return leaves


def _maybe_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def on_leave(books: Books, day: date) -> bool:
    return any(starts <= day and (ends is None or day <= ends) for starts, ends in _leaves(books))


def _years(books: Books, today: date) -> list[tuple[date, date]]:
    """Two program years from the start; one with 90 days of leave or more is joined to the next."""
    calendar = _year(books.enrolled["starts"])
    years = []
    for _ in range(YEARS):
        first = calendar
        while _days_away(books, calendar, today) >= PAUSING_DAYS:
            calendar += 1
        years.append((date(first, 7, 1), date(calendar + 1, 6, 30)))
        calendar += 1
    return years


def _days_away(books: Books, year: int, today: date) -> int:
    """The days of leave in a program year; one without an end counts until today."""
    days = 0
    spans = [(starts, ends or max(today, starts)) for starts, ends in _leaves(books)]
    day = date(year, 7, 1)
    while spans and day <= date(year + 1, 6, 30):
        days += any(starts <= day <= ends for starts, ends in spans)
        day += timedelta(days=1)
    return days


# Meetings ---------------------------------------------------------------------------------------


def _attendance(books: Books) -> list[Row]:
    """The line that has the last word on each meeting that was not cancelled."""
    last: dict[UUID, Row] = {}
    for row in books.lines:
        if row["kind"] == "attendance" and books.meetings[row["meeting_id"]]["cancelled_at"] is None:
            before = last.get(row["meeting_id"])
            if before is None or before["step"] == "tapped" or row["step"] != "tapped":
                last[row["meeting_id"]] = row
    return list(last.values())


def _held_at(books: Books, row: Row) -> datetime:
    at: datetime = books.meetings[row["meeting_id"]]["starts_at"]
    return at


def _meetings(books: Books, today: date) -> list[tuple[date, str, bool]]:
    """Every meeting that concerns the mentee: its day, what it is worth, and whether it was an absence."""
    meetings = []
    for row in _attendance(books):
        day = _day(_held_at(books, row))
        if day > today:
            continue
        meetings.append((day, row["meeting_id"], _worth(books, row, day, today), row["status"] == "absent"))
    spoken_for = {meeting_id for _, meeting_id, _, _ in meetings}
    limited = _limit(sorted(meetings, key=lambda meeting: (meeting[2] == "missed, open", meeting[0], meeting[1])))
    return limited + [(day, "open", False) for day in _still_open(books, spoken_for, today)]


def _worth(books: Books, row: Row, day: date, today: date) -> str:
    if day < books.enrolled["starts"]:
        return "nothing"
    if row["step"] == "tapped":
        return "pending"
    if row["status"] in ("present", "partial"):
        return "counts"
    steps = _made_up(books, row["meeting_id"], day, today)
    if "approved" in steps:
        return "made up"
    if steps:
        return "pending"
    return "missed, open" if today <= _last_day(day) else "missed"


def _last_day(missed: date) -> date:
    return min(missed + MADE_UP_WITHIN, date(_year(missed) + 1, 6, 30))


def _made_up(books: Books, meeting_id: UUID, missed: date, today: date) -> list[str]:
    """Where each make-up of a meeting stands that can count: approved, or still waiting."""
    steps = []
    for row in books.lines:
        if (row["kind"], row["step"], row["meeting_id"]) != ("makeup", "asked", meeting_id):
            continue
        day = _day(row["happened_at"])
        decided = _decision(books, row)
        fits = books.enrolled["starts"] <= day <= min(today, _last_day(missed))
        if decided not in ("declined", "withdrawn") and fits and _minutes(books, row) >= FEWEST_MINUTES[row["code"]]:
            steps.append(decided)
    return steps


def _decision(books: Books, about: Row) -> str:
    """What was decided last about a line; a correction decides anew."""
    decided = [row for row in books.lines if row["target_id"] == about["id"] and row["kind"] == about["kind"]]
    if not decided:
        return "waiting"
    if decided[-1]["step"] != "corrected":
        return str(decided[-1]["step"])
    if decided[-1]["status"] != "counts":
        return "declined"
    return "approved" if about["kind"] == "makeup" else "verified"


def _minutes(books: Books, about: Row) -> int:
    """The minutes of something logged, as they were corrected last."""
    mended = [row["minutes"] for row in books.lines if row["target_id"] == about["id"] and row["step"] == "corrected"]
    known = [minutes for minutes in (about["minutes"], *mended) if minutes is not None]
    return int(known[-1]) if known else 0


def _limit(meetings: Sequence[tuple[date, UUID, str, bool]]) -> list[tuple[date, str, bool]]:
    """Two meetings a year are made up; those that are come before those that still could be."""
    used: dict[int, int] = {}
    limited = []
    for day, _, worth, absent in meetings:
        if worth in ("made up", "missed, open"):
            used[_year(day)] = used.get(_year(day), 0) + 1
            if used[_year(day)] > MADE_UP_A_YEAR:
                worth = "missed"
        limited.append((day, worth, absent))
    return limited


def _still_open(books: Books, spoken_for: set[UUID], today: date) -> list[date]:
    """The cohort's meetings without a word on the mentee, since they came to it and outside of leaves."""
    moves = [date.fromisoformat(row["detail"]["on"]) for row in books.lines if row["kind"] == "transfer"]
    since = max([books.enrolled["starts"], *(day for day in moves if day <= today)])
    days = [
        _day(row["starts_at"]) for row in books.calendar if row["cancelled_at"] is None and row["id"] not in spoken_for
    ]
    return [day for day in days if day >= since and not on_leave(books, day)]


# Figures ----------------------------------------------------------------------------------------


def _need(books: Books, rule: str, number: int, begins: date, ends: date) -> int:
    need, track = NEEDS[rule], books.enrolled["track"]
    if track == "part-time":
        return (need + 1) // 2
    if track == "mid-year" and number == 1:
        days = (ends - begins).days + 1
        starts: date = books.enrolled["starts"]
        there = min(days, (ends - starts).days + 1)
        return -(-need * there // days)
    return need


def _credited_and_waived(books: Books, rule: str, number: int, ends: date, missing: int) -> tuple[int, int]:
    """What credits, and then waivers, take off what is missing."""
    credited = waived = 0
    for row in books.lines:
        taken_back = _decision(books, row) == "withdrawn"
        if row["step"] != "granted" or taken_back or row["code"] != rule:
            continue
        year, amount = row["detail"]["year"], row["detail"]["amount"]
        if row["kind"] == "credit" and year == number:
            credited += amount
        if row["kind"] == "waiver" and year in (None, number) and _day(row["happened_at"]) <= ends:
            waived += 10_000 if amount is None else amount
    credited = min(credited, missing)
    return credited, min(waived, missing - credited)


def _by_meetings(books: Books, number: int, begins: date, ends: date, texts: Sequence[str], today: date) -> Figures:
    need = _need(books, "meetings", number, begins, ends)
    have = sum(worth in ("counts", "made up") for worth in texts)
    credited, waived = _credited_and_waived(books, "meetings", number, ends, max(0, need - have))
    missing = max(0, need - have - credited - waived)
    coming = sum(worth in ("open", "pending") for worth in texts)
    missed = sum(worth.startswith("missed") for worth in texts)
    could = coming + texts.count("missed, open")
    asked = min(missing, coming + missed)  # the cohort offered no more
    if missing == 0:
        outcome = "met"
    elif begins > today:
        outcome = "open"
    elif could < asked:
        outcome = "behind"
    elif coming < asked or ends < today or (missed and coming <= missing):
        outcome = "at risk"
    else:
        outcome = "open"
    return need, have, credited, waived, outcome


def _by_contacts(books: Books, number: int, begins: date, ends: date, today: date) -> Figures:
    need = _need(books, "contacts", number, begins, ends)
    steps = [_decision(books, row) for row in _contacts(books, begins, min(ends, today))]
    have = steps.count("verified")
    credited, waived = _credited_and_waived(books, "contacts", number, ends, max(0, need - have))
    missing = max(0, need - have - credited - waived)
    length, left = (ends - begins).days + 1, (ends - today).days + 1
    if missing == 0:
        outcome = "met"
    elif begins > today:
        outcome = "open"
    elif ends < today:
        outcome = "at risk" if steps.count("waiting") >= missing else "behind"
    else:
        outcome = "at risk" if 4 * left <= length else "open"
    return need, have, credited, waived, outcome


def _contacts(books: Books, begins: date, ends: date) -> list[Row]:
    """The contacts that were logged for these days and can count."""
    return [
        row
        for row in books.lines
        if (row["kind"], row["step"], row["code"]) == ("activity", "logged", "contact")
        and max(begins, books.enrolled["starts"]) <= _day(row["happened_at"]) <= ends
        and row["detail"].get("mode") in WAYS
        and _minutes(books, row) >= FEWEST_MINUTES["contact"]
    ]
