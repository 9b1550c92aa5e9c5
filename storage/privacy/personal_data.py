"""Everything that is kept about one person, kind by kind: to be counted, and to be taken along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from program.record.wording import RecordLine
from storage.checkins import checkins, consent, pauses, reflections, shares
from storage.checkins.checkins_tables import checkin, checkin_schedule, prompt
from storage.core.core_tables import audit_entry, draft
from storage.core.database import Tx
from storage.meetings.meetings_tables import meeting, rsvp, summary, visitor
from storage.outbox import kinds
from storage.outbox.outbox_tables import conversation, delivery, installation
from storage.people import account_links
from storage.people.account_views import AccountView
from storage.people.people_tables import account, cohort, gone_report, membership, person, replacement
from storage.privacy.privacy_tables import forgotten, hold
from storage.program_desk.program_desk_tables import download
from storage.record import ledger
from storage.record.record_tables import certificate, dispute, enrolment
from storage.vault import vault
from storage.vault.vault_tables import vault_item

# What tells whether somebody takes part in check-ins: theirs, and nobody else's to see.
PARTICIPATION = frozenset(
    {
        "Pauses",
        "Next check-in",
        "Check-ins",
        "Messages to you",
        "Choices about check-ins",
        "Reflections",
        "Reflections as you shared them",
        "Check-in numbers",
        "Typed messages you haven't decided on",
        "Shared reflections",
    }
)

UNOPENED = "It can't be opened, because it or the key that protects it is damaged."
Opened = Callable[[UUID], str | None]  # the text of an item in the vault, where it may be opened


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one kind; every value is text."""

    name: str
    rows: tuple[dict[str, str], ...]


def everything(tx: Tx, person_id: UUID, opened: Opened, view: AccountView | None = None) -> list[Kind]:
    """What the database holds about somebody.

    ``opened`` decides which confidential texts are in it; where it gives None, the day alone is.
    ``view``: leave out what this account of theirs does not see; None leaves out nothing.
    """
    written = _written(tx, person_id, view)
    queries = _queries(tx, person_id, view)
    kinds = [_kind(name, (row for row in tx.execute(query).mappings())) for name, query in queries.items()]
    return [
        *kinds,
        _kind("Entries in your record", (_line(line) for line in ledger.of_person(tx, person_id))),
        _kind("Choices about check-ins", _choices(tx, person_id, view)),
        _kind("Reflections", _reflections(tx, written, reflections.KIND, opened)),
        _kind("Reflections as you shared them", _reflections(tx, written, reflections.SHARED, opened)),
        _kind("Check-in numbers", _items(tx, written, "pulse", opened)),
        _kind("Typed messages you haven't decided on", _items(tx, written, vault.UNDECIDED, opened)),
        _kind("Shared reflections", _shared(tx, person_id, written, view)),
        _kind("Disputes", _disputes(tx, written, opened)),
    ]


def _written(tx: Tx, person_id: UUID, view: AccountView | None) -> ColumnElement[bool]:
    """The condition on items of the vault: the person's, written with an account they have, and seen by this one."""
    theirs = vault_item.c.person_id == person_id
    if view is None:
        return theirs
    linked = vault_item.c.account_id.in_([own.id for own in account_links.accounts_of(tx, person_id)])
    earlier = select(checkin.c.id).where(checkin.c.person_id == person_id, ~view.is_after(checkin.c.opened_at))
    late = or_(vault_item.c.checkin_id.is_(None), vault_item.c.checkin_id.not_in(earlier))
    own = vault_item.c.account_id == view.account_id
    return and_(theirs, linked, or_(own, and_(view.is_after(vault_item.c.at), late)))


def _is_marked(tx: Tx, person_id: UUID, view: AccountView | None) -> ColumnElement[bool]:
    """The condition on check-ins that an account sees whether they were answered: nobody else answered them."""
    if view is None:
        return true()
    unseen = select(vault_item.c.checkin_id).where(
        vault_item.c.person_id == person_id, vault_item.c.checkin_id.is_not(None), ~_written(tx, person_id, view)
    )
    return checkin.c.id.not_in(unseen)


