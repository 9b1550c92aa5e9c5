"""A standing in short sentences, for a phone: where somebody stands, what is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from program.core.words import counted, listed, lower_first
from program.record.calendar import Shortage
from program.record.counting import Item
from program.record.policy import MEETING, AtLeast, Policy
from program.record.requirement import RANK, Outcome, Requirement
from program.record.standing import Standing, State, YearStanding

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
class RuleSummary:
    """A rule in one year, or over the program: its periods taken together. ``need`` None: unset."""

    name: str
    label: str  # of the year
    have: int
    need: int | None
    outcome: Outcome
    of: tuple[Requirement, ...]

    @property
    def single(self) -> Requirement | None:
        """The requirement that the line is about, if it is about one alone."""
        return self.of[0] if len(self.of) == 1 else None


def say_date(day: date) -> str:
    """A date in full: "October 15, 2026"."""
    return f"{day:%B} {day.day}, {day.year}"


def lines(requirements: Iterable[Requirement], label: str) -> list[RuleSummary]:
    """One line a rule, in the policy's order: its number, or how many of its periods are met."""
    grouped: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        grouped.setdefault(requirement.rule, []).append(requirement)
    return [_line(group, label) for group in grouped.values()]


def _line(group: list[Requirement], label: str) -> RuleSummary:
    first = group[0]
    outcome = min((part.outcome for part in group), key=RANK.__getitem__)
    if len(group) == 1:
        need = None if first.need is None else first.need if first.limit else max(0, first.need - first.waived)
        return RuleSummary(first.name, label, first.have + first.credited, need, outcome, (first,))
    met = sum(part.outcome == "met" for part in group)
    need = None if first.need is None else len(group)
    return RuleSummary(first.name, label, met, need, outcome, tuple(group))


def of_year(year: YearStanding) -> list[RuleSummary]:
    """The sentences about one program year."""
    return lines(year.requirements, year.label)


def in_numbers(year: YearStanding) -> str:
    """A year's requirements in one line: "Meetings 5 of 8; Contacts 2 of 2". Limits are left out."""
    shown = [line for line in of_year(year) if not (line.single and line.single.limit)]
    return "; ".join(f"{line.name} {line.have}" + ("" if line.need is None else f" of {line.need}") for line in shown)


def all_lines(result: Standing) -> list[RuleSummary]:
    """The sentences about every year and about the program as a whole."""
    return [*(line for year in result.years for line in of_year(year)), *lines(result.whole, "Whole program")]


# Sentences ---------------------------------------------------------------------------------------
#
# ``about``: the mentee's name, for those who help them; empty: the mentee reads it.


def summary(result: Standing, about: str = "") -> tuple[str, list[str]]:
    """The state in a sentence, and what is missing and can be done about it, each said once."""
    first, text = _first(result, about), headline(result, about)
    said = [*missing(result), *todo(result, about)]
    return text, [sentence for sentence in said if sentence != first]


def headline(result: Standing, about: str = "") -> str:
    """The state in a sentence. What a mentee reads under a title that names the state does not name it again."""
    match result.state:
        case "complete":
            return "Every requirement is met. The coordinator has been asked to approve completion."
        case "on track":
            return _on_track(result, about)
        case "at risk":
            return "At risk: " + _as_instruction(result, about)
        case "behind":
            if result.must_finish is not None and result.must_finish < result.today:
                return f"Behind: the deadline to finish was {say_date(result.must_finish)}."
            return "Behind: at least one requirement can't be met without the coordinator's help."
        case "blocked":
            return "The program hasn't set its requirements yet."
        case "paused":
            until = result.on_leave_until
            ends = "" if until is None or until == date.max else f" until {say_date(until)}"
            return f"On leave{ends}. Nothing is due during the leave. Everything done before still counts."
        case "history not imported":
            return (
                "Earlier attendance hasn't been imported yet, so progress isn't known. Ask the operator to import it."
            )


def _on_track(result: Standing, about: str) -> str:
    if about:
        return "On track." + (f" Expected to finish by {say_date(result.finish)}." if result.finish else "")
    if result.finish is None:
        return "Everything can still be met."
    return f"You'll finish by {say_date(result.finish)} if you keep attending."


def missing(result: Standing) -> list[str]:
    """What is still to do of what has begun."""
    return _of_lines(result, [line for line in all_lines(result) if line.outcome != "met"])


