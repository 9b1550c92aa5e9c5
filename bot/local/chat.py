"""The chat itself, as Slack's side would be: channels, members, messages, what each person has read.

It keeps its own small SQLite file and knows nothing of cohorts. All of it is synchronous; callers run it
in a thread. Every change gets the next number of one counter, so that a page which knows the last number
it saw can ask for all that changed since.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    Engine,
    Integer,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.local import codec
from handlers.core.cards import Card, Paragraph, Shown

PAGE = 50  # messages shown at first, and with each "Earlier messages"
LOG_NAME = "chat"
BUSY_MS = 10_000
DIRECT = "direct:"


class NoSuchConversation(LookupError):
    """There is no such conversation in the local workspace."""


class NoSuchMessage(LookupError):
    """There is no such message in the local workspace."""


class NameTaken(ValueError):
    """A channel with this name is already there."""


@dataclass(frozen=True, slots=True)
class Channel:
    """``bot``: the bot has entered it."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a conversation: typed ``text`` or a ``card``.

    author     None: the bot
    only_for   a notice that this person alone sees
    asked      the command that it answers
    gone       dismissed; kept so that open pages learn of it
    """

    id: int
    conversation: str
    author: str | None
    at: datetime
    change: int
    text: str | None = None
    card: Card | None = None
    mentions: Mapping[UUID, str] = field(default_factory=dict)
    only_for: str | None = None
    asked: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be written. ``origin`` names the act it comes from; one act writes one message."""

    conversation: str
    at: datetime
    origin: str
    author: str | None = None
    text: str | None = None
    card: Card | None = None
    shown: Shown = field(default_factory=Shown)
    only_for: str | None = None
    asked: str | None = None


