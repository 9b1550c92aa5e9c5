"""One walk through every way in which somebody writes in confidence, the same on every platform."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, Protocol
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import event, select

import bot.documents.making
import handlers.program_desk.digest
import storage.core.backup
import storage.vault.vault
from bot.app import App
from bot.cli.backing_up import back_up
from bot.runtime.dispatch import Dispatcher
from handlers.core.requests import Reply, Request
from storage.checkins import reflections
from storage.checkins.checkins_tables import share, share_reading
from storage.core.database import Tx
from storage.people import cohorts, people
from storage.people.people_tables import account
from storage.program_desk import downloads
from storage.record import certificates, policies
from storage.record.record_tables import dispute
from storage.vault.vault_tables import vault_item
from tests.canary.hunt import Captured, Ear, dumped, files, rows, tied, unpacked, words_in, write_ahead

FORM = "canary-Zeisig-form-7731"
TYPED = "canary-Girlitz-typed-1277"
EDITED = "canary-Stieglitz-edited-4410"
DISPUTED = "canary-Rohrammer-disputed-9052"
WAITED = "canary-Wiedehopf-waited-3863"  # typed, and never kept
WORDS = (FORM, TYPED, WAITED, EDITED, DISPUTED)
PULSE = "4"
CHANGED = "2"  # the pulse that was tapped before
REFLECTION = (FORM, TYPED, EDITED)

PRIVATE = (vault_item, share, share_reading, dispute)
FORMS = ("xlsx", "standings.csv", "record.csv")
ANYTHING = (AssertionError, LookupError, RuntimeError, StopIteration, ValueError)  # a step that a fault spoiled


class Stage(Protocol):
    """A platform with Dana, her mentor and the coordinator; Dana's check-in is open, and a record can be disputed."""

    folder: Path
    email: str  # Dana's
    mentor: str
    coordinator: str
    platform_files: str  # files with this in their name are the platform's, and searched by `traffic`

    @property
    def app(self) -> App: ...

    async def taps(self, number: str) -> None: ...
    async def writes(self, words: str) -> None:
        """By the form."""

    async def types(self, words: str) -> None:
        """Into the chat with the bot."""

    async def keeps(self) -> None:
        """As the reflection, what was typed last."""

    async def declines(self) -> None:
        """To keep what was typed last."""

    async def edits(self, words: str) -> None:
        """In the form, over what was written before."""

    async def shares(self) -> None: ...
    async def mentor_reads(self) -> str:
        """What the mentor's dialog shows."""

    async def disputes(self, words: str) -> None: ...
    async def coordinator_reads(self) -> str:
        """What the coordinator's dialog shows of the dispute."""

    async def looks_around(self) -> None:
        """Everybody asks for everything that they may see, and days pass until the digest has gone out."""

    async def later(self) -> None:
        """An hour passes, in which what failed is tried again."""

    def traffic(self) -> Captured:
        """Everything the platform carried or keeps.

        Left out are Dana's own words to and from herself, and the two dialogs in which the mentor and the coordinator
        read.
        """


Step = Callable[[], Awaitable[Any]]


def steps(stage: Stage) -> list[Step]:
    return [
        lambda: stage.taps(PULSE),
        lambda: stage.writes(FORM),
        lambda: stage.types(TYPED),
        stage.keeps,
        lambda: stage.types(WAITED),
        lambda: stage.edits(EDITED),
        stage.shares,
        stage.mentor_reads,
        lambda: stage.disputes(DISPUTED),
        stage.coordinator_reads,
    ]


async def walk(stage: Stage) -> None:
    """Every way in, once, and everybody sees what they should."""
    await stage.taps(CHANGED)
    await stage.taps("Change my number")
    await stage.taps(PULSE)  # on the same message: another act, which replaces the first
    await stage.writes(FORM)
    await stage.types(TYPED)
    assert kept(stage.app, stage.email)["waiting"] == {TYPED}
    await stage.keeps()
    await stage.types(WAITED)
    await stage.declines()
    await stage.types(WAITED)
    own = kept(stage.app, stage.email)
    assert own == {"pulse": {PULSE}, "reflection": {FORM, TYPED}, "waiting": {WAITED}}
    await stage.edits(EDITED)
    await stage.shares()
    seen = await stage.mentor_reads()
    assert EDITED in seen
    assert TYPED in seen
    await stage.disputes(DISPUTED)
    assert DISPUTED in await stage.coordinator_reads()
    await stage.looks_around()
    assert_all_happened(stage)
    await assert_own_is_hers(stage)


