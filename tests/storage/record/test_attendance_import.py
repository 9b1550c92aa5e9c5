"""Earlier attendance: all or nothing, once, with its source."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from bot.cli.roster import NothingImported, import_attendance_file, import_file, verify_ledger
from bot.settings import Settings
from program.record.wording import RecordLine
from storage.core.database import Database
from storage.people import people
from storage.record import ledger, standings
from storage.record.record_tables import enrolment
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
    return import_attendance_file(settings, text, attests, NOW, uuid4, dry_run=dry_run)


def lines(settings: Settings, email: str) -> list[RecordLine]:
    database = Database(settings.database_url)
    with database.read() as tx:
        person = people.by_email(tx, email)
        assert person
        of_person = ledger.of_person(tx, person.id)
    database.close()
    return of_person


def test_a_file_is_imported_once_with_its_source(settings: Settings) -> None:
    assert run(settings, dry_run=True) == 2
    assert lines(settings, "dana@example.org") == []
    assert run(settings) == 2
    line, whole = lines(settings, "dana@example.org")
    assert (whole.kind, whole.step, whole.verified, whole.code) == ("import", "imported", "import", line.code)
    assert whole.detail["meetings"] == 1
    assert (line.step, line.status, line.minutes, line.verified) == ("imported", "present", 60, "import")
    assert len(line.code) == 64
    assert line.detail["topic"] == "Start"
    with pytest.raises(NothingImported, match="imported this file already"):
        run(settings)
    with pytest.raises(NothingImported, match="Dana Reyes has a meeting on 2025-10-09"):
        run(settings, FILE + "\n")
    assert verify_ledger(settings, whole.mark.hex()).problems == []


def test_every_broken_row_is_named_and_none_imported(settings: Settings) -> None:
    broken = FILE + "nobody@example.org,2025-10-09,60,,\ndana,soon,0,late,\n" + FILE.splitlines()[1] + "\n"
    with pytest.raises(NothingImported) as problem:
        run(settings, broken)
    text = str(problem.value)
    assert "Line 5: 'dana' is not an email address" in text
    assert "Line 5: 'late' is not a status" in text
    assert "Line 6: dana@example.org on 2025-10-09 stands in line 2 already" in text
    for row, wrong in (
        ("dana@example.org,2026-09-09,60,,", "The date 2026-09-09 is in the future"),
        ("dana@example.org,2025-10-09,0,,", "'0' is not a number of minutes"),
        ("dana@example.org,2025-10-09,1441,,", "'1441' is not a number of minutes"),
        (f"dana@example.org,2025-10-09,{'9' * 5000},,", "is not a number of minutes"),
    ):
        with pytest.raises(NothingImported, match=wrong):
            run(settings, f"email,date,minutes,status,topic\n{row}\n")
    with pytest.raises(NothingImported, match=r"Line 4: nobody@example\.org is not on the roster"):
        run(settings, FILE + "nobody@example.org,2025-10-09,60,,\n")
    with pytest.raises(NothingImported, match="Ruth Ellison is not enrolled"):
        run(settings, FILE + "ruth@example.org,2025-10-09,60,,\n")
    with pytest.raises(NothingImported, match="Name a person on the roster who confirms"):
        run(settings, attests="x@example.org")
    assert lines(settings, "dana@example.org") == []


def states(settings: Settings) -> dict[str, str]:
    database = Database(settings.database_url)
    with database.read() as tx:
        states = {mentee.name: str(mentee.standing.state) for mentee in standings.of_cohorts(tx, None, NOW)}
    database.close()
    return states


def test_whom_an_import_covers_is_imported_even_without_a_meeting(settings: Settings) -> None:
    database = Database(settings.database_url)
    with database.write() as tx:
        tx.execute(enrolment.update().values(starts=date(2025, 7, 1)))
    database.close()
    assert set(states(settings).values()) == {"history not imported"}
    assert run(settings, "email,date,minutes\ndana@example.org,2025-10-09,60\nsam@example.org,,\n") == 2
    (line,) = lines(settings, "sam@example.org")
    assert (line.kind, line.detail["meetings"]) == ("import", 0)
    assert [name for name, state in states(settings).items() if state != "history not imported"] == [
        "Dana Reyes",
        "Sam Whitfield",
    ]


def test_a_row_without_a_meeting_contradicts_one_with_a_meeting(settings: Settings) -> None:
    with pytest.raises(NothingImported, match=r"Line 4: dana@example\.org has meetings in this file"):
        run(settings, FILE + "dana@example.org,,,,\n")
    with pytest.raises(NothingImported, match=r"Line 5: sam@example\.org without a meeting stands in line 4 already"):
        run(settings, FILE + "sam@example.org,,,,\nsam@example.org,,,,\n")
    with pytest.raises(NothingImported, match="Line 4: '' is not a date"):
        run(settings, FILE + "sam@example.org,,60,,\n")
    assert lines(settings, "dana@example.org") == []
