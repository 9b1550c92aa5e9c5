"""What an operator sees of a running process: its health, its figures, its log."""

from __future__ import annotations

import ast
import errno
import io
import json
import logging
import os
import re
import shutil
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from yarl import URL

from bot.app import App
from bot.main import build
from bot.runtime import logs, nightly
from bot.runtime.damage import find_damaged_keys
from bot.runtime.logs import ACTIONS, event
from storage.people.people_tables import person
from storage.privacy import forgetting
from storage.record import integrity
from storage.record.verification import Verdict
from storage.vault.vault_tables import person_key
from tests.bot.test_app import local
from tests.malformed import BODIES, JSON

TOKEN = "a-token-of-a-test"
CANARY = "canary-Zilpzalp-2210"
ROOT = Path(__file__).parents[3]
HERE = "http://127.0.0.1"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = build(local(tmp_path))
    await made.start()
    yield made
    await made.stop()


async def fetched(app: App, path: str, **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{app.address}{path}", headers={name.replace("_", "-"): said for name, said in headers.items()}
        ) as answer,
    ):
        return answer.status, await answer.text()


async def test_ready_says_which_part_is_not(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)) == (200, {"status": "ready", "database": "ok", "disk": "ok", "local": "ok"})

    async def gone() -> bool:
        return False

    monkeypatch.setattr(app.platforms[0], "connected", gone)
    app.health._asked.clear()
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["local"]) == (503, "not connected")
    assert (await fetched(app, "healthz"))[0] == 200, "alive all the same"


async def test_ready_sees_a_database_of_another_version(app: App) -> None:
    await app.product.threads.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["database"]) == (503, "has another version's schema")


async def test_ready_warns_of_records_that_were_changed(app: App) -> None:
    await nightly.check(app.product)
    assert "warning" not in json.loads((await fetched(app, "readyz"))[1])
    await app.product.threads.write(lambda tx: tx.execute(text("UPDATE enrolment SET track = 'short'")))
    await nightly.check(app.product)
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["status"]) == (200, "ready"), "the process works"
    assert "changed outside the program" in json.loads(body)["warning"]


async def test_ready_sees_a_full_disk(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", full)
        status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["disk"]) == (503, "full")
    app.health._disk = None
    assert (await fetched(app, "readyz"))[0] == 200


async def test_ready_sees_a_disk_that_is_nearly_full(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    assert json.loads((await fetched(app, "readyz"))[1])["disk"] == "full"


async def test_ready_sees_that_the_last_heartbeat_could_not_be_stored(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as failing:
        failing.setattr(app.heartbeat, "refresh", full)
        with pytest.raises(OperationalError):
            await app.refresh_heartbeat()
        status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["database"]) == (503, "cannot be written to")
    await app.refresh_heartbeat()
    assert (await fetched(app, "readyz"))[0] == 200


async def test_ready_warns_of_data_keys_that_do_not_open_and_of_changed_records(app: App) -> None:
    database, vault = app.product.threads.database, app.product.vault
    with database.write() as tx:
        someone = tx.scalars(select(person.c.id).order_by(person.c.id)).first()
        assert someone
        vault.ensure_keys(app.product.work(tx), [someone])
        tx.execute(update(person_key).where(person_key.c.person_id == someone).values(wrapped=bytes(60)))
    app.health.damaged_keys = find_damaged_keys(database, vault)
    keys = "1 data key can't be opened: run plc-bot keys check"
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["warning"]) == (200, keys)
    records = "2 records were changed outside the program: run plc-bot ledger verify"
    with database.write() as tx:
        integrity.add(app.product.work(tx), Verdict(0, 0, ["x", "y"]))
    status, body = await fetched(app, "readyz")
    assert (status, json.loads(body)["warning"]) == (200, f"{records}; {keys}")
    with database.write() as tx:
        forgetting.forget(app.product.work(tx), someone, None)
    assert json.loads((await fetched(app, "readyz"))[1])["warning"] == records


async def test_the_figures_are_for_nobody_unless_there_is_a_token(app: App) -> None:
    status, body = await fetched(app, "metrics")
    assert (status, "PLC_METRICS_TOKEN" in body) == (403, True)
    assert "plc_" not in body


@pytest.mark.parametrize("sent", ["", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \u00e9"])
async def test_the_figures_are_for_nobody_with_another_token(app: App, sent: str) -> None:
    app.health.metrics_token = TOKEN
    assert (await fetched(app, "metrics", Authorization=sent))[0] == 401


async def test_the_figures_are_for_whoever_has_the_token_and_name_nobody(app: App) -> None:
    app.health.metrics_token = TOKEN
    status, body = await fetched(app, "metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    for name in (
        "plc_acknowledgement_seconds",
        "plc_handler_seconds",
        "plc_due_lag_seconds",
        'plc_delivery_lag_seconds_count{platform="local"}',
        "plc_deliveries_waiting",
        'plc_delivery_attempts_total{platform="local"',
        "plc_delivery_failures",
    ):
        assert name in body
    assert "@" not in body
    assert "Reyes" not in body


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What goes to the log; logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.LIBRARIES}
    stream = io.StringIO()
    logs.configure("text", verbose=True, stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_the_log_goes_to_standard_error(written: io.StringIO) -> None:
    logs.configure("text", verbose=False)
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, logs.Formatter)]
    assert [getattr(handler, "stream", None) for handler in handlers] == [sys.stderr]
    assert written.getvalue() == ""


