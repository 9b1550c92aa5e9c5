"""What must always hold. Each check raises :class:`Broken` with the name of what it watches over."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, LargeBinary, Select, String, Table, Text, cast, false, func, or_, select

from program.core.times import to_local
from program.record.chain import START, mark_of
from storage.checkins.checkins_tables import checkin, consent, figure
from storage.core.database import Tx
from storage.meetings.meetings_tables import break_, meeting
from storage.outbox import due
from storage.outbox.claims import SETTLING
from storage.outbox.outbox_tables import delivery, due_moment
from storage.people.people_tables import account, cohort, membership, person
from storage.record import standings, verification
from storage.record.record_tables import enrolment, ledger_head, ledger_line
from storage.schema import metadata
from storage.vault import vault
from storage.vault.vault_tables import vault_item
from tests.simulation import naive
from tests.simulation.habits import SECRET
from tests.simulation.invariants import COUNTED, PULSE
from tests.simulation.platform import direct

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

WHOLE = 30  # days between two checks of everything; in between, of what changed and of a share
SHARE = 14  # on each day every fourteenth standing is measured, whatever changed
GROUP, SPARE = 5, 2  # the fewest answers that are told of, and how many more people there must be
SLACK = timedelta(minutes=15)  # what is on its way may be so much late
TO_BE_ASKED = timedelta(days=4)  # the longest weekend of a dead process, and the look after it
WEEK_OF_CHECKIN = timedelta(days=7)
DAILY = ("tidying", "completion.look", "retention.look")
ERRORS = ("moment.failed", "delivery.failed", "delivery.loop", "scheduler.refresh")
FOLLOWING = {
    "attendance.open": -15,
    "attendance.roster": 0,
    "attendance.chase": 24 * 60,
    "attendance.escalate": 72 * 60,
}


class Broken(Exception):
    """``what``: the thing that must always hold."""

    def __init__(self, what: str, detail: object) -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what


class Ears(logging.Handler):
    """Hears every line of the product's log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets: list[str] = []
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = logging.Formatter().format(record)
        if SECRET in line:
            self.secrets.append(record.name)
        if record.getMessage().startswith(ERRORS):
            self.errors.append(line)


@dataclass(frozen=True, slots=True)
class ExpectedCheckins:
    """Who must have a check-in, by local day, once a due moment is done."""

    moment: UUID
    people: frozenset[tuple[UUID, date]]


