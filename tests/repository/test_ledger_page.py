"""What docs/ledger.md tells of the ledger's lines and of the verification's sentences is what the code has."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

import pytest

from program.record import chain
from program.record.wording import KINDS, STEPS
from storage.record import checkpoints, verification
from tests.manifest.test_docs import page, part

TABLES = page("ledger.md")
SENTENCES = re.findall(r"^\| ([^|]+) \| ", part(TABLES, "Checking it"), re.MULTILINE)[2:]


def patterns() -> Iterator[str]:
    """Every text in the code of the verification, with anything in the place of its values."""
    for module in (verification, checkpoints, chain):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.JoinedStr(values):
                    yield "".join(
                        re.escape(str(expr.value)) if isinstance(expr, ast.Constant) else ".+" for expr in values
                    )
                case ast.Constant(str(text)) if " " in text:
                    yield re.escape(text)


def test_every_kind_and_step_of_a_line_is_told() -> None:
    told = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", part(TABLES, "What is recorded"), re.MULTILINE))
    assert {kind for cell in told for kind in cell.split(", ")} - {"kind", "---"} == set(KINDS) - {"correction"}
    steps = " ".join(told.values())
    assert [step for step, words in STEPS.items() if step not in steps and words not in steps] == []


def test_every_kind_of_sealed_row_is_told() -> None:
    told = part(TABLES, "Checking it")
    names = [words.partition(" ")[2] for words in verification.CALLED.values()]
    assert [name for name in names if name not in told] == []


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_of_the_verification_is_one_that_it_says(sentence: str) -> None:
    about_somebody = sentence.removeprefix("Dana Reyes: ").removesuffix(".")
    assert any(re.fullmatch(pattern, sentence) or re.fullmatch(pattern, about_somebody) for pattern in patterns())
