"""Others see the same whether a mentee answered, declined, paused or did nothing, also while the platform fails."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.documents.making import Maker
from bot.documents.wording import Wording
from bot.runtime.logs import Formatter
from bot.runtime.port import Address, Outgoing, Permanent, Sent, Temporary
from handlers.features import router
from program.program_desk.reporting import act_in_log
from storage.checkins import consent
from storage.core.database import Database, Tx
from storage.outbox import moments, undelivered
from storage.outbox.kinds import REPORTED
from storage.people import account_links, cohorts
from storage.program_desk import exports
from storage.record import verification
from tests.handlers.test_story import linked, scheduled
from tests.world import Person, Posted, World, said

EVERYBODY = (
    ("Ruth Ellison", "ruth@example.org"),
    ("Dana Reyes", "dana@example.org"),
    ("Lee Okafor", "lee@example.org"),
    ("Carol Dietz", "carol@example.org"),
)
OPENED = datetime(2026, 9, 11, 12, 0, tzinfo=UTC)  # by now the check-ins are there
COMMANDS = (
    "digest",
    "progress",
    "people",
    "person Dana",
    "person Dana Reyes",
    "figures",
    "cohort",
    "meetings",
    "next",
    "certificates",
    "attendance",
    "summary",
    "export",
    "policy",
    "help",
)
PRIVATE_KINDS = {
    "checkin",
    "checkin.nudge",
    "checkin.reach",
    "dispute",
    "dispute.own",
    "forgotten",
    "identity.offer",
    "keys.lost",
    "share",
}
TOKEN = re.compile(r"download/[\w-]+|(?:seal|operator): [\w-]+")


async def nothing(_dana: Person) -> None:
    """She does nothing."""


async def answers(dana: Person) -> None:
    await dana.presses(newest(dana), "4")
    await dana.keeps("words of hers")


async def hesitates(dana: Person) -> None:
    """She types words, and never says whether to keep them."""
    await dana.types("words of hers")


async def declines(dana: Person) -> None:
    with dana.world.database.write() as tx:
        consent.decide(dana.world.work(tx), dana.id, None, consent.DECLINED)
    assert "declined" in said(await dana.sends("checkin"))


async def pauses(dana: Person) -> None:
    assert "No check-ins until" in said(await dana.sends("snooze until 2026-12-01"))


async def stops(dana: Person) -> None:
    await dana.sends("checkins off")


def newest(dana: Person) -> Posted:
    return next(message for message in reversed(dana.world.to(dana)) if "How are things" in message.text)


Act = Callable[[Person], Awaitable[None]]


@contextmanager
def logged() -> Iterator[list[str]]:
    """Every line that the product's loggers write meanwhile, without its time."""
    lines: list[str] = []
    formatter = Formatter("text")

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.partition(".")[0] in ("plc", "bot"):
                lines.append(formatter.format(record).partition(" ")[2])

    ear, root = Ear(logging.DEBUG), logging.getLogger("plc")
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(ear)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(level)


FAILURES: dict[str, Callable[[], Exception] | None] = {
    "works": None,
    "refuses": lambda: Permanent("the account is closed"),
    "is away": lambda: Temporary("the platform is away"),
}


class FailingFor:
    """The paper port, which from a time on fails for everybody, and notes what it delivered to others and when."""

    def __init__(self, world: World, dana: Person) -> None:
        self.failure: Callable[[], Exception] | None = None
        self.delivered: list[tuple[datetime, str, str]] = []
        post = world.port.post

        async def posting(to: Address, message: Outgoing) -> Sent:
            if self.failure is not None:
                raise self.failure()
            sent = await post(to, message)
            if sent.conversation != f"D-{dana.user}":
                text = TOKEN.sub("", world.port.messages[int(sent.message)].text)
                self.delivered.append((world.clock.now(), sent.conversation, text))
            return sent

        setattr(world.port, "post", posting)  # noqa: B010 -- a method of one object, replaced for a test


