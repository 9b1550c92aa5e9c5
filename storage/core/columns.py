"""What every table is made of. Times are aware UTC, ids are UUIDs made before the insert."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    TypeDecorator,
    Uuid,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Lines that are only ever added; triggers on both databases refuse to change or remove one.
APPEND_ONLY = (
    "ledger_line",
    "history",
    "policy",
    "amendment",
    "certificate",
    "checkpoint",
    "checkpoint_leaf",
    "consent",
    "share",
    "share_reading",
    "figure",
    "participation",
    "hold",
    "forgotten",
    "forgotten_key",
)


# SQLite keeps text. The same few ids and times stand in row after row, so each is read, or written, once.
KEPT = 10_000


@lru_cache(maxsize=KEPT)
def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


@lru_cache(maxsize=KEPT)
def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


@lru_cache(maxsize=KEPT)
def _text(value: datetime | None) -> str | None:
    value = _in_utc(value)
    return None if value is None else value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_utc(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("A naive time cannot be stored.")
    return None if value is None else value.astimezone(UTC)


class Id(Uuid[UUID]):
    """A UUID. For PostgreSQL, whose driver gives UUIDs, SQLAlchemy takes a type of its own instead."""

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Any:
        """SQLAlchemy's hook: from what the driver gives to a UUID."""
        return _uuid


class Instant(TypeDecorator[datetime]):
    """An aware UTC time. A naive one is refused: nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """SQLAlchemy's hook: from an aware time to what the driver takes."""
        return _text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, _coltype: object) -> Any:
        """SQLAlchemy's hook: from what the driver gives to an aware UTC time."""
        return _instant if dialect.name == "sqlite" else _in_utc


def id_column() -> Column[Any]:
    """The primary key of most tables: a UUID that is made before the insert."""
    return Column("id", Id, primary_key=True)


def reference(name: str, target: str, nullable: bool = False) -> Column[Any]:
    """A column `name` that refers to the id of the table `target`."""
    return Column(name, Id, ForeignKey(f"{target}.id"), nullable=nullable)
