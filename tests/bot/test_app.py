"""Starting and stopping the product, and what it refuses."""

from __future__ import annotations

from inspect import ismethod
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from bot.app import App
from bot.main import _ready, build
from bot.runtime.clock import SystemClock
from bot.settings import Settings
from bot.startup import CannotStart, prepare
from bot.workspace import WorkspaceHost
from storage.core import processes, program
from storage.core.database import Database
from storage.people import account_links, cohorts, people
from storage.privacy import forgetting
from storage.record import verification
from storage.vault.operator_keys import BadKey, new_operator_key
from storage.vault.vault_tables import person_key
from tests.world import OPERATOR_KEY


def local(tmp_path: Path) -> Settings:
    return Settings(plc_database_url=f"sqlite:///{tmp_path / 'example.sqlite'}", plc_port=0)


def real(tmp_path: Path, **other: str) -> Settings:
    return Settings(
        plc_database_url=f"sqlite:///{tmp_path / 'example.sqlite'}",
        plc_port=0,
        plc_encryption_keys=other.get("keys", OPERATOR_KEY),
        slack_bot_token="xoxb-1",
        slack_signing_secret="x",
        plc_coordinators=("carol@example.org",),
    )


def test_at_start_the_way_to_slack_is_named_as_it_is(tmp_path: Path) -> None:
    """In Socket Mode nothing comes in from Slack, so no address is named."""
    over_http = real(tmp_path)
    by_socket = over_http.model_copy(update={"slack_app_token": "xapp-1", "slack_signing_secret": None})
    assert _ready("slack", build(by_socket)) == "Slack is connected in Socket Mode."
    assert _ready("slack", build(over_http)) == f"Slack is connected at {over_http.public_url}/slack/events"


def host_of(app: App) -> WorkspaceHost:
    """The workspace's host, whose seeding is the first thing the app does."""
    seed = app.before_work[0]
    assert ismethod(seed)
    host = seed.__self__
    assert isinstance(host, WorkspaceHost)
    return host


