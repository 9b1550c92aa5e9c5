"""Consent, shares and figures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.core.migrations.append_only import append_only

revision = "0004_reflections"
down_revision = "0003_pace"


def upgrade() -> None:
    op.create_table(
        "figure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("at_least", sa.Integer(), nullable=True),
        sa.Column("mood", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure")),
        sa.UniqueConstraint("month", "place", name=op.f("uq_figure_month_place")),
    )
    op.create_table(
        "participation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("declined", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
        sa.UniqueConstraint("year", name=op.f("uq_participation_year")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("person_id", "number", name=op.f("uq_consent_person_id_number")),
    )
    op.create_table(
        "share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("accounts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_share_author_id_person")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_share_by_person")),
        sa.ForeignKeyConstraint(["mentor_id"], ["person.id"], name=op.f("fk_share_mentor_id_person")),
        sa.ForeignKeyConstraint(["target_id"], ["share.id"], name=op.f("fk_share_target_id_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
        sa.UniqueConstraint("target_id", name=op.f("uq_share_target_id")),
    )
    op.create_index("ix_share_author_id", "share", ["author_id"], unique=False)
    op.create_index("ix_share_item_id", "share", ["item_id"], unique=False)
    op.create_index("ix_share_mentor_id", "share", ["mentor_id"], unique=False)
    op.create_table(
        "share_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("share_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_share_reading_account_id_account")),
        sa.ForeignKeyConstraint(["share_id"], ["share.id"], name=op.f("fk_share_reading_share_id_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_reading")),
    )
    op.create_index("ix_share_reading_share_id", "share_reading", ["share_id"], unique=False)
    for table in ("consent", "share", "share_reading", "figure", "participation"):
        for statement in append_only(table, op.get_bind().dialect.name):
            op.execute(statement)
