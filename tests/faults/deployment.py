"""A program with its database, its platforms and its processes, for tests that break them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psutil
from sqlalchemy import select, update

from bot.runtime.clock import SystemClock
from bot.startup import prepare
from program.core.times import DEFAULT_ZONE
from program.people.roster import read_roster
from storage.core.database import Database, Tx
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries, due, kinds, moments, undelivered
from storage.outbox.outbox_tables import delivery, due_moment
from storage.outbox.undelivered import Undelivered
from storage.people import account_links, people
from storage.people.people_tables import cohort
from storage.people.roster import import_roster
from tests.fakes.slack import TEAM, FakeSlack
from tests.fakes.teams import TENANT, FakeTeams
from tests.faults.process import Orders, maker, settings_for
from tests.slack.story import a_small_slack
from tests.world import ROSTER

Result = TypeVar("Result")
PATIENCE = 120.0  # seconds until something that must happen has happened, on a busy machine
GATEWAY = ("tom@example.org", "jordan@example.org")  # the people of one cohort without a channel
EVERYBODY = {
    "carol@example.org": "U00CAROL",
    "ruth@example.org": "U00RUTH",
    "dana@example.org": "U00DANA",
    "tom@example.org": "U00TOM",
    "jordan@example.org": "U00JORDAN",
    "lee@example.org": "U00LEE",
    "sam@example.org": "U00SAM",
}


class Fleet:
    """Starts bots quickly, all tests' from one parent: see :mod:`tests.faults.process`."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLC_", "SLACK_", "TEAMS_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.process"],
            cwd=root,
            env={**kept, "PYTHONPATH": root},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def bot(self, orders: Orders) -> Bot:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(orders)).encode() + b"\n")
        self._process.stdin.flush()
        return Bot(int(self._process.stdout.readline()), Path(orders.out))

    def end(self) -> None:
        self._process.communicate()


class Bot:
    """One running process."""

    def __init__(self, pid: int, out: Path) -> None:
        self.pid, self._out = pid, out
        self._gone = False  # for good: the machine may give its number to another process

    @property
    def alive(self) -> bool:
        """Until the last of its threads has ended: it may hold the lock and a connection for so long.

        Its parent buries it at once, so that there is nothing left to ask of a dead one.
        """
        self._gone = self._gone or not psutil.pid_exists(self.pid)
        return not self._gone

    @property
    def log(self) -> str:
        file = Path(f"{self._out}.log")
        return file.read_text(encoding="utf-8") if file.exists() else ""

    async def ready(self) -> str:
        """The address, once everything has started."""
        await until(lambda: (self._out.exists() and bool(self._out.read_text())) or not self.alive)
        assert self._out.exists(), self.log
        return self._out.read_text()

    def send(self, name: signal.Signals) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, name)

    async def gone(self) -> None:
        await until(lambda: not self.alive)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.gone()