class Checks:
    def __init__(self, simulation: Simulation) -> None:
        self.sim = simulation
        self.ears = Ears()
        self._heads: dict[UUID, tuple[int, bytes]] = {}
        self._since = simulation.clock.at
        self._figures_before: dict[UUID, tuple[Any, ...]] = {}
        self._complete: dict[UUID, datetime] = {}  # since when somebody was seen to be complete
        self._searches = {table.name: _search(table, simulation.database.sqlite) for table in metadata.sorted_tables}

    def daily(self, *, last: bool) -> None:
        """Everything that must hold at the end of a day; every now and then, and at last, all of it in full."""
        whole = last or self.sim.day % WHOLE == WHOLE - 1
        with self.sim.database.read() as tx:
            self.surprises()
            self.secrets(tx, whole=whole)
            self.messages(tx, whole=whole)
            changed = self.chains(tx, whole=whole)
            self.standings(tx, changed, whole=whole)
            self.invariants(tx, whole=whole)
            self.due(tx)
            self.figures(tx)
        self._since = self.sim.clock.at

    @property
    def now(self) -> datetime:
        return self.sim.clock.at

    @property
    def up(self) -> bool:
        return self.sim.down_until is None

    # Nothing unforeseen -------------------------------------------------------------------------

    def surprises(self) -> None:
        if self.ears.errors:
            raise Broken("no surprises", self.ears.errors[0])

    # Confidential text --------------------------------------------------------------------------

    def secrets(self, tx: Tx, *, whole: bool) -> None:
        """None in a message, an answer to somebody else, a log line, or any column of any table."""
        if self.sim.secrets.told:
            raise Broken("confidential", self.sim.secrets.told[0])
        if self.ears.secrets:
            raise Broken("confidential", f"a log line of {self.ears.secrets[0]}")
        for name, query in self._searches.items():
            if not whole and name in LARGE and self.sim.day % 7:
                continue
            if tx.execute(query).first() is not None:
                raise Broken("confidential", f"the table {name}")

    # Messages -----------------------------------------------------------------------------------

    def messages(self, tx: Tx, *, whole: bool) -> None:
        """Each delivery against what the platforms really hold."""
        query = select(delivery)
        if not whole:
            unsettled = delivery.c.state.in_(("queued", "sending"))
            query = query.where(unsettled | (delivery.c.settled_at >= self._since))
        updates: Counter[UUID] = Counter()
        for row in tx.execute(query):
            self._stuck(row)
            if row.verb == "post":
                self._post(row)
            elif row.verb == "update" and row.state == "sent":
                updates[row.target_id] += 1
        for target, count in updates.items():
            shown = self._received(target)
            if not shown or shown[0].updates < count:
                raise Broken("nothing lost", f"{count} changes of the message {target} were sent, not all arrived")
        for platform in self.sim.platforms.values():
            twice = [id_ for id_, messages in platform.by_delivery.items() if len(messages) > 1]
            if twice:
                raise Broken(
                    "nothing doubled", f"delivery {twice[0]} arrived {len(platform.by_delivery[twice[0]])} times"
                )

    def _received(self, delivery_id: UUID) -> list[Any]:
        return [
            message for platform in self.sim.platforms.values() for message in platform.by_delivery.get(delivery_id, ())
        ]

    def _post(self, row: Any) -> None:
        received = self._received(row.id)
        what = f"delivery {row.id} ({row.kind}) is {row.state} ({row.reason})"
        if len(received) > 1:
            raise Broken("nothing doubled", what)
        if row.state == "sent" and not received:
            raise Broken("nothing lost", f"{what}, and never arrived")
        if row.state == "sent" and received[0].id != row.message:
            raise Broken("nothing lost", f"{what}, and its message id is another's")
        if row.state in ("queued", "dropped", "failed") and received:
            raise Broken("nothing lost", f"{what}, and yet it arrived")
        if row.state == "unconfirmed" and row.person_id is not None and received and self._can_look(received[0]):
            raise Broken("nothing lost", f"{what}, though it can be looked up")

    def _can_look(self, message: Any) -> bool:
        """Whether the chat of a message could be searched: its person is still there."""
        user = message.conversation.removeprefix(direct(""))
        return any(
            message.id in paper_platform.messages and paper_platform.can_look and user not in paper_platform.deactivated
            for paper_platform in self.sim.platforms.values()
        )

    def _stuck(self, row: Any) -> None:
        if not self.up:
            return
        if row.state == "queued" and row.not_before < self.now - SLACK:
            raise Broken("nothing lost", f"delivery {row.id} ({row.kind}, {row.verb}) waits since {row.not_before}")
        if row.state == "sending" and row.claimed_until + SETTLING < self.now - SLACK:
            raise Broken("nothing lost", f"delivery {row.id} ({row.kind}, {row.verb}) hangs since {row.claimed_until}")

    # The ledger ---------------------------------------------------------------------------------

    def chains(self, tx: Tx, *, whole: bool) -> set[UUID]:
        """Every chain from where it was last seen to its end; the people with new lines."""
        key = self.sim.process.product.chain_key
        if whole:
            problems = verification.verify(tx, key).problems
            if problems:
                raise Broken("the ledger", problems[0])
        heads = {row.enrolment_id: (row.position, row.mark) for row in tx.execute(select(ledger_head))}
        gone = set(self._heads) - set(heads)
        if gone:
            raise Broken("the ledger", f"the chain of {gone.pop()} is gone")
        changed = [person_id for person_id, head in heads.items() if self._heads.get(person_id) != head]
        for enrolment_id in changed:
            self._chain(tx, key, enrolment_id, heads[enrolment_id])
        self._heads = heads
        mine = select(enrolment.c.person_id).where(enrolment.c.id.in_(changed))
        return set(tx.scalars(mine))

    def _chain(self, tx: Tx, key: bytes, enrolment_id: UUID, head: tuple[int, bytes]) -> None:
        position, mark = self._heads.get(enrolment_id, (-1, START))
        after = select(ledger_line).where(ledger_line.c.enrolment_id == enrolment_id, ledger_line.c.position > position)
        for row in tx.execute(after.order_by(ledger_line.c.position)).mappings():
            position += 1
            content = {name: value for name, value in row.items() if name not in UNMARKED}
            mark = mark_of(key, mark, enrolment_id, position, content)
            if row["position"] != position or row["mark"] != mark:
                raise Broken("the ledger", f"line {position} of {enrolment_id} does not follow the one before")
        if (position, mark) != head:
            raise Broken("the ledger", f"the end of {enrolment_id} is not where its head says")

    # Standings ----------------------------------------------------------------------------------

    def standings(self, tx: Tx, changed: set[UUID], *, whole: bool) -> None:
        """The product's standing of each mentee against the naive one."""
        every = list(tx.scalars(select(enrolment.c.person_id).order_by(enrolment.c.person_id)))
        day = self.sim.day
        chosen = [
            person_id
            for number, person_id in enumerate(every)
            if whole or person_id in changed or number % SHARE == day % SHARE
        ]
        today = self.now.astimezone(naive.ZONE).date()
        books = naive.read_books(tx, chosen)
        mentees = {mentee.id: mentee for mentee in standings.of_people(tx, chosen, self.now)}
        if set(mentees) != set(books):
            raise Broken("standings", "not everybody has one")
        for person_id, mentee in mentees.items():
            expected = naive.measure(books[person_id], today)
            real = naive.Measured(mentee.standing.state, dict(_figures(mentee)))
            if real != expected:
                raise Broken(
                    "standings", f"{mentee.name} on {today}: the product says {real}, the lines say {expected}"
                )
            self._approval(tx, person_id, expected.state == "complete")

    def _approval(self, tx: Tx, person_id: UUID, complete: bool) -> None:
        """Whoever stays complete is put before the coordinators within a few days."""
        if not complete:
            self._complete.pop(person_id, None)
            return
        since = self._complete.setdefault(person_id, self.now)
        asked = select(delivery.c.id).where(delivery.c.kind == "completion.ask", delivery.c.subject == str(person_id))
        if self.now - since > TO_BE_ASKED and tx.execute(asked.limit(1)).first() is None:
            raise Broken("nothing forgotten", f"{person_id} is complete since {since}, and nobody was asked to approve")

    # Promises -----------------------------------------------------------------------------------

    def invariants(self, tx: Tx, *, whole: bool) -> None:
        """What somebody was told is saved, is there, once, and as they wrote it."""
        people = dict(tx.execute(select(account.c.user, account.c.person_id)).all())
        self._lines_of_acts(tx, people)
        self._taps(tx, people, whole=whole)
        places = self.sim.invariants.written if whole else self.sim.invariants.fresh
        for place in sorted(places):
            self._written(tx, *place)
        self.sim.invariants.fresh.clear()

    def _lines_of_acts(self, tx: Tx, people: dict[str, UUID]) -> None:
        wanted = {kind for kind, _, _ in COUNTED.values()}
        rows = tx.execute(
            select(enrolment.c.person_id, ledger_line.c.kind, ledger_line.c.step, func.count())
            .join_from(ledger_line, enrolment)
            .where(ledger_line.c.kind.in_(wanted), ledger_line.c.by == enrolment.c.person_id)
            .group_by(enrolment.c.person_id, ledger_line.c.kind, ledger_line.c.step)
        )
        users = {person_id: user for user, person_id in people.items()}
        counts = {(users[row[0]], row[1], row[2]): row[3] for row in rows}
        steps = {(kind, step) for kind, step, _ in COUNTED.values()}
        did = {act for act in counts if act[1:] in steps}
        for user, kind, step in sorted(did | set(self.sim.invariants.done.values())):
            least, most = self.sim.invariants.between(user, kind, step)
            there = counts.get((user, kind, step), 0)
            if there < least:
                raise Broken("nothing lost", f"{user} was told of {least} × {kind} {step}, and there are {there}")
            if there > most:
                raise Broken("nothing doubled", f"{user} did {most} × {kind} {step}, and there are {there}")

    def _taps(self, tx: Tx, people: dict[str, UUID], *, whole: bool) -> None:
        query = (
            select(enrolment.c.person_id, ledger_line.c.meeting_id, func.count())
            .join_from(ledger_line, enrolment)
            .where(ledger_line.c.step == "tapped")
            .group_by(enrolment.c.person_id, ledger_line.c.meeting_id)
        )
        if not whole:
            query = query.where(ledger_line.c.recorded_at >= self._since)
        taps = {(person_id, meeting_id): count for person_id, meeting_id, count in tx.execute(query)}
        twice = [place for place, count in taps.items() if count > 1]
        if twice:
            raise Broken("nothing doubled", f"“I'm here” was recorded twice for {twice[0]}")
        for meeting_id, user in sorted(self.sim.invariants.taps if whole else self.sim.invariants.fresh_taps):
            if (people[user], UUID(meeting_id)) not in taps:
                raise Broken("nothing lost", f"{user} was told to be here in {meeting_id}, and no line says so")
        self.sim.invariants.fresh_taps.clear()

    def _written(self, tx: Tx, checkin_id: str, user: str) -> None:
        mine = tx.scalar(select(account.c.id).where(account.c.user == user))
        kept: dict[str, str] = {}
        for kind in (PULSE, "reflection"):
            item = vault.find(tx, UUID(checkin_id), kind, mine) if mine else None
            text = self.sim.process.product.vault.open(tx, item.id, mine) if item and mine else None
            if text:
                kept |= {PULSE: text} if kind == PULSE else json.loads(text)
        possible = [_filled(answers) for answers in self.sim.invariants.written[checkin_id, user]]
        if kept not in possible:
            names = [sorted(answers) for answers in possible]
            raise Broken("nothing lost", f"{user} wrote {names} in {checkin_id}, and {sorted(kept)} is kept")

    # Due moments --------------------------------------------------------------------------------

    def due(self, tx: Tx) -> None:
        failed = tx.execute(select(due_moment.c.kind).where(due_moment.c.state == "failed")).first()
        if failed:
            raise Broken("nothing forgotten", f"a due moment failed: {failed.kind}")
        if self.up:
            late = due.next_moment(tx)
            if late is not None and late.due_at < self.now - SLACK:
                raise Broken("nothing forgotten", f"{late.kind} was due at {late.due_at}")
        self._meetings_planned(tx)
        self._repeating(tx)
        self._turns(tx)

    def _meetings_planned(self, tx: Tx) -> None:
        """Every meeting to come has all of its moments, at the right times."""
        waiting = select(due_moment.c.subject, due_moment.c.kind, due_moment.c.due_at, due_moment.c.version)
        there = {tuple(row) for row in tx.execute(waiting.where(due_moment.c.state == "waiting"))}
        query = select(meeting, cohort.c.reminders).join_from(meeting, cohort)
        for row in tx.execute(query.where(meeting.c.starts_at > self.now, meeting.c.cancelled_at.is_(None))):
            wanted = [(kind, row.ends_at + timedelta(minutes=after)) for kind, after in FOLLOWING.items()]
            wanted[0] = ("attendance.open", row.starts_at - timedelta(minutes=15))
            wanted.append(("summary.chase", row.ends_at + timedelta(hours=24)))
            wanted += [("meeting.reminder", row.starts_at - timedelta(minutes=lead)) for lead in row.reminders]
            for kind, at in wanted:
                if at > self.now and (str(row.id), kind, at, row.version) not in there:
                    raise Broken("nothing forgotten", f"{kind} of the meeting {row.id} is not planned for {at}")

    def _repeating(self, tx: Tx) -> None:
        """What repeats for ever is planned ahead, once; a start at night plans the day after too."""
        rows = tx.execute(
            select(due_moment.c.kind, due_moment.c.subject, func.count(), func.max(due_moment.c.due_at))
            .where(due_moment.c.state == "waiting", due_moment.c.kind.in_(("digest.weekly", *DAILY)))
            .group_by(due_moment.c.kind, due_moment.c.subject)
        )
        there = {(kind, subject): (count, at) for kind, subject, count, at in rows}
        wanted = [(kind, "", 2) for kind in DAILY]
        wanted += [
            ("digest.weekly", str(person_id), 8)
            for person_id in tx.scalars(select(person.c.id).where(person.c.coordinator))
        ]
        for kind, subject, days in wanted:
            count, at = there.get((kind, subject), (0, self.now))
            if count not in ((1, 2) if kind == "tidying" else (1,)) or at > self.now + timedelta(days=days):
                raise Broken("nothing forgotten", f"{kind} is planned {count} times, at last for {at}")

    def _turns(self, tx: Tx) -> None:
        """A check-in that is open will be closed, and everybody's next one will be opened."""
        moments = select(due_moment.c.kind, due_moment.c.subject).where(due_moment.c.state == "waiting")
        there = {tuple(row) for row in tx.execute(moments)}
        still_open = select(checkin.c.opened_at).where(checkin.c.closes_at > self.now).distinct()
        for at in tx.scalars(still_open):
            if ("checkins.close", at.isoformat()) not in there:
                raise Broken("nothing forgotten", f"the check-ins of {at} will never close")
        for person_id, at in tx.execute(select(metadata.tables["checkin_turn"])):
            if at > self.now and ("checkins.open", at.isoformat()) not in there:
                raise Broken("nothing forgotten", f"the check-in of {person_id} at {at} will never open")

    # Check-ins ----------------------------------------------------------------------------------

    def before_look(self) -> list[ExpectedCheckins]:
        """Who must get a check-in by what is due now, from the rows alone."""
        with self.sim.database.read() as tx:
            query = select(due_moment.c.id, due_moment.c.subject).where(
                due_moment.c.kind == "checkins.open", due_moment.c.state == "waiting", due_moment.c.due_at <= self.now
            )
            moments = [(row.id, datetime.fromisoformat(row.subject)) for row in tx.execute(query)]
            every = list(_who_gets_checkins(tx)) if moments else []
            return [
                ExpectedCheckins(moment, frozenset(_expected(tx, every, came)))
                for moment, came in moments
                if self.now < came + WEEK_OF_CHECKIN
            ]

    def after_look(self, expected: Iterable[ExpectedCheckins]) -> None:
        for expected_checkins in expected:
            with self.sim.database.read() as tx:
                query = select(checkin.c.person_id, checkin.c.day)
                days = {day for _, day in expected_checkins.people}
                there = {tuple(row) for row in tx.execute(query.where(checkin.c.day.in_(days)))}
            missing = sorted(expected_checkins.people - there)
            if missing:
                raise Broken("nothing forgotten", f"no check-in was opened for {missing[0]}")

    # Group figures ------------------------------------------------------------------------------

    def figures(self, tx: Tx) -> None:
        """What is said of a group could be said without any one of the others, is true, and never changes."""
        rows = {row.id: row for row in tx.execute(select(figure))}
        for id_, before in self._figures_before.items():
            if tuple(rows.get(id_, ())) != before:
                raise Broken("group figures", f"the figure {id_} was made anew")
        months = {row.month for row in rows.values() if row.id not in self._figures_before}
        for month in sorted(months):
            self._month_of_figures(tx, month, [row for row in rows.values() if row.month == month])
        self._figures_before = {place: tuple(row) for place, row in rows.items()}

    def _month_of_figures(self, tx: Tx, month: date, rows: list[Any]) -> None:
        begins = datetime.combine(month, time(), naive.ZONE)
        ends = datetime.combine((month + timedelta(days=32)).replace(day=1), time(), naive.ZONE)
        tapped = (
            select(func.count(vault_item.c.person_id.distinct()))
            .join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
            .where(vault_item.c.kind == PULSE, checkin.c.opened_at >= begins, checkin.c.opened_at < ends)
        )
        if sum(row.at_least or 0 for row in rows) > (tx.scalar(tapped) or 0):
            raise Broken("group figures", f"more are said to have answered in {month} than did")
        mentees = tx.scalar(select(func.count(membership.c.person_id.distinct())).where(membership.c.role == "mentee"))
        if sum(row.members for row in rows) > (mentees or 0):
            raise Broken("group figures", f"somebody counts in two groups of {month}")
        for row in rows:
            said = row.at_least or 0
            if said % GROUP or said > max(0, row.members - SPARE - row.reserved) or (row.mood and said < GROUP):
                raise Broken("group figures", f"of {row.members} people {said} are said to have answered in {month}")


