"""What a digest tells of follows from the digests before it; no column notes it"""

from __future__ import annotations

from alembic import op

revision = "0005_digest"
down_revision = "0004_reflections"


def upgrade() -> None:
    op.drop_column("delivery", "shown_at")
