"""Replacing the account of somebody who is matched: the earlier account is told, and can stop it for some days."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from handlers.core.cards import Bold, Button, Card, When, action, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import Call, Refused, router
from handlers.people.identity import link
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import deliveries, due
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import people, replacements
from storage.people.replacements import Replacement

SETTLED = "That is settled already."


def begin(work: Work, person_id: UUID, account_id: UUID, by: UUID | None) -> datetime:
    """Ask for a replacement and tell every account of the person; from when on it holds.

    Raises:
        AlreadyAsked: one waits already.
    """
    asked = replacements.ask(work, person_id, account_id, by)
    due.plan(work, "identity.replace", asked.holds_from, asked.id)
    for account in people.accounts_of(work.tx, person_id):
        deliveries.to_account(work, "identity.replacing", account.id, asked.id)
    return asked.holds_from


@router.delivery("identity.replacing")
def notice_delivery(work: Work, item: Delivery) -> Card | None:
    asked = replacements.waiting(work.tx, UUID(item.subject))
    if asked is None:
        return Card("Account change", (say(SETTLED),)) if item.verb == "update" else None
    return _notice(work.tx, asked)


def _notice(tx: Tx, asked: Replacement) -> Card:
    new = people.account_by_id(tx, asked.account_id)
    zone = people.get(tx, asked.person_id).zone
    name = new.name if new else "another account"
    address = f" ({new.email})" if new and new.email else ""
    return Card(
        "Is this your new account?",
        (
            say(
                "The person who runs the bot asked me to match you to the account ",
                Bold(name),
                f"{address}. From ",
                When(asked.holds_from, zone),
                ", that account sees your record instead of this one. It can't open what you wrote here in confidence.",
            ),
            say("If it's yours, you don't need to do anything. If it isn't, stop it now."),
            buttons(Button("Stop it", action("identity.keep", asked.id), style="danger")),
        ),
    )


@router.press("identity.keep")
def keep(call: Call) -> Reply:
    """The person objects: nothing changes, and the coordinators are told."""
    asked = replacements.waiting(call.work.tx, call.id_at(0))
    if asked is None or asked.person_id != call.my_id:
        raise Refused(SETTLED)
    replacements.settle(call.work, asked, "stopped", call.my_id)
    due.cancel(call.work, asked.id)
    deliveries.refresh(call.work, asked.id, "identity.replacing")
    for one in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, "identity.kept", one.id, asked.id)
    return Reply(replace=Card("Stopped", (say("Your account stays as it is. I told the coordinators."),)))


@router.delivery("identity.kept")
def kept_delivery(work: Work, item: Delivery) -> Card | None:
    who = replacements.whose(work.tx, UUID(item.subject))
    if who is None or not people.get(work.tx, UUID(str(item.person_id))).coordinator:
        return None
    name = people.get(work.tx, who).name
    text = say(Bold(name), " said that the new account isn't theirs. Nothing was changed. Ask them about it.")
    return Card("An account change was stopped", (text,))


@router.moment(
    "identity.replace",
    "an account is replaced unless its person objected",
    late="is done late; the person can object until then",
)
def replace_account(work: Work, moment: Moment) -> str | None:
    asked = replacements.waiting(work.tx, UUID(moment.subject))
    if asked is None or asked.holds_from > work.now:
        return "cancelled"
    new = people.account_by_id(work.tx, asked.account_id)
    if new is None or new.link == "confirmed":
        replacements.settle(work, asked, "dropped", None)
        return "cancelled"
    link(work, asked.account_id, asked.person_id, by=None)
    replacements.settle(work, asked, "done", None)
    deliveries.refresh(work, asked.id, "identity.replacing")
    return None
