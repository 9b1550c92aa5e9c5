"""The tree hash of RFC 9162: the known roots of its reference implementation's test records."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from program.record import merkle

RECORDS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def test_the_known_roots() -> None:
    assert {count: merkle.root(RECORDS[:count]).hex() for count in ROOTS} == ROOTS


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_it_is_the_recursive_tree_of_the_rfc(records: list[bytes]) -> None:
    assert merkle.root(records) == _recursive(records)


def _recursive(records: list[bytes]) -> bytes:
    if not records:
        return hashlib.sha256().digest()
    if len(records) == 1:
        return hashlib.sha256(b"\0" + records[0]).digest()
    half = 1 << ((len(records) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _recursive(records[:half]) + _recursive(records[half:])).digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.integers(min_value=0))
def test_no_record_can_go_unnoticed(records: list[bytes], place: int) -> None:
    place %= len(records)
    assert merkle.root(records) != merkle.root(records[:place] + records[place + 1 :])
