"""Transactions in threads: those that wait share one, and what fails among them undoes only itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.runtime.threads import DatabaseThreads
from storage.core import processes
from storage.core.core_tables import process
from storage.core.database import Database, Tx
from storage.core.migrate import migrate
from storage.core.processes import Process

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
async def threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DatabaseThreads]:
    """On a busy machine too, a transaction takes everybody along who waits."""
    monkeypatch.setattr("bot.runtime.threads.BATCH_SECONDS", 3600.0)
    database = Database(f"sqlite:///{tmp_path / 'plc.sqlite'}")
    migrate(database)
    made = DatabaseThreads(database)
    yield made
    made.close()


def adds(name: str, id_: UUID | None = None) -> Callable[[Tx], str]:
    def add(tx: Tx) -> str:
        processes.announce(tx, Process(id_ or uuid4(), name, NOW, NOW, []))
        return name

    return add


def adds_and(name: str, fails: Callable[[Tx], object]) -> Callable[[Tx], str]:
    def add(tx: Tx) -> str:
        adds(name)(tx)
        fails(tx)
        return name

    return add


def refuses(_tx: Tx) -> None:
    raise ValueError("refused")


def stored(threads: DatabaseThreads) -> set[str]:
    with threads.database.read() as tx:
        return set(tx.scalars(select(process.c.name)))


class Busy:
    """Holds the writer until it is let go, so that what is written meanwhile waits together."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads, self._begun, self._go = threads, threading.Event(), threading.Event()
        self.commits: list[set[str]] = []  # what was stored at each
        event.listen(threads.database.engine, "commit", self._committed)

    def _committed(self, tx: Tx) -> None:
        self.commits.append(set(tx.scalars(select(process.c.name))))

    async def begin(self) -> asyncio.Future[None]:
        def hold() -> None:
            self._begun.set()
            self._go.wait()

        held = asyncio.ensure_future(self._threads.run_exclusively(hold))
        await asyncio.to_thread(self._begun.wait)
        return held

    def end(self) -> None:
        self._go.set()


async def waiting(threads: DatabaseThreads, *acts: Callable[[Tx], object], interactive: bool = True) -> list[object]:
    """All of these while the writer is busy; what becomes of each."""
    busy = Busy(threads)
    held = await busy.begin()
    asked = [asyncio.ensure_future(threads.write(function, interactive=interactive)) for function in acts]
    await asyncio.sleep(0)
    busy.end()
    gather: list[object] = list(await asyncio.gather(*asked, return_exceptions=True))
    await held
    gather.append(busy.commits)
    return gather


async def test_what_waits_is_written_at_once(threads: DatabaseThreads) -> None:
    *said, commits = await waiting(threads, adds("a"), adds("b"), adds("c"))
    assert said == ["a", "b", "c"]
    assert commits == [{"a", "b", "c"}]


async def test_what_fails_undoes_only_itself(threads: DatabaseThreads) -> None:
    first, refused, last, commits = await waiting(threads, adds("a"), adds_and("b", refuses), adds("c"))
    assert (first, last) == ("a", "c")
    assert isinstance(refused, ValueError)
    assert commits == [{"a", "c"}]


async def test_the_first_may_fail_too(threads: DatabaseThreads) -> None:
    refused, last, _ = await waiting(threads, adds_and("a", refuses), adds("b"))
    assert isinstance(refused, ValueError)
    assert last == "b"
    assert stored(threads) == {"b"}


async def test_a_collision_is_tried_again_by_itself(threads: DatabaseThreads) -> None:
    tries: list[bool] = []

    def collides(tx: Tx) -> str:
        tries.append(tx.in_transaction())
        adds("b")(tx)
        if len(tries) == 1:
            raise IntegrityError("", {}, Exception())
        return "b"

    *said, commits = await waiting(threads, adds("a"), collides, adds("c"))
    assert said == ["a", "b", "c"]
    assert len(tries) == 2
    assert commits == [{"a", "c"}, {"a", "b", "c"}]


async def test_where_the_database_undoes_everything_each_is_tried_by_itself(threads: DatabaseThreads) -> None:
    def full(tx: Tx) -> None:
        driver = tx.connection.driver_connection
        assert driver is not None
        driver.execute("ROLLBACK")  # as SQLite does where the disk is full
        raise OperationalError("", {}, Exception())

    first, failed, last, commits = await waiting(threads, adds("a"), adds_and("b", full), adds("c"))
    assert (first, last) == ("a", "c")
    assert isinstance(failed, OperationalError)
    assert commits == [{"a"}, {"a", "c"}]


async def test_what_nobody_waits_for_any_more_is_left_out(threads: DatabaseThreads) -> None:
    busy = Busy(threads)
    held = await busy.begin()
    gone, kept = (asyncio.ensure_future(threads.write(adds(name))) for name in "ab")
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    busy.end()
    assert await kept == "b"
    await held
    assert stored(threads) == {"b"}


async def test_acts_go_first_and_wait_for_nothing_else(threads: DatabaseThreads) -> None:
    busy = Busy(threads)
    held = await busy.begin()
    asked = [
        threads.write(adds("later")),
        threads.write(adds("act"), interactive=True),
        threads.write(adds("two"), interactive=True),
    ]
    all_of_them = asyncio.gather(*asked)
    await asyncio.sleep(0)
    busy.end()
    await all_of_them
    await held
    assert busy.commits == [{"act", "two"}, {"act", "two", "later"}]


async def test_a_quick_read_needs_no_thread(threads: DatabaseThreads) -> None:
    assert await threads.quick_read(lambda _tx: threading.current_thread()) is threading.current_thread()


async def test_a_quick_read_waits_for_an_exclusive_function(threads: DatabaseThreads) -> None:
    busy = Busy(threads)
    held = await busy.begin()
    quick_read = asyncio.ensure_future(threads.quick_read(lambda _tx: threading.current_thread()))
    await asyncio.sleep(0.05)
    assert not quick_read.done()
    busy.end()
    assert await quick_read is not threading.current_thread()
    await held


async def test_a_failed_transaction_alone_is_its_askers(threads: DatabaseThreads) -> None:
    with pytest.raises(ValueError, match="refused"):
        await threads.write(adds_and("a", refuses))
    assert stored(threads) == set()
