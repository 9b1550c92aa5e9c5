from __future__ import annotations

from datetime import date

import pytest

from program.people.roster import read_roster

ZONE = "America/Denver"  # the program's
HEADER = "cohort,region,role,name,e-mail,person_id,zone,district,program start,track"


def problems(*lines: str) -> list[str]:
    return [str(problem) for problem in read_roster("\n".join((HEADER, *lines)), ZONE)[1]]


def test_a_good_file() -> None:
    rows, wrong = read_roster(HEADER + "\nOzarks,SW,Mentee,Dana,DANA@example.org,P1,,R-I,2026-07-01,returning\n", ZONE)
    assert wrong == []
    assert (rows[0].role, rows[0].email, rows[0].zone) == ("mentee", "dana@example.org", ZONE)
    assert rows[0].program_start == date(2026, 7, 1)


def test_semicolons_a_byte_order_mark_and_empty_lines() -> None:
    rows, wrong = read_roster("\ufeffcohort;role;name;email\r\n\r\nOzarks;mentor;Ruth, M.Ed.;r@example.org\r\n", ZONE)
    assert wrong == []
    assert rows[0].name == "Ruth, M.Ed."


def test_three_broken_rows_are_all_named() -> None:
    texts = problems(
        "Ozarks,,mentee,Dana,not-an-address,,,,,",
        "Ozarks,,boss,Lee,lee@example.org,,,,,",
        "Ozarks,,mentee,Sam,sam@example.org,,Mars/Base,,01.07.2026,",
    )
    assert [text.split(":")[0] for text in texts] == ["Line 2", "Line 3", "Line 4", "Line 4"]
    assert "is not an email address" in texts[0]
    assert "Use mentee, mentor or coordinator" in texts[1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file is empty"),
        ("cohort,role,name\n", "The column email is missing"),
        ("cohort,role,name,email,shoe\n", "The column 'shoe' is not one of the expected columns"),
        (HEADER + "\n", "column names but no people"),
        (HEADER + "\nOzarks,SW\n", "This line has 2 cells, but there are 10 columns"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, sentence: str) -> None:
    rows, wrong = read_roster(text, ZONE)
    assert rows == []
    assert sentence in str(wrong[0])


def test_lines_that_contradict_each_other() -> None:
    texts = problems(
        "Ozarks,SW,mentee,Dana,dana@example.org,P1,,,,",
        "Ozarks,SW,mentor,Dana,dana@example.org,P1,,,,",
        "Gateway,,mentee,Dana B.,dana@example.org,P1,,,,",
        "ozarks,East,mentee,Lee,lee@example.org,P1,,,,",
    )
    text = "\n".join(texts)
    assert "Line 3: Dana is in Ozarks already, in line 2." in text
    assert "Line 4: The same address is in line 2" in text
    assert "Line 5: The same person_id is in line 2" in text
    assert "Line 5: ozarks has another region in line 2." in text


def test_control_characters_and_endless_names_are_refused() -> None:
    texts = problems(f"Ozarks,,mentee,{'x' * 201},a@example.org,,,,,", "Oz\x07arks,,mentee,Lee,b@example.org,,,,,")
    assert "over 200 characters" in texts[0]
    assert "control character" in texts[1]


@pytest.mark.parametrize(
    "name",
    [
        "Dana \U0001f469\u200d\U0001f3eb",
        "Jean\u00a0Luc Roy",
        "\u05d3\u05e0\u05d4\u200f Levi",
        "Bo \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
        "Feather\u00adstonehaugh",
    ],
)
def test_names_with_joiners_marks_and_special_spaces_are_taken(name: str) -> None:
    rows, problems = read_roster(f"cohort,role,name,email\nA,mentee,{name},d@example.org\n", ZONE)
    assert problems == []
    assert rows[0].name == name


@pytest.mark.parametrize("name", ["\u200f", "\u200d\u200d", "\u00ad", "\u0301", "\u200e\u00a0\u200f"])
def test_a_name_that_nobody_sees_is_refused(name: str) -> None:
    for cells in (f"A,mentee,{name},d@example.org", f"{name},mentee,Dana,d@example.org"):
        rows, wrong = read_roster(f"cohort,role,name,email\n{cells}\n", ZONE)
        assert rows == []
        assert "has no visible characters" in str(wrong[0])


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u2028", "\x07", "\U000e0067", "\U0001f3f4\U000e0067"])
def test_names_that_reorder_or_break_a_line_are_refused(char: str) -> None:
    rows, problems = read_roster(f"cohort,role,name,email\nA,mentee,Da{char}na,d@example.org\n", ZONE)
    assert rows == []
    assert "control character" in str(problems[0])


@pytest.mark.parametrize("start", ["0001-01-01", "1989-12-31", "2100-01-01", "9999-12-31"])
def test_a_program_start_out_of_any_program_is_refused_by_name(start: str) -> None:
    text = f"cohort,role,name,email,program start\nA,mentee,Dana Reyes,d@example.org,{start}\n"
    rows, problems = read_roster(text, ZONE)
    assert rows == []
    assert [str(problem) for problem in problems] == [
        f"Line 2: Dana Reyes: the program start {start} is not in the years 1990 to 2099."
    ]
