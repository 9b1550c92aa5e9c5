"""Somebody who writes to the database without the operator's keys changes what a standing or certificate rests on.

Each forgery is named by the verification, and a certificate that was touched is not confirmed to anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Table, delete, insert, select, text, update

from bot.documents.making import Maker, NothingToMake
from bot.documents.wording import Wording
from bot.runtime.nightly import check, check_if_due
from bot.web.pages import DocumentPages
from handlers.program_desk.integrity import BLOCKED
from program.core.times import local_day, to_utc
from storage.core import program as program_of
from storage.core.core_tables import program
from storage.core.database import Tx
from storage.meetings import meetings, summaries
from storage.meetings.meetings_tables import meeting, series, summary
from storage.people.people_tables import cohort, membership, person
from storage.record import certificates, checkpoints, integrity, ledger, verification
from storage.record.record_tables import (
    amendment,
    certificate,
    checkpoint,
    checkpoint_leaf,
    enrolment,
    ledger_head,
    ledger_line,
    policy,
)
from storage.vault import seals
from storage.vault.unlock import unlock
from storage.vault.vault import LEDGER_IDENTITIES, LEDGER_IDENTITY
from storage.vault.vault_tables import ledger_key
from tests.attacks.test_database_writer import without_triggers
from tests.completion import attended
from tests.world import Person, World, said

ANCIENT = datetime(2020, 1, 1, tzinfo=UTC)
GONE = "went missing, or an older state was put back"
CHANGED = "was changed or inserted"


@pytest.fixture
async def certified(world: World, dana: Person, lee: Person, carol: Person) -> World:
    """Dana has two complete years, a summary, and a certificate; Lee the same without a certificate."""
    attended(world, "dana@example.org", "lee@example.org")
    with world.database.write() as tx:
        for person_id in (dana.id, lee.id):
            ledger.add(world.work(tx), person_id, ledger.Line("leave", "asked", world.clock.at, person_id, "self"))
    await carol.does_press("completion.approve", str(dana.id))
    with world.database.write() as tx:
        add_summary(world, tx)
        add_meeting(world, tx)
        checkpoints.make(tx, world.clock.at)
        assert problems(world, tx) == []
    return world


def add_summary(world: World, tx: Tx) -> None:
    held = tx.execute(select(meeting.c.id)).scalars().first()
    author = tx.execute(select(person.c.id)).scalars().first()
    assert held
    assert author
    summaries.add(world.work(tx), held, author, ["ethics"], "We talked.", "")


def add_meeting(world: World, tx: Tx) -> None:
    held = tx.execute(select(meeting)).first()
    assert held
    by = tx.execute(select(series.c.created_by)).scalars().first()
    assert by
    meetings.create_series(
        world.work(tx),
        held.cohort_id,
        by,
        topic="One more",
        starts=[datetime(2028, 5, 1, 15, 30)],
        zone=held.zone,
        minutes=60,
        place="",
        repeat="once",
        until=None,
    )


def problems(world: World, tx: Tx, head: str = "") -> list[str]:
    return verification.verify(tx, world.product.chain_key, head).problems


def forge(world: World, change: Callable[[Tx], None]) -> list[str]:
    """What the verification says after somebody with the database's own rights changed something."""
    with world.database.write() as tx:
        if tx.dialect.name == "sqlite":
            tx.execute(text("PRAGMA defer_foreign_keys=ON"))
            for table in (ledger_line, certificate, policy, amendment, checkpoint, checkpoint_leaf):
                without_triggers(tx, table)
        else:
            tx.execute(text("SET LOCAL session_replication_role = 'replica'"))
        change(tx)
    with world.database.read() as tx:
        return problems(world, tx)


# Forgeries ----------------------------------------------------------------------------------------


def _enrolment_of(tx: Tx, name: str) -> UUID:
    query = select(enrolment.c.id).join_from(enrolment, person).where(person.c.name == name)
    return UUID(str(tx.execute(query).scalar_one()))


def _danas(tx: Tx) -> UUID:
    return _enrolment_of(tx, "Dana Reyes")


def _set_enrolment(**values: object) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        tx.execute(update(enrolment).where(enrolment.c.id == _danas(tx)).values(values))

    return change


def _set(table: Table, **values: object) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        tx.execute(update(table).values(values))

    return change


