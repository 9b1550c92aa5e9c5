"""Tables, as Adaptive Card elements that a phone can show."""

from __future__ import annotations

from collections.abc import Iterator

from microsoft_teams import cards as ac

from bot.teams.page import CardLimits, Page
from bot.teams.spans import left_out, text
from bot.teams.words import one_line
from handlers.core.cards import Bold, Table, Text

TABLE_COLUMNS = 2  # more of them break inside words on a phone; their rows are written as lines
TABLE_WORD = 14  # letters of the longest word that fits into a column there


def table(block: Table, page: Page) -> Iterator[ac.CardElement]:
    """Yield the table's elements: a grid if it fits on a phone, otherwise two lines of text for each row."""
    limits = page.limits
    if block.caption:
        yield text((Bold(one_line(block.caption, limits.label)),), page)
    if not _fits_a_phone(block):
        for row in block.rows[: limits.parts]:
            yield text(_row_words(block, row, limits), page)
        yield from left_out(block.rows, limits)
        return
    header = [_cell(Bold(column), page) for column in block.columns]
    rows = [[_cell(cell, page) for cell in row] for row in block.rows[: limits.parts]]
    yield ac.Table(
        columns=[ac.ColumnDefinition(width=1) for _ in block.columns],
        first_row_as_headers=True,
        show_grid_lines=True,
        rows=[ac.TableRow(cells=cells) for cells in [header, *rows]],
    )
    yield from left_out(block.rows, limits)


def _fits_a_phone(block: Table) -> bool:
    words = (word for row in (block.columns, *block.rows) for cell in row for word in cell.split())
    return len(block.columns) <= TABLE_COLUMNS and all(len(word) <= TABLE_WORD for word in words)


def _row_words(block: Table, row: tuple[str, ...], limits: CardLimits) -> Text:
    """A row as two lines: its first cell, then the other cells after their column names."""
    cells = [one_line(cell, limits.label) for cell in row]
    rest = [f"{column}: {cell}" if column else cell for column, cell in zip(block.columns[1:], cells[1:], strict=True)]
    return (Bold(cells[0]), "\n" + " · ".join(rest)) if rest else (Bold(cells[0]),)


def _cell(content: str | Bold, page: Page) -> ac.TableCell:
    words = content.text if isinstance(content, Bold) else content
    short = one_line(words, page.limits.label)
    return ac.TableCell(items=[text((Bold(short) if isinstance(content, Bold) else short,), page)])
