"""Certificates: what they say, their codes, and why one is revoked."""

from __future__ import annotations

import secrets
import unicodedata

COMPLETED = "completed the two-year mentoring program"  # these words exactly, and nothing about any certification
RECORD_HEADING = "Record of completion, not a DESE certificate"  # until the operator sets wording and signatory

# Crockford's alphabet: no I, L, O or U, which people misread or would rather not read.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = 16  # 80 bits: nobody finds a code by trying
GROUP = 4
_MISREAD = str.maketrans("OILU", "011V")

REVOKE_REASONS = {
    "issued_in_error": "It was issued in error",
    "record_corrected": "The record it rests on was corrected",
    "holder_asked": "The holder asked for it",
}
REISSUE_REASONS = {
    "name_changed": "The holder's name changed",
    "name_misspelled": "The name was misspelled",
    "lost_or_misused": "The code was lost or misused",
    "record_corrected": "The record it rests on was corrected",
}
REASONS = REVOKE_REASONS | REISSUE_REASONS


def new_code() -> str:
    """A code that nobody can guess: ``7K3Q-M2XH-TR90-ABCD``."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS)))


def read_code(text: str) -> str | None:
    """The code that somebody typed or scanned, however they spaced it; None when it can be no code."""
    letters = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    if len(letters) != CODE_LETTERS or not set(letters) <= set(ALPHABET):
        return None
    return _grouped(letters)


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))


def printable(text: str) -> str:
    """One line of what somebody typed, without characters that only steer how the others are shown."""
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _steers(char))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