async def until(so: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(patience):
        while not so():
            await asyncio.sleep(0.05)


async def landed() -> None:
    """Wait until what a process wrote before it died or froze has been read by the platforms, which live in here."""
    await asyncio.sleep(0.1)  # by the machine
    for _ in range(100):  # by the platforms: a request takes them a few turns
        await asyncio.sleep(0)


class Deployment:
    """``slack`` counts what arrives; everybody of the roster has an account on it, unless told otherwise."""

    def __init__(self, folder: Path, database_url: str, fleet: Fleet, slack: FakeSlack, teams: FakeTeams) -> None:
        self.folder, self.url, self.fleet, self.slack, self.teams = folder, database_url, fleet, slack, teams
        self.bots: list[Bot] = []
        self._numbers = itertools.count(1)
        self._waves = itertools.count(1)
        self.database = Database(database_url)
        orders = Orders(database_url, "", slack.api_url)
        vault = prepare(settings_for(orders), self.database, SystemClock())
        with self.database.write() as tx:
            self.chain_key = vault.chain_key(tx)
            import_roster(self.work(tx), read_roster(ROSTER, DEFAULT_ZONE)[0])
            _plan_meeting(self.work(tx))
            tx.execute(due_moment.delete())  # only what a test plans is due

    def work(self, tx: Tx) -> Work:
        return Work(tx, datetime.now(UTC), uuid4, self.chain_key)

    def write(self, function: Callable[[Work], Result]) -> Result:
        with self.database.write() as tx:
            return function(self.work(tx))

    def read(self, function: Callable[[Tx], Result]) -> Result:
        with self.database.read() as tx:
            return function(tx)

    # People and what is to be sent -------------------------------------------------------------

    def link(self, platform: str = "slack", tenant: str = TEAM, users: dict[str, str] = EVERYBODY) -> None:
        """Everybody's account is known and linked."""

        def link(work: Work) -> None:
            for email, user in users.items():
                person = people.by_email(work.tx, email)
                assert person is not None
                account = account_links.remember(
                    work, platform, tenant, user, name="", email=email, member=True, active=True
                )
                account_links.confirm(work, account.id, person.id, None)
                people.mark_welcomed(work, person.id)

        self.write(link)

    def link_teams(self) -> None:
        self.link("teams", TENANT, {"dana@example.org": self.teams.people[0].object_id})

    def person(self, email: str) -> UUID:
        known = self.read(lambda tx: people.by_email(tx, email))
        assert known is not None
        return known.id

    def queue(self, email: str = "dana@example.org", count: int = 1) -> list[UUID]:
        """Queue personal messages; their ids."""

        def add(work: Work) -> None:
            person = people.by_email(work.tx, email)
            assert person is not None
            for _ in range(count):
                deliveries.to_person(work, kinds.WELCOME, person.id, person.id, tag=uuid4())

        before = set(self.ids())
        self.write(add)
        return [id_ for id_ in self.ids() if id_ not in before]

    def plan_wave(self) -> None:
        """A due moment that tells both people of Gateway something."""

        def plan(work: Work) -> None:
            gateway = work.tx.scalar(select(cohort.c.id).where(cohort.c.name == "Gateway"))
            assert gateway is not None
            between = meetings.between(work.tx, work.now, work.now + timedelta(days=30), [gateway])
            wave = next(self._waves)
            due.plan(work, moments.MEETING_REMINDER, work.now, between[0].id, version=between[0].version, tag=wave)

        self.write(plan)

    def ids(self) -> list[UUID]:
        return self.read(lambda tx: list(tx.scalars(select(delivery.c.id))))

    # Processes ----------------------------------------------------------------------------------

    def bot(self, **more: Any) -> Bot:
        out = self.folder / f"bot-{next(self._numbers)}"
        orders = Orders(self.url, str(out), more.pop("slack_url", self.slack.api_url), **more)
        made = self.fleet.bot(orders)
        self.bots.append(made)
        return made

    async def until(self, so: Callable[[], bool], frozen: Bot | None = None) -> None:
        """Wait for something while the leases of those who died or froze run out at once."""
        async with asyncio.timeout(PATIENCE):
            while not so():
                await self.run_out([bot for bot in self.bots if bot is frozen or not bot.alive])
                await asyncio.sleep(0.05)

    async def run_out(self, silent: Collection[Bot]) -> None:
        """As if hours had gone by since these processes died or froze: what they hold may be taken over.

        Only theirs: what a living one holds is never touched.
        """
        pids = {bot.pid for bot in silent}
        long_ago = datetime.now(UTC) - timedelta(hours=1)

        def theirs(tx: Tx) -> list[UUID]:
            held = select(delivery.c.claim).where(delivery.c.state == "sending", delivery.c.claimed_until > long_ago)
            return [claim for claim in tx.scalars(held.with_for_update(skip_locked=True)) if maker(claim) in pids]

        def age(work: Work) -> None:
            aged = update(delivery).where(delivery.c.claim.in_(theirs(work.tx)), delivery.c.state == "sending")
            work.tx.execute(aged.values(claimed_until=long_ago))

        if not pids or not self.read(theirs):
            return
        await landed()
        self.write(age)

    async def close(self) -> None:
        for bot in self.bots:
            bot.send(signal.SIGCONT)
            await bot.kill()
        self.database.close()

    # What became of it --------------------------------------------------------------------------

    def states(self) -> dict[UUID, str]:
        def read(tx: Tx) -> dict[UUID, str]:
            return {row.id: row.state for row in tx.execute(select(delivery.c.id, delivery.c.state))}

        return self.read(read)

    def settled(self) -> bool:
        overdue = (due_moment.c.state == "waiting", due_moment.c.kind == "meeting.reminder")
        waiting = self.read(lambda tx: tx.scalars(select(due_moment.c.id).where(*overdue)).all())
        return not waiting and not {"queued", "sending"} & set(self.states().values())

    async def all_settled(self, frozen: Bot | None = None) -> None:
        try:
            await self.until(self.settled, frozen)
        except TimeoutError:
            told = "\n".join(f"{bot.pid}: {bot.log[-1500:]}" for bot in self.bots[-3:])
            raise AssertionError(f"not everything was settled: {Counter(self.states().values())}\n{told}") from None

    def arrived(self) -> Counter[UUID]:
        """How often each delivery stands in Slack."""
        carried = (
            (message.get("metadata") or {}).get("event_payload", {}).get("id")
            for channel in self.slack.channels.values()
            for message in channel.messages
        )
        return Counter(UUID(value) for value in carried if value)

    def lost_and_doubled(self) -> tuple[int, int]:
        """Of everything that was ever queued for Slack."""
        arrived = self.arrived()
        return sum(arrived[state] == 0 for state in self.states()), sum(count > 1 for count in arrived.values())

    def undelivered(self) -> list[Undelivered]:
        since = datetime.now(UTC) - timedelta(days=1)
        return self.read(lambda tx: undelivered.undelivered(tx, since))


def _plan_meeting(work: Work) -> None:
    gateway = work.tx.scalar(select(cohort.c.id).where(cohort.c.name == "Gateway"))
    mentor = people.by_email(work.tx, GATEWAY[0])
    assert gateway is not None
    assert mentor is not None
    starts = [(work.now + timedelta(days=2)).replace(tzinfo=None)]
    meetings.create_series(
        work,
        gateway,
        mentor.id,
        topic="Faults",
        starts=starts,
        zone="America/Chicago",
        minutes=60,
        place="",
        repeat="weekly",
        until=None,
    )


def small_slack() -> FakeSlack:
    """Everybody of the roster is a full member there."""
    fake = a_small_slack()
    for user in EVERYBODY.values():
        fake.users[user]["is_restricted"] = False
    return fake