class _Instant(TypeDecorator[datetime]):
    """An aware instant, kept as UTC text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be kept.")
        return value.astimezone(UTC).isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


_metadata = MetaData()

_channels = Table(
    "channels",
    _metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("bot", Boolean, nullable=False, default=False),
)

_members = Table(
    "members",
    _metadata,
    Column("channel", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("place", Integer, nullable=False),  # the order in which they came
)

_messages = Table(
    "messages",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String, nullable=False, index=True),
    Column("author", String),
    Column("at", _Instant, nullable=False),
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

_read = Table(
    "read",
    _metadata,
    Column("user", String, primary_key=True),
    Column("conversation", String, primary_key=True),
    Column("upto", Integer, nullable=False),
)

_state = Table(
    "state",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", String, nullable=False),  # a new one whenever the chat is emptied
    Column("change", Integer, nullable=False),
)


def direct(user: str) -> str:
    """The conversation in which a person and the bot are alone."""
    return f"{DIRECT}{user}"


def delivery_origin(delivery: UUID) -> str:
    return f"delivery:{delivery}"


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
            _metadata.create_all(connection)
            connection.execute(
                sqlite_insert(_state).values(id=1, epoch=str(uuid4()), change=0).on_conflict_do_nothing()
            )
        self._engine = engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @property
    def url(self) -> str:
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
            for table in (_messages, _members, _channels, _read):
                connection.execute(delete(table))
            connection.execute(update(_state).values(epoch=str(uuid4())))

    def empty(self) -> bool:
        """Nothing has been seeded or said yet."""
        with self._transaction() as connection:
            return not any(
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (_channels, _messages)
            )

    def state(self) -> tuple[str, int]:
        """The epoch, and the number of the last change."""
        with self._transaction() as connection:
            epoch, change = connection.execute(select(_state.c.epoch, _state.c.change)).one()
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
            holder = connection.execute(select(_channels.c.id).where(_channels.c.name == name)).scalar()
            if holder not in (None, channel):
                raise NameTaken(NameTaken.__doc__)
            connection.execute(sqlite_insert(_channels).values(id=channel, name=name).on_conflict_do_nothing())
            for user in members:
                _join(connection, channel, user)
            _next_change(connection)

    def add_member(self, channel: str, user: str) -> bool:
        """Whether the person was not in the channel before."""
        with self._transaction() as connection:
            _require_channel(connection, channel)
            added = _join(connection, channel, user)
            _next_change(connection)
            return added

    def remove_member(self, channel: str, user: str) -> bool:
        """Whether the person was in the channel before."""
        with self._transaction() as connection:
            _require_channel(connection, channel)
            gone = connection.execute(delete(_members).where(_members.c.channel == channel, _members.c.user == user))
            _next_change(connection)
            return gone.rowcount > 0

    def enter(self, channel: str) -> Channel:
        """The bot comes into the channel."""
        with self._transaction() as connection:
            _require_channel(connection, channel)
            connection.execute(update(_channels).where(_channels.c.id == channel).values(bot=True))
            _next_change(connection)
        return self.channel(channel)

    def channel(self, channel: str) -> Channel:
        found = [one for one in self.channels() if one.id == channel]
        if not found:
            raise NoSuchConversation(NoSuchConversation.__doc__)
        return found[0]

    def channels(self) -> tuple[Channel, ...]:
        """All of them by name; every channel is open to everybody."""
        with self._transaction() as connection:
            rows = connection.execute(select(_channels).order_by(_channels.c.name)).mappings().all()
            members = connection.execute(select(_members).order_by(_members.c.place)).mappings().all()
        return tuple(
            Channel(
                row["id"],
                row["name"],
                tuple(member["user"] for member in members if member["channel"] == row["id"]),
                row["bot"],
            )
            for row in rows
        )

    # Messages ------------------------------------------------------------------------------

    def write(self, draft: Draft) -> Message:
        """Write a message; the same origin again returns the message that is already there."""
        with self._transaction() as connection:
            if not draft.conversation.startswith(DIRECT):
                _require_channel(connection, draft.conversation)
            earlier = _by_origin(connection, draft.origin)
            if earlier is not None:
                return earlier
            row = connection.execute(
                insert(_messages)
                .values(
                    conversation=draft.conversation,
                    author=draft.author,
                    at=draft.at,
                    change=_next_change(connection),
                    origin=draft.origin,
                    text=draft.text,
                    card=None if draft.card is None else codec.dump(draft.card),
                    mentions=_pack_mentions(draft.shown.mentions),
                    only_for=draft.only_for,
                    asked=draft.asked,
                )
                .returning(_messages)
            )
            return _message(row.mappings().one())

    def change_card(self, conversation: str, message: int, card: Card, shown: Shown) -> None:
        """Show another card in an earlier message of the bot."""
        with self._transaction() as connection:
            changed = connection.execute(
                update(_messages)
                .where(
                    _messages.c.id == message,
                    _messages.c.conversation == conversation,
                    _messages.c.author.is_(None),
                )
                .values(
                    card=codec.dump(card),
                    mentions=_pack_mentions(shown.mentions),
                    change=_next_change(connection),
                )
            )
            if changed.rowcount == 0:
                raise NoSuchMessage(NoSuchMessage.__doc__)

    def by_origin(self, origin: str) -> Message | None:
        with self._transaction() as connection:
            return _by_origin(connection, origin)

    def message(self, conversation: str, message: int) -> Message:
        with self._transaction() as connection:
            row = connection.execute(
                select(_messages).where(_messages.c.id == message, _messages.c.conversation == conversation)
            )
            found = row.mappings().one_or_none()
        if found is None:
            raise NoSuchMessage(NoSuchMessage.__doc__)
        return _message(found)

    def latest(self, conversation: str, viewer: str, before: int | None = None) -> tuple[Message, ...]:
        """The last messages that the viewer may see, oldest first; ``before``: those older than this id."""
        query = _visible(conversation, viewer).where(_messages.c.gone.is_(False))
        if before is not None:
            query = query.where(_messages.c.id < before)
        return self._read(query.order_by(_messages.c.id.desc()).limit(PAGE))[::-1]

    def changed(self, conversation: str, viewer: str, since: int) -> tuple[Message, ...]:
        """The messages written, changed or dismissed after change number ``since``, oldest first."""
        query = _visible(conversation, viewer).where(_messages.c.change > since)
        return self._read(query.order_by(_messages.c.id))

    def dismiss(self, conversation: str, message: int, viewer: str) -> None:
        """Take away a notice that only the viewer sees."""
        with self._transaction() as connection:
            connection.execute(
                update(_messages)
                .where(
                    _messages.c.id == message,
                    _messages.c.conversation == conversation,
                    _messages.c.only_for == viewer,
                )
                .values(gone=True, change=_next_change(connection))
            )

    def _read(self, query: Select[Any]) -> tuple[Message, ...]:
        with self._transaction() as connection:
            return tuple(_message(row) for row in connection.execute(query).mappings())

    # What each person has read -------------------------------------------------------------

    def mark_read(self, user: str, conversation: str, upto: int) -> None:
        with self._transaction() as connection:
            row = sqlite_insert(_read).values(user=user, conversation=conversation, upto=upto)
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["user", "conversation"],
                    set_={"upto": func.max(_read.c.upto, row.excluded.upto)},
                )
            )

    def unread(self, user: str) -> dict[str, int]:
        """How many messages of others wait, by conversation; conversations without any are left out."""
        seen = (
            select(_read.c.upto)
            .where(_read.c.user == user, _read.c.conversation == _messages.c.conversation)
            .scalar_subquery()
        )
        mine = select(_members.c.channel).where(_members.c.user == user)
        query = (
            select(_messages.c.conversation, func.count())
            .where(
                _messages.c.id > func.coalesce(seen, 0),
                func.coalesce(_messages.c.author, "") != user,
                or_(_messages.c.only_for.is_(None), _messages.c.only_for == user),
                or_(_messages.c.conversation == direct(user), _messages.c.conversation.in_(mine)),
                _messages.c.gone.is_(False),
            )
            .group_by(_messages.c.conversation)
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


def _next_change(connection: Connection) -> int:
    changed = connection.execute(update(_state).values(change=_state.c.change + 1).returning(_state.c.change))
    return int(changed.scalar_one())


def _require_channel(connection: Connection, channel: str) -> None:
    if connection.execute(select(_channels.c.id).where(_channels.c.id == channel)).first() is None:
        raise NoSuchConversation(NoSuchConversation.__doc__)


def _join(connection: Connection, channel: str, user: str) -> bool:
    place = select(func.coalesce(func.max(_members.c.place), 0) + 1).where(_members.c.channel == channel)
    joined = connection.execute(
        sqlite_insert(_members)
        .values(channel=channel, user=user, place=place.scalar_subquery())
        .on_conflict_do_nothing()
    )
    return joined.rowcount > 0


def _visible(conversation: str, viewer: str) -> Select[Any]:
    return select(_messages).where(
        _messages.c.conversation == conversation,
        or_(_messages.c.only_for.is_(None), _messages.c.only_for == viewer),
    )


def _by_origin(connection: Connection, origin: str) -> Message | None:
    row = connection.execute(select(_messages).where(_messages.c.origin == origin)).mappings().one_or_none()
    return None if row is None else _message(row)


def _pack_mentions(mentions: Mapping[UUID, str]) -> str:
    return json.dumps({str(person): user for person, user in mentions.items()})


def _message(row: RowMapping) -> Message:
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
