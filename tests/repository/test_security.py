"""What the documents say about reporting a weakness and about hardening."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def unit() -> list[str]:
    """The lines of the documented systemd unit."""
    text = (ROOT / "docs" / "operations.md").read_text()
    [unit] = re.findall(r"```ini\n(.*?)```", text, re.DOTALL)
    return str(unit).splitlines()


def test_a_weakness_has_a_private_way_and_no_invented_address() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text
    assert "the operator of that installation" in text
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text)


@pytest.mark.parametrize(
    "line",
    [
        "LimitCORE=0",
        "MemorySwapMax=0",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "SystemCallFilter=@system-service",
    ],
)
def test_the_documented_unit_is_hardened(line: str) -> None:
    assert line in unit()


def test_no_setting_of_the_unit_stands_twice() -> None:
    names = [line.partition("=")[0] for line in unit() if "=" in line and not line.startswith("#")]
    assert len(names) == len(set(names))


def test_the_containers_write_no_core_dumps_and_gain_nothing() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    services = len(re.findall(r"^    image:", compose, re.MULTILINE))
    for setting in ("core: 0", "read_only: true", "no-new-privileges:true", "cap_drop: [ALL]"):
        assert compose.count(setting) == services
    said = (ROOT / "docs" / "operations.md").read_text()
    for option in ("--ulimit core=0", "--cap-drop ALL", "--security-opt no-new-privileges", "--read-only"):
        assert option in said


def test_no_container_runs_as_root() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    assert "\nUSER plc\n" in (ROOT / "Dockerfile").read_text()
    assert "image: docker.io/library/postgres:18\n    user: postgres\n" in compose
    assert not re.search(r"user: *[\"']?(root|0)\b", compose)


def test_the_containers_proxies_are_their_own_network_alone() -> None:
    """Whoever is in PLC_PROXIES says who the client is, so a network of others must not be in it."""
    compose = (ROOT / "compose.yaml").read_text()
    subnet = re.search(r"^ +- subnet: (\S+)", compose, re.MULTILINE)
    proxies = re.search(r"^ +PLC_PROXIES: (\S+)$", compose, re.MULTILINE)
    assert subnet
    assert proxies
    assert proxies[1] == subnet[1]
    assert ipaddress.ip_network(proxies[1]).num_addresses <= 256
