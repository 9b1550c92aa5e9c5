"""Every table. Times are aware UTC, ids are UUIDs made before the insert, uniqueness is in the schema."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Time,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)

from storage.database import KEYS_SCHEMA

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
        return _uuid


class Instant(TypeDecorator[datetime]):
    """An aware UTC time. A naive one is refused: nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return _text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, _coltype: object) -> Any:
        return _instant if dialect.name == "sqlite" else _in_utc


def _id() -> Column[Any]:
    return Column("id", Id, primary_key=True)


def _to(name: str, target: str, nullable: bool = False) -> Column[Any]:
    return Column(name, Id, ForeignKey(f"{target}.id"), nullable=nullable)


# The program and who is who ---------------------------------------------------------------------

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

installation = Table(
    "installation",
    metadata,
    _id(),
    Column("platform", String(16), nullable=False),
    Column("tenant", String(100), nullable=False),
    UniqueConstraint("platform", "tenant"),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("roster_id", String(200), unique=True),  # the operator's stable person_id, if any
    Column("name", String(200), nullable=False),
    Column("email", String(200), nullable=False, unique=True),
    Column("zone", String(64), nullable=False),
    Column("coordinator", Boolean, nullable=False, server_default="0"),
    Column("checkins", Boolean),  # None: by role (mentees yes, mentors no)
    Column("snoozed_until", Date),  # the first local day on which prompts come again
    Column("welcomed_at", Instant),
    Column("coordinator_seal", LargeBinary),  # see storage.seals, as for every seal below
    Column("seal", LargeBinary),  # of the name and the address, by which accounts are matched
)

