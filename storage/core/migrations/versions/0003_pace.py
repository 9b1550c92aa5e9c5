"""Deliveries keep the platforms' pace, whichever process sends them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_pace"
down_revision = "0002_vault"


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "method", name=op.f("pk_pace")),
    )
    op.add_column("delivery", sa.Column("installation_id", sa.Uuid(), nullable=True))
    op.add_column("delivery", sa.Column("priority", sa.Integer(), server_default="1", nullable=False))
    # SQLite proves that an index serves only where its condition is the query's own.
    op.drop_index("ix_delivery_queued", table_name="delivery")
    for name, columns, state in (
        ("ix_delivery_queued", ["not_before"], "queued"),
        ("ix_delivery_next", ["installation_id", "priority", "not_before", "created_at", "id"], "queued"),
        ("ix_delivery_sending", ["claimed_until"], "sending"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(name, "delivery", columns, sqlite_where=condition, postgresql_where=condition)
