"""The program that is simulated: its cohorts and people, drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Literal

Role = Literal["mentee", "mentor", "coordinator"]
HEADER = "cohort,region,role,name,e-mail,zone,district,program start,track\n"
REGIONS = ("Southwest", "East", "Kansas City", "Bootheel")
ZONES = ("America/Chicago",) * 8 + ("America/Denver", "America/New_York")
TRACKS = ("", "", "", "new", "returning", "part-time")
FIRST_YEAR = date(2026, 7, 1)
FIRST_DAY = date(2026, 8, 3)
STARTS = datetime(2026, 8, 3, 8, 0, tzinfo=UTC)
PAPER, SLATE = "paper", "slate"  # a platform on which a personal chat can be searched, and one where nothing can


@dataclass(frozen=True)
class Shape:
    """How large the program is, how long it runs, and how many times as much goes wrong as in the full one.

    A day goes from 08:00 UTC to 08:00 UTC.
    """

    cohorts: int = 20
    days: int = 2 * 365
    harsh: float = 1.0


@dataclass(slots=True)
class Someone:
    """A person at their phone. ``diligence``: from 0 (does nothing) to 1 (does everything, and soon)."""

    user: str
    name: str
    role: Role
    cohort: str
    platform: str
    zone: str
    diligence: float
    starts: date = FIRST_YEAR
    track: str = ""
    district: str = ""
    region: str = ""
    gone: bool = False  # from the platform

    @property
    def email(self) -> str:
        return f"{self.user.lower()}@example.org"

    @property
    def row(self) -> str:
        cohort = "Program" if self.role == "coordinator" else self.cohort
        start = self.starts.isoformat() if self.role == "mentee" else ""
        cells = (cohort, self.region, self.role, self.name, self.email, self.zone, self.district, start, self.track)
        return ",".join(cells) + "\n"


def people_of(shape: Shape, dice: Random) -> list[Someone]:
    """Two coordinators, and for each cohort a mentor or two and six to nine mentees."""
    persons = [
        Someone(f"U-Coord{number}", f"Coordinator {number}", "coordinator", "", PAPER, "America/Chicago", 0.95)
        for number in (1, 2)
    ]
    for number in range(1, shape.cohorts + 1):
        cohort = f"Cohort {number}"
        platform = SLATE if number % 4 == 0 else PAPER
        region = REGIONS[number % len(REGIONS)]
        for place in range(dice.choice((1, 1, 2))):
            name = f"Mentor {number} {place + 1}"
            persons.append(_someone(dice, f"U-Mentor{number}-{place}", name, "mentor", cohort, platform, region))
        size = dice.randint(6, 9)
        persons += [mentee(dice, f"{number}-{place}", cohort, platform, region, FIRST_YEAR) for place in range(size)]
    return persons


def mentee(dice: Random, number: str, cohort: str, platform: str, region: str, starts: date) -> Someone:
    """A new mentee; whoever comes later joins in the middle of a year."""
    person = _someone(dice, f"U-Mentee{number}", f"Mentee {number}", "mentee", cohort, platform, region)
    person.starts = starts
    person.track = "mid-year" if (starts.month, starts.day) != (7, 1) else dice.choice(TRACKS)
    person.district = f"District {dice.randint(1, 12)}"
    return person


def _someone(dice: Random, user: str, name: str, role: Role, cohort: str, platform: str, region: str) -> Someone:
    diligence = dice.choice((0.97, 0.9, 0.8, 0.6, 0.3))
    return Someone(user, name, role, cohort, platform, dice.choice(ZONES), diligence, region=region)


def has_home(cohort: str) -> bool:
    """Most cohorts have a home channel; the others are told everything person by person."""
    return int(cohort.rsplit(maxsplit=1)[-1]) % 10 != 0
