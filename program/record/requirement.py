"""One rule of the policy in one period, as it stands for one mentee."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

from program.record.counting import Item
from program.record.periods import Period

Outcome = Literal["met", "open", "at risk", "behind", "blocked"]


class Requirement(NamedTuple):
    """One rule in one period. ``need`` None: unset by the policy, so that it can never be met.

    ``limit``: a number not to go over, such as absences. ``coming``: what meetings to come and what waits for
    a mentor can add; ``could``: with make-ups that are still open; ``maybe``: what an unset value decides;
    ``chances``: what there would have been, had nothing been missed (None: other activities help too).
    """

    rule: str
    name: str
    unit: str  # a Unit, "items", "rules" or "absences"
    period: Period
    need: int | None
    have: int
    outcome: Outcome
    counted: tuple[Item, ...] = ()
    others: tuple[Item, ...] = ()  # what did not count, each with its reason
    credited: int = 0
    waived: int = 0
    coming: int = 0
    could: int = 0
    maybe: int = 0
    chances: int | None = None
    lacking: tuple[str, ...] = ()  # the named items that are missing
    parts: tuple[Requirement, ...] = ()  # of a choice
    limit: bool = False
    met_on: date | None = None

    @property
    def missing(self) -> int | None:
        """How much is missing to what is needed; 0 for a limit; None: what is needed is unset."""
        if self.need is None:
            return None
        return 0 if self.limit else max(0, self.need - self.have - self.credited - self.waived)

    @property
    def short(self) -> int:
        """By how many the cohort's meetings are too few: nobody is behind for that."""
        return 0 if self.chances is None else max(0, (self.missing or 0) - self.chances)

    @property
    def due(self) -> date:
        """The last day of its period."""
        return self.period.ends


RANK: dict[Outcome, int] = {"behind": 0, "at risk": 1, "blocked": 2, "open": 3, "met": 4}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that needs attention first."""
    return min(outcomes, key=RANK.__getitem__)
