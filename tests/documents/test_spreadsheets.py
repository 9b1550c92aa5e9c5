"""Spreadsheets with hostile text in them, read back by another library."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.documents.spreadsheet import to_xlsx
from program.core.sheets import FORMULA_STARTS, Sheet, to_csv
from tests.specimens import HOSTILE

FORMULAS = [
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
]


def sheet(*texts: str) -> Sheet:
    return Sheet("Record", ("Name", "Minutes", "Why"), tuple((text, 45, None) for text in texts))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_csv(text: str) -> None:
    raw = to_csv(sheet(text)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(raw, newline="")))
    assert rows[1] == ["'" + text, "45", ""]


@pytest.mark.parametrize("text", [*FORMULAS, HOSTILE, "https://evil.example", "12", "mailto:a@b.example"])
def test_a_formula_is_text_in_excel(text: str) -> None:
    book = load_workbook(io.BytesIO(to_xlsx([sheet(text)], "T")))
    cell = book["Record"]["A2"]
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert " ".join(str(cell.value).split()) == " ".join(text.split())
    assert cell.quotePrefix is (text in FORMULAS)
    assert book["Record"]["B2"].value == 45


def test_plain_texts_stay_as_they_are() -> None:
    raw = to_csv(sheet("Dana Reyes", "O’Brien, Zoë", 'says "yes"', "a;=1")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(raw, newline="")))
    assert [row[0] for row in rows] == ["Name", "Dana Reyes", "O’Brien, Zoë", 'says "yes"', "a;=1"]
    assert '"a;=1"' in raw  # quoted, so that a program that splits at semicolons does not make a cell of it


@given(st.text(max_size=60))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    raw = to_csv(Sheet("S", ("A",), ((text,),))).decode("utf-8-sig", "surrogatepass")
    cell = raw.removeprefix('"A"\r\n"')
    assert not cell.startswith(FORMULA_STARTS)


@given(st.text(max_size=60))
def test_any_text_makes_a_workbook(text: str) -> None:
    book = load_workbook(io.BytesIO(to_xlsx([sheet(text)], "T")))
    assert book["Record"]["A2"].data_type in ("s", "n")  # n: an empty cell


def test_an_empty_sheet_has_its_header() -> None:
    book = load_workbook(io.BytesIO(to_xlsx([Sheet("Standings", ("Mentee",), ())], "T")))
    assert [cell.value for cell in book["Standings"][1]] == ["Mentee"]
