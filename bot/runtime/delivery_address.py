"""Where a delivery goes, and its card as it is true when it is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

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
    address, message_id = find_address(platforms, tx, item)
    if isinstance(address, Settled):
        return address
    if item.verb == "visit":
        return Prepared(address, None)
    builder = product.router.builders.get(item.kind)
    card = builder(product.work(tx), item) if builder else None
    if card is None:
        return Settled("dropped", "it was out of date")
    users = account_links.users_on(tx, mentions_in(card), address.platform, address.tenant)
    zone = people.get(tx, item.person_id).zone if item.person_id else None
    return Prepared(address, Outgoing(isolate_card(card), item.id, Shown(users, zone)), message_id)


def find_address(platforms: Collection[str], tx: Tx, item: Delivery) -> tuple[Address | Settled, str | None]:
    """Where it goes, and the id of the message that an update changes; Settled where it can go nowhere."""
    address, message_id = _stored_address(platforms, tx, item)
    if isinstance(address, Address) and address.platform not in platforms:
        return Settled("failed", f"{address.platform} is not connected"), None
    return address, message_id


def _stored_address(platforms: Collection[str], tx: Tx, item: Delivery) -> tuple[Address | Settled, str | None]:
    if item.verb == "update" and item.target_id is not None:
        target = deliveries.message_of(tx, item.target_id)
        if target.state != "sent" or target.conversation_id is None:
            return Settled("dropped", "the message was never sent"), None
        place = conversations.get(tx, target.conversation_id)
        if place.gone and place.kind == "personal":  # a failure would tell a coordinator what was answered
            return Settled("dropped", "the chat that it stands in is no longer used"), None
        return _in_conversation(place), target.message
    if item.conversation_id is not None:
        return _in_conversation(conversations.get(tx, item.conversation_id)), None
    account = account_links.account_by_id(tx, item.account_id) if item.account_id else None
    if item.person_id is not None:
        connected = [theirs for theirs in account_links.accounts_of(tx, item.person_id) if theirs.platform in platforms]
        account = connected[0] if connected else None
    if account is None:
        return Settled("failed", "this person has no matched account yet"), None
    chat = conversations.of_account(tx, account.id)
    if chat is not None:
        return Address(chat.platform, chat.tenant, chat.external, account.user, chat.reference), None
    near = conversations.any_reference(tx, account.platform, account.tenant)
    return Address(account.platform, account.tenant, None, account.user, near), None


def _in_conversation(place: conversations.Conversation) -> Address | Settled:
    if place.gone:
        return Settled("failed", f"I was removed from {place.name or 'the channel'}. Invite me again")
    return Address(place.platform, place.tenant, place.external, None, place.reference)
