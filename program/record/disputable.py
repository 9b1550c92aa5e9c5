"""What can be disputed or undone, in the policy's words, and what the record says after a change."""

from __future__ import annotations

from datetime import date

from program.core.times import say_day
from program.meetings.attendance import STATUSES
from program.record.policy import Policy
from program.record.wording import KINDS, RecordLine, in_words


def entry_in_words(line: RecordLine, policy: Policy) -> str:
    """An activity, make-up or change of the record, e.g. “Credit of 2 for Meetings, year 1”."""
    detail = line.detail
    match line.kind, line.step:
        case (("activity" | "makeup"), _):
            activity = policy.activity(line.code)
            name = activity.name if activity else in_words(line.code)
            return f"{name}, {line.minutes or 0} minutes{', make-up' if line.kind == 'makeup' else ''}"
        case (("credit" | "waiver"), "granted"):
            rule = policy.rule(line.code)
            amount = f" of {detail['amount']}" if detail.get("amount") is not None else ""
            year = f", year {detail['year']}" if detail.get("year") else ""
            return f"{KINDS[line.kind]}{amount} for {rule.name if rule else in_words(line.code)}{year}"
        case "leave", _:
            days = [say_day(date.fromisoformat(detail[end])) for end in ("starts", "ends") if detail.get(end)]
            return f"{'End of the leave' if line.step == 'ended' else 'Leave'}, {' to '.join(days)}"
        case "transfer", _:
            return f"Transfer to {detail['to']}"
        case "policy", _:
            return f"Requirements of {detail['to']}"
    return line.what


def attendance_in_words(line: RecordLine) -> str:
    """What a line says of somebody's attendance, e.g. “partly there, 50 minutes”."""
    status = next((label for code, label in STATUSES.items() if code == line.status), line.status)
    minutes = f", {line.minutes} minutes" if line.minutes is not None else ""
    return f"{status.lower()}{minutes}"


def now_words(line: RecordLine, policy: Policy) -> str:
    """What the record says since ``line`` changed it, as a sentence."""
    match line.kind, line.step:
        case "attendance", _:
            return f"The record now says: {attendance_in_words(line)}."
        case (("activity" | "makeup"), ("declined" | "withdrawn")):
            return f"The {KINDS[line.kind].lower()} was {line.step}, so it doesn't count."
        case (("activity" | "makeup"), _):
            counts = f"it counts with {line.minutes} minutes" if line.status == "counts" else "it doesn't count"
            return f"The record now says: {counts}."
        case _, "withdrawn":
            return f"The {KINDS[line.kind].lower()} was taken back."
        case "leave", _:
            return "The leave was ended."
    return f"The record now says: {entry_in_words(line, policy)}."
