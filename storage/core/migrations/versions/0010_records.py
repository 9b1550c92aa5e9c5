"""What a standing or a certificate rests on is sealed; checkpoints show what is missing; checks are recorded"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.core.migrations.append_only import append_only

revision = "0010_records"
down_revision = "0009_shared_version"


def upgrade() -> None:
    for table in ("enrolment", "policy", "amendment", "meeting", "summary", "ledger_line", "certificate"):
        op.add_column(table, sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column("enrolment", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    time = sa.DateTime(timezone=True)
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_checkpoint"),
    )
    op.create_table(
        "checkpoint_leaf",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "number", name="pk_checkpoint_leaf"),
    )
    op.create_table(
        "integrity_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_check"),
    )
    op.create_index("ix_integrity_check_at", "integrity_check", ["at"])
    for table in ("checkpoint", "checkpoint_leaf"):
        for statement in append_only(table, op.get_bind().dialect.name):
            op.execute(statement)
