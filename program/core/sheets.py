"""Tables on their way into a spreadsheet, with formulas in typed text made harmless."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

Cell = str | int | None

# A spreadsheet takes a text that begins with one of these for a formula; the wide forms are the same to some.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a spreadsheet: its column titles, and rows of as many cells."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run this text. Spaces before it do not help everywhere."""
    return text.startswith(FORMULA_STARTS) or text.lstrip(" ").startswith(FORMULA_STARTS)


def to_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a mark, so that Excel reads the letters; every text quoted, so that no separator splits one."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in sheet.rows)
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, str) and is_formula(cell):
        return "'" + cell
    return cell
