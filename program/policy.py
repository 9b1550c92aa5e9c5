"""The requirement policy: what two years ask for, read from a versioned document."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any


class BadPolicy(ValueError):
    """This policy document cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``meetings_per_year`` None: unset. An unset number blocks completion; it is never guessed."""

    id: str
    version: str
    label: str
    source: str
    years: int
    boundary: tuple[int, int]  # month and day on which a program year begins
    zone: str
    meetings_per_year: int | None

    @property
    def name(self) -> str:
        return f"{self.id}/{self.version}"

    def year_of(self, day: date) -> int:
        """The calendar year in which the program year of ``day`` began."""
        return day.year if (day.month, day.day) >= self.boundary else day.year - 1

    def years_from(self, starts: date) -> tuple[int, ...]:
        first = self.year_of(starts)
        return tuple(range(first, first + self.years))


def read_policy(text: str) -> Policy:
    """Read a policy document (TOML).

    Raises:
        BadPolicy: names the field that is missing or wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"This is not TOML: {error}.") from None
    program = document.get("program", {})
    month, day = (int(part) for part in str(_field(program, "boundary", str, "program.")).split("-"))
    per_year = document.get("meetings", {}).get("per_year")
    if per_year is not None and (not isinstance(per_year, int) or per_year < 1):
        raise BadPolicy("meetings.per_year must be a whole number of at least 1, or be left out.")
    return Policy(
        id=_field(document, "id", str),
        version=_field(document, "version", str),
        label=_field(document, "label", str),
        source=_field(document, "source", str),
        years=_field(program, "years", int, "program."),
        boundary=(month, day),
        zone=_field(program, "zone", str, "program."),
        meetings_per_year=per_year,
    )


def _field(table: dict[str, Any], name: str, kind: type, where: str = "") -> Any:
    if not isinstance(table.get(name), kind):
        raise BadPolicy(f"{where}{name} is missing or is not a {kind.__name__}.")
    return table[name]
