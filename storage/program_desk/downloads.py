"""Links to one file for one person, good once and for a short while. Only a hash of the token is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from storage.core.database import Tx
from storage.core.work import Work
from storage.program_desk.program_desk_tables import download
from storage.vault import seals
from storage.vault.seals import fits

GOOD_FOR = timedelta(minutes=30)
PRIVATE_GOOD_FOR = timedelta(minutes=10)  # of a file with confidential words in it
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Download:
    """``what``: see :mod:`handlers.program_desk.downloads`; ``subject``: an id, or empty for the whole program."""

    person_id: UUID
    what: str
    subject: str
    format: str
    expires_at: datetime


def make(
    work: Work, person_id: UUID, what: str, subject: object = "", form: str = "pdf", good_for: timedelta = GOOD_FOR
) -> str:
    """A new token for this person and this file."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "token_hash": _hash(token),
        "person_id": person_id,
        "what": what,
        "subject": str(subject),
        "format": form,
        "expires_at": work.now + good_for,
    }
    work.tx.execute(insert(download).values(seals.sealed(work.tx, download, row)))
    return token


def find(tx: Tx, token: str, now: datetime) -> Download | None:
    """What a token is good for now; None when it is unknown, used or too old."""
    columns = (
        download.c.person_id,
        download.c.what,
        download.c.subject,
        download.c.format,
        download.c.expires_at,
    )
    row = tx.execute(select(*columns, download.c.token_hash, download.c.seal).where(_open(token, now))).one_or_none()
    return Download(*row[:5]) if row and fits(row.seal, seals.of_row(tx, download, row)) else None


def use(work: Work, token: str) -> bool:
    """Use a token up; False when somebody else did, or time did."""
    spent = update(download).where(_open(token, work.now)).values(used_at=work.now)
    return work.tx.execute(spent).rowcount == 1


def forget_old(work: Work) -> None:
    """Delete links that have expired."""
    work.tx.execute(delete(download).where(download.c.expires_at <= work.now))


def _open(token: str, now: datetime) -> ColumnElement[bool]:
    return and_(download.c.token_hash == _hash(token), download.c.used_at.is_(None), download.c.expires_at > now)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