async def stumble(stage: Stage) -> None:
    """Every way in, with each fault at each step; then what could not be done is done."""
    fired: Fired = set()
    for number, step in enumerate(steps(stage)):
        for fault in (sealing, committing, posting, answering):
            if number == 0:
                with suppress(*ANYTHING):  # nothing is saved yet
                    await stage.taps("Change my number")
            # What people see of a failure is another test's; here it only must not leak.
            with fault(stage.app, fired), suppress(*ANYTHING):
                await step()
            await stage.later()
        with suppress(*ANYTHING):  # its answer alone had failed
            await step()
    await fail_afterwards(stage, fired)
    once_each = {"seal", "unseal", "commit", "post", "answer", "make", "digest"}
    once_each |= {"copy"} if stage.app.product.threads.database.sqlite else set()
    assert fired == once_each, fired ^ once_each
    await stage.looks_around()
    assert_all_happened(stage)
    await assert_own_is_hers(stage)


async def fail_afterwards(stage: Stage, fired: Fired) -> None:
    """What comes after the writing fails: every file that is made of it, the digest, and the backup."""
    wanted = [await own_file(stage), *await everybodys_files(stage)]
    for fault in (sealing, making):
        with fault(stage.app, fired):
            pages = [await asked_for(stage, *page_of) for page_of in wanted]
        assert words_in({str(page_of): page for page_of, (_, page) in zip(wanted, pages, strict=True)}, WORDS) == []
        assert {status for status, _ in pages} <= {200, 500}
    with digesting(stage.app, fired), sealing(stage.app, fired):
        await stage.looks_around()
    with copying(stage.app, fired), suppress(RuntimeError):
        backed_up(stage, "half a backup")


def assert_all_happened(stage: Stage) -> None:
    """The words are there, in the vault, and were shared, read and disputed: else nothing could have leaked."""
    opened = kept(stage.app, stage.email)
    own = {EDITED, TYPED}
    assert opened == {"pulse": {PULSE}, "reflection": own, "shared": own, "dispute": {DISPUTED}}, opened
    with stage.app.product.threads.database.read() as tx:
        assert all(tx.execute(select(table)).first() for table in (share, share_reading, dispute))


def kept(app: App, email: str) -> dict[str, set[str]]:
    """What the vault opens to somebody's own account, by kind."""
    product = app.product
    opened: dict[str, set[str]] = {}
    with product.threads.database.read() as tx:
        for row in tx.execute(select(vault_item).where(vault_item.c.person_id == person_id(tx, email))):
            text = product.vault.open(tx, row.id, row.account_id) or ""
            values = reflections.parse(text).values() if row.kind in (reflections.KIND, reflections.SHARED) else [text]
            parts = {part for value in values for part in value.split("\n\n")}  # what is typed twice is kept twice
            opened.setdefault(row.kind, set()).update(parts)
    return opened


def person_id(tx: Tx, email: str) -> UUID:
    found_person = people.by_email(tx, email)
    assert found_person is not None
    return found_person.id


# What goes wrong --------------------------------------------------------------------------------

LOUD = f"it cannot be done: {' '.join(WORDS)}"


Fired = set[str]  # which faults did strike


def _fail(fired: Fired, what: str, *said: object) -> NoReturn:
    fired.add(what)
    raise RuntimeError(f"{said} {LOUD}")


@contextmanager
def _patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@contextmanager
def sealing(_app: App, fired: Fired) -> Iterator[None]:
    """The vault fails, with the words in its error."""
    seal, unseal = storage.vault.vault._encrypt, storage.vault.vault._decrypt

    def broken_seal(cipher: Any, clear: bytes, identity: bytes) -> bytes:
        if identity.startswith(b"item"):
            _fail(fired, "seal", clear)
        return seal(cipher, clear, identity)

    def broken_unseal(cipher: Any, sealed: bytes, identity: bytes) -> bytes:
        clear = unseal(cipher, sealed, identity)
        if identity.startswith(b"item"):
            _fail(fired, "unseal", clear)
        return clear

    with _patched() as patch:
        patch.setattr(storage.vault.vault, "_encrypt", broken_seal)
        patch.setattr(storage.vault.vault, "_decrypt", broken_unseal)
        yield


