"""The migration that notes which accounts were linked after another one of their person lost its link."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from alembic import command
from sqlalchemy import column, insert, select, table, text

from storage.core.core_tables import audit_entry
from storage.core.database import Database
from storage.core.migrate import _config, migrate
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account, person
from tests.world import START

FACTS = {"name": "", "email": "", "member": True, "active": True, "seen_at": START}


@pytest.mark.empty_database
def test_an_account_that_was_linked_after_another_one_was_lost_sees_what_came_after(database: Database) -> None:
    of_before = table("account", *(column(name, account.c[name].type) for name in ("id", "person_id", "link")))
    of_before.append_column(column("linked_at", account.c.sees_from.type))
    slack, teams, dana, lee, sam = (uuid4() for _ in range(5))
    stays, replaced, new, additional, moved, alone = (uuid4() for _ in range(6))
    links: list[tuple[UUID, UUID]] = [
        (dana, stays),
        (dana, replaced),
        (lee, moved),
        (dana, new),  # in place of the replaced one
        (sam, moved),  # it was Lee's
        (lee, alone),  # after Lee had lost one
        (sam, additional),  # Sam has lost none
    ]
    places = {stays: slack, replaced: teams, new: teams, moved: slack, alone: slack, additional: teams}
    owners = {account_id: person_id for person_id, account_id in links if account_id != replaced}
    at = {account_id: START + timedelta(days=number) for number, (_, account_id) in enumerate(links)}
    with database.write() as tx:
        if not database.sqlite:
            tx.execute(text("CREATE SCHEMA keys"))
        command.upgrade(_config(tx), "0016_gone_reports")
        for person_id in (dana, lee, sam):
            row = {"id": person_id, "name": "D", "email": str(person_id), "zone": "UTC", "coordinator": False}
            tx.execute(insert(person).values(row))
        for place in (slack, teams):
            tx.execute(insert(installation).values(id=place, platform="slack", tenant=str(place)))
        for account_id, place in places.items():
            row = {"id": account_id, "installation_id": place, "user": str(account_id), "person_id": None}
            tx.execute(insert(account).values({**row, **FACTS, "link": "none"}))
        for account_id, person_id in owners.items():
            linked = {"person_id": person_id, "link": "confirmed", "linked_at": at[account_id]}
            tx.execute(of_before.update().where(of_before.c.id == account_id).values(linked))
        for number, (person_id, account_id) in enumerate(links):
            line = {"id": uuid4(), "at": START + timedelta(days=number), "by": None, "subject": person_id}
            detail = {"account": str(account_id)}
            tx.execute(insert(audit_entry).values({**line, "what": "account.linked", "detail": detail}))
    assert migrate(database) is True
    with database.read() as tx:
        rows = {row.id: row.sees_from for row in tx.execute(select(account.c.id, account.c.sees_from))}
    assert rows == {
        stays: None,
        replaced: None,
        new: at[new],
        moved: None,
        alone: at[alone],
        additional: None,
    }
