"""The policy document: what it can say, and how a wrong one is named."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from program.core.toml_lines import line_index
from program.record.policy import AtLeast, Choose, Value
from program.record.policy_reading import BadPolicy, amend, read_policy
from program.record.unset import UNSET
from storage.record import policies
from tests.program.record.ledger import MEETINGS, policy_of, rule, shape, text_of

EXAMPLE = policies.shipped(policies.EXAMPLE)
DESE = policies.shipped(policies.MISSOURI)


def problems(text: str) -> str:
    with pytest.raises(BadPolicy) as refusal:
        read_policy(text)
    return str(refusal.value)


def numbered(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if wanted in line)


def test_the_shipped_policies() -> None:
    assert (EXAMPLE.name, DESE.name) == ("example/1", "missouri-dese/2018")
    assert "not DESE policy" in EXAMPLE.label
    assert EXAMPLE.unset == ()
    assert "dese.mo.gov" in DESE.source
    assert (DESE.program.years, DESE.program.boundary) == (2, (7, 1))
    paths = {value.path for value in DESE.unset}
    assert {"rule.meetings.at_least", "attendance.partial_counts", "makeups.per_year", "effective_from"} <= paths


@pytest.mark.parametrize("name", ["delaware", "vermont"])
def test_other_states_shapes_can_be_said(name: str) -> None:
    assert shape(name).program.zone == "America/New_York"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("at_least = 4", 'at_least = "four"', 'rule.meetings.at_least must be a whole number from 1 to 100000'),
        ("at_least = 4", "at_least = true", "rule.meetings.at_least must be a whole number"),
        ("at_least = 4", "at_least = 0", "rule.meetings.at_least must be a whole number"),
        ('unit = "events"', 'unit = "evnts"', "rule.meetings.unit must be one of 'events', 'minutes'"),
        ('kind = "at_least"', 'kind = "maybe"', "rule.meetings.kind must be one of at_least, items, choose"),
        ('boundary = "07-01"', 'boundary = "02-30"', "program.boundary must be a month and day"),
        ("zone =", "zonee =", "program.zonee is not known here"),
        ('zone = "America/Chicago"', 'zone = "Mars/Base"', "program.zone must be a zone like America/Chicago"),
        ('version = "1"', "version = 1", "version must be short text"),
        ('id = "test"', 'id = "unset"', "id must be a short code"),
        ('label = "', 'labell = "', "labell is not known here"),
        ("effective_from = 2020-07-01", "effective_from = 2020", "effective_from must be a date"),
        ("max_minutes = 90", "max_minutes = 9", "activity.contact.max_minutes is less than min_minutes"),
        ('activities = ["meeting"]', 'activities = ["meting"]', "names the activity meting, which is not"),
        ('activities = ["meeting"]', "activities = []", "rule.meetings.activities is empty"),
        ('activities = ["meeting"]', 'activities = "meeting"', "rule.meetings.activities must be a list"),
        ('per = "year"', 'per = "year"\nin_months = [9]', "rule.meetings.in_months goes only with"),
        ('per = "year"', 'per = "year"\nfirst_weeks = 4', "rule.meetings.first_weeks goes only with"),
        ('per = "year"', 'per = "program"\nyears = [1]', "rule.meetings.years does not go with"),
        ('id = "meetings"', 'id = "absences"', "rule.absences.id cannot be absences"),
        ("partial_counts = true", 'partial_counts = "yes"', "attendance.partial_counts must be true, false"),
        ('approver = "coordinator"', 'approver = "nobody"', "completion.approver must be one of"),
        ('certificate = ["name"]', 'certificate = ["grade"]', "completion.certificate.1 must be one of"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_line(before: str, after: str, sentence: str) -> None:
    text = text_of().replace(before, after, 1)
    said = problems(text)
    assert sentence in said
    assert f"Line {numbered(text, after.splitlines()[-1])}: " in said


def test_the_line_is_that_of_the_field_in_the_second_of_two_rules() -> None:
    text = text_of(MEETINGS, rule(id="second", at_least=7).replace("at_least = 7", "at_least = 0"))
    assert problems(text).startswith(f"Line {numbered(text, 'at_least = 0')}: rule.second.at_least")


def test_every_problem_is_told_at_once_by_line() -> None:
    text = text_of().replace("years = 2", "years = 20").replace("at_least = 4", "at_least = -4")
    lines = problems(text).split("\n")
    assert [line.split(": ")[1].split(" ")[0] for line in lines] == ["program.years", "rule.meetings.at_least"]


def test_what_is_missing_is_named() -> None:
    said = problems('id = "x"\n')
    assert "Line 1: program is missing." in said
    assert "Line 1: rule is missing." in said
    empty = text_of("").replace('id = "test"', 'rule = []\nid = "test"')
    assert "Line 2: rule is empty: the policy asks for nothing." in problems(empty)


def test_what_is_not_toml_is_said_with_its_line() -> None:
    assert problems("id = 'x'\nversion = \n").startswith("Line 2: this is not TOML")
    assert "not TOML" in problems("id = " + "9" * 5000)
    assert problems("x = " + "[" * 5000).startswith("Line 1: this is not")
    assert "longer than" in problems("#" * 300_000)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("equivalence", "not supported yet"),
        ("mentors", "who may be a mentor and for how long is not supported yet"),
        ("coverage", "coverage of topics across components or standards is not supported yet"),
    ],
)
def test_what_is_not_supported_is_refused_in_a_sentence(section: str, sentence: str) -> None:
    text = text_of() + f"\n[{section}]\nanything = 1\n"
    said = problems(text)
    assert said.startswith(f"Line {numbered(text, f'[{section}]')}: {section} is refused: ")
    assert sentence in said


def choose(**fields: str) -> str:
    every = {"at_least": "1", "rules": '["meetings"]', "per": '"year"'} | fields
    body = "\n".join(f"{name} = {value}" for name, value in every.items())
    return f'\n[[rule]]\nkind = "choose"\nid = "choice"\nname = "Choice"\n{body}\n'


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        (MEETINGS, "rule.meetings is there twice"),
        (choose(rules='["nothing"]'), "names the rule nothing, which doesn't exist"),
        (choose(rules='["choice"]'), "which itself chooses"),
        (choose(rules='["meetings", "meetings"]'), "names a rule twice"),
        (choose(rules="[]"), "rule.choice.rules is empty"),
        (choose(at_least="2"), "is more than the 1 rules it chooses from"),
        (rule(id="whole", per="program") + choose(rules='["whole"]'), 'which is per = "program"'),
        (rule(activities=["workshop"], unit="months"), "rule.rule.unit cannot be months: workshop has a most_events"),
        ('[[rule]]\nkind = "items"\nid = "none"\nname = "None"\nitems = {}\nper = "year"\n', "none.items is empty"),
        ('[makeups]\napprover = "mentor"\nactivities = ["tea"]\n', "makeups.activities names the activity tea"),
        ('[[track]]\nid = "t"\nname = "T"\ncredit = [{rule = "x", amount = 1}]\n', "credit.x.rule names the rule x"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(section: str, sentence: str) -> None:
    assert sentence in problems(text_of(MEETINGS, section))


def test_a_semester_needs_its_second_day() -> None:
    text = text_of(rule(per="semester")).replace('second_semester = "01-01"', "")
    assert "needs program.second_semester" in problems(text)


def test_dates_that_contradict() -> None:
    text = text_of().replace("effective_from = 2020-07-01", "effective_from = 2020-07-01\neffective_until = 2019-07-01")
    assert "effective_until is before effective_from" in problems(text)


# Amendments --------------------------------------------------------------------------------------

FILL: dict[str, Value] = {
    "rule.meetings.at_least": 6,
    "attendance.partial_counts": True,
    "effective_from": "2018-08-01",
}


def test_an_amendment_fills_unset_values_and_leaves_the_text() -> None:
    policy = amend(DESE, FILL)
    assert policy.text == DESE.text
    assert policy.effective_from == date(2018, 8, 1)
    meetings = policy.rule("meetings")
    assert meetings is not None
    assert isinstance(meetings, AtLeast)
    assert meetings.at_least == 6
    assert {value.path for value in DESE.unset} - {value.path for value in policy.unset} == set(FILL)
    assert DESE.attendance.partial_counts is UNSET  # the first one is as it was
    assert read_policy(policy.text, policy.amendments).unset == policy.unset


def test_amendments_follow_each_other() -> None:
    policy = amend(amend(DESE, FILL), {"makeups.ratio": 2})
    assert policy.amendments == FILL | {"makeups.ratio": 2}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"program.years": 3}, "program.years is not an unset value"),
        ({"no.such": 3}, "no.such is not an unset value"),
        ({"rule.meetings.at_least": "six"}, "rule.meetings.at_least must be a whole number"),
        ({"rule.meetings.at_least": "unset"}, "is unset already"),
        ({"rule.meetings.at_least": "none"}, "rule.meetings.at_least is missing"),
        ({"completion.earliest": "never"}, "completion.earliest must be"),
    ],
)
def test_an_amendment_changes_nothing_else(values: dict[str, int | str], sentence: str) -> None:
    with pytest.raises(BadPolicy, match=sentence):
        amend(DESE, values)
    with pytest.raises(BadPolicy, match="is not an unset value"):
        amend(amend(DESE, FILL), {"rule.meetings.at_least": 2, "rule.meetings.unit": "minutes"})


def test_none_says_that_there_is_no_such_limit() -> None:
    policy = amend(DESE, {"attendance.maximum_absences": "none"})
    assert policy.attendance.maximum_absences is None


def test_every_unset_value_has_words_and_a_kind() -> None:
    said = {value.path: (value.says, value.kind) for value in DESE.unset}
    assert said["rule.meetings.at_least"] == ("Meetings: how many are needed", "number")
    assert said["effective_from"] == ("the day this policy starts", "date")
    assert said["attendance.partial_counts"][1] == "yes or no"
    assert said["completion.earliest"][1] == "choice"


def test_all_of_is_a_choice_too() -> None:
    known = policy_of(MEETINGS, choose(at_least='"all"')).rule("choice")
    assert isinstance(known, Choose)
    assert known.at_least == "all"


# Lines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deep",
    [
        ".".join(["a"] * 3000) + " = 1",
        " . ".join(['"a"'] * 3000) + " = 1",
        f"[{'.'.join(['a'] * 3000)}]",
        f"x = {{ {'.'.join(['a'] * 3000)} = 1 }}",
        "x = " + "[" * 200 + "]" * 200,
        "x = " + "[" * 3000 + "]" * 3000,
        "x = " + "[\n" * 3000 + "]" * 3000,
        "x = " + "{ a = " * 3000 + "1" + " }" * 3000,
        ".".join(["a"] * 99_000) + " = 1",
    ],
)
def test_keys_and_values_that_lie_too_deep_are_refused_with_their_line(deep: str) -> None:
    assert problems(f"# one\n\n{deep}\n").startswith("Line 3: ")


def test_lines_of_tables_arrays_and_long_statements() -> None:
    text = 'a = 1\n[t]\nb = """\n[not.a.table]\n"""\nc = [\n  1,\n]\n'
    text += "[[x]]\nd = 1\n[[x]]\nd.e = 2\n[x.y]\nf = 1\n[[x.z]]\ng = 1\n"
    lines = line_index(text)
    assert lines["a",] == 1
    assert (lines["t", "b"], lines["t", "c"]) == (3, 6)
    assert (lines["x", 0, "d"], lines["x", 1, "d", "e"]) == (10, 12)
    assert (lines["x", 1, "y", "f"], lines["x", 1, "z", 0, "g"]) == (14, 16)
    assert line_index("a = 1\r\nb = 2\r\n")["b",] == 2


def test_strings_and_comments_end_no_statement() -> None:
    lines = (
        'a = """x',
        '] # \\"""',
        '""',
        '"""""',
        "b = [ # ]",
        '"]",',
        "'[', # \"",
        "]",
        "c = '''",
        "[['''''",
        '"d]" = "\\"]"',
        "[e] # [",
        "f = 1",
    )
    index = line_index("\n".join(lines))
    expected = {("a",): 1, ("b",): 5, ("c",): 9, ("d]",): 11, ("e",): 12, ("e", "f"): 13}
    assert {path: line for path, line in index.items() if path} == expected


