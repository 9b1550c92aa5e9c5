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

import storage.vault
from bot.app import App
from bot.dispatch import Dispatcher
from bot.restoring import back_up
from handlers.requests import Reply, Request
from storage import cohorts, downloads, people, reflections
from storage.database import Tx
from storage.tables import account, dispute, share, share_reading, vault_item
from tests.canary.hunt import Ear, Haul, files, found, rows, tied, unpacked

FORM = "canary-Zeisig-form-7731"
TYPED = "canary-Girlitz-typed-1277"
EDITED = "canary-Stieglitz-edited-4410"
DISPUTED = "canary-Rohrammer-disputed-9052"
WORDS = (FORM, TYPED, EDITED, DISPUTED)
PULSE = "4"
REFLECTION = (FORM, TYPED, EDITED)

PRIVATE = (vault_item, share, share_reading, dispute)
FORMS = ("xlsx", "standings.csv", "record.csv")


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

    def traffic(self) -> Haul:
        """Everything the platform carried or keeps, but for Dana's own words to and from herself, and the two
        dialogs in which the mentor and the coordinator read."""


Step = Callable[[], Awaitable[Any]]


def steps(stage: Stage) -> list[Step]:
    return [
        lambda: stage.taps(PULSE),
        lambda: stage.writes(FORM),
        lambda: stage.types(TYPED),
        lambda: stage.edits(EDITED),
        stage.shares,
        stage.mentor_reads,
        lambda: stage.disputes(DISPUTED),
        stage.coordinator_reads,
    ]


async def walk(stage: Stage) -> None:
    """Every way in, once, and everybody sees what they should."""
    await stage.taps(PULSE)
    await stage.writes(FORM)
    await stage.types(TYPED)
    assert kept(stage.app, stage.email) == {"pulse": {PULSE}, "reflection": {FORM, TYPED}}
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
    for step in steps(stage):
        for fault in (sealing, committing, posting, answering):
            # What people see of a failure is another test's; here it only must not leak.
            with fault(stage.app, fired), suppress(AssertionError, LookupError, StopIteration, ValueError):
                await step()
            await stage.later()
        with suppress(AssertionError, LookupError, StopIteration, ValueError):  # its answer alone had failed
            await step()
    assert fired == {"seal", "unseal", "commit", "post", "answer"}
    await stage.looks_around()
    assert_all_happened(stage)
    await assert_own_is_hers(stage)


def assert_all_happened(stage: Stage) -> None:
    """The words are there, in the vault, and were shared, read and disputed: else nothing could have leaked."""
    opened = kept(stage.app, stage.email)
    assert opened == {"pulse": {PULSE}, "reflection": {EDITED, TYPED}, "dispute": {DISPUTED}}, opened
    with stage.app.product.threads.database.read() as tx:
        assert all(tx.execute(select(one)).first() for one in (share, share_reading, dispute))


def kept(app: App, email: str) -> dict[str, set[str]]:
    """What the vault opens to somebody's own account, by kind."""
    product = app.product
    opened: dict[str, set[str]] = {}
    with product.threads.database.read() as tx:
        for row in tx.execute(select(vault_item).where(vault_item.c.person_id == person_id(tx, email))):
            text = product.vault.open(tx, row.id, row.account_id) or ""
            values = reflections.parse(text).values() if row.kind == reflections.KIND else [text]
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
    seal, unseal = storage.vault._encrypt, storage.vault._decrypt

    def broken_seal(cipher: Any, clear: bytes, identity: bytes) -> bytes:
        if identity.startswith(b"item:"):
            _fail(fired, "seal", clear)
        return seal(cipher, clear, identity)

    def broken_unseal(cipher: Any, sealed: bytes, identity: bytes) -> bytes:
        clear = unseal(cipher, sealed, identity)
        if identity.startswith(b"item:"):
            _fail(fired, "unseal", clear)
        return clear

    with _patched() as patch:
        patch.setattr(storage.vault, "_encrypt", broken_seal)
        patch.setattr(storage.vault, "_decrypt", broken_unseal)
        yield


@contextmanager
def committing(app: App, fired: Fired) -> Iterator[None]:
    """The database refuses to commit whatever changed something private."""
    engine = app.product.threads.database.engine
    private = tuple(f"{verb} {one.fullname}" for one in PRIVATE for verb in ("INSERT INTO", "UPDATE"))

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


# What is searched -------------------------------------------------------------------------------


