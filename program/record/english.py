"""What a policy requires of a mentee, in plain English, year by year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import itemgetter

from program.core.times import zone_words
from program.core.words import counted, listed
from program.record.explain import say_date
from program.record.policy import Activity, AtLeast, Choose, Items, Policy, Rule, Track, known
from program.record.policy_fields import Reasons
from program.record.unset import Unset

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
DAYS_OF_A_YEAR = 365.25
SHOWN_AS = {"started_on": "start date", "completed_on": "completion date"}  # on the certificate
PERIODS = {
    "program": "over the whole program",
    "year": "in the year",
    "semester": "in each semester",
    "month": "in each month",
    "week": "in each week",
}


def describe(policy: Policy, *, for_mentee: bool = False) -> str:
    """The whole policy as text. ``for_mentee``: without what only those who run the program need."""
    parts = [
        _identity(policy),
        *_years(policy),
        ["What mentees can log:", *_bullets(_activity(activity) for activity in policy.activities)],
        ["Attendance:", *_bullets(_attendance(policy))],
        ["Make-ups:", *_bullets(_makeups(policy))],
        *([["Tracks:", *_bullets(_track(policy, track) for track in policy.tracks)]] if policy.tracks else []),
        ["Leave and transfer:", *_bullets(_leave(policy))],
        ["Waivers and corrections:", *_bullets(_decisions(policy))],
        ["Completion:", *_bullets(_completion(policy))],
        *_reasons(policy),
        *([] if for_mentee and not policy.unset else [_unset(policy)]),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def asked_in_year(policy: Policy, number: int) -> list[str]:
    """What a program year asks, one sentence a rule."""
    inside = policy.chosen_from
    rules = [
        rule
        for rule in policy.rules
        if rule.per != "program" and rule.id not in inside and (not rule.years or number in rule.years)
    ]
    asked = [rule_text(policy, rule) for rule in rules]
    most = policy.attendance.maximum_absences
    if most is not None:
        asked.append(f"Absences: no more than {_number(most)} unexcused in the year.")
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
    span = f"{MONTHS[month - 1]} {day} to {MONTHS[last.month - 1]} {last.day}, {zone_words(policy.program.zone)}"
    return [
        f"{policy.title} ({policy.name})",
        f"Source: {policy.source}",
        f"In effect from {_date(policy.effective_from)}{until}.",
        f"Program years: {_number(years)}, each from {span}.",
    ]


def _years(policy: Policy) -> Iterator[list[str]]:
    count = known(policy.program.years)
    named = max([year for rule in policy.rules for year in rule.years], default=1)
    asked = {number: asked_in_year(policy, number) for number in range(1, (count or named) + 1)}
    if count is None and named == 1:
        yield ["Each year requires:", *_bullets(asked[1] or ["nothing of its own"])]
    else:
        for years, rules in _alike(asked):
            head = f"Year {years[0]} requires:" if len(years) == 1 else f"Years {listed(years)} each require:"
            yield [head, *_bullets(rules or ["nothing of its own"])]
    whole = [
        rule_text(policy, rule) for rule in policy.rules if rule.per == "program" and rule.id not in policy.chosen_from
    ]
    if whole:
        yield ["The whole program requires:", *_bullets(whole)]


def _alike(asked: dict[int, list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Years in a row that ask the same, together."""
    for rules, group in groupby(asked.items(), key=itemgetter(1)):
        yield [str(number) for number, _ in group], rules


def rule_text(policy: Policy, rule: Rule) -> str:
    """One rule in a sentence."""
    match rule:
        case AtLeast():
            return f"{rule.name}: {_at_least(policy, rule)} {_period(rule)}."
        case Items():
            return f"{rule.name}: all of these {PERIODS[rule.per]}: {listed(list(rule.items.values()), 100)}."
        case Choose():
            parts = [part for id_ in rule.rules if (part := policy.rule(id_))]
            each = "; ".join(rule_text(policy, part).rstrip(".") for part in parts)
            how = {1: "any one", "all": "all"}.get(_choice(rule), f"at least {_choice(rule)}")
            return f"{rule.name}: {how} of these {PERIODS[rule.per]}: {each}."


