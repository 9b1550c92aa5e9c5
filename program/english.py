"""What a policy asks of a mentee, in plain English, year by year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from program.explain import say_date
from program.policy import Activity, AtLeast, Choose, Items, Policy, Reasons, Rule, Track, known
from program.unset import Unset
from program.words import counted, listed

NOT_SET = "(not set yet)"
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
PERIODS = {
    "program": "over the whole program",
    "year": "in the year",
    "semester": "in each semester",
    "month": "in each month",
    "week": "in each week",
}


def describe(policy: Policy) -> str:
    """The whole policy as text."""
    parts = [
        _identity(policy),
        *_years(policy),
        ["What can be logged and counted:", *_bullets(_activity(one) for one in policy.activities)],
        ["Attendance:", *_bullets(_attendance(policy))],
        ["Make-ups:", *_bullets(_makeups(policy))],
        *([["Tracks:", *_bullets(_track(policy, one) for one in policy.tracks)]] if policy.tracks else []),
        ["Leave and transfer:", *_bullets(_leave(policy))],
        ["Waivers and corrections:", *_bullets(_decisions(policy))],
        ["Completion:", *_bullets(_completion(policy))],
        _unset(policy),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def asked_in_year(policy: Policy, number: int) -> list[str]:
    """What a program year asks, one sentence a rule."""
    inside = policy.chosen_from
    rules = [
        one
        for one in policy.rules
        if one.per != "program" and one.id not in inside and (not one.years or number in one.years)
    ]
    asked = [rule_text(policy, one) for one in rules]
    most = policy.attendance.maximum_absences
    if most is not None:
        asked.append(f"Absences: at most {_number(most)} without an excuse in the year.")
    return asked


def _bullets(lines: Iterable[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _number(value: int | Unset | None) -> str:
    return NOT_SET if value is None or isinstance(value, Unset) else str(value)


def _date(value: date | Unset) -> str:
    return NOT_SET if isinstance(value, Unset) else say_date(value)


def _identity(policy: Policy) -> list[str]:
    month, day = policy.program.boundary
    before = date(2001, 3, 1) if (month, day) == (2, 29) else date(2001, month, day)
    last = before - timedelta(days=1)
    until = f" until {_date(policy.effective_until)}" if policy.effective_until is not None else ""
    years = policy.program.years
    span = f"{MONTHS[month - 1]} {day} to {MONTHS[last.month - 1]} {last.day}, {policy.program.zone} time"
    return [
        f"{policy.label} ({policy.name})",
        f"Source: {policy.source}",
        f"Holds from {_date(policy.effective_from)}{until}.",
        f"Program years: {_number(years)}, each from {span}.",
    ]


def _years(policy: Policy) -> Iterator[list[str]]:
    count = known(policy.program.years)
    named = max([year for rule in policy.rules for year in rule.years], default=1)
    asked = {number: asked_in_year(policy, number) for number in range(1, (count or named) + 1)}
    if count is None and named == 1:
        yield ["Each year asks:", *_bullets(asked[1] or ["nothing by itself"])]
    else:
        for number, rules in asked.items():
            yield [f"Year {number} asks:", *_bullets(rules or ["nothing by itself"])]
    whole = [
        rule_text(policy, one) for one in policy.rules if one.per == "program" and one.id not in policy.chosen_from
    ]
    if whole:
        yield ["The whole program asks:", *_bullets(whole)]


def rule_text(policy: Policy, rule: Rule) -> str:
    """One rule in a sentence."""
    match rule:
        case AtLeast():
            return f"{rule.name}: {_at_least(policy, rule)} {_period(rule)}."
        case Items():
            return f"{rule.name}: each of these {PERIODS[rule.per]}: {listed(list(rule.items.values()), 100)}."
        case Choose():
            parts = [part for id_ in rule.rules if (part := policy.rule(id_))]
            each = "; ".join(rule_text(policy, one).rstrip(".") for one in parts)
            how = {1: "any one", "all": "all"}.get(_choice(rule), f"at least {_choice(rule)}")
            return f"{rule.name}: {how} of these {PERIODS[rule.per]}: {each}."


def _choice(rule: Choose) -> int | str:
    return NOT_SET if isinstance(rule.at_least, Unset) else rule.at_least


def _at_least(policy: Policy, rule: AtLeast) -> str:
    names = [activity.name for one in rule.activities if (activity := policy.activity(one))]
    of = listed(names, 100).replace(" and ", " or ")
    number = _number(rule.at_least)
    if rule.unit == "events":
        return f"{of}, at least {number} {'time' if rule.at_least == 1 else 'times'}"
    if rule.unit == "minutes":
        hours = f" ({rule.at_least / 60:g} hours)" if isinstance(rule.at_least, int) else ""
        return f"at least {number} minutes{hours} of {of}"
    return (
        f"{of} in at least {number} different {rule.unit}"
        if rule.unit != "topics"
        else f"at least {number} different topics in {of}"
    )


def _period(rule: AtLeast) -> str:
    if rule.first_weeks is not None:
        return f"in each of the first {_number(rule.first_weeks)} weeks after the start"
    months = _months(rule.in_months)
    if not months:
        return PERIODS[rule.per]
    return f"{PERIODS[rule.per]} {'of' if rule.per == 'month' else 'that begins in'} {months}"


def _months(numbers: tuple[int, ...]) -> str:
    """ "September to May" where the months follow each other, else one by one."""
    follow = all(two == one % 12 + 1 for one, two in pairwise(numbers))
    names = [MONTHS[one - 1] for one in numbers]
    return f"{names[0]} to {names[-1]}" if follow and len(names) > 2 else listed(names, 12)


def _activity(one: Activity) -> str:
    says = [f"logged by the {one.logged_by}"]
    says.append("needs no verification" if one.verified_by == "nobody" else f"verified by the {one.verified_by}")
    if one.modes:
        says.append("done " + listed([mode.replace("_", " ") for mode in one.modes]).replace(" and ", " or "))
    if one.evidence is not None:
        says.append(f"evidence: {one.evidence}")
    if one.min_minutes is not None:
        says.append(f"at least {_number(one.min_minutes)} minutes")
    if one.max_minutes is not None:
        says.append(f"at most {_number(one.max_minutes)} minutes count at once")
    if one.most_events is not None:
        says.append(f"at most {_number(one.most_events)} count toward one requirement")
    if one.most_minutes is not None:
        says.append(f"at most {_number(one.most_minutes)} minutes count toward one requirement")
    return f"{one.name} ({one.type}): {'; '.join(says)}."


def _yes(value: bool | Unset, yes: str, no: str, unset: str) -> str:
    return f"{unset} {NOT_SET}." if isinstance(value, Unset) else yes if value else no


def _attendance(policy: Policy) -> Iterator[str]:
    rules = policy.attendance
    yield "Present counts; excused and absent do not."
    yield _yes(
        rules.partial_counts,
        "Being partly there counts, with the minutes of it.",
        "Being partly there does not count.",
        "Whether being partly there counts",
    )
    if rules.late_after_minutes is not None:
        yield f"Missing at most {_number(rules.late_after_minutes)} minutes of a meeting is still present."
    if rules.maximum_absences is not None:
        yield f"At most {_number(rules.maximum_absences)} absences without an excuse in a program year."
    yield _yes(
        rules.unconfirmed_counts,
        "“I'm here” counts before the mentor confirms it.",
        "“I'm here” counts once the mentor confirms it.",
        "Whether “I'm here” counts before the mentor confirms it",
    )


def _makeups(policy: Policy) -> Iterator[str]:
    rules = policy.makeups
    if rules is None:
        yield "A missed meeting cannot be made up."
        return
    names = [activity.name for one in rules.activities if (activity := policy.activity(one))]
    yield f"A missed meeting can be made up by: {listed(names, 100)}."
    yield f"Make-ups for one meeting: {_number(rules.ratio)}. Approved by: {rules.approver}."
    if rules.deadline_days is not None:
        yield f"Within {_number(rules.deadline_days)} days of the meeting."
    yield _yes(
        rules.same_program_year,
        "Within the same program year.",
        "A make-up may fall into the next program year.",
        "Whether it must be in the same program year",
    )
    if rules.per_year is not None:
        yield f"At most {_number(rules.per_year)} meetings a year can be made up."


def _track(policy: Policy, one: Track) -> str:
    says = []
    if one.scale_percent != 100:
        says.append(f"{_number(one.scale_percent)} percent of each number, rounded up")
    if one.joining_mid_year == "scaled":
        says.append("who joins in the middle of a year is asked for the share of it that is left")
    if one.years is not None:
        says.append(f"{_number(one.years)} program years")
    for credit in one.credit:
        rule = policy.rule(credit.rule)
        where = f"year {credit.year}" if credit.year else "the whole program"
        says.append(f"begins with {_number(credit.amount)} of {rule.name if rule else credit.rule} in {where}")
    return f"{one.name} ({one.id}): {'; '.join(says) or 'the same as everybody'}."


def _leave(policy: Policy) -> Iterator[str]:
    rules = policy.leave
    if rules is None:
        yield "A leave stops prompts and judging; it moves no program year."
    else:
        yield f"Leave is approved by the {rules.approver}. Reasons: {_codes(rules.reasons)}."
        if rules.pauses_year_from_days is not None:
            days = _number(rules.pauses_year_from_days)
            yield f"A leave of {days} days or more of a program year moves that year's end to the next one's."
        if rules.credit_expires_after_days is not None:
            yield f"After a leave of more than {_number(rules.credit_expires_after_days)} days the program starts anew."
        if rules.maximum_years is not None:
            yield f"Everything must be done within {_number(rules.maximum_years)} years of the start."
    if policy.transfer is not None:
        yield _yes(
            policy.transfer.credit_stays,
            "After a transfer credit stays.",
            "After a transfer earlier credit is gone.",
            "Whether credit stays after a transfer",
        )


def _codes(reasons: Reasons) -> str:
    return listed(list(reasons.values()), 100) or "none"


def _decisions(policy: Policy) -> Iterator[str]:
    for rules, what in ((policy.waivers, "waived"), (policy.corrections, "corrected")):
        if rules is None:
            yield f"The policy does not say who may have something {what}; nothing is."
        else:
            yield f"Something can be {what} by: {rules.approver}. Reasons: {_codes(rules.reasons)}."


def _completion(policy: Policy) -> Iterator[str]:
    rules = policy.completion
    yield f"Approved by the {rules.approver}."
    if isinstance(rules.earliest, Unset):
        yield f"Whether that can be before the last program year ends {NOT_SET}."
    elif rules.earliest == "end of program":
        yield "Not before the last program year has ended."
    else:
        yield "As soon as everything is met."
    yield f"The certificate shows: {listed([one.replace('_', ' ') for one in rules.certificate]) or 'nothing'}."
    yield f"Reasons to revoke it: {_codes(rules.revocation)}. Reasons to reissue it: {_codes(rules.reissue)}."


def _unset(policy: Policy) -> list[str]:
    if not policy.unset:
        return ["Everything is set."]
    count = counted(len(policy.unset), "value is", "values are")
    head = f"{count} not set yet. Until they are, nobody can complete:"
    return [head, *_bullets(f"{one.says} ({one.path})" for one in policy.unset)]
