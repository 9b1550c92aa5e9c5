"""What the local workspace asks of the product: its people, its commands and its clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from bot.app import App
from bot.local import LocalWorkspace, connect
from bot.local.example import seed_chat, seed_program
from bot.local.host import CommandHelp, LocalPerson, NextDue
from bot.local.local_port import PLATFORM, TENANT
from bot.runtime.clock import AheadClock
from bot.startup import prepare
from handlers.core.calls import roles_of
from handlers.core.registrations import CommandSpec
from handlers.core.router import router
from program.core.words import listed
from storage.core import program
from storage.core.database import Database, Tx, keys_file
from storage.meetings import meetings
from storage.outbox import due, moments
from storage.outbox.due import Moment
from storage.outbox.outbox_tables import installation
from storage.people import cohorts, people
from storage.people.people_tables import account

STRANGER = "not matched"
# Moments of which nobody sees anything.
UNNOTICED = (moments.TIDYING, moments.COMPLETION_LOOK, moments.RETENTION_LOOK, moments.CHECKINS_EXPIRE)
ORDER = {"mentee": 0, "mentor": 1, "coordinator": 2}


def add_workspace(app: App, database: Database) -> LocalWorkspace:
    """Connect the local workspace; the chat's own file lies beside the database."""
    host = WorkspaceHost(app, database)
    file = Path(database.url.database or "").with_suffix(".chat.sqlite")
    host.workspace = connect(file, app.dispatcher.answer, host)
    app.add(host.workspace)
    app.before_work.append(host.seed)
    return host.workspace


class WorkspaceHost:
    """The product as the workspace sees it."""

    workspace: LocalWorkspace

    def __init__(self, app: App, database: Database) -> None:
        self._app = app
        self._database = database

    @property
    def _clock(self) -> AheadClock:
        clock = self._app.clock
        if not isinstance(clock, AheadClock):
            raise TypeError("The local workspace needs a clock that can be sent ahead.")
        return clock

    def now(self) -> datetime:
        """Return the example's time, aware UTC."""
        return self._clock.now()

    # People and commands ------------------------------------------------------------------------

    async def people(self) -> tuple[LocalPerson, ...]:
        """Return everybody with an account in the local workspace, mentees first."""
        return await self._app.product.threads.read(_people)

    async def commands(self, user: str) -> tuple[CommandHelp, ...]:
        """Return the commands that this user's roles may send, by name; none for an unknown user."""
        me = await self._app.product.threads.read(lambda tx: people.actor(tx, PLATFORM, TENANT, user))
        roles = roles_of(me) if me else frozenset()
        return tuple(
            CommandHelp(max((spec.words_for(role) for role in roles & spec.who), key=len), _summary(spec, roles))
            for spec in sorted(router.commands.values(), key=lambda entry: entry.words)
            if spec.who & roles
        )

    # The clock ----------------------------------------------------------------------------------

    async def next_due(self) -> NextDue | None:
        """Return the next due moment of which people see anything, or None."""
        return await self._app.product.threads.read(_next_due)

    async def go_to_next(self) -> NextDue | None:
        """Move the clock to the next due moment and do all that is due by then; return it, or None if there is none."""
        coming = await self.next_due()
        if coming is not None:
            await self._go_to(coming.at)
        return coming

    async def go_forward(self, hours: int) -> None:
        """Through every due moment on the way, each at its own time, as it would have happened."""
        end = self.now() + timedelta(hours=hours)
        while (coming := await self.next_due()) is not None and coming.at <= end:
            await self._go_to(coming.at)
        await self._go_to(end)

    async def _go_to(self, at: datetime) -> None:
        self._clock.go_to(at)
        ahead = self._clock.ahead
        await self._app.product.threads.write(lambda tx: program.set_clock(tx, ahead))
        await self._app.scheduler.look()
        await self._app.loop.drain()

    # The example --------------------------------------------------------------------------------

    async def reset(self) -> None:
        """A new example: the ledger refuses to be emptied, so the old database file goes as a whole."""
        await self._app.product.threads.run_exclusively(self._new_database)
        await self.seed()

    def _new_database(self) -> None:
        self._database.close()
        file = self._database.url.database or ""
        for name in (file, keys_file(file)):
            for suffix in ("", "-wal", "-shm"):
                Path(name + suffix).unlink(missing_ok=True)
        self._clock.ahead = timedelta()
        product = self._app.product
        # The running process goes on using the key it has.
        prepare(self._app.settings, self._database, self._clock, product.new_id, first=product.chain_key)

    async def seed(self) -> None:
        """Put the example in, where there is none yet."""
        if not await self._app.product.threads.read(_is_empty):
            return
        await asyncio.to_thread(seed_chat, self.workspace.chat)
        await self._app.product.threads.write(self._seed_program)
        await self._app.loop.drain()

    def _seed_program(self, tx: Tx) -> None:
        """The example; its coordinator was not there yet when the process planned what repeats daily."""
        work = self._app.product.work(tx)
        seed_program(work)
        for hook in router.start_hooks:
            hook(work)


def _is_empty(tx: Tx) -> bool:
    return not cohorts.all_cohorts(tx)


def _summary(spec: CommandSpec, roles: frozenset[str]) -> str:
    """What a command does for somebody with these roles; for several that differ, each."""
    own = [spec.summary_for(role) for role in ("mentee", "mentor", "coordinator") if role in roles & spec.who]
    return "; ".join(dict.fromkeys(own))


def _people(tx: Tx) -> tuple[LocalPerson, ...]:
    """Everybody with an account here, mentees first."""
    users = tx.execute(
        select(account.c.user, account.c.name)
        .join_from(account, installation)
        .where(installation.c.platform == PLATFORM)
        .order_by(account.c.name)
    ).all()
    local_persons = []
    for user, name in users:
        me = people.actor(tx, PLATFORM, TENANT, user)
        if me is None:
            continue
        role = ", ".join(sorted(roles_of(me))) or STRANGER
        own = listed([member.cohort for member in me.memberships])
        local_persons.append(LocalPerson(user, me.name if me.person_id else name, role, me.zone, own))
    return tuple(sorted(local_persons, key=lambda entry: (ORDER.get(entry.role, len(ORDER)), entry.name)))


def _next_due(tx: Tx) -> NextDue | None:
    moment = due.next_moment(tx, UNNOTICED)
    return NextDue(moment.due_at, _words(tx, moment)) if moment else None


def _words(tx: Tx, moment: Moment) -> str:
    spec = router.moments.get(moment.kind)
    says = spec.says if spec else moment.kind
    try:
        meeting = meetings.find(tx, UUID(moment.subject))
    except ValueError:
        return says
    return f"{says} ({meeting.topic})" if meeting else says
