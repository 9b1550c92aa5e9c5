"""A cohort notes which channel was linked last, and a channel when the bot was put there

So the bot's entering a channel that was linked earlier moves no home, and a removal that is told late removes nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_homes"
down_revision = "0013_addresses"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("added_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cohort", sa.Column("wanted_home_id", sa.Uuid(), nullable=True))
