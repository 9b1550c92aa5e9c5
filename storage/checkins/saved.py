"""What a person's linked accounts saved for one check-in, as one of them sees it; nothing of it is opened here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage.checkins import reflections, shares
from storage.checkins.checkins import CheckIn
from storage.checkins.checkins_tables import checkin
from storage.checkins.reflections import Reflection, writers
from storage.core.database import Tx
from storage.people.account_views import AccountView
from storage.vault.vault_tables import vault_item

PULSE = "pulse"  # the kind of a number in the vault


@dataclass(frozen=True, slots=True)
class Saved:
    """``current``, ``earlier``: the mentors who can read the reflection as it is, or only an earlier version of it.

    ``own_number``: whether the account that sees this saved a number itself, which it alone can open and delete.
    """

    number: bool = False
    own_number: bool = False
    words: bool = False
    current: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether a number or words are saved."""
        return self.number or self.words


def find_saved(tx: Tx, answered: CheckIn, view: AccountView) -> Saved:
    """What is saved. What an account wrote that is no longer linked to the person does not count."""
    accounts = writers(tx, answered.person_id, view, answered.opened_at)
    tapped = select(vault_item.c.account_id).where(
        vault_item.c.checkin_id == answered.id, vault_item.c.account_id.in_(accounts), vault_item.c.kind == PULSE
    )
    numbers = set(tx.scalars(tapped))
    written = reflections.of_checkin(tx, answered.id, accounts)
    return Saved(bool(numbers), view.account_id in numbers, bool(written), *_readers(tx, written))


def numbers_of(tx: Tx, account_id: UUID) -> list[tuple[UUID, date]]:
    """The check-ins for which this account saved a number, with their days, the newest first."""
    query = (
        select(checkin.c.id, checkin.c.day)
        .join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
        .where(vault_item.c.account_id == account_id, vault_item.c.kind == PULSE)
    )
    return [(row.id, row.day) for row in tx.execute(query.order_by(checkin.c.day.desc(), checkin.c.id))]


def _readers(tx: Tx, written: Sequence[Reflection]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not written:
        return (), ()
    changed = {reflection.id: reflection.at for reflection in written}
    held = [share for share in shares.of_items(tx, list(changed)) if share.holds]
    current = sorted({share.mentor for share in held if changed[share.item_id] <= share.at})
    earlier = sorted({share.mentor for share in held if changed[share.item_id] > share.at})
    return tuple(current), tuple(earlier)
