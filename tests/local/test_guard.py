"""Only this machine and only our own pages."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.local.guard import guarded, refusal
from bot.local.local_render import path_of
from bot.local.messages import direct
from bot.web.clients import is_loopback
from tests.local.conftest import Local
from tests.local.toy import HOME, MENTEE

SAY = path_of(MENTEE.user, HOME, "say")
BODY = {"key": "00000000-0000-4000-8000-000000000001", "text": "Hello"}


@pytest.mark.parametrize(
    ("host", "welcome"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),
    ],
)
def test_what_is_loopback(host: str, welcome: bool) -> None:
    assert is_loopback(host) is welcome


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:3978", 200),
        ("localhost:3978", 200),
        ("[::1]:3978", 200),
        ("rebound.example", 403),
        ("rebound.example:3978", 403),
        ("[bad", 403),
    ],
)
async def test_a_foreign_name_for_this_address_is_refused(local: Local, host: str, status: int) -> None:
    for path in ("/", "/static/workspace.js", path_of(MENTEE.user, HOME)):
        response = await local.client.get(path, headers={"Host": host})
        assert response.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_foreign_page_changes_nothing(local: Local, headers: dict[str, str]) -> None:
    response = await local.client.post(SAY, json=BODY, headers=headers)
    assert response.status == 403
    assert "own pages" in await response.text()
    assert local.toy.seen == []
    assert local.chat.latest(HOME, MENTEE.user) == ()


async def test_a_form_of_a_foreign_page_changes_nothing(local: Local) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = await local.client.post(SAY, data="{}", headers={"Content-Type": kind})
        assert response.status == 403


async def test_our_own_page_is_welcome(local: Local) -> None:
    origin = str(local.client.make_url("/")).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert (await local.client.post(SAY, json=BODY, headers=headers)).status == 200


async def test_a_foreign_page_cannot_listen(local: Local) -> None:
    response = await local.client.get(
        f"{path_of(MENTEE.user)}/live",
        headers={
            "Origin": "https://evil.example",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        },
    )
    assert response.status == 403


@pytest.mark.parametrize("peer", [("192.0.2.7", 5000), ("2001:db8::7", 5000, 0, 0), "", None])
async def test_another_machine_is_refused_whatever_it_calls_us(peer: object) -> None:
    transport = Mock()
    transport.get_extra_info.return_value = peer
    request = make_mocked_request("GET", "/", headers={"Host": "localhost"}, transport=transport)
    assert "only this machine" in refusal(request)

    async def never(_request: web.Request) -> web.StreamResponse:
        raise AssertionError("the handler must not run")

    assert (await guarded(never)(request)).status == 403


async def test_every_answer_carries_the_policy(local: Local) -> None:
    for path in ("/", "/static/workspace.css", path_of(MENTEE.user, direct(MENTEE.user)), "/static/none"):
        headers = (await local.client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    page = await (await local.client.get(path_of(MENTEE.user, HOME))).text()
    assert "style=" not in page
    assert "<script>" not in page
    assert "onclick" not in page