def _choice(rule: Choose) -> int | str:
    return NOT_SET if isinstance(rule.at_least, Unset) else rule.at_least


def _at_least(policy: Policy, rule: AtLeast) -> str:
    names = [activity.name for type_ in rule.activities if (activity := policy.activity(type_))]
    of = listed(names, 100).replace(" and ", " or ")
    number = _number(rule.at_least)
    if rule.unit == "events" and len(names) == 1 and rule.name.lower().removesuffix("s") in names[0].lower():
        return f"at least {number}"  # the rule's name says what
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
    """Months in words: "September to May" where the months follow each other, else one by one."""
    follow = all(two == number % 12 + 1 for number, two in pairwise(numbers))
    names = [MONTHS[number - 1] for number in numbers]
    return f"{names[0]} to {names[-1]}" if follow and len(names) > 2 else listed(names, 12)


def _activity(activity: Activity) -> str:
    says = [f"logged by the {activity.logged_by}"]
    says.append(
        "needs no verification" if activity.verified_by == "nobody" else f"verified by the {activity.verified_by}"
    )
    if activity.modes:
        says.append("done " + listed([mode.replace("_", " ") for mode in activity.modes]).replace(" and ", " or "))
    if activity.evidence is not None:
        says.append(f"evidence: {activity.evidence}")
    if activity.min_minutes is not None:
        says.append(f"at least {_number(activity.min_minutes)} minutes")
    if activity.max_minutes is not None:
        says.append(f"no more than {_number(activity.max_minutes)} minutes count at one time")
    if activity.most_events is not None:
        says.append(f"no more than {_number(activity.most_events)} count toward one requirement")
    if activity.most_minutes is not None:
        says.append(f"no more than {_number(activity.most_minutes)} minutes count toward one requirement")
    return f"{activity.name}: {'; '.join(says)}."


def _yes(value: bool | Unset, yes: str, no: str, unset: str) -> str:
    return f"{unset} {NOT_SET}." if isinstance(value, Unset) else yes if value else no


def _attendance(policy: Policy) -> Iterator[str]:
    rules = policy.attendance
    yield "Only meetings a mentee was present at count. Excused and absent don't count."
    yield _yes(
        rules.partial_counts,
        "Attending part of a meeting counts, for the minutes attended.",
        "Attending only part of a meeting doesn't count.",
        "Whether attending part of a meeting counts:",
    )
    if rules.late_after_minutes is not None:
        yield f"A mentee who misses {_number(rules.late_after_minutes)} minutes or less is still present."
    if rules.maximum_absences is not None:
        yield f"No more than {_number(rules.maximum_absences)} unexcused absences in a program year."
    yield _yes(
        rules.unconfirmed_counts,
        "“I'm here” counts before the mentor confirms it.",
        "“I'm here” counts after the mentor confirms it.",
        "Whether “I'm here” counts before the mentor confirms it:",
    )


def _makeups(policy: Policy) -> Iterator[str]:
    rules = policy.makeups
    if rules is None:
        yield "A missed meeting can't be made up."
        return
    names = [activity.name for text in rules.activities if (activity := policy.activity(text))]
    yield f"Ways to make up a missed meeting: {listed(names, 100)}."
    yield f"Make-ups needed for one meeting: {_number(rules.ratio)}. Approved by the {rules.approver}."
    if rules.deadline_days is not None:
        yield f"A make-up must be done within {_number(rules.deadline_days)} days of the meeting."
    yield _yes(
        rules.same_program_year,
        "A make-up must be in the same program year.",
        "A make-up can be in the next program year.",
        "Whether a make-up must be in the same program year:",
    )
    if rules.per_year is not None:
        yield f"No more than {_number(rules.per_year)} meetings a year can be made up."