LARGE = ("delivery", "due_moment", "ledger_line", "history")  # searched once a week


def _search(table: Table, sqlite: bool) -> Select[Any]:
    """Rows of a table that hold a secret in any column of text, JSON or bytes."""
    matches: list[ColumnElement[bool]] = []
    for column in table.columns:
        if isinstance(column.type, LargeBinary):
            place = func.instr if sqlite else func.strpos
            text = column if sqlite else func.encode(column, "escape")
            matches.append(place(text, SECRET.encode() if sqlite else SECRET) > 0)
        elif isinstance(column.type, JSON):
            matches.append(cast(column, Text).contains(SECRET))
        elif isinstance(column.type, String):
            matches.append(column.contains(SECRET))
    return select(*table.primary_key.columns).where(or_(false(), *matches)).limit(1)


UNMARKED = ("id", "enrolment_id", "position", "mark", "seal")


def _figures(mentee: standings.Mentee) -> Iterable[tuple[tuple[int, str], naive.Figures]]:
    for year in mentee.standing.years:
        for rule in year.requirements:
            yield (year.number, rule.rule), (rule.need or 0, rule.have, rule.credited, rule.waived, rule.outcome)


def _filled(answers: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in answers.items() if text}


@dataclass(frozen=True, slots=True)
class _Getter:
    """Somebody who gets check-ins, with the rhythm of the cohort that sets it."""

    person: UUID
    zone: str
    cohort: UUID
    weekday: int
    at: time
    weeks: int
    snoozed_until: date | None


