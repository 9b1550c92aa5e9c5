"""From the ledger's lines to what counts: every meeting and activity once, with the reason where it does not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from program.record.ledger import Attendance, LoggedActivity, MakeUp, Meeting, Record
from program.record.periods import calendar_year, day_of, shifted, year_of
from program.record.policy import MEETING, Activity, AtLeast, Policy, known
from program.record.unset import Unset

Verdict = Literal["counts", "pending", "undecided", "missed", "no", "open"]
# counts: it counts. pending: it will, once somebody confirms. undecided: an unset value decides.
# missed: a meeting that was missed and not made up. no: it cannot count. open: a meeting without entries.


class Item(NamedTuple):
    """A meeting or activity, and whether it counts. ``why``: in a few words, where it does not.

    A tuple, because there is one for every line of everybody.
    """

    id: UUID
    activity: str
    day: date
    minutes: int
    verdict: Verdict
    why: str = ""
    code: str = ""
    topics: tuple[str, ...] = ()
    absent: bool = False  # missed without an excuse
    full: int = 0  # the minutes of the whole meeting
    make_up_until: date | None = None  # a missed meeting that can still be made up


@dataclass(frozen=True, slots=True)
class Frame:
    """The days that matter: ``since`` cuts off what came before the start, a lapse of credit or a transfer."""

    today: date
    since: date
    before: str  # why something earlier does not count


class _Line(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def order(self) -> int: ...
    @property
    def withdrawn(self) -> bool: ...


Line = TypeVar("Line", bound=_Line)


def standing_lines(lines: Iterable[Line]) -> list[Line]:
    """Of the lines that share an id, the one recorded last; none where it takes the thing back."""
    lines = list(lines)
    if not lines:
        return lines
    last: dict[UUID, Line] = {}
    for line in lines:
        other = last.get(line.id)
        if other is None or (line.order, repr(line)) > (other.order, repr(other)):
            last[line.id] = line
    return sorted((line for line in last.values() if not line.withdrawn), key=lambda line: (line.id, line.order))


def items(policy: Policy, record: Record, frame: Frame) -> list[Item]:
    """Everything that happened until today, by day."""
    makeups = standing_lines(record.makeups)
    spoken_for = {make_up.id for make_up in makeups}
    meetings = _meetings(policy, record.attendance, makeups, frame)
    meetings += [
        _logged(policy, activity, frame)
        for activity in standing_lines(record.activities)
        if activity.id not in spoken_for
    ]
    meetings = [item for item in meetings if item.day <= frame.today]
    return sorted(meetings, key=lambda earlier: (earlier.day, earlier.id, earlier.activity))


# Activities --------------------------------------------------------------------------------------


def _logged(policy: Policy, line: LoggedActivity, frame: Frame) -> Item:
    day = day_of(line.at, policy.program.zone)
    activity = policy.activity(line.type)
    item = Item(line.id, line.type, day, max(0, line.minutes), "counts", code=line.item, topics=line.topics)
    if day < frame.since:
        return _not(item, frame.before)
    if activity is None:
        return _not(item, "the policy doesn't list this activity")
    if line.type == MEETING:
        return _not(item, "meetings count through attendance, not through logging")
    if activity.modes and line.mode not in activity.modes:
        return _not(item, "the policy doesn't allow this way of doing it")
    item = _length(item, activity)
    if item.verdict == "counts" and activity.verified_by != "nobody" and not line.verified:
        return item._replace(verdict="pending", why=f"waiting for the {activity.verified_by} to verify it")
    return item


def _not(item: Item, why: str) -> Item:
    return item._replace(verdict="no", why=why)


def _undecided(item: Item, why: str) -> Item:
    return item._replace(verdict="undecided", why=f"the program hasn't set this yet: {why}")


def _length(item: Item, activity: Activity | None) -> Item:
    """The activity's least and most minutes."""
    if activity is None:
        return item
    least, most = activity.min_minutes, activity.max_minutes
    if isinstance(least, int) and item.minutes < least:
        return _not(item, f"shorter than {least} minutes")
    if isinstance(most, int) and item.minutes > most:
        item = item._replace(minutes=most)
    if isinstance(least, Unset):
        return _undecided(item, "the fewest minutes that count")
    return item


# Meetings ----------------------------------------------------------------------------------------


def _meetings(policy: Policy, lines: Iterable[Attendance], makeups: Sequence[MakeUp], frame: Frame) -> list[Item]:
    last: dict[UUID, Attendance] = {}
    for line in lines:
        other = last.get(line.id)
        if other is None or _weight(line) > _weight(other):
            last[line.id] = line
    for_meeting: dict[UUID, list[MakeUp]] = {}
    for make_up in makeups:
        for_meeting.setdefault(make_up.meeting, []).append(make_up)
    counted: list[Item] = []
    for line in last.values():
        item = _attended(policy, line, frame)
        mine = for_meeting.pop(line.id, []) if for_meeting else []
        if mine or item.verdict == "missed":
            counted += _made_up(policy, item, mine, frame)
        else:
            counted.append(item)
    for rest in for_meeting.values():
        counted += [_stray(policy, make_up, "there is no record of this meeting") for make_up in rest]
    return _limited(policy, counted)


