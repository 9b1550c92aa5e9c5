"""Tables that a standing and a certificate rest on."""

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
    Text,
    UniqueConstraint,
    text,
)

from storage.core.columns import Id, Instant, id_column, metadata, reference

enrolment = Table(
    "enrolment",
    metadata,
    id_column(),
    reference("person_id", "person"),
    Column("policy", String(100), nullable=False),
    Column("starts", Date, nullable=False),
    Column("district", String(200), nullable=False),
    Column("track", String(100), nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),  # grows with every change
    Column("seal", LargeBinary),
    UniqueConstraint("person_id"),
)

policy = Table(
    "policy",
    metadata,
    Column("name", String(100), primary_key=True),  # id/version
    Column("text", Text, nullable=False),  # the document as it was adopted
    Column("holds_from", Date, nullable=False),  # for those who begin then or later
    Column("adopted_at", Instant, nullable=False),
    reference("by", "person", nullable=True),  # None: the operator
    Column("seal", LargeBinary),
)

amendment = Table(
    "amendment",
    metadata,
    id_column(),
    Column("policy", String(100), nullable=False),
    Column("path", String(200), nullable=False),
    Column("value", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    reference("by", "person"),
    Column("seal", LargeBinary),
    UniqueConstraint("policy", "path"),
)

ledger_line = Table(
    "ledger_line",
    metadata,
    id_column(),
    reference("enrolment_id", "enrolment"),
    Column("position", Integer, nullable=False),  # 0, 1, 2 … within the enrolment
    Column("kind", String(16), nullable=False),  # attendance, activity, makeup, waiver, credit, leave …
    Column("step", String(16), nullable=False),  # tapped, confirmed, corrected; asked, approved, declined …
    reference("meeting_id", "meeting", nullable=True),
    Column("target_id", Id, ForeignKey("ledger_line.id"), nullable=True),  # the line that this one is about
    Column("status", String(16), nullable=False, server_default=""),  # of attendance
    Column("minutes", Integer),
    Column("code", String(64), nullable=False, server_default=""),  # an activity, rule or outcome
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    reference("by", "person", nullable=True),  # None: the operator
    Column("reason", String(32), nullable=False, server_default=""),  # a code, never prose
    Column("verified", String(16), nullable=False),  # self, mentor, coordinator, import
    Column("detail", JSON, nullable=False),  # amounts, dates and ids; nothing typed in confidence
    Column("mark", LargeBinary, nullable=False),
    Column("seal", LargeBinary),  # binds the row's id to its place and mark
    UniqueConstraint("enrolment_id", "position"),
    Index("ix_ledger_line_meeting_id", "meeting_id", "enrolment_id", "position"),
    Index("ix_ledger_line_kind", "kind", "step", "recorded_at"),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("enrolment_id", Id, ForeignKey("enrolment.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),  # a keyed hash over this row, so that no other one fits
)

certificate = Table(
    "certificate",
    metadata,
    id_column(),
    reference("enrolment_id", "enrolment"),
    Column("number", Integer, nullable=False),  # 1 and, where it was reissued, 2 … : no two at once
    Column("code", String(32), nullable=False, unique=True),
    Column("name", String(200), nullable=False),  # as it is shown
    Column("policy", String(100), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("seal", LargeBinary),
    UniqueConstraint("enrolment_id", "number"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", Integer, primary_key=True),  # 0, 1, 2 …
    Column("at", Instant, nullable=False),
    Column("leaves", Integer, nullable=False),  # how many records it covers
    Column("root", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # covers the row and the mac of the one before it
)

checkpoint_leaf = Table(
    "checkpoint_leaf",
    metadata,
    Column("kind", String(16), primary_key=True),  # a table's name, or chain
    Column("subject", String(100), primary_key=True),  # the row's id, or a policy's name
    Column("number", Integer, primary_key=True),  # the checkpoint from which on it is so
    Column("version", Integer, nullable=False),  # only ever grows
    Column("mac", LargeBinary, nullable=False),  # the row's seal, or a chain's mark
)

integrity_check = Table(
    "integrity_check",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("problems", Integer, nullable=False),  # how many; what they are is said in the terminal alone
    Index("ix_integrity_check_at", "at"),
)

dispute = Table(
    "dispute",
    metadata,
    id_column(),
    reference("person_id", "person"),
    reference("line_id", "ledger_line"),  # what opened it
    reference("about_id", "ledger_line"),
    reference("item_id", "vault_item"),
    Column("with_mentors", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("outcome", String(16), nullable=False),  # empty while it is open
    Column("settled_at", Instant),
    Column("seal", LargeBinary),
    Index(
        "uq_dispute_open",
        "about_id",
        unique=True,
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
)
