"""Forgetting, holds, retention and running processes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.core.migrations.append_only import append_only, append_only_in

revision = "0002_vault"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "process",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprints", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_hold_by_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_hold_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("person_id", "number", name=op.f("uq_hold_person_id_number")),
    )
    op.add_column("cohort", sa.Column("retention_months", sa.Integer(), nullable=True))
    op.add_column("cohort", sa.Column("retention_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("vault_item", sa.Column("key_id", sa.Uuid(), nullable=True))
    op.create_index("ix_vault_item_key_id", "vault_item", ["key_id"], unique=False)
    # A person's first data key and what is sealed under it bear the person's own id.
    op.execute("UPDATE vault_item SET key_id = person_id")
    dialect = op.get_bind().dialect.name
    for statement in [*append_only("hold", dialect), *append_only("forgotten", dialect)]:
        op.execute(statement)
    # An older backup of the data may meet a key store that went through this already.
    if not sa.inspect(op.get_bind()).has_table("forgotten_key", schema="keys"):
        _upgrade_key_store(dialect)


def _upgrade_key_store(dialect: str) -> None:
    op.create_table(
        "forgotten_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgotten_key")),
        schema="keys",
    )
    op.add_column("person_key", sa.Column("key_id", sa.Uuid(), nullable=True), schema="keys")
    op.create_index("uq_person_key_key_id", "person_key", ["key_id"], unique=True, schema="keys")
    op.execute("UPDATE keys.person_key SET key_id = person_id")
    for statement in append_only_in("keys", "forgotten_key", dialect):
        op.execute(statement)
