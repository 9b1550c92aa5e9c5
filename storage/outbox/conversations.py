"""Installations and conversations, with what a platform needs to write there later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from storage.core.database import Tx
from storage.core.work import Work, insert_new
from storage.outbox.outbox_tables import conversation, installation
from storage.people.people_tables import cohort


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel or personal chat that the bot knows."""

    id: UUID
    platform: str
    tenant: str
    external: str
    kind: str
    name: str
    reference: Mapping[str, Any]
    gone: bool
    cohort_id: UUID | None  # whose home channel this is
    account_id: UUID | None  # whose personal chat this is


_SELECT: Select[Any] = (
    select(
        conversation.c.id,
        installation.c.platform,
        installation.c.tenant,
        conversation.c.external,
        conversation.c.kind,
        conversation.c.name,
        conversation.c.reference,
        conversation.c.gone,
        cohort.c.id,
        conversation.c.account_id,
    )
    .join_from(conversation, installation)
    .join(cohort, cohort.c.home_id == conversation.c.id, isouter=True)
)
_FIND = _SELECT.where(
    installation.c.platform == bindparam("platform"),
    installation.c.tenant == bindparam("tenant"),
    conversation.c.external == bindparam("external"),
)
_GET = _SELECT.where(conversation.c.id == bindparam("id"))
_OF_ACCOUNT = _SELECT.where(conversation.c.account_id == bindparam("account"), ~conversation.c.gone)


def installation_id(work: Work, platform: str, tenant: str) -> UUID:
    """The installation's id; made at first sight."""
    query = select(installation.c.id).filter_by(platform=platform, tenant=tenant)
    if work.tx.execute(query).first() is None:
        insert_new(work.tx, installation, [{"id": work.new_id(), "platform": platform, "tenant": tenant}])
    conversation_id: UUID = work.tx.execute(query).scalar_one()
    return conversation_id


def installations(tx: Tx) -> dict[UUID, str]:
    """Every installation with its platform."""
    rows = tx.execute(select(installation.c.id, installation.c.platform).order_by(installation.c.id))
    return {row.id: row.platform for row in rows}


def find(tx: Tx, platform: str, tenant: str, external: str) -> Conversation | None:
    """The conversation by the platform's id of it, if the bot knows it."""
    row = tx.execute(_FIND, {"platform": platform, "tenant": tenant, "external": external}).one_or_none()
    return Conversation(*row) if row else None


def get(tx: Tx, conversation_id: UUID) -> Conversation:
    """The conversation of an id that is known to be there. Raises NoResultFound where it is not."""
    return Conversation(*tx.execute(_GET, {"id": conversation_id}).one())


def of_account(tx: Tx, account_id: UUID) -> Conversation | None:
    """The bot's personal chat with an account, where it is known."""
    row = tx.execute(_OF_ACCOUNT, {"account": account_id}).first()
    return Conversation(*row) if row else None


def find_by_id(tx: Tx, conversation_id: UUID) -> Conversation | None:
    """The conversation of an id, if there is one."""
    row = tx.execute(_GET, {"id": conversation_id}).one_or_none()
    return Conversation(*row) if row else None


def any_reference(tx: Tx, platform: str, tenant: str) -> Mapping[str, Any]:
    """How one of the workspace's conversations is written to: a chat that was never opened is there too."""
    reference: Mapping[str, Any] | None = tx.scalar(
        select(conversation.c.reference)
        .join_from(conversation, installation)
        .where(installation.c.platform == platform, installation.c.tenant == tenant, ~conversation.c.gone)
        .order_by(conversation.c.id)
        .limit(1)
    )
    return reference or {}


def remember(
    work: Work,
    *,
    platform: str,
    tenant: str,
    external: str,
    kind: str,
    name: str,
    reference: Mapping[str, str],
    account_id: UUID | None = None,
) -> UUID:
    """Store a conversation or refresh what is known of it; a message from it says that it is there."""
    known = find(work.tx, platform, tenant, external)
    if known is None:
        row = {
            "id": work.new_id(),
            "installation_id": installation_id(work, platform, tenant),
            "external": external,
            "kind": kind,
            "name": name,
            "reference": dict(reference),
            "account_id": account_id,
        }
        insert_new(work.tx, conversation, [row])
        where = {"installation_id": row["installation_id"], "external": external}
        made: UUID = work.tx.execute(select(conversation.c.id).filter_by(**where)).scalar_one()
        _replace_chat(work.tx, made, account_id)
        return made
    fresh: dict[str, Any] = {"gone": False}
    if name:
        fresh["name"] = name
    if reference:
        fresh["reference"] = dict(reference)
    if account_id is not None:
        fresh["account_id"] = account_id
    work.tx.execute(update(conversation).where(conversation.c.id == known.id).values(fresh))
    _replace_chat(work.tx, known.id, account_id)
    return known.id


def _replace_chat(tx: Tx, chat: UUID, account_id: UUID | None) -> None:
    """An account has one personal chat with the bot, the newest one. Nothing is written to an earlier one."""
    if account_id is not None:
        earlier = (conversation.c.account_id == account_id) & (conversation.c.id != chat)
        tx.execute(update(conversation).where(earlier, ~conversation.c.gone).values(gone=True))


def mark_gone(tx: Tx, conversation_id: UUID) -> None:
    """The bot was removed from it: nothing can be delivered there until it is back."""
    tx.execute(update(conversation).where(conversation.c.id == conversation_id).values(gone=True))


def note_added(tx: Tx, conversation_id: UUID, at: datetime) -> None:
    """Note when the platform says that the bot was put there; the latest time stays."""
    there = conversation.c.added_at.is_(None) | (conversation.c.added_at < at)
    tx.execute(update(conversation).where(conversation.c.id == conversation_id, there).values(added_at=at))


def added_since(tx: Tx, conversation_id: UUID, at: datetime | None) -> bool:
    """Whether the bot was put there after a time; no where either time is not known."""
    added = tx.scalar(select(conversation.c.added_at).where(conversation.c.id == conversation_id))
    return at is not None and added is not None and added > at


def rename(tx: Tx, conversation_id: UUID, name: str) -> None:
    """Keep a conversation's new name."""
    tx.execute(update(conversation).where(conversation.c.id == conversation_id).values(name=name))
