"""What does not fit together in a policy document whose values are each in order."""

from __future__ import annotations

from collections.abc import Iterator

from program.core.toml_lines import Path
from program.core.words import listed
from program.record.policy import ABSENCES, Activity, AtLeast, Choose, Items, Policy, Rule, known

Problems = Iterator[tuple[Path, str]]


def contradictions(policy: Policy) -> Problems:
    """The places of a policy that contradict each other, each with what is wrong there."""
    yield from _twice("activity", [activity.type for activity in policy.activities])
    yield from _twice("rule", [rule.id for rule in policy.rules])
    yield from _twice("track", [track.id for track in policy.tracks])
    if not policy.rules:
        yield ("rule",), "is empty: the policy asks for nothing"
    for number, rule in enumerate(policy.rules):
        yield from _rule_problems(policy, rule, ("rule", number))
    for number, activity in enumerate(policy.activities):
        low, high = activity.min_minutes, activity.max_minutes
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield ("activity", number, "max_minutes"), "is less than min_minutes"
    if policy.makeups is not None:
        yield from _unknown(policy, policy.makeups.activities, ("makeups", "activities"))
    for number, track in enumerate(policy.tracks):
        for place, credit in enumerate(track.credit):
            if policy.rule(credit.rule) is None:
                yield ("track", number, "credit", place, "rule"), f"names the rule {credit.rule}, which doesn't exist"
    first, last = known(policy.effective_from), known(policy.effective_until)
    if first is not None and last is not None and last < first:
        yield ("effective_until",), "is before effective_from"


def _twice(table: str, ids: list[str]) -> Problems:
    for number, id_ in enumerate(ids):
        if id_ in ids[:number]:
            yield (table, number), "is there twice"


def _unknown(policy: Policy, types: tuple[str, ...], path: Path) -> Problems:
    if not types:
        yield path, "is empty"
    for text in types:
        if policy.activity(text) is None:
            known = listed([activity.type for activity in policy.activities])
            yield path, f"names the activity {text}, which is not in the catalogue ({known})"


def _rule_problems(policy: Policy, rule: Rule, path: Path) -> Problems:
    if rule.id == ABSENCES:
        yield (*path, "id"), f"cannot be {ABSENCES}: that is the limit under attendance.maximum_absences"
    if rule.years and rule.per == "program":
        yield (*path, "years"), 'does not go with per = "program"'
    match rule:
        case AtLeast():
            yield from _at_least_problems(policy, rule, path)
        case Items():
            if not rule.items:
                yield (*path, "items"), "is empty"
        case Choose():
            yield from _choose_problems(policy, rule, path)


def _at_least_problems(policy: Policy, rule: AtLeast, path: Path) -> Problems:
    yield from _unknown(policy, rule.activities, (*path, "activities"))
    if rule.per == "semester" and policy.program.second_semester is None:
        yield (*path, "per"), "needs program.second_semester, the day on which the second one begins"
    if rule.in_months and rule.per not in ("month", "week"):
        yield (*path, "in_months"), 'goes only with per = "month" or "week"'
    if rule.first_weeks is not None and rule.per != "week":
        yield (*path, "first_weeks"), 'goes only with per = "week"'
    capped = [activity.type for activity in policy.activities if activity.type in rule.activities and _capped(activity)]
    if rule.unit in ("months", "weeks", "topics") and capped:
        yield (*path, "unit"), f"cannot be {rule.unit}: {listed(capped)} has a most_events or most_minutes"


def _capped(activity: Activity) -> bool:
    return activity.most_events is not None or activity.most_minutes is not None


def _choose_problems(policy: Policy, rule: Choose, path: Path) -> Problems:
    if not rule.rules:
        yield (*path, "rules"), "is empty"
    if len(set(rule.rules)) < len(rule.rules):
        yield (*path, "rules"), "names a rule twice"
    if isinstance(rule.at_least, int) and rule.at_least > len(rule.rules):
        yield (*path, "at_least"), f"is more than the {len(rule.rules)} rules it chooses from"
    for text in rule.rules:
        part = policy.rule(text)
        if part is None:
            yield (*path, "rules"), f"names the rule {text}, which doesn't exist"
        elif isinstance(part, Choose):
            yield (*path, "rules"), f"names {text}, which itself chooses; only one step is supported"
        elif part.per == "program" and rule.per != "program":
            yield (*path, "rules"), f'names {text}, which is per = "program"'
