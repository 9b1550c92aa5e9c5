"""The chat itself, as Slack's side would be: channels, members, messages, what each person has read.

It keeps its own small SQLite file and knows nothing of cohorts. All of it is synchronous; callers run it
in a thread. Every change gets the next number of one counter, so that a page which knows the last number
it saw can ask for all that changed since.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, create_engine, delete, event, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.local import codec
from bot.local.chat_tables import (
    channels,
    join,
    members,
    message_of_origin,
    messages,
    metadata,
    next_change,
    pack_mentions,
    read_marks,
    read_message,
    require_channel,
    state,
    visible,
)
from bot.local.messages import (
    DIRECT,
    Channel,
    Draft,
    Message,
    NameTaken,
    NoSuchConversation,
    NoSuchMessage,
    direct,
)
from handlers.core.cards import Card, Shown

PAGE = 50  # messages shown at first, and with each "Earlier messages"
LOG_NAME = "chat"
BUSY_MS = 10_000


class Chat:
    """The chat's file. Nothing is opened before :meth:`open`."""

    def __init__(self, database: str | Path) -> None:
        self._database = database
        self._engine: Engine | None = None

    # Its life ------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the file and make its tables; opening an open chat does nothing."""
        if self._engine is not None:
            return
        if isinstance(self._database, Path):
            self._database.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, hide_parameters=True, logging_name=LOG_NAME)
        # At DEBUG its rows would be logged, and with them what people typed.
        logging.getLogger(f"sqlalchemy.engine.Engine.{LOG_NAME}").setLevel(logging.WARNING)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        with engine.begin() as connection:
            metadata.create_all(connection)
            connection.execute(sqlite_insert(state).values(id=1, epoch=str(uuid4()), change=0).on_conflict_do_nothing())
        self._engine = engine

    def close(self) -> None:
        """Close the file. It may be opened again; closing a closed chat does nothing."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @property
    def url(self) -> str:
        """The file's address for SQLAlchemy."""
        return f"sqlite:///{self._database}" if isinstance(self._database, Path) else self._database

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._engine is None:
            raise RuntimeError("The local chat is not open.")
        with self._engine.begin() as connection:
            yield connection

    def clear(self) -> None:
        """Forget everything; pages that are open learn of it by the new epoch."""
        with self._transaction() as connection:
            for table in (messages, members, channels, read_marks):
                connection.execute(delete(table))
            connection.execute(update(state).values(epoch=str(uuid4())))

    def empty(self) -> bool:
        """Nothing has been seeded or said yet."""
        with self._transaction() as connection:
            return not any(
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (channels, messages)
            )

    def state(self) -> tuple[str, int]:
        """The epoch, and the number of the last change."""
        with self._transaction() as connection:
            epoch, change = connection.execute(select(state.c.epoch, state.c.change)).one()
            return epoch, change

    # Channels and their members ------------------------------------------------------------

    def create_channel(self, channel: str, name: str, members: Sequence[str] = ()) -> None:
        """Make a channel; making the same one again only adds who is missing.

        Raises:
            NameTaken: when another channel has this name.
        """
        if channel.startswith(DIRECT):
            raise ValueError("A channel's id cannot look like a direct conversation's.")
        with self._transaction() as connection:
            holder = connection.execute(select(channels.c.id).where(channels.c.name == name)).scalar()
            if holder not in (None, channel):
                raise NameTaken(NameTaken.__doc__)
            connection.execute(sqlite_insert(channels).values(id=channel, name=name).on_conflict_do_nothing())
            for user in members:
                join(connection, channel, user)
            next_change(connection)

    def add_member(self, channel: str, user: str) -> bool:
        """Whether the person was not in the channel before."""
        with self._transaction() as connection:
            require_channel(connection, channel)
            added = join(connection, channel, user)
            next_change(connection)
            return added

    def remove_member(self, channel: str, user: str) -> bool:
        """Whether the person was in the channel before."""
        with self._transaction() as connection:
            require_channel(connection, channel)
            gone = connection.execute(delete(members).where(members.c.channel == channel, members.c.user == user))
            next_change(connection)
            return gone.rowcount > 0

    def enter(self, channel: str) -> Channel:
        """The bot comes into the channel."""
        with self._transaction() as connection:
            require_channel(connection, channel)
            connection.execute(update(channels).where(channels.c.id == channel).values(bot=True))
            next_change(connection)
        return self.channel(channel)

    def channel(self, channel: str) -> Channel:
        """Return the channel with this id.

        Raises:
            NoSuchConversation: there is none.
        """
        for known in self.channels():
            if known.id == channel:
                return known
        raise NoSuchConversation(NoSuchConversation.__doc__)

    def channels(self) -> tuple[Channel, ...]:
        """All of them by name; every channel is open to everybody."""
        with self._transaction() as connection:
            rows = connection.execute(select(channels).order_by(channels.c.name)).mappings().all()
            joined = connection.execute(select(members).order_by(members.c.place)).mappings().all()
        return tuple(
            Channel(
                row["id"],
                row["name"],
                tuple(member["user"] for member in joined if member["channel"] == row["id"]),
                row["bot"],
            )
            for row in rows
        )

    # Messages ------------------------------------------------------------------------------

    def write(self, draft: Draft) -> Message:
        """Write a message; the same origin again returns the message that is already there."""
        with self._transaction() as connection:
            if not draft.conversation.startswith(DIRECT):
                require_channel(connection, draft.conversation)
            earlier = message_of_origin(connection, draft.origin)
            if earlier is not None:
                return earlier
            row = connection.execute(
                insert(messages)
                .values(
                    conversation=draft.conversation,
                    author=draft.author,
                    at=draft.at,
                    change=next_change(connection),
                    origin=draft.origin,
                    text=draft.text,
                    card=None if draft.card is None else codec.dump(draft.card),
                    mentions=pack_mentions(draft.shown.mentions),
                    only_for=draft.only_for,
                    asked=draft.asked,
                )
                .returning(messages)
            )
            return read_message(row.mappings().one())

    def change_card(self, conversation: str, message: int, card: Card, shown: Shown) -> None:
        """Show another card in an earlier message of the bot."""
        with self._transaction() as connection:
            changed = connection.execute(
                update(messages)
                .where(
                    messages.c.id == message,
                    messages.c.conversation == conversation,
                    messages.c.author.is_(None),
                )
                .values(
                    card=codec.dump(card),
                    mentions=pack_mentions(shown.mentions),
                    change=next_change(connection),
                )
            )
            if changed.rowcount == 0:
                raise NoSuchMessage(NoSuchMessage.__doc__)

    def by_origin(self, origin: str) -> Message | None:
        """Return the message that the act with this origin wrote, or None."""
        with self._transaction() as connection:
            return message_of_origin(connection, origin)

    def message(self, conversation: str, message: int) -> Message:
        """Return the message with this id.

        Raises:
            NoSuchMessage: there is none in this conversation.
        """
        with self._transaction() as connection:
            query = select(messages).where(messages.c.id == message, messages.c.conversation == conversation)
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NoSuchMessage(NoSuchMessage.__doc__)
        return read_message(row)

    def latest(self, conversation: str, viewer: str, before: int | None = None) -> tuple[Message, ...]:
        """The last messages that the viewer may see, oldest first; ``before``: those older than this id."""
        query = visible(conversation, viewer).where(messages.c.gone.is_(False))
        if before is not None:
            query = query.where(messages.c.id < before)
        return self._read(query.order_by(messages.c.id.desc()).limit(PAGE))[::-1]

    def changed(self, conversation: str, viewer: str, since: int) -> tuple[Message, ...]:
        """The messages written, changed or dismissed after change number ``since``, oldest first."""
        query = visible(conversation, viewer).where(messages.c.change > since)
        return self._read(query.order_by(messages.c.id))

    def dismiss(self, conversation: str, message: int, viewer: str) -> None:
        """Take away a notice that only the viewer sees."""
        with self._transaction() as connection:
            connection.execute(
                update(messages)
                .where(
                    messages.c.id == message,
                    messages.c.conversation == conversation,
                    messages.c.only_for == viewer,
                )
                .values(gone=True, change=next_change(connection))
            )

    def _read(self, query: Select[Any]) -> tuple[Message, ...]:
        with self._transaction() as connection:
            return tuple(read_message(row) for row in connection.execute(query).mappings())

    # What each person has read -------------------------------------------------------------

    def mark_read(self, user: str, conversation: str, upto: int) -> None:
        """Record that the user has read this conversation up to a message's id. The mark never moves back."""
        with self._transaction() as connection:
            row = sqlite_insert(read_marks).values(user=user, conversation=conversation, upto=upto)
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["user", "conversation"],
                    set_={"upto": func.max(read_marks.c.upto, row.excluded.upto)},
                )
            )

    def unread(self, user: str) -> dict[str, int]:
        """How many messages of others wait, by conversation; conversations without any are left out."""
        seen = (
            select(read_marks.c.upto)
            .where(read_marks.c.user == user, read_marks.c.conversation == messages.c.conversation)
            .scalar_subquery()
        )
        mine = select(members.c.channel).where(members.c.user == user)
        query = (
            select(messages.c.conversation, func.count())
            .where(
                messages.c.id > func.coalesce(seen, 0),
                func.coalesce(messages.c.author, "") != user,
                or_(messages.c.only_for.is_(None), messages.c.only_for == user),
                or_(messages.c.conversation == direct(user), messages.c.conversation.in_(mine)),
                messages.c.gone.is_(False),
            )
            .group_by(messages.c.conversation)
        )
        with self._transaction() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def _begin(connection: Connection) -> None:
    # Taking the write lock at once: a transaction that reads first and writes later could fail as stale.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
