"""What the terminal does with the roster and with who is who."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from bot.cli.keyring import unlock_database
from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys
from handlers.checkins.schedule import refresh_schedule
from handlers.features import router
from handlers.people import identity, replacing
from handlers.people.handover import roster_changed
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from program.core.times import local_day
from program.core.words import counted
from program.people.roster import Problem, read_roster
from program.record.attendance_import import read_attendance
from program.record.english import describe
from program.record.policy import Policy
from program.record.policy_reading import BadPolicy, read_policy
from storage.core import program
from storage.core.database import Database, Tx, collided
from storage.core.migrate import migrate
from storage.core.work import Work
from storage.outbox.outbox_tables import installation
from storage.people import account_links, people, replacements
from storage.people.roster import Plan, Report, RosterChange, prepare, report_nothing, stamp, write
from storage.record import attendance_import, enrolments, ledger, policies, verification
from storage.record.ledger import Line
from storage.record.verification import Verdict
from storage.vault.operator_keys import BadKey, read_operator_keys
from storage.vault.vault import Vault

ATTEMPTS = 3  # the last one prepares inside the transaction, so that nothing can change in between


class NothingImported(Exception):
    """The text names every problem; the database is as it was."""


class _DryRun(Exception):
    """Rolls the transaction back."""


def import_file(
    settings: Settings,
    text: str,
    now: datetime,
    new_id: Callable[[], UUID],
    *,
    dry_run: bool,
    restore_removed: bool = False,
    report: Report = report_nothing,
) -> list[RosterChange]:
    """Import a roster file's text, all of it or nothing; what changed, or would have.

    ``restore_removed``: the file may give back places and roles that were ended. Everything is prepared by reading,
    while the bot goes on writing; then one transaction writes it.

    Raises:
        NothingImported: with a sentence for each problem.
    """
    database = open_database(settings)
    try:
        migrate(database)
        key = unlocked(settings, database)
        with database.read() as tx:
            rows, problems = read_roster(text, program.zone_of(tx))
        if problems:
            raise NothingImported(_said(problems))
        for attempt in range(1, ATTEMPTS + 1):
            with database.read() as tx:
                plan = prepare(Work(tx, now, new_id, key), rows, report, restore_removed=restore_removed)
            _refuse(plan)
            if dry_run:
                return plan.changes
            try:
                with database.write() as tx:
                    work = Work(tx, now, new_id, key)
                    if stamp(tx) != plan.stamp:
                        if attempt < ATTEMPTS:
                            continue
                        plan = prepare(work, rows, report, restore_removed=restore_removed)
                        _refuse(plan)
                    write(work, plan, report)
                    _follow(work, plan)
                return plan.changes
            except DBAPIError as error:
                if attempt == ATTEMPTS or not collided(error):
                    raise
    finally:
        database.close()
    raise AssertionError("the last attempt returns or raises")


def _refuse(plan: Plan) -> None:
    if plan.problems:
        raise NothingImported(_said(plan.problems))


def _follow(work: Work, plan: Plan) -> None:
    """What a changed roster makes happen: new coordinators' digests, check-ins, questions who somebody is."""
    for hook in router.start_hooks:
        hook(work)
    identity.propose_again(work)
    refresh_schedule(work, plan.touched)
    roster_changed(work, plan)


def _said(problems: list[Problem]) -> str:
    return "\n".join(str(problem) for problem in sorted(problems, key=lambda problem: problem.line))


def import_attendance_file(
    settings: Settings, text: str, attests: str, now: datetime, new_id: Callable[[], UUID], *, dry_run: bool
) -> int:
    """Import a file of earlier attendance, all of it or nothing; how many meetings of people it holds.

    Raises:
        NothingImported: with a sentence for each problem.
    """
    rows, problems = read_attendance(text, now.date())
    if problems:
        raise NothingImported(_said(problems))
    database = open_database(settings)
    try:
        migrate(database)
        key = unlocked(settings, database)
        with database.write() as tx:
            work = Work(tx, now, new_id, key)
            file = attendance_import.fingerprint(text)
            if attendance_import.imported_before(work, file):
                raise NothingImported("You imported this file already. Nothing was imported again.")
            witness = people.by_email(tx, attests)
            if witness is None:
                raise NothingImported(
                    f"{attests} is not on the roster. Name a person on the roster who confirms that the "
                    "file is correct."
                )
            problems = attendance_import.import_attendance(work, rows, file, witness.id, None)
            if problems:
                raise NothingImported(_said(problems))
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    finally:
        database.close()
    return len(rows)


def unlocked(settings: Settings, database: Database) -> bytes:
    """The unlocked database's own key.

    Raises:
        NothingImported: the operator's keys are not configured, or do not open it.
    """
    try:
        return unlock_database(database, Vault(read_operator_keys(operator_keys(settings))))
    except (BadKey, CannotStart) as error:
        raise NothingImported(str(error)) from None


def unmatched(settings: Settings) -> tuple[list[people.Person], list[account_links.Account]]:
    """The people without an account, and the accounts without a person."""
    database = open_database(settings)
    try:
        migrate(database)
        with database.read() as tx:
            return account_links.unmatched_people(tx), account_links.unmatched_accounts(tx, 500)
    finally:
        database.close()


def match(settings: Settings, email: str, user: str, now: datetime, new_id: Callable[[], UUID]) -> str:
    """Link an account to a person, as the operator; the person is welcomed by the running bot.

    Raises:
        NothingImported: the person or account is not there.
    """
    database = open_database(settings)
    try:
        migrate(database)
        unlocked(settings, database)
        return _match(database, email, user, now, new_id)
    finally:
        database.close()


