"""Rows that decide who may read or lead carry a seal; storage.unlock seals those that are here already"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_seals"
down_revision = "0007_processed_requests"


def upgrade() -> None:
    for table, column in (
        ("account", "seal"),
        ("membership", "seal"),
        ("person", "coordinator_seal"),
        ("share", "seal"),
        ("dispute", "seal"),
        ("download", "seal"),
    ):
        op.add_column(table, sa.Column(column, sa.LargeBinary(), nullable=True))
