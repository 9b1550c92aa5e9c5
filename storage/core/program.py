"""The one program that a database holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import select, update

from program.core.times import DEFAULT_ZONE
from storage.core.core_tables import program
from storage.core.database import Tx
from storage.core.work import insert_new
from storage.vault import seals

PROGRAM_ID = 1  # of the table's only row


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


def create(tx: Tx, name: str, *, example: bool, zone: str = DEFAULT_ZONE) -> None:
    """Make the program's row; where there is one, nothing changes."""
    row = {"id": PROGRAM_ID, "name": name, "example": example, "zone": zone}
    insert_new(tx, program, [seals.sealed(tx, program, row)])


def set_clock(tx: Tx, ahead: timedelta) -> None:
    """Keep how far ahead of the machine's clock the example's clock is."""
    tx.execute(update(program).values(clock_ahead=ceil(ahead.total_seconds())))


def zone_of(tx: Tx) -> str:
    """The IANA name of the program's zone: that of its policy (see :func:`storage.record.policies.apply_zone`)."""
    return str(tx.scalar(select(program.c.zone)) or DEFAULT_ZONE)


def set_zone(tx: Tx, zone: str) -> None:
    """Make this zone the program's. A row that was changed outside the program stays as it is, so it stays reported."""
    if zone_of(tx) != zone and not seals.misfits_of(tx, program):
        seals.change(tx, program, PROGRAM_ID, {"zone": zone})