def trouble(result: Standing, about: str = "") -> list[str]:
    """Only what makes somebody behind or at risk, and what can be done about it."""
    urgent = [line for line in all_lines(result) if line.outcome in ("behind", "at risk")]
    worst = [part for line in urgent for part in _with_parts(line.of) if part.outcome in ("behind", "at risk")]
    said = [*_of_lines(result, urgent), *_make_ups(result, worst, about), *_waiting(result, worst, about)]
    return said or ["The deadline to finish has passed."]


def _first(result: Standing, about: str) -> str:
    """The sentence on what needs attention first: a make-up while it is open, else what is missing or waits."""
    if result.state != "at risk":
        return ""
    worst = [part for part in _with_parts(result.requirements) if part.outcome == "at risk"]
    urgent = [line for line in all_lines(result) if line.outcome == "at risk"]
    choices = [*_make_ups(result, worst, about), *_of_lines(result, urgent), *_waiting(result, worst, about)]
    return choices[0] if choices else ""


def _as_instruction(result: Standing, about: str) -> str:
    """:func:`_first` after a colon: "make up the October 5 meeting by December 4. Send “makeup”."."""
    text = _first(result, about)
    if not about and text.startswith(_CAN_MAKE_UP):
        rest = text.removeprefix(_CAN_MAKE_UP)
        return "make up" + rest.replace(" until ", " by ", 1)
    return text


def _of_lines(result: Standing, chosen: list[RuleSummary]) -> list[str]:
    said: list[str] = []
    for line in chosen:
        begun = [part for part in line.of if part.period.starts <= result.today]
        if begun:
            said += _missing(line, begun, result.today)
    return said


def _missing(line: RuleSummary, begun: list[Requirement], today: date) -> Iterator[str]:
    single = line.single
    if single is None:
        late = [part.period.label for part in begun if part.outcome != "met" and part.need is not None]
        if late:
            yield f"{line.label}, {line.name}: {line.have} of {line.need} met. To do: {listed(late, MOST_ITEMS)}."
        elif line.need is None:
            yield f"{line.label}, {line.name}: the number required isn't set yet."
        return
    if single.limit and single.have == 0:
        return  # nobody is told of absences that they do not have
    yield _one_missing(line, single, today)


def _one_missing(line: RuleSummary, single: Requirement, today: date) -> str:
    meetings = single.chances is not None and single.unit == "events"
    where = line.label if meetings else f"{line.label}, {line.name}"
    if single.limit:
        if single.need is None:
            return f"{where}: {single.have}; the limit isn't set yet."
        return f"{where}: {single.have} so far. The limit is {single.need}."
    if single.need is None:
        have = f"{counted(single.have, 'meeting')} attended" if meetings else f"{quantity(single, single.have)} counted"
        return f"{where}: {have}; the number required isn't set yet."
    count = single.missing or 0
    if single.due < today and single.period.year:
        what = counted(count, "meeting") if meetings else _missing_words(single, count)
        return f"{where}: {what} to go, but the year is over."
    by = f"by {say_date(single.due)}"
    if single.unit == "events":
        if meetings:
            return f"{count} more {'meeting' if count == 1 else 'meetings'} {by}."
        if count == 1:  # a policy's name of a rule has no singular that is safe to make
            return f"{line.name}: 1 more {by}."
        return f"{count} more {lower_first(line.name)} {by}."
    more = "" if single.lacking else " more"
    return f"{line.name}: {_missing_words(single, count)}{more} {by}."


def _missing_words(single: Requirement, count: int) -> str:
    return listed(single.lacking, MOST_ITEMS) if single.lacking else quantity(single, count)


def quantity(requirement: Requirement, count: int) -> str:
    """An amount of what a rule counts."""
    match requirement.unit:
        case "minutes":
            return _minutes(count)
        case "months" | "weeks" | "topics" | "items":
            return counted(count, f"{requirement.unit[:-1]}")
        case _:
            return str(count)


def _minutes(count: int) -> str:
    hours, minutes = divmod(count, 60)
    if hours and minutes:
        return f"{counted(hours, 'hour')} {counted(minutes, 'minute')}"
    return counted(hours, "hour") if hours else counted(minutes, "minute")


def todo(result: Standing, about: str = "") -> list[str]:
    """What can be done about it."""
    if result.state in ("complete", "paused", "history not imported"):
        return []
    still_open = [part for part in _with_parts(result.requirements) if part.outcome != "met"]
    return [
        *_make_ups(result, still_open, about),
        *_waiting(result, still_open, about),
        *dict.fromkeys(_decisions(result, still_open, about)),
        *too_few(result, own=not about),
    ]


def too_few(result: Standing, *, own: bool = False) -> list[str]:
    """Where the cohort's meetings are too few for anybody. ``own``: a mentee reads it."""
    return [_too_few(result.policy, short, own=own) for short in result.too_few]


