"""A real browser and axe-core. Where they are missing the tests are skipped, loudly; with CI set they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from filelock import FileLock
from playwright.async_api import Browser, async_playwright

from bot.local import connect
from tests.browser.product import MARIA, Running, copied, running
from tests.browser.workspace import Served, Windows, serve
from tests.local.toy import Toy, ToyHost, seed
from tests.world import everybody_agrees

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each window would otherwise start renderers for the browser's own toolbars, which nobody sees here.
    "--disable-features=PreloadTopChromeWebUI,Translate,MediaRouter,OptimizationHints",
)

_missing: list[str] = []


def _absent(what: str) -> None:
    """Skip, and say so at the end of the run; in CI a missing browser is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} With CI set the browser tests must run.")
    if what not in _missing:
        _missing.append(what)
    pytest.skip(what)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what in _missing:
        terminalreporter.section("BROWSER TESTS WERE SKIPPED", red=True, bold=True)
        terminalreporter.line(what)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path: PLC_CHROMIUM, or the first known name on PATH."""
    named = os.environ.get("PLC_CHROMIUM")
    browser = named if named and Path(named).exists() else None
    browser = browser or next((path for path in map(shutil.which, NAMES) if path), None)
    if browser is None:
        _absent("No Chromium was found. Install one, or name it in PLC_CHROMIUM.")
    return str(browser)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, fetched once by npm from the lock file."""
    script = HERE / "node_modules" / "axe-core" / "axe.min.js"
    with FileLock(HERE / ".npm.lock"):  # several test processes may want it at once
        if not script.exists():
            _fetch_axe()
    return script.read_text(encoding="utf-8")


def _fetch_axe() -> None:
    npm = shutil.which("npm")
    if npm is None:
        _absent("npm was not found; it brings axe-core, which checks accessibility.")
    command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        _absent(f"npm could not bring axe-core: {done.stderr.strip()[-300:]}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        await started.close()


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def toy() -> Toy:
    return Toy()


@pytest_asyncio.fixture(loop_scope="session")
async def host() -> ToyHost:
    return ToyHost()


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path, toy: Toy, host: ToyHost) -> AsyncIterator[Served]:
    """The workspace with the toy product behind it, on a free port."""
    workspace = connect(tmp_path / "chat.sqlite", toy.answer, host)
    host.seed = lambda: seed(workspace.chat)
    async with serve(workspace) as running:
        seed(workspace.chat)
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a newly seeded example, in which everybody but Maria has agreed to check-ins already."""
    folder = tmp_path_factory.mktemp("example")
    async with running(folder) as app:
        await app.write(lambda tx: everybody_agrees(app.app.product.work(tx), but=MARIA))
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def product(tmp_path: Path, example: Path) -> AsyncIterator[Running]:
    """The whole product with its example, on a free port."""
    async with running(copied(example, tmp_path)) as app:
        yield app
