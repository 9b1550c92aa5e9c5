"""Whom a request is counted for: the client that a named proxy speaks for, and nobody that a client invents."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web
from multidict import CIMultiDict

from bot.web.clients import Clients, client_name, from_this_machine, read_networks

PROXIES = Clients(read_networks(["10.0.0.0/8", "::1"]))


def request(remote: str, *forwarded: str, **headers: str) -> web.Request:
    named = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    named.extend({name.replace("_", "-"): value for name, value in headers.items()})
    host = named.get("Host", "127.0.0.1:3978")
    return cast("web.Request", SimpleNamespace(remote=remote, headers=named, host=host))


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.1.2.3", (), "10.1.2.3"),
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("192.0.2.5, 198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("192.0.2.5", "198.51.100.1"), "198.51.100.1"),
        ("10.1.2.3", ("198.51.100.1, 10.9.9.9",), "198.51.100.1"),
        ("10.1.2.3", ("198.51.100.1, nonsense",), "10.1.2.3"),
        ("10.1.2.3", ("",), "10.1.2.3"),
        ("::1", ("2001:db8:1:2:3:4:5:6",), "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
    ],
)
def test_who_the_client_is(remote: str, forwarded: tuple[str, ...], client: str) -> None:
    assert PROXIES.of(request(remote, *forwarded)) == client


def test_what_is_no_address_is_itself() -> None:
    assert client_name("") == ""


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine(remote: str) -> None:
    assert from_this_machine(request(remote))
    assert not from_this_machine(request(remote, "203.0.113.9"))
    assert not from_this_machine(request(remote, Origin="https://evil.example"))
    for host in ("plc.example.org", "", "[", "127.0.0.1.example.org"):
        assert not from_this_machine(request(remote, Host=host))
    for host in ("localhost", "localhost:3978", "[::1]:3978"):
        assert from_this_machine(request(remote, Host=host))


@pytest.mark.parametrize("remote", ["203.0.113.9", "10.1.2.3", ""])
def test_another_machine(remote: str) -> None:
    assert not from_this_machine(request(remote))
