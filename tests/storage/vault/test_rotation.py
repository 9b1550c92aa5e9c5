"""Rotation, and what the configured keys open."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from bot.cli import keyring
from bot.runtime.heartbeat import Heartbeat
from storage.core import processes
from storage.core.processes import Process
from storage.people import people
from storage.record.ledger import Line, add
from storage.vault import keystore, recovery, rotation
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.rotation import NotAnnounced
from storage.vault.vault import Vault
from storage.vault.vault_tables import ledger_key, person_key, vault_item
from tests.world import OPERATOR_KEY, START, World

NEW = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU="  # a test's key, protecting nothing


def keyed(*keys: str) -> Vault:
    return Vault(read_operator_keys(",".join(keys)))


def write_for_all(world: World) -> None:
    """One item for each person of the roster."""
    for name, email in (
        ("Dana Reyes", "dana@example.org"),
        ("Lee Okafor", "lee@example.org"),
        ("Sam W", "sam@example.org"),
    ):
        person = world.matched(name, email)
        with world.database.write() as tx:
            world.vault.ensure_keys(world.work(tx), [person.id])
            actor = people.actor(tx, "paper", "T1", person.user)
            assert actor
            account_id = actor.account_id
            world.vault.save(
                world.work(tx), "reflection", "CANARY", person_id=person.id, account_id=account_id, checkin_id=None
            )


def process(world: World, vault: Vault, seen: timedelta = timedelta()) -> Process:
    at = world.clock.at - seen
    return Process(world.new_id(), "pid 7", at, at, list(vault.fingerprints))


def announce(world: World, process: Process) -> None:
    with world.database.write() as tx:
        processes.announce(tx, process)


def test_rotation_wraps_everything_anew_and_says_that_the_old_key_may_go(world: World) -> None:
    write_for_all(world)
    both, new = keyed(NEW, OPERATOR_KEY), keyed(NEW)
    with world.database.read() as tx, pytest.raises(BadKey):
        new.check(tx)
    assert (
        "is still needed: it wraps the keys of 3 people and the ledger"
        in keyring.check(world.database, both, world.clock).advice[0]
    )
    steps = list(keyring.rotate(world.database, both, world.clock))
    assert steps[-1] == keyring.RotationProgress(3, 3, 0)
    with world.database.read() as tx:
        new.check(tx)
        survey = rotation.survey(tx, new)
        assert survey == rotation.Survey([keystore.Wrapping(new.fingerprints[0], 3, True)], 0, True, 3, 0, "")
        assert new.chain_key(tx) == world.product.chain_key
    checked = keyring.check(world.database, both, world.clock)
    assert checked.problems == []
    assert "no longer wraps anything and may be removed" in checked.advice[0]
    assert [row[2] for row in checked.rows] == ["3 people and the ledger", "nothing"]
    assert list(keyring.rotate(world.database, both, world.clock)) == [keyring.RotationProgress(0, 0, 0)]


def test_rotation_goes_on_where_it_was_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write_for_all(world)
    both = keyed(NEW, OPERATOR_KEY)
    with world.database.write() as tx:
        step = rotation.rewrap(tx, both, world.clock.at, UUID(int=0), most=2)
    assert (step.done, step.last is None) == (2, False)
    with world.database.read() as tx:
        survey = rotation.survey(tx, both)
        assert sorted(wrapping.people for wrapping in survey.wrappings) == [1, 2]
        assert survey.unopened_items == 0
        assert rotation.to_rewrap(tx, both) == 1
    assert list(keyring.rotate(world.database, both, world.clock))[-1] == keyring.RotationProgress(1, 1, 0)
    with world.database.read() as tx:
        keyed(NEW).check(tx)


def test_rotation_waits_for_every_running_process(world: World) -> None:
    write_for_all(world)
    old, both = keyed(OPERATOR_KEY), keyed(NEW, OPERATOR_KEY)
    behind = process(world, old, seen=timedelta(seconds=50))
    announce(world, behind)
    announce(world, process(world, both))
    with pytest.raises(
        NotAnnounced, match=r"1 running process does not have the new key \w+ yet \(pid 7, last heard 50 s"
    ):
        list(keyring.rotate(world.database, both, world.clock))
    with world.database.read() as tx:
        old.check(tx)
    world.clock.at += timedelta(seconds=71)  # it was killed: silent for longer than two minutes
    assert list(keyring.rotate(world.database, both, world.clock))[-1].done == 3


def test_an_old_key_may_not_go_while_a_process_puts_it_first(world: World) -> None:
    write_for_all(world)
    announce(world, process(world, keyed(OPERATOR_KEY, NEW)))
    both = keyed(NEW, OPERATOR_KEY)
    list(keyring.rotate(world.database, both, world.clock))
    assert "a running process still uses it first" in keyring.check(world.database, both, world.clock).advice[0]


def test_a_process_that_starts_is_announced_only_with_keys_that_are_enough(world: World) -> None:
    write_for_all(world)
    heartbeat = Heartbeat(world.clock)
    with pytest.raises(BadKey), world.database.write() as tx:
        heartbeat.announce(tx, keyed(NEW))
    with world.database.write() as tx:
        assert processes.alive(tx, START) == []
        heartbeat.announce(tx, keyed(OPERATOR_KEY, NEW))
        assert [list(process.fingerprints) for process in processes.alive(tx, START)] == [
            list(keyed(OPERATOR_KEY, NEW).fingerprints)
        ]
        heartbeat.leave(tx)
        assert processes.alive(tx, START) == []


def test_a_new_key_is_put_second_everywhere_before_it_is_first_anywhere(world: World) -> None:
    announce(world, process(world, keyed(OPERATOR_KEY), seen=timedelta(seconds=5)))
    new_first, new_second = keyed(NEW, OPERATOR_KEY), keyed(OPERATOR_KEY, NEW)
    starting = Heartbeat(world.clock)
    if world.database.sqlite:  # one process runs there: whoever is still announced was killed
        with world.database.write() as tx:
            starting.announce(tx, new_first)
        return
    with pytest.raises(BadKey) as refused, world.database.write() as tx:
        starting.announce(tx, new_first)
    assert f"{new_first.fingerprints[0]}, is not known to 1 process that runs (pid 7, last heard 5 s ago)" in str(
        refused.value
    )
    assert "Put the new key second, restart every process, and put it first after that." in str(refused.value)
    with world.database.write() as tx:
        starting.announce(tx, new_second)
        starting.leave(tx)
        processes.clear(tx)
    announce(world, process(world, new_second))
    with world.database.write() as tx:
        starting.announce(tx, new_first)
    with pytest.raises(BadKey, match="lacks a key that a running process writes with"), world.database.write() as tx:
        Heartbeat(world.clock).announce(tx, keyed(OPERATOR_KEY))


def test_a_process_that_was_silent_for_too_long_notices_what_it_missed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    write_for_all(world)
    frozen, old = Heartbeat(world.clock), keyed(OPERATOR_KEY)
    with world.database.write() as tx:
        frozen.announce(tx, old)
    world.clock.at += timedelta(minutes=3)
    other = keyed(NEW, OPERATOR_KEY)
    announce(world, process(world, other))
    list(keyring.rotate(world.database, other, world.clock))
    with world.database.write() as tx:
        frozen.refresh(tx, old)
        assert len(processes.alive(tx, world.clock.at)) == 1
    assert f"Missing, by fingerprint: {other.fingerprints[0]}" in caplog.text


def test_a_wrong_key_and_one_that_opens_some_are_told_apart(world: World) -> None:
    write_for_all(world)
    with world.database.write() as tx:
        rotation.rewrap(tx, keyed(NEW, OPERATOR_KEY), world.clock.at, UUID(int=0), most=1)
    new, old = keyed(NEW), keyed(OPERATOR_KEY)
    with world.database.read() as tx:
        with pytest.raises(BadKey) as some:
            new.check(tx)
        with pytest.raises(BadKey, match="open nothing"):
            keyed(new_operator_key()).check(tx)
    assert f"Missing, by fingerprint: {old.fingerprints[0]} (2 people and the ledger)" in str(some.value)
    assert f"The configured keys open: {new.fingerprints[0]} (1 person)." in str(some.value)
    assert NEW not in str(some.value)


def test_what_no_key_opens_is_counted(world: World) -> None:
    write_for_all(world)
    with world.database.write() as tx:
        first = tx.scalar(select(person_key.c.person_id).order_by(person_key.c.person_id).limit(1))
        tx.execute(update(person_key).where(person_key.c.person_id == first).values(wrapped=b"x" * 60))
        other = tx.scalar(select(vault_item.c.id).where(vault_item.c.person_id != first).limit(1))
        tx.execute(update(vault_item).where(vault_item.c.id == other).values(sealed=b"y" * 60))
        tx.execute(update(ledger_key).values(wrapped=b"z" * 60))
    checked = keyring.check(world.database, world.vault, world.clock)
    assert checked.problems == [
        "1 data key can't be opened, although the key that wraps it is available. It is damaged: restore its newest "
        "backup (plc-bot restore --keys FILE). Where there is none, run plc-bot keys recover.",
        "2 of 3 items cannot be opened.",
        "The ledger's key can't be opened: restore its newest backup (plc-bot restore --keys FILE). "
        "Where there is none, run plc-bot keys recover.",
    ]
    both = keyed(NEW, OPERATOR_KEY)
    with world.database.write() as tx:
        step = rotation.rewrap(tx, both, world.clock.at, UUID(int=0))
    assert (step.done, step.unopened) == (2, 1)


@pytest.mark.parametrize("damaged", [b"", b"\0", b"\0" * 60, b"x" * 59], ids=["emptied", "cut", "zeroed", "wrong"])
def test_each_damaged_key_is_named_and_the_others_open(world: World, damaged: bytes) -> None:
    write_for_all(world)
    with world.database.write() as tx:
        everybody = list(tx.scalars(select(person_key.c.person_id).order_by(person_key.c.person_id)))
        assert rotation.damaged_keys(tx, world.vault) == []
        tx.execute(update(person_key).where(person_key.c.person_id == everybody[0]).values(wrapped=damaged))
        assert rotation.damaged_keys(tx, world.vault) == everybody[:1]
        assert rotation.damaged_keys(tx, world.vault, everybody[:1]) == everybody[:1]
        assert rotation.damaged_keys(tx, world.vault, everybody[1:]) == []
        assert sorted(rotation.damaged_keys(tx, keyed(NEW))) == everybody


@pytest.mark.parametrize("wrapped_by", ["", "0" * 15 + "x", " " * 16])
def test_a_row_that_names_no_operators_key_is_damaged_and_keeps_nobody_from_starting(
    world: World, wrapped_by: str
) -> None:
    write_for_all(world)
    with world.database.write() as tx:
        first = tx.scalars(select(person_key.c.person_id).order_by(person_key.c.person_id)).first()
        assert first
        tx.execute(update(person_key).where(person_key.c.person_id == first).values(wrapped_by=wrapped_by))
        world.vault.check(tx)
        assert rotation.damaged_keys(tx, world.vault) == [first]
    checked = keyring.check(world.database, world.vault, world.clock)
    assert checked.problems[0].startswith("1 data key can't be opened"), checked.problems
    assert len(checked.problems) == 2
    with world.database.read() as tx:
        assert [loss.person_id for loss in recovery.damage(tx, world.vault).people] == [first]


def test_a_key_put_in_anothers_place_is_damaged(world: World) -> None:
    write_for_all(world)
    with world.database.write() as tx:
        first, second, _ = tx.execute(select(person_key).order_by(person_key.c.person_id)).all()
        moved = update(person_key).where(person_key.c.person_id == first.person_id)
        tx.execute(moved.values(wrapped=second.wrapped))
        assert rotation.damaged_keys(tx, world.vault) == [first.person_id]


def test_a_lost_ledger_key_is_not_made_anew(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    with world.database.write() as tx:
        work = world.work(tx)
        add(work, dana.id, Line("activity", "logged", work.now, dana.id, "self", minutes=60, code="reading"))
        tx.execute(ledger_key.delete())
        with pytest.raises(BadKey, match="ledger's key is missing"):
            world.vault.check(tx)
