"""One program in which everybody has one of everything, for the tests of who may do what.

Dana, Lee and Sam are mentees of Ozarks and Jordan of Gateway; Sam has left. Ruth leads Ozarks, Nora led it with her
and has left, Tom leads Gateway. Carol is the coordinator. Olga's account is nobody's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

from bot.runtime.dispatch import Dispatcher, Product
from bot.runtime.port import Port
from handlers.core.actions import BadAction, SentAction
from handlers.core.calls import Call, Refused
from handlers.core.forms import FormErrors
from handlers.core.requests import Command, Press, Reply, Submit
from handlers.core.router import Router
from handlers.features import router
from handlers.record.leave_requests import leave_line
from storage.checkins import checkins, reflections, typed
from storage.core import drafts
from storage.core.database import Database, keys_file
from storage.core.work import Work
from storage.meetings import attendance, breaks, meetings, summaries
from storage.outbox import conversations
from storage.people import account_links, cohorts, people
from storage.record import certificates, disputes, ledger
from storage.record.ledger import Line
from tests.authorization.permissions import LEFT, RELATIONS, Act
from tests.world import PLATFORM, ROSTER, START, Person, World

SECRET = "canary-Wiesenknopf-2207"
MORE = "Ozarks,Southwest,mentor,Nora Field,nora@example.org,P8,America/Chicago,,,\n"
MORE += "Ozarks,Southwest,mentee,Ida New,ida@example.org,P9,America/Chicago,R-I,2026-07-01,\n"
WHO = {
    "mentee": "dana",
    "mentor": "ruth",
    "coordinator": "carol",
    "former mentee": "sam",
    "former mentor": "nora",
}
MENTEES = ("dana", "lee", "jordan", "sam")
COHORTS = {"dana": "Ozarks", "lee": "Ozarks", "sam": "Ozarks", "jordan": "Gateway"}
CHANNELS = {"Ozarks": "C-ozarks", "Gateway": "C-gateway"}
NAMES = ("Dana Reyes", "Lee Okafor", "Sam Whitfield", "Jordan Blake", "Ruth Ellison", "Tom Becker", "Nora Field")
UNKNOWN = "I can't match you to the roster yet"


def owner_of(actor: str, relation: str) -> str:
    """Whose thing stands in this relation to the actor."""
    if relation == "own":
        return WHO[actor]
    return {"same": "lee", "other": "jordan", "former": "sam"}[relation]


def is_one_of(some: frozenset[str], actor: str, relation: str) -> bool:
    return actor in some or f"{actor}/{relation}" in some


class Witness(Router):
    """The real router, which remembers whether the first answer since it was asked anew was a refusal."""

    def __init__(self) -> None:
        super().__init__()
        vars(self).update(vars(router))
        self.refused: bool | None = None

    def answer(self, call: Call) -> Reply:
        try:
            reply = router.answer(call)
        except (Refused, BadAction):
            self._note(refused=True)
            raise
        except FormErrors as wrong:
            self._note(refused=set(wrong.errors) == {""})  # no field is wrong: a refusal that keeps the form open
            raise
        self._note(refused=False)
        return reply

    def begin(self) -> None:
        """Somebody is about to ask."""
        self.refused = None

    def _note(self, *, refused: bool) -> None:
        """Teams shows a form with errors again, which is a second question to the router."""
        if self.refused is None:
            self.refused = refused


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told: its words, and everything of it that another request could be told from it by."""

    words: str
    whole: object


Attempt = Command | Press | Submit
Rows = dict[tuple[str, str], list[tuple[object, ...]]]  # by file and table


class Surface(Protocol):
    """A platform's way in."""

    async def does(self, user: str, attempt: Attempt) -> Told:
        """Somebody asks, presses or sends, in their own chat with the bot."""


