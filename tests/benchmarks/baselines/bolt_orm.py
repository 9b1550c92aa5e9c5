"""A slack-bolt listener that reads a person and adds a row through SQLAlchemy's async ORM, then acknowledges.

``python -m tests.benchmarks.baselines.bolt_orm API_URL DATABASE_URL``. It keeps a tap as durably as the product.
"""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import ForeignKey, String, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from manifest.slack import EVENTS_PATH
from tests.benchmarks.serving import serve
from tests.fakes.slack import BOT_TOKEN, SIGNING_SECRET

PEOPLE = 10_000
USER = "U{:07d}"


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "baseline_person"
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(String(20), unique=True)


class Tap(Base):
    __tablename__ = "baseline_tap"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id))
    meeting: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(make_url(url).set(drivername="postgresql+psycopg"))
    # One connection: several that write would only wait for each other's lock, and longer.
    address = make_url(url).set(drivername="sqlite+aiosqlite")
    engine = create_async_engine(address, pool_size=1, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # as durable as the product
        cursor.close()

    return engine


async def _prepare(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        await tx.run_sync(Base.metadata.create_all)
        await tx.execute(insert(Person), [{"user": USER.format(number)} for number in range(PEOPLE)])


async def main(api_url: str, database_url: str) -> None:
    engine = _engine(database_url)
    await _prepare(engine)
    sessions = async_sessionmaker(engine)
    client = AsyncWebClient(token=BOT_TOKEN, base_url=api_url)
    app = AsyncApp(client=client, signing_secret=SIGNING_SECRET)

    async def tap(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with sessions() as session:
            query = select(Person).where(Person.user == body["user"]["id"])
            person = (await session.scalars(query)).one()
            now = datetime.now(UTC).isoformat()
            session.add(Tap(person_id=person.id, meeting=body["actions"][0]["value"], at=now))
            await session.commit()
        await ack()

    app.action(re.compile(".*"))(tap)
    await serve(app.web_app(EVENTS_PATH))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
