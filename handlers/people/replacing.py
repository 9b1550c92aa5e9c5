"""Another account for somebody who has one: the accounts they have are told, and can stop it for some days.

The days count from when the notice was sent. While it cannot be sent, nothing happens and the coordinators are told.
Where the platform says that the account is gone, the operator can report so: see :mod:`handlers.people.gone_accounts`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, Paragraph, When, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.gone_accounts import gone_command, tell_replaced
from handlers.people.identity import DECIDED, link
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import account_links, people, replacements
from storage.people.account_links import Account
from storage.people.replacements import NOTICE, WAIT, Replacement

SOON, LATER = timedelta(hours=1), timedelta(days=1)  # until the next look at a notice that was not sent yet


@action("identity.keep")
class KeepAccount(Action):
    """Stop the replacement of one's account by another."""

    replacement_id: UUID


def begin(work: Work, person_id: UUID, account_id: UUID, by: UUID | None) -> None:
    """Ask for another account of somebody, and tell every account they have.

    Raises:
        AlreadyAsked: one waits already.
    """
    asked = replacements.ask(work, person_id, account_id, by)
    due.plan(work, moments.IDENTITY_REPLACE, asked.holds_from, asked.id)
    _tell(work, asked)


def _tell(work: Work, asked: Replacement) -> None:
    """Also accounts that are inactive as far as is known: the platform is asked again when the message goes out."""
    for account in account_links.linked_accounts(work.tx, asked.person_id):
        deliveries.to_account(work, NOTICE, account.id, asked.id)


def _tell_again(work: Work, asked: Replacement) -> None:
    """Only the accounts that must be told, since the others may have the message already."""
    must = replacements.accounts_to_tell(work.tx, asked)
    for account in account_links.linked_accounts(work.tx, asked.person_id):
        if account.id in must:
            deliveries.to_account(work, NOTICE, account.id, asked.id, tag=work.now.isoformat())


@router.delivery(kinds.IDENTITY_REPLACING)
def notice_delivery(work: Work, item: Delivery) -> Card | None:
    """Asks the accounts that somebody has whether the new one is theirs; a sent notice says later what came of it."""
    asked = replacements.find(work.tx, UUID(item.subject))
    told = account_links.account_by_id(work.tx, item.account_id) if item.account_id else None
    if asked is None or told is None:
        return None
    if asked.outcome:
        return Card("Account change", (_outcome(work.tx, asked, told),)) if item.verb == "update" else None
    return _notice(work, asked, told)


def _notice(work: Work, asked: Replacement, told: Account) -> Card:
    new = account_links.account_by_id(work.tx, asked.account_id)
    zone = people.get(work.tx, asked.person_id).zone
    since = replacements.told_at(work.tx, asked) or work.now
    what = _what_it_sees(work.tx, asked, new, told)
    return Card(
        "Is this your new account?",
        (
            say(
                "The person who runs the bot asked me to match you to the account ",
                *_named(new),
                ". From ",
                When(since + WAIT, zone),
                f", {what}",
            ),
            say("If it's yours, you don't need to do anything. If it isn't, stop it now."),
            buttons(Button("Stop it", KeepAccount(asked.id), style="danger")),
        ),
    )


def _what_it_sees(tx: Tx, asked: Replacement, new: Account | None, told: Account) -> str:
    """What the new account will see of what the account that is told sees."""
    unopened = "can't open what you wrote here in confidence."
    if new is None or account_links.is_same_place(new, told):
        return f"that account sees your record instead of this one. It {unopened}"
    if account_links.sees_earlier(tx, new.id, asked.person_id):
        shared = "that account sees your record and your choices about check-ins too. This account stays matched. "
        return f"{shared}The other one {unopened}"
    return (
        "that account sees your record too. It sees nothing of your check-ins until then, and I'll ask there again if "
        f"you want them. This account stays matched. The other one {unopened}"
    )


def _named(account: Account | None) -> tuple[Bold | str, ...]:
    if account is None:
        return ("another account",)
    address = f" ({account.email})" if account.email else ""
    return Bold(account.name), f"{address} on {account.platform.capitalize()}"


def _outcome(tx: Tx, asked: Replacement, told: Account) -> Paragraph:
    """What became of it, for an account that was told of it."""
    new = account_links.account_by_id(tx, asked.account_id)
    match asked.outcome:
        case "stopped":
            return say("It was stopped. Your account stays as it is.")
        case "dropped":
            return say("Nothing was changed: the other account belongs to someone else now.")
    if new is None or account_links.is_same_place(new, told):
        rest = " is matched to your record now, instead of this account. If that's wrong, tell your coordinator. "
        return say(*_named(new), rest, ask_coordinator(tx, "match this account again"))
    return say(*_named(new), " is matched to your record now, too. This account stays matched.")