@pytest.mark.parametrize("items", ["1,\n" * 4000, '"""\n""",\n' * 2000])
def test_a_long_list_is_read_in_one_pass(items: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"a = [\n{items}]\nb = 1\n"
    lengths: list[int] = []
    loads = tomllib.loads

    def counted(part: str) -> dict[str, Any]:
        lengths.append(len(part))
        return loads(part)

    monkeypatch.setattr(tomllib, "loads", counted)
    assert line_index(text)["b",] == text.count("\n")
    assert sum(lengths) <= len(text)


@pytest.mark.parametrize("opening", ['"""\\', "'''", "[", '"', "[\n", '"""\n'])
def test_what_is_never_closed_is_refused(opening: str) -> None:
    assert problems("x = " + "[" * 3000 + opening * 20_000).startswith("Line 1: ")


@given(st.text(max_size=200))
@example("\r")
@example("a = 2020-13-45")
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(BadPolicy):
        read_policy(text)


def replaced(text: str, number: int, line: str) -> str:
    lines = text.split("\n")
    lines[number % len(lines)] = line
    return "\n".join(lines)


values = st.sampled_from(["1", '"unset"', "[]", "{}", "true", "-1", "2020-01-01", '"x"', '["unset"]', "[{}]", "0.5"])
names = st.sampled_from(
    ["id", "years", "at_least", "activities", "rule", "track", "unit", "items", "kind", "[track", "[[rule]]\nid"]
)


@given(st.integers(0, 200), names, values, st.sampled_from([EXAMPLE.text, DESE.text, shape("vermont").text]))
def test_a_changed_document_is_read_or_refused_with_lines(number: int, name: str, value: str, text: str) -> None:
    said = ""
    try:
        read_policy(replaced(text, number, f"{name} = {value}"))
    except BadPolicy as problem:
        said = str(problem)
    assert all(line.startswith("Line ") for line in said.splitlines())