def _swap_people(tx: Tx) -> None:
    dana, lee = _danas(tx), _enrolment_of(tx, "Lee Okafor")
    danas, lees = (tx.scalar(select(enrolment.c.person_id).where(enrolment.c.id == id_)) for id_ in (dana, lee))
    nobody = tx.scalar(select(person.c.id).where(person.c.id.not_in(select(enrolment.c.person_id))))
    for enrolment_id, person_id in ((dana, nobody), (lee, danas), (dana, lees)):
        tx.execute(update(enrolment).where(enrolment.c.id == enrolment_id).values(person_id=person_id))


def _shadow_a_policy(tx: Tx) -> None:
    row = {"name": "missouri-dese/2018", "text": "hollow", "holds_from": date(2020, 1, 1), "adopted_at": ANCIENT}
    tx.execute(insert(policy).values(row))


def _fill_in_a_value(tx: Tx) -> None:
    by = tx.execute(select(person.c.id)).scalars().first()
    row = {"id": uuid4(), "policy": "example/1", "path": "attendance.minutes", "value": "1", "at": ANCIENT, "by": by}
    tx.execute(insert(amendment).values(row))


def _move_a_membership(tx: Tx) -> None:
    here = tx.execute(select(membership.c.id, membership.c.cohort_id)).first()
    assert here
    other = tx.scalar(select(cohort.c.id).where(cohort.c.id != here.cohort_id))
    tx.execute(update(membership).where(membership.c.id == here.id).values(cohort_id=other))


def _delete_a_membership(tx: Tx) -> None:
    mine = select(person.c.id).where(person.c.name == "Dana Reyes").scalar_subquery()
    tx.execute(delete(membership).where(membership.c.person_id == mine))


def _delete_a_meeting(tx: Tx) -> None:
    """One that nobody was recorded for, which counts as planned and not attended."""
    free = meeting.c.id.not_in(select(ledger_line.c.meeting_id).where(ledger_line.c.meeting_id.is_not(None)))
    tx.execute(delete(summary))
    assert tx.execute(delete(meeting).where(free)).rowcount == 1


def _swap_ids(tx: Tx) -> None:
    mine = ledger_line.c.enrolment_id == _danas(tx)
    rows = tx.execute(select(ledger_line.c.id).where(mine, ledger_line.c.position < 2)).scalars().all()
    first, second = rows
    for old, new in ((first, UUID(int=1)), (second, first), (UUID(int=1), second)):
        tx.execute(update(ledger_line).where(ledger_line.c.id == old).values(id=new))


def _delete_a_chain(tx: Tx) -> None:
    mine = _danas(tx)
    tx.execute(delete(ledger_line).where(ledger_line.c.enrolment_id == mine))
    tx.execute(delete(ledger_head).where(ledger_head.c.enrolment_id == mine))


def _delete_the_ledger(tx: Tx) -> None:
    tx.execute(delete(ledger_line))
    tx.execute(delete(ledger_head))


def _delete_everything(tx: Tx) -> None:
    _delete_the_ledger(tx)
    for table in (certificate, checkpoint_leaf, checkpoint):
        tx.execute(delete(table))


def _delete(table: Table) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        tx.execute(delete(table))

    return change


def _drop_the_newest_checkpoint(tx: Tx) -> None:
    _delete_a_chain(tx)
    last = select(checkpoint.c.number).order_by(checkpoint.c.number.desc()).limit(1).scalar_subquery()
    number = tx.scalar(select(last))
    tx.execute(delete(checkpoint_leaf).where(checkpoint_leaf.c.number == number))
    tx.execute(delete(checkpoint).where(checkpoint.c.number == number))


def _drop_the_first_checkpoint(tx: Tx) -> None:
    for table in (checkpoint_leaf, checkpoint):
        tx.execute(delete(table).where(table.c.number == 0))


def _drop_a_leaf(tx: Tx) -> None:
    _delete_a_chain(tx)
    tx.execute(delete(checkpoint_leaf).where(checkpoint_leaf.c.kind == "chain"))


def _move_to_another_enrolment(tx: Tx) -> None:
    tx.execute(update(certificate).values(enrolment_id=_enrolment_of(tx, "Lee Okafor")))


