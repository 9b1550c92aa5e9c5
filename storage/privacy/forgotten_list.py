"""The list of the forgotten as a file: ids and times, with a MAC under the database's own key.

The operator keeps it apart from the backups. A restore from older backups of both the data and the key store
learns from it whose keys to destroy again.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from program.record.chain import mac_of
from storage.core.database import Tx
from storage.privacy import forgetting
from storage.privacy.forgetting import Forgotten
from storage.vault.seals import key_of

PURPOSE = "forgotten-list"
MARK = 16  # hexadecimal characters that say which database a list is of


class BadList(Exception):
    """A list of forgotten people cannot be used; the text says why."""


class _Entry(BaseModel):
    """As :class:`storage.privacy.forgetting.Forgotten`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: UUID
    person_id: UUID
    key_id: UUID | None
    at: AwareDatetime
    by: UUID | None


class ForgottenList(BaseModel):
    """An exported list. Nothing in it is to be believed before :meth:`check`.

    ``database``: a mark of the database that it is of, which tells nothing else about it
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    database: str
    made_at: AwareDatetime
    forgotten: tuple[_Entry, ...]
    mac: str

    @property
    def lines(self) -> list[Forgotten]:
        """The list's lines as the database keeps them."""
        return [Forgotten(entry.id, entry.person_id, entry.key_id, entry.at, entry.by) for entry in self.forgotten]

    def check(self, key: bytes) -> None:
        """See that this list is of the database with this key, and as it was exported.

        Raises:
            BadList: it is not.
        """
        if self.database != _mark(key):
            raise BadList("This list of forgotten people is of another program's database.")
        if not hmac.compare_digest(self.mac.encode(), _mac(key, self).encode()):
            raise BadList("This list of forgotten people was changed after its export, so it can't be trusted.")


def export(tx: Tx, now: datetime) -> ForgottenList:
    """What both stores' lists say.

    Raises:
        Locked: this transaction's database was not unlocked.
    """
    key = key_of(tx)
    entries = tuple(
        _Entry(
            id=forgotten.id, person_id=forgotten.person_id, key_id=forgotten.key_id, at=forgotten.at, by=forgotten.by
        )
        for forgotten in forgetting.listed(tx)
    )
    unsigned = ForgottenList(database=_mark(key), made_at=now, forgotten=entries, mac="")
    return unsigned.model_copy(update={"mac": _mac(key, unsigned)})


def read(text: bytes) -> ForgottenList:
    """A list as it stands in its file.

    Raises:
        BadList: it is none.
    """
    try:
        return ForgottenList.model_validate_json(text)
    except ValidationError:
        raise BadList("This is not a file that `plc-bot forgotten export` wrote.") from None


def _mark(key: bytes) -> str:
    return mac_of(key, PURPOSE, {"database": "mark"}).hex()[:MARK]


def _mac(key: bytes, exported: ForgottenList) -> str:
    values: dict[str, object] = {"made_at": exported.made_at, "entries": len(exported.forgotten)}
    for number, entry in enumerate(exported.forgotten):
        values |= {f"{number}.{name}": value for name, value in entry}
    return mac_of(key, PURPOSE, values).hex()
