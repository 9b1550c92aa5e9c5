"""The running product: the one place where everything is wired together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.documents.wording import read_wording
from bot.runtime import damage, nightly
from bot.runtime.clock import Clock, SystemClock
from bot.runtime.delivery import DeliveryLoop
from bot.runtime.dispatch import Dispatcher, Product
from bot.runtime.heartbeat import REFRESH_SECONDS, Heartbeat
from bot.runtime.intervals import Intervals, intervals_for
from bot.runtime.logs import event
from bot.runtime.port import Permanent, Platform, Port
from bot.runtime.scheduler import Scheduler
from bot.runtime.threads import DatabaseThreads
from bot.settings import Settings
from bot.startup import CannotStart
from bot.web.connections import Connections
from bot.web.health import Health
from bot.web.pages import DocumentPages
from bot.web.request_limit import RateLimit
from handlers.features import router
from storage.core import processes
from storage.core.database import Database
from storage.core.migrate import hold_startup_lock
from storage.vault.unlock import unlock
from storage.vault.vault import Vault

log = logging.getLogger("plc.app")

CUT_OFF = 1.0  # seconds for connections to close after what is in flight was cut off


class App:
    """The running product: platforms, web server, scheduler and delivery loop around one database."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        clock: Clock | None = None,
        new_id: Callable[[], UUID] = uuid4,
        intervals: Intervals | None = None,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.intervals = intervals or intervals_for(database)
        self.heartbeat = heartbeat or Heartbeat()
        with database.write() as tx:
            hold_startup_lock(tx)
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
            privacy_settings=settings.privacy_settings,
        )
        limit = RateLimit(settings.clients)
        self.pages = DocumentPages(self.product, read_wording(settings.plc_certificate), limit)
        self.connections = Connections(settings.clients)
        self.ports: dict[str, Port] = {}
        self.loop = DeliveryLoop(self.product, self.ports, self.intervals)
        self.dispatcher = Dispatcher(self.product, self.ports, self.loop.wake, self.intervals)
        self.scheduler = Scheduler(self.product, self.loop.wake, self.intervals.look)
        self.platforms: list[Platform] = []
        self.before_work: list[Callable[[], Awaitable[None]]] = []  # once the platforms are there
        self.port = settings.plc_port
        self.health = Health(self.product, self.platforms, metrics_token=settings.plc_metrics_token)
        self.health.damaged_keys = damage.find_damaged_keys(database, vault)
        self._runner: web.AppRunner | None = None

    def add(self, platform: Platform) -> None:
        """Add a platform and its port. Call this before :meth:`start`."""
        self.platforms.append(platform)
        self.ports[platform.port.platform] = platform.port

    def keep_pace(self) -> None:
        """From now on deliveries keep to what each platform allows. A test on a clock of its own may do without."""
        self.loop.rate_limits = {platform.port.platform: platform.rate_limits for platform in self.platforms}

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
        self._runner = web.AppRunner(
            site, access_log=None, handle_signals=False, shutdown_timeout=self.intervals.stop / 2
        )
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
        self.scheduler.every(REFRESH_SECONDS, self.refresh_heartbeat, "heartbeat")
        self.scheduler.every(nightly.LOOK_SECONDS, self.check_records, "records")
        database = self.product.threads.database
        if not database.sqlite:
            self.scheduler.every(database.idle, self.end_silent, "silent")
        await self.scheduler.start()
        await self.scheduler.safely(self.refresh_heartbeat, "heartbeat")

    async def refresh_heartbeat(self) -> None:
        """Refresh this process's heartbeat, and truncate the WAL if a person was forgotten since the last one."""
        threads, vault = self.product.threads, self.product.vault
        try:
            await threads.write(lambda tx: self.heartbeat.refresh(tx, vault))
        except SQLAlchemyError:
            self.health.written = False
            raise
        self.health.written = True
        if await threads.read(self.heartbeat.someone_was_forgotten):
            await threads.run_exclusively(threads.database.truncate_wal)

    async def check_records(self) -> None:
        """Once a night; what it found is told at once."""
        if await nightly.check_if_due(self.product):
            self.loop.wake()

    async def end_silent(self) -> None:
        """No frozen process keeps the others from what it held."""
        threads = self.product.threads
        ended = await threads.read(lambda tx: processes.end_silent(tx, threads.database.idle))
        if ended:
            event(log, "heartbeat.silent", logging.WARNING, sessions=ended)

    async def stop(self) -> bool:
        """Finish what is in flight, then stop; False when that took too long and calls were cut off.

        A call that is cut off loses nothing: it is looked at after its lease, by the next process or another.
        """
        clean = True
        try:
            async with asyncio.timeout(self.intervals.stop):
                await asyncio.gather(self.scheduler.stop(), self.loop.stop(), self._close_site())
                await self._disconnect()
        except TimeoutError:
            await self.loop.cut_off()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._disconnect(), CUT_OFF)
            clean = False
        try:
            await self.product.threads.write(self.heartbeat.leave)
        except SQLAlchemyError as error:  # it falls silent all the same
            event(log, "heartbeat.leave", logging.WARNING, error=type(error).__name__)
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
        """The web server's own address, with a slash at the end. Its port is known after :meth:`start`."""
        return f"http://{self.settings.plc_host}:{self.port}/"
