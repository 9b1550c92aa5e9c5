"""Requests for a leave of absence: the form's fields, the line in the ledger, whether it waits, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from handlers.core.forms import ChoiceField, DateField, Fields, FormErrors, options_of
from program.core.times import say_day
from program.record.ledger import Leave
from program.record.stated_days import stated_day
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.record import leaves, ledger
from storage.record.ledger import Line

OUTCOMES = {"granted": "approved"}  # in words; the others are words already


@dataclass(frozen=True, slots=True)
class LeaveDays:
    """A leave as a form asks for it or gives it. ``ends``: the last day, if it is known."""

    starts: date
    ends: date | None
    reason: str

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends < self.starts:
            raise FormErrors({"ends": "The last day must be after the first day."})


def leave_fields(
    reasons: Mapping[str, str],
    starts: date | None = None,
    ends: date | None = None,
    reason: str = "",
    *,
    last_day: str = "Last day, if you know it",
) -> Fields[LeaveDays]:
    """The fields of a leave. ``reasons``: of the policy, by code; ``last_day``: the label of the last day."""
    return Fields(
        LeaveDays,
        DateField("starts", "First day", starts, needed="Choose the first day."),
        DateField("ends", last_day, ends, optional=True),
        ChoiceField("reason", "Why", options_of(reasons), reason, needed="Choose a reason."),
    )


def leave_line(step: str, starts: date, ends: date | None, reason: str, by: UUID, verified: str) -> Line:
    """A line about a leave of these days. ``by``: who records it, and ``verified`` in which role."""
    detail = {"starts": starts.isoformat(), "ends": ends.isoformat() if ends else None}
    return Line("leave", step, stated_day(starts), by, verified, reason=reason, detail=detail)


def is_leave_request(line: RecordLine) -> bool:
    """Whether a mentee asks for a leave with this line."""
    return (line.kind, line.step) == ("leave", "asked")


def waiting_requests(work: Work, person_id: UUID) -> list[RecordLine]:
    """A mentee's requests that nobody decided or took back, in the order of recording."""
    lines = [line for line in ledger.of_person(work.tx, person_id) if line.kind == "leave"]
    decided = {line.target_id for line in lines}
    return [line for line in lines if is_leave_request(line) and line.id not in decided]


def leave_outcome(work: Work, line: RecordLine) -> str:
    """What became of a request: the step of its decision; empty while it waits."""
    decided = [later.step for later in ledger.about(work.tx, line.id) if later.kind == "leave"]
    return decided[-1] if decided else ""


def span_words(starts: date, ends: date | None) -> str:
    """The days of a leave: "Mon Sep 7, 2026 to Fri Sep 18, 2026"."""
    return say_day(starts) + (f" to {say_day(ends)}" if ends else ", until further notice")


def spans_words(granted: list[Leave]) -> str:
    """The days of several leaves."""
    return "; ".join(span_words(leave.starts, leave.ends) for leave in granted)


def requested_days(line: RecordLine) -> str:
    """The days that a request asks for, in words."""
    return span_words(*leaves.span(line.detail))
