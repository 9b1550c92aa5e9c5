"""The operator reports on the terminal that somebody's account is gone and cannot be told of a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from bot.cli.roster import NothingImported, account_of, unlocked
from bot.settings import Settings
from bot.startup import open_database
from handlers.core.cards import When
from handlers.people import gone_accounts
from handlers.people.gone_accounts import gone_command
from storage.core.database import Tx
from storage.core.migrate import migrate
from storage.core.work import Work
from storage.people import account_links, people, replacements
from storage.people.replacements import WAIT, CannotReport, Replacement, Try


def look(settings: Settings, email: str, user: str, now: datetime, new_id: Callable[[], UUID]) -> str:
    """What a report would do. It writes nothing.

    Raises:
        NothingImported: it can't be reported, and why.
    """
    return _with_work(settings, now, new_id, lambda work: look_in(work, email, user))


def report(settings: Settings, email: str, user: str, now: datetime, new_id: Callable[[], UUID]) -> str:
    """Report that the account of the person with this address is gone; what happens next.

    Raises:
        NothingImported: it can't be reported, and why.
    """
    return _with_work(settings, now, new_id, lambda work: report_in(work, email, user))


def _with_work(settings: Settings, now: datetime, new_id: Callable[[], UUID], act: Callable[[Work], str]) -> str:
    database = open_database(settings)
    try:
        migrate(database)
        unlocked(settings, database)
        with database.write() as tx:
            return act(Work(tx, now, new_id))
    finally:
        database.close()


def look_in(work: Work, email: str, user: str) -> str:
    """:func:`look` in a unit of work."""
    person, new, asked = _asked(work.tx, email, user)
    tries = _refuse(work.tx, person, asked)
    earlier = "\n".join(f"  {last.user}: {last.reason}" for last in tries)
    return (
        f"{person.name} has an account that I can't tell:\n{earlier}\n"
        f"If you say that it is gone, I match {new.name} ({new.user}) on {new.platform} to {person.name} after "
        f"{_ready(work, person)}. It then sees {person.name}'s record, but nothing that was written on the earlier "
        "account in confidence. Until then I try every day to tell the earlier account. If I can, it has three days to "
        "stop it. I tell the coordinators now, and the new account when it is matched.\n"
        f"First ask {person.name} in person or by phone whether the new account is theirs."
    )


def report_in(work: Work, email: str, user: str) -> str:
    """:func:`report` in a unit of work."""
    person, new, asked = _asked(work.tx, email, user)
    _refuse(work.tx, person, asked)
    try:
        gone_accounts.report(work, asked)
    except CannotReport as error:
        raise NothingImported(f"{error} Nothing was changed.") from None
    return f"Saved. The running bot matches {new.name} to {person.name} after {_ready(work, person)}."


def _ready(work: Work, person: people.Person) -> str:
    return When(work.now + WAIT, person.zone).plain()


def _asked(tx: Tx, email: str, user: str) -> tuple[people.Person, account_links.Account, Replacement]:
    """Who, the new account, and the replacement that waits.

    Raises:
        NothingImported: there is no such person or account, or nothing waits.
    """
    person, new = people.by_email(tx, email), account_of(tx, user)
    asked = replacements.find_open_of(tx, person.id, new.id) if person and new else None
    if person is None or new is None or asked is None:
        first = gone_command(email, user).removesuffix(" --earlier-account-gone")
        raise NothingImported(
            f"No change to this account is waiting. Run `{first}` first: the bot must try to tell the account that "
            "the person has."
        )
    return person, new, asked


def _refuse(tx: Tx, person: people.Person, asked: Replacement) -> Sequence[Try]:
    """The newest tries to tell the accounts that the person has, where all of them are gone.

    Raises:
        NothingImported: it was reported already, or the platform did not say so.
    """
    at = replacements.reported_gone_at(tx, asked)
    if at is not None:
        ready = When(at + WAIT, person.zone).plain()
        raise NothingImported(f"You said so already. The new account is matched after {ready}.")
    told = replacements.told_at(tx, asked)
    if told is not None:
        ready = When(told + WAIT, person.zone).plain()
        raise NothingImported(
            f"The account that {person.name} has was told. The new one is matched after {ready}, unless they stop it."
        )
    if replacements.is_being_told(tx, asked):
        raise NothingImported(
            f"The bot is still trying to tell the account that {person.name} has. Try again later. Nothing was changed."
        )
    tries = replacements.newest_tries(tx, asked)
    if not replacements.is_gone(tries):
        reasons = " ".join(last.reason for last in tries if last.reason)
        raise NothingImported(
            f"The platform has not said that the account of {person.name} is gone. "
            f"{reasons or 'It was not tried yet.'} The bot tries again every day. Nothing was changed."
        )
    return tries
