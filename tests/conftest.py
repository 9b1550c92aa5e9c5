"""What every test may use: a database of each kind, and a world in it."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.core.database import Database
from tests.order import long_first
from tests.statements import compiled_once
from tests.templates import CopiedMigrations, PostgresServer, SeededFolder
from tests.world import World, seed

# A busy machine is slow, and no test measures time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

RAM_DISK = Path("/dev/shm")
RAM_NEEDED = 4 << 30  # bytes; each of four test processes has a PostgreSQL of its own there


def pytest_configure() -> None:
    """Keep temporary files on the RAM disk: databases of seconds need no disk, and a disk took half the time."""
    if "TMPDIR" not in os.environ and _ram_disk_has_room():
        os.environ["TMPDIR"] = str(RAM_DISK)
        tempfile.tempdir = None  # look again


def _ram_disk_has_room() -> bool:
    if not os.access(RAM_DISK, os.W_OK) or shutil.disk_usage(RAM_DISK).free < RAM_NEEDED:
        return False
    return not os.statvfs(RAM_DISK).f_flag & os.ST_NOEXEC  # some tests write programs


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a PostgreSQL server."""
    params = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    names = item.fixturenames if isinstance(item, pytest.Function) else ()
    if "postgres_server" in names or any(isinstance(value, str) and value == "postgresql" for value in params):
        item.add_marker(pytest.mark.postgresql)


def pytest_collection_finish() -> None:
    """Let the garbage collector look more rarely, and not at what was imported: it took a fifteenth of the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After they were shuffled, begin with what takes long."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = long_first(items, _is_long, processes)


def _is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("long", "process"))


@pytest.fixture(scope="session", autouse=True)
def copied_migrations() -> Iterator[CopiedMigrations]:
    copied = CopiedMigrations()
    with compiled_once(), copied.entered():
        yield copied


@pytest.fixture(autouse=True)
def _real_migrations(request: pytest.FixtureRequest, copied_migrations: CopiedMigrations) -> Iterator[None]:
    copied_migrations.off = _wants_empty_database(request)
    yield
    copied_migrations.off = False


def _wants_empty_database(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("empty_database") is not None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    return postgres_server.url


@pytest.fixture(scope="session")
def seeded_folder(copied_migrations: CopiedMigrations) -> Iterator[SeededFolder]:
    assert not copied_migrations.off
    folder = SeededFolder(seed)
    yield folder
    folder.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new database of each kind; for a test that uses the world, with the roster in it."""
    seeded = "world" in request.fixturenames
    if request.param == "sqlite":
        if seeded:
            folder: SeededFolder = request.getfixturevalue("seeded_folder")
            folder.copy_to(tmp_path)
        yield f"sqlite:///{tmp_path / 'plc.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if _wants_empty_database(request):
        url = server.empty_database()
    else:
        url = server.seeded_database(seed) if seeded else server.migrated_database()
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'plc.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A program with an imported roster, on both databases."""
    world = World(database)
    world.skip_seeded_ids()
    yield world
    world.close()
