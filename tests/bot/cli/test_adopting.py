"""Adopting a policy: who is enrolled already is taken along on request, by name, in the ledger, or nobody is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.cli.roster import NothingImported, adopt_policy, import_file, mentees_to_move, verify_ledger
from bot.settings import Settings
from storage.core.database import Database
from storage.outbox.outbox_tables import delivery
from storage.record import policies
from storage.record.record_tables import enrolment, ledger_line, policy
from tests.world import OPERATOR_KEY, ROSTER

NOW = datetime(2026, 9, 7, tzinfo=UTC)
FROM = date(2026, 7, 1)


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = Settings(plc_database_url=database_url, plc_port=0, plc_encryption_keys=OPERATOR_KEY)
    import_file(made, ROSTER.replace("R-III,2026-07-01,", "R-III,2026-07-01,new"), NOW, uuid4, dry_run=False)
    return made


def text_without(*tracks: str) -> str:
    text = policies.shipped(policies.EXAMPLE).text.replace('version = "1"', 'version = "9"', 1)
    for track in tracks:
        text = text.replace(f'id = "{track}"', f'id = "other-{track}"').replace('"New to the profession"', '"Other"')
    return text


def names(settings: Settings) -> set[str]:
    database = Database(settings.database_url)
    with database.read() as tx:
        on = set(tx.scalars(select(enrolment.c.policy)))
    database.close()
    return on


def test_those_enrolled_stay_unless_they_are_taken_along(settings: Settings) -> None:
    assert mentees_to_move(settings, text_without(), NOW) == 4
    adopt_policy(settings, text_without(), FROM, NOW, uuid4)
    assert names(settings) == {policies.MISSOURI}


def test_those_taken_along_have_a_line_in_the_ledger_and_are_told(settings: Settings) -> None:
    told = adopt_policy(settings, text_without(), FROM, NOW, uuid4, take_along=True)
    assert "4 mentees moved to it." in told
    assert names(settings) == {"example/9"}
    database = Database(settings.database_url)
    with database.read() as tx:
        lines = tx.execute(select(ledger_line).where(ledger_line.c.kind == "policy")).all()
        sent = tx.execute(select(delivery.c.person_id).where(delivery.c.kind == "record.changed")).all()
    database.close()
    assert [row.detail for row in lines] == [{"from": policies.MISSOURI, "to": "example/9"}] * 4
    assert len({row.person_id for row in sent}) == 4
    assert verify_ledger(settings, "").problems == []


def test_a_track_that_the_policy_lacks_is_named_and_nothing_is_adopted(settings: Settings) -> None:
    with pytest.raises(NothingImported, match="Sam Whitfield: example/9 has no track 'new'"):
        adopt_policy(settings, text_without("new"), FROM, NOW, uuid4, take_along=True)
    assert names(settings) == {policies.MISSOURI}
    database = Database(settings.database_url)
    with database.read() as tx:
        assert tx.execute(select(policy)).all() == []
    database.close()


def test_nobody_is_moved_to_a_policy_before_it_applies(settings: Settings) -> None:
    later = date(2027, 7, 1)
    with pytest.raises(NothingImported, match="example/9 applies from 2027-07-01"):
        adopt_policy(settings, text_without(), later, NOW, uuid4, take_along=True)
    assert names(settings) == {policies.MISSOURI}
    adopt_policy(settings, text_without(), later, NOW, uuid4)
    told = adopt_policy(settings, text_without(), later, NOW.replace(year=2028), uuid4, take_along=True)
    assert "4 mentees moved to it." in told
    assert names(settings) == {"example/9"}


def test_a_changed_document_of_the_same_version_moves_nobody(settings: Settings) -> None:
    adopt_policy(settings, text_without(), FROM, NOW, uuid4)
    with pytest.raises(NothingImported, match="a changed document needs a new version"):
        adopt_policy(settings, text_without() + "\n# changed", FROM, NOW, uuid4, take_along=True)
    assert names(settings) == {policies.MISSOURI}
