"""Excel workbooks from sheets. A text stays a text: no formula, no link, whatever somebody typed."""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter

from program.core.sheets import Sheet, is_formula

WIDEST = 60
NO_SURPRISES = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def to_xlsx(sheets: Sequence[Sheet], title: str) -> bytes:
    """Return a workbook's bytes, with one page for each sheet. ``title`` is the document's property."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, NO_SURPRISES)
    book.set_properties({"title": title})
    bold = book.add_format({"bold": True, "bottom": 1})
    # Excel would run such a text once somebody edits the cell; the quote prefix says that it is text for good.
    quoted = book.add_format({"quote_prefix": True})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        page.freeze_panes(1, 1)
        widths = [len(name) for name in sheet.columns]
        for column, name in enumerate(sheet.columns):
            page.write_string(0, column, name, bold)
        for row, cells in enumerate(sheet.rows, start=1):
            for column, cell in enumerate(cells):
                if isinstance(cell, int):
                    page.write_number(row, column, cell)
                elif cell:
                    shown = cell.replace("\r\n", "\n").replace("\r", "\n")  # a lone \r is shown as its code
                    page.write_string(row, column, shown, quoted if is_formula(cell) else None)
                widths[column] = max(widths[column], len(str(cell or "")))
        for column, width in enumerate(widths):
            page.set_column(column, column, min(width, WIDEST) + 2)
        if sheet.rows:
            page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
    book.close()
    return out.getvalue()
