"""The simulation itself: small seeds hold, a seed repeats exactly, and each check notices what it watches over."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, text, update

from handlers.core.actions import SentAction
from handlers.core.cards import Card, say
from handlers.core.forms import Form, TextField
from handlers.core.requests import Reply
from storage.checkins.checkins_tables import figure
from storage.core.database import Database, Tx
from storage.meetings.meetings_tables import meeting
from storage.outbox.outbox_tables import delivery, due_moment
from storage.record import records
from tests.simulation.actors import Shape
from tests.simulation.checks import Broken, ExpectedCheckins
from tests.simulation.habits import SECRET
from tests.simulation.simulation import Failure, Simulation

# Each runs weeks of a whole program, on whatever machine there is.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SMALL = Shape(cohorts=2, days=40, harsh=8)
LONG_AGO = timedelta(days=3)
Sabotage = Callable[[Simulation, Tx], None]


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """A seed that was run to its end, for the checks to look at."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('simulation') / 'plc.sqlite'}")
    made = Simulation(8, replace(SMALL, days=52), database)
    asyncio.run(made.run())
    yield made
    database.close()


def test_a_small_seed_holds_and_much_happens(simulation: Simulation) -> None:
    counts = simulation.diary.counts
    assert counts["received"] > 50
    assert counts["act"] > 100
    assert counts["fault"] > 0
    assert counts["crash"] > 0
    assert simulation.invariants.written, "the checks below need a reflection to lose"


def test_another_small_seed_holds(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'plc.sqlite'}")
    asyncio.run(Simulation(2, SMALL, database).run())
    database.close()


def test_the_same_seed_writes_the_same_diary() -> None:
    """In processes of their own, whose sets of texts have different orders."""
    diaries = {_diary(hash_seed) for hash_seed in ("1", "2")}
    assert len(diaries) == 1


