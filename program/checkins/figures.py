"""Figures about groups that tell nothing about anybody in them, and the reasons why they do not.

What is protected: of everybody else, the number they tapped, whether they took part, and whether they declined
or paused. The attacker is somebody who sees every figure, knows this rule, knows who was in which group and who
came and left when, and knows their own answer. Numbers are given again each month; who declined is taken to stay
so, which tells such a reader the most.

How:

- Everybody counts in one group a month, so no figure can be subtracted from another.
- Whether a group is shown at all depends on what everybody may know (who could have answered), never on who did.
- Of the answers, only "at least so many" and one of three moods are said. What is said would be the same if any
  one of the others had not answered: at least :data:`SPARE` more people could have answered than are said to.
- A mood is what more than half answered, of five answers or more. A group of one mind looks like any other in
  which more than half are of it, so nothing need be withheld for it, and withholding tells nothing.
- How many declined or paused is said once a school year, for the whole program, as "fewer than" or "at least" the
  threshold. Where "at least" is said, the people of the largest group keep so many more in reserve, in whichever groups
  they are from then on, until it is said again: else the answers of the months to come could tell who had declined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

SPARE = 2  # the reader and any one other: what is said must be possible without either of them
MOOD_FROM = 5  # of fewer answers, one's own and the mood could tell the others'
OTHERS = "others"  # the group of those whose cohort is too small to be one

Mood = Literal["", "hard", "mixed", "well"]
Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class Rule:
    """The threshold, and what else protects. Only tests weaken the rest, to show that they would notice."""

    threshold: int = 5
    spare: int = SPARE
    mood_from: int = MOOD_FROM
    reserve: bool = True

    @property
    def smallest(self) -> int:
        """The fewest people of a group that is shown by itself."""
        return self.threshold + self.spare


@dataclass(frozen=True, slots=True)
class Tally:
    """The numbers a group tapped in a month: 1 and 2, 3, 4 and 5. One number a person."""

    low: int = 0
    middle: int = 0
    high: int = 0

    @property
    def answered(self) -> int:
        """How many answered."""
        return self.low + self.middle + self.high


@dataclass(frozen=True, slots=True)
class Figure:
    """What is shown of a group's month. ``at_least``: 0 where nothing is; ``mood``: empty where it is withheld."""

    at_least: int = 0
    mood: Mood = ""


@dataclass(frozen=True, slots=True)
class Participation:
    """What is shown once a school year: whether at least as many as the threshold declined, or paused.

    ``place``: the group whose people keep ``reserved`` in reserve until it is said again.
    """

    place: str
    declined: bool
    paused: bool
    reserved: int


def groups(members: Mapping[str, Sequence[Place]], rule: Rule) -> dict[str, list[Place]]:
    """The groups of a month, from the people of each cohort who could have answered: each person in one at most.

    Cohorts that are too small are taken together; who is left after that is in no figure.
    """
    large = {place: list(places) for place, places in members.items() if len(places) >= rule.smallest}
    others = [same_place for place, places in sorted(members.items()) if place not in large for same_place in places]
    if len(others) >= rule.smallest:
        large[OTHERS] = others
    return large


def figure(tally: Tally, could_answer: int, reserved: int, rule: Rule) -> Figure:
    """What is shown of a group in which ``could_answer`` people could have answered."""
    sayable = could_answer - rule.spare - reserved
    at_least = min(tally.answered, sayable) // rule.threshold * rule.threshold
    if at_least < rule.threshold:
        return Figure()
    return Figure(at_least, _mood(tally) if at_least >= rule.mood_from else "")


def _mood(tally: Tally) -> Mood:
    if 2 * tally.low > tally.answered:
        return "hard"
    return "well" if 2 * tally.high > tally.answered else "mixed"


def participation(sizes: Mapping[str, int], declined: int, paused: int, rule: Rule) -> Participation | None:
    """What is said of the school year; None while no group is large enough to keep the reserve.

    ``sizes``: how many people are in each group; ``declined`` and ``paused``: of all who could have answered.
    """
    if not sizes:
        return None
    place = max(sizes, key=lambda place: (sizes[place], place))
    kept = rule.threshold if rule.reserve else 0  # for each of the two
    if sizes[place] < rule.smallest + 2 * kept:
        return None
    said = (declined >= rule.threshold, paused >= rule.threshold)
    return Participation(place, *said, reserved=sum(said) * kept)


def reserve(said: Participation | None, there: int) -> int:
    """How many of a group's people are kept in reserve. ``there``: those who were in the place when it was said.

    Together they could always be the ones who declined or paused, without any one of them.
    """
    return min(said.reserved, there) if said else 0
