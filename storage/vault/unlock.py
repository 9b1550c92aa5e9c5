"""Unlocking a database: its own key, which the operator's key wraps, seals and checks rows from then on."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from storage.core.database import SEAL_KEY, Tx
from storage.record import checkpoints
from storage.vault import keystore, seals
from storage.vault.operator_keys import BadKey
from storage.vault.vault import LEDGER_IDENTITY, UNSEALED_IDENTITY, Sealed, Vault
from storage.vault.vault_tables import ledger_key


def unlock(tx: Tx, vault: Vault, first: bytes = b"", now: datetime | None = None) -> bytes:
    """Unlock this transaction; the database's own key, for ``Database.use_key`` once the transaction is committed.

    A database from before its rows were sealed is sealed as it is, once: afterwards its key is wrapped under
    another identity, so that nobody without the operator's key can have forged rows sealed by taking the seals away.
    Then, and in a new database, the first checkpoint is made.

    ``first``: the key to begin with where there is none yet; otherwise a random one. ``now``: the first
    checkpoint's time; None: the machine's.

    Raises:
        BadKey: the operator's key for it is not configured, or it is damaged, lost, or another database's.
    """
    new = tx.scalar(select(ledger_key.c.id)) is None
    key = vault.chain_key(tx, first)
    tx.execution_options(**{SEAL_KEY: key})
    row = tx.execute(select(ledger_key)).one()
    _, identity = vault.unwrap_chain_key(row)
    if identity == UNSEALED_IDENTITY:
        seals.seal_everything(tx)
        vault.bind_to_users(tx)
    elif identity != LEDGER_IDENTITY:
        seals.seal_records(tx)
    if identity != LEDGER_IDENTITY:
        wrapped = vault.wrap(key, LEDGER_IDENTITY)
        tx.execute(update(ledger_key).values(wrapped=wrapped, wrapped_by=vault.fingerprints[0]))
    _keep_copy(tx, vault, key)
    if (new or identity != LEDGER_IDENTITY) and checkpoints.newest(tx) is None:
        checkpoints.make(tx, now or datetime.now(UTC))
    return key


def _keep_copy(tx: Tx, vault: Vault, key: bytes) -> None:
    """See that the copy of the database's own key among the data opens and is this key.

    The first checkpoint tells which of two keys is this database's.

    Raises:
        BadKey: the copy is, and this one is not.
    """
    try:
        copied = vault.chain_key_from_copy(tx)
    except (BadKey, Sealed):  # damaged, or of a backup from before a rotation
        copied = None
    if copied == key:
        return
    if checkpoints.begun_under(tx, key):
        vault.keep_copy(tx, key)
    elif copied is not None:
        raise BadKey(f"The ledger's key in the key store is another database's: {keystore.RESTORE}")
