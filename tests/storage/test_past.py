"""Earlier attendance: all or nothing, once, with its source."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.roster import NothingImported, import_file, import_past, verify_ledger
from bot.settings import Settings
from storage import ledger, people
from storage.database import Database
from tests.world import OPERATOR_KEY, ROSTER

NOW = datetime(2026, 9, 7, tzinfo=UTC)
FILE = (
    "email,date,minutes,status,topic\ndana@example.org,2025-10-09,60,,Start\nlee@example.org,2025-10-09,30,partial,\n"
)


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = Settings(plc_database_url=database_url, plc_port=0, plc_encryption_keys=OPERATOR_KEY)
    import_file(made, ROSTER, NOW, uuid4, dry_run=False)
    return made


def run(settings: Settings, text: str = FILE, attests: str = "ruth@example.org", *, dry_run: bool = False) -> int:
    return import_past(settings, text, attests, NOW, uuid4, dry_run=dry_run)


def lines(settings: Settings, email: str) -> list[ledger.Recorded]:
    database = Database(settings.database_url)
    with database.read() as tx:
        person = people.by_email(tx, email)
        assert person
        found = ledger.of_person(tx, person.id)
    database.close()
    return found


def test_a_file_is_imported_once_with_its_source(settings: Settings) -> None:
    assert run(settings, dry_run=True) == 2
    assert lines(settings, "dana@example.org") == []
    assert run(settings) == 2
    (line,) = lines(settings, "dana@example.org")
    assert (line.step, line.status, line.minutes, line.verified) == ("imported", "present", 60, "import")
    assert len(line.code) == 64
    assert line.detail["topic"] == "Start"
    with pytest.raises(NothingImported, match="imported already"):
        run(settings)
    with pytest.raises(NothingImported, match="Dana Reyes has a meeting on 2025-10-09"):
        run(settings, FILE + "\n")
    assert verify_ledger(settings, line.mark.hex()).problems == []


def test_every_broken_row_is_named_and_none_imported(settings: Settings) -> None:
    broken = FILE + "nobody@example.org,2025-10-09,60,,\ndana,soon,0,late,\n" + FILE.splitlines()[1] + "\n"
    with pytest.raises(NothingImported) as problem:
        run(settings, broken)
    text = str(problem.value)
    assert "Line 5: 'dana' is not an e-mail address" in text
    assert "Line 5: The status 'late'" in text
    assert "Line 6: dana@example.org on 2025-10-09 stands in line 2 already" in text
    with pytest.raises(NothingImported, match=r"Line 4: nobody@example\.org is not on the roster"):
        run(settings, FILE + "nobody@example.org,2025-10-09,60,,\n")
    with pytest.raises(NothingImported, match="Ruth Ellison is not enrolled"):
        run(settings, FILE + "ruth@example.org,2025-10-09,60,,\n")
    with pytest.raises(NothingImported, match="vouches"):
        run(settings, attests="x@example.org")
    assert lines(settings, "dana@example.org") == []
