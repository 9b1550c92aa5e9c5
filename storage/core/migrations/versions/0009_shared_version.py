"""A share names the copy that was made of the reflection when it was shared; a share without one opens nothing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_shared_version"
down_revision = "0008_seals"


def upgrade() -> None:
    op.add_column("share", sa.Column("copy_id", sa.Uuid(), nullable=True))
