"""What the terminal does about one person: forgetting, and legal holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from bot.cli import keyring
from bot.settings import Settings
from bot.startup import CannotStart
from handlers.privacy import forgetting
from program.core.words import counted
from storage.core.database import Database, Tx
from storage.core.migrate import SchemaProblem
from storage.core.work import Work
from storage.people import people
from storage.privacy import holds
from storage.vault.operator_keys import BadKey
from storage.vault.vault_tables import vault_item

WHAT_GOES = (
    "Deleted: reflections, pulses and the words of disputes, with the key to every copy of them. "
    "Kept: the attendance ledger and what a certificate depends on, that a dispute was opened and how it ended, "
    "and that this person was forgotten."
)

BOT_TELLS = "The bot tells the person in a direct message."
NOBODY_TELLS = "The person has no account here, so the bot can't tell them. Tell them yourself. docs/keys.md says how."


class NotDone(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """The person that a command is about, and how many confidential items they have."""

    id: UUID
    name: str
    email: str
    items: int  # written in confidence


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The unlocked database.

    Raises:
        NotDone: it cannot be opened.
    """
    try:
        with keyring.opened(settings) as (database, _vault):
            yield database
    except (CannotStart, BadKey, SchemaProblem) as error:
        raise NotDone(str(error)) from None


def find(settings: Settings, who: str) -> PersonMatch:
    """The one person with this name, address or id.

    Raises:
        NotDone: there is none, or there are several.
    """
    with _opened(settings) as database, database.read() as tx:
        person = _get_one(tx, who)
        items = tx.scalar(select(func.count()).where(vault_item.c.person_id == person.id, vault_item.c.sealed != b""))
        return PersonMatch(person.id, person.name, person.email, items or 0)


def _get_one(tx: Tx, who: str) -> people.Person:
    try:
        person_id = UUID(who)
    except ValueError:
        matches = people.search(tx, who)
    else:
        matches = [people.get(tx, person_id)] if person_id in people.named(tx, [person_id]) else []
    if not matches:
        raise NotDone(f"No one has the name, address or id {who}.")
    if len(matches) > 1:
        names = "\n".join(f"{person.name} <{person.email}>" for person in matches)
        raise NotDone(f"Several people match. Use the email address.\n{names}")
    return matches[0]


def forget(settings: Settings, person_id: UUID, now: datetime, new_id: Callable[[], UUID]) -> str:
    """Forget a person, as the operator; what was done, and whether they are told.

    Raises:
        NotDone: a legal hold is on what they wrote.
    """
    try:
        with _opened(settings) as database:
            with database.write() as tx:
                items, told = forgetting.forget_by_operator(Work(tx, now, new_id), person_id)
            database.truncate_wal()
    except holds.Held as error:
        raise NotDone(f"{error} To end it, run `plc-bot person release`.") from None
    done = f"Deleted for good: {counted(items, 'item')} and the key to every copy of them."
    return f"{done} {BOT_TELLS if told else NOBODY_TELLS}"


def set_hold(
    settings: Settings, who: PersonMatch, reason: str | None, now: datetime, new_id: Callable[[], UUID]
) -> str:
    """Put a hold on somebody for a reason's code, or with None release it, as the operator.

    Raises:
        NotDone: the reason is none, or it is so already.
    """
    if reason is not None and reason not in holds.REASONS:
        codes = "\n".join(f"{code}: {words}" for code, words in holds.REASONS.items())
        raise NotDone(f"Give a reason with --reason, one of:\n{codes}")
    with _opened(settings) as database, database.write() as tx:
        work = Work(tx, now, new_id)
        done = holds.put_on(work, who.id, reason, None) if reason else holds.release(work, who.id, None)
    if not done:
        raise NotDone(f"{who.name} has a legal hold already." if reason else f"{who.name} has no legal hold.")
    return f"A legal hold is on what {who.name} wrote." if reason else f"The legal hold on {who.name} has ended."