FORGERIES: dict[str, tuple[Callable[[Tx], None], str]] = {
    "enrolments swapped": (_swap_people, f"the enrollment {CHANGED}"),
    "start": (_set_enrolment(starts=date(2020, 1, 1)), f"Dana Reyes: the enrollment {CHANGED}"),
    "track": (_set_enrolment(track="short"), f"Dana Reyes: the enrollment {CHANGED}"),
    "district": (_set_enrolment(district="Elsewhere"), f"Dana Reyes: the enrollment {CHANGED}"),
    "policy of an enrolment": (_set_enrolment(policy="example/1"), f"Dana Reyes: the enrollment {CHANGED}"),
    "policy that shadows the shipped one": (_shadow_a_policy, f"missouri-dese/2018: the policy {CHANGED}"),
    "policy text": (_set(policy, text="id = 'x'"), f"example/1.1: the policy {CHANGED}"),
    "value filled in": (_fill_in_a_value, f"example/1, attendance.minutes: a value filled in for the policy {CHANGED}"),
    "name": (_set(person, name="Mallory Quinn"), f"a name or an email address {CHANGED}"),
    "program's name": (_set(program, name="Forged University"), f"the program's name or time zone {CHANGED}"),
    "meeting's local start": (_set(meeting, local_start=datetime(2020, 1, 1)), f"the meeting {CHANGED}"),
    "meeting times": (_set(meeting, ends_at=ANCIENT), f"the meeting {CHANGED}"),
    "meeting cancelled": (_set(meeting, cancelled_at=ANCIENT), f"the meeting {CHANGED}"),
    "meeting deleted": (_delete_a_meeting, f": the meeting {GONE}"),
    "topics": (_set(summary, topics=["law"]), f"a summary's topics {CHANGED}"),
    "membership since": (_set(membership, since=ANCIENT), f"Dana Reyes: a membership {CHANGED}"),
    "membership of another cohort": (_move_a_membership, f"a membership {CHANGED}"),
    "membership deleted": (_delete_a_membership, f"Dana Reyes: a membership {GONE}"),
    "certificate name": (_set(certificate, name="Mallory Quinn"), f"Dana Reyes: a certificate {CHANGED}"),
    "certificate date": (_set(certificate, issued_at=ANCIENT), f"Dana Reyes: a certificate {CHANGED}"),
    "certificate policy": (_set(certificate, policy="example/1"), f"Dana Reyes: a certificate {CHANGED}"),
    "certificate of another": (_move_to_another_enrolment, "Dana Reyes: the certificate "),
    "certificate that no line grants": (
        _move_to_another_enrolment,
        "Lee Okafor: no line grants the certificate ",
    ),
    "certificate deleted": (_delete(certificate), "Dana Reyes: the certificate "),
    "line ids swapped": (_swap_ids, f"Dana Reyes: the id of a line {CHANGED}"),
    "chain deleted": (_delete_a_chain, f"Dana Reyes: the newest lines {GONE}"),
    "ledger deleted": (_delete_the_ledger, f"Dana Reyes: the newest lines {GONE}"),
    "all deleted": (_delete_everything, "All checkpoints are missing."),
    "chain and newest checkpoint deleted": (_drop_the_newest_checkpoint, f"Dana Reyes: the newest lines {GONE}"),
    "chain and its leaf deleted": (_drop_a_leaf, "The list of what the newest checkpoint covers was changed."),
    "checkpoint changed": (_set(checkpoint, at=ANCIENT), "Checkpoint 0 is missing, or was changed."),
    "first checkpoint deleted": (_drop_the_first_checkpoint, "Checkpoint 0 is missing, or was changed."),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_is_named(certified: World, name: str) -> None:
    change, named = FORGERIES[name]
    told = forge(certified, change)
    assert any(named in text for text in told), told


async def test_an_older_state_that_is_put_back_is_named(certified: World) -> None:
    with certified.database.read() as tx:
        old = tx.execute(select(enrolment).where(enrolment.c.id == _danas(tx))).mappings().one()
    with certified.database.write() as tx:
        seals.change(tx, enrolment, old["id"], {"track": "short", "version": old["version"] + 1})
        checkpoints.make(tx, certified.clock.at)
        assert problems(certified, tx) == []
    told = forge(certified, _set_enrolment(**{name: old[name] for name in ("track", "version", "seal")}))
    assert told == [f"Dana Reyes: the enrollment {GONE}."]


async def test_a_later_checkpoint_does_not_forget_what_went_missing(certified: World) -> None:
    forge(certified, _delete_a_chain)
    with certified.database.write() as tx:
        checkpoints.make(tx, certified.clock.at)
        assert any("Dana Reyes: the newest lines" in problem for problem in problems(certified, tx))


async def test_a_check_code_kept_elsewhere_finds_a_copy_of_the_database_that_was_put_back(certified: World) -> None:
    """Everything fits in an old copy of all tables; what a digest showed since then is not in it."""
    with certified.database.write() as tx:
        code = checkpoints.make(tx, certified.clock.at + timedelta(seconds=1)).code
        assert problems(certified, tx, code) == []

    def put_back(tx: Tx) -> None:
        number = tx.scalar(select(checkpoint.c.number).order_by(checkpoint.c.number.desc()).limit(1))
        tx.execute(delete(checkpoint_leaf).where(checkpoint_leaf.c.number == number))
        tx.execute(delete(checkpoint).where(checkpoint.c.number == number))

    assert forge(certified, put_back) == []
    with certified.database.read() as tx:
        assert len(problems(certified, tx, code)) == 1


# What is done about it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        _set(certificate, name="Mallory Quinn"),
        _set(certificate, issued_at=ANCIENT),
        _delete(certificate),
        _delete_the_ledger,
    ],
    ids=["name", "date", "row deleted", "ledger deleted"],
)
async def test_a_touched_certificate_is_not_confirmed(certified: World, change: Callable[[Tx], None]) -> None:
    with certified.database.read() as tx:
        code, certificate_id = tx.execute(select(certificate.c.code, certificate.c.id)).one()
    forge(certified, change)
    with certified.database.read() as tx:
        issued = certificates.by_code(tx, code)
        assert issued is None or not issued.intact
        assert issued is not None or certificates.left_a_trace(tx, code)
        with pytest.raises(NothingToMake):
            Maker(Wording(), "", certified.vault).prepare(tx, "certificate", str(certificate_id), "pdf", ANCIENT)


