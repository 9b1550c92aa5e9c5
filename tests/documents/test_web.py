"""The pages that strangers and holders open: /verify and /download, over HTTP."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openpyxl import load_workbook

from bot.documents.about import about_zip
from bot.documents.wording import Wording
from bot.web import pages
from bot.web.clients import Clients, read_networks
from bot.web.request_limit import RateLimit
from program.record.certificate import read_code
from storage.people import people
from storage.privacy import personal_data
from storage.program_desk import downloads
from storage.record import certificates, verification
from tests.completion import approved
from tests.documents import reading
from tests.documents.visitor import Page
from tests.handlers.checkins.test_reflections import SECRET, written
from tests.handlers.privacy.test_privacy import link_in
from tests.handlers.record.test_completion import links_of
from tests.specimens import HOSTILE
from tests.world import ADDRESS, Person, World

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    app = web.Application()
    pages.DocumentPages(world.product, Wording()).add_routes(app)
    async with TestClient(TestServer(app)) as test_client:
        yield test_client


async def get(client: Client, path: str) -> tuple[int, Page]:
    async with client.get(path) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        page = Page(await answer.text())
        assert "script" not in page.tags
        assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
        assert ("lang", "en-US") in page.attributes
        assert page.tags.count("h1") == 1
        return answer.status, page


def certificate_of(world: World, person: Person) -> certificates.Certificate:
    with world.database.read() as tx:
        return certificates.of_person(tx, person.id)[0]


# Too many requests ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/verify", "/verify/0000-0000-0000-0000", "/download/none"])
async def test_one_client_opens_only_so_many_pages(world: World, path: str) -> None:
    now = [1000.0]
    limit = RateLimit(Clients(read_networks(["127.0.0.1"])), burst=3, rate=0.5, clock=lambda: now[0])
    app = web.Application()
    pages.DocumentPages(world.product, Wording(), limit).add_routes(app)
    async with TestClient(TestServer(app)) as client:

        async def status(forwarded: str = "") -> int:
            headers = {"X-Forwarded-For": forwarded} if forwarded else {}
            async with client.get(path, headers=headers) as answer:
                if answer.status == 429:
                    assert answer.headers["Retry-After"] == "2"
                    assert "try again" in await answer.text()
                return answer.status

        assert 429 not in [await status() for _ in range(3)]
        assert await status() == 429
        assert await status("203.0.113.9") != 429, "another client"
        now[0] += 2
        assert await status() != 429
        assert await status() == 429


async def test_an_invented_forwarding_makes_nobody_another_client(world: World) -> None:
    limit = RateLimit(Clients(read_networks(["127.0.0.1"])), burst=1, rate=0.5, clock=lambda: 1000.0)
    app = web.Application()
    pages.DocumentPages(world.product, Wording(), limit).add_routes(app)
    async with TestClient(TestServer(app)) as client:
        codes = []
        for number in range(3):  # the proxy adds the address that it was called from
            headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
            async with client.get("/verify", headers=headers) as answer:
                codes.append(answer.status)
    assert codes == [200, 429, 429]


async def test_pressing_the_button_too_often_is_refused_and_uses_nothing_up(world: World) -> None:
    limit = RateLimit(Clients(()), burst=1, rate=0.5, clock=lambda: 1000.0)
    app = web.Application()
    pages.DocumentPages(world.product, Wording(), limit).add_routes(app)
    async with TestClient(TestServer(app)) as client:
        async with client.post("/download/none") as answer:
            assert answer.status == 410
        async with client.post("/download/none") as answer:
            assert answer.status == 429


# Checking a code --------------------------------------------------------------------------------


async def test_a_valid_code_shows_what_the_certificate_shows(
    world: World, client: Client, dana: Person, carol: Person
) -> None:
    await approved(world, carol)
    code = certificate_of(world, dana).code
    status, page = await get(client, f"/verify/{code}")
    assert status == 200
    assert "✓ Valid Record of completion, not a DESE certificate Dana Reyes" in page.text
    assert "completed the two-year mentoring program" in page.text
    assert "Issued May 21, 2028" in page.text
    assert "Example, not DESE policy, version 1" in page.text
    for private in ("dana@example.org", "Ozarks", "Carol", "R-I"):
        assert private not in page.text
    assert "eligib" not in page.text.lower()


@pytest.mark.parametrize(
    "change", [str.lower, lambda code: code.replace("-", ""), lambda code: code.replace("-", "%20")]
)
async def test_a_code_is_taken_however_it_is_typed(
    world: World, client: Client, dana: Person, carol: Person, change: Any
) -> None:
    await approved(world, carol)
    status, page = await get(client, f"/verify/{change(certificate_of(world, dana).code)}")
    assert (status, "✓ Valid" in page.text) == (200, True)


async def test_a_revoked_code_says_so_and_shows_no_name(
    world: World, client: Client, dana: Person, carol: Person
) -> None:
    await approved(world, carol)
    certificate = certificate_of(world, dana)
    with world.database.write() as tx:
        certificates.revoke(world.work(tx), certificate, "issued_in_error", carol.id)
    status, page = await get(client, f"/verify/{certificate.code}")
    assert status == 200
    assert "✕ Revoked This certificate was revoked" in page.text
    assert "It may have been replaced by a new one. Ask its owner or the program." in page.text
    assert "Dana" not in page.text
    assert "error" not in page.text  # why is between the program and the holder


@pytest.mark.parametrize("code", ["7K3Q-M2XH-TR90-ABCD", "x", "%3Cscript%3E", "a" * 2000, "..%2F..", "%00", "'--"])
async def test_an_unknown_code_is_unknown(client: Client, code: str) -> None:
    status, page = await get(client, f"/verify/{code}")
    assert status == 404
    assert "? Unknown No document has this code" in page.text


async def test_a_printed_code_can_be_typed(world: World, client: Client, dana: Person, carol: Person) -> None:
    status, page = await get(client, "/verify")
    assert (status, "Check a certificate" in page.text) == (200, True)
    assert ("for", "code") in page.attributes
    assert ("id", "code") in page.attributes
    await approved(world, carol)
    code = certificate_of(world, dana).code
    async with client.get("/verify", params={"code": code.lower()}) as answer:
        assert str(answer.url).endswith(f"/verify/{code}")
        assert "✓ Valid" in await answer.text()
    status, _ = await get(client, "/verify?code=//evil.example")
    assert status == 404


async def test_hostile_names_are_only_text(world: World, client: Client, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    with world.database.write() as tx:
        certificate = certificates.of_person(tx, dana.id)[0]
        made = certificates.reissue(
            world.work(tx), certificate, HOSTILE[:190], certificate.policy, "name_changed", carol.id
        )
    async with client.get(f"/verify/{made.code}") as answer:
        raw = await answer.text()
    assert "<script>" not in raw
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in raw
    assert "<script>alert(1)</script>" in Page(raw).text


async def test_a_name_is_isolated_from_the_words_beside_it(
    world: World, client: Client, dana: Person, carol: Person
) -> None:
    await approved(world, carol)
    with world.database.write() as tx:
        first = certificates.of_person(tx, dana.id)[0]
        second = certificates.reissue(world.work(tx), first, "שרה כהן", first.policy, "name_changed", carol.id)
    async with client.get(f"/verify/{second.code}") as answer:
        assert "<bdi>שרה כהן</bdi>" in await answer.text()


# Downloads --------------------------------------------------------------------------------------


async def links(world: World, person: Person, words: str) -> dict[str, str]:
    return {label: url.removeprefix(ADDRESS) for label, url in links_of(await person.sends(words)).items()}


async def test_a_certificate_is_downloaded_once(
    world: World, client: Client, dana: Person, carol: Person, tmp_path: Path
) -> None:
    reading.need_tools()
    await approved(world, carol)
    link = (await links(world, dana, "certificate"))["Certificate (PDF)"]
    for _ in range(3):  # whoever looks at links beforehand uses nothing up
        status, page = await get(client, link)
        assert (status, "Your certificate is ready" in page.text) == (200, True)
        assert re.search(r"Only for you. Works until \d+:\d\d [AP]M \(Central Time\)", page.text)
    async with client.post(link) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="record-of-completion-dana-reyes.pdf"'
        file = tmp_path / "c.pdf"
        file.write_bytes(await answer.read())
    reading.check(file)
    code = certificate_of(world, dana).code
    assert code in reading.words(file)
    assert reading.qr_texts(reading.picture(file)) == [f"{ADDRESS}/verify/{code}"]
    for ask in (client.get, client.post):
        async with ask(link) as answer:
            assert answer.status == 410
            assert "This link no longer works" in await answer.text()


async def test_a_packet_has_the_lines_and_a_head_that_the_ledger_knows(
    world: World, client: Client, dana: Person, carol: Person, tmp_path: Path
) -> None:
    reading.need_tools()
    from storage.record import ledger

    await approved(world, carol)
    link = (await links(world, dana, "certificate"))["Full record (PDF)"]
    async with client.post(link) as answer:
        file = tmp_path / "p.pdf"
        file.write_bytes(await answer.read())
    text = reading.words(file)
    assert text.count("Meeting “First steps”: confirmed, present") == 16
    assert f"Certificate {certificate_of(world, dana).code}: issued" in text
    assert "by Carol Dietz" in text
    assert "Times are in Central Time." in text
    assert "America/Chicago" not in text
    assert "Requirements Example, not DESE policy, version 1" in text
    assert "(example/1)" not in text
    search = re.search(r"--head ([0-9a-f]{64})", text)
    assert search
    with world.database.read() as tx:
        assert ledger.head_of(tx, dana.id) == search[1]
        assert verification.verify(tx, world.product.chain_key, search[1]).problems == []


async def test_a_full_record_and_an_export_hold_no_reflection(
    world: World, client: Client, dana: Person, tmp_path: Path
) -> None:
    reading.need_tools()
    await written(world, dana)
    await approved(world, world.matched("Carol Dietz", "carol@example.org"))
    async with client.post((await links(world, dana, "certificate"))["Full record (PDF)"]) as answer:
        file = tmp_path / "p.pdf"
        file.write_bytes(await answer.read())
    async with client.post((await links(world, dana, "export"))["Record (CSV)"]) as answer:
        exported = await answer.text()
    assert "This covers mentoring only." in reading.words(file)
    assert SECRET not in reading.words(file)
    assert "Meeting" in exported
    assert SECRET not in exported


async def test_a_link_expires(world: World, client: Client, dana: Person) -> None:
    link = (await links(world, dana, "export"))["Record (CSV)"]
    world.clock.at += downloads.GOOD_FOR - timedelta(seconds=1)
    assert (await get(client, link))[0] == 200
    world.clock.at += timedelta(seconds=1)
    assert (await get(client, link))[0] == 410
    async with client.post(link) as answer:
        assert answer.status == 410


async def test_an_unknown_token_is_no_different_from_a_used_one(client: Client) -> None:
    status, page = await get(client, "/download/" + "A" * 43)
    assert (status, "This link no longer works" in page.text) == (410, True)


async def test_what_is_no_longer_theirs_is_not_handed_out(world: World, client: Client, carol: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    link = (await links(world, ruth, "export"))["Excel workbook"]
    from storage.people import cohorts

    with world.database.write() as tx:
        cohorts.leave(world.work(tx), cohorts.shared_cohorts(tx, ruth.id)[0].id, ruth.id, None)
    async with client.post(link) as answer:
        assert answer.status == 410
        assert "can no longer get" in await answer.text()


async def test_a_revoked_certificate_is_not_handed_out(
    world: World, client: Client, dana: Person, carol: Person
) -> None:
    await approved(world, carol)
    link = (await links(world, dana, "certificate"))["Certificate (PDF)"]
    with world.database.write() as tx:
        certificates.revoke(world.work(tx), certificates.of_person(tx, dana.id)[0], "holder_asked", carol.id)
    async with client.post(link) as answer:
        assert answer.status == 410
        assert "no longer valid" in await answer.text()


async def test_a_failed_making_costs_no_link(
    world: World, client: Client, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = (await links(world, dana, "export"))["Record (CSV)"]

    def fail(*_: object) -> bytes:
        raise RuntimeError("no room")

    with monkeypatch.context() as broken:
        broken.setattr("bot.documents.making.to_csv", fail)
        async with client.post(link) as answer:
            assert answer.status == 500
            assert "The link still works" in await answer.text()
    async with client.post(link) as answer:
        assert answer.status == 200


async def test_two_presses_at_once_hand_out_one(world: World, client: Client, dana: Person) -> None:
    import asyncio

    link = (await links(world, dana, "export"))["Record (CSV)"]

    async def press() -> int:
        async with client.post(link) as answer:
            return answer.status

    assert sorted(await asyncio.gather(press(), press(), press())) == [200, 410, 410]


async def test_an_export_has_standings_and_lines_and_nothing_confidential(
    world: World, client: Client, dana: Person, carol: Person
) -> None:
    await approved(world, carol)
    form = (await carol.sends("export")).form
    reply = await carol.fills(form, what="program:")
    async with client.post(links_of(reply)["Excel workbook"].removeprefix(ADDRESS)) as answer:
        assert re.search(r'filename="program-\d{4}-\d\d-\d\d\.xlsx"', answer.headers["Content-Disposition"])
        book = load_workbook(io.BytesIO(await answer.read()))
    standings, record = book["Standings"], book["Record"]
    rows = {row[0]: row for row in standings.iter_rows(min_row=2, values_only=True)}
    assert rows["Dana Reyes"][1:4] == ("Ozarks", "R-I", "2026-07-01")
    assert rows["Dana Reyes"][5:] == ("Meetings 8 of 8", "Meetings 8 of 8", "complete", "in force", "2028-05-21")
    assert set(rows) == {"Dana Reyes", "Lee Okafor", "Sam Whitfield", "Jordan Blake"}
    lines = list(record.iter_rows(min_row=2, values_only=True))
    assert len(lines) == 17
    assert lines[0][:4] == ("Dana Reyes", 1, "2026-09-10 15:30", "Meeting “First steps”: confirmed, present")
    assert not any("@" in str(cell) for row in lines for cell in row)


async def test_disputes_and_leave_are_not_shared(world: World, client: Client, dana: Person, carol: Person) -> None:
    from storage.record import ledger
    from storage.record.ledger import Line

    with world.database.write() as tx:
        for kind in ("dispute", "leave"):
            line = Line(kind, "opened", world.clock.at, dana.id, "self", reason="medical")
            ledger.add(world.work(tx), dana.id, line)
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    async with client.post((await links(world, ruth, "export"))["Record (CSV)"]) as answer:
        text = await answer.text()
    assert "Dispute" not in text
    assert "leave" not in text.lower()
    async with client.post((await links(world, dana, "export"))["Record (CSV)"]) as answer:
        assert "Dispute: opened" in await answer.text()


def test_codes_cannot_be_guessed_or_misread() -> None:
    from program.record.certificate import ALPHABET, CODE_LETTERS, new_code

    assert len(ALPHABET) ** CODE_LETTERS >= 2**80
    assert not set("ILOU") & set(ALPHABET)
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(read_code(code) == code for code in codes)
    assert read_code("o1il-0000-0000-0000") == "0111-0000-0000-0000"
    assert read_code("0000-0000-0000-000") is None
    assert read_code("0000-0000-0000-000é") is None


def test_tokens_are_forgotten_when_they_are_old(world: World) -> None:
    from sqlalchemy import func, select

    from storage.program_desk.program_desk_tables import download

    with world.database.write() as tx:
        person = people.by_email(tx, "dana@example.org")
        assert person
        downloads.make(world.work(tx), person.id, "own", person.id)
        world.clock.at += timedelta(days=1)
        downloads.forget_old(world.work(tx))
        assert tx.scalar(select(func.count()).select_from(download)) == 0
        assert downloads.find(tx, "x", world.clock.at) is None
    assert UUID(int=0) != person.id


async def test_everything_about_somebody_is_made_as_it_is_downloaded_and_once(
    world: World, client: Client, dana: Person
) -> None:
    reply = await dana.presses(await dana.sends("privacy"), "Download my data")
    path = urlsplit(link_in(reply)).path
    status, page = await get(client, path)
    assert status == 200
    assert "Everything about you is ready" in page.text
    async with client.post(path) as answer:
        assert answer.content_type == "application/zip"
        assert answer.headers["Cache-Control"] == "no-store"
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as file:
            assert file.namelist() == ["about.html", "about.json"]
    async with client.post(path) as answer:
        assert answer.status == 410
    again = urlsplit(link_in(await dana.presses(await dana.sends("privacy"), "Download my data"))).path
    world.clock.at += timedelta(minutes=10)
    async with client.post(again) as answer:
        assert answer.status == 410


def test_names_in_the_file_about_a_person_are_isolated() -> None:
    name = "سارة حداد"
    kinds = [personal_data.Kind("Meetings", ({"what": f"{name}: (3), present", "minutes": "45"},))]
    with zipfile.ZipFile(io.BytesIO(about_zip(name, "May 1, 2028", kinds))) as file:
        page = file.read("about.html").decode()
        data = file.read("about.json").decode()
    assert f"<h1>What is kept about <bdi>{name}</bdi></h1>" in page
    assert f'<dd dir="auto">\u2068{name}\u2069: (3), present</dd>' in page
    assert f'"what": "{name}: (3), present"' in data, "data stays as it is"
