"""Two years of the program, one simulated moment after another, the same for the same seed."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import event, func, select

from handlers.core.actions import SentAction
from handlers.core.cards import Card
from handlers.core.forms import Form
from handlers.core.requests import (
    AccountKey,
    Command,
    Intent,
    Place,
    PlaceKind,
    Press,
    Profile,
    Reply,
    Request,
    Submit,
    Typed,
)
from program.core.times import DEFAULT_ZONE
from program.people.roster import read_roster
from storage.checkins import checkins
from storage.core.database import Database
from storage.core.work import Work
from storage.outbox.claims import SETTLING
from storage.outbox.outbox_tables import delivery, due_moment
from storage.people import people
from storage.people.roster import import_roster
from storage.record import policies
from tests.simulation.actors import FIRST_DAY, HEADER, PAPER, SLATE, STARTS, Shape, Someone, has_home, mentee, people_of
from tests.simulation.checks import Broken, Checks
from tests.simulation.failures import Diary, FailureInjection
from tests.simulation.habits import HABITS, RECORD_CHANGES, Filler, Values, wish_for
from tests.simulation.invariants import Promises, Secrets
from tests.simulation.platform import TENANT, Message, PaperPlatform, direct
from tests.simulation.process import Life, Process
from tests.world import FixedClock, buttons_of, field_texts

Doing = Callable[[], Awaitable[None]]
RETRIES = (timedelta(minutes=1), timedelta(minutes=5))  # of an act that nobody answered, by the platform
DAY = timedelta(days=1)
BREAKS = (("Winter break", (12, 21), (1, 3)), ("Spring break", (3, 15), (3, 19)), ("Summer", (6, 1), (8, 8)))


LOOK_AGAIN = timedelta(seconds=5)  # the delivery loop's own sleep
AHEAD = select(
    select(func.min(due_moment.c.due_at)).where(due_moment.c.state == "waiting").scalar_subquery().label("due"),
    select(func.min(delivery.c.not_before)).where(delivery.c.state == "queued").scalar_subquery().label("queued"),
    select(func.min(delivery.c.claimed_until)).where(delivery.c.state == "sending").scalar_subquery().label("held"),
)


@dataclass(frozen=True, slots=True)
class Ahead:
    """When the next moment is due, and when the delivery loop has something to do."""

    moment: datetime | None
    deliveries: datetime | None


class Failure(Exception):
    """A seed broke what must always hold."""


class Simulation:
    """``day``: the number of the simulated day, from 0. ``at_night``: called before each day's checks."""

    def __init__(self, seed: int, shape: Shape, database: Database) -> None:
        self.seed = seed
        self.shape = shape
        self.database = database
        self.day = 0
        self.at_night: Callable[[], None] = lambda: None
        self.clock = FixedClock(STARTS)
        self.diary = Diary()
        self.invariants = Promises()
        self.secrets = Secrets()
        self.dice = Random(f"{seed}:people")
        self.failures = FailureInjection(Random(f"{seed}:fate"), shape.harsh)
        self.life = Life(self.failures, self.clock, self.diary, str(seed))
        self.platforms = {
            PAPER: PaperPlatform(PAPER, True, self.life, self._on_screen),
            SLATE: PaperPlatform(SLATE, False, self.life, self._on_screen),
        }
        self.everybody = people_of(shape, self.dice)
        self.by_user = {person.user: person for person in self.everybody}
        ids = Random(f"{seed}:ids")
        coordinators = tuple(person.email for person in self.everybody if person.role == "coordinator")
        self.process = Process(database, self.life, lambda: UUID(int=ids.getrandbits(128), version=4), coordinators)
        self.down_until: datetime | None = None
        self.down: list[tuple[datetime, datetime]] = []  # every time the process was away
        self.checks = Checks(self)
        self._plans: list[tuple[datetime, int, Doing]] = []
        self._planned = 0
        self._acts = 0
        _hurry(database)

    # The days -----------------------------------------------------------------------------------

    async def run(self) -> str:
        """Every day with its checks; the diary's digest.

        Raises:
            Failure: says the seed, the day and what happened last.
        """
        log = logging.getLogger("plc")
        log.addHandler(self.checks.ears)
        try:
            await self._begin()
            for day in range(self.shape.days):
                self.day = day
                await self._one_day()
        except Exception as error:
            raise Failure(self._report(error)) from error
        finally:
            log.removeHandler(self.checks.ears)
        return self.diary.digest

    def _report(self, error: Exception) -> str:
        kind = "" if isinstance(error, Broken) else f"{type(error).__name__}: "
        lines = "\n".join(f"  {line}" for line in self.diary.last)
        head = f"Seed {self.seed} broke on day {self.day} ({self.clock.at:%Y-%m-%d %H:%M} UTC): {kind}{error}"
        return f"{head}\nWhat happened last:\n{lines}"

    async def _one_day(self) -> None:
        ends = STARTS + (self.day + 1) * DAY
        self.failures.new_day(ends - DAY)
        self._plan_day(ends - DAY)
        while (at := self._next_time()) is not None and at <= ends:
            self.clock.at = max(self.clock.at, at)
            await self._moment()
        self.clock.at = ends
        self.at_night()
        self.checks.daily(last=self.day == self.shape.days - 1)

    def _next_time(self) -> datetime | None:
        times = [self._plans[0][0]] if self._plans else []
        if self.down_until is not None:
            return min([*times, self.down_until])
        ahead = self._ahead()
        times += [ahead.moment] if ahead.moment else []
        if ahead.deliveries:
            times.append(max(ahead.deliveries, self.clock.at + LOOK_AGAIN))
        return min(times, default=None)

    def _ahead(self) -> Ahead:
        with self.database.read() as tx:
            row = tx.execute(AHEAD).one()
        stale = row.held + SETTLING + timedelta(seconds=1) if row.held else None
        times = [at for at in (row.queued, stale) if at]
        return Ahead(row.due, min(times, default=None))

    async def _moment(self) -> None:
        """Everything that happens at this time."""
        if self.down_until is not None and self.down_until <= self.clock.at:
            self._rise()
        while self._plans and self._plans[0][0] <= self.clock.at:
            _, _, doing = heapq.heappop(self._plans)
            await doing()
        if self.down_until is None:
            await self._pump()

    async def _pump(self) -> None:
        """What the scheduler and the delivery loop do now."""
        ahead = self._ahead()
        if ahead.moment is not None and ahead.moment <= self.clock.at:
            expected = self.checks.before_look()
            if not await self.process.look():
                self._fall()
                return
            self.checks.after_look(expected)
            ahead = self._ahead()
        if ahead.deliveries is not None and ahead.deliveries <= self.clock.at and not await self.process.deliver():
            self._fall()

    def _fall(self) -> None:
        self.down_until = self.clock.at + self.failures.down_for()
        self.down.append((self.clock.at, self.down_until))

    def _rise(self) -> None:
        self.down_until = None
        self.process.start(self.platforms)

    def plan(self, at: datetime, doing: Doing) -> None:
        self._planned += 1
        heapq.heappush(self._plans, (at, self._planned, doing))

    def later(self, low: int, high: int, doing: Doing) -> None:
        """Between so many minutes from now."""
        self.plan(self.clock.at + timedelta(seconds=self.dice.randint(low * 60, high * 60)), doing)

    # The beginning ------------------------------------------------------------------------------

    async def _begin(self) -> None:
        self.process.start(self.platforms)
        await self.process.operate(_adopt)
        await self._import(self.everybody)
        for person in self.everybody:
            self._give_account(person)
        for person in self.everybody:
            if person.role != "mentee" or not has_home(person.cohort):
                self.later(30, 4000, self._sends(person, "help"))
        for cohort in sorted({person.cohort for person in self.everybody if person.role == "mentor"}):
            if has_home(cohort):
                self.later(5000, 8000, self._sends(self._mentor(cohort), "cohort link", cohort))
            if int(cohort.rsplit(maxsplit=1)[-1]) % 4:
                calm: Values = {"weeks": "6"}  # so that two years fit in minutes
                self.later(
                    4100, 4900, self._sends(self._mentor(cohort), "cohort", presses=("cohort.settings",), values=calm)
                )
        for year in range((self.shape.days + 364) // 365):
            self._plan_year(FIRST_DAY.replace(year=FIRST_DAY.year + year))

    async def _import(self, rows: Sequence[Someone]) -> None:
        roster, problems = read_roster(HEADER + "".join(person.row for person in rows), DEFAULT_ZONE)
        if problems:
            raise ValueError(str(problems[0]))
        await self.process.operate(lambda work: import_roster(work, roster))
        self.diary.note(self.clock.at, "roster", len(rows))

    def _give_account(self, person: Someone) -> None:
        platform = self.platforms[person.platform]
        key = AccountKey(person.platform, TENANT, person.user)
        platform.profiles[person.user] = Profile(key, person.name, person.email, email_confirmed=True, member=True)
        if person.role != "coordinator" and has_home(person.cohort):
            platform.members.setdefault(person.cohort, []).append(person.user)

    def _mentor(self, cohort: str) -> Someone:
        return next(person for person in self.everybody if person.role == "mentor" and person.cohort == cohort)

    def _plan_year(self, first: date) -> None:
        """Breaks are entered and every cohort's meetings scheduled in August."""
        august = datetime.combine(first, STARTS.time(), STARTS.tzinfo)
        for label, begins, ends in BREAKS:
            starts = date(first.year + (begins[0] < 8), *begins)
            last = date(first.year + 1, *ends)
            values: Values = {"label": label, "starts": str(starts), "ends": str(last), "scope": "program"}
            at = august + timedelta(days=6, minutes=self.dice.randrange(600, 900))
            self.plan(at, self._sends(self.everybody[0], "breaks", "Cohort 1", ("breaks.new",), values))
        for cohort in sorted({person.cohort for person in self.everybody if person.role == "mentor"}):
            values = self._series(first)
            at = august + timedelta(days=8, minutes=self.dice.randrange(10_000))
            self.plan(at, self._sends(self._mentor(cohort), "meeting new", values=values))

    def _series(self, first: date) -> Values:
        repeat = self.dice.choices(("monthly_weekday", "biweekly"), (0.8, 0.2))[0]
        return {
            "topic": f"Year of {first.year}",
            "day": str(date(first.year, 9, self.dice.randint(1, 28))),
            "at": self.dice.choice(("15:30", "16:00", "07:30", "18:00")),
            "minutes": self.dice.choice(("60", "90")),
            "place": "https://meet.example.org/plc",
            "repeat": repeat,
            "until": str(date(first.year + 1, 5, 28)),
        }

    # Each day -----------------------------------------------------------------------------------

    def _plan_day(self, midnight: datetime) -> None:
        """What people start on their own, from 12:00 to 26:00 UTC."""

        def somewhen() -> datetime:
            return midnight + timedelta(seconds=self.dice.randrange(4 * 3600, 18 * 3600))

        for person in self.everybody:
            for habit in HABITS[person.role]:
                if self.dice.random() < 1 / habit.days and not person.gone:
                    self.plan(somewhen(), self._sends(person, habit.words, presses=habit.presses))
        self._plan_staff(somewhen)
        self._plan_comings(somewhen)
        if self.dice.random() < 1 / 150:
            self._archive(self.dice.choice([person for person in self.everybody if person.role == "mentor"]))

    def _plan_staff(self, somewhen: Callable[[], datetime]) -> None:
        """The coordinators change somebody's record."""
        if self.dice.random() < self.shape.cohorts / 200:
            who = self.dice.choice([person for person in self.everybody if person.role == "mentee"])
            press = (self.dice.choice(RECORD_CHANGES),)
            self.plan(
                somewhen(), self._sends(self.dice.choice(self.everybody[:2]), f"person {who.email}", presses=press)
            )
        if self.dice.random() < 1 / 60:
            presses = ("completion.open", self.dice.choice(("completion.revoke", "completion.reissue")))
            self.plan(somewhen(), self._sends(self.everybody[0], "certificates", presses=presses))

    def _plan_comings(self, somewhen: Callable[[], datetime]) -> None:
        """Somebody joins in the middle of the year, or leaves the platform."""
        if self.dice.random() < self.shape.cohorts / 800:
            self.plan(somewhen(), self._joins)
        if self.dice.random() < self.shape.cohorts / 1000:
            self.plan(somewhen(), self._loses_account)

    async def _joins(self) -> None:
        mentor = self.dice.choice([person for person in self.everybody if person.role == "mentor"])
        today = self.clock.at.date()
        person = mentee(self.dice, f"N{len(self.everybody)}", mentor.cohort, mentor.platform, mentor.region, today)
        self.everybody.append(person)
        self.by_user[person.user] = person
        self._give_account(person)
        await self._import([person])
        self.later(10, 4000, self._sends(person, "help"))

    async def _loses_account(self) -> None:
        """Somebody's account is deactivated; the program does not know yet."""
        person = self.dice.choice([person for person in self.everybody if person.role == "mentee"])
        person.gone = True
        self.platforms[person.platform].deactivated.add(person.user)
        self.diary.note(self.clock.at, "deactivated", person.user)

    def _archive(self, mentor: Someone) -> None:
        """The cohort's channel is archived, and opened again after a day or two."""
        platform = self.platforms[mentor.platform]
        platform.archived.add(mentor.cohort)
        self.diary.note(self.clock.at, "archived", mentor.cohort)

        async def opened() -> None:
            platform.archived.discard(mentor.cohort)

        self.later(1000, 3000, opened)

    # People -------------------------------------------------------------------------------------

    def _on_screen(self, message: Message) -> None:
        """A message appeared or changed; whoever sees a new one may want to do something about it."""
        self.secrets.shown_on_a_screen(message.card, message.conversation)
        if message.updates:
            return
        names = [button.action.name for button in buttons_of(message.card)]
        for person in self._readers(message.conversation) if names else ():
            wish = wish_for(person, names, self.dice)
            if wish is not None:
                name, delay = wish
                self.plan(self.clock.at + delay, self._takes(person, message, name))

    def _readers(self, conversation: str) -> list[Someone]:
        user = conversation.removeprefix(direct(""))
        if user != conversation:
            return [self.by_user[user]] if not self.by_user[user].gone else []
        return [person for person in self.everybody if person.cohort == conversation and not person.gone]

    def _takes(self, person: Someone, message: Message, name: str) -> Doing:
        async def doing() -> None:
            channel = None if message.conversation.startswith(direct("")) else message.conversation
            if name == "typed":
                await self._types(person)
            else:
                await self._press(person, message.card, name, channel)

        return doing

    def _sends(
        self,
        person: Someone,
        words: str,
        channel: str | None = None,
        presses: Sequence[str] = (),
        values: Values | None = None,
    ) -> Doing:
        """Send a command, answer the form or press on the card that comes back."""

        async def doing() -> None:
            reply = await self.ask(person, Command(words), channel)
            await self._follow(person, reply, channel, values)
            for name in ("identity.yes", *presses):
                if reply is not None and reply.card is not None:
                    reply = await self._press(person, reply.card, name, channel, values) or reply

        return doing

    async def _types(self, person: Someone) -> None:
        reply = await self.ask(person, Typed(self.secrets.new(person.user, "own")))
        chosen = self.dice.choices(("checkins.keep", "checkins.discard", ""), (6, 1, 1))[0]
        if chosen and reply is not None and reply.card is not None:
            await self._press(person, reply.card, chosen, None)

    async def _press(
        self, person: Someone, card: Card, name: str, channel: str | None, values: Values | None = None
    ) -> Reply | None:
        actions = [button.action for button in buttons_of(card) if button.action.name == name]
        if not actions:
            return None
        chosen = self.dice.choice(actions)
        reply = await self.ask(person, Press(chosen), channel)
        if self.dice.random() < 0.03:
            await self.ask(person, Press(chosen), channel)  # tapped twice
        await self._follow(person, reply, channel, values)
        return reply

    async def _follow(self, person: Someone, reply: Reply | None, channel: str | None, values: Values | None) -> None:
        """Fill the form that was opened; some keep it open for a while before they send it."""
        form = reply.form if reply is not None else None
        if form is None:
            return
        if self.dice.random() < 0.1:
            self.later(1, 40, lambda: self._fill(person, form, channel, values))
        else:
            await self._fill(person, form, channel, values)

    async def _fill(self, person: Someone, form: Form, channel: str | None, values: Values | None) -> None:
        filler = Filler(
            person,
            self.clock.at,
            self.dice,
            values or {},
            lambda readers: self.secrets.new(person.user, readers),
            lambda: self.dice.choice([other for other in self.everybody if other.role == "mentee"]).email,
        )
        values = filler.fill(form)
        if values is None:
            return
        sent = field_texts(form, values)
        reply = await self.ask(person, Submit(form.action, sent), channel)
        await self._follow(person, reply, channel, values)

    # Asking the process -------------------------------------------------------------------------

    async def ask(self, person: Someone, intent: Intent, channel: str | None = None) -> Reply | None:
        """One act; None when nobody answered, which the platform then tries again."""
        self._acts += 1
        kind: PlaceKind = "channel" if channel else "personal"
        place = Place(person.platform, TENANT, channel or direct(person.user), kind, channel or "")
        request = Request(AccountKey(person.platform, TENANT, person.user), place, intent, f"act-{self._acts}")
        reply = await self._try(person, request)
        if reply is None:
            self._retry(person, request, RETRIES)
        elif self.dice.random() < 0.03:
            await self._try(person, request)  # the platform did not hear the answer in time
        return reply

    def _retry(self, person: Someone, request: Request, left: Sequence[timedelta]) -> None:
        async def again() -> None:
            if await self._try(person, request) is None:
                self._retry(person, request, left[1:])

        if left:
            self.plan(self.clock.at + left[0], again)

    async def _try(self, person: Someone, request: Request) -> Reply | None:
        if self.down_until is not None:
            self.diary.note(self.clock.at, "unreachable", f"{person.user} {request.key}")
            return None
        checkin = self._open_checkin(person) if isinstance(request.intent, Typed) else ""
        together = self.dice.random() < 0.15
        answer = self.process.answer_while_delivering if together else self.process.answer
        reply = await answer(request)
        self.invariants.heard(request, reply, checkin)
        self.diary.note(self.clock.at, "act", f"{person.user} {_named(request.intent)} {request.key}: {_short(reply)}")
        if reply is None:
            self._fall()
            return None
        self.secrets.answered(reply, person.user, self._roles(person))
        return reply

    def _roles(self, person: Someone) -> tuple[str, ...]:
        return ("coordinator", "mentor") if person.role == "coordinator" else (person.role,)

    def _open_checkin(self, person: Someone) -> str:
        with self.database.read() as tx:
            me = people.actor(tx, person.platform, TENANT, person.user)
            checkin = checkins.open_of(tx, me.person_id, self.clock.at) if me and me.person_id else None
        return str(checkin.id) if checkin else ""


def _adopt(work: Work) -> None:
    policies.adopt(work, policies.get(work.tx, policies.EXAMPLE).text, date(2020, 7, 1), None)


def _named(intent: Intent) -> str:
    match intent:
        case Command(text):
            return text
        case Press(SentAction(name)) | Submit(SentAction(name)):
            return name
        case _:
            return type(intent).__name__.lower()


def _short(reply: Reply | None) -> str:
    """What an answer was, without a word of anybody's and without what is drawn outside of the seed."""
    if reply is None:
        return "no answer"
    if reply.errors:
        return f"errors in {', '.join(sorted(reply.errors))}"
    texts = [reply.form.title] if reply.form else []
    texts += [card.title or f"{len(card.blocks)} blocks" for card in (reply.card, reply.replace) if card]
    return ", ".join(texts) or "nothing"


def _hurry(database: Database) -> None:
    """Nothing here pulls the plug of the machine, so SQLite need not wait for its disk."""
    if not database.sqlite:
        return

    @event.listens_for(database.engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA keys.synchronous=OFF")
        cursor.close()
