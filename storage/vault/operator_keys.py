"""The operator's keys, which wrap every data key and the database's own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32


class BadKey(Exception):
    """An encryption key cannot be used; the text says which and why, and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """One of the operator's keys, and the fingerprint by which it is named."""

    fingerprint: str
    cipher: AESGCM


def new_operator_key() -> str:
    """A new random key, as it is written into the settings."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def read_operator_keys(text: str) -> list[OperatorKey]:
    """The keys of ``PLC_ENCRYPTION_KEYS``: base64, separated by commas or line ends; the first one wraps."""
    keys = []
    for number, part in enumerate(filter(None, (part.strip() for part in text.replace("\n", ",").split(","))), 1):
        try:
            raw = base64.b64decode(part, validate=True)
        except (binascii.Error, ValueError):
            raise BadKey(f"Encryption key {number} is not base64.") from None
        if len(raw) != KEY_BYTES:
            raise BadKey(f"Encryption key {number} is {len(raw)} bytes long instead of {KEY_BYTES}.")
        keys.append(OperatorKey(hashlib.sha256(b"plc-operator-key" + raw).hexdigest()[:16], AESGCM(raw)))
    if not keys:
        raise BadKey("There is no encryption key.")
    return keys
