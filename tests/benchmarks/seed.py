"""A program of any size, written in bulk: people, accounts, cohorts, meetings and a ledger whose chains hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert

from bot.runtime.clock import SystemClock
from bot.settings import Settings
from bot.startup import prepare
from program.core.times import DEFAULT_ZONE, to_utc
from program.record.chain import START, mark_of
from storage.checkins.checkins_tables import checkin_schedule
from storage.core.database import Database, Tx
from storage.meetings.meetings_tables import meeting, series
from storage.outbox.outbox_tables import conversation, due_moment, installation
from storage.people.people_tables import account, cohort, membership, person
from storage.record import ledger
from storage.record.policies import EXAMPLE
from storage.record.record_tables import enrolment, ledger_head, ledger_line
from storage.vault import seals
from tests.fakes.slack import TEAM
from tests.fakes.teams import TENANT
from tests.world import OPERATOR_KEY

COHORT = 10  # mentees of a cohort
LINES_A_MEETING = 2  # the mentee's tap and the mentor's confirmation
BATCH = 20_000
CHANNEL = "plc-cohort"  # as every home channel is named
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Size:
    """lines: of the ledger for each mentee; open: meetings of each cohort that take "I'm here" now."""

    mentees: int
    lines: int = 20
    open: int = 4
    moments: int = 0  # future ones that are due


def slack_user(number: int) -> str:
    return f"U{number:07d}"


def slack_channel(number: int) -> str:
    """The home channel of the cohort of mentee ``number``."""
    return f"C{number // COHORT:07d}"


def teams_user(number: int) -> str:
    """Their id in the organization's directory."""
    return str(UUID(int=number))


def teams_chat(number: int) -> str:
    return f"a:{number:07d}"


def settings_for(url: str) -> Settings:
    """Enough to prepare a database that is no example."""
    return Settings(plc_database_url=url, plc_encryption_keys=OPERATOR_KEY, slack_bot_token="xoxb-seed")


def fill(url: str, size: Size) -> None:
    """Prepare the empty database and write a program of this size into it."""
    database = Database(url)
    try:
        vault = prepare(settings_for(url), database, SystemClock())
        with database.write() as tx:
            _Seeding(tx, size, vault.chain_key(tx)).run()
            seals.seal_everything(tx)
        if not database.sqlite:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
    finally:
        database.close()


