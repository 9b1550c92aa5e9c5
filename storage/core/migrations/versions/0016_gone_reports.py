"""An account that can't be told is replaced on the operator's word; a failed message notes that the platform said why"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_gone_reports"
down_revision = "0015_choices"


def upgrade() -> None:
    op.create_table(
        "gone_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("replacement_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["replacement_id"], ["replacement.id"], name="fk_gone_report_replacement_id_replacement"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gone_report"),
        sa.UniqueConstraint("replacement_id", name="uq_gone_report_replacement_id"),
    )
    op.add_column("delivery", sa.Column("unreachable", sa.Boolean(), nullable=False, server_default="0"))
