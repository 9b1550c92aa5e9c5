"""The table of promises in docs/privacy.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = "## Promises and the tests that hold them"


def test_each_promise_names_tests_that_are_there() -> None:
    table = (ROOT / "docs" / "privacy.md").read_text().partition(TABLE)[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert rows
    assert len(set(rows)) == len(rows), "a promise stands there twice"
    for row in rows:
        named = re.findall(r"((?:tests/)?[\w/]+\.py)(?:::(\w+))?", row.rpartition(" | ")[2])
        assert named, f"names no test: {row}"
        for file, test in named:
            path = ROOT / "tests" / file.removeprefix("tests/")
            assert path.exists(), f"{file} is not there: {row}"
            assert not test or f"def {test}(" in path.read_text(), f"{file} has no {test}"