def _is_told(tx: Tx, person_id: UUID, view: AccountView) -> ColumnElement[bool]:
    """The condition on messages that an account sees them.

    It does not see what changes an earlier one, or is about a check-in that it does not see. Messages about check-ins
    are those in its own chat alone: whether another account gets one depends on what was chosen with that one before.
    """
    if view.since is None:
        return true()
    hidden = tx.scalars(select(checkin.c.id).where(checkin.c.person_id == person_id, ~checkins.is_shown(view)))
    earlier = select(delivery.c.id).where(delivery.c.person_id == person_id, ~view.is_after(delivery.c.created_at))
    own_chats = select(conversation.c.id).where(conversation.c.account_id == view.account_id)
    post = delivery.alias("post")
    here = select(post.c.id).where(post.c.sent_to.in_(own_chats))
    asks = delivery.c.kind.in_([kinds.CHECKIN.name, kinds.CHECKIN_NUDGE.name])
    return and_(
        view.sees(delivery.c.created_at, delivery.c.account_id),
        or_(~asks, func.coalesce(delivery.c.target_id, delivery.c.id).in_(here)),
        delivery.c.subject.not_in([str(checkin_id) for checkin_id in hidden]),
        or_(delivery.c.target_id.is_(None), delivery.c.target_id.not_in(earlier)),
    )


def _queries(tx: Tx, person_id: UUID, view: AccountView | None) -> dict[str, Select[Any]]:
    """The kinds that are rows of a table as they stand."""
    shown = _is_marked(tx, person_id, view)
    mine = account.c.person_id == person_id
    asked: ColumnElement[bool] = true()
    wished, told, wanted, changed = asked, asked, asked, asked
    if view is not None:
        asked, wished = checkins.is_shown(view), view.is_after(checkin.c.reach_out_at)
        told = _is_told(tx, person_id, view)
        wanted = view.is_after(forgotten.c.at)
        changed = or_(audit_entry.c.what != "keys.lost", view.is_after(audit_entry.c.at))
    lost = select(audit_entry.c.at).where(audit_entry.c.subject == person_id, audit_entry.c.what == "keys.lost")
    return {
        "Person": select(
            person.c.name,
            person.c.email,
            person.c.roster_id,
            person.c.zone,
            person.c.coordinator,
            person.c.welcomed_at,
        ).where(person.c.id == person_id),
        "Pauses": select(account.c.checkins, account.c.snoozed_until)
        .where(
            pauses.is_seen(person_id, view),
            or_(account.c.checkins.is_not(None), account.c.snoozed_until.is_not(None)),
        )
        .distinct(),
        "Next check-in": select(checkin_schedule.c.next_at).where(checkin_schedule.c.person_id == person_id),
        "Accounts": select(
            installation.c.platform,
            installation.c.tenant,
            account.c.user,
            account.c.name,
            account.c.email,
            account.c.link,
            account.c.active,
            account.c.seen_at,
        )
        .join_from(account, installation)
        .where(mine),
        "Requests to replace your account": select(
            replacement.c.asked_at,
            replacement.c.holds_from,
            replacement.c.outcome,
            gone_report.c.at.label("reported_gone_at"),
        )
        .join_from(replacement, gone_report, isouter=True)
        .where(replacement.c.person_id == person_id)
        .order_by(replacement.c.asked_at),
        "Personal chats": select(conversation.c.external, conversation.c.name)
        .join_from(conversation, account, account.c.id == conversation.c.account_id)
        .where(mine),
        "Cohorts": select(cohort.c.name, membership.c.role, membership.c.since, membership.c.until)
        .join_from(membership, cohort)
        .where(membership.c.person_id == person_id)
        .order_by(membership.c.since),
        "Enrollment": select(enrolment.c.policy, enrolment.c.starts, enrolment.c.district, enrolment.c.track).where(
            enrolment.c.person_id == person_id
        ),
        "Meeting answers": select(meeting.c.topic, meeting.c.starts_at, rsvp.c.coming, rsvp.c.at)
        .join_from(rsvp, meeting)
        .where(rsvp.c.person_id == person_id)
        .order_by(meeting.c.starts_at),
        "Visits": select(meeting.c.topic, meeting.c.starts_at)
        .join_from(visitor, meeting)
        .where(visitor.c.person_id == person_id),
        "Certificates": select(certificate.c.code, certificate.c.name, certificate.c.policy, certificate.c.issued_at)
        .join_from(certificate, enrolment)
        .where(enrolment.c.person_id == person_id),
        "Summaries written": select(
            meeting.c.topic, summary.c.version, summary.c.did, summary.c.next_steps, summary.c.at
        )
        .join_from(summary, meeting)
        .where(summary.c.author_id == person_id),
        "Unfinished forms": select(draft.c.kind, draft.c.at).where(draft.c.person_id == person_id),
        "Check-ins": select(
            checkin.c.day,
            checkin.c.opened_at,
            case((shown, checkin.c.answered_at)).label("answered_at"),
            case((and_(shown, wished), checkin.c.reach_out_at)).label("reach_out_at"),
        )
        .where(checkin.c.person_id == person_id, asked)
        .order_by(checkin.c.day),
        "Messages to you": select(delivery.c.kind, delivery.c.verb, delivery.c.state, delivery.c.created_at)
        .where(
            or_(delivery.c.person_id == person_id, delivery.c.account_id.in_(select(account.c.id).where(mine))), told
        )
        .order_by(delivery.c.created_at),
        "Links to files": select(download.c.what, download.c.expires_at, download.c.used_at).where(
            download.c.person_id == person_id
        ),
        "Legal holds": select(hold.c.step, hold.c.reason, hold.c.at)
        .where(hold.c.person_id == person_id)
        .order_by(hold.c.number),
        "Times you were forgotten": select(forgotten.c.at).where(
            forgotten.c.person_id == person_id, forgotten.c.at.not_in(lost), wanted
        ),
        "Changes to your data": select(audit_entry.c.what, audit_entry.c.at)
        .where(audit_entry.c.subject == person_id, changed)
        .order_by(audit_entry.c.at),
    }