class _Seeding:
    def __init__(self, tx: Tx, size: Size, key: bytes) -> None:
        self._tx, self._size, self._key = tx, size, key
        self._chance = random.Random(size.mentees)
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._held = size.lines // LINES_A_MEETING  # meetings that each cohort has held

    def _id(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128), version=4)

    def run(self) -> None:
        homes = {"slack": self._id(), "teams": self._id()}
        tenants = {"slack": TEAM, "teams": TENANT}
        self._add(installation, ({"id": homes[home], "platform": home, "tenant": tenants[home]} for home in homes))
        mentors: list[UUID] = []
        for first in range(0, self._size.mentees, COHORT):
            mentors.append(self._id())
            self._tx.execute(insert(person), [self._person(mentors[-1], f"Mentor {first:07d}")])
        people = [self._id() for _ in range(self._size.mentees)]
        self._add(person, (self._person(id_, f"Mentee {number:07d}") for number, id_ in enumerate(people)))
        self._accounts(people, homes)
        cohorts = self._cohorts(len(mentors), homes["slack"])
        self._memberships(people, mentors, cohorts)
        meetings = self._meetings(cohorts, mentors)
        self._ledger(people, mentors, meetings)
        self._turns(people)
        self._moments()

    def _add(self, table: Table, rows: Iterator[dict[str, Any]]) -> None:
        while some := list(islice(rows, BATCH)):
            self._tx.execute(insert(table), some)

    def _person(self, person_id: UUID, name: str) -> dict[str, Any]:
        email = f"{name.lower().replace(' ', '.')}@example.org"
        return {"id": person_id, "name": name, "email": email, "zone": DEFAULT_ZONE}

    def _accounts(self, people: Sequence[UUID], homes: dict[str, UUID]) -> None:
        users = {"slack": slack_user, "teams": teams_user}
        chats: dict[str, Callable[[int], str]] = {"slack": lambda number: f"D{number:07d}", "teams": teams_chat}
        for platform, home in homes.items():
            ids = [self._id() for _ in people]
            self._add(
                account,
                (
                    {
                        "id": ids[number],
                        "installation_id": home,
                        "user": users[platform](number),
                        "name": f"Mentee {number:07d}",
                        "email": f"mentee.{number:07d}@example.org",
                        "member": True,
                        "active": True,
                        "person_id": id_,
                        "link": "confirmed",
                        # Who has two accounts is written to where they were seen last: here on Slack.
                        "seen_at": self._now - timedelta(days=platform == "teams"),
                    }
                    for number, id_ in enumerate(people)
                ),
            )
            self._add(
                conversation,
                (
                    self._conversation(self._id(), home, chats[platform](number), "personal", ids[number])
                    for number in range(len(people))
                ),
            )

    @staticmethod
    def _conversation(row: UUID, home: UUID, external: str, kind: str, account_id: UUID | None) -> dict[str, Any]:
        return {
            "id": row,
            "installation_id": home,
            "external": external,
            "kind": kind,
            "name": CHANNEL if kind == "channel" else "",
            "account_id": account_id,
            "reference": {},
        }

    def _cohorts(self, count: int, home: UUID) -> list[UUID]:
        channels = [self._id() for _ in range(count)]
        self._add(
            conversation,
            (
                self._conversation(id_, home, slack_channel(number * COHORT), "channel", None)
                for number, id_ in enumerate(channels)
            ),
        )
        person_ids = [self._id() for _ in range(count)]
        self._add(
            cohort,
            (
                {
                    "id": person_ids[number],
                    "name": f"Cohort {number:06d}",
                    "key": f"cohort {number:06d}",
                    "region": "",
                    "zone": DEFAULT_ZONE,
                    "home_id": channels[number],
                    "reminders": [60],
                    "checkin_weekday": 0,
                    "checkin_at": time(8),
                    "checkin_weeks": 2,
                }
                for number in range(count)
            ),
        )
        return person_ids

    def _memberships(self, people: Sequence[UUID], mentors: Sequence[UUID], cohorts: Sequence[UUID]) -> None:
        since = self._now - WEEK * (self._held + 2)
        roles = [("mentee", id_, cohorts[number // COHORT]) for number, id_ in enumerate(people)]
        roles += [("mentor", id_, cohorts[number]) for number, id_ in enumerate(mentors)]
        self._add(
            membership,
            (
                {"id": self._id(), "cohort_id": where, "person_id": id_, "role": role, "since": since, "until": None}
                for role, id_, where in roles
            ),
        )

    def _meetings(self, cohorts: Sequence[UUID], mentors: Sequence[UUID]) -> list[list[tuple[UUID, datetime]]]:
        """For each cohort the meetings that were held; others are open now, and one is to come."""
        sets = [self._id() for _ in cohorts]
        self._add(
            series,
            (
                {
                    "id": sets[number],
                    "cohort_id": id_,
                    "repeat": "weekly",
                    "until": None,
                    "created_by": mentors[number],
                    "created_at": self._now,
                }
                for number, id_ in enumerate(cohorts)
            ),
        )
        held = [[(self._id(), self._now - WEEK * (back + 1)) for back in range(self._held)] for _ in cohorts]
        rows = (
            self._meeting(meeting_id, sets[number], cohorts[number], at, settled=True)
            for number, some in enumerate(held)
            for meeting_id, at in some
        )
        self._add(meeting, rows)
        now = [self._now - timedelta(minutes=1) - timedelta(seconds=number) for number in range(self._size.open)]
        rows = (
            self._meeting(open_meeting(number, turn), sets[number], id_, at, settled=False)
            for number, id_ in enumerate(cohorts)
            for turn, at in enumerate([*now, self._now + WEEK])
        )
        self._add(meeting, rows)
        return held

    @staticmethod
    def _meeting(row: UUID, series_id: UUID, cohort_id: UUID, at: datetime, *, settled: bool) -> dict[str, Any]:
        return {
            "id": row,
            "series_id": series_id,
            "cohort_id": cohort_id,
            "topic": "Individual student planning",
            "local_start": at.replace(tzinfo=None),
            "zone": "Etc/UTC",
            "starts_at": at,
            "ends_at": at + timedelta(hours=1),
            "place": "",
            "version": 0,
            "settled_at": at + timedelta(hours=1) if settled else None,
        }

    def _ledger(
        self, people: Sequence[UUID], mentors: Sequence[UUID], meetings: Sequence[Sequence[tuple[UUID, datetime]]]
    ) -> None:
        enrolments = [self._id() for _ in people]
        starts = (self._now - WEEK * (self._held + 2)).date()
        self._add(enrolment, (_enrolled(enrolments[number], id_, starts) for number, id_ in enumerate(people)))
        heads: list[dict[str, Any]] = []
        rows = (
            row
            for number, id_ in enumerate(people)
            for row in self._chain(
                enrolments[number], id_, mentors[number // COHORT], meetings[number // COHORT], heads
            )
        )
        self._add(ledger_line, rows)
        self._add(ledger_head, iter(heads))

    def _chain(
        self,
        enrolled: UUID,
        mentee: UUID,
        mentor: UUID,
        meetings: Sequence[tuple[UUID, datetime]],
        heads: list[dict[str, Any]],
    ) -> Iterator[dict[str, Any]]:
        mark, position = START, 0
        for meeting_id, at in reversed(meetings):
            for step, by, verified in (("tapped", mentee, "self"), ("confirmed", mentor, "mentor")):
                content = {
                    "kind": "attendance",
                    "step": step,
                    "meeting_id": meeting_id,
                    "target_id": None,
                    "status": "present",
                    "minutes": None,
                    "code": "",
                    "happened_at": at,
                    "recorded_at": at,
                    "by": by,
                    "reason": "",
                    "verified": verified,
                    "detail": {},
                }
                mark = mark_of(self._key, mark, enrolled, position, content)
                yield {"id": self._id(), "enrolment_id": enrolled, "position": position, "mark": mark, **content}
                position += 1
        if position:
            proof = ledger.proof_of(self._key, enrolled, position - 1, mark)
            heads.append({"enrolment_id": enrolled, "position": position - 1, "mark": mark, "proof": proof})

    def _turns(self, people: Sequence[UUID]) -> None:
        at = next_checkin_day(self._now)
        self._add(checkin_schedule, ({"person_id": person_id, "next_at": at} for person_id in people))

    def _moments(self) -> None:
        first = self._now + timedelta(days=1)
        self._add(
            due_moment,
            (
                {
                    "id": self._id(),
                    "kind": "summary.chase",
                    "subject": str(number),
                    "version": 0,
                    "due_at": first + timedelta(seconds=number * 60),
                    "key": f"summary.chase:{number}:0:",
                    "state": "waiting",
                }
                for number in range(self._size.moments)
            ),
        )


def _enrolled(row: UUID, person_id: UUID, starts: date) -> dict[str, Any]:
    return {
        "id": row,
        "person_id": person_id,
        "policy": EXAMPLE,
        "starts": starts,
        "district": f"R-{person_id.int % 500}",
        "track": "new",
    }


def open_meeting(cohort_number: int, turn: int) -> UUID:
    """The id of a cohort's meeting that takes "I'm here", so that a client knows it without asking."""
    return UUID(int=(cohort_number << 16) + turn + 1, version=4)


def next_checkin_day(now: datetime) -> datetime:
    """The time of everybody's next check-in: a Monday morning far enough ahead that none comes meanwhile."""
    day = now.date() + timedelta(days=14 - now.weekday())
    return to_utc(datetime.combine(day, time(8)), DEFAULT_ZONE)
