"""Old buttons, open forms, forged ids and other processes: a role that ended, and an account that was replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.runtime.dispatch import Dispatcher, Product
from bot.runtime.threads import DatabaseThreads
from handlers.checkins.reflections import NOT_THERE
from handlers.core.requests import Reply
from handlers.features import router
from storage.checkins.checkins_tables import checkin, share
from storage.core import audit_log
from storage.core.database import Database, Tx
from storage.meetings.meetings_tables import meeting
from storage.people import account_links, cohorts, people
from storage.people.people_tables import account
from storage.vault.vault_tables import vault_item
from tests.handlers.checkins.test_reflections import SECRET, shared, written
from tests.world import Person, World, said


@pytest.fixture
def elsewhere(world: World) -> Iterator[World]:
    """The same database and people, as another process of the bot serves them."""
    other = World.__new__(World)
    other.__dict__.update(world.__dict__)
    url = world.database.url.render_as_string(hide_password=False)
    other.database = world.database if world.database.sqlite else Database(url)
    other.database.use_key(world.product.chain_key)
    threads = DatabaseThreads(other.database)
    other.product = Product(
        threads, world.vault, router, world.clock, world.new_id, world.product.chain_key, lambda: world.address
    )
    other.dispatcher = Dispatcher(other.product, {world.platform: world.port}, lambda: None)
    yield other
    threads.close()


def cohort_of(world: World, mentor: Person) -> UUID:
    with world.database.read() as tx:
        return cohorts.shared_cohorts(tx, mentor.id, ("mentor",))[0].id


async def test_a_removed_mentor_has_no_role_in_old_buttons_open_forms_and_other_processes(
    world: World, elsewhere: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await written(world, dana)
    await shared(dana)
    cohort = cohort_of(world, ruth)
    with world.database.read() as tx:
        share_id = str(tx.scalar(select(share.c.id)))
    open_form = (await ruth.sends("meeting new")).form
    settings = await ruth.sends("cohort settings")
    assert open_form
    filled = {"topic": "Forged", "day": "2026-09-10", "at": "15:30", "minutes": "60", "repeat": "once"}
    preview = (await ruth.fills(open_form, **filled)).form
    assert preview, "one step before the meeting is saved"
    assert SECRET in forms(await ruth.does_press("reflections.read", share_id))
    ruth_there = Person(elsewhere, ruth.user)
    assert (await ruth_there.sends("meeting new")).form

    await carol.does_press("removals.mentor", str(ruth.id), str(cohort))

    for person in (ruth, ruth_there):
        for form in (open_form, preview):
            assert said(await person.fills(form)) == "Only the cohort's mentors and coordinators can do that."
        assert (await person.sends("meeting new")).form is None
        assert NOT_THERE in said(await person.does_press("reflections.read", share_id))
        assert SECRET not in forms(await person.does_press("reflections.read", share_id))
        for words in ("overview", "person dana", "attendance"):
            assert "Dana" not in said(await person.sends(words))
    if settings.card:
        for name in ("cohorts.edit", "cohorts.settings", "meetings.new"):
            assert (await ruth.does_press(name, str(cohort))).form is None
    with world.database.read() as tx:
        assert "Forged" not in tx.scalars(select(meeting.c.topic)).all()
        steps = tx.scalars(select(share.c.step).order_by(share.c.at, share.c.step)).all()
        noted = [(line.what, line.by) for line in audit_log.entries(tx, cohort) if line.what == "mentor.removed"]
        assert tx.scalars(select(vault_item.c.kind)).all() == ["reflection"], "the shared copy is destroyed"
    assert sorted(steps) == ["shared", "stopped"]
    assert noted == [("mentor.removed", "Carol Dietz")]


async def test_a_coordinator_whose_role_ended_has_no_role_in_open_forms_and_other_processes(
    world: World, elsewhere: World, lee: Person, carol: Person
) -> None:
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), lee.id, "roster")
    find = (await lee.does_press("completion.find")).form
    lee_there = Person(elsewhere, lee.user)
    assert find
    assert "Weekly digest" in said(await lee_there.sends("digest"))
    await carol.does_press("removals.coordinator", str(lee.id))
    for person in (lee, lee_there):
        assert "Weekly digest" not in said(await person.sends("digest"))
        assert "nly coordinators" in said(await person.fills(find, who="dana"))
        assert (await person.does_press("completion.find")).form is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite's writers come one after the other
async def test_two_coordinators_who_end_each_other_at_once_leave_one(
    world: World, lee: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), lee.id, "roster")
    loop = asyncio.get_running_loop()
    count = people.coordinators
    other: list[Future[Reply]] = []

    def counts_and_is_overtaken(tx: Tx) -> Sequence[people.Person]:
        persons = count(tx)
        if not other and len(persons) == 2:
            other.append(asyncio.run_coroutine_threadsafe(lee.does_press("removals.coordinator", str(carol.id)), loop))
        return persons

    monkeypatch.setattr(people, "coordinators", counts_and_is_overtaken)
    await carol.does_press("removals.coordinator", str(lee.id))
    await asyncio.wrap_future(other[0])
    with world.database.read() as tx:
        assert len(count(tx)) == 1


async def test_a_replaced_account_stops_and_sees_nothing_of_the_earlier_ones(
    world: World, dana: Person, ruth: Person
) -> None:
    await written(world, dana)
    await shared(dana)
    with world.database.write() as tx:
        work = world.work(tx)
        new = account_links.remember(
            work, world.platform, world.tenant, "U-two", name="Dana", email="", member=True, active=True
        )
        account_links.confirm(work, new.id, dana.id, None)
        share_id = str(tx.scalar(select(share.c.id)))
        items = [str(row) for row in tx.scalars(select(vault_item.c.id))]
        opened = str(tx.scalar(select(checkin.c.id)))
    other = Person(world, "U-two")
    assert NOT_THERE in said(await other.does_press("reflections.stop", share_id))
    for item in items:
        for name in ("reflections.open", "reflections.mine", "reflections.delete", "reflections.share"):
            assert SECRET not in forms(await other.does_press(name, item))
    assert SECRET not in forms(await other.does_press("checkins.write", opened))
    assert "Reflections" not in said(await other.sends("privacy")).replace("My reflections", "")
    with world.database.read() as tx:
        assert [str(row) for row in tx.scalars(select(vault_item.c.id))] == items
        assert tx.scalars(select(share.c.step)).all() == ["shared"]
    assert SECRET in forms(await ruth.does_press("reflections.read", share_id)), "its author shared it"


async def test_no_account_is_taken_from_anybody_by_forged_ids(world: World, dana: Person, carol: Person) -> None:
    with world.database.read() as tx:
        before = {row.user: row.person_id for row in tx.execute(select(account))}
    for name in ("identity.yes", "identity.no", "identity.again", "identity.keep"):
        await carol.does_press(name, str(dana.id))
        await dana.does_press(name, str(carol.id))
    with world.database.read() as tx:
        assert {row.user: row.person_id for row in tx.execute(select(account))} == before


def forms(reply: Reply) -> str:
    """Everything that an answer shows, its form's fields included."""
    fields = [str(getattr(field, "value", "")) for field in reply.form.fields] if reply.form else []
    blocks = [str(reply.form.blocks)] if reply.form else []
    return "\n".join([said(reply), *fields, *blocks])
