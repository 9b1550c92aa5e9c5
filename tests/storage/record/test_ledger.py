"""The ledger's chain: every tampering is found and named."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from program.record.chain import mark_of, seal_of
from storage.core.columns import APPEND_ONLY
from storage.people import people
from storage.record import checkpoints, ledger, verification
from storage.record.ledger import Line, NotEnrolled
from storage.record.record_tables import ledger_head
from storage.record.verification import Verdict
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.vault import Vault
from tests.world import START, World


def record(world: World, email: str, count: int, at: datetime = START) -> None:
    with world.database.write() as tx:
        person = people.by_email(tx, email)
        assert person
        for number in range(count):
            line = Line("activity", "logged", at, person.id, "self", minutes=number, code="workshop")
            ledger.add(world.work(tx), person.id, line)


def verify(world: World, head: str = "") -> Verdict:
    with world.database.read() as tx:
        return verification.verify(tx, world.product.chain_key, head)


def unprotected(world: World, *statements: str) -> None:
    """What somebody with the database file could do."""
    table = "ledger_line"
    kinds = ("update", "delete") if world.database.sqlite else ("change", "truncate")
    on = "" if world.database.sqlite else f" ON {table}"
    with world.database.write() as tx:
        for kind in kinds:
            tx.execute(text(f"DROP TRIGGER {table}_no_{kind}{on}"))
        for statement in statements:
            tx.execute(text(statement))


DANAS = (
    "enrolment_id = (SELECT enrolment.id FROM enrolment JOIN person ON person.id = enrolment.person_id "
    "WHERE person.email = 'dana@example.org')"
)


@pytest.fixture
def recorded(world: World) -> World:
    record(world, "dana@example.org", 12)
    record(world, "lee@example.org", 3)
    return world


def test_an_untouched_ledger_is_whole(recorded: World) -> None:
    assert verify(recorded) == Verdict(2, 15, [])


def test_a_changed_line_is_named(recorded: World) -> None:
    unprotected(recorded, f"UPDATE ledger_line SET minutes = 600 WHERE position = 4 AND {DANAS}")
    assert verify(recorded).problems == ["Dana Reyes: line 4 was changed, or one before it was replaced."]


def test_a_gap_is_named(recorded: World) -> None:
    unprotected(recorded, f"DELETE FROM ledger_line WHERE position = 4 AND {DANAS}")
    assert verify(recorded).problems == ["Dana Reyes: line 4 is missing."]


def test_the_last_ten_are_missed(recorded: World) -> None:
    unprotected(recorded, f"DELETE FROM ledger_line WHERE position >= 2 AND {DANAS}")
    assert verify(recorded).problems == ["Dana Reyes: its end was cut off: lines 2 to 11 are missing."]


def test_a_whole_chain_is_missed(recorded: World) -> None:
    unprotected(recorded, f"DELETE FROM ledger_line WHERE {DANAS}")
    assert verify(recorded).problems == ["Dana Reyes: all 12 lines are missing."]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM ledger_head WHERE ", "the record of its end is missing"),
        ("UPDATE ledger_head SET position = 10 WHERE ", "the record of its end was changed"),
    ],
)
def test_a_changed_end_is_named(recorded: World, statement: str, told: str) -> None:
    unprotected(recorded, statement + DANAS)
    assert verify(recorded).problems == [f"Dana Reyes: {told}."]


def test_an_older_end_is_named(recorded: World) -> None:
    with recorded.database.read() as tx:
        old = tx.execute(text(f"SELECT position, mark, proof FROM ledger_head WHERE {DANAS}")).one()._asdict()
    record(recorded, "dana@example.org", 1)
    change = f"UPDATE ledger_head SET position = :position, mark = :mark, proof = :proof WHERE {DANAS}"
    with recorded.database.write() as tx:
        tx.execute(text(change), old)
    assert verify(recorded).problems == ["Dana Reyes: its end does not fit the record of it."]


def test_a_code_of_a_digest_from_before_there_were_checkpoints_covers_the_lines(recorded: World) -> None:
    key = recorded.product.chain_key
    with recorded.database.read() as tx:
        rows = tx.execute(select(ledger_head).order_by(ledger_head.c.enrolment_id)).all()
    seal = seal_of(key, [(row.enrolment_id, row.position, row.mark) for row in rows])
    code = f"{recorded.clock.at:%Y%m%dT%H%M%SZ}-{seal}"
    assert verify(recorded, code).problems == []
    unprotected(recorded, f"DELETE FROM ledger_line WHERE position = 11 AND {DANAS}")
    assert "The given check code does not fit" in verify(recorded, code).problems[-1]


def test_hashes_computed_without_the_key_do_not_fit(recorded: World) -> None:
    unprotected(recorded, f"UPDATE ledger_head SET position = 11 WHERE {DANAS}")
    with recorded.database.write() as tx:
        person = people.by_email(tx, "dana@example.org")
        assert person
        line = Line("activity", "logged", START, person.id, "self", minutes=999, code="workshop")
        forger = recorded.work(tx)
        with pytest.raises(ValueError, match="needs its key"):
            ledger.add(type(forger)(tx, forger.now, forger.new_id), person.id, line)
        ledger.add(type(forger)(tx, forger.now, forger.new_id, b"another key"), person.id, line)
    assert verify(recorded).problems == ["Dana Reyes: line 12 was changed, or one before it was replaced."]


def test_a_rewound_end_is_found_by_a_known_head_and_a_known_seal(recorded: World) -> None:
    with recorded.database.write() as tx:
        person = people.by_email(tx, "dana@example.org")
        assert person
        head = ledger.head_of(tx, person.id)
        code = checkpoints.make(tx, recorded.clock.at).code
        rows = tx.execute(text(f"SELECT position, mark, proof FROM ledger_head WHERE {DANAS}")).all()
    assert len(rows) == 1
    recorded.clock.at += timedelta(hours=1)
    record(recorded, "dana@example.org", 1)
    assert verify(recorded, head).problems == []
    assert verify(recorded, code).problems == []
    assert verify(recorded, "nonsense-x").problems == ["The given head is neither a packet's nor a digest's."]
    with recorded.database.read() as tx:
        later = ledger.head_of(tx, person.id)
    # Somebody who kept an old copy of the head puts it back together with the lines of that day.
    unprotected(recorded, f"DELETE FROM ledger_line WHERE position = 12 AND {DANAS}")
    with recorded.database.write() as tx:
        tx.execute(
            text(f"UPDATE ledger_head SET position = :position, mark = :mark, proof = :proof WHERE {DANAS}"),
            rows[0]._asdict(),
        )
    assert verify(recorded).problems == [], "what is newer than the newest checkpoint"
    assert "in no chain" in verify(recorded, later).problems[0]


def test_a_rewound_end_is_found_by_the_newest_checkpoint(recorded: World) -> None:
    with recorded.database.read() as tx:
        rows = tx.execute(text(f"SELECT position, mark, proof FROM ledger_head WHERE {DANAS}")).all()
    record(recorded, "dana@example.org", 1)
    with recorded.database.write() as tx:
        checkpoints.make(tx, recorded.clock.at)
    unprotected(recorded, f"DELETE FROM ledger_line WHERE position = 12 AND {DANAS}")
    with recorded.database.write() as tx:
        tx.execute(
            text(f"UPDATE ledger_head SET position = :position, mark = :mark, proof = :proof WHERE {DANAS}"),
            rows[0]._asdict(),
        )
    assert verify(recorded).problems == ["Dana Reyes: the newest lines went missing, or an older state was put back."]


def test_nobody_without_an_enrolment_is_recorded(world: World) -> None:
    with world.database.write() as tx:
        ruth = people.by_email(tx, "ruth@example.org")
        assert ruth
        with pytest.raises(NotEnrolled):
            ledger.add(world.work(tx), ruth.id, Line("activity", "logged", START, ruth.id, "self"))


def test_the_ledgers_key_stays_and_needs_the_operators(world: World) -> None:
    with world.database.write() as tx:
        assert world.vault.chain_key(tx) == world.product.chain_key
        with pytest.raises(BadKey, match="lacks the ledger's key"):
            Vault(read_operator_keys(new_operator_key())).chain_key(tx)


def test_a_mark_covers_every_part() -> None:
    from uuid import UUID

    base = mark_of(b"k", b"\0" * 32, UUID(int=1), 0, {"a": 1})
    others = {
        mark_of(b"l", b"\0" * 32, UUID(int=1), 0, {"a": 1}),
        mark_of(b"k", b"\1" * 32, UUID(int=1), 0, {"a": 1}),
        mark_of(b"k", b"\0" * 32, UUID(int=2), 0, {"a": 1}),
        mark_of(b"k", b"\0" * 32, UUID(int=1), 1, {"a": 1}),
        mark_of(b"k", b"\0" * 32, UUID(int=1), 0, {"a": 2}),
    }
    assert len(others) == 5
    assert base not in others
    assert "ledger_line" in APPEND_ONLY
