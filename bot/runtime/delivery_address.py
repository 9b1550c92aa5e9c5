"""Where a delivery goes, and its card as it is true when it is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from bot.runtime.dispatch import Product
from bot.runtime.port import Address, Outgoing
from handlers.core.cards import Shown
from handlers.core.direction import isolate_card
from handlers.core.plain_cards import mentions_in
from storage.core.database import Tx
from storage.outbox import conversations, deliveries
from storage.outbox.deliveries import Delivery
from storage.people import account_links, people


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery ready for its call."""

    address: Address
    message: Outgoing | None  # None: a visit
    message_id: str | None = None  # of the message an update changes
    until: float = 0.0  # by the event loop's clock: when it is no longer sure that it is ours


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery that needs no call."""

    state: str
    reason: str = ""


def prepare(product: Product, platforms: Collection[str], tx: Tx, item: Delivery) -> Prepared | Settled:
    """Where a delivery goes, and its card as it is true now; Settled where there is nothing to call.

    ``platforms``: those that are connected
    """
    target = find_target(platforms, tx, item)
    if isinstance(target, Settled):
        return target
    address = target.address
    if item.verb == "visit":
        return Prepared(address, None)
    builder = product.router.builders.get(item.kind)
    card = builder(product.work(tx), replace(item, reader_id=target.reader_id)) if builder else None
    if card is None:
        return Settled("dropped", "it was out of date")
    users = account_links.users_on(tx, mentions_in(card), address.platform, address.tenant)
    zone = people.get(tx, item.person_id).zone if item.person_id else None
    return Prepared(address, Outgoing(isolate_card(card), item.id, Shown(users, zone)), target.message_id)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a delivery goes. ``reader_id``: the account whose chat it is; None for a channel."""

    address: Address
    message_id: str | None = None  # of the message that an update changes
    reader_id: UUID | None = None


def find_target(platforms: Collection[str], tx: Tx, item: Delivery) -> Target | Settled:
    """Where it goes; Settled where it can go nowhere."""
    target = _stored_target(platforms, tx, item)
    if isinstance(target, Target) and target.address.platform not in platforms:
        return Settled("failed", f"{target.address.platform} is not connected")
    return target


def _stored_target(platforms: Collection[str], tx: Tx, item: Delivery) -> Target | Settled:
    if item.verb == "update" and item.target_id is not None:
        return _message_to_change(tx, item, item.target_id)
    if item.conversation_id is not None:
        return _in_conversation(conversations.get(tx, item.conversation_id))
    account = account_links.account_by_id(tx, item.account_id) if item.account_id else None
    if item.person_id is not None:
        connected = [theirs for theirs in account_links.accounts_of(tx, item.person_id) if theirs.platform in platforms]
        account = connected[0] if connected else None
    if account is None:
        return Settled("failed", "this person has no matched account yet")
    chat = conversations.of_account(tx, account.id)
    if chat is not None:
        address = Address(chat.platform, chat.tenant, chat.external, account.user, chat.reference)
        return Target(address, reader_id=account.id)
    near = conversations.any_reference(tx, account.platform, account.tenant)
    return Target(Address(account.platform, account.tenant, None, account.user, near), reader_id=account.id)


def _message_to_change(tx: Tx, item: Delivery, target_id: UUID) -> Target | Settled:
    sent = deliveries.message_of(tx, target_id)
    if sent.state != "sent" or sent.conversation_id is None:
        return Settled("dropped", "the message was never sent")
    place = conversations.get(tx, sent.conversation_id)
    if place.gone and place.kind == "personal":  # a failure would tell a coordinator what was answered
        return Settled("dropped", "the chat that it stands in is no longer used")
    if place.kind == "personal" and item.person_id is not None and place.account_id is not None:
        theirs = {account.id for account in account_links.linked_accounts(tx, item.person_id)}
        if place.account_id not in theirs:
            return Settled("dropped", "the account that it was sent to is no longer theirs")
    return _in_conversation(place, sent.message)


def _in_conversation(place: conversations.Conversation, message_id: str | None = None) -> Target | Settled:
    if place.gone:
        return Settled("failed", f"I was removed from {place.name or 'the channel'}. Invite me again")
    address = Address(place.platform, place.tenant, place.external, None, place.reference)
    return Target(address, message_id, place.account_id if place.kind == "personal" else None)