@contextmanager
def committing(app: App, fired: Fired) -> Iterator[None]:
    """The database refuses to commit whatever changed something private."""
    engine = app.product.threads.database.engine
    private = tuple(f"{verb} {table.fullname}" for table in PRIVATE for verb in ("INSERT INTO", "UPDATE"))

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(private):
            connection.info["private"] = True

    def commit(connection: Any) -> None:
        if connection.info.pop("private", False):
            _fail(fired, "commit")

    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(engine, "after_cursor_execute", note)
        event.remove(engine, "commit", commit)


@contextmanager
def posting(app: App, fired: Fired) -> Iterator[None]:
    """The platform takes no message and no change of one, and the error quotes everything."""

    def refused(*_: object, **__: object) -> NoReturn:
        _fail(fired, "post")

    with _patched() as patch:
        for port in app.ports.values():
            patch.setattr(type(port), "post", refused)
            patch.setattr(type(port), "update", refused)
        yield


@contextmanager
def answering(_app: App, fired: Fired) -> Iterator[None]:
    """All is done, but its answer is lost: the error quotes what was asked and what would have been answered."""
    works = Dispatcher._reply

    async def lost(self: Dispatcher, request: Request) -> Reply:
        _fail(fired, "answer", request, await works(self, request))

    with _patched() as patch:
        patch.setattr(Dispatcher, "_reply", lost)
        yield


@contextmanager
def making(_app: App, fired: Fired) -> Iterator[None]:
    """A file cannot be made, and the error quotes what was to stand in it."""

    def refused(*data: object, **_: object) -> NoReturn:
        _fail(fired, "make", data)

    with _patched() as patch:
        for made in ("certificate_pdf", "packet_pdf", "to_xlsx", "to_csv", "about_zip"):
            patch.setattr(bot.documents.making, made, refused)
        yield


@contextmanager
def digesting(_app: App, fired: Fired) -> Iterator[None]:
    """The coordinator's digest fails: when it is asked for, and when it is due."""

    def refused(*_: object) -> NoReturn:
        _fail(fired, "digest")

    with _patched() as patch:
        patch.setattr(handlers.program_desk.digest, "digest_card", refused)
        yield


@contextmanager
def copying(_app: App, fired: Fired) -> Iterator[None]:
    """The backup breaks off before it is whole. PostgreSQL's is made by its own program."""
    copy = storage.core.backup._copy

    def broken(source: Path, target: Path) -> None:
        copy(source, target)
        _fail(fired, "copy")

    with _patched() as patch:
        patch.setattr(storage.core.backup, "_copy", broken)
        yield


# What is searched -------------------------------------------------------------------------------


async def captured_everywhere(stage: Stage, ear: Ear) -> Captured:
    """All that the product left anywhere, but for what is Dana's own."""
    captured = {**await exported(stage), **await watched(stage)}
    database = stage.app.product.threads.database
    captured |= rows(database)
    if database.sqlite:
        backed_up(stage, "backup")
    else:
        kept = dumped(database) | write_ahead(database)
        assert set(words_in(kept, [stage.email])) >= {"backup by pg_dump"}, "what is no secret is found in it"
        captured |= kept
    ours = {name: data for name, data in files(stage.folder).items() if not _is_platforms(stage, name)}
    return captured | ours | stage.traffic() | ear.captured()


def backed_up(stage: Stage, name: str) -> None:
    """The operator's backup, into a folder of this name."""
    folder = stage.folder / name
    folder.mkdir()
    if stage.app.product.threads.database.sqlite:
        back_up(stage.app.settings, folder / "data.sqlite", folder / "keys.sqlite")


def _is_platforms(stage: Stage, file: str) -> bool:
    return bool(stage.platform_files) and stage.platform_files in file


async def watched(stage: Stage) -> Captured:
    """What the process says to whoever watches it."""
    captured: Captured = {}
    stage.app.health.metrics_token = "a-token-of-a-test"
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer a-token-of-a-test"}) as session:
        for path in ("metrics", "readyz", "healthz"):
            async with session.get(f"{stage.app.address}{path}") as answer:
                assert answer.status == 200
                captured[path] = await answer.read()
    assert b"plc_" in captured["metrics"]
    return captured


Wanted = tuple[UUID, str, str, str]  # who, and which file of what in which format