async def test_the_local_workspace_starts_with_an_example(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    await app.start()
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{app.address}healthz") as answer:
                assert await answer.json() == {"status": "alive"}
            async with session.get(app.address) as answer:
                assert "not DESE policy" in await answer.text()
        with app.product.threads.database.read() as tx:
            assert [cohort.name for cohort in cohorts.all_cohorts(tx)] == ["Gateway", "Bootheel", "Ozarks"]
    finally:
        await app.stop()


async def test_the_ledger_of_a_new_example_is_whole_after_a_restart(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    await app.start()
    host = host_of(app)
    await host.reset()
    await app.stop()
    app = build(local(tmp_path))
    with app.product.threads.database.read() as tx:
        verdict = verification.verify(tx, app.product.chain_key)
    await app.stop()
    assert verdict.lines > 0
    assert verdict.problems == []


async def test_a_restart_keeps_the_example_and_its_clock(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    await app.start()
    host = host_of(app)
    await host.go_forward(48)
    ahead = app.clock.now()
    await app.stop()
    app = build(local(tmp_path))
    assert app.clock.now() >= ahead
    await app.start()
    with app.product.threads.database.read() as tx:
        assert len(cohorts.all_cohorts(tx)) == 3
    await app.stop()


def test_slack_refuses_the_example_and_the_workspace_a_real_program(tmp_path: Path) -> None:
    settings = local(tmp_path)
    prepare(settings, Database(settings.database_url), SystemClock())
    with pytest.raises(CannotStart, match="holds the example cohort"):
        build(real(tmp_path))
    other = tmp_path / "other"
    settings = real(other)
    prepare(settings, Database(settings.database_url), SystemClock())
    with pytest.raises(CannotStart, match="holds a real program"):
        build(local(other))


def test_a_wrong_key_is_refused(tmp_path: Path) -> None:
    settings = real(tmp_path)
    database = Database(settings.database_url)
    vault = prepare(settings, database, SystemClock())
    with database.write() as tx:
        from uuid import UUID

        from storage.core.work import Work

        vault.ensure_keys(Work(tx, SystemClock().now(), lambda: UUID(int=1)), [UUID(int=2)])
    database.close()
    with pytest.raises(BadKey, match="lacks a key"):
        build(real(tmp_path, keys=new_operator_key()))
    with pytest.raises(BadKey, match="not base64"):
        build(real(tmp_path, keys="???"))


async def test_a_running_process_is_announced_with_its_keys_and_gone_after_a_stop(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    database = app.product.threads.database
    await app.start()
    with database.read() as tx:
        alive = processes.alive(tx, SystemClock().now())
    assert [list(process.fingerprints) for process in alive] == [list(app.product.vault.fingerprints)]
    assert alive[0].name.startswith("pid ")
    await app.stop()
    with database.read() as tx:
        assert processes.alive(tx, SystemClock().now()) == []
    database.close()


async def test_a_reset_example_announces_its_process_again(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    await app.start()
    await host_of(app).reset()
    await app.refresh_heartbeat()
    with app.product.threads.database.read() as tx:
        assert len(processes.alive(tx, SystemClock().now())) == 1
    await app.stop()


async def test_who_was_forgotten_leaves_the_log_file_of_a_running_bot(tmp_path: Path) -> None:
    app = build(local(tmp_path))
    await app.start()
    database = app.product.threads.database
    with database.write() as tx:
        dana = people.search(tx, "Dana")[0]
        app.product.vault.ensure_keys(app.product.work(tx), [dana.id])
    with database.read() as tx:
        wrapped = tx.execute(select(person_key.c.wrapped).where(person_key.c.person_id == dana.id)).one().wrapped
    with database.write() as tx:
        forgetting.forget(app.product.work(tx), dana.id, by=dana.id)
    assert any(wrapped in file.read_bytes() for file in tmp_path.iterdir()), "still in the log"
    await app.refresh_heartbeat()
    assert not any(wrapped in file.read_bytes() for file in tmp_path.iterdir())
    await app.stop()


def test_coordinators_of_the_settings_are_people_but_no_account_is_theirs(tmp_path: Path) -> None:
    settings = real(tmp_path)
    database = Database(settings.database_url)
    prepare(settings, database, SystemClock())
    prepare(settings, database, SystemClock())
    with database.read() as tx:
        assert [person.email for person in people.coordinators(tx)] == ["carol@example.org"]
        assert [person.email for person in account_links.unmatched_people(tx)] == ["carol@example.org"]
        known = program.get(tx)
        assert known is not None
        assert not known.example
    database.close()


def test_over_http_there_are_only_the_addresses_that_administrators_are_told_of(tmp_path: Path) -> None:
    teams = {"teams_app_id": "1", "teams_app_password": "x", "teams_tenant_id": "T"}
    app = build(real(tmp_path).model_copy(update=teams))
    site = web.Application()
    app.health.add_routes(site)
    app.pages.add_routes(site)
    for platform in app.platforms:
        platform.add_routes(site)
    app.product.threads.close()
    paths = {f"/{route.resource.canonical.split('/')[1]}" for route in site.router.routes() if route.resource}
    assert paths == {"/healthz", "/readyz", "/metrics", "/verify", "/download", "/slack", "/api"}
    told = (Path(__file__).parents[2] / "docs" / "for-it.md").read_text(encoding="utf-8")
    for path in ("/healthz", "/readyz", "/metrics", "/verify", "/download", "/slack/events", "/api/messages"):
        assert f"`{path}`" in told


async def test_a_taken_port_is_said_and_nothing_half_starts(tmp_path: Path) -> None:
    first = build(local(tmp_path / "a"))
    await first.start()
    settings = Settings(plc_database_url=f"sqlite:///{tmp_path / 'b' / 'x.sqlite'}", plc_port=first.port)
    database = Database(settings.database_url)
    second = App(settings, database, prepare(settings, database, SystemClock()))
    with pytest.raises(CannotStart, match=f"Port {first.port} on 127.0.0.1 cannot be used"):
        await second.start()
    await first.stop()


def test_the_examples_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = local(tmp_path)
    prepare(settings, Database(settings.database_url), SystemClock())
    key = tmp_path / "example.operator-key"
    assert key.stat().st_mode & 0o077 == 0
