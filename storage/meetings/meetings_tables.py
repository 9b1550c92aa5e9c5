"""Tables of meetings, breaks, answers to invitations, and session summaries."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.core.columns import Id, Instant, id_column, metadata, reference

break_ = Table(
    "break",
    metadata,
    id_column(),
    reference("cohort_id", "cohort", nullable=True),  # None: the whole program
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False),  # included
    Column("label", String(200), nullable=False),
    Column("removed_at", Instant),
)

series = Table(
    "series",
    metadata,
    id_column(),
    reference("cohort_id", "cohort"),
    Column("repeat", String(20), nullable=False),
    Column("until", Date),
    reference("created_by", "person"),
    Column("created_at", Instant, nullable=False),
)

meeting = Table(
    "meeting",
    metadata,
    id_column(),
    reference("series_id", "series"),
    reference("cohort_id", "cohort"),
    Column("topic", String(400), nullable=False),
    Column("local_start", DateTime, nullable=False),  # the truth, with the zone; starts_at is derived
    Column("zone", String(64), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("place", String(1000), nullable=False),
    Column("cancelled_at", Instant),
    Column("cancel_reason", String(200), nullable=False, server_default=""),
    Column("version", Integer, nullable=False),  # grows with every move or cancellation
    Column("settled_at", Instant),  # everybody on the roster is marked
    Column("seal", LargeBinary),
    Index("ix_meeting_cohort_id", "cohort_id", "starts_at"),
    Index("ix_meeting_series_id", "series_id", "starts_at"),
    Index("ix_meeting_starts_at", "starts_at"),
)

rsvp = Table(
    "rsvp",
    metadata,
    Column("meeting_id", Id, ForeignKey("meeting.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("person.id"), primary_key=True),
    Column("coming", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
)

visitor = Table(
    "visitor",
    metadata,
    Column("meeting_id", Id, ForeignKey("meeting.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("person.id"), primary_key=True),
    reference("added_by", "person"),
    Column("at", Instant, nullable=False),
)

summary = Table(
    "summary",
    metadata,
    id_column(),
    reference("meeting_id", "meeting"),
    Column("version", Integer, nullable=False),
    reference("author_id", "person"),
    Column("topics", JSON, nullable=False),
    Column("did", Text, nullable=False),
    Column("next_steps", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("seal", LargeBinary),
    UniqueConstraint("meeting_id", "version"),
)