account = Table(
    "account",
    metadata,
    _id(),
    _to("installation_id", "installation"),
    Column("user", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("email", String(200), nullable=False),
    Column("member", Boolean, nullable=False),  # a full member with a confirmed address
    Column("active", Boolean, nullable=False),
    _to("person_id", "person", nullable=True),
    Column("link", String(16), nullable=False),  # none, proposed, confirmed, declined
    Column("seen_at", Instant, nullable=False),
    Column("seal", LargeBinary),  # of a confirmed link
    Column("facts_seal", LargeBinary),  # of what the platform said: the address, and whether it is a full member's
    UniqueConstraint("installation_id", "user"),
    Index("ix_account_person_id", "person_id"),
)

replacement = Table(
    "replacement",
    metadata,
    _id(),
    _to("person_id", "person"),
    _to("account_id", "account"),  # the new one
    Column("asked_at", Instant, nullable=False),
    Column("holds_from", Instant, nullable=False),  # unless the person objects until then
    Column("outcome", String(16), nullable=False),  # empty while it waits; done, stopped, dropped
    Column("seal", LargeBinary),
    Index(
        "uq_replacement_waiting",
        "person_id",
        unique=True,
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
)

conversation = Table(
    "conversation",
    metadata,
    _id(),
    _to("installation_id", "installation"),
    Column("external", String(400), nullable=False),
    Column("kind", String(16), nullable=False),  # personal, channel
    Column("name", String(200), nullable=False),
    _to("account_id", "account", nullable=True),  # whose personal chat
    Column("reference", JSON, nullable=False),
    Column("gone", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("installation_id", "external"),
    Index("ix_conversation_account_id", "account_id"),
)

cohort = Table(
    "cohort",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("key", String(200), nullable=False, unique=True),  # the name in lower case
    Column("region", String(200), nullable=False),
    Column("zone", String(64), nullable=False),
    _to("home_id", "conversation", nullable=True),
    Column("reminders", JSON, nullable=False),  # minutes before the meeting
    Column("checkin_weekday", Integer, nullable=False),
    Column("checkin_at", Time, nullable=False),
    Column("checkin_weeks", Integer, nullable=False),
    Column("retention_months", Integer),  # None: reflections are kept
    Column("retention_from", Instant),  # nothing is deleted before
    UniqueConstraint("home_id"),
)

membership = Table(
    "membership",
    metadata,
    _id(),
    _to("cohort_id", "cohort"),
    _to("person_id", "person"),
    Column("role", String(16), nullable=False),  # mentee, mentor
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("seal", LargeBinary),
    Index("ix_membership_cohort_id", "cohort_id", "until"),
    Index("ix_membership_person_id", "person_id", "until"),
    Index(
        "uq_membership_current",
        "cohort_id",
        "person_id",
        unique=True,
        sqlite_where=text("until IS NULL"),
        postgresql_where=text("until IS NULL"),
    ),
)

enrolment = Table(
    "enrolment",
    metadata,
    _id(),
    _to("person_id", "person"),
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
    _to("by", "person", nullable=True),  # None: the operator
    Column("seal", LargeBinary),
)

amendment = Table(
    "amendment",
    metadata,
    _id(),
    Column("policy", String(100), nullable=False),
    Column("path", String(200), nullable=False),
    Column("value", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    _to("by", "person"),
    Column("seal", LargeBinary),
    UniqueConstraint("policy", "path"),
)

# Meetings and attendance ------------------------------------------------------------------------

break_ = Table(
    "break",
    metadata,
    _id(),
    _to("cohort_id", "cohort", nullable=True),  # None: the whole program
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False),  # included
    Column("label", String(200), nullable=False),
    Column("removed_at", Instant),
)

series = Table(
    "series",
    metadata,
    _id(),
    _to("cohort_id", "cohort"),
    Column("repeat", String(20), nullable=False),
    Column("until", Date),
    _to("created_by", "person"),
    Column("created_at", Instant, nullable=False),
)

meeting = Table(
    "meeting",
    metadata,
    _id(),
    _to("series_id", "series"),
    _to("cohort_id", "cohort"),
    Column("topic", String(400), nullable=False),
    Column("local_start", DateTime, nullable=False),  # the truth, with the zone; starts_at is derived
    Column("zone", String(64), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("place", String(1000), nullable=False),
    Column("cancelled_at", Instant),
    Column("cancel_reason", String(200), nullable=False, server_default=""),
    Column("version", Integer, nullable=False),  # grows with every move or cancellation
    Column("settled_at", Instant),  # nobody on the roster is open any more
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
    _to("added_by", "person"),
    Column("at", Instant, nullable=False),
)

ledger_line = Table(
    "ledger_line",
    metadata,
    _id(),
    _to("enrolment_id", "enrolment"),
    Column("position", Integer, nullable=False),  # 0, 1, 2 … within the enrolment
    Column("kind", String(16), nullable=False),  # attendance, activity, makeup, waiver, credit, leave …
    Column("step", String(16), nullable=False),  # tapped, confirmed, corrected; asked, approved, declined …
    _to("meeting_id", "meeting", nullable=True),
    Column("target_id", Id, ForeignKey("ledger_line.id"), nullable=True),  # the line that this one is about
    Column("status", String(16), nullable=False, server_default=""),  # of attendance
    Column("minutes", Integer),
    Column("code", String(64), nullable=False, server_default=""),  # an activity, rule or outcome
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    _to("by", "person", nullable=True),  # None: the operator
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
    _id(),
    _to("enrolment_id", "enrolment"),
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
    _id(),
    Column("at", Instant, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("problems", Integer, nullable=False),  # how many; what they are is said in the terminal alone
    Index("ix_integrity_check_at", "at"),
)

download = Table(
    "download",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # the token itself is only in the link
    _to("person_id", "person"),  # for whom
    Column("what", String(16), nullable=False),  # certificate, packet, record, export
    Column("subject", String(64), nullable=False),
    Column("format", String(16), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("seal", LargeBinary),
    Index("ix_download_expires_at", "expires_at"),
)

history = Table(
    "history",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    _to("by", "person", nullable=True),  # None: the operator, or the bot itself
    Column("subject", Id, nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", JSON, nullable=False),  # codes, ids and times; nothing typed in confidence
    Index("ix_history_subject", "subject", "at"),
)

summary = Table(
    "summary",
    metadata,
    _id(),
    _to("meeting_id", "meeting"),
    Column("version", Integer, nullable=False),
    _to("author_id", "person"),
    Column("topics", JSON, nullable=False),
    Column("did", Text, nullable=False),
    Column("next_steps", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("seal", LargeBinary),
    UniqueConstraint("meeting_id", "version"),
)

draft = Table(
    "draft",
    metadata,
    _id(),
    _to("person_id", "person"),
    Column("kind", String(32), nullable=False),
    Column("values", JSON, nullable=False),  # a form between its steps; never a confidential one
    Column("at", Instant, nullable=False),
)

# Check-ins --------------------------------------------------------------------------------------

prompt = Table(
    "prompt",
    metadata,
    _id(),
    Column("text", String(400), nullable=False),
    Column("position", Integer, nullable=False),
    Column("retired_at", Instant),
)

checkin_turn = Table(
    "checkin_turn",
    metadata,
    Column("person_id", Id, ForeignKey("person.id"), primary_key=True),
    Column("next_at", Instant, nullable=False),
    Index("ix_checkin_turn_next_at", "next_at"),
)

checkin = Table(
    "checkin",
    metadata,
    _id(),
    _to("person_id", "person"),
    Column("day", Date, nullable=False),  # the person's local day: a clock change makes no second one
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("prompts", JSON, nullable=False),
    Column("answered_at", Instant),
    Column("reach_out_at", Instant),
    UniqueConstraint("person_id", "day"),
    Index("ix_checkin_opened_at", "opened_at"),
)

vault_item = Table(
    "vault_item",
    metadata,
    _id(),
    _to("person_id", "person"),
    _to("account_id", "account"),  # opened only for the account that wrote it
    Column("kind", String(16), nullable=False),  # pulse, reflection, shared, waiting, dispute
    _to("checkin_id", "checkin", nullable=True),
    Column("key_id", Id),  # the data key it is sealed under
    Column("sealed", LargeBinary, nullable=False),  # empty: destroyed, and kept only as what a record names
    Column("at", Instant, nullable=False),
    Index("ix_vault_item_checkin_id", "checkin_id"),
    Index("ix_vault_item_key_id", "key_id"),
    Index("ix_vault_item_person_id", "person_id", "kind"),
)

dispute = Table(
    "dispute",
    metadata,
    _id(),
    _to("person_id", "person"),
    _to("line_id", "ledger_line"),  # what opened it
    _to("about_id", "ledger_line"),
    _to("item_id", "vault_item"),
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

consent = Table(
    "consent",
    metadata,
    _id(),
    _to("person_id", "person"),
    Column("number", Integer, nullable=False),  # 1, 2 … : the last one holds
    Column("version", String(16), nullable=False),  # of the notice that was shown
    Column("decision", String(16), nullable=False),  # agreed, declined
    Column("at", Instant, nullable=False),
    UniqueConstraint("person_id", "number"),
)

share = Table(
    "share",
    metadata,
    _id(),
    Column("item_id", Id, nullable=False),  # in the vault, from which it may be gone
    _to("author_id", "person"),
    _to("mentor_id", "person"),
    Column("step", String(16), nullable=False),  # shared, stopped
    Column("target_id", Id, ForeignKey("share.id"), nullable=True, unique=True),  # what a stop ends, once
    Column("accounts", JSON, nullable=False),  # the mentor's at that time: no account linked later reads it
    Column("at", Instant, nullable=False),
    _to("by", "person", nullable=True),  # None: it ended with a place in the cohort
    Column("copy_id", Id),  # in the vault: what the mentor reads, as it was when it was shared
    Column("seal", LargeBinary),
    Index("ix_share_item_id", "item_id"),
    Index("ix_share_mentor_id", "mentor_id"),
    Index("ix_share_author_id", "author_id"),
)

share_reading = Table(
    "share_reading",
    metadata,
    _id(),
    _to("share_id", "share"),
    _to("account_id", "account"),
    Column("at", Instant, nullable=False),
    Index("ix_share_reading_share_id", "share_id"),
)

figure = Table(
    "figure",
    metadata,
    _id(),
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
    _id(),
    Column("year", Date, nullable=False, unique=True),  # the school year's first day: once in each
    Column("place", String(40), nullable=False),  # the group that carries the reserve
    Column("members", Integer, nullable=False),
    Column("declined", Boolean, nullable=False),  # whether as many as the threshold did
    Column("paused", Boolean, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)

person_key = Table(
    "person_key",
    metadata,
    Column("person_id", Id, primary_key=True),
    Column("key_id", Id),  # a forgotten person's next key has another one
    Column("wrapped_by", String(16), nullable=False),  # the fingerprint of the operator's key
    Column("wrapped", LargeBinary, nullable=False),
    Index("uq_person_key_key_id", "key_id", unique=True),
    schema=KEYS_SCHEMA,
)

ledger_key = Table(
    "ledger_key",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("wrapped_by", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    schema=KEYS_SCHEMA,
)

# The same key once more, among the data, so that losing the key store loses no attendance.
ledger_key_copy = Table(
    "ledger_key_copy",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("wrapped_by", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

hold = Table(
    "hold",
    metadata,
    _id(),
    _to("person_id", "person"),
    Column("number", Integer, nullable=False),  # 1, 2 … : a clock set back changes no order, and no two come at once
    Column("step", String(16), nullable=False),  # set, released
    Column("reason", String(32), nullable=False),  # a code, never prose
    Column("at", Instant, nullable=False),
    _to("by", "person", nullable=True),  # None: the operator
    UniqueConstraint("person_id", "number"),
)


def _list_of_forgotten(name: str, schema: str | None = None) -> Table:
    """Whose data key was destroyed. Kept in both stores, so that a backup of either is brought up to the other.

    Nothing refers to the person's row: an older backup may not have it.
    """
    return Table(
        name,
        metadata,
        _id(),
        Column("person_id", Id, nullable=False),
        Column("key_id", Id),  # None: there was none
        Column("at", Instant, nullable=False),
        Column("by", Id),  # None: the operator
        schema=schema,
    )


forgotten = _list_of_forgotten("forgotten")
forgotten_key = _list_of_forgotten("forgotten_key", KEYS_SCHEMA)

process = Table(
    "process",
    metadata,
    _id(),
    Column("name", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("fingerprints", JSON, nullable=False),  # of the operator's keys that it has
)

# What must happen, and what is on its way -------------------------------------------------------

due_moment = Table(
    "due_moment",
    metadata,
    _id(),
    Column("kind", String(40), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),  # moved on when a try fails
    Column("key", String(160), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # waiting, done, missed, cancelled, failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("settled_at", Instant),
    Index(
        "ix_due_moment_waiting",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_due_moment_subject", "subject"),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    Column("verb", String(16), nullable=False),  # post, update, visit
    Column("kind", String(40), nullable=False),
    Column("subject", String(64), nullable=False),
    _to("person_id", "person", nullable=True),  # the recipient: a person,
    _to("account_id", "account", nullable=True),  # one account of somebody not yet matched,
    _to("conversation_id", "conversation", nullable=True),  # or a channel
    _to("target_id", "delivery", nullable=True),  # the message that an update changes
    Column("key", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # queued, sending, sent, dropped, failed, unconfirmed
    Column("created_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("claim", Id),
    Column("claimed_until", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _to("sent_to", "conversation", nullable=True),
    Column("message", String(400)),
    Column("settled_at", Instant),
    Column("reason", String(300), nullable=False, server_default=""),
    Column("installation_id", Id),  # where it goes; found out before it is claimed
    Column("priority", Integer, nullable=False, server_default="1"),  # 0: it follows what somebody just did
    Index(
        "ix_delivery_next",
        "installation_id",
        "priority",
        "not_before",
        "created_at",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_delivery_sending",
        "claimed_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index(
        "ix_delivery_queued",
        "not_before",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index("ix_delivery_subject", "subject", "kind"),
    Index(
        "uq_delivery_one_update",
        "target_id",
        unique=True,
        sqlite_where=text("verb = 'update' AND state = 'queued'"),
        postgresql_where=text("verb = 'update' AND state = 'queued'"),
    ),
)

pace = Table(
    "pace",
    metadata,
    Column("subject", Id, primary_key=True),  # an installation, or what one conversation's deliveries share
    Column("method", String(16), primary_key=True),
    Column("next_at", Instant, nullable=False),  # before this nothing begins there
)

processed_request = Table(
    "processed_request",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # a MAC of the platform's own ids, 32 bytes
    Column("day", Date, nullable=False),
    Index("ix_processed_request_day", "day"),
)
