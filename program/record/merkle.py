"""One hash over many records, so that a missing or changed one shows: the Merkle tree hash of RFC 9162, 2.1.1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash (SHA-256, 32 bytes) of these records in their order."""
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    # Joining neighbours level by level, the odd last one going up as it is, is the recursive tree of the RFC.
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        joined = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        level = joined + level[len(joined) * 2 :]
    return level[0]