def _who_gets_checkins(tx: Tx) -> Iterable[_Getter]:
    decisions = {row.person_id: row.decision for row in tx.execute(select(consent).order_by(consent.c.number))}
    accounts = {row.person_id: row for row in tx.execute(select(account).where(account.c.link == "confirmed"))}
    linked = {person_id for person_id, row in accounts.items() if row.active}
    certified = _certified(tx)
    rows = tx.execute(
        select(membership.c.role, cohort.c.key, person, cohort)
        .join_from(membership, person)
        .join(cohort, cohort.c.id == membership.c.cohort_id)
        .where(membership.c.until.is_(None))
    ).mappings()
    mine: dict[UUID, list[Any]] = {}
    for row in rows:
        theirs = accounts.get(row[person.c.id])  # here everybody has one account at most
        off, role = theirs.checkins if theirs else None, row[membership.c.role]
        wants = off is not False and row[person.c.id] not in certified if role == "mentee" else off is True
        if wants and row[person.c.id] in linked and decisions.get(row[person.c.id]) != "declined":
            mine.setdefault(row[person.c.id], []).append(row)
    for person_id, places in mine.items():
        row = min(places, key=lambda place: (place[membership.c.role] != "mentee", place[cohort.c.key]))
        yield _Getter(
            person_id,
            row[person.c.zone],
            row[cohort.c.id],
            row[cohort.c.checkin_weekday],
            row[cohort.c.checkin_at],
            row[cohort.c.checkin_weeks],
            accounts[person_id].snoozed_until,
        )


