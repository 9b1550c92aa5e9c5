"""Keys for one purpose, and MACs of named values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from program.record.chain import mac_of, purpose_key

KEY = b"k" * 32
VALUES = {"id": UUID(int=1), "since": datetime(2026, 9, 7, tzinfo=UTC), "starts": date(2026, 7, 1), "until": None}


def test_each_purpose_has_its_own_key() -> None:
    assert len({purpose_key(KEY, "links"), purpose_key(KEY, "requests"), purpose_key(b"l" * 32, "links"), KEY}) == 4


def test_mac_changes_with_every_value_with_the_purpose_and_with_the_key() -> None:
    others = [mac_of(KEY, "links", {**VALUES, name: "other"}) for name in VALUES]
    macs = [mac_of(KEY, "links", VALUES), mac_of(KEY, "roles", VALUES), mac_of(b"l" * 32, "links", VALUES), *others]
    assert len(set(macs)) == len(macs)


def test_mac_is_the_same_in_whatever_order_values_stand() -> None:
    assert mac_of(KEY, "links", VALUES) == mac_of(KEY, "links", dict(reversed(VALUES.items())))