def test_one_line_an_event_with_its_ids(written: io.StringIO) -> None:
    event(logging.getLogger("plc.test"), "delivery.sent", id="1", kind="two words", attempts=3)
    line = written.getvalue()
    assert line.count("\n") == 1
    assert line.endswith(' info delivery.sent id=1 kind="two words" attempts=3\n')
    stream = io.StringIO()
    logs.configure("json", verbose=True, stream=stream)
    event(logging.getLogger("plc.test"), "delivery.sent", id="1", attempts=3)
    said = json.loads(stream.getvalue())
    assert (said["action"], said["id"], said["attempts"], said["level"]) == ("delivery.sent", "1", 3, "info")


def test_libraries_and_exceptions_are_heard_without_their_words(written: io.StringIO) -> None:
    logging.getLogger("slack_sdk.web").debug(CANARY)
    logging.getLogger("aiohttp.server").info(CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling %s", CANARY)
    logging.getLogger("unknown.library").warning(CANARY)
    assert CANARY not in written.getvalue()
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert "library logger=aiohttp.server at=test_watching:" in lines[0]
    assert "error=ValueError" in lines[0]


async def test_a_library_says_the_same_once_a_minute(app: App, written: io.StringIO) -> None:
    bad = [body for body in BODIES if "deflate" in body.name or "gzip" in body.name]
    async with aiohttp.ClientSession() as session:
        for _ in range(20):
            for body in bad:
                headers = {"Content-Type": JSON, **body.headers}
                async with session.post(f"{app.address}verify", data=body.data, headers=headers) as answer:
                    assert answer.status == 400
    lines = [line for line in written.getvalue().splitlines() if " library " in line]
    places = {line.partition(" error ")[2] for line in lines}
    assert len(lines) == len(places) <= len(bad), "one line for each place that says it, however often"


def test_a_library_line_says_how_often_it_was_said() -> None:
    now = [1000.0]
    seldom, library = logs.SeldomLibraries(lambda: now[0]), logging.getLogger("aiohttp.server")

    def passes(name: str = "aiohttp.server", **action: str) -> str | None:
        record = library.makeRecord(name, logging.ERROR, "x.py", 7, "words", (), None, extra=action)
        return logs.Formatter("text").format(record).partition(" error ")[2] if seldom.filter(record) else None

    line = "library logger=aiohttp.server at=x:7"
    assert [passes() for _ in range(5)] == [line, None, None, None, None]
    assert passes("aiohttp.client") == line.replace("server", "client"), "another place has its own line"
    now[0] += logs.SELDOM_SECONDS
    assert passes() == f"{line} times=5"
    assert [passes("plc.test", action="delivery.sent") for _ in range(2)] == ["delivery.sent", "delivery.sent"]


def actions_in_the_code() -> set[str]:
    texts: set[str] = set()
    for file in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (
                getattr(node.func, "id", "") == "event" or getattr(node.func, "attr", "") == "_seldom"
            ):
                said = node.args[1]
                if isinstance(said, ast.Constant):
                    texts.add(str(said.value))
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_note_failure":
                texts |= {
                    str(expr.value) for expr in node.args if isinstance(expr, ast.Constant) and "." in str(expr.value)
                }
    return texts


def test_every_action_is_explained_to_the_operator() -> None:
    assert actions_in_the_code() | {"library"} == set(ACTIONS)
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for action, says in ACTIONS.items():
        assert f"| `{action}` | {says} |" in told


def test_nothing_logs_past_the_one_way() -> None:
    direct = ("log.info(", "log.warning(", "log.error(", "logger.info(", "logger.warning(", "logger.error(")
    offenders = [
        str(file.relative_to(ROOT))
        for room in ("bot", "handlers", "storage", "program")
        for file in (ROOT / room).rglob("*.py")
        if any(call in file.read_text(encoding="utf-8") for call in direct)
    ]
    assert offenders == []


# Bodies that nothing can read -------------------------------------------------------------------


async def test_no_address_crashes_on_a_malformed_body(app: App) -> None:
    """Each address of the whole product that takes a POST, and one that is not there."""
    assert app._runner is not None
    assert app._runner.app is not None
    paths = {"/nowhere"}
    for route in app._runner.app.router.routes():
        if route.method == "POST" and route.resource is not None:
            paths.add(re.sub(r"\{\w+\}", "x", route.resource.canonical))
    assert {"/download/x", "/as/x/channels"} <= paths
    async with aiohttp.ClientSession() as session:
        for path in paths:
            for body in BODIES:
                headers = {"Content-Type": JSON, **body.headers}
                async with session.post(f"{app.address.rstrip('/')}{path}", data=body.data, headers=headers) as answer:
                    assert answer.status < 500, (path, str(body))
                    if body.headers:
                        assert answer.status == 400, (path, str(body))


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "compressed"])
async def test_a_body_of_more_than_a_mebibyte_is_refused(app: App, packed: bool) -> None:
    """Compressed, a few kilobytes are sent, and the limit is of what they become."""
    async with aiohttp.ClientSession() as session:
        for size, status in ((2**20 + 1, 413), (2**20 - 1, 400)):
            body = b"x" * size
            headers = {"Content-Type": JSON} | ({"Content-Encoding": "deflate"} if packed else {})
            sent = io.BytesIO(zlib.compress(body) if packed else body)
            async with session.post(f"{app.address}as/x/channels", data=sent, headers=headers) as answer:
                assert answer.status == status


@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "%FF", "9" * 5000, "..%2f..%2fetc", "%F0%9F%91%A9"])
async def test_no_address_crashes_on_an_odd_path(app: App, odd: str) -> None:
    paths = (f"verify/{odd}", f"verify?code={odd}", f"download/{odd}", f"as/{odd}", f"as/{odd}/c/{odd}", odd)
    async with aiohttp.ClientSession() as session:
        for path in paths:
            url = URL(f"{app.address}{path}", encoded=True)
            async with session.get(url, allow_redirects=False) as answer:
                assert answer.status < 500, path
