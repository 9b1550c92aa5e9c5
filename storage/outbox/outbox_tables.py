"""Tables of what must happen, what is on its way, and where platforms take messages."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, UniqueConstraint, text

from storage.core.columns import Id, Instant, id_column, metadata, reference

installation = Table(
    "installation",
    metadata,
    id_column(),
    Column("platform", String(16), nullable=False),
    Column("tenant", String(100), nullable=False),
    UniqueConstraint("platform", "tenant"),
)

conversation = Table(
    "conversation",
    metadata,
    id_column(),
    reference("installation_id", "installation"),
    Column("external", String(400), nullable=False),
    Column("kind", String(16), nullable=False),  # personal, channel
    Column("name", String(200), nullable=False),
    reference("account_id", "account", nullable=True),  # whose personal chat
    Column("reference", JSON, nullable=False),
    Column("gone", Boolean, nullable=False, server_default="0"),
    Column("added_at", Instant),  # when the platform says that the bot was put there last
    UniqueConstraint("installation_id", "external"),
    Index("ix_conversation_account_id", "account_id"),
)

due_moment = Table(
    "due_moment",
    metadata,
    id_column(),
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
    id_column(),
    Column("verb", String(16), nullable=False),  # post, update, visit
    Column("kind", String(40), nullable=False),
    Column("subject", String(64), nullable=False),
    reference("person_id", "person", nullable=True),  # the recipient: a person,
    reference("account_id", "account", nullable=True),  # one account of somebody not yet matched,
    reference("conversation_id", "conversation", nullable=True),  # or a channel
    reference("target_id", "delivery", nullable=True),  # the message that an update changes
    Column("key", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # queued, sending, sent, dropped, failed, unconfirmed
    Column("created_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("claim", Id),
    Column("claimed_until", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    reference("sent_to", "conversation", nullable=True),
    Column("message", String(400)),
    Column("settled_at", Instant),
    Column("reason", String(300), nullable=False, server_default=""),
    Column(
        "unreachable", Boolean, nullable=False, server_default="0"
    ),  # failed: the platform does not know the recipient
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

rate_limit = Table(
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