def _diary(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "3", "--cohorts", "2", "--days", "30", "--harsh", "8"]
    ran = subprocess.run(
        command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    return ran.stdout.partition("Diary ")[2]


def test_a_failure_names_the_seed_the_day_and_what_happened_last(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'plc.sqlite'}")
    made = Simulation(4, Shape(cohorts=1, days=5), database)

    def sabotage() -> None:
        if made.day == 2:
            with database.write() as tx:
                tx.execute(delete(due_moment).where(due_moment.c.kind == "digest.weekly"))

    made.at_night = sabotage
    with pytest.raises(Failure) as caught:
        asyncio.run(made.run())
    database.close()
    said = str(caught.value)
    assert said.startswith("Seed 4 broke on day 2 (2026-08-06 08:00 UTC): nothing forgotten: digest.weekly")
    assert "What happened last:\n  2026-08-" in said


# Each check notices ------------------------------------------------------------------------------


def _check(simulation: Simulation, tx: Tx) -> None:
    """All that the end of a simulation checks."""
    checks = simulation.checks
    checks.surprises()
    checks.secrets(tx, whole=True)
    checks.messages(tx, whole=True)
    changed = checks.chains(tx, whole=True)
    checks.standings(tx, changed, whole=True)
    checks.invariants(tx, whole=True)
    checks.due(tx)
    checks.figures(tx)


def _set_delivery(simulation: Simulation, tx: Tx, **values: object) -> None:
    chosen = next(iter(simulation.platforms["paper"].by_delivery))
    tx.execute(update(delivery).where(delivery.c.id == chosen).values(values))


def _waits(simulation: Simulation, tx: Tx) -> None:
    _set_delivery(simulation, tx, state="queued", not_before=simulation.clock.at - LONG_AGO)


def _hangs(simulation: Simulation, tx: Tx) -> None:
    _set_delivery(simulation, tx, state="sending", claimed_until=simulation.clock.at - LONG_AGO)


def _changed_line(simulation: Simulation, tx: Tx) -> None:
    tx.execute(text("DROP TRIGGER ledger_line_no_update"))
    tx.execute(text("UPDATE ledger_line SET reason = 'other'"))


def _cut_line(simulation: Simulation, tx: Tx) -> None:
    tx.execute(text("DROP TRIGGER ledger_line_no_delete"))
    newest = "SELECT id FROM ledger_line WHERE kind <> 'dispute' ORDER BY recorded_at DESC LIMIT 1"
    tx.execute(text(f"DELETE FROM ledger_line WHERE id = ({newest})"))


def _late(simulation: Simulation, tx: Tx) -> None:
    tx.execute(update(due_moment).where(due_moment.c.kind == "tidying").values(state="waiting"))


def _gone(kind: str) -> Sabotage:
    def sabotage(simulation: Simulation, tx: Tx) -> None:
        tx.execute(delete(due_moment).where(due_moment.c.kind == kind, due_moment.c.state == "waiting"))

    return sabotage


def _told_of_too_few(simulation: Simulation, tx: Tx) -> None:
    row = {"id": UUID(int=1), "month": date(2026, 8, 1), "place": "none", "name": "Cohort 1", "members": 6}
    said = {"reserved": 0, "at_least": 5, "mood": "well", "at": simulation.clock.at}
    tx.execute(insert(figure).values(row | said))


def _in_a_table(simulation: Simulation, tx: Tx) -> None:
    tx.execute(update(meeting).values(topic=f"{SECRET}-1"))


SABOTAGES: dict[str, tuple[str, Sabotage]] = {
    "a message that arrived counts as dropped": (
        "nothing lost",
        lambda simulation, tx: _set_delivery(simulation, tx, state="dropped"),
    ),
    "a message waits for ever": ("nothing lost", _waits),
    "a message hangs": ("nothing lost", _hangs),
    "a ledger line is changed": ("the ledger", _changed_line),
    "a ledger line is cut": ("the ledger", _cut_line),
    "a moment is late": ("nothing forgotten", _late),
    "a roster is forgotten": ("nothing forgotten", _gone("attendance.roster")),
    "a reminder is forgotten": ("nothing forgotten", _gone("meeting.reminder")),
    "a digest is forgotten": ("nothing forgotten", _gone("digest.weekly")),
    "a check-in is forgotten": ("nothing forgotten", _gone("checkins.open")),
    "a reflection in a table": ("confidential", _in_a_table),
    "a figure of too few": ("group figures", _told_of_too_few),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_wrong_row_is_noticed(simulation: Simulation, name: str) -> None:
    what, sabotage = SABOTAGES[name]
    with simulation.database.engine.connect() as tx:  # never committed
        sabotage(simulation, tx)
        with pytest.raises(Broken) as caught:
            _check(simulation, tx)
    assert caught.value.what == what


def _broken(simulation: Simulation) -> str:
    with pytest.raises(Broken) as caught, simulation.database.read() as tx:
        _check(simulation, tx)
    return caught.value.what


def test_nothing_is_broken_before_the_sabotage(simulation: Simulation) -> None:
    with simulation.database.read() as tx:
        _check(simulation, tx)


def test_a_message_that_never_arrived_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = simulation.platforms["paper"].by_delivery
    monkeypatch.delitem(arrived, next(iter(arrived)))
    assert _broken(simulation) == "nothing lost"


def test_a_message_that_arrived_twice_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = simulation.platforms["paper"].by_delivery
    first = next(iter(arrived))
    monkeypatch.setitem(arrived, first, arrived[first] * 2)
    assert _broken(simulation) == "nothing doubled"


def test_an_act_that_left_no_line_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    user = next(person.user for person in simulation.everybody if person.role == "mentee")
    monkeypatch.setitem(simulation.invariants.done, "one more", (user, "activity", "logged"))
    assert _broken(simulation) == "nothing lost"


def test_an_act_that_left_two_lines_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    key = next(iter(simulation.invariants.done))
    monkeypatch.delitem(simulation.invariants.done, key)
    assert _broken(simulation) == "nothing doubled"


def test_a_lost_reflection_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    place = next(iter(simulation.invariants.written))
    monkeypatch.setitem(simulation.invariants.written, place, [{"typed": "something else"}])
    assert _broken(simulation) == "nothing lost"


def test_a_wrong_standing_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "read", lambda tx, query, parameters=None: {})
    assert _broken(simulation) == "standings"


def test_a_checkin_that_was_not_opened_is_noticed(simulation: Simulation) -> None:
    expected = ExpectedCheckins(UUID(int=1), frozenset({(UUID(int=2), date(2026, 9, 1))}))
    with pytest.raises(Broken, match="nothing forgotten: no check-in was opened"):
        simulation.checks.after_look([expected])


def test_a_secret_in_a_message_or_in_anothers_form_is_noticed(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation.secrets, "told", [])
    secret = simulation.secrets.new("U-Somebody", "own")
    simulation.secrets.shown_on_a_screen(Card("", (say(secret),)), "D-U-Somebody")
    assert _broken(simulation) == "confidential"
    simulation.secrets.told.clear()
    form = Form(
        "Your reflection",
        SentAction.of("a"),
        SentAction.of("a"),
        fields=(TextField("a", "A", secret),),
        confidential=True,
    )
    simulation.secrets.answered(Reply(form=form), "U-Somebody", ["mentee"])
    assert simulation.secrets.told == []
    simulation.secrets.answered(Reply(form=form), "U-Another", ["coordinator"])
    assert _broken(simulation) == "confidential"


@pytest.mark.parametrize(
    ("words", "what"), [("moment.failed kind=x", "no surprises"), (f"sent {SECRET}-1", "confidential")]
)
def test_a_log_line_is_noticed(simulation: Simulation, words: str, what: str) -> None:
    ears = simulation.checks.ears
    log = logging.getLogger("plc.simulation")
    log.addHandler(ears)
    try:
        log.error(words)
        assert _broken(simulation) == what
    finally:
        log.removeHandler(ears)
        ears.errors.clear()
        ears.secrets.clear()
