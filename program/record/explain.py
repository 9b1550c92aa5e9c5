"""A standing in short sentences, for a phone: where somebody stands, what is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from program.core.words import counted, listed
from program.record.counting import Item
from program.record.policy import MEETING
from program.record.standing import RANK, Outcome, Requirement, Standing, State, YearStanding

STATES: dict[State, str] = {
    "complete": "complete",
    "on track": "on track",
    "at risk": "at risk",
    "behind": "behind",
    "blocked": "requirements not set",
    "paused": "paused",
    "history not imported": "history not imported",
}
URGENCY: dict[State, int] = {
    "behind": 0,
    "at risk": 1,
    "history not imported": 2,
    "blocked": 3,
    "on track": 4,
    "paused": 5,
    "complete": 6,
}
MOST_ITEMS = 6  # of a list in a sentence


@dataclass(frozen=True, slots=True)
class Line:
    """A rule in one year, or over the program: its periods taken together. ``need`` None: unset."""

    name: str
    label: str  # of the year
    have: int
    need: int | None
    outcome: Outcome
    of: tuple[Requirement, ...]

    @property
    def single(self) -> Requirement | None:
        return self.of[0] if len(self.of) == 1 else None


def say_date(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def lines(found: Iterable[Requirement], label: str) -> list[Line]:
    """One line a rule, in the policy's order: its number, or how many of its periods are met."""
    grouped: dict[str, list[Requirement]] = {}
    for one in found:
        grouped.setdefault(one.rule, []).append(one)
    return [_line(group, label) for group in grouped.values()]


def _line(group: list[Requirement], label: str) -> Line:
    first = group[0]
    outcome = min((one.outcome for one in group), key=RANK.__getitem__)
    if len(group) == 1:
        need = None if first.need is None else first.need if first.limit else max(0, first.need - first.waived)
        return Line(first.name, label, first.have + first.credited, need, outcome, (first,))
    met = sum(one.outcome == "met" for one in group)
    need = None if first.need is None else len(group)
    return Line(first.name, label, met, need, outcome, tuple(group))


def of_year(year: YearStanding) -> list[Line]:
    return lines(year.requirements, year.label)


def in_numbers(year: YearStanding) -> str:
    """A year's requirements in one line: "Meetings 5 of 8; Contacts 2 of 2". Limits are left out."""
    shown = [one for one in of_year(year) if not (one.single and one.single.limit)]
    return "; ".join(f"{one.name} {one.have}" + ("" if one.need is None else f" of {one.need}") for one in shown)


def all_lines(found: Standing) -> list[Line]:
    return [*(line for year in found.years for line in of_year(year)), *lines(found.whole, "Whole program")]


# Sentences ---------------------------------------------------------------------------------------


def sentences(found: Standing) -> list[str]:
    """Everything: the state first, then what is missing, what to do, and what is unset."""
    return [headline(found), *missing(found), *todo(found), *unset(found)]


def headline(found: Standing, *, own: bool = False) -> str:
    """The state in a sentence. ``own``: the mentee reads it."""
    match found.state:
        case "complete":
            return "Every requirement is met. The coordinator has been asked to approve completion."
        case "on track":
            return "On track." + _finish(found, own)
        case "at risk":
            return "At risk: everything can still be met, but something needs attention now."
        case "behind":
            if found.must_finish is not None and found.must_finish < found.today:
                return f"Behind: the deadline to finish was {say_date(found.must_finish)}."
            return "Behind: at least one requirement can't be met without the coordinator's help."
        case "blocked":
            return "The program hasn't set its requirements yet."
        case "paused":
            until = found.on_leave_until
            ends = "" if until is None or until == date.max else f" until {say_date(until)}"
            return f"On leave{ends}. Nothing is due during the leave. Everything done before still counts."
        case "history not imported":
            return (
                "Earlier attendance hasn't been imported yet, so progress isn't known. Ask the operator to import it."
            )


def _finish(found: Standing, own: bool) -> str:
    if found.finish is None:
        return ""
    by = say_date(found.finish)
    return f" You'll finish by {by} if you keep attending." if own else f" Expected to finish by {by}."


def missing(found: Standing) -> list[str]:
    """What is still to do of what has begun."""
    return _of_lines(found, [line for line in all_lines(found) if line.outcome != "met"])


def trouble(found: Standing) -> list[str]:
    """Only what makes somebody behind or at risk, and what can be done about it: for those who help."""
    urgent = [line for line in all_lines(found) if line.outcome in ("behind", "at risk")]
    worst = [one for line in urgent for one in _with_parts(line.of) if one.outcome in ("behind", "at risk")]
    said = [*_of_lines(found, urgent), *_make_ups(worst), *_waiting(worst)]
    return list(dict.fromkeys(said)) or [headline(found)]


def _of_lines(found: Standing, chosen: list[Line]) -> list[str]:
    said: list[str] = []
    for line in chosen:
        begun = [one for one in line.of if one.period.starts <= found.today]
        if begun:
            said += _missing(line, begun, found.today)
    return said