def _match(database: Database, email: str, user: str, now: datetime, new_id: Callable[[], UUID]) -> str:
    with database.write() as tx:
        person = people.by_email(tx, email)
        if person is None:
            raise NothingImported(f"No one on the roster has the address {email}.")
        account = account_of(tx, user)
        if account is None:
            raise NothingImported(
                f"I don't know the account {user}. To see the accounts I know, run `plc-bot people list`."
            )
        if account.link == "confirmed":
            whose = people.named(tx, [account.person_id]).get(account.person_id, "") if account.person_id else ""
            raise NothingImported(f"The account {account.name} is matched to {whose} already, so nothing was changed.")
        work = Work(tx, now, new_id)
        if not account_links.is_unmatched(tx, person.id):
            return _replace(work, person, account)
        identity.link(work, account.id, person.id, by=None)
    return f"{person.name} is now matched to {account.name} on {account.platform}."


def _replace(work: Work, person: people.Person, account: account_links.Account) -> str:
    try:
        replacing.begin(work, person.id, account.id, None)
    except replacements.AlreadyAsked:
        raise NothingImported(f"A change of {person.name}'s account is waiting already.") from None
    others = account_links.accounts_of(work.tx, person.id)
    replaces = not others or any(account_links.is_same_place(account, other) for other in others)
    return (
        f"{person.name} has an account already. The running bot tells it, and matches {account.name} on "
        f"{account.platform} three days after that, unless {person.name} objects. "
        f"{'It replaces the earlier account there.' if replaces else 'Both accounts are matched then.'}"
    )


def account_of(tx: Tx, user: str) -> account_links.Account | None:
    """The account with a platform's user id, in whichever workspace or tenant it was seen."""
    places = tx.execute(installation.select()).all()
    for place in places:
        me = people.actor(tx, place.platform, place.tenant, user)
        if me is not None:
            return account_links.account_by_id(tx, me.account_id)
    return None


def verify_ledger(settings: Settings, head: str) -> Verdict:
    """Check every chain of the ledger.

    Raises:
        NothingImported: the configured keys do not open the ledger's.
    """
    database = open_database(settings)
    try:
        migrate(database)
        key = unlocked(settings, database)
        with database.read() as tx:
            return verification.verify(tx, key, head.strip())
    finally:
        database.close()


def mentees_to_move(settings: Settings, text: str, now: datetime) -> int:
    """How many mentees ``adopt_policy`` would take along to this document: see ``enrolments.to_take_along``.

    Raises:
        NothingImported: the document cannot be used.
    """
    database = open_database(settings)
    try:
        migrate(database)
        name = read_policy(text).name
        with database.read() as tx:
            return len(enrolments.to_take_along(tx, name, now))
    except BadPolicy as error:
        raise NothingImported(str(error)) from None
    finally:
        database.close()


def adopt_policy(
    settings: Settings,
    text: str,
    holds_from: date,
    now: datetime,
    new_id: Callable[[], UUID],
    *,
    take_along: bool = False,
) -> str:
    """Make a policy document current for those who begin on a day or later.

    ``take_along``: the mentees who have neither completed nor left move to it too, and are told. That can also be done
    later, with the same document.

    Raises:
        NothingImported: the document cannot be used, its version was adopted already, or people would move to it
            before it applies.
    """
    database = open_database(settings)
    try:
        migrate(database)
        key = unlocked(settings, database)
        with database.write() as tx:
            work = Work(tx, now, new_id, key)
            policy, starts = _adopted(work, text, holds_from, again=take_along)
            if take_along and starts > local_day(now, policy.program.zone):
                raise NothingImported(
                    f"{policy.name} applies from {starts}. Mentees can't move to it before that day. Adopt it now "
                    "with --new-only, and run the same command with --take-along on that day."
                )
            moved = _take_along(work, policy) if take_along else 0
    except (BadPolicy, policies.PolicyThere) as error:
        raise NothingImported(str(error)) from None
    finally:
        database.close()
    along = f" {counted(moved, 'mentee')} moved to it." if take_along else ""
    return f"{describe(policy)}\n\n{policy.name} applies to everyone who starts on {starts} or later.{along}"


def _adopted(work: Work, text: str, holds_from: date, *, again: bool) -> tuple[Policy, date]:
    """The policy of a document, and the first day it applies. ``again``: it may have been adopted before."""
    policy = read_policy(text)
    earlier = policies.adopted_for(work.tx, policy.name, text) if again else None
    if earlier is not None:
        return policies.get(work.tx, policy.name), earlier
    return policies.adopt(work, text, holds_from, None), holds_from


def _take_along(work: Work, policy: Policy) -> int:
    """Move the mentees who have neither completed nor left to a policy, with a line in each record; how many moved.

    Raises:
        NothingImported: somebody is on a track that the policy does not have.
    """
    mentees = enrolments.to_take_along(work.tx, policy.name, work.now)
    without = [(name, mentee.track) for mentee, name in mentees if mentee.track and policy.track(mentee.track) is None]
    if without:
        raise NothingImported("\n".join(f"{name}: {policy.name} has no track {track!r}." for name, track in without))
    for mentee, _ in mentees:
        detail = {"from": mentee.policy.name, "to": policy.name}
        line = Line("policy", "moved", work.now, None, "operator", reason="adopted", detail=detail)
        line_id = ledger.add(work, mentee.person_id, line)
        enrolments.change(work, mentee.person_id, None, policy=policy.name)
        tell(work, line_id, mentee.person_id)
    look_again(work, [mentee.person_id for mentee, _ in mentees])
    return len(mentees)
