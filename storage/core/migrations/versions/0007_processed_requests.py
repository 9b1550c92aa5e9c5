"""Idempotency keys are MACs of the platform's own ids; the earlier ones, which held what was pressed, are deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_processed_requests"
down_revision = "0006_chats"


def upgrade() -> None:
    op.execute("DELETE FROM seen")  # SQLite overwrites what is deleted (secure_delete)
    op.drop_index("ix_seen_at", "seen")
    op.drop_table("seen")
    op.create_table(
        "processed_request",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_processed_request")),
    )
    op.create_index("ix_processed_request_day", "processed_request", ["day"], unique=False)
