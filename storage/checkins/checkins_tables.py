"""Tables of check-ins, consent, shares and group figures. Answers are in the vault."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from storage.core.columns import Id, Instant, id_column, metadata, reference

prompt = Table(
    "prompt",
    metadata,
    id_column(),
    Column("text", String(400), nullable=False),
    Column("position", Integer, nullable=False),
    Column("retired_at", Instant),
)

checkin_schedule = Table(
    "checkin_turn",
    metadata,
    Column("person_id", Id, ForeignKey("person.id"), primary_key=True),
    Column("next_at", Instant, nullable=False),
    Index("ix_checkin_turn_next_at", "next_at"),
)

checkin = Table(
    "checkin",
    metadata,
    id_column(),
    reference("person_id", "person"),
    Column("day", Date, nullable=False),  # the person's local day: a clock change makes no second one
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("prompts", JSON, nullable=False),
    Column("answered_at", Instant),
    Column("reach_out_at", Instant),
    UniqueConstraint("person_id", "day"),
    Index("ix_checkin_opened_at", "opened_at"),
)

consent = Table(
    "consent",
    metadata,
    id_column(),
    reference("person_id", "person"),
    Column("account_id", Id),  # that decided; None: before that was noted
    Column("number", Integer, nullable=False),  # 1, 2 … : the last one of the person's present accounts holds
    Column("version", String(16), nullable=False),  # of the notice that was shown
    Column("decision", String(16), nullable=False),  # agreed, declined
    Column("at", Instant, nullable=False),
    UniqueConstraint("person_id", "number"),
)

share = Table(
    "share",
    metadata,
    id_column(),
    Column("item_id", Id, nullable=False),  # in the vault, from which it may be gone
    reference("author_id", "person"),
    reference("mentor_id", "person"),
    Column("step", String(16), nullable=False),  # shared, stopped
    Column("target_id", Id, ForeignKey("share.id"), nullable=True, unique=True),  # what a stop ends, once
    Column("accounts", JSON, nullable=False),  # the mentor's at that time: no account linked later reads it
    Column("at", Instant, nullable=False),
    reference("by", "person", nullable=True),  # None: it ended with a place in the cohort
    Column("copy_id", Id),  # in the vault: what the mentor reads, as it was when it was shared
    Column("seal", LargeBinary),
    Index("ix_share_item_id", "item_id"),
    Index("ix_share_mentor_id", "mentor_id"),
    Index("ix_share_author_id", "author_id"),
)

share_reading = Table(
    "share_reading",
    metadata,
    id_column(),
    reference("share_id", "share"),
    reference("account_id", "account"),
    Column("at", Instant, nullable=False),
    Index("ix_share_reading_share_id", "share_id"),
)

figure = Table(
    "figure",
    metadata,
    id_column(),
    Column("month", Date, nullable=False),  # its first day
    Column("place", String(40), nullable=False),  # a cohort's id, or the others together
    Column("name", String(200), nullable=False),  # as it was called then
    Column("members", Integer, nullable=False),  # who could have answered
    Column("reserved", Integer, nullable=False),
    Column("at_least", Integer),  # None: withheld
    Column("mood", String(16), nullable=False),  # empty: withheld
    Column("at", Instant, nullable=False),
    UniqueConstraint("month", "place"),
)

participation = Table(
    "participation",
    metadata,
    id_column(),
    Column("year", Date, nullable=False, unique=True),  # the school year's first day: once in each
    Column("place", String(40), nullable=False),  # the group that carries the reserve
    Column("members", Integer, nullable=False),
    Column("declined", Boolean, nullable=False),  # whether as many as the threshold did
    Column("paused", Boolean, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