async def everybodys_files(stage: Stage) -> list[Wanted]:
    """Every export and document that somebody else may have, and Dana's own record and certificate."""
    with stage.app.product.threads.database.read() as tx:
        dana, mentor, coordinator = (person_id(tx, text) for text in (stage.email, stage.mentor, stage.coordinator))
        (cohort,) = (cohort.id for cohort in cohorts.all_cohorts(tx) if mentor in _mentors(tx, cohort.id))
        mine = {id_: tx.scalar(select(account.c.id).where(account.c.person_id == id_)) for id_ in (mentor, coordinator)}
    certificate = await _certified(stage, dana, coordinator)
    wanted: list[Wanted] = [(id_, "person", str(mine[id_]), "zip") for id_ in (mentor, coordinator)]
    for form in FORMS:
        wanted.append((dana, "own", str(dana), form))
        wanted.append((mentor, "cohort", str(cohort), form))
        wanted.append((coordinator, "program", "", form))
    for who in (dana, coordinator):
        wanted += [(who, "packet", str(dana), "pdf"), (who, "certificate", str(certificate), "pdf")]
    return wanted


async def _certified(stage: Stage, who: UUID, by: UUID) -> UUID:
    """The certificate of somebody, issued unless it is already."""
    product = stage.app.product

    def certificate(tx: Tx) -> UUID:
        of_person = certificates.of_person(tx, who)
        name, policy = people.get(tx, who).name, policies.EXAMPLE
        return (of_person[0] if of_person else certificates.issue(product.work(tx), who, name, policy, by)).id

    return await product.threads.write(certificate)


async def exported(stage: Stage) -> Captured:
    captured: Captured = {}
    for who, what, subject, form in await everybodys_files(stage):
        status, data = await asked_for(stage, who, what, subject, form)
        assert status == 200, data
        captured |= unpacked(f"export {what} {form} {str(who)[:4]}", data)
    assert any(name.endswith("as text") and b"Dana" in data for name, data in captured.items()), "PDFs were read"
    return captured


async def own_file(stage: Stage) -> Wanted:
    """Everything about Dana, for herself."""
    with stage.app.product.threads.database.read() as tx:
        dana = person_id(tx, stage.email)
        return dana, "person", str(tx.scalar(select(account.c.id).where(account.c.person_id == dana))), "zip"


async def assert_own_is_hers(stage: Stage) -> None:
    """Everything about her, for herself, has her words: so words in an archive are found."""
    _, data = await asked_for(stage, *await own_file(stage))
    whole = unpacked("own", data)
    assert all(words_in(whole, [text]) for text in (EDITED, TYPED, DISPUTED))


def _mentors(tx: Tx, cohort_id: UUID) -> set[UUID]:
    return {person.id for person in cohorts.members(tx, cohort_id, "mentor")}


async def asked_for(stage: Stage, who: UUID, what: str, subject: str, form: str) -> tuple[int, bytes]:
    """What somebody's browser gets for a link to this file: its status and content."""
    product = stage.app.product
    token = await product.threads.write(lambda tx: downloads.make(product.work(tx), who, what, subject, form))
    async with aiohttp.ClientSession() as session, session.post(f"{stage.app.address}download/{token}") as answer:
        return answer.status, await answer.read()


async def leaks(stage: Stage, ear: Ear) -> list[str]:
    """The places where somebody's words stand that must not hold them, and where the pulse is tied to its person."""
    captured = await captured_everywhere(stage, ear)
    assert any(name.startswith("log of sqlalchemy") for name in captured), "SQL was heard"
    assert len(ear.heard) > 50
    if stage.app.product.threads.database.sqlite:
        assert any(name.endswith("-wal") and data for name, data in captured.items()), "a write-ahead log was searched"
    pulses = {place for number in (CHANGED, PULSE) for place in tied(pulse_places(captured), number, names_of(stage))}
    return sorted({*words_in(captured, WORDS), *pulses})


def pulse_places(captured: Captured) -> Captured:
    """Where a number beside a name would be somebody's pulse: elsewhere numbers mean other things.

    A table is searched cell by cell, every table of every schema.
    """
    places = ("log of plc", "log of bot", "log as", "met", "table ")
    return {name: data for name, data in captured.items() if name.startswith(places)}


def names_of(stage: Stage) -> set[str]:
    """By which Dana, her account and her check-ins are known."""
    with stage.app.product.threads.database.read() as tx:
        dana = person_id(tx, stage.email)
        known = tx.execute(select(account.c.id, account.c.user).where(account.c.person_id == dana)).all()
        items = tx.scalars(select(vault_item.c.checkin_id).where(vault_item.c.person_id == dana)).all()
    ids = [dana, *(row.id for row in known), *(item for item in items if item)]
    return {form for id_ in ids for form in (str(id_), id_.hex)} | {row.user for row in known}


def as_json(name: str, said: object) -> Captured:
    return {name: json.dumps(said, default=str).encode()}