@pytest.mark.parametrize(
    "change",
    [
        _set(meeting, topic="Another"),
        _set(policy, text="# forged"),
        _set(membership, since=ANCIENT),
        _set_enrolment(track="short"),
        _set(person, name="Mallory Quinn"),
        _set(program, name="Forged University"),
        _delete_a_chain,
    ],
    ids=["meeting", "policy", "membership", "enrolment", "name", "program", "chain"],
)
async def test_no_certificate_is_issued_on_a_changed_record(
    world: World, dana: Person, carol: Person, change: Callable[[Tx], None]
) -> None:
    attended(world, "dana@example.org")
    forge(world, change)
    await carol.does_press("completion.approve", str(dana.id))
    with world.database.read() as tx:
        assert tx.execute(select(certificate)).all() == []


async def test_no_certificate_is_issued_again_on_a_changed_record(certified: World, carol: Person) -> None:
    with certified.database.read() as tx:
        first = tx.execute(select(certificate.c.id)).scalar_one()
    form = (await carol.does_press("completion.reissue", str(first))).form
    forge(certified, _set(membership, since=ANCIENT))
    assert BLOCKED in said(await carol.fills(form, name="Dana Reyes-Soto", reason="name_changed"))
    with certified.database.read() as tx:
        assert tx.execute(select(certificate.c.id)).scalar_one() == first
        assert tx.execute(select(ledger_line.c.id).where(ledger_line.c.step == "revoked")).all() == []


async def test_a_changed_row_gets_no_new_seal_with_the_programs_next_change(certified: World) -> None:
    told = forge(certified, _set_enrolment(track="short"))
    with certified.database.write() as tx:
        version = tx.scalar(select(enrolment.c.version).where(enrolment.c.id == _danas(tx)))
        seals.change(tx, enrolment, _danas(tx), {"district": "Elsewhere", "version": (version or 0) + 1})
        assert problems(certified, tx) == told


@pytest.mark.parametrize("with_the_head", [False, True])
async def test_a_deleted_revocation_is_not_confirmed(certified: World, carol: Person, with_the_head: bool) -> None:
    with certified.database.write() as tx:
        heads = tx.execute(select(ledger_head)).mappings().all()
        issued = certificates.by_code(tx, str(tx.scalar(select(certificate.c.code))))
        assert issued
        certificates.revoke(certified.work(tx), issued, "issued_in_error", carol.id)

    def put_back(tx: Tx) -> None:
        tx.execute(delete(ledger_line).where(ledger_line.c.step == "revoked"))
        if with_the_head:
            tx.execute(delete(ledger_head))
            tx.execute(insert(ledger_head), [dict(row) for row in heads])

    assert forge(certified, put_back)
    with certified.database.read() as tx:
        assert verification.of_person(tx, certified.product.chain_key, issued.person_id)
    address = f"/verify/{issued.code}"
    async with TestClient(TestServer(pages(certified))) as client:
        page = await (await client.get(address)).text()
    assert "Not confirmed" in page
    assert "Valid" not in page


