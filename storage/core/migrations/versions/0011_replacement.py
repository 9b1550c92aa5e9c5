"""Somebody's account is replaced after a notice to the earlier one, and some days in which they can object"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_replacement"
down_revision = "0010_records"


def upgrade() -> None:
    op.create_table(
        "replacement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holds_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_replacement_person_id_person"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_replacement_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_replacement"),
    )
    waiting = sa.text("outcome = ''")
    op.create_index(
        "uq_replacement_waiting",
        "replacement",
        ["person_id"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