def too_few_of_all(results: Iterable[Standing]) -> list[str]:
    """The same for a whole cohort: of each rule and year one sentence, by the mentee who lacks most.

    Mentees need different numbers of it, as their tracks and credits have it.
    """
    most: dict[tuple[str, str], tuple[Policy | None, Shortage]] = {}
    for result in results:
        for short in result.too_few:
            key = (short.rule, short.period.label)
            if key not in most or most[key][1].lacking < short.lacking:
                most[key] = (result.policy, short)
    return [_too_few(policy, short, own=False) for policy, short in most.values()]


def _too_few(policy: Policy | None, short: Shortage, *, own: bool) -> str:
    rule = policy.rule(short.rule) if policy else None
    unit = rule.unit if isinstance(rule, AtLeast) else "events"
    what = f"{unit} of meetings" if unit in ("minutes", "months", "weeks") else "meetings"
    if own:
        return (
            f"Only {short.possible} of the {short.need} {what} for {short.period.label} are on the calendar. "
            "Your mentor and coordinator can see this."
        )
    more = f"Schedule {short.lacking} more" + ("." if what == "meetings" else f" {unit}.")
    return f"Only {short.possible} of {short.need} {what} for {short.period.label} are held or scheduled. {more}"


def _with_parts(requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    for requirement in requirements:
        yield requirement
        yield from requirement.parts


_CAN_MAKE_UP = "You can make up"


def _make_ups(result: Standing, still_open: list[Requirement], about: str) -> Iterator[str]:
    for item in _others([requirement for requirement in still_open if not requirement.limit]):
        if item.make_up_until is None:
            continue
        until = "" if item.make_up_until == date.max else f" until {_short_date(item.make_up_until, result.today)}"
        meeting = f"the {_short_date(item.day, result.today)} meeting{until}."
        yield f"{about} can make up {meeting}" if about else f"{_CAN_MAKE_UP} {meeting} Send “makeup”."


def _others(requirements: list[Requirement]) -> list[Item]:
    """What did not count, each once: an activity may be among several requirements."""
    return list({item.id: item for requirement in requirements for item in requirement.others}.values())


def _short_date(day: date, today: date) -> str:
    """Without the year where it is this one."""
    return f"{day:%B} {day.day}" if day.year == today.year else say_date(day)


def _waiting(result: Standing, still_open: list[Requirement], about: str) -> Iterator[str]:
    for item in _others(still_open):
        if item.verdict == "pending":
            reason = item.why if about else item.why.replace("for the ", "for your ", 1)
            yield f"{activity_name(result.policy, item)}, {say_date(item.day)}: {reason}."


def activity_name(policy: Policy | None, item: Item) -> str:
    """The policy's name of an activity: "Workshop or conference"."""
    activity = policy.activity(item.activity) if policy else None
    return activity.name if activity else item.activity.replace("_", " ")


def _decisions(result: Standing, still_open: list[Requirement], about: str) -> Iterator[str]:
    who = "the coordinator" if about else "your coordinator"
    for requirement in still_open:
        late = requirement.missing and requirement.due < result.today
        over = requirement.limit and requirement.have and requirement.outcome != "met"
        if requirement.outcome == "behind" or late or over:
            yield f"{requirement.name}, {requirement.period.label}: ask {who} what can be done."


def unset(result: Standing) -> list[str]:
    """A sentence on the values that the policy leaves open; empty where all are set."""
    if not result.unset:
        return []
    return [
        f"The program hasn't set: {listed(result.unset, MOST_ITEMS)}. No one can complete the program until "
        "the coordinator sets this."
    ]


def why(requirement: Requirement, policy: Policy | None = None) -> list[str]:
    """Each thing that counted or did not, with the reason."""
    said = [
        f"{say_date(item.day)}: {_lower_name(policy, item)} counts{_made_up(item)}." for item in requirement.counted
    ]
    said += [
        f"{say_date(item.day)}: {_lower_name(policy, item)} doesn't count: {item.why}." for item in requirement.others
    ]
    if requirement.credited:
        said.append(f"{quantity(requirement, requirement.credited)} credited.")
    if requirement.waived:
        said.append(f"{quantity(requirement, requirement.waived)} waived.")
    for part in requirement.parts:
        said += why(part, policy)
    return said


def _lower_name(policy: Policy | None, item: Item) -> str:
    return "meeting" if item.activity == MEETING else lower_first(activity_name(policy, item))


def _made_up(item: Item) -> str:
    return f" ({item.why})" if item.why else ""
