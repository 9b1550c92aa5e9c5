"""Whoever had several personal chats with the bot has none that is known: nothing says which is the newest"""

from __future__ import annotations

from alembic import op

revision = "0006_chats"
down_revision = "0005_digest"


def upgrade() -> None:
    """The platform names the chat when the bot next writes, or the person does by writing from it."""
    op.execute(
        "UPDATE conversation SET gone = true WHERE kind = 'personal' AND account_id IN ("
        "SELECT account_id FROM conversation WHERE kind = 'personal' AND NOT gone AND account_id IS NOT NULL "
        "GROUP BY account_id HAVING count(*) > 1)"
    )
