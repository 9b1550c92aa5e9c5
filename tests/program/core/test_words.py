from __future__ import annotations

import pytest

from program.core.words import FSI, PDI, counted, folded, isolated, isolated_parts, listed, nearest, normal


def test_the_nearest_commands() -> None:
    known = ["progress", "privacy", "help", "meeting new"]
    assert nearest("progres", known)[0] == "progress"
    assert nearest("metting new", known) == ["meeting new"]
    assert nearest("xyzzy", known) == []


def test_lists_and_counts() -> None:
    assert listed(["Ann"]) == "Ann"
    assert listed(["Ann", "Bo", "Cy"]) == "Ann, Bo and Cy"
    assert listed(["Ann", "Bo", "Cy"], most=2) == "Ann, Bo and 1 more"
    assert counted(1, "person", "people") == "1 person"
    assert counted(0, "meeting") == "0 meetings"
    assert normal("  Progress. ") == "progress"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Dana Reyes says a record is wrong", None),
        ("José Núñez, 谷川 and Ольга (3)", None),
        ("", None),
        ("دانا رييس", None),  # alone it is no sentence
        ("דנה לוי (3 of 8)", "⟨דנה לוי⟩ (3 of 8)"),
        ("دانا رييس, علي and 3 more", "⟨دانا رييس⟩, ⟨علي⟩ and 3 more"),
        ("I asked دانا-رييس.", "I asked ⟨دانا-رييس⟩."),
        ("Dana\u200f Levi", "Dana⟨\u200f⟩ Levi"),
        ("Dana \u202eReyes\u2069", "Dana Reyes"),
    ],
)
def test_right_to_left_names_are_isolated_in_a_sentence(text: str, shown: str | None) -> None:
    expected = text if shown is None else shown.replace("⟨", FSI).replace("⟩", PDI)
    assert isolated_parts(text) == expected
    assert isolated_parts(expected) == expected, "once is enough"


def test_a_name_is_isolated_as_one() -> None:
    assert isolated("Dana Reyes") == "Dana Reyes"
    assert isolated("דנה Levi") == f"{FSI}דנה Levi{PDI}"
    assert isolated(isolated("דנה")) == f"{FSI}דנה{PDI}"


def test_isolating_takes_time_in_proportion_to_the_text() -> None:
    for text in ("א" + "\u0591" * 50_000 + "x", "א " * 50_000 + "x", "א" + " ." * 50_000 + "x"):
        assert isolated_parts(text).endswith("x")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("émile", "Émile Ünal"),
        ("EMILE U\u0308NAL", "Émile Ünal"),
        ("ana maria", "Ana\u00a0Maria Silva"),
        ("Jos\u00e9", "Jose\u0301 Pe\u0301rez"),
        ("o'connor", "Sinéad O’Connor"),
        ("\u2068יעל כהן\u2069", "יעל כהן"),
        ("علي حسن", "\u200eعلي حسن\u200f"),
        ("strasse", "Anna Straße"),
        ("i", "İnci"),
        ("kim \U0001f469\u200d\U0001f3eb", "Kim \U0001f469\u200d\U0001f3eb Lee"),
    ],
)
def test_names_are_compared_as_people_type_them(typed: str, name: str) -> None:
    assert folded(typed) in folded(name)
    assert folded(typed)


def test_invisible_characters_alone_are_nothing() -> None:
    assert folded("\u200d\u2069 \u0301\u00a0") == ""