async def hauled(stage: Stage, ear: Ear) -> Haul:
    """All that the product left anywhere, but for what is Dana's own."""
    haul = {**await exported(stage), **await watched(stage)}
    haul |= rows(stage.app.product.threads.database)
    if stage.app.product.threads.database.sqlite:
        backup = stage.folder / "backup"
        backup.mkdir()
        back_up(stage.app.settings, backup / "data.sqlite", backup / "keys.sqlite")
    ours = {name: data for name, data in files(stage.folder).items() if not _is_platforms(stage, name)}
    return haul | ours | stage.traffic() | ear.haul()


def _is_platforms(stage: Stage, file: str) -> bool:
    return bool(stage.platform_files) and stage.platform_files in file


async def watched(stage: Stage) -> Haul:
    """What the process says to whoever watches it."""
    haul: Haul = {}
    async with aiohttp.ClientSession() as session:
        for path in ("metrics", "readyz", "healthz"):
            async with session.get(f"{stage.app.address}{path}") as answer:
                assert answer.status == 200
                haul[path] = await answer.read()
    assert b"plc_" in haul["metrics"]
    return haul


async def exported(stage: Stage) -> Haul:
    """Every export that somebody else may have, and Dana's own record."""
    wanted: list[tuple[str, str, str, str]] = []
    with stage.app.product.threads.database.read() as tx:
        dana, mentor, coordinator = (person_id(tx, one) for one in (stage.email, stage.mentor, stage.coordinator))
        (cohort,) = (one.id for one in cohorts.all_cohorts(tx) if mentor in _mentors(tx, one.id))
        accounts = {one: tx.scalar(select(account.c.id).where(account.c.person_id == one)) for one in
                    (dana, mentor, coordinator)}  # fmt: skip
    for form in FORMS:
        wanted.append((str(dana), "own", str(dana), form))
        wanted.append((str(mentor), "cohort", str(cohort), form))
        wanted.append((str(coordinator), "program", "", form))
    wanted += [(str(one), "person", str(accounts[one]), "zip") for one in (mentor, coordinator)]
    haul: Haul = {}
    for who, what, subject, form in wanted:
        haul |= unpacked(f"export {what} {form} {who[:4]}", await _downloaded(stage, UUID(who), what, subject, form))
    return haul


async def assert_own_is_hers(stage: Stage) -> None:
    """Everything about her, for herself, has her words: so words in an archive are found."""
    with stage.app.product.threads.database.read() as tx:
        dana = person_id(tx, stage.email)
        own = tx.scalar(select(account.c.id).where(account.c.person_id == dana))
    whole = unpacked("own", await _downloaded(stage, dana, "person", str(own), "zip"))
    assert all(found(whole, [one]) for one in (EDITED, TYPED, DISPUTED))


def _mentors(tx: Tx, cohort_id: UUID) -> set[UUID]:
    return {one.id for one in cohorts.members(tx, cohort_id, "mentor")}


async def _downloaded(stage: Stage, who: UUID, what: str, subject: str, form: str) -> bytes:
    product = stage.app.product
    token = await product.threads.write(lambda tx: downloads.make(product.work(tx), who, what, subject, form))
    async with aiohttp.ClientSession() as session, session.post(f"{stage.app.address}download/{token}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def leaks(stage: Stage, ear: Ear) -> list[str]:
    """The places where somebody's words stand that must not hold them, and where the pulse is tied to its person."""
    haul = await hauled(stage, ear)
    assert any(name.startswith("log of sqlalchemy") for name in haul), "SQL was heard"
    assert len(ear.heard) > 50
    if stage.app.product.threads.database.sqlite:
        assert any(name.endswith("-wal") and data for name, data in haul.items()), "a write-ahead log was searched"
    return sorted({*found(haul, WORDS), *tied(pulse_places(haul), PULSE, names_of(stage))})


def pulse_places(haul: Haul) -> Haul:
    """Where a number beside a name would be somebody's pulse: elsewhere numbers mean other things."""
    return {name: data for name, data in haul.items() if name.startswith(("log of plc", "log of bot", "log as", "met"))}


def names_of(stage: Stage) -> set[str]:
    """By which Dana, her account and her check-ins are known."""
    with stage.app.product.threads.database.read() as tx:
        dana = person_id(tx, stage.email)
        known = tx.execute(select(account.c.id, account.c.user).where(account.c.person_id == dana)).all()
        items = tx.scalars(select(vault_item.c.checkin_id).where(vault_item.c.person_id == dana)).all()
    ids = [dana, *(row.id for row in known), *(one for one in items if one)]
    return {form for one in ids for form in (str(one), one.hex)} | {row.user for row in known}


def as_json(name: str, said: object) -> Haul:
    return {name: json.dumps(said, default=str).encode()}