async def seen_by_others(database: Database, act: Act, failure: Callable[[], Exception] | None) -> dict[str, Any]:
    """Everything that anybody but Dana gets to see after her act, a reminder and the week's digest."""
    world = World(database)
    world.prepare()
    world.import_roster()
    everybody = {name: world.matched(name, email) for name, email in EVERYBODY}
    dana = everybody["Dana Reyes"]
    others = {name: person for name, person in everybody.items() if person is not dana}
    failing = FailingFor(world, dana)
    with logged() as lines:
        await linked(world, others["Ruth Ellison"])
        await scheduled(world, others["Ruth Ellison"])
        await world.go_to(OPENED)
        before = len(lines)
        await act(dana)
        failing.failure = failure
        for _ in range(26):  # the loops look at least every hour, as a process does; typed words expire on full hours
            await world.pass_time(hours=1)
        waiting = []
        for day in range(2, 8):  # reminders of check-ins come in these days, and wait while the platform is away
            await world.go_to(OPENED + timedelta(days=day))
            waiting.append(_depth(world))
        failing.failure = None
        await world.pass_time(days=12)
        log = [re.sub(r"\bid=\S+|subject=\S+", "", line) for line in lines[before:]]
    assert not any("@" in line for line in lines), "no address is logged"
    seen: dict[str, Any] = {"log": sorted(log), "delivered": sorted(failing.delivered), "waiting": waiting}
    metrics = world.product.metrics.render(_depth(world)).decode()
    seen["metrics"] = [line for line in metrics.splitlines() if not re.search("_created|plc_handler|plc_ackn", line)]
    for name, person in others.items():
        for command in COMMANDS:
            seen[f"{name}: {command}"] = TOKEN.sub("", said(await person.sends(command)))
        seen[f"{name}: home"] = TOKEN.sub("", said(await person.opens_home()))
    for button in ("overview.help", "overview.page"):
        args = ("", "", "", "0") if button == "overview.page" else ()
        seen[button] = said(await others["Carol Dietz"].does_press(button, *args))
    seen["record"] = said(await others["Carol Dietz"].does_press("records.open", str(dana.id)))
    with database.read() as tx:
        ozarks = cohorts.by_name(tx, "Ozarks")
        assert ozarks
        for what, subject in (("program", ""), ("cohort", str(ozarks.id))):
            sheets = exports.sheets(tx, what, subject, world.clock.now())
            seen[f"export of the {what}"] = [(sheet.columns, sheet.rows) for sheet in sheets]
        seen["packet"] = packet(world, tx, dana.id)
        seen["ledger verify"] = verification.verify(tx, world.product.chain_key)
        seen["people list"] = [person.name for person in account_links.unmatched_people(tx)]
        seen["failures"] = [
            (delivery.kind, delivery.state, delivery.recipient) for delivery in undelivered.undelivered(tx, OPENED)
        ]
    world.close()
    return seen


def packet(world: World, tx: Tx, person_id: UUID) -> str:
    """What a record's PDF is made of, without the codes that differ from run to run."""
    make = Maker(Wording(), "", world.vault).prepare(tx, "packet", str(person_id), "pdf", world.clock.now())
    data = inspect.getclosurevars(make).nonlocals["data"]
    return TOKEN.sub("", re.sub(r"[0-9a-f]{16,64}", "", repr(data)))


def _depth(world: World) -> dict[tuple[str, str], int]:
    with world.database.read() as tx:
        return undelivered.depth(tx)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes one new database after another."""
    made: list[Database] = []

    def make() -> Database:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / f'{len(made)}.sqlite'}"
        else:
            url = request.getfixturevalue("postgres_server").migrated_database()
        made.append(Database(url))
        return made[-1]

    yield make
    for database in made:
        database.close()
        if request.param == "postgresql":
            request.getfixturevalue("postgres_server").drop(database.url.render_as_string(hide_password=False))


@pytest.mark.long  # each goes through three weeks of a program six times
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_nobody_else_can_tell_what_one_mentee_did(
    fresh: Callable[[], Database], failure: Callable[[], Exception] | None
) -> None:
    silent = await seen_by_others(fresh(), nothing, failure)
    assert any("Weekly digest" in text for _, _, text in silent["delivered"])
    if failure is FAILURES["refuses"]:
        assert {kind for kind, _, _ in silent["failures"]} >= {"digest", "meeting.reminder"}, "these are told of"
    for act in (answers, hesitates, declines, pauses, stops):
        other = await seen_by_others(fresh(), act, failure)
        assert other.keys() == silent.keys()
        differing = {name: (silent[name], other[name]) for name in silent if silent[name] != other[name]}
        assert differing == {}, f"{act.__name__} is seen in {sorted(differing)}"


async def test_a_reminder_that_is_told_of_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPORTED, "checkin.nudge", "a message")
    refuses = FAILURES["refuses"]
    silent, answered = [
        await seen_by_others(Database(f"sqlite:///{tmp_path / act.__name__}.sqlite"), act, refuses)
        for act in (nothing, answers)
    ]
    differing = {name for name in silent if silent[name] != answered[name]}
    assert differing >= {"log", "metrics", "delivered", "failures"}


def test_every_kind_of_delivery_is_reported_or_private() -> None:
    assert set(router.builders) - set(REPORTED) == PRIVATE_KINDS
    assert set(REPORTED) - set(router.builders) == {"visit"}
    assert set(moments.PRIVATE) == {moment for moment in router.moments if moment.startswith("checkins.")}


@pytest.mark.parametrize("name", ["checkins.pulse", "consent.agree", "reflections.shared", "disputes.open"])
def test_the_log_does_not_name_what_only_takes_part(name: str) -> None:
    assert act_in_log(name) == "private"
    assert act_in_log("meetings.create") == "meetings.create"