def _certified(tx: Tx) -> set[UUID]:
    rows = tx.execute(
        select(enrolment.c.person_id, ledger_line.c.step, ledger_line.c.code)
        .join_from(ledger_line, enrolment)
        .where(ledger_line.c.kind == "certificate")
    ).all()
    revoked = {code for _, step, code in rows if step == "revoked"}
    return {person_id for person_id, _, code in rows if code not in revoked}


def _expected(tx: Tx, every: Iterable[_Getter], came: datetime) -> Iterable[tuple[UUID, date]]:
    """Those whose rhythm meets this time, and who are neither on a break, on leave nor snoozing."""
    off = [row for row in tx.execute(select(break_)) if row.removed_at is None]
    books = naive.read_books(tx, [expected.person for expected in every])
    for expected in every:
        local = to_local(came, expected.zone)
        week = (local.date() - date(2024, 1, 1)).days // 7
        if (local.weekday(), local.time(), week % expected.weeks) != (expected.weekday, expected.at, 0):
            continue
        day = local.date()
        away = any(row.starts <= day <= row.ends for row in off if row.cohort_id in (None, expected.cohort))
        asleep = expected.snoozed_until is not None and day < expected.snoozed_until
        leave = expected.person in books and naive.on_leave(books[expected.person], day)
        if not (away or asleep or leave):
            yield expected.person, day
