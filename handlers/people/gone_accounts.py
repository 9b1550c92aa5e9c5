"""The operator reports that the account somebody has is gone, so that nobody there can be told of a new one.

It is accepted only where the platform said in the newest try that it can't reach the account. The days in which the
person can object count from the report, and the bot tries to tell the account until their end.
"""

from __future__ import annotations

import shlex
from uuid import UUID

from handlers.core.cards import Bold, Card, When, say
from handlers.core.contacts import the_coordinator
from handlers.core.router import router
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import account_links, people, replacements
from storage.people.replacements import WAIT, Replacement


def gone_command(email: str, user: str) -> str:
    """What the operator types on the terminal."""
    return f"plc-bot people match {shlex.quote(email)} {shlex.quote(user)} --earlier-account-gone"


def report(work: Work, asked: Replacement) -> None:
    """Store the operator's report, and tell the coordinators.

    Raises:
        CannotReport: the platform did not say so, or it was reported already.
    """
    replacements.report_gone(work, asked)
    for coordinator in people.coordinators(work.tx):
        deliveries.to_person(work, kinds.IDENTITY_GONE, coordinator.id, asked.id)


@router.delivery(kinds.IDENTITY_GONE)
def gone_delivery(work: Work, item: Delivery) -> Card | None:
    """Tells a coordinator that an account is said to be gone, and when another takes its place."""
    asked = replacements.find_open(work.tx, UUID(item.subject))
    reader = people.get(work.tx, UUID(str(item.person_id)))
    at = replacements.reported_gone_at(work.tx, asked) if asked is not None else None
    if asked is None or at is None or not reader.coordinator:
        return None
    new = account_links.account_by_id(work.tx, asked.account_id)
    text = say(
        "The operator said that the account of ",
        Bold(people.get(work.tx, asked.person_id).name),
        " is gone. I'll match them to ",
        Bold(new.name if new else "another account"),
        " after ",
        When(at + WAIT, reader.zone),
        ". Until then I try every day to tell the earlier account. If I can, they have three days from then to "
        "stop it. If you know that this is wrong, tell the operator now.",
    )
    return Card("An account will be replaced", (text,))


def tell_replaced(work: Work, asked: Replacement) -> None:
    """Tell the new account and the coordinators that it took the place of one that is gone."""
    deliveries.to_account(work, kinds.IDENTITY_REPLACED, asked.account_id, asked.id)
    for coordinator in people.coordinators(work.tx):
        deliveries.to_person(work, kinds.IDENTITY_REPLACED, coordinator.id, asked.id)


@router.delivery(kinds.IDENTITY_REPLACED)
def replaced_delivery(work: Work, item: Delivery) -> Card | None:
    """Tells the new account, and the coordinators, that it took the place of one that is gone."""
    asked = replacements.find(work.tx, UUID(item.subject))
    if asked is None or asked.outcome != "done":
        return None
    name = Bold(people.get(work.tx, asked.person_id).name)
    new = account_links.account_by_id(work.tx, asked.account_id)
    if new is None or new.link != "confirmed" or new.person_id != asked.person_id:
        return None
    if item.account_id is not None:
        text = say(
            "This account is matched to ",
            name,
            " now, because the earlier one is gone. You see your record here. What you wrote on the earlier account in "
            "confidence stays closed. If you aren't ",
            name,
            f", tell {the_coordinator(work.tx)}.",
        )
        return Card("Your account is matched", (text,))
    if not people.get(work.tx, UUID(str(item.person_id))).coordinator:
        return None
    text = say(name, " is matched to ", Bold(new.name), " now. I couldn't tell the earlier account, which is gone.")
    return Card("An account was matched", (text,))
