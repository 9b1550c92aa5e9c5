"""Tables of people, their accounts, cohorts and memberships."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)

from storage.core.columns import Instant, id_column, metadata, reference

person = Table(
    "person",
    metadata,
    id_column(),
    Column("roster_id", String(200), unique=True),  # the operator's stable person_id, if any
    Column("name", String(200), nullable=False),
    Column("email", String(200), nullable=False, unique=True),
    Column("zone", String(64), nullable=False),
    Column("coordinator", Boolean, nullable=False, server_default="0"),
    Column("welcomed_at", Instant),
    Column("coordinator_seal", LargeBinary),  # see storage.seals, as for every seal below
    Column("seal", LargeBinary),  # of the name and the address, by which accounts are matched
)

account = Table(
    "account",
    metadata,
    id_column(),
    reference("installation_id", "installation"),
    Column("user", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("email", String(200), nullable=False),
    Column("member", Boolean, nullable=False),  # a full member with a confirmed address
    Column("active", Boolean, nullable=False),
    reference("person_id", "person", nullable=True),
    Column("link", String(16), nullable=False),  # none, proposed, confirmed, declined
    Column("seen_at", Instant, nullable=False),
    Column("seal", LargeBinary),  # of a confirmed link
    Column("sees_from", Instant),  # of check-ins it sees what came after; None: see storage.people.account_views
    Column("checkins", Boolean),  # None: by role (mentees yes, mentors no)
    Column("snoozed_until", Date),  # the first local day on which prompts come again
    Column("facts_seal", LargeBinary),  # of what the platform said: the address, and whether it is a full member's
    UniqueConstraint("installation_id", "user"),
    Index("ix_account_person_id", "person_id"),
)

replacement = Table(
    "replacement",
    metadata,
    id_column(),
    reference("person_id", "person"),
    reference("account_id", "account"),  # the new one
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

gone_report = Table(  # the operator's word that the account somebody has is gone, so that it can't be told
    "gone_report",
    metadata,
    id_column(),
    reference("replacement_id", "replacement"),
    Column("at", Instant, nullable=False),  # the days count from here
    Column("seal", LargeBinary),
    UniqueConstraint("replacement_id"),
)

cohort = Table(
    "cohort",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False),
    Column("key", String(200), nullable=False, unique=True),  # the name in lower case
    Column("region", String(200), nullable=False),
    Column("zone", String(64), nullable=False),
    reference("home_id", "conversation", nullable=True),
    Column("wanted_home_id", Uuid),  # a conversation that was linked and that the bot has not entered yet
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
    id_column(),
    reference("cohort_id", "cohort"),
    reference("person_id", "person"),
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
