"""The roster import: all or nothing, twice is once, nobody is removed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, func, select

from bot.cli.keyring import unlock_database
from bot.cli.roster import NothingImported, import_file, verify_ledger
from bot.settings import Settings
from storage.core.database import Database
from storage.core.work import Work
from storage.people import cohorts, people
from storage.people.people_tables import membership, person
from storage.record import enrolments, ledger
from storage.vault.operator_keys import read_operator_keys
from storage.vault.vault import Vault
from tests.world import OPERATOR_KEY, ROSTER

NOW = datetime(2026, 9, 7, tzinfo=UTC)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(plc_database_url=database_url, plc_port=0, plc_encryption_keys=OPERATOR_KEY)


def unlocked(settings: Settings) -> Database:
    database = Database(settings.database_url)
    unlock_database(database, Vault(read_operator_keys(OPERATOR_KEY)))
    return database


def run(settings: Settings, text: str, *, dry_run: bool = False) -> list[str]:
    return [change.text for change in import_file(settings, text, NOW, uuid4, dry_run=dry_run)]


def count(settings: Settings) -> int:
    database = Database(settings.database_url)
    with database.read() as tx:
        number = tx.scalar(select(func.count()).select_from(person)) or 0
    database.close()
    return number


def test_importing_twice_changes_nothing(settings: Settings) -> None:
    first = run(settings, ROSTER)
    assert "The cohort Ozarks is new." in first
    assert "Dana Reyes <dana@example.org> is new." in first
    assert "Carol Dietz becomes a coordinator." in first
    assert run(settings, ROSTER) == []


def test_a_dry_run_writes_nothing(settings: Settings) -> None:
    assert run(settings, ROSTER, dry_run=True) == run(settings, ROSTER, dry_run=True)
    assert count(settings) == 0


def test_three_broken_rows_import_none_and_name_all_three(settings: Settings) -> None:
    broken = ROSTER.replace("dana@", "dana").replace("Lee Okafor,", ",").replace("America/Denver", "Mars")
    with pytest.raises(NothingImported) as problem:
        run(settings, broken)
    assert [line.split(":")[0] for line in str(problem.value).splitlines()] == ["Line 3", "Line 4", "Line 5"]


def test_a_new_address_keeps_the_record(settings: Settings) -> None:
    run(settings, ROSTER)
    changes = run(settings, ROSTER.replace("dana@example.org", "dana.reyes@example.org"))
    assert changes == ["Dana Reyes: email dana@example.org -> dana.reyes@example.org"]
    assert count(settings) == 7


def test_a_missing_row_removes_nobody(settings: Settings) -> None:
    run(settings, ROSTER)
    assert run(settings, "\n".join(ROSTER.splitlines()[:2])) == []
    database = Database(settings.database_url)
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(membership).where(membership.c.until.is_(None))) == 6
    database.close()


def test_a_changed_role_ends_the_old_place_and_keeps_it(settings: Settings) -> None:
    run(settings, ROSTER)
    changes = run(settings, ROSTER.replace("mentee,Lee Okafor", "mentor,Lee Okafor"))
    assert changes == ["Lee Okafor is now mentor of Ozarks, not mentee."]
    database = unlocked(settings)
    with database.read() as tx:
        lee = people.by_email(tx, "lee@example.org")
        assert lee
        assert [cohort.name for cohort in cohorts.shared_cohorts(tx, lee.id, ("mentor",))] == ["Ozarks"]
        assert tx.scalar(select(func.count()).select_from(membership).where(membership.c.person_id == lee.id)) == 2
    database.close()


def test_an_address_of_somebody_else_is_named(settings: Settings) -> None:
    run(settings, ROSTER)
    with pytest.raises(NothingImported, match=r"Line 2: lee@example\.org belongs to somebody else"):
        run(settings, "cohort,role,name,email,person_id\nOzarks,mentee,Dana Reyes,lee@example.org,P2\n")
    with pytest.raises(NothingImported, match="has the person_id 'P3' already"):
        run(settings, "cohort,role,name,email,person_id\nOzarks,mentee,Lee Okafor,lee@example.org,P99\n")


def test_the_example_file_is_a_good_roster(settings: Settings) -> None:
    text = (Path(__file__).parents[3] / "bot" / "local" / "example.csv").read_text(encoding="utf-8")
    assert len(run(settings, text)) > 10


DANA = "dana@example.org,P2,America/Chicago,R-I,2026-07-01,"
MOVED = ROSTER.replace(DANA, "dana@example.org,P2,,R-IX,2026-07-01,new")


def test_a_changed_district_or_track_is_a_line_of_the_ledger(settings: Settings) -> None:
    run(settings, ROSTER)
    assert run(settings, MOVED) == ["Dana Reyes: district R-I -> R-IX, track (none) -> new"]
    assert run(settings, MOVED) == []
    database = Database(settings.database_url)
    with database.read() as tx:
        dana = people.by_email(tx, "dana@example.org")
        assert dana
        (line,) = ledger.of_person(tx, dana.id)
        mine = enrolments.of_person(tx, dana.id)
    database.close()
    assert mine
    assert (mine.district, mine.track) == ("R-IX", "new")
    assert (line.kind, line.step, line.by, line.verified) == ("enrolment", "changed", None, "operator")
    assert line.detail == {"district": {"from": "R-I", "to": "R-IX"}, "track": {"from": "", "to": "new"}}
    assert verify_ledger(settings, line.mark.hex()).problems == []


def test_without_the_databases_key_nothing_is_imported(settings: Settings) -> None:
    run(settings, ROSTER)
    other = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMTI="  # opens nothing here
    with_other = settings.model_copy(update={"plc_encryption_keys": other})
    with pytest.raises(NothingImported, match="PLC_ENCRYPTION_KEYS lacks the ledger's key"):
        run(with_other, MOVED)


HEADER = "cohort,role,name,email,program start,track\n"


def many(count: int) -> str:
    rows = (f"Cohort {n // 20},mentee,Person {n},p{n}@example.org,2026-07-01,new\n" for n in range(count))
    return HEADER + "".join(rows)


def test_an_unknown_track_is_refused_by_name_and_nothing_is_imported(settings: Settings) -> None:
    file = HEADER + "Ozarks,mentee,Dana Reyes,dana@example.org,2026-07-01,part time\n"
    with pytest.raises(NothingImported) as problem:
        run(settings, file + "Ozarks,mentee,Lee Okafor,lee@example.org,2026-07-01,returning\n")
    assert str(problem.value) == (
        "Line 2: Dana Reyes: the track 'part time' is not in the policy missouri-dese/2018; "
        "its tracks are new and returning."
    )
    assert count(settings) == 0
    assert len(run(settings, file.replace("part time", "New to the Profession"))) == 3


def test_a_long_file_takes_a_few_statements_and_tells_how_far_it_is(settings: Settings) -> None:
    statements: list[str] = []

    def counted(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    told: list[tuple[str, int, int]] = []
    event.listen(Engine, "before_cursor_execute", counted)
    try:
        changes = import_file(settings, many(2_500), NOW, uuid4, dry_run=False, report=lambda *part: told.append(part))
    finally:
        event.remove(Engine, "before_cursor_execute", counted)
    assert len(changes) == 2 * 2_500 + 125
    written = [text for text in statements if text.startswith(("INSERT", "UPDATE", "SELECT")) and "alembic" not in text]
    assert len(written) < 2_500 / 5  # a new cohort is a statement of its own
    assert told[-1] == ("Enrollments", 2_500, 2_500)
    assert ("Checking", 1_000, 2_500) in told


def test_the_program_goes_on_while_a_file_is_prepared_and_what_changed_meanwhile_counts(settings: Settings) -> None:
    run(settings, ROSTER)
    meanwhile = [HEADER + "Gateway,mentor,Person Eight,p8@example.org,,\n"]

    def report(what: str, _done: int, _total: int) -> None:
        if what == "Checking" and meanwhile:
            run(settings, meanwhile.pop())  # would wait in vain for a writer that the import holds

    changes = import_file(settings, many(40), NOW, uuid4, dry_run=False, report=report)
    assert "Person Eight: name Person Eight -> Person 8" in [change.text for change in changes]
    assert count(settings) == 7 + 40


def test_a_file_that_keeps_changing_is_prepared_inside_the_transaction_at_last(settings: Settings) -> None:
    run(settings, ROSTER)
    extra = iter(range(100, 102))  # as often as the writer is free

    def report(what: str, _done: int, _total: int) -> None:
        number = next(extra, None)
        if what == "Checking" and number is not None:
            run(settings, HEADER + f"Gateway,mentor,Extra {number},x{number}@example.org,,\n")

    import_file(settings, many(3), NOW, uuid4, dry_run=False, report=report)
    assert count(settings) == 7 + 2 + 3


def test_an_import_that_fails_at_its_end_leaves_nothing(settings: Settings) -> None:
    def report(what: str, _done: int, _total: int) -> None:
        if what == "Enrollments":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(settings, many(3), NOW, uuid4, dry_run=False, report=report)
    assert count(settings) == 0


# What was taken away ------------------------------------------------------------------------------


def _takes_away(settings: Settings) -> None:
    """Ruth is removed as a mentor, Dana leaves, and Carol's role ends."""
    database = unlocked(settings)
    with database.write() as tx:
        work = Work(tx, NOW, uuid4)
        for email in ("ruth@example.org", "dana@example.org"):
            someone = people.by_email(tx, email)
            assert someone is not None
            for cohort in cohorts.shared_cohorts(tx, someone.id):
                cohorts.leave(work, cohort.id, someone.id, None)
        carol = people.by_email(tx, "carol@example.org")
        assert carol is not None
        people.end_coordinator(work, carol.id, "command")
    database.close()