@dataclass
class Actors:
    """The program with its people; ``things``: ids by kind and owner; ``surface``: how they get in."""

    world: World
    people: Mapping[str, Person]
    folder: Path
    surface: Surface = field(init=False)
    things: dict[tuple[str, str], str] = field(default_factory=dict)
    witness: Witness = field(default_factory=Witness)

    def __post_init__(self) -> None:
        file = self.world.database.url.database or ""
        self._files = [Path(file), Path(keys_file(file))]
        self._watching = [sqlite3.connect(path, check_same_thread=False) for path in self._files]
        self._read_at = self._restored = (0, 0)
        self._rows: Rows = {}

    def close(self) -> None:
        for connection in self._watching:
            connection.close()
        self.world.close()
        self.world.database.close()

    def dispatcher(self, product: Product, ports: Mapping[str, Port]) -> Dispatcher:
        """The product's own, over the witness; nothing is delivered on the way."""
        return Dispatcher(replace(product, router=self.witness), ports, lambda: None)

    # The database as it was ----------------------------------------------------------------------

    async def begin(self) -> None:
        """Everybody has written to the bot before; from now on the database is as it is, whatever is tried."""
        for person in self.people.values():
            await self.surface.does(person.user, Command("help"))
        (self.folder / "saved").mkdir()
        for live in self._files:
            _copy(live, self._saved(live))

    def _saved(self, live: Path) -> Path:
        return self.folder / "saved" / live.name

    def restore(self) -> None:
        """Forget what was done since: the rows are as they were saved."""
        if self._version() != self._restored:
            for live in self._files:
                _copy(self._saved(live), live)
            self._restored = self._version()

    def cases(self, act: Act) -> list[tuple[str, str]]:
        """Every actor, and every relation to the owner of what the action is about."""
        actors = [text for text in RELATIONS if self.world.platform == PLATFORM or text not in LEFT]
        ways = {actor: RELATIONS[actor] if act.about_somebody else RELATIONS[actor][:1] for actor in actors}
        return [(actor, way) for actor in actors for way in ways[actor]]

    def actor(self, name: str) -> Person:
        return self.people["olga" if name == "outsider" else WHO[name]]

    def _filled(self, text: str, owner: str, *, nowhere: bool) -> str:
        """A text of the table with the id of what it names; ``nowhere``: an id that nothing has."""
        before, there, thing = text.partition("@")
        if not there:
            return text
        return before + (str(uuid4()) if nowhere else self.things[thing, owner])

    def attempt(self, act: Act, owner: str, *, form: bool, nowhere: bool = False) -> Attempt:
        filled = [self._filled(arg, owner, nowhere=nowhere) for arg in act.args]
        done = SentAction(act.name, tuple(filled))
        if not form:
            return Press(done)
        sent = {name: (self._filled(text, owner, nowhere=nowhere),) for name, text in act.values.items()}
        return Submit(done, sent)

    async def tries(self, actor: str, act: Act, attempt: Attempt) -> tuple[bool, Told]:
        """Whether they are let in, and what they are told."""
        self.witness.begin()
        told = await self.surface.does(self.actor(actor).user, attempt)
        assert self.witness.refused is not None, f"{act.label} did not come to the product"
        let_in = bool(act.idle and act.idle in told.words)
        refused = self.witness.refused or UNKNOWN in told.words or (act.declines and act.declines in told.words)
        return let_in or not refused, told

    def everything(self) -> Rows:
        """Every row of the data and of the keys, but the keys of requests that were answered."""
        if (version := self._version()) != self._read_at:
            both = zip(self._files, self._watching, strict=True)
            self._rows = {(live.name, table): rows for live, data in both for table, rows in _rows(data)}
            self._read_at = version
        return self._rows

    def _version(self) -> tuple[int, int]:
        """Another one whenever somebody wrote something."""
        data, keys = (connection.execute("PRAGMA data_version").fetchone()[0] for connection in self._watching)
        return data, keys