def _missing(line: Line, begun: list[Requirement], today: date) -> Iterator[str]:
    single = line.single
    if single is None:
        late = [one.period.label for one in begun if one.outcome != "met" and one.need is not None]
        if late:
            yield f"{line.label}, {line.name}: {line.have} of {line.need} met. To do: {listed(late, MOST_ITEMS)}."
        elif line.need is None:
            yield f"{line.label}, {line.name}: the number required isn't set yet."
        return
    if single.limit and single.have == 0:
        return  # nobody is told of absences that they do not have
    yield _one_missing(line, single, today)


def _one_missing(line: Line, one: Requirement, today: date) -> str:
    meetings = one.chances is not None and one.unit == "events"
    where = line.label if meetings else f"{line.label}, {line.name}"
    if one.limit:
        if one.need is None:
            return f"{where}: {one.have}; the limit isn't set yet."
        return f"{where}: {one.have} so far. The limit is {one.need}."
    if one.need is None:
        have = f"{counted(one.have, 'meeting')} attended" if meetings else f"{quantity(one, one.have)} counted"
        return f"{where}: {have}; the number required isn't set yet."
    count = one.missing or 0
    if one.lacking:
        what = f"{listed(one.lacking, MOST_ITEMS)} to go"
    elif meetings:
        what = f"{counted(count, 'meeting')} to go"
    else:
        what = f"{quantity(one, count)} to go"
    over = ", but the year is over" if one.due < today and one.period.year else ""
    return f"{where}: {what}{over}."


def quantity(one: Requirement, count: int) -> str:
    """An amount of what a rule counts."""
    match one.unit:
        case "minutes":
            return _minutes(count)
        case "months" | "weeks" | "topics" | "items":
            return counted(count, f"{one.unit[:-1]}")
        case _:
            return str(count)


def _minutes(count: int) -> str:
    hours, minutes = divmod(count, 60)
    if hours and minutes:
        return f"{counted(hours, 'hour')} {counted(minutes, 'minute')}"
    return counted(hours, "hour") if hours else counted(minutes, "minute")


def todo(found: Standing) -> list[str]:
    """What can be done about it."""
    if found.state in ("complete", "paused", "history not imported"):
        return []
    open_ones = [one for one in _with_parts(found.requirements) if one.outcome != "met"]
    said = [
        *_coming(found, open_ones),
        *_make_ups(open_ones),
        *_waiting(open_ones),
        *_decisions(found, open_ones),
        *too_few(found),
    ]
    return list(dict.fromkeys(said))


def too_few(found: Standing) -> list[str]:
    """Where the cohort's meetings are too few for anybody."""
    return [
        f"{one.name}: only {one.possible} of {one.need} are held or scheduled in {one.period.label}. "
        "More need to be scheduled. The mentor and the coordinator can see this."
        for one in found.too_few
    ]


def _with_parts(found: Iterable[Requirement]) -> Iterator[Requirement]:
    for one in found:
        yield one
        yield from one.parts


def _coming(found: Standing, open_ones: list[Requirement]) -> Iterator[str]:
    for one in open_ones:
        if one.missing and one.period.holds(found.today):
            yield f"{one.name}: due by {say_date(one.due)}."


def _make_ups(open_ones: list[Requirement]) -> Iterator[str]:
    for one in open_ones:
        for item in one.others:
            if item.make_up_until is not None and not one.limit:
                until = "" if item.make_up_until == date.max else f" until {say_date(item.make_up_until)}"
                yield f"The meeting on {say_date(item.day)} can be made up{until}: send “makeup”."


def _waiting(open_ones: list[Requirement]) -> Iterator[str]:
    for one in open_ones:
        for item in one.others:
            if item.verdict == "pending":
                yield f"{say_date(item.day)}: {item.why}."


def _decisions(found: Standing, open_ones: list[Requirement]) -> Iterator[str]:
    for one in open_ones:
        late = one.missing and one.due < found.today
        if one.outcome == "behind" or late or (one.limit and one.have and one.outcome != "met"):
            yield f"{one.name}, {one.period.label}: ask the coordinator what can be done."


def unset(found: Standing) -> list[str]:
    if not found.unset:
        return []
    return [
        f"The program hasn't set: {listed(found.unset, MOST_ITEMS)}. No one can complete the program until "
        "the coordinator sets this."
    ]


def why(one: Requirement) -> list[str]:
    """Each thing that counted or did not, with the reason."""
    said = [f"{say_date(item.day)}: {_what(item)} counts{_made_up(item)}." for item in one.counted]
    said += [f"{say_date(item.day)}: {_what(item)} doesn't count: {item.why}." for item in one.others]
    if one.credited:
        said.append(f"{quantity(one, one.credited)} credited.")
    if one.waived:
        said.append(f"{quantity(one, one.waived)} waived.")
    for part in one.parts:
        said += why(part)
    return said


def _what(item: Item) -> str:
    return "meeting" if item.activity == MEETING else item.activity.replace("_", " ")


def _made_up(item: Item) -> str:
    return f" ({item.why})" if item.why else ""
