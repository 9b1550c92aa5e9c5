"""What goes wrong, decided by the seed alone; and the diary of everything that happened."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

Fault = Literal[
    "wait", "server error", "dropped before", "dropped after", "timed out after"
]  # 429; 500; the answer lost with and without the work done
FAULTS: tuple[Fault, ...] = ("wait", "server error", "dropped before", "dropped after", "timed out after")


class Crash(BaseException):
    """The process died here. It is no Exception, so nothing in the product can go on after it."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad it is: the share of platform calls that fail, and of steps at which the process dies."""

    faults: float
    deaths: float


CALM = Weather(0.003, 0.0002)
ROUGH = Weather(0.06, 0.002)
STORM = Weather(0.5, 0.004)
STORM_LASTS = timedelta(minutes=15)


@dataclass(slots=True)
class FailureInjection:
    """Draws the weather of each day, the fault of each call and the end of each life."""

    random: Random
    harsh: float = 1.0  # how many times more often everything goes wrong than in the weather as it is
    weather: Weather = CALM
    storm_from: datetime | None = None

    def new_day(self, midnight: datetime) -> None:
        """Most days are calm; on some the platforms fail now and then, on a few they fail for minutes."""
        self.weather = self.random.choices((CALM, ROUGH), (0.85, 0.15))[0]
        stormy = self.random.random() < 0.05
        self.storm_from = midnight + timedelta(minutes=self.random.randrange(14 * 60, 26 * 60)) if stormy else None

    def at(self, now: datetime) -> Weather:
        if self.storm_from is not None and self.storm_from <= now < self.storm_from + STORM_LASTS:
            return STORM
        return Weather(min(STORM.faults, self.harsh * self.weather.faults), self.harsh * self.weather.deaths)

    def fault(self, now: datetime) -> Fault | None:
        """How the next call of a platform fails, if it does."""
        if self.random.random() >= self.at(now).faults:
            return None
        return self.random.choice(FAULTS)

    def dies(self, now: datetime) -> bool:
        return self.random.random() < self.at(now).deaths

    def down_for(self) -> timedelta:
        """How long the process stays away: mostly a moment, sometimes overnight or over a weekend."""
        shortest, longest = self.random.choices(
            ((1, 30), (60, 1800), (3600, 8 * 3600), (10 * 3600, 64 * 3600)), (0.7, 0.22, 0.07, 0.01)
        )[0]
        return timedelta(seconds=self.random.randint(shortest, longest))


@dataclass(slots=True)
class Diary:
    """Every event in order: its hash says whether two runs were the same, its end what came before a failure."""

    last: deque[str] = field(default_factory=lambda: deque(maxlen=60))
    counts: Counter[str] = field(default_factory=Counter)
    events: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def note(self, now: datetime, what: str, detail: object = "") -> None:
        line = f"{now:%Y-%m-%d %H:%M:%S} {what} {detail}".rstrip()
        self.events += 1
        self.counts[what] += 1
        self.last.append(line)
        self._hash.update(line.encode() + b"\n")

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
