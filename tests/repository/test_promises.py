"""The tables of promises in docs/privacy.md name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = "## Promises and the tests that hold them"
# A file, alone or with one of its tests, or the name of a test of the file before it.
NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)(?:::(\w+))?|(test_\w+))`")


def rows() -> list[str]:
    tables = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8").partition(TABLES)[2]
    return [
        line for line in tables.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
    ]


def test_each_promise_names_tests_that_are_there() -> None:
    assert rows()
    for row in rows():
        text = ""
        named = NAMED.findall(row.rpartition(" | ")[2])
        assert named, f"names no test: {row}"
        for file, test, other in named:
            if file:
                path = ROOT / file
                assert path.exists(), f"{file} is not there: {row}"
                text = path.read_text(encoding="utf-8")
            name = test or other
            assert not name or f"def {name}(" in text, f"there is no {name}: {row}"


def test_no_promise_stands_twice() -> None:
    promises = [row.split(" | ")[0] for row in rows()]
    assert sorted(promises) == sorted(set(promises))
