"""The tables of the local chat's file, and the statements that several of its questions share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    Integer,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.local import codec
from bot.local.messages import Message, NoSuchConversation
from handlers.core.cards import Card, Paragraph


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as UTC text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the time as UTC text.

        Raises:
            ValueError: it has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be kept.")
        return value.astimezone(UTC).isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the stored text as an aware UTC time."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

channels = Table(
    "channels",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("bot", Boolean, nullable=False, default=False),
)

members = Table(
    "members",
    metadata,
    Column("channel", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("place", Integer, nullable=False),  # the order in which they came
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String, nullable=False, index=True),
    Column("author", String),
    Column("at", Instant, nullable=False),
    Column("change", Integer, nullable=False, index=True),
    Column("origin", String, nullable=False, unique=True),
    Column("text", Text),
    Column("card", Text),
    Column("mentions", Text, nullable=False, default="{}"),
    Column("only_for", String),
    Column("asked", Text),
    Column("gone", Boolean, nullable=False, default=False),
    sqlite_autoincrement=True,
)

read_marks = Table(
    "read",
    metadata,
    Column("user", String, primary_key=True),
    Column("conversation", String, primary_key=True),
    Column("upto", Integer, nullable=False),
)

state = Table(
    "state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", String, nullable=False),  # a new one whenever the chat is emptied
    Column("change", Integer, nullable=False),
)


def next_change(connection: Connection) -> int:
    """Return the next number of the chat's change counter."""
    changed = connection.execute(update(state).values(change=state.c.change + 1).returning(state.c.change))
    return int(changed.scalar_one())


def require_channel(connection: Connection, channel: str) -> None:
    """Check that there is a channel with this id.

    Raises:
        NoSuchConversation: there is none.
    """
    if connection.execute(select(channels.c.id).where(channels.c.id == channel)).first() is None:
        raise NoSuchConversation(NoSuchConversation.__doc__)


def join(connection: Connection, channel: str, user: str) -> bool:
    """Put the user into the channel; return whether they were not in it before."""
    place = select(func.coalesce(func.max(members.c.place), 0) + 1).where(members.c.channel == channel)
    joined = connection.execute(
        sqlite_insert(members)
        .values(channel=channel, user=user, place=place.scalar_subquery())
        .on_conflict_do_nothing()
    )
    return joined.rowcount > 0


def visible(conversation: str, viewer: str) -> Select[Any]:
    """Return the query for the conversation's messages that the viewer may see: not other people's notices."""
    return select(messages).where(
        messages.c.conversation == conversation,
        or_(messages.c.only_for.is_(None), messages.c.only_for == viewer),
    )


def message_of_origin(connection: Connection, origin: str) -> Message | None:
    """Return the message that the act with this origin wrote, or None."""
    row = connection.execute(select(messages).where(messages.c.origin == origin)).mappings().one_or_none()
    return None if row is None else read_message(row)


def pack_mentions(mentions: Mapping[UUID, str]) -> str:
    """Return the mentioned people and their user ids as JSON."""
    return json.dumps({str(person): user for person, user in mentions.items()})


def read_message(row: RowMapping) -> Message:
    """Return the row as a message. A card that cannot be read is a card that says so."""
    return Message(
        id=row["id"],
        conversation=row["conversation"],
        author=row["author"],
        at=row["at"],
        change=row["change"],
        text=row["text"],
        card=None if row["card"] is None else _readable(row["card"]),
        mentions={UUID(person): user for person, user in json.loads(row["mentions"]).items()},
        only_for=row["only_for"],
        asked=row["asked"],
        gone=row["gone"],
    )


def _readable(text: str) -> Card:
    try:
        return codec.load(text)
    except codec.UnreadableCard as error:
        return Card("", (Paragraph((str(error),)),))