def pages(world: World) -> web.Application:
    app = web.Application()
    DocumentPages(world.product, Wording()).add_routes(app)
    return app


async def test_a_coordinator_is_told_why_nothing_is_issued(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    forge(world, _set(membership, since=ANCIENT))
    assert BLOCKED in said(await carol.does_press("completion.approve", str(dana.id)))


async def test_the_nightly_check_is_due_at_two_in_the_programs_zone(certified: World) -> None:
    await check(certified.product)
    with certified.database.read() as tx:
        zone = program_of.zone_of(tx)
    two = to_utc(datetime.combine(local_day(certified.clock.at, zone) + timedelta(days=2), time(2)), zone)
    certified.clock.at = two - timedelta(days=1)
    await check(certified.product)
    certified.clock.at = two - timedelta(seconds=1)
    assert not await check_if_due(certified.product)
    certified.clock.at = two
    assert await check_if_due(certified.product)


async def test_a_checkpoint_is_made_every_night_with_each_digest_and_each_certificate(
    world: World, dana: Person, carol: Person
) -> None:
    def count() -> int:
        with world.database.read() as tx:
            return len(tx.execute(select(checkpoint)).all())

    attended(world, "dana@example.org")
    before = count()
    await carol.does_press("completion.approve", str(dana.id))
    assert count() == before + 1
    await check(world.product)
    assert count() == before + 2
    await world.pass_time(days=7)
    digests = [message for message in world.to(carol) if "Weekly digest" in message.text]
    assert digests
    assert count() == before + 2 + len(digests)
    with world.database.read() as tx:
        newest = checkpoints.newest(tx)
    assert newest
    details = (await carol.presses(digests[-1], "Details")).form
    assert details is not None
    assert newest.code in str(details.blocks)


async def test_the_nightly_check_tells_the_coordinators_once(
    certified: World, carol: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await check(certified.product)
    await certified.settle()
    assert not any("Records need a check" in message.text for message in certified.to(carol))
    forge(certified, _set_enrolment(track="short"))
    for _ in range(2):
        certified.clock.at += timedelta(days=1)
        assert await check_if_due(certified.product)
        assert not await check_if_due(certified.product), "once a night"
        await certified.settle()
    told = [message.text for message in certified.to(carol) if "Records need a check" in message.text]
    assert len(told) == 1
    assert "1 record was changed outside the program" in told[0]
    assert "Dana" not in told[0], "what was found is said in the terminal alone"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert all(error.startswith("records.checked") and error.endswith("problems=1") for error in errors), errors
    assert len(errors) == 2
    assert "Records that were changed outside the program (1)" in said(await carol.sends("digest"))
    with certified.database.read() as tx:
        newest = integrity.newest(tx)
    assert newest
    assert (newest.at, newest.problems) == (certified.clock.at, 1)


# A database from before ---------------------------------------------------------------------------


async def test_a_database_from_before_its_records_were_sealed_is_sealed_once(certified: World) -> None:
    tables = (enrolment, policy, amendment, meeting, summary, ledger_line, certificate)

    def as_before(tx: Tx) -> None:
        for table in tables:
            tx.execute(update(table).values(seal=None))
        for table in (checkpoint_leaf, checkpoint):
            tx.execute(delete(table))

    told = forge(certified, as_before)
    assert len(told) > len(tables)
    with certified.database.write() as tx:
        unlock(tx, certified.vault, now=certified.clock.at)
        assert problems(certified, tx) == told, "seals that were taken away are not made again"
        wrapped = certified.vault.wrap(certified.product.chain_key, LEDGER_IDENTITIES[1])
        tx.execute(update(ledger_key).values(wrapped=wrapped))
        if certified.database.sqlite:
            for table in (ledger_line, certificate, policy, amendment):
                tx.execute(
                    text(
                        f"CREATE TRIGGER {table.name}_no_update BEFORE UPDATE ON {table.name} "
                        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
                    )
                )
        unlock(tx, certified.vault, now=certified.clock.at)
        assert problems(certified, tx) == []
        assert certified.vault.unwrap_chain_key(tx.execute(select(ledger_key)).one())[1] == LEDGER_IDENTITY
