"""``plc-bot run`` as a real process that can be made to die or freeze at any of its steps.

One parent process imports everything once and then forks a bot for each line on its standard input, so that
a test can afford hundreds of deaths. Nothing of this is in the product: the steps are found by wrapping what
every step goes through, the database's commits and the ports' calls.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event

from bot.app import App
from bot.main import serve
from bot.runtime import logs
from bot.runtime.clock import SystemClock
from bot.runtime.intervals import Intervals
from bot.runtime.port import Port
from bot.settings import Settings
from bot.slack import connect as connect_slack
from bot.startup import prepare, running_alone
from bot.teams import connect as connect_teams
from storage.core.database import Database, Tx
from tests.fakes import slack, teams
from tests.world import OPERATOR_KEY

# Looks come quickly; between a lease and its call lies more than a busy machine needs to get from claim to call.
QUICK = Intervals(look=0.2, idle=0.2, rate_limited=0.05, call=4.0, lease=7.0, settling=0.5, stop=30.0)
CALL = 3.0  # seconds that a platform's client waits for an answer
IDLE = 8.0  # seconds that PostgreSQL waits for a process that is silent in a transaction


@dataclass(frozen=True)
class Orders:
    """What one process is told. ``fault``: step, its count, and the signal the process sends itself there."""

    database_url: str
    out: str  # a file: the process's address, once it is ready
    slack_url: str = ""
    teams_url: str = ""
    fault: tuple[str, int, str] | None = None
    intervals: dict[str, float] = field(default_factory=dict)
    socket: bool = False  # Slack speaks through Socket Mode


STEPS = ("before commit", "after commit", "before call", "after call")
BATCH = "amid a batch"  # of statements, which PostgreSQL gets without an end


class FaultInjector:
    """Counts the steps and injects the ordered fault at its step."""

    def __init__(self, orders: Orders) -> None:
        self._fault = orders.fault
        self._steps: Counter[str] = Counter()

    def step(self, name: str) -> None:
        self._steps[name] += 1
        if self._fault is not None and (name, self._steps[name]) == tuple(self._fault[:2]):
            os.kill(os.getpid(), signal.Signals[self._fault[2]])


def _wrap_commits(app: App, injector: FaultInjector) -> None:
    database = app.product.threads.database
    write = database.write

    @contextmanager
    def counted(**how: bool) -> Iterator[Tx]:
        with write(**how) as tx:
            yield tx
            injector.step("before commit")
        injector.step("after commit")

    setattr(database, "write", counted)  # noqa: B010 -- a method of one object, replaced for a test


def _wrap_batches(app: App, injector: FaultInjector) -> None:
    """One step more where some rows of a batch are on their way and the server waits for the rest."""

    @event.listens_for(app.product.threads.database.engine, "do_executemany")
    def batch(cursor: Any, statement: str, rows: Sequence[Any], _context: Any) -> bool:
        def stepping() -> Iterator[Any]:
            for number, row in enumerate(rows):
                if number:
                    cursor.connection.pgconn.flush()
                    injector.step(BATCH)
                yield row

        cursor.executemany(statement, stepping())
        return True


def _wrap_calls(port: Port, injector: FaultInjector) -> None:
    for verb in ("post", "update", "visit"):
        call = getattr(port, verb)

        async def counted(*args: Any, _call: Any = call) -> Any:
            injector.step("before call")
            result = await _call(*args)
            injector.step("after call")
            return result

        setattr(port, verb, counted)


def settings_for(orders: Orders) -> Settings:
    told: dict[str, Any] = {}
    if orders.slack_url:
        told |= {
            "slack_bot_token": slack.BOT_TOKEN,
            "slack_signing_secret": slack.SIGNING_SECRET,
            "slack_api_url": orders.slack_url,
            **({"slack_app_token": slack.APP_TOKEN} if orders.socket else {}),
        }
    if orders.teams_url:
        told |= {
            "teams_app_id": teams.APP_ID,
            "teams_app_password": teams.PASSWORD,
            "teams_tenant_id": teams.TENANT,
        }
    return Settings(plc_port=0, plc_database_url=orders.database_url, plc_encryption_keys=OPERATOR_KEY, **told)


def new_id() -> UUID:
    """A random id whose last part is this process, so that a test knows whose claim is whose."""
    return UUID(int=uuid4().int >> 48 << 48 | os.getpid())


def maker(made: UUID) -> int:
    """The process that made an id of :func:`new_id`."""
    return made.node


async def run(orders: Orders) -> None:
    settings = settings_for(orders)
    database = Database(settings.database_url, idle=IDLE)
    with running_alone(database.url):
        vault = prepare(settings, database, SystemClock())
        intervals = Intervals(**{**asdict(QUICK), **orders.intervals})
        app = App(settings, database, vault, new_id=new_id, intervals=intervals)
        if settings.slack is not None:
            app.add(connect_slack(settings.slack, app.dispatcher.answer, timeout=CALL))
        if settings.teams is not None:
            url = orders.teams_url
            app.add(
                connect_teams(
                    settings.teams,
                    app.dispatcher.answer,
                    login_url=url,
                    metadata_url=f"{url}/v1/.well-known/openidconfiguration",
                    service_url=f"{url}/amer/",
                    timeout=CALL,
                )
            )
        injector = FaultInjector(orders)
        _wrap_commits(app, injector)
        if not database.sqlite:
            _wrap_batches(app, injector)
        for platform in app.platforms:
            _wrap_calls(platform.port, injector)

        def say(_text: str) -> None:
            Path(orders.out).write_text(app.address, encoding="utf-8")

        await serve(app, say)


def _be_a_bot(orders: Orders) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ.pop(name, None)
    with open(orders.out + ".log", "a", encoding="utf-8") as log:
        logs.configure("text", verbose=True, stream=log)
        try:
            asyncio.run(run(orders))
        except BaseException:
            traceback.print_exc(file=log)
            log.flush()
            os._exit(1)
        log.flush()
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried at once
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            _be_a_bot(Orders(**json.loads(line)))
        print(child, flush=True)  # noqa: T201 -- the answer to whoever ordered it


if __name__ == "__main__":
    main()
