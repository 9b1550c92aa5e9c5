"""The program, the audit log, forms between their steps, and the processes that run."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, String, Table

from storage.core.columns import Id, Instant, id_column, metadata, reference

program = Table(
    "program",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1: one database is one program
    Column("name", String(200), nullable=False),
    Column("example", Boolean, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("clock_ahead", Integer, nullable=False, server_default="0"),  # seconds; the example's clock only
    Column("seal", LargeBinary),
)

audit_entry = Table(
    "history",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    reference("by", "person", nullable=True),  # None: the operator, or the bot itself
    Column("subject", Id, nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", JSON, nullable=False),  # codes, ids and times; nothing typed in confidence
    Index("ix_history_subject", "subject", "at"),
)

draft = Table(
    "draft",
    metadata,
    id_column(),
    reference("person_id", "person"),
    Column("kind", String(32), nullable=False),
    Column("values", JSON, nullable=False),  # a form between its steps; never a confidential one
    Column("at", Instant, nullable=False),
)

process = Table(
    "process",
    metadata,
    id_column(),
    Column("name", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("fingerprints", JSON, nullable=False),  # of the operator's keys that it has
)