def test_the_same_file_does_not_give_back_what_was_taken_away(settings: Settings) -> None:
    run(settings, ROSTER)
    _takes_away(settings)
    with pytest.raises(NothingImported) as problem:
        run(settings, ROSTER)
    assert str(problem.value).splitlines() == [
        f"Line {line}: {who} on September 6, 2026. Delete this line, or give the role back by importing with "
        "--restore-removed."
        for line, who in (
            (2, "Ruth Ellison was removed as mentor of Ozarks"),
            (3, "Dana Reyes was removed as mentee of Ozarks"),
            (8, "Carol Dietz was removed as coordinator"),
        )
    ]
    kept = "".join(line for line in ROSTER.splitlines(True) if "Ruth" not in line and "Dana" not in line)
    assert run(settings, kept.replace(kept.splitlines(True)[-1], "")) == []


def test_what_was_taken_away_is_given_back_on_request_and_the_same_file_is_nothing_new_then(settings: Settings) -> None:
    run(settings, ROSTER)
    _takes_away(settings)
    changes = [change.text for change in import_file(settings, ROSTER, NOW, uuid4, dry_run=False, restore_removed=True)]
    assert changes == [
        "Ruth Ellison joins Ozarks as mentor.",
        "Dana Reyes joins Ozarks as mentee.",
        "Carol Dietz becomes a coordinator.",
    ]
    assert run(settings, ROSTER) == []


@pytest.mark.parametrize("first", ["settings", "roster"])
def test_a_coordinator_of_settings_and_roster_stays_one_when_the_settings_end(settings: Settings, first: str) -> None:
    run(settings, ROSTER)
    database = unlocked(settings)
    times = itertools.count()

    def named(*addresses: str) -> None:
        with database.write() as tx:
            work = Work(tx, NOW + timedelta(hours=next(times)), uuid4)
            people.ensure_coordinators(work, addresses, "America/Chicago")

    try:
        if first == "settings":
            named("new@example.org")
        run(settings, ROSTER + "Program,,coordinator,New One,new@example.org,P8,America/Chicago,,,\n")
        named("new@example.org")
        named("new@example.org")
        named()
        with database.read() as tx:
            (new,) = [person.id for person in people.coordinators(tx) if person.name == "New One"]
            assert people.named_by(tx, new) == {people.ROSTER}
    finally:
        database.close()
