"""Deliveries: one message each, on its way to one conversation.

``queued -> sending -> sent``, or back to ``queued`` with a wait, or ``failed`` with a reason, ``dropped``
when it is no longer true, ``unconfirmed`` when nobody can know whether it arrived. Only the holder of the
claim's token can settle it. The row never holds a rendered card.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from storage.core.database import Tx, inline_word
from storage.core.work import Work, insert_new
from storage.outbox.kinds import VISIT, DeliveryKind
from storage.outbox.outbox_tables import delivery

SUBJECTS_AT_ONCE = 500  # in one query


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way; ``subject`` says what it is about, by id."""

    id: UUID
    verb: str  # post, update, visit
    kind: str
    subject: str
    person_id: UUID | None
    account_id: UUID | None
    conversation_id: UUID | None
    target_id: UUID | None
    created_at: datetime
    attempts: int
    claim: UUID | None
    installation_id: UUID | None
    reader_id: UUID | None = None  # the account in whose chat it stands, once that is known

    @property
    def lane(self) -> UUID | None:
        """The conversation's key: deliveries of one lane keep their order and share a rate limit."""
        return self.conversation_id or self.account_id or self.person_id


LANE: ColumnElement[UUID] = func.coalesce(delivery.c.conversation_id, delivery.c.account_id, delivery.c.person_id)
_DELIVERY = (
    delivery.c.id,
    delivery.c.verb,
    delivery.c.kind,
    delivery.c.subject,
    delivery.c.person_id,
    delivery.c.account_id,
    delivery.c.conversation_id,
    delivery.c.target_id,
    delivery.c.created_at,
    delivery.c.attempts,
    delivery.c.claim,
    delivery.c.installation_id,
)


def _queue(work: Work, **values: Any) -> None:
    insert_new(work.tx, delivery, [_row(work, values)])


def _row(work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": work.new_id(),
        "state": "queued",
        "created_at": work.now,
        "not_before": work.now,
        "person_id": None,
        "account_id": None,
        "conversation_id": None,
        "target_id": None,
        "priority": 0 if work.acted else 1,
        **values,
    }


def to_person(work: Work, kind: DeliveryKind, person_id: UUID, subject: object, tag: object = "") -> None:
    """Queue a personal message; the same kind, subject, tag and person are queued only once."""
    _queue(work, **_personal(kind, person_id, subject, tag))


def to_people(work: Work, kind: DeliveryKind, messages: Iterable[tuple[UUID, object]]) -> None:
    """Queue a personal message for each (person, subject), all at once."""
    insert_new(work.tx, delivery, [_row(work, _personal(kind, id_, subject)) for id_, subject in messages])


def _personal(kind: DeliveryKind, person_id: UUID, subject: object, tag: object = "") -> dict[str, Any]:
    key = f"{kind.name}:{subject}:{tag}:{person_id}"
    return {"verb": "post", "kind": kind.name, "subject": str(subject), "person_id": person_id, "key": key}


def to_account(work: Work, kind: DeliveryKind, account_id: UUID, subject: object, tag: object = "") -> None:
    """Queue a message to an account that is linked to no person yet."""
    key = f"{kind.name}:{subject}:{tag}:{account_id}"
    _queue(work, verb="post", kind=kind.name, subject=str(subject), account_id=account_id, key=key)


def to_channel(work: Work, kind: DeliveryKind, conversation_id: UUID, subject: object, tag: object = "") -> None:
    """Queue a message to a channel, once for each subject and tag."""
    key = f"{kind.name}:{subject}:{tag}:{conversation_id}"
    _queue(work, verb="post", kind=kind.name, subject=str(subject), conversation_id=conversation_id, key=key)


def visit(work: Work, conversation_id: UUID, subject: object) -> None:
    """Queue a visit: the bot enters a channel and reads who is in it."""
    key = f"{VISIT.name}:{conversation_id}:{work.now.isoformat()}"
    _queue(work, verb="visit", kind=VISIT.name, subject=str(subject), conversation_id=conversation_id, key=key)


_THERE = select(*_DELIVERY).where(
    delivery.c.verb == inline_word("post"), delivery.c.state.in_([inline_word("sending"), inline_word("sent")])
)
_ABOUT = _THERE.where(
    delivery.c.kind.in_(bindparam("kinds", expanding=True)), delivery.c.subject == bindparam("subject")
)


def refresh(work: Work, subject: object, *kinds: DeliveryKind) -> None:
    """Queue updates of the messages of these kinds about a subject that were sent or are being sent.

    At most one update waits for each message; the card is built when it goes out, so the newest wins.
    """
    _bring_up_to_date(work, _ABOUT, {"kinds": [kind.name for kind in kinds], "subject": str(subject)})


def refresh_all(work: Work, kinds: Collection[DeliveryKind], subjects: Iterable[object]) -> None:
    """:func:`refresh` for many subjects."""
    of_kinds = _THERE.where(delivery.c.kind.in_([kind.name for kind in kinds]))
    waiting = iter(subjects)
    while some := [str(subject) for subject in islice(waiting, SUBJECTS_AT_ONCE)]:
        _bring_up_to_date(work, of_kinds.where(delivery.c.subject.in_(some)), {})


def _bring_up_to_date(work: Work, query: Select[Any], parameters: Mapping[str, Any]) -> None:
    updates = [
        _row(
            work,
            {
                "verb": "update",
                "kind": row.kind,
                "subject": row.subject,
                "person_id": row.person_id,
                "account_id": row.account_id,
                "conversation_id": row.conversation_id,
                "target_id": row.id,
                "key": f"update:{row.id}:{work.new_id()}",
            },
        )
        for row in work.tx.execute(query, parameters)
    ]
    insert_new(work.tx, delivery, updates)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Where a delivery's message is."""

    state: str
    conversation_id: UUID | None
    message: str | None


def message_of(tx: Tx, delivery_id: UUID) -> SentMessage:
    """Where a delivery's message is."""
    query = select(delivery.c.state, delivery.c.sent_to, delivery.c.message)
    return SentMessage(*tx.execute(query.where(delivery.c.id == delivery_id)).one())
