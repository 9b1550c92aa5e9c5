"""Whether a record still says what its mentee disputes, and which line changed it since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from program.record.policy import MEETING, AtLeast, Policy
from program.record.wording import RecordLine


@dataclass(frozen=True, slots=True)
class Change:
    """By ``line``, the record says something else than when it was disputed.

    ``exact``: the line names what it changes, or puts back what was before. Otherwise only a person can tell
    whether it answers the dispute. ``cancelled``: the meeting of the line was cancelled; no line says so.
    """

    line: RecordLine
    exact: bool
    cancelled: bool = False


def change_since(
    lines: Sequence[RecordLine], about: RecordLine, opened: RecordLine, meeting_rules: Collection[str]
) -> Change | None:
    """What changed the disputed line ``about`` since the dispute was ``opened``; None: it says the same.

    ``lines``: the whole record in the order of recording. ``meeting_rules``: the rules that count meetings.
    """
    match about.kind:
        case "attendance" if about.meeting_id is not None:
            return _attendance(lines, about)
        case "attendance":
            return _imported(lines, opened, meeting_rules)
        case "activity" | "makeup":
            return _decision(lines, about, opened)
        case "transfer" | "policy":
            return _move(lines, about, opened)
        case _:
            return _grant(lines, about, opened)


def rules_of_meetings(policy: Policy) -> set[str]:
    """The ids of the rules toward which meetings count."""
    return {rule.id for rule in policy.rules if isinstance(rule, AtLeast) and MEETING in rule.activities}


def _attendance(lines: Sequence[RecordLine], about: RecordLine) -> Change | None:
    settled = [
        line
        for line in lines
        if line.kind == "attendance" and line.meeting_id == about.meeting_id and line.step != "tapped"
    ]
    last = settled[-1] if settled else about
    return None if (last.status, last.minutes) == (about.status, about.minutes) else Change(last, exact=True)


def _imported(lines: Sequence[RecordLine], opened: RecordLine, meeting_rules: Collection[str]) -> Change | None:
    """A line of an imported file is not corrected; meetings that it lacks are credited, which names no line."""
    taken_back = {line.target_id for line in lines if line.step == "withdrawn"}
    credits = [
        line
        for line in lines
        if (line.kind, line.step) == ("credit", "granted")
        and line.position > opened.position
        and line.code in meeting_rules
        and line.id not in taken_back
    ]
    return Change(credits[-1], exact=False) if credits else None


def _decision(lines: Sequence[RecordLine], about: RecordLine, opened: RecordLine) -> Change | None:
    """A later decision, where the record says something else by it. What waits is taken as it was logged.

    A correction is about what was disputed; an entry may be declined or withdrawn for other reasons.
    """
    decisions = [line for line in lines if line.kind == about.kind and line.target_id == about.id]
    changing = ("corrected", "declined", "withdrawn")
    later = [line for line in decisions if line.step in changing and line.position > opened.position]
    if not later:
        return None
    earlier = [line for line in decisions if line.position < opened.position]
    before = _counted_minutes(earlier[-1], about) if earlier else about.minutes
    last = later[-1]
    return None if _counted_minutes(last, about) == before else Change(last, exact=last.step == "corrected")


def _counted_minutes(decision: RecordLine, about: RecordLine) -> int | None:
    """The minutes that count after a decision; None: it does not count."""
    if decision.step == "corrected":
        return decision.minutes if decision.status == "counts" else None
    return None if decision.step in ("declined", "withdrawn") else about.minutes


def _move(lines: Sequence[RecordLine], about: RecordLine, opened: RecordLine) -> Change | None:
    later = [
        line for line in lines if (line.kind, line.step) == (about.kind, about.step) and line.position > opened.position
    ]
    if not later or _place(later[-1]) == _place(about):
        return None
    earlier = about.detail["from"]
    places = earlier if isinstance(earlier, list) else [earlier]
    return Change(later[-1], exact=[later[-1].detail["to"]] == places and _is_track_back(lines, about))


def _is_track_back(lines: Sequence[RecordLine], about: RecordLine) -> bool:
    """Whether the mentee's track is what it was before a move to another policy; a transfer changes none."""
    changes = track_changes(lines, about.position)
    return about.kind != "policy" or not changes or changes[0]["from"] == changes[-1]["to"]


def track_changes(lines: Iterable[RecordLine], after: int) -> list[Mapping[str, str]]:
    """What the lines recorded after a position change about the track, each with its ``from`` and ``to``."""
    return [line.detail["track"] for line in lines if _changes_track(line) and line.position > after]


def _changes_track(line: RecordLine) -> bool:
    return (line.kind, line.step) == ("enrolment", "changed") and "track" in line.detail


def _place(move: RecordLine) -> tuple[str, str | None]:
    """Where somebody was moved, and the day from which that holds."""
    return move.detail["to"], move.detail.get("on")


def _grant(lines: Sequence[RecordLine], about: RecordLine, opened: RecordLine) -> Change | None:
    """A credit, waiver or leave that was taken back, or a leave that was ended or goes on."""
    same_kind = [line for line in lines if line.kind == about.kind]
    before = [line for line in same_kind if line.position < opened.position]
    if _state_of_grant(same_kind, about) == _state_of_grant(before, about):
        return None
    endings = {line.id for line in same_kind if line.target_id == about.id}
    later = [line for line in same_kind if line.position > opened.position]
    last = [line for line in later if line.target_id == about.id or line.target_id in endings][-1]
    return Change(last, exact=last.step == "withdrawn")  # a mentee may end a leave for other reasons


def _state_of_grant(lines: Sequence[RecordLine], about: RecordLine) -> tuple[bool, object]:
    """Whether it was taken back, and the line that ended it, if one stands."""
    taken_back, endings = False, []
    for line in lines:
        if line.target_id == about.id and line.step == "withdrawn":
            taken_back = True
        elif line.target_id == about.id and line.step == "ended":
            endings.append(line.id)
        elif line.step == "withdrawn" and line.target_id in endings:
            endings.remove(line.target_id)
    return taken_back, endings[-1] if endings else None
