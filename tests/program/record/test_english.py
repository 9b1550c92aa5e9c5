"""A policy in plain English."""

from __future__ import annotations

import pytest

from program.record.english import describe
from program.record.policy_reading import read_policy
from storage.record import policies
from tests.program.record.ledger import MEETINGS, policy_of, rule, shape


def paragraph(said: str, begins: str) -> list[str]:
    return next(part for part in said.split("\n\n") if part.startswith(begins)).split("\n")[1:]


def test_the_example_year_by_year() -> None:
    said = describe(policies.shipped(policies.EXAMPLE))
    assert said.startswith("Example, not DESE policy, version 1 (example/1)\nSource: Made up for the example cohort\n")
    assert "Program years: 2, each from July 1 to June 30, Central Time." in said
    assert paragraph(said, "Years 1 and 2 each require:") == [
        "- Meetings: at least 8 in the year.",
        "- One-to-one contacts: at least 2 in the year.",
        "- Absences: no more than 3 unexcused in the year.",
    ]
    assert "- After a leave of more than 4 years the program starts over." in said
    assert "- A leave of 90 days or more moves" in said
    assert "- The certificate shows: name, program, policy and completion date." in said
    assert paragraph(said, "Reasons for a correction:") == [
        "- The first entry was wrong",
        "- I learned about it later",
        "- The mentee told me",
        "- I marked the wrong person",
    ]
    assert paragraph(said, "Reasons for a waiver or credit:")[-1] == "- The cohort could not offer it"
    assert "- Part-time: 50% of each number, rounded up." in said
    assert said.endswith("Every value in this policy is set.")
    assert "Every value" not in describe(policies.shipped(policies.EXAMPLE), for_mentee=True)


def test_missouris_says_what_is_not_set() -> None:
    said = describe(policies.shipped(policies.MISSOURI))
    assert "- Meetings: at least (not set yet) in the year." in said
    assert "- Meetings: how many are needed" in said
    assert "No mentee can complete the program until the coordinator fills them in:" in said
    assert "eligible" not in said


def test_delawares_years_differ() -> None:
    said = describe(shape("delaware"))
    monthly = "- Monthly contact: Contact with the mentor, at least 1 time in each month of September to May."
    assert paragraph(said, "Years 1 and 2 each require:") == [monthly]
    assert paragraph(said, "Year 3") == [
        "- Hours: at least 900 minutes (15 hours) of Contact with the mentor or Professional development in the year."
    ]
    assert paragraph(said, "The whole program") == [
        "- Required steps: all of these over the whole program: Orientation and Final conversation with the mentor."
    ]
    assert "A mentee can complete when the last program year has ended." in said
    assert "A missed meeting can't be made up." in said


def test_vermonts_choice() -> None:
    said = describe(shape("vermont"))
    assert (
        "See others at work: any one of these in the year: Observations: at least 2 in each semester; "
        "Visits: at least 1 in the year."
    ) in said
    assert "needs no verification; at least 15 minutes; no more than 30 minutes count at one time." in said
    assert "“I'm here” counts before the mentor confirms it." in said


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"per": "week", "first_weeks": 8}, "at least 1 time in each of the first 8 weeks after the start."),
        ({"per": "week", "in_months": [9, 11]}, "at least 1 time in each week that begins in September and November."),
        ({"unit": "months", "at_least": 9}, "PLC meeting in at least 9 different months in the year."),
        ({"unit": "topics", "at_least": 4, "per": "program"}, "at least 4 different topics in PLC meeting over"),
        ({"per": "semester", "at_least": 2}, "PLC meeting, at least 2 times in each semester."),
    ],
)  # fmt: skip
def test_each_kind_of_rule(fields: dict[str, object], sentence: str) -> None:
    assert sentence in describe(policy_of(rule(**fields)))


def test_an_unset_number_of_years_is_said_once() -> None:
    text = policies.shipped(policies.EXAMPLE).text.replace("years = 2", 'years = "unset"')
    said = describe(read_policy(text))
    assert "Program years: (not set yet)" in said
    assert paragraph(said, "Each year requires:")[0].startswith("- Meetings")


def test_unset_answers_are_said_where_they_belong() -> None:
    said = describe(
        policy_of(
            MEETINGS,
            '[transfer]\napprover = "coordinator"\ncredit_stays = "unset"\n',
            '[makeups]\napprover = "mentor"\nactivities = ["contact"]\nsame_program_year = "unset"\n',
            '[[track]]\nid = "a"\nname = "A"\nyears = 3\ncredit = [{ rule = "meetings", amount = 2, year = 1 }]\n',
        )
    )
    assert "Whether a mentee keeps credit after a transfer: (not set yet)." in said
    assert "Whether a make-up must be in the same program year: (not set yet)." in said
    assert "- A: 3 program years; starts with credit for 2 of Meetings in year 1." in said
    assert "Nothing can be waived: the policy does not say who decides." in said
