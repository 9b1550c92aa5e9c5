"""People are found by what somebody types of their name or address, on both databases alike."""

from __future__ import annotations

import pytest

from storage.people import people
from tests.world import ROSTER, World

MORE = "".join(
    f"Ozarks,Southwest,mentee,{name},{email},N{number},America/Chicago,R,2026-07-01,\n"
    for number, (name, email) in enumerate(
        (
            ("Émile Ünal", "emile.u@example.org"),
            ("Ana\u00a0Maria Silva", "silva@example.org"),
            ("יעל כהן", "yael@example.org"),
            ("Jose\u0301 Pe\u0301rez", "perez@example.org"),
            ("Sinéad O’Connor", "sinead@example.org"),
            ("Dana Marie Reyes-Ortiz", "dmro@example.org"),
        )
    )
)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("émile ünal", ["Émile Ünal"]),
        ("ünal", ["Émile Ünal"]),
        ("ana maria", ["Ana\u00a0Maria Silva"]),
        ("\u2068יעל כהן\u2069", ["יעל כהן"]),
        ("Jos\u00e9 P\u00e9rez", ["Jose\u0301 Pe\u0301rez"]),
        ("o'connor", ["Sinéad O’Connor"]),
        ("reyes", ["Dana Marie Reyes-Ortiz", "Dana Reyes"]),
        ("reyes-", ["Dana Marie Reyes-Ortiz"]),
        ("dmr", ["Dana Marie Reyes-Ortiz"]),  # the beginning of an address
        ("Emile.U@example.org", ["Émile Ünal"]),
        ("sam", ["Sam Whitfield"]),
        ("%", []),
        ("_", []),
        ("\u2068\u2069", []),
        (" ", []),
    ],
)
def test_people_are_found_by_name_and_address(world: World, typed: str, names: list[str]) -> None:
    world.import_roster(ROSTER + MORE)
    with world.database.read() as tx:
        assert [person.name for person in people.search(tx, typed)] == names
        assert len(people.search(tx, "a", most=3)) == 3
