"""The arithmetic of a figure: interleaved rounds, medians, the ratio, and what is written down of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Literal

import psutil

Better = Literal["lower", "higher"]
Trial = Callable[[], Awaitable[float]]

ROUNDS = 5
LIBRARIES = ("aiohttp", "slack-bolt", "botbuilder-core", "SQLAlchemy", "psycopg")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to reach: its ratio to the baseline, at most or at least ``target``.

    part: which of several figures of one name
    """

    name: str
    target: float
    better: Better
    part: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio.

    product, baseline: what each round gave, in ``unit``
    more: what else was seen
    """

    goal: Goal
    database: str  # sqlite, postgresql; empty where there is none
    unit: str
    product: Sequence[float]
    baseline: Sequence[float]
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return median(self.product) / median(self.baseline)

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal.target if self.goal.better == "lower" else self.ratio >= self.goal.target

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.goal.name,
            **({"part": self.goal.part} if self.goal.part else {}),
            "database": self.database,
            "ratio": round(self.ratio, 3),
            "target": self.goal.target,
            "better": self.goal.better,
            "met": self.met,
            "unit": self.unit,
            "product": significant(median(self.product)),
            "baseline": significant(median(self.baseline)),
            "rounds": {
                "product": [significant(value) for value in self.product],
                "baseline": [significant(value) for value in self.baseline],
            },
            **({"more": {name: significant(value) for name, value in self.more.items()}} if self.more else {}),
        }


async def interleaved(product: Trial, baseline: Trial, rounds: int) -> tuple[list[float], list[float]]:
    """Both sides in turn, so that a busy minute of the machine meets both; who begins alternates too."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        if number % 2:
            theirs.append(await baseline())
            ours.append(await product())
        else:
            ours.append(await product())
            theirs.append(await baseline())
    return ours, theirs


async def compared(goal: Goal, database: str, unit: str, product: Trial, baseline: Trial, rounds: int) -> list[Figure]:
    """The figure of two trials; each is tried once before, so that caches are warm and connections open."""
    await product()
    await baseline()
    return [Figure(goal, database, unit, *await interleaved(product, baseline, rounds))]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of the values do not exceed: 0.99 is the p99."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1]


def significant(value: float) -> float:
    """Four digits say all that a measured number knows."""
    return float(f"{value:.4g}")


def machine() -> dict[str, Any]:
    """What the figures were measured on; no name, address or path of it."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "load": [round(value, 1) for value in os.getloadavg()],
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def write(figures: Sequence[Figure], facts: Mapping[str, Any], file: Path) -> None:
    """All figures as a list; each carries the machine's facts, so that one taken out of it still says them."""
    file.write_text(json.dumps([{**figure.as_json(), "machine": facts} for figure in figures], indent=1) + "\n")
