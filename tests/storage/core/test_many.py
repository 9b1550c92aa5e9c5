"""Questions about everybody of a large program: as many ids as there are people, in one query."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from storage.checkins import checkins
from storage.core.database import in_ids
from storage.people import people
from storage.people.people_tables import person
from storage.record import certificates, enrolments, leaves, policies, standings
from tests.world import START, World

PEOPLE = 300_000


def test_more_ids_than_a_query_has_places_for(world: World) -> None:
    with world.database.read() as tx:
        dana = people.by_email(tx, "dana@example.org")
        assert dana is not None
        many = [*(UUID(int=number) for number in range(1, PEOPLE + 1)), dana.id]
        assert list(tx.scalars(select(person.c.name).where(in_ids(tx, person.c.id, many)))) == ["Dana Reyes"]
        assert list(tx.scalars(select(person.c.name).where(in_ids(tx, person.c.id, [])))) == []
        assert people.named(tx, many) == {dana.id: "Dana Reyes"}
        assert [enrolment.person_id for enrolment in enrolments.of_people(tx, many)] == [dana.id]
        assert [mentee.id for mentee in standings.of_people(tx, many, world.clock.at)] == [dana.id]
        assert leaves.of_people(tx, many) == {}
        assert certificates.newest_of(tx, many) == {}
        assert checkins.schedules(tx, many) == []
        assert policies.in_use(tx) == {policies.EXAMPLE: 4}
    assert world.clock.at == START
