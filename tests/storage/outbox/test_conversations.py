"""Where somebody is written to: the chat they were heard from last, on both databases."""

from __future__ import annotations

from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import select, text

from handlers.core.requests import AccountKey, Place, Request, Typed
from storage.core.database import Database
from storage.core.migrate import _config, migrate
from storage.outbox import conversations
from storage.outbox.outbox_tables import conversation, installation
from storage.people.people_tables import account
from tests.world import PLATFORM, START, TENANT, Person, World


async def types_in(world: World, person: Person, chat: str) -> None:
    who = AccountKey(PLATFORM, TENANT, person.user)
    place = Place(PLATFORM, TENANT, chat, "personal")
    await world.dispatcher.answer(Request(who, place, Typed("progress"), f"{chat}:{world.new_id()}"))


async def test_messages_go_to_the_chat_that_somebody_wrote_from_last(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    for chat in ("D-1", "D-2", "D-3", "D-2"):
        await types_in(world, dana, chat)
        with world.database.read() as tx:
            account = conversations.find(tx, PLATFORM, TENANT, chat)
            assert account is not None
            assert account.account_id is not None
            current = conversations.of_account(tx, account.account_id)
        assert current is not None
        assert current.external == chat


async def test_an_earlier_chat_of_somebody_else_stays(world: World) -> None:
    dana, lee = world.matched("Dana Reyes", "dana@example.org"), world.matched("Lee Okafor", "lee@example.org")
    await types_in(world, lee, "D-lee")
    await types_in(world, dana, "D-1")
    await types_in(world, dana, "D-2")

    with world.database.read() as tx:
        conversation_of = {name: conversations.find(tx, PLATFORM, TENANT, name) for name in ("D-lee", "D-1", "D-2")}
    assert {name: place.gone for name, place in conversation_of.items() if place} == {
        "D-lee": False,
        "D-1": True,
        "D-2": False,
    }


@pytest.mark.empty_database
def test_of_several_known_chats_none_is_trusted_after_the_migration(database: Database) -> None:
    dana, lee, place = uuid4(), uuid4(), uuid4()
    with database.write() as tx:
        if not database.sqlite:
            tx.execute(text("CREATE SCHEMA keys"))
        command.upgrade(_config(tx), "0005_digest")
        tx.execute(installation.insert().values(id=place, platform="teams", tenant="T"))
        for id_ in (dana, lee):
            facts = {"name": "", "email": "", "member": True, "active": True, "link": "none", "seen_at": START}
            tx.execute(account.insert().values(id=id_, installation_id=place, user=str(id_), **facts))
        for chat, id_ in (("old", dana), ("new", dana), ("only", lee)):
            facts = {"external": chat, "kind": "personal", "name": "", "reference": {}, "account_id": id_}
            tx.execute(conversation.insert().values(id=uuid4(), installation_id=place, **facts))
    migrate(database)
    with database.read() as tx:
        rows = tx.execute(select(conversation.c.external, conversation.c.gone)).all()
        assert {row.external: row.gone for row in rows} == {"old": True, "new": True, "only": False}
