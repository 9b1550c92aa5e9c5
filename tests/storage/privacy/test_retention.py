"""Retention: off by default, the longest limit counts, nothing goes unannounced or under a hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from program.privacy.retention import months_for
from storage.people import cohorts, people
from storage.privacy import holds, retention
from storage.vault.vault_tables import vault_item
from tests.world import Person, World


@pytest.mark.parametrize(("limits", "months"), [([], None), ([None], None), ([6], 6), ([6, 12], 12), ([6, None], None)])
def test_the_longest_limit_counts_and_none_keeps(limits: list[int | None], months: int | None) -> None:
    assert months_for(limits) == months


def limit(world: World, name: str, months: int | None, days: int = 0) -> None:
    with world.database.write() as tx:
        cohort = cohorts.by_name(tx, name)
        assert cohort
        starts = world.clock.at + timedelta(days=days)
        cohorts.change(world.work(tx), cohort.id, None, retention_months=months, retention_from=starts)


def writes(world: World, who: Person, kind: str) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        world.vault.ensure_keys(work, [who.id])
        me = people.actor(tx, "paper", "T1", who.user)
        assert me
        world.vault.save(work, kind, "x", person_id=who.id, account_id=me.account_id, checkin_id=None)


def expire(world: World, months: int) -> int:
    world.clock.at += timedelta(days=31 * months)
    with world.database.write() as tx:
        return retention.delete_expired(world.work(tx))


def test_what_is_past_its_time_goes_and_disputes_stay(world: World) -> None:
    dana, jordan = world.matched("Dana Reyes", "dana@example.org"), world.matched("Jordan Blake", "jordan@example.org")
    for person in (dana, jordan):
        for kind in ("reflection", "pulse", "dispute"):
            writes(world, person, kind)
    assert expire(world, 7) == 0, "off by default"
    limit(world, "Ozarks", 6)
    with world.database.read() as tx:
        assert retention.of_person(tx, dana.id) == 6
        assert retention.of_person(tx, jordan.id) is None
    writes(world, dana, "reflection")
    assert expire(world, 0) == 2
    with world.database.read() as tx:
        left = tx.execute(select(vault_item.c.kind).where(vault_item.c.person_id == dana.id)).all()
    assert sorted(row.kind for row in left) == ["dispute", "reflection"]


def test_nothing_goes_before_people_could_know(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    writes(world, dana, "reflection")
    world.clock.at += timedelta(days=31 * 7)
    limit(world, "Ozarks", 6, days=14)
    assert expire(world, 0) == 0
    world.clock.at += timedelta(days=14)
    assert expire(world, 0) == 1


def test_a_hold_keeps_and_another_cohort_may(world: World) -> None:
    dana, lee = world.matched("Dana Reyes", "dana@example.org"), world.matched("Lee Okafor", "lee@example.org")
    limit(world, "Ozarks", 6)
    for person in (dana, lee):
        writes(world, person, "reflection")
    with world.database.write() as tx:
        work = world.work(tx)
        holds.put_on(work, dana.id, "litigation", None)
        other = cohorts.by_name(tx, "Gateway")
        assert other
        cohorts.join(work, other.id, lee.id, "mentee", None)
    assert expire(world, 7) == 0
    with world.database.write() as tx:
        holds.release(world.work(tx), dana.id, None)
        cohorts.leave(world.work(tx), other.id, lee.id, None)
    assert expire(world, 0) == 2


def test_who_left_keeps_the_limit_of_the_cohorts_they_were_in(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    limit(world, "Ozarks", 6)
    writes(world, dana, "pulse")
    with world.database.write() as tx:
        own = cohorts.shared_cohorts(tx, dana.id)[0]
        cohorts.leave(world.work(tx), own.id, dana.id, None)
    assert expire(world, 7) == 1
