"""The whole schema: importing this gives a :data:`metadata` that knows the tables of every capability."""

from __future__ import annotations

from storage.checkins import checkins_tables
from storage.core import core_tables
from storage.core.columns import metadata
from storage.meetings import meetings_tables
from storage.outbox import outbox_tables
from storage.people import people_tables
from storage.privacy import privacy_tables
from storage.program_desk import program_desk_tables
from storage.record import record_tables
from storage.vault import vault_tables

TABLES = (
    checkins_tables,
    core_tables,
    meetings_tables,
    outbox_tables,
    people_tables,
    privacy_tables,
    program_desk_tables,
    record_tables,
    vault_tables,
)

__all__ = ["TABLES", "metadata"]
