"""The migration that gives choices and pauses to the accounts that made them."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import column, insert, select, table, text, update
from sqlalchemy.exc import DBAPIError

from storage.checkins.checkins_tables import consent
from storage.core.core_tables import audit_entry
from storage.core.database import Database
from storage.core.migrate import _config, migrate
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account, person
from tests.world import START

LATER = START + timedelta(days=1)


@pytest.mark.empty_database
def test_choices_and_pauses_go_to_the_accounts_that_made_them(database: Database) -> None:
    """A choice goes to the account that was linked when it was made, which may have been replaced since."""
    dana, place, earlier, now = (uuid4() for _ in range(4))
    of_before = table("person", *map(column, ("id", "name", "email", "zone", "checkins", "snoozed_until")))
    with database.write() as tx:
        if not database.sqlite:
            tx.execute(text("CREATE SCHEMA keys"))
        command.upgrade(_config(tx), "0014_homes")
        tx.execute(insert(person).values(id=dana, name="D", email="d@example.org", zone="UTC", coordinator=False))
        tx.execute(update(of_before).values(checkins=False, snoozed_until=date(2026, 12, 25)))
        tx.execute(insert(installation).values(id=place, platform="slack", tenant="T"))
        for account_id, link, owner in ((earlier, "none", None), (now, "confirmed", dana)):
            row = {"id": account_id, "installation_id": place, "user": str(account_id), "name": "D", "email": ""}
            more = {"member": True, "active": True, "person_id": owner, "link": link, "seen_at": START}
            tx.execute(insert(account).values(row | more))
        for at, account_id in ((START, earlier), (LATER, now)):
            line = {"id": uuid4(), "at": at, "by": None, "subject": dana, "what": "account.linked"}
            tx.execute(insert(audit_entry).values(line | {"detail": {"account": str(account_id)}}))
        for number, decision, at in ((1, "declined", START), (2, "agreed", LATER)):
            row = {"id": uuid4(), "person_id": dana, "number": number, "version": "1", "decision": decision, "at": at}
            tx.execute(insert(consent).values(row))
    assert migrate(database) is True
    with database.read() as tx:
        decided = tx.execute(select(consent.c.decision, consent.c.account_id).order_by(consent.c.number)).all()
        assert [tuple(row) for row in decided] == [("declined", earlier), ("agreed", now)]
        columns = (account.c.id, account.c.sees_from, account.c.checkins, account.c.snoozed_until)
        rows = {row.id: tuple(row[1:]) for row in tx.execute(select(*columns))}
        assert rows == {earlier: (None, None, None), now: (LATER, False, date(2026, 12, 25))}
    with pytest.raises(DBAPIError, match="append-only"), database.write() as tx:
        tx.execute(update(consent).values(decision="agreed"))
    with pytest.raises(DBAPIError, match="append-only"), database.write() as tx:
        tx.execute(consent.delete())
