"""Somebody who reads every figure of a year and tries to learn of one other person what the figures hide.

They know the rule, who could have answered in which cohort in which month, and everything about themselves.
They think through every world that fits what was shown: if all of those agree about somebody, they know it.
People who are alike to them (the same months in the same groups) are counted, not named, so that this is exact
and still quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from program.checkins.figures import Figure, Participation, Rule, Tally, figure, groups, participation, reserve

SILENT = "silent"
BANDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Someone:
    """``cohorts``: by month, empty where they could not answer; ``answers``: a band, or SILENT.

    ``declined`` and ``paused`` are as the school year's figure finds them. Who declined answers nothing from then on,
    who paused nothing in that month.
    """

    cohorts: tuple[str, ...]
    answers: tuple[str, ...]
    declined: bool = False
    paused: bool = False


@dataclass
class Year:
    """What is shown of a year: by month and group, and of participation once."""

    people: Sequence[Someone]
    rule: Rule
    shown: list[dict[str, Figure]] = field(default_factory=list)
    sizes: list[dict[str, int]] = field(default_factory=list)
    reserved: list[dict[str, int]] = field(default_factory=list)
    places: list[dict[int, str]] = field(default_factory=list)  # who is in which group
    said: Participation | None = None
    said_in: int = -1
    then: set[int] = field(default_factory=set)  # who was in the group that keeps the reserve

    def __post_init__(self) -> None:
        for month in range(len(self.people[0].cohorts)):
            self._publish(month)

    def _publish(self, month: int) -> None:
        members: dict[str, list[int]] = {}
        for number, person in enumerate(self.people):
            if person.cohorts[month]:
                members.setdefault(person.cohorts[month], []).append(number)
        by_place = groups(members, self.rule)
        sizes = {place: len(inside) for place, inside in by_place.items()}
        if self.said is None:
            there = [person for person in self.people if person.cohorts[month]]
            counts = (sum(person.declined for person in there), sum(person.paused for person in there))
            self.said = participation(sizes, *counts, self.rule)
            self.said_in = month if self.said else -1
            self.then = set(by_place[self.said.place]) if self.said else set()
        kept = {place: reserve(self.said, len(self.then.intersection(inside))) for place, inside in by_place.items()}
        self.shown.append(
            {
                place: figure(self._tally(inside, month), len(inside), kept[place], self.rule)
                for place, inside in by_place.items()
            }
        )
        self.sizes.append(sizes)
        self.reserved.append(kept)
        self.places.append({number: place for place, inside in by_place.items() for number in inside})

    def _tally(self, inside: Sequence[int], month: int) -> Tally:
        answers = [self.answer(number, month) for number in inside]
        return Tally(*(answers.count(band) for band in BANDS))

    def answer(self, number: int, month: int) -> str:
        person = self.people[number]
        silent = (person.declined and month >= self.said_in >= 0) or (person.paused and month == self.said_in)
        return SILENT if silent else person.answers[month]


@dataclass(frozen=True)
class Guess:
    """What the reader tries out about somebody: an answer of a month, or what they told the bot."""

    month: int = -1
    answer: str = ""
    declined: bool | None = None
    paused: bool | None = None


@dataclass
class Attacker:
    """``me`` reads, and wants to know of ``other``."""

    year: Year
    me: int
    other: int

    def learns(self) -> list[str]:
        """What the figures tell of the other person."""
        texts = []
        for month, places in enumerate(self.year.places):
            if self.other not in places:
                continue
            possible = [band for band in BANDS if self.fits(Guess(month, band))]
            if len(possible) == 1:
                texts.append(f"month {month}: if they answered, it was {possible[0]}")
            if possible and not self.fits(Guess(month, SILENT)):
                texts.append(f"month {month}: they answered")
            if not possible and not self._cannot_answer(month):
                texts.append(f"month {month}: they did not answer")
        if self.year.said is not None and self.year.people[self.other].cohorts[self.year.said_in]:
            tries = {
                "declined": (Guess(declined=True), Guess(declined=False)),
                "paused": (Guess(paused=True), Guess(paused=False)),
            }
            texts += [f"whether they {name}" for name, two in tries.items() if not all(map(self.fits, two))]
        return texts

    def _cannot_answer(self, month: int) -> bool:
        return not self.year.people[self.other].cohorts[month]

    def fits(self, guess: Guess) -> bool:
        """Whether some world has what was shown, what I know of myself, and the guess."""
        both = (True, False)
        for declined in both if guess.declined is None else (guess.declined,):
            for paused in both if guess.paused is None else (guess.paused,):
                if declined and paused:
                    continue
                if any(self._year_fits(guess, declined, paused, *away) for away in self._away(declined, paused)):
                    return True
        return False

    def _kinds(self) -> dict[tuple[str, ...], int]:
        """Everybody else, by what tells them apart: their group in each month, empty where in none."""
        counts: dict[tuple[str, ...], int] = {}
        for number, person in enumerate(self.year.people):
            if number in (self.me, self.other):
                continue
            kind = tuple(
                places.get(number, "-" if person.cohorts[month] else "")
                for month, places in enumerate(self.year.places)
            )
            counts[kind] = counts.get(kind, 0) + 1
        return counts

    def _away(self, declined: bool, paused: bool) -> Iterator[tuple[dict[tuple[str, ...], int], ...]]:
        """How many of each kind declined and paused, in every way that fits the year's figure.

        Fewer people away only leave more who could answer, so the fewest that fit are enough.
        """
        said = self.year.said
        kinds = self._kinds()
        if said is None:
            yield {}, {}
            return
        mine = self.year.people[self.me]
        there = bool(mine.cohorts[self.year.said_in])
        others = bool(self.year.people[self.other].cohorts[self.year.said_in])
        need = []
        for is_said, i_am, they_are in ((said.declined, mine.declined, declined), (said.paused, mine.paused, paused)):
            known = (i_am and there) + (they_are and others)
            if not is_said and known >= self.year.rule.threshold:
                return
            need.append(max(0, self.year.rule.threshold - known) if is_said else 0)
        present = {kind: size for kind, size in kinds.items() if kind[self.year.said_in]}
        for first in _spread(need[0], present):
            left = {kind: size - first.get(kind, 0) for kind, size in present.items()}
            for second in _spread(need[1], left):
                yield first, second

    def _year_fits(
        self,
        guess: Guess,
        declined: bool,
        paused: bool,
        gone: Mapping[tuple[str, ...], int],
        resting: Mapping[tuple[str, ...], int],
    ) -> bool:
        kinds = self._kinds()
        for month, shown in enumerate(self.year.shown):
            after = month >= self.year.said_in >= 0
            during = month == self.year.said_in
            for place, seen in shown.items():
                able = sum(
                    size - (gone.get(kind, 0) if after else 0) - (resting.get(kind, 0) if during else 0)
                    for kind, size in kinds.items()
                    if kind[month] == place
                )
                mine = self.year.answer(self.me, month) if self.year.places[month].get(self.me) == place else SILENT
                theirs: tuple[str, ...] = (SILENT,)
                if self.year.places[month].get(self.other) == place:
                    theirs = (SILENT,) if (declined and after) or (paused and during) else (SILENT, *BANDS)
                    if guess.month == month:
                        theirs = tuple(their for their in theirs if their == guess.answer)
                sizes = (self.year.sizes[month][place], self.year.reserved[month][place])
                if not any(_possible(able, (mine, their), *sizes, seen, self.year.rule) for their in theirs):
                    return False
        return True


def _spread(count: int, kinds: Mapping[tuple[str, ...], int]) -> Iterator[dict[tuple[str, ...], int]]:
    """Every way to take ``count`` people from the kinds."""
    if not kinds:
        if count == 0:
            yield {}
        return
    (kind, size), *rest = kinds.items()
    for taken in range(min(count, size) + 1):
        for others in _spread(count - taken, dict(rest)):
            yield {kind: taken, **others}


@cache
def _possible(able: int, known: tuple[str, str], could: int, reserved: int, seen: Figure, rule: Rule) -> bool:
    """Whether ``able`` people more could have answered so that this was shown."""
    base = [known.count(band) for band in BANDS]
    return any(
        figure(Tally(base[0] + low, base[1] + middle, base[2] + high), could, reserved, rule) == seen
        for low in range(able + 1)
        for middle in range(able + 1 - low)
        for high in range(able + 1 - low - middle)
    )
