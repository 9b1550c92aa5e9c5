"""The ledger's wrapped key lies among the data too, so that losing the key store loses no attendance"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_ledger_key_copy"
down_revision = "0011_replacement"


def upgrade() -> None:
    op.create_table(
        "ledger_key_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wrapped_by", sa.String(16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_key_copy"),
    )
