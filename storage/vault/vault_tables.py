"""Tables of sealed texts and of the keys that open them."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from storage.core.columns import Id, Instant, id_column, metadata, reference
from storage.core.database import KEYS_SCHEMA

vault_item = Table(
    "vault_item",
    metadata,
    id_column(),
    reference("person_id", "person"),
    reference("account_id", "account"),  # opened only for the account that wrote it
    Column("kind", String(16), nullable=False),  # pulse, reflection, shared, waiting, dispute
    reference("checkin_id", "checkin", nullable=True),
    Column("key_id", Id),  # the data key it is sealed under
    Column("sealed", LargeBinary, nullable=False),  # empty: destroyed, and kept only as what a record names
    Column("at", Instant, nullable=False),
    Index("ix_vault_item_checkin_id", "checkin_id"),
    Index("ix_vault_item_key_id", "key_id"),
    Index("ix_vault_item_person_id", "person_id", "kind"),
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