@router.press(KeepAccount)
def keep(call: Call, pressed: KeepAccount) -> Reply:
    """The person objects: nothing changes, and the coordinators are told."""
    asked = replacements.find_open(call.work.tx, pressed.replacement_id)
    if asked is None or asked.person_id != call.my_id:
        raise Refused(DECIDED)
    replacements.settle(call.work, asked, "stopped", call.my_id)
    due.cancel(call.work, asked.id)
    deliveries.refresh(call.work, asked.id, NOTICE)
    for coordinator in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, kinds.IDENTITY_KEPT, coordinator.id, asked.id)
    return Reply(replace=Card("Stopped", (say("Your account stays as it is. I told the coordinators."),)))


@router.delivery(kinds.IDENTITY_KEPT)
def kept_delivery(work: Work, item: Delivery) -> Card | None:
    """Tells a coordinator that somebody stopped the change of their account."""
    who = replacements.whose(work.tx, UUID(item.subject))
    if who is None or not people.get(work.tx, UUID(str(item.person_id))).coordinator:
        return None
    name = people.get(work.tx, who).name
    text = say(Bold(name), " said that the new account isn't theirs. Nothing was changed. Ask them about it.")
    return Card("An account change was stopped", (text,))


@router.moment(
    moments.IDENTITY_REPLACE,
    "an account is replaced unless its person objected",
    late="is done late, and never before three days have passed since the earlier account was told, or since the "
    "operator said that it is gone",
)
def replace_account(work: Work, moment: Moment) -> str | None:
    """Link the new account if the days to object have passed, else look again later."""
    asked = replacements.find_open(work.tx, UUID(moment.subject))
    if asked is None or asked.holds_from > work.now:
        return "cancelled"
    new = account_links.account_by_id(work.tx, asked.account_id)
    if new is None or new.link == "confirmed":
        replacements.settle(work, asked, "dropped", None)
        deliveries.refresh(work, asked.id, NOTICE)
        return "cancelled"
    told = replacements.told_at(work.tx, asked)
    gone = replacements.reported_gone_at(work.tx, asked)
    if told is None and gone is not None:
        _replace_gone(work, asked, gone + WAIT)
    elif told is None or told + WAIT > work.now:
        _postpone(work, asked, told and told + WAIT)
    else:
        _replace(work, asked)
    return None


def _replace(work: Work, asked: Replacement) -> None:
    link(work, asked.account_id, asked.person_id, by=None)
    replacements.settle(work, asked, "done", None)
    deliveries.refresh(work, asked.id, NOTICE)


def _replace_gone(work: Work, asked: Replacement, ready: datetime) -> None:
    """Try every day to tell the account that is said to be gone, and once more when the days have passed.

    An account that is told by such a try has the days from then on to object.
    """
    look = work.now + SOON
    if not replacements.is_being_told(work.tx, asked):
        tries = replacements.newest_tries(work.tx, asked)
        if work.now >= ready and replacements.is_gone(tries, since=ready):
            _replace(work, asked)
            tell_replaced(work, asked)
            return
        _tell_again(work, asked)
        tried = any(last.at is not None and last.at >= ready for last in tries)
        look = work.now + LATER if tried else min(work.now + LATER, max(ready, look))
    due.plan(work, moments.IDENTITY_REPLACE, look, asked.id, tag=work.now.isoformat())


def _postpone(work: Work, asked: Replacement, ready: datetime | None) -> None:
    """Look again when the days have passed; where the notice could not be sent, send it again and report it."""
    if ready is None and not replacements.is_being_told(work.tx, asked):
        _tell_again(work, asked)
        for coordinator in people.coordinators(work.tx):
            deliveries.to_person(work, kinds.IDENTITY_UNTOLD, coordinator.id, asked.id)
        ready = work.now + LATER
    due.plan(work, moments.IDENTITY_REPLACE, ready or work.now + SOON, asked.id, tag=work.now.isoformat())


@router.delivery(kinds.IDENTITY_UNTOLD)
def untold_delivery(work: Work, item: Delivery) -> Card | None:
    """Tells a coordinator that an account change waits, because the account that somebody has can't be told."""
    asked = replacements.find_open(work.tx, UUID(item.subject))
    if asked is None or not people.get(work.tx, UUID(str(item.person_id))).coordinator:
        return None
    person = people.get(work.tx, asked.person_id)
    name = Bold(person.name)
    text = say(
        "The operator asked me to match another account to ",
        name,
        ". I couldn't tell the account they have, so I haven't changed anything. I'll try to tell it again every day, "
        "and match the new one three days after that. Please ask ",
        name,
        " whether they know about it.",
    )
    new = account_links.account_by_id(work.tx, asked.account_id)
    if new is None:
        return Card("An account change is waiting", (text,))
    command = Bold(gone_command(person.email, new.user))
    ask = say("If they do, and the account they have is gone for good, ask the operator to run ", command, ".")
    return Card("An account change is waiting", (text, ask))
