"""After a key store was lost: each person whose words can no longer be read is told so."""

from __future__ import annotations

from handlers.core.cards import Card, Cmd, say
from handlers.core.router import router
from storage.core.work import Work
from storage.outbox import kinds
from storage.outbox.deliveries import Delivery


@router.delivery(kinds.KEYS_LOST)
def keys_lost(_work: Work, _item: Delivery) -> Card:
    """Private: it tells that somebody wrote something."""
    return Card(
        "What you wrote was lost",
        (
            say(
                "The key to what you wrote to me in private was lost, so nobody can read it anymore, and I removed it: "
                "reflections, pulses and the words of disputes that you wrote before today."
            ),
            say(
                "Your attendance and the rest of your record are complete. What you write from now on is kept under a "
                "new key. I'm sorry. To see what I keep about you, send ",
                Cmd("privacy"),
                ".",
            ),
        ),
    )
