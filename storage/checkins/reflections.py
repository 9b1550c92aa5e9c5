"""Reflections in the vault: the answers to a check-in's prompts, and what was typed into the chat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select

from storage.checkins import checkins, shares
from storage.checkins.checkins import CheckIn
from storage.checkins.checkins_tables import checkin
from storage.core.database import Tx
from storage.core.work import Work
from storage.people import account_links
from storage.people.account_views import AccountView
from storage.privacy import holds
from storage.vault import vault
from storage.vault.vault import Vault
from storage.vault.vault_tables import vault_item

KIND = "reflection"
SHARED = "shared"  # a copy of a reflection, as it was when it was shared
TYPED = "typed"  # in place of a prompt's id

Answers = dict[str, str]  # prompt id, or TYPED -> text


@dataclass(frozen=True, slots=True)
class Reflection:
    """A reflection without its words: which check-in it answers, and when it was last saved."""

    id: UUID
    checkin_id: UUID
    day: date  # of the check-in, its author's local day
    at: datetime  # when it was changed last


_REFLECTION = (vault_item.c.id, vault_item.c.checkin_id, checkin.c.day, vault_item.c.at)


def of_account(tx: Tx, account_id: UUID) -> list[Reflection]:
    """What this account wrote, the newest first."""
    query = select(*_REFLECTION).join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
    query = query.where(vault_item.c.account_id == account_id, vault_item.c.kind == KIND)
    return [Reflection(*row) for row in tx.execute(query.order_by(checkin.c.day.desc(), vault_item.c.id))]


def find(tx: Tx, item_id: UUID, account_id: UUID) -> Reflection | None:
    """A reflection of this account; None for everybody else's and for what is not there."""
    query = select(*_REFLECTION).join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
    own = (vault_item.c.id == item_id, vault_item.c.account_id == account_id, vault_item.c.kind == KIND)
    row = tx.execute(query.where(*own)).one_or_none()
    return Reflection(*row) if row else None


def of_checkin(tx: Tx, checkin_id: UUID, account_ids: Sequence[UUID]) -> list[Reflection]:
    """What these accounts wrote for one check-in, at most one reflection each."""
    query = select(*_REFLECTION).join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
    query = query.where(
        vault_item.c.checkin_id == checkin_id,
        vault_item.c.account_id.in_(account_ids),
        vault_item.c.kind == KIND,
    )
    return [Reflection(*row) for row in tx.execute(query.order_by(vault_item.c.id))]


def days(tx: Tx, item_ids: list[UUID]) -> dict[UUID, date]:
    """The days of these reflections, as far as they are still there."""
    query = select(vault_item.c.id, checkin.c.day).join_from(
        vault_item, checkin, checkin.c.id == vault_item.c.checkin_id
    )
    return {row.id: row.day for row in tx.execute(query.where(vault_item.c.id.in_(item_ids)))}


def writers(tx: Tx, person_id: UUID, view: AccountView, opened_at: datetime) -> list[UUID]:
    """The linked accounts of a person of which an account sees that they answered a check-in.

    Itself, and the others unless the check-in is from before it sees anything.
    """
    own = view.since is not None and opened_at <= view.since
    return [view.account_id] if own else [account.id for account in account_links.accounts_of(tx, person_id)]


def count_elsewhere(tx: Tx, person_id: UUID, view: AccountView) -> int:
    """How many this person wrote with their other linked accounts, as far as this one sees them. It opens none.

    What an account wrote that is no longer linked to the person is not counted.
    """
    linked = [account.id for account in account_links.accounts_of(tx, person_id) if account.id != view.account_id]
    others = (vault_item.c.person_id == person_id, vault_item.c.account_id.in_(linked), vault_item.c.kind == KIND)
    query = select(func.count()).join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
    return tx.scalar(query.where(*others, view.is_after(checkin.c.opened_at))) or 0


def read(opener: Vault, tx: Tx, item_id: UUID, account_id: UUID) -> Answers:
    """The answers, for the account that wrote them; none for everybody else."""
    return parse(opener.open(tx, item_id, account_id))


def share(
    sealer: Vault, work: Work, reflection: Reflection, person_id: UUID, account_id: UUID, mentor_id: UUID
) -> UUID:
    """Share a reflection with a mentor as it is now; an earlier share with that mentor ends. The share's id.

    The mentor reads a copy, so that nothing its author adds or changes later is shared with it.
    """
    for earlier in shares.of_items(work.tx, [reflection.id]):
        if earlier.mentor_id == mentor_id and earlier.ended_at is None:
            shares.stop(work, earlier, person_id)
    text = sealer.open(work.tx, reflection.id, account_id) or ""
    copy_id = sealer.save(
        work,
        SHARED,
        text,
        person_id=person_id,
        account_id=account_id,
        checkin_id=reflection.checkin_id,
        at=reflection.at,
    )
    return shares.make(work, reflection.id, person_id, mentor_id, copy_id)


def read_shared(opener: Vault, tx: Tx, copy_id: UUID) -> Answers:
    """The answers as they were shared, for a reader whose right to them the caller has checked."""
    return parse(opener.open_shared(tx, copy_id))


def parse(text: str | None) -> Answers:
    """The answers of an opened reflection by prompt; none where nothing was opened."""
    answers: Answers = json.loads(text) if text else {}
    return answers


def save(
    sealer: Vault, work: Work, answered: CheckIn, person_id: UUID, account_id: UUID, answers: Mapping[str, str]
) -> None:
    """Save an account's answers to a check-in, in place of earlier ones; no answers remove what was there.

    Where nothing changed, nothing is written, so that a shared version is not taken for an earlier one.

    Raises:
        Held: a legal hold is on what they wrote, and a word of it would be lost.
    """
    before = vault.find(work.tx, answered.id, KIND, account_id)
    if before is not None:
        earlier = read(sealer, work.tx, before.id, account_id)
        if _same(earlier, answers):
            return
        if not _keeps(earlier, answers):
            holds.check_free(work.tx, person_id)
    if answers and before is not None:
        sealer.replace(work, before.id, json.dumps(dict(answers)))
    elif answers:
        text = json.dumps(dict(answers))
        sealer.save(work, KIND, text, person_id=person_id, account_id=account_id, checkin_id=answered.id)
    elif before is not None:
        remove(work, person_id, before.id, account_id)


def _same(before: Answers, after: Mapping[str, str]) -> bool:
    """Whether both have the same answers, however a platform sends line ends."""
    return {name: text.splitlines() for name, text in before.items()} == {
        name: text.splitlines() for name, text in after.items()
    }


def _keeps(before: Answers, after: Mapping[str, str]) -> bool:
    """Whether every word of the earlier answers is still there, with at most something after it.

    Platforms send line ends back in their own way, so words are what counts.
    """
    words = {name: (text.split(), after.get(name, "").split()) for name, text in before.items()}
    return all(now[: len(then)] == then for then, now in words.values())


def remove(work: Work, person_id: UUID, item_id: UUID, account_id: UUID) -> bool:
    """Remove a reflection, end its shares and bring its check-in up to date; only its account can.

    Raises:
        Held: a legal hold is on what its author wrote.
    """
    reflection = find(work.tx, item_id, account_id)
    if reflection is None:
        return False
    holds.check_free(work.tx, person_id)
    vault.remove(work.tx, item_id, account_id)
    shares.end_of_item(work, item_id)
    checkins.set_answered(work, reflection.checkin_id, vault.anything_written(work.tx, reflection.checkin_id))
    return True
