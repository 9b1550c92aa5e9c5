"""The people to ask for help: the program's coordinators, by name."""

from __future__ import annotations

from program.core.words import listed
from storage.core.database import Tx
from storage.people import people

MOST_NAMED = 3


def the_coordinator(tx: Tx) -> str:
    """In words: "your coordinator, Carol Dietz"; without a name while the program has no coordinator."""
    names = [person.name for person in people.coordinators(tx)][:MOST_NAMED]
    if not names:
        return "your program's coordinator"
    return f"your coordinator, {listed(names).replace(' and ', ' or ')}"


def ask_coordinator(tx: Tx, to: str = "") -> str:
    """A sentence such as "Ask your coordinator, Carol Dietz, to match your account.".

    ``to``: what to ask for, as a verb; empty: no more is said.
    """
    who = the_coordinator(tx)
    if not to:
        return f"Ask {who}."
    return f"Ask {who}{',' if ',' in who else ''} to {to}."
