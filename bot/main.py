"""Building the app for its settings, with the configured platforms, and running it until a stop signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from bot.app import App
from bot.runtime import damage
from bot.runtime.clock import AheadClock, Clock, SystemClock
from bot.runtime.disk import explained
from bot.runtime.heartbeat import Heartbeat
from bot.runtime.logs import event
from bot.settings import Settings
from bot.startup import open_database, prepare, running_alone
from storage.core import program
from storage.core.database import Database

log = logging.getLogger("plc.app")


def build(settings: Settings, database: Database | None = None) -> App:
    """The app for these settings, prepared and not yet started.

    Raises:
        CannotStart, SchemaProblem, BadKey: nothing was started.
    """
    database = database or open_database(settings)
    try:
        heartbeat = Heartbeat()
        vault = prepare(settings, database, SystemClock(), heartbeat=heartbeat)
        app = App(settings, database, vault, _clock(settings, database), heartbeat=heartbeat)
        _connect(app, settings, database)
        app.keep_pace()
    except BaseException:
        database.close()
        raise
    return app


def _clock(settings: Settings, database: Database) -> Clock:
    if not settings.local:
        return SystemClock()
    with database.read() as tx:
        stored = program.get(tx)
    return AheadClock(stored.clock_ahead) if stored else AheadClock()


def _connect(app: App, settings: Settings, database: Database) -> None:
    """Connect the configured platforms. An SDK is imported only when its platform is configured."""
    answer = app.dispatcher.answer
    if settings.slack is not None:
        from bot import slack

        measured = partial(app.product.metrics.acknowledged, "slack")
        app.add(slack.connect(settings.slack, answer, acknowledged=measured))
    if settings.teams is not None:
        from bot import teams

        app.add(teams.connect(settings.teams, answer))
    if settings.local:
        from bot.workspace import add_workspace

        add_workspace(app, database)


async def run(settings: Settings, say: Callable[[str], None]) -> None:
    """Run until a stop signal."""
    database = open_database(settings)
    with ExitStack() as lock:
        with explained(database.url):
            lock.enter_context(running_alone(database.url))
            app = build(settings, database)
        await serve(app, say)


async def serve(app: App, say: Callable[[str], None]) -> None:
    """Run a built app until a stop signal. A second signal ends the process at once, as a kill would."""
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            os._exit(1)
        stopped.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    with explained(app.product.threads.database.url):
        await app.start()
    try:
        for platform in app.platforms:
            say(_ready(platform.port.platform, app))
        if app.health.damaged_keys:
            say(damage.sentence(len(app.health.damaged_keys)))
        event(log, "bot.ready", platforms=",".join(app.ports), database=app.product.threads.database.engine.name)
        _collect_less()
        await stopped.wait()
        say("Stopping …")
        event(log, "bot.stopping")
    finally:
        clean = await app.stop()
        event(log, "bot.stopped", clean="yes" if clean else "no")


def _collect_less() -> None:
    """What was set up stays for good; Python's collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _ready(platform: str, app: App) -> str:
    if platform == "local":
        return f"The local workspace is ready: {app.address}  (an example; stop with Ctrl+C)"
    if platform == "slack" and app.settings.slack is not None and app.settings.slack.app_token:
        return "Slack is connected in Socket Mode."
    path = {"slack": "slack/events", "teams": "api/messages"}[platform]
    return f"{platform.title()} is connected at {app.settings.public_url}/{path}"
