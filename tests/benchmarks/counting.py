"""What is computed over the whole program: standings, and the planning of everybody's check-ins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, event, func, insert, select

from handlers.checkins.opening import open_checkins
from handlers.program_desk.digest import digest_card
from program.core.times import DEFAULT_ZONE
from storage.checkins.checkins_tables import checkin_schedule
from storage.core.database import Database, Tx
from storage.core.work import Work
from storage.meetings.meetings_tables import meeting
from storage.outbox.due import Moment
from storage.outbox.outbox_tables import delivery
from storage.people.people_tables import person
from storage.record import standings
from storage.record.record_tables import enrolment, ledger_line
from storage.record.records import _COLUMNS
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import Figure, Goal, Trial, compared
from tests.benchmarks.seed import Size

SIZE = Size(mentees=10_000)
SMALL = Size(mentees=100)

STANDINGS = Goal("standings", 3, "lower")
QUERIES = Goal("standings", 1, "lower", "queries")
PLANNING = Goal("plan_checkins", 4, "lower")


async def standings_of_all(bench: Bench, kind: str) -> list[Figure]:
    now = datetime.now(UTC)
    with opened(bench.databases.copy(kind, SIZE)) as database, opened(bench.databases.copy(kind, SMALL)) as small:

        def measure(tx: Tx) -> object:
            return standings.of_cohorts(tx, None, now)

        queries = [float(_queries(database_of_size, measure)) for database_of_size in (database, small)]
        figures = await compared(
            STANDINGS, kind, "s", reading(database, measure), reading(database, _fetch), bench.rounds
        )
        return [*figures, Figure(QUERIES, kind, "queries", queries[:1], queries[1:])]


def _fetch(tx: Tx) -> object:
    """The rows that every standing rests on."""
    query = (
        select(*_COLUMNS)
        .join_from(ledger_line, enrolment)
        .join(meeting, meeting.c.id == ledger_line.c.meeting_id, isouter=True)
        .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
    )
    return tx.execute(query).all()


def _queries(database: Database, question: Callable[[Tx], object]) -> int:
    asked = 0

    def count(*_arguments: Any) -> None:
        nonlocal asked
        asked += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        with database.read() as tx:
            question(tx)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    return asked


async def plan_checkins(bench: Bench, kind: str) -> list[Figure]:
    """The baseline inserts as many rows as the planning queues deliveries, into the same table."""
    with opened(bench.databases.copy(kind, SIZE)) as database:
        ours = planning(database, SIZE.mentees)
        return await compared(PLANNING, kind, "s", ours, _inserting(database, SIZE.mentees), bench.rounds)


def planning(database: Database, expected: int) -> Trial:
    """Seconds that the next check-ins of everybody take; each try plans the check-ins after the last one's."""

    async def trial() -> float:
        with database.read() as tx:
            at = tx.scalar(select(func.min(checkin_schedule.c.next_at)))
            before = _delivered(tx)
        assert at is not None
        began = time.perf_counter()
        with database.write() as tx:
            moment = Moment(uuid4(), "checkins.open", at.isoformat(), 0, at, 0)
            open_checkins(Work(tx, at, uuid4), moment)
        took = time.perf_counter() - began
        with database.read() as tx:
            assert _delivered(tx) - before == expected
        return took

    return trial


def _delivered(tx: Tx) -> int:
    return tx.scalar(select(func.count()).select_from(delivery).where(delivery.c.kind == "checkin")) or 0


def _inserting(database: Database, count: int) -> Trial:
    with database.read() as tx:
        people = list(tx.scalars(select(person.c.id).limit(count)))

    async def trial() -> float:
        now = datetime.now(UTC)
        rows = [
            {
                "id": uuid4(),
                "verb": "post",
                "kind": "baseline",
                "subject": str(uuid4()),
                "person_id": person,
                "key": f"baseline:{uuid4()}",
                "state": "queued",
                "created_at": now,
                "not_before": now,
            }
            for person in people
        ]
        began = time.perf_counter()
        with database.write() as tx:
            tx.execute(insert(delivery), rows)
        return time.perf_counter() - began

    return trial


def digest(database: Database) -> Trial:
    """Seconds that a coordinator's digest takes."""
    return reading(database, lambda tx: digest_card(Work(tx, datetime.now(UTC), uuid4, b"key"), DEFAULT_ZONE))


def reading(database: Database, question: Callable[[Tx], object]) -> Trial:
    async def trial() -> float:
        began = time.perf_counter()
        with database.read() as tx:
            question(tx)
        return time.perf_counter() - began

    return trial


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