def _line(line: RecordLine) -> dict[str, object]:
    return {
        "happened": line.happened_at,
        "what": line.what,
        "why": line.why,
        "recorded": line.recorded_at,
        "by": line.recorder,
    }


def _choices(tx: Tx, person_id: UUID, view: AccountView | None) -> list[dict[str, object]]:
    decisions = consent.of_person(tx, person_id, view)
    return [{"choice": decision.decision, "notice": decision.version, "at": decision.at} for decision in decisions]


def _items(tx: Tx, written: ColumnElement[bool], kind: str, opened: Opened) -> list[dict[str, object]]:
    query = select(vault_item.c.id, vault_item.c.at).where(written, vault_item.c.kind == kind)
    rows = tx.execute(query.order_by(vault_item.c.at, vault_item.c.id)).all()
    return [{"at": row.at, **_opened(opened, row.id)} for row in rows]


def _opened(opened: Opened, item_id: UUID, name: str = "what") -> dict[str, object]:
    """The text of an item under this name, or a note that it does not open."""
    try:
        return {name: opened(item_id)}
    except vault.Sealed:
        return {"note": UNOPENED}


def _reflections(tx: Tx, written: ColumnElement[bool], kind: str, opened: Opened) -> list[dict[str, object]]:
    asked = {str(row.id): row.text for row in tx.execute(select(prompt.c.id, prompt.c.text))}
    rows: list[dict[str, object]] = []
    for row in _items(tx, written, kind, opened):
        text = row.pop("what", None)
        answers = reflections.parse(text if isinstance(text, str) else None)
        texts = {asked.get(name, "Typed into the chat"): answer for name, answer in answers.items()}
        rows.append({**row, **texts})
    return rows


def _shared(tx: Tx, person_id: UUID, written: ColumnElement[bool], view: AccountView | None) -> list[dict[str, object]]:
    """What was shared by and with somebody, and when it was read.

    ``view``: only what this account sees or may open; None: everything, also where the item is gone.
    """
    items = set(tx.scalars(select(vault_item.c.id).where(written)))
    own = [share for share in shares.of_author(tx, person_id) if view is None or share.item_id in items]
    linked = [account.id for account in account_links.accounts_of(tx, person_id)]
    mine = {str(id_) for id_ in (linked if view is None or view.since is None else [view.account_id])}
    theirs = [share for share in shares.with_mentor(tx, person_id) if view is None or mine & set(share.accounts)]
    shared = [*own, *theirs]
    read = shares.readings(tx, [share.id for share in shared])
    return [
        {
            "by": share.author,
            "with": share.mentor,
            "shared": share.at,
            "stopped": share.ended_at,
            "read": ", ".join(_text(at) for at in read.get(share.id, [])),
        }
        for share in shared
    ]


def _disputes(tx: Tx, written: ColumnElement[bool], opened: Opened) -> list[dict[str, object]]:
    query = select(dispute.c.opened_at, dispute.c.outcome, dispute.c.settled_at, dispute.c.item_id)
    query = query.join_from(dispute, vault_item, vault_item.c.id == dispute.c.item_id).where(written)
    rows = tx.execute(query.order_by(dispute.c.opened_at)).all()
    return [
        {
            "opened": row.opened_at,
            "outcome": row.outcome,
            "settled": row.settled_at,
            **_opened(opened, row.item_id, "text"),
        }
        for row in rows
    ]


def _kind(name: str, rows: Iterable[Mapping[Any, Any]]) -> Kind:
    return Kind(
        name, tuple({str(key): _text(value) for key, value in row.items() if value not in (None, "")} for row in rows)
    )


def _text(value: object) -> str:
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