def _rows(data: sqlite3.Connection) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """Each table with its rows, in the order in which they are stored."""
    tables = [name for (name,) in data.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in tables:
        if name != "processed_request":
            yield name, data.execute(f'SELECT * FROM "{name}" NOT INDEXED').fetchall()


# Making it --------------------------------------------------------------------------------------


def made(folder: Path, platform: str, tenant: str) -> Actors:
    """A new program in this folder, whose people have their accounts there. Its ``surface`` is not there yet."""
    world = World(Database(f"sqlite:///{folder / 'plc.sqlite'}"), platform=platform, tenant=tenant)
    world.prepare()
    world.import_roster(ROSTER + MORE)
    olga = world.account("Olga Stranger", "olga@elsewhere.example")
    actors = Actors(world, {**_accounts(world), "olga": olga}, folder)
    with world.database.write() as tx:
        work = world.work(tx)
        account_links.remember(
            work, platform, tenant, olga.user, name="Olga Stranger", email="", member=True, active=True
        )
        world.vault.ensure_keys(work, [actors.people[text].id for text in MENTEES])
    world.clock.at = START + timedelta(hours=1)
    with world.database.write() as tx:
        _Making(actors, world.work(tx)).everything()
    world.clock.at += timedelta(minutes=30)
    with world.database.write() as tx:
        _leaving(actors, world.work(tx))
    world.clock.at += timedelta(minutes=30)
    actors.things |= {("now", text): str(int(world.clock.at.timestamp())) for text in MENTEES}
    return actors


def _copy(source: Path, to: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(to)) as there:
        there.execute("PRAGMA synchronous = OFF")  # a test's copy may be lost with the machine
        here.backup(there)


def _accounts(world: World) -> dict[str, Person]:
    everybody = (*NAMES, "Carol Dietz")
    return {
        name.split()[0].lower(): world.matched(name, f"{name.split()[0].lower()}@example.org") for name in everybody
    }


class _Making:
    """Everything of everybody, in one transaction."""

    def __init__(self, actors: Actors, work: Work) -> None:
        self.actors, self.work, self.now = actors, work, work.now
        self.ids = {name: person.id for name, person in actors.people.items()}
        self.cohorts = {cohort.name: cohort for cohort in cohorts.all_cohorts(work.tx)}

    def put(self, kind: str, owner: str, thing: UUID) -> UUID:
        self.actors.things[kind, owner] = str(thing)
        return thing

    def everything(self) -> None:
        for name in COHORTS.values():
            if ("cohort", name) not in self.actors.things:
                self._cohort(name)
        for owner in MENTEES:
            self.put("person", owner, self.ids[owner])
            self._of_the_cohort(owner)
            self._written(owner)
            self._recorded(owner)
            self._disputed(owner)
        for whose in ("mentor", "coordinator"):
            self._drafts(whose)
        for name in CHANNELS:
            self._named_of_all(name)

    def _named_of_all(self, cohort: str) -> None:
        """What belongs to nobody in particular."""
        whole = breaks.add(self.work, None, date(2026, 12, 20), date(2026, 12, 31), "Winter", self.ids["carol"])
        ida = people.by_email(self.work.tx, "ida@example.org")
        assert ida is not None
        there = self.actors.world.platform, self.actors.world.tenant
        stray = account_links.remember(self.work, *there, "U-stray", name="Ida", email="", member=False, active=True)
        for owner in (name for name, there in COHORTS.items() if there == cohort):
            self.put("break of all", owner, whole)
            self.put("unmatched person", owner, ida.id)
            self.put("unmatched account", owner, stray.id)
            self.put("mentor who left", owner, self.ids["nora"])

    # A cohort's ---------------------------------------------------------------------------------

    def _cohort(self, name: str) -> None:
        there = self.cohorts[name]
        by = self.ids["ruth"]
        self.put("cohort", name, there.id)
        past, coming, off = self._meetings(name, by)
        self.put("past meeting", name, past.id)
        self.put("meeting", name, coming.id)
        self.put("cancelled meeting", name, off.id)
        meetings.cancel(self.work, off, "other", by)
        summaries.add(self.work, past.id, by, ["role"], "We met.", "")
        self.put("break", name, breaks.add(self.work, there.id, date(2026, 11, 2), date(2026, 11, 3), "Rest", by))
        channel = conversations.remember(
            self.work,
            platform=self.actors.world.platform,
            tenant=self.actors.world.tenant,
            external=CHANNELS[name],
            kind="channel",
            name=name,
            reference={},
        )
        cohorts.set_home(self.work, there.id, channel, by)
        self.put("channel", name, channel)

    def _meetings(self, cohort: str, by: UUID) -> Sequence[meetings.Meeting]:
        starts = (datetime(2026, 9, 7, 9, 30), datetime(2026, 9, 7, 11, 10), datetime(2026, 9, 9, 15, 30))
        scheduled = []
        for start in starts:
            _, first = meetings.create_series(
                self.work,
                self.cohorts[cohort].id,
                by,
                topic="First steps",
                starts=[start],
                zone="America/Chicago",
                minutes=30,
                place="",
                repeat="once",
                until=None,
            )
            scheduled += first
        return scheduled

    def _of_the_cohort(self, owner: str) -> None:
        for kind in ("cohort", "past meeting", "meeting", "cancelled meeting", "break", "channel"):
            self.actors.things[kind, owner] = self.actors.things[kind, COHORTS[owner]]
        self.put("mentor", owner, self.ids["tom" if owner == "jordan" else "ruth"])

    # A mentee's ---------------------------------------------------------------------------------

    def _written(self, owner: str) -> None:
        """Two check-ins with a reflection each; the newer one is shared with nobody."""
        me = self.ids[owner]
        account = account_links.accounts_of(self.work.tx, me)[0].id
        for kind, day in (("reflection", date(2026, 9, 6)), ("unshared", date(2026, 9, 7))):
            closes_at = self.now + timedelta(days=7)
            checkin = checkins.open_checkins(self.work, [(me, day, [])], closes_at)[0]
            reflections.save(self.actors.world.vault, self.work, checkin, me, account, {reflections.TYPED: SECRET})
            self.put(
                kind,
                owner,
                next(
                    reflection.id
                    for reflection in reflections.of_account(self.work.tx, account)
                    if reflection.day == day
                ),
            )
            self.put("checkin", owner, checkin.id)
            self.actors.world.vault.save(
                self.work, "pulse", "3", person_id=me, account_id=account, checkin_id=checkin.id
            )
            waiting = typed.hold(self.actors.world.vault, self.work, checkin, account, SECRET)
            self.put("typed", owner, waiting.id)
        item = reflections.find(self.work.tx, UUID(self.actors.things["reflection", owner]), account)
        assert item is not None
        vault, mentor = self.actors.world.vault, UUID(self.actors.things["mentor", owner])
        self.put("share", owner, reflections.share(vault, self.work, item, me, account, mentor))
        left = reflections.share(vault, self.work, item, me, account, self.ids["nora"])
        self.put("share with somebody who left", owner, left)

    def _line(self, owner: str, line: Line) -> UUID:
        return ledger.add(self.work, self.ids[owner], line)

    def _recorded(self, owner: str) -> None:
        me, ruth, carol = self.ids[owner], self.ids["ruth"], self.ids["carol"]
        logged = Line("activity", "logged", self.now, me, "self", minutes=30, code="contact", detail={"mode": "phone"})
        self.put("activity", owner, self._line(owner, logged))
        verified = self.put("verified activity", owner, self._line(owner, logged))
        self._line(owner, Line("activity", "verified", self.now, ruth, "mentor", target_id=verified))
        credit = Line(
            "credit",
            "granted",
            self.now,
            carol,
            "coordinator",
            code="contacts",
            reason="prior_program",
            detail={"year": 1, "amount": 1},
        )
        self.put("credit", owner, self._line(owner, credit))
        for kind, step, starts in (("asked leave", "asked", date(2027, 2, 1)), ("leave", "granted", date(2026, 11, 1))):
            ends = date(starts.year, starts.month, 28)
            line = leave_line(step, starts, ends, "health", self.ids["carol"], "coordinator")
            self.put(kind, owner, ledger.add(self.work, self.ids[owner], line))
        meeting = UUID(self.actors.things["past meeting", owner])
        past = meetings.get(self.work.tx, meeting)
        attendance.add(self.work, past, self.ids[owner], "tapped", "present", self.ids[owner])
        attendance.add(self.work, past, self.ids[owner], "confirmed", "absent", self.ids["ruth"])
        [differs] = [
            difference
            for difference in attendance.differences(self.work.tx, START, meeting)
            if difference.person_id == self.ids[owner]
        ]
        self.put("attendance", owner, differs.line_id)
        certificate = certificates.issue(self.work, self.ids[owner], owner, "example/1", self.ids["carol"])
        self.put("certificate", owner, certificate.id)

    def _disputed(self, owner: str) -> None:
        me = self.ids[owner]
        account = account_links.accounts_of(self.work.tx, me)[0].id
        kinds = (("dispute", "attendance", True), ("dispute for the coordinator", "verified activity", False))
        for kind, disputed, with_mentors in kinds:
            about = UUID(self.actors.things[disputed, owner])
            opened = self._line(owner, Line("dispute", "opened", self.now, me, "self", target_id=about))
            item = self.actors.world.vault.save(
                self.work, "dispute", SECRET, person_id=me, account_id=account, checkin_id=None
            )
            self.put(kind, owner, disputes.add(self.work, me, opened, about, item, with_mentors=with_mentors).id)

    # Drafts -------------------------------------------------------------------------------------

    def _drafts(self, whose: str) -> None:
        """Forms that were previewed and not sent yet."""
        rest = {"label": "Rest", "starts": "2026-10-01", "ends": "2026-10-02", "scope": "program"}
        meeting = {"topic": "T", "day": "2026-09-20", "at": "15:30", "minutes": 60, "place": "", "repeat": "once"}
        values: dict[str, dict[str, object]] = {
            "meeting": {**meeting, "until": ""},
            "attendance": {"choices": {}, "reason": ""},
            "summary": {"topics": [], "did": "We met.", "next": ""},
            "break": dict(rest),
            "policy": {"rule.meetings.at_least": "8"},
        }
        for kind, what in values.items():
            draft = drafts.keep(self.work, self.ids[WHO[whose]], kind, what)
            for owner in MENTEES:
                self.put(f"{whose}'s {kind} draft", owner, draft)


def _leaving(actors: Actors, work: Work) -> None:
    """Sam and Nora leave; what they wrote and were shown before stays where it is."""
    ids = {name: person.id for name, person in actors.people.items()}
    there = UUID(actors.things["cohort", "Ozarks"])
    detail = {"cohorts": [there.hex], "from": ["Ozarks"]}
    line = Line("departure", "left", work.now, ids["carol"], "coordinator", reason="other", detail=detail)
    left = ledger.add(work, ids["sam"], line)
    actors.things |= {("departure", owner): str(left) for owner in MENTEES}
    for name in ("sam", "nora"):
        cohorts.leave(work, there, ids[name], ids["carol"])