def unattended(policy: Policy, meeting: Meeting) -> Item:
    """A meeting without entries, to come or not confirmed yet."""
    day = day_of(meeting.starts_at, policy.program.zone)
    return _length(Item(meeting.id, MEETING, day, max(0, meeting.minutes), "open"), policy.activity(MEETING))


def _weight(line: Attendance) -> tuple[bool, int, str, str, int, datetime, int]:
    """The last word: a confirmation or correction outweighs a tap, else what was recorded last."""
    present = -1 if line.present is None else line.present
    return line.step != "tapped", line.order, line.step, line.status, present, line.starts_at, line.minutes


def _attended(policy: Policy, line: Attendance, frame: Frame) -> Item:
    rules = policy.attendance
    item = _held(policy, line.id, line.starts_at, line.minutes, line.topics)
    if item.day < frame.since:
        return _not(item, frame.before)
    if line.step == "tapped":
        if rules.unconfirmed_counts is False:
            return item._replace(verdict="pending", why="waiting for the mentor to confirm it")
        if isinstance(rules.unconfirmed_counts, Unset):
            return _undecided(item, "whether “I'm here” counts before the mentor confirms it")
    if line.status in ("absent", "excused"):
        return item._replace(verdict="missed", why=line.status, minutes=0, absent=line.status == "absent")
    if line.status == "partial":
        item = _partly(policy, item, item.minutes, line.present)
    return _length(item, policy.activity(MEETING)) if item.verdict == "counts" else item


@lru_cache(maxsize=65536)  # a cohort's mentees share its meetings
def _held(policy: Policy, meeting: UUID, starts_at: datetime, minutes: int, topics: tuple[str, ...]) -> Item:
    """A meeting for somebody who was there all the time, before its length is looked at."""
    activity = policy.activity(MEETING)
    most = known(activity.max_minutes) if activity else None
    held = max(0, minutes)
    full = held if most is None else min(held, most)
    day = day_of(starts_at, policy.program.zone)
    return Item(meeting, MEETING, day, held, "counts", topics=topics, full=full)


def _partly(policy: Policy, item: Item, held: int, present: int | None) -> Item:
    rules = policy.attendance
    there = min(held, max(0, present or 0))
    late = rules.late_after_minutes
    if present is not None and isinstance(late, int) and held - there <= late:
        return item  # a little late is present
    item = item._replace(minutes=there)
    if rules.partial_counts is True:
        return item
    if isinstance(rules.partial_counts, Unset):
        return _undecided(item, "whether attending part of a meeting counts")
    if isinstance(late, Unset):
        return _undecided(item, "how many minutes a mentee can miss and still be present")
    return item._replace(verdict="missed", why="attended only part of the meeting")


# Make-ups ----------------------------------------------------------------------------------------


def _made_up(policy: Policy, item: Item, makeups: list[MakeUp], frame: Frame) -> list[Item]:
    """The meeting with its make-ups: they give what was missed of it, and never more."""
    lacks = item.full - item.minutes
    if item.verdict != "missed" and not (item.verdict == "counts" and lacks > 0):
        strays = [_stray(policy, make_up, "there was no missed meeting to make up") for make_up in makeups]
        return [item, *strays]
    good: list[MakeUp] = []
    waiting: list[MakeUp] = []
    strays = []
    unset = ""
    for make_up in makeups:
        why, open_value = _make_up_problem(policy, item.day, make_up, frame)
        if why:
            strays.append(_stray(policy, make_up, why))
        elif open_value:
            unset = open_value
        else:
            (good if make_up.approved else waiting).append(make_up)
    return [_with(policy, item, good, waiting, unset, frame), *strays]


def _with(
    policy: Policy,
    item: Item,
    good: list[MakeUp],
    waiting: list[MakeUp],
    unset: str,
    frame: Frame,
) -> Item:
    rules = policy.makeups
    if rules is None:
        return item
    minutes = min(item.full, item.minutes + sum(max(0, make_up.minutes) for make_up in good))
    if item.verdict == "counts":
        return item._replace(minutes=minutes)
    ratio = rules.ratio
    if good and isinstance(ratio, Unset):
        return _undecided(item, "how many make-ups replace one missed meeting")
    if isinstance(ratio, int) and len(good) >= ratio:
        return item._replace(verdict="counts", why="made up", minutes=minutes)
    if unset:
        return _undecided(item, unset)
    if isinstance(ratio, int) and len(good) + len(waiting) >= ratio:
        return item._replace(verdict="pending", why="waiting for approval of the make-up")
    until = _make_up_until(policy, item.day)
    return item._replace(make_up_until=until) if until >= frame.today else item


