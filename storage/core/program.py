"""The one program that a database holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import select, update

from program.core.times import PROGRAM_ZONE
from storage.core.core_tables import program
from storage.core.database import Tx
from storage.core.work import insert_new
from storage.vault import seals


@dataclass(frozen=True, slots=True)
class Program:
    """The one program of this database."""

    name: str
    example: bool
    zone: str
    clock_ahead: timedelta  # only an example's clock ever runs ahead


def get(tx: Tx) -> Program | None:
    """The program; None where nothing has been set up yet."""
    row = tx.execute(select(program)).one_or_none()
    return Program(row.name, row.example, row.zone, timedelta(seconds=row.clock_ahead)) if row else None


def create(tx: Tx, name: str, *, example: bool, zone: str = PROGRAM_ZONE) -> None:
    """Make the program's row; where there is one, nothing changes."""
    row = {"id": 1, "name": name, "example": example, "zone": zone}
    insert_new(tx, program, [seals.sealed(tx, program, row)])


def set_clock(tx: Tx, ahead: timedelta) -> None:
    """Keep how far ahead of the machine's clock the example's clock is."""
    tx.execute(update(program).values(clock_ahead=ceil(ahead.total_seconds())))


def zone_of(tx: Tx) -> str:
    """The IANA name of the program's zone."""
    return str(tx.scalar(select(program.c.zone)) or PROGRAM_ZONE)
