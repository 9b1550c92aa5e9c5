"""The one place where everything is wired together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from aiohttp import web
from filelock import FileLock, Timeout
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot import damage, nightly
from bot.clock import AheadClock, Clock, SystemClock
from bot.connections import Connections
from bot.delivery import DeliveryLoop
from bot.disk import explained
from bot.dispatch import Dispatcher, Product
from bot.documents.web import DocumentPages
from bot.documents.wording import read_wording
from bot.logs import event
from bot.port import Permanent, Platform, Port
from bot.presence import REFRESH_SECONDS, Presence
from bot.ratelimit import RateLimit
from bot.scheduler import Scheduler
from bot.settings import Settings, mixed
from bot.threads import DatabaseThreads
from bot.timing import Timing, timing_for
from bot.web import Health
from handlers.features import router
from storage import checkins, forgetting, people, program, running
from storage.database import Database
from storage.migrate import in_turn, migrate
from storage.unlock import unlock
from storage.vault import Vault, new_operator_key, read_operator_keys
from storage.work import Work

log = logging.getLogger("plc.app")

CUT_OFF = 1.0  # seconds for connections to close after what is in flight was cut off
PROGRAM_NAME = "Counselor mentoring program"


class CannotStart(Exception):
    """Something is not as it must be; the text says what, and nothing was started."""


def open_database(settings: Settings) -> Database:
    return Database(settings.database_url)


@contextmanager
def running_alone(url: URL) -> Iterator[None]:
    """On SQLite one process runs at a time; terminal commands may write beside it. PostgreSQL takes any number.

    Whoever puts another database in this one's place holds the same lock. It is the operating system's, so a
    killed process leaves none behind.

    Raises:
        CannotStart: another process runs on this database, or it is being replaced.
    """
    if url.get_backend_name() != "sqlite":
        yield
        return
    file = Path(url.database or "").with_suffix(".lock")
    try:
        with FileLock(file, timeout=0, mode=0o600):
            yield
    except Timeout:
        raise CannotStart(
            f"Another `plc-bot run` uses the database {url.database} already, or a backup is being put in its place, "
            "so this one does not start: SQLite serves one process. Stop the other one, or use PostgreSQL, which "
            "serves several."
        ) from None


def prepare(
    settings: Settings,
    database: Database,
    now: Clock,
    new_id: Callable[[], UUID] = uuid4,
    presence: Presence | None = None,
    first: bytes = b"",
) -> Vault:
    """Migrate, refuse what must not be mixed, forget again whom a backup brought back, and check the keys.

    ``first``: the key that a new database begins with; otherwise a random one.
    ``presence``: of a process that is to run, announced in the transaction that checks its keys.

    Raises:
        CannotStart, SchemaProblem, BadKey: nothing is started.
    """
    migrate(database)
    vault = Vault(read_operator_keys(operator_keys(settings)))
    with database.write() as tx:
        in_turn(tx)
        found = program.get(tx)
        if found is not None and found.example != settings.local:
            raise CannotStart(mixed(found.example))
        again = forgetting.apply_again(tx)
        if again.keys or again.items:
            event(log, "forgetting.again", logging.WARNING, keys=again.keys, items=again.items)
        if presence is not None:
            presence.announce(tx, vault)
        else:
            vault.check(tx)
        key = unlock(tx, vault, first, now.now())
        work = Work(tx, now.now(), new_id, key)
        if found is None:
            program.create(tx, PROGRAM_NAME, example=settings.local)
        checkins.seed_prompts(work)
        people.ensure_coordinators(work, settings.plc_coordinators, program.zone_of(tx))
        for hook in router.start_hooks:
            hook(work)
    database.use_key(key)
    return vault


def operator_keys(settings: Settings) -> str:
    """The configured keys; the example makes its own, readable by its owner alone."""
    if settings.plc_encryption_keys:
        return settings.plc_encryption_keys
    if settings.plc_encryption_keys_file:
        return _key_file(settings.plc_encryption_keys_file)
    url = make_url(settings.database_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if not settings.local or not file:
        raise CannotStart("PLC_ENCRYPTION_KEYS is missing. `plc-bot keys new` makes a key.")
    path = Path(file).with_suffix(".operator-key")
    if not path.exists():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as made:
            made.write(new_operator_key())
    return path.read_text()


def _key_file(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise CannotStart(f"PLC_ENCRYPTION_KEYS_FILE ({file}) cannot be read: {reason}.") from None


class App:
    """The running product: platforms, web server, scheduler and delivery loop around one database."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        clock: Clock | None = None,
        new_id: Callable[[], UUID] = uuid4,
        timing: Timing | None = None,
        presence: Presence | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.timing = timing or timing_for(database)
        self.presence = presence or Presence()
        with database.write() as tx:
            in_turn(tx)
            chain_key = unlock(tx, vault, now=self.clock.now())
        database.use_key(chain_key)
        threads = DatabaseThreads(database)
        self.product = Product(
            threads,
            vault,
            router,
            self.clock,
            new_id,
            chain_key,
            lambda: self.link_address,
            settings.plc_key_backup_days,
            house=settings.house,
        )
        limit = RateLimit(settings.clients)
        self.pages = DocumentPages(self.product, read_wording(settings.plc_certificate), limit)
        self.connections = Connections(settings.clients)
        self.ports: dict[str, Port] = {}
        self.loop = DeliveryLoop(self.product, self.ports, self.timing)
        self.dispatcher = Dispatcher(self.product, self.ports, self.loop.wake, self.timing)
        self.scheduler = Scheduler(self.product, self.loop.wake, self.timing.look)
        self.platforms: list[Platform] = []
        self.before_work: list[Callable[[], Awaitable[None]]] = []  # once the platforms are there
        self.port = settings.plc_port
        self.health = Health(self.product, self.platforms, metrics_token=settings.plc_metrics_token)
        self.health.damaged_keys = damage.find_damaged_keys(database, vault)
        self._runner: web.AppRunner | None = None

    def add(self, platform: Platform) -> None:
        self.platforms.append(platform)
        self.ports[platform.port.platform] = platform.port

    def keep_pace(self) -> None:
        """From now on deliveries keep to what each platform allows. A test on a clock of its own may do without."""
        self.loop.pace = {platform.port.platform: platform.pace for platform in self.platforms}

    async def start(self) -> None:
        """Start everything, or stop again what had started and raise."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        site = web.Application(client_max_size=2**20, middlewares=[self.connections.middleware, self.health.timed])
        self.health.add_routes(site)
        self.pages.add_routes(site)
        for platform in self.platforms:
            platform.add_routes(site)
        self._runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=self.timing.stop / 2)
        await self._runner.setup()
        for platform in self.platforms:
            try:
                await platform.start()
            except Permanent as error:
                raise CannotStart(str(error)) from None
        try:
            self.port = await self.connections.listen(self._runner, self.settings.plc_host, self.settings.plc_port)
        except OSError as error:
            raise CannotStart(
                f"Port {self.settings.plc_port} on {self.settings.plc_host} cannot be used ({error.strerror}). "
                "Is the bot running already? PLC_PORT chooses another one."
            ) from None
        for hook in self.before_work:
            await hook()
        self.loop.start()
        self.scheduler.every(REFRESH_SECONDS, self.be_present, "presence")
        self.scheduler.every(nightly.LOOK_SECONDS, self.check_records, "records")
        database = self.product.threads.database
        if not database.sqlite:
            self.scheduler.every(database.idle, self.end_silent, "silent")
        await self.scheduler.start()
        await self.scheduler.safely(self.be_present, "presence")

    async def be_present(self) -> None:
        """Be heard of again; where somebody was forgotten meanwhile, nothing of theirs stays in a log file."""
        threads, vault = self.product.threads, self.product.vault
        try:
            await threads.write(lambda tx: self.presence.refresh(tx, vault))
        except SQLAlchemyError:
            self.health.written = False
            raise
        self.health.written = True
        if await threads.read(self.presence.somebody_was_forgotten):
            await threads.alone(threads.database.empty_log)

    async def check_records(self) -> None:
        """Once a night; what it found is told at once."""
        if await nightly.check_if_due(self.product):
            self.loop.wake()

    async def end_silent(self) -> None:
        """No frozen process keeps the others from what it held."""
        threads = self.product.threads
        ended = await threads.read(lambda tx: running.end_silent(tx, threads.database.idle))
        if ended:
            event(log, "presence.silent", logging.WARNING, sessions=ended)

    async def stop(self) -> bool:
        """Finish what is in flight, then stop; False when that took too long and calls were cut off.

        A call that is cut off loses nothing: it is looked at after its lease, by the next process or another.
        """
        clean = True
        try:
            async with asyncio.timeout(self.timing.stop):
                await asyncio.gather(self.scheduler.stop(), self.loop.stop(), self._close_site())
                await self._disconnect()
        except TimeoutError:
            await self.loop.cut_off()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._disconnect(), CUT_OFF)
            clean = False
        try:
            await self.product.threads.write(self.presence.leave)
        except SQLAlchemyError as error:  # it falls silent all the same
            event(log, "presence.leave", logging.WARNING, error=type(error).__name__)
        self.product.threads.close()
        return clean

    async def _close_site(self) -> None:
        """Take no more requests, and let those that are here be answered."""
        self.connections.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _disconnect(self) -> None:
        for platform in self.platforms:
            await platform.stop()

    @property
    def link_address(self) -> str:
        """Where people's browsers reach the bot; empty while the operator has not said (Socket Mode)."""
        if self.settings.plc_public_url:
            return self.settings.public_url
        return self.address.rstrip("/") if self.settings.local else ""

    @property
    def address(self) -> str:
        return f"http://{self.settings.plc_host}:{self.port}/"


def build(settings: Settings, database: Database | None = None) -> App:
    """The app for these settings, prepared and not yet started.

    Raises:
        CannotStart, SchemaProblem, BadKey: nothing was started.
    """
    database = database or open_database(settings)
    try:
        presence = Presence()
        vault = prepare(settings, database, SystemClock(), presence=presence)
        app = App(settings, database, vault, _clock(settings, database), presence=presence)
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
        found = program.get(tx)
    return AheadClock(found.clock_ahead) if found else AheadClock()


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
