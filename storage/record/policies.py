"""Policies: the shipped documents, those that were adopted, and what was filled in since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from uuid import UUID

from sqlalchemy import bindparam, exists, func, insert, literal, select, union_all

from program.core.times import local_day
from program.record.policy import Policy, Value
from program.record.policy_reading import read_policy
from storage.core import program as programs
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import membership
from storage.record.record_tables import amendment, enrolment, policy
from storage.vault import seals

EXAMPLE = "example/1"
MISSOURI = "missouri-dese/2018"
YES_NO = {"yes": True, "no": False, "true": True, "false": False}  # typed, and as the table keeps them
_SHIPPED = {EXAMPLE: "example.toml", MISSOURI: "missouri-dese.toml"}


# What was filled in, by path, and with an empty path the policy's own text: one query.
_PARTS = union_all(
    select(literal("").label("path"), policy.c.text.label("value")).where(policy.c.name == bindparam("name")),
    select(amendment.c.path, amendment.c.value).where(amendment.c.policy == bindparam("name")),
).order_by("path")


class PolicyThere(Exception):
    """There is a policy with this id and version already; a changed document needs a new version."""


def get(tx: Tx, name: str) -> Policy:
    """The policy ``id/version`` with everything that was filled in since."""
    parts = {row.path: row.value for row in tx.execute(_PARTS, {"name": name})}
    text = parts.pop("", None)
    return _read(_shipped(name) if text is None else text, tuple(parts.items()))


@lru_cache(maxsize=64)
def _read(text: str, amendments: tuple[tuple[str, str], ...]) -> Policy:
    return read_policy(text, {path: typed_value(value) for path, value in amendments})


def typed_value(text: str) -> Value:
    """An amendment's value as it was typed: a number, yes or no, a date, or a word."""
    if text.isdecimal():
        return int(text)
    if text.lower() in YES_NO:
        return YES_NO[text.lower()]
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


@lru_cache
def _shipped(name: str) -> str:
    return (files("program.record.policies") / _SHIPPED[name]).read_text(encoding="utf-8")


def shipped(name: str) -> Policy:
    """A shipped policy as its document says, with nothing filled in."""
    return _read(_shipped(name), ())


def current(tx: Tx, day: date) -> str:
    """The policy for somebody who begins on ``day``: the last one adopted by then."""
    adopted = tx.scalar(
        select(policy.c.name)
        .where(policy.c.holds_from <= day)
        .order_by(policy.c.holds_from.desc(), policy.c.adopted_at.desc())
        .limit(1)
    )
    if adopted is not None:
        return str(adopted)
    program = programs.get(tx)
    return EXAMPLE if program and program.example else MISSOURI


def of_today(work: Work) -> Policy:
    """The policy for somebody who begins today, a day in the program's zone."""
    return get(work.tx, current(work.tx, local_day(work.now, programs.zone_of(work.tx))))


def apply_zone(work: Work) -> None:
    """Make the zone of today's policy the program's zone, in which the program's own days and times are counted."""
    programs.set_zone(work.tx, of_today(work).program.zone)


def adopt(work: Work, text: str, holds_from: date, by: UUID | None) -> Policy:
    """Make a document the policy of those who begin on ``holds_from`` or later.

    Raises:
        BadPolicy: the document cannot be used.
        PolicyThere: this id and version was adopted with another text.
    """
    known = read_policy(text)
    stored = work.tx.scalar(select(policy.c.text).where(policy.c.name == known.name))
    if stored is not None or (known.name in _SHIPPED and _shipped(known.name) != text):
        raise PolicyThere(PolicyThere.__doc__)
    row = {"name": known.name, "text": text, "holds_from": holds_from, "adopted_at": work.now, "by": by}
    work.tx.execute(insert(policy).values(seals.sealed(work.tx, policy, row)))
    apply_zone(work)
    return known


def applies_from(tx: Tx, name: str) -> date | None:
    """The first day of an adopted policy; None: it was not adopted, so it applies to people who are moved to it."""
    return tx.scalar(select(policy.c.holds_from).where(policy.c.name == name))


def adopted_for(tx: Tx, policy_name: str, text: str) -> date | None:
    """The first day for which exactly this document was adopted; None: it was not."""
    return tx.scalar(select(policy.c.holds_from).where(policy.c.name == policy_name, policy.c.text == text))


def amend(work: Work, name: str, values: Mapping[str, Value], by: UUID) -> Policy:
    """Fill in unset values for everybody on this version.

    Raises:
        BadPolicy: a value is not unset, or does not fit.
    """
    rows = [
        {"id": work.new_id(), "policy": name, "path": path, "value": str(value), "at": work.now, "by": by}
        for path, value in values.items()
    ]
    before = get(work.tx, name)
    read_policy(before.text, {**before.amendments, **values})
    work.tx.execute(insert(amendment), [seals.sealed(work.tx, amendment, row) for row in rows])
    return get(work.tx, name)


def names(tx: Tx) -> list[str]:
    """Every policy there is: shipped and adopted."""
    return sorted({*_SHIPPED, *tx.scalars(select(policy.c.name))})


def in_use(tx: Tx) -> dict[str, int]:
    """How many mentees of the program are on each policy; who left counts nowhere."""
    there = exists().where(
        membership.c.person_id == enrolment.c.person_id, membership.c.role == "mentee", membership.c.until.is_(None)
    )
    rows = tx.execute(
        select(enrolment.c.policy, func.count().label("people")).where(there).group_by(enrolment.c.policy)
    )
    return {row.policy: row.people for row in rows}
