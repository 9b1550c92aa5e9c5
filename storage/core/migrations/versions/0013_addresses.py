"""Names, the addresses by which an account is matched to the roster, and the program's row carry a seal"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_addresses"
down_revision = "0012_ledger_key_copy"


def upgrade() -> None:
    op.add_column("person", sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column("program", sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column("account", sa.Column("facts_seal", sa.LargeBinary(), nullable=True))
