"""Who is at the other end of a connection: the client's address, through the proxies that the operator names."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPV6_CLIENT = 64  # bits: a client commonly has every IPv6 address of its prefix
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")  # set where a request is somebody else's, handed on


def read_networks(names: Sequence[str]) -> tuple[Network, ...]:
    """The networks, each an address or an address with a prefix length.

    Raises:
        ValueError: one of them is no address.
    """
    return tuple(ipaddress.ip_network(name, strict=False) for name in names)


class Clients:
    """``proxies``: the networks of proxies, whose statement of the client's address is trusted."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = tuple(proxies)

    def is_proxy(self, address: str) -> bool:
        """Return whether this is the address of one of the operator's proxies; False for what is no address."""
        read = _address(address)
        return read is not None and any(read in network for network in self._proxies)

    def of(self, request: web.Request) -> str:
        """The client's address, or its IPv6 network.

        A proxy adds the address it was called from at the end of ``X-Forwarded-For``, and the client may have sent
        anything before it. So the last address there that is no proxy is the client's.
        """
        client = request.remote or ""
        if self.is_proxy(client):
            named = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
            for name in reversed(named):
                if _address(name.strip()) is None:
                    break
                client = name.strip()
                if not self.is_proxy(client):
                    break
        return client_name(client)


def client_name(address: str) -> str:
    """The address as connections and requests are counted by: an IPv6 client is its /64 network."""
    read = _address(address)
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((read, IPV6_CLIENT), strict=False))
    return str(read) if read else address


def from_this_machine(request: web.Request) -> bool:
    """Whether a program on this machine calls for itself, not a proxy or a page in a browser for somebody else.

    A proxy that adds no header of its own and names this machine as the host looks the same.
    """
    if any(name in request.headers for name in (*FORWARDED, "Origin")):
        return False
    return is_loopback(request.remote or "") and is_loopback(hostname(request.host))


def hostname(host: str) -> str:
    """The name or address of a ``Host`` header, without its port; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a name or address can only mean this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    address = _address(host)  # ::ffff:127.0.0.1 is how a dual-stack socket names its peer
    return address is not None and address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