def _make_up_problem(policy: Policy, missed: date, line: MakeUp, frame: Frame) -> tuple[str, str]:
    """Why a make-up cannot count, or which unset value decides; both empty: it can."""
    rules = policy.makeups
    day = day_of(line.at, policy.program.zone)
    if rules is None:
        return "the program doesn't allow make-ups", ""
    if line.type not in rules.activities:
        return "this can't be used as a make-up", ""
    if day > frame.today:
        return "it is in the future", ""
    if day < frame.since:
        return frame.before, ""
    least = (policy.activity(line.type) or policy.activities[0]).min_minutes
    if isinstance(least, int) and line.minutes < least:
        return f"shorter than {least} minutes", ""
    if day > _make_up_until(policy, missed):
        return "it was after the deadline for make-ups", ""
    if isinstance(rules.deadline_days, Unset):
        return "", "how many days a mentee has to make up a meeting"
    if isinstance(rules.same_program_year, Unset):
        return "", "whether a make-up must be in the same program year"
    return "", "the fewest minutes that count" if isinstance(least, Unset) else ""


def _make_up_until(policy: Policy, missed: date) -> date:
    """The last day for a make-up; where the deadline is unset it stays open."""
    rules = policy.makeups
    until = date.max
    if rules is not None and isinstance(rules.deadline_days, int):
        until = shifted(missed, rules.deadline_days)
    if rules is not None and rules.same_program_year is True:
        until = min(until, _year_end(policy, missed))
    return until


def _year_end(policy: Policy, day: date) -> date:
    return calendar_year(policy.program, year_of(day, policy.program.boundary)).ends


def _stray(policy: Policy, line: MakeUp, why: str) -> Item:
    return Item(line.id, MEETING, day_of(line.at, policy.program.zone), 0, "no", f"make-up: {why}")


def _limited(policy: Policy, counted: list[Item]) -> list[Item]:
    """No more meetings of a program year made up than the policy allows, the earliest first."""
    limit = policy.makeups.per_year if policy.makeups else None
    if limit is None or all(item.make_up_until is None and item.why != "made up" for item in counted):
        return counted
    used: dict[int, int] = {}
    kept: list[Item] = []
    for item in sorted(counted, key=lambda earlier: (earlier.make_up_until is not None, earlier.day, earlier.id)):
        year = year_of(item.day, policy.program.boundary)
        if item.why == "made up" or item.make_up_until is not None:
            used[year] = used.get(year, 0) + 1
            if isinstance(limit, Unset):
                item = _undecided(item, "how many meetings a year can be made up") if item.why == "made up" else item
            elif used[year] > limit:
                over = "missed, and no make-ups are left this year"
                item = item._replace(verdict="missed", why=over, minutes=0, make_up_until=None)
        kept.append(item)
    return kept


# Counting ----------------------------------------------------------------------------------------


def amount(policy: Policy, rule: AtLeast, counted: Iterable[Item]) -> int:
    """How much these items are worth to a rule. More items are never worth less."""
    counted = list(counted)
    match rule.unit:
        case "months":
            return len({(item.day.year, item.day.month) for item in counted})
        case "weeks":
            return len(
                {item.day - timedelta(days=min(item.day.weekday(), item.day.toordinal() - 1)) for item in counted}
            )
        case "topics":
            return len({topic for item in counted for topic in item.topics})
        case "events" | "minutes":
            return sum(_capped(policy, type_, rule, counted) for type_ in dict.fromkeys(rule.activities))


def _capped(policy: Policy, type_: str, rule: AtLeast, counted: list[Item]) -> int:
    activity = policy.activity(type_)
    most_events = activity.most_events if activity is not None and isinstance(activity.most_events, int) else None
    if rule.unit == "events":
        count = sum([item.activity == type_ for item in counted])
        return count if most_events is None else min(count, most_events)
    mine = sorted([item.minutes for item in counted if item.activity == type_], reverse=True)
    total = sum(mine[:most_events])
    if activity is not None and isinstance(activity.most_minutes, int):
        total = min(total, activity.most_minutes)
    return total


def met_on(policy: Policy, rule: AtLeast, counted: Sequence[Item], need: int) -> date | None:
    """The day on which the rule's number was reached. More items are never worth less, so it is searched by halves."""
    if not counted or amount(policy, rule, counted) < need:
        return None
    end = bisect_left(range(1, len(counted) + 1), need, key=lambda count: amount(policy, rule, counted[:count]))
    return counted[end].day


def by_meetings_alone(rule: AtLeast) -> bool:
    """Whether only meetings help, so that what is scheduled says what is still possible."""
    return rule.activities == (MEETING,) and rule.unit != "topics"


def of_types(counted: Iterable[Item], types: Sequence[str]) -> Iterator[Item]:
    """The items of these types of activity."""
    return (item for item in counted if item.activity in types)