def _track(policy: Policy, track: Track) -> str:
    says = []
    if track.scale_percent != 100:
        says.append(f"{_number(track.scale_percent)}% of each number, rounded up")
    if track.joining_mid_year == "scaled":
        says.append("a mentee who joins in the middle of a year needs only the share for the time left")
    if track.years is not None:
        says.append(f"{_number(track.years)} program years")
    for credit in track.credit:
        rule = policy.rule(credit.rule)
        where = f"year {credit.year}" if credit.year else "the whole program"
        says.append(
            f"starts with credit for {_number(credit.amount)} of {rule.name if rule else credit.rule} in {where}"
        )
    return f"{track.name}: {'; '.join(says) or 'the same as for everyone'}."


def _leave(policy: Policy) -> Iterator[str]:
    rules = policy.leave
    if rules is None:
        yield "During a leave, no check-ins are sent and nothing is due. A leave doesn't move a program year."
    else:
        yield f"The {rules.approver} approves leave."
        if rules.pauses_year_from_days is not None:
            days = _days(rules.pauses_year_from_days)
            yield f"A leave of {days} or more moves the end of that program year to the end of the next one."
        if rules.credit_expires_after_days is not None:
            yield f"After a leave of more than {_days(rules.credit_expires_after_days)} the program starts over."
        if rules.maximum_years is not None:
            yield f"A mentee has {_number(rules.maximum_years)} years from the start to finish."
    if policy.transfer is not None:
        yield _yes(
            policy.transfer.credit_stays,
            "After a transfer a mentee keeps earlier credit.",
            "After a transfer a mentee loses earlier credit.",
            "Whether a mentee keeps credit after a transfer:",
        )


def _days(number: int | Unset) -> str:
    """A number of days; whole years as years: 1461 days are 4 years."""
    if not isinstance(number, int):
        return f"{NOT_SET} days"
    years = round(number / DAYS_OF_A_YEAR)
    whole = years > 0 and number in (int(years * DAYS_OF_A_YEAR), years * 365)
    return counted(years, "year") if whole else counted(number, "day")


def _decisions(policy: Policy) -> Iterator[str]:
    for rules, what in ((policy.waivers, "waived"), (policy.corrections, "corrected")):
        if rules is None:
            yield f"Nothing can be {what}: the policy does not say who decides."
        else:
            yield f"Who can have something {what}: the {rules.approver}."


def _reasons(policy: Policy) -> Iterator[list[str]]:
    """A list for each decision that needs a reason."""
    named: list[tuple[str, Reasons]] = [
        ("for a leave", policy.leave.reasons if policy.leave else {}),
        ("for a waiver or credit", policy.waivers.reasons if policy.waivers else {}),
        ("for a correction", policy.corrections.reasons if policy.corrections else {}),
        ("to revoke a certificate", policy.completion.revocation),
        ("to reissue a certificate", policy.completion.reissue),
    ]
    for what, reasons in named:
        if reasons:
            yield [f"Reasons {what}:", *_bullets(reasons.values())]


def _completion(policy: Policy) -> Iterator[str]:
    rules = policy.completion
    yield f"The {rules.approver} approves completion."
    if isinstance(rules.earliest, Unset):
        yield f"Whether that can be before the last program year ends: {NOT_SET}."
    elif rules.earliest == "end of program":
        yield "A mentee can complete when the last program year has ended."
    else:
        yield "A mentee can complete as soon as everything is met."
    yield f"The certificate shows: {listed([SHOWN_AS.get(name, name) for name in rules.certificate]) or 'nothing'}."


def _unset(policy: Policy) -> list[str]:
    if not policy.unset:
        return ["Every value in this policy is set."]
    count = counted(len(policy.unset), "value is", "values are")
    head = f"{count} not set yet. No mentee can complete the program until the coordinator fills them in:"
    return [head, *_bullets(value.says for value in policy.unset)]
