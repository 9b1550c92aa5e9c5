"""Tables of legal holds and of people whose words were destroyed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint

from storage.core.columns import Id, Instant, id_column, metadata, reference
from storage.core.database import KEYS_SCHEMA

hold = Table(
    "hold",
    metadata,
    id_column(),
    reference("person_id", "person"),
    Column("number", Integer, nullable=False),  # 1, 2 … : a clock set back changes no order, and no two come at once
    Column("step", String(16), nullable=False),  # set, released
    Column("reason", String(32), nullable=False),  # a code, never prose
    Column("at", Instant, nullable=False),
    reference("by", "person", nullable=True),  # None: the operator
    UniqueConstraint("person_id", "number"),
)


def _list_of_forgotten(name: str, schema: str | None = None) -> Table:
    """Whose data key was destroyed. Kept in both stores, so that a backup of either is brought up to the other.

    Nothing refers to the person's row: an older backup may not have it.
    """
    return Table(
        name,
        metadata,
        id_column(),
        Column("person_id", Id, nullable=False),
        Column("key_id", Id),  # None: there was none
        Column("at", Instant, nullable=False),
        Column("by", Id),  # None: the operator
        schema=schema,
    )


forgotten = _list_of_forgotten("forgotten")

forgotten_key = _list_of_forgotten("forgotten_key", KEYS_SCHEMA)
