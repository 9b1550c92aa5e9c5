"""What the vault opens, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.core.database import Database, Tx, keys_file
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account as account_table
from storage.vault import vault
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.vault import Sealed, Vault
from storage.vault.vault_tables import person_key, vault_item
from tests.world import Person, World


@pytest.fixture
def written(world: World) -> tuple[World, Person, Person, UUID]:
    dana = world.matched("Dana Reyes", "dana@example.org")
    lee = world.matched("Lee Okafor", "lee@example.org")
    with world.database.write() as tx:
        work = world.work(tx)
        world.vault.ensure_keys(work, [dana.id])
        made = checkins.open_checkins(work, [(dana.id, work.now.date(), [])], work.now)
        item = world.vault.save(
            work, "reflection", "CANARY", person_id=dana.id, account_id=account(world, dana), checkin_id=made[0].id
        )
    return world, dana, lee, item


def account(world: World, who: Person) -> UUID:
    from storage.people import people

    with world.database.read() as tx:
        actor = people.actor(tx, "paper", "T1", who.user)
    assert actor
    return actor.account_id


def test_only_the_account_that_wrote_it_opens_it(written: tuple[World, Person, Person, UUID]) -> None:
    world, dana, lee, item = written
    with world.database.read() as tx:
        assert world.vault.open(tx, item, account(world, dana)) == "CANARY"
        assert world.vault.open(tx, item, account(world, lee)) is None
        assert world.vault.open(tx, UUID(int=5), account(world, dana)) is None


def test_a_rebound_person_does_not_open_what_the_earlier_account_wrote(
    written: tuple[World, Person, Person, UUID],
) -> None:
    from handlers.people import identity
    from storage.people import account_links

    world, dana, _, item = written
    other = world.account("Dana Two", "dana@example.org", user="U-other")
    with world.database.write() as tx:
        work = world.work(tx)
        seen = account_links.remember(
            work, "paper", "T1", other.user, name="Dana Two", email="x", member=True, active=True
        )
        identity.link(work, seen.id, dana.id, by=None)
    with world.database.read() as tx:
        assert world.vault.open(tx, item, account(world, other)) is None
        assert (
            vault.find(tx, tx.scalar(select(checkin.c.id)) or UUID(int=0), "reflection", account(world, other)) is None
        )


def test_a_ciphertext_moved_to_another_row_does_not_open(written: tuple[World, Person, Person, UUID]) -> None:
    world, dana, lee, item = written
    with world.database.write() as tx:
        world.vault.ensure_keys(world.work(tx), [lee.id])
        tx.execute(update(vault_item).values(person_id=lee.id, account_id=account(world, lee)))
    with world.database.read() as tx, pytest.raises(Sealed):
        world.vault.open(tx, item, account(world, lee))
    with world.database.write() as tx:
        tx.execute(update(vault_item).values(person_id=dana.id, account_id=account(world, dana), kind="pulse"))
    with world.database.read() as tx, pytest.raises(Sealed):
        world.vault.open(tx, item, account(world, dana))


def rename_the_user(tx: Tx, author: UUID, _lees: UUID) -> None:
    tx.execute(update(account_table).where(account_table.c.id == author).values(user="U-other"))


def rename_the_tenant(tx: Tx, _author: UUID, _lees: UUID) -> None:
    tx.execute(update(installation).values(tenant="T-other"))


def rename_the_platform(tx: Tx, _author: UUID, _lees: UUID) -> None:
    tx.execute(update(installation).values(platform="other"))


def give_it_to_another_account(tx: Tx, _author: UUID, lees: UUID) -> None:
    tx.execute(update(vault_item).values(account_id=lees))


def take_its_check_in_away(tx: Tx, _author: UUID, _lees: UUID) -> None:
    tx.execute(update(vault_item).values(checkin_id=None))


def give_it_another_kind(tx: Tx, _author: UUID, _lees: UUID) -> None:
    tx.execute(update(vault_item).values(kind="dispute"))


@pytest.mark.parametrize(
    "change",
    [
        rename_the_user,
        rename_the_tenant,
        rename_the_platform,
        give_it_to_another_account,
        take_its_check_in_away,
        give_it_another_kind,
    ],
)
def test_a_ciphertext_is_bound_to_its_row_and_its_author(
    written: tuple[World, Person, Person, UUID], change: Callable[[Tx, UUID, UUID], None]
) -> None:
    """By the encryption alone, whatever seals of rows say."""
    world, dana, lee, item = written
    author, lees = account(world, dana), account(world, lee)
    with world.database.write() as tx:
        assert world.vault.open_shared(tx, item) == "CANARY"
        change(tx, author, lees)
        with pytest.raises(Sealed):
            world.vault.open_shared(tx, item)


def test_another_operator_key_is_named_as_missing(written: tuple[World, Person, Person, UUID]) -> None:
    world, _, _, _ = written
    with world.database.read() as tx:
        world.vault.check(tx)
        with pytest.raises(BadKey, match="lacks a key"):
            Vault(read_operator_keys(new_operator_key())).check(tx)


def test_nothing_readable_is_stored(written: tuple[World, Person, Person, UUID]) -> None:
    world, _, _, _ = written
    with world.database.read() as tx:
        assert b"CANARY" not in tx.execute(select(vault_item)).one().sealed
        assert len(tx.execute(select(person_key)).all()) == 1


def test_the_keys_lie_in_a_file_of_their_own(sqlite: Database) -> None:
    world = World(sqlite)
    world.prepare()
    world.close()
    file = sqlite.url.database or ""
    assert Path(keys_file(file)).exists()
    assert b"person_key" not in Path(file).read_bytes()
    for name in (file, keys_file(file)):
        assert Path(name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("text", "sentence"), [("", "no encryption key"), ("###", "not base64"), ("AAAA", "3 bytes")])
def test_unusable_keys_are_named(text: str, sentence: str) -> None:
    with pytest.raises(BadKey, match=sentence):
        read_operator_keys(text)
