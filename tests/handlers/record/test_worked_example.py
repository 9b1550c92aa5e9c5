"""docs/worked-example.md, done: every line that it quotes is what the bot says at that step, in that order.

A heading of the document is a step here. In it a line that begins with "> " is a quotation, and a ``/plc …``
in backquotes is a command that somebody sends.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from handlers.core.forms import ChoiceField, Form
from handlers.core.requests import Reply
from program.core.times import to_utc
from storage.core.database import Database
from storage.record import ledger, standings, verification
from tests.world import Person, Posted, World, said

PAGE = Path(__file__).parents[3] / "docs" / "worked-example.md"
MISSOURI = "America/Chicago"
OZARKS, GATEWAY = "ozarks", "gateway"

Step = Callable[["Telling"], Awaitable[None]]
STEPS: dict[str, Step] = {}


def step(title: str) -> Callable[[Step], Step]:
    """A step of the document, by its heading."""

    def register(function: Step) -> Step:
        STEPS[title] = function
        return function

    return register


class Telling:
    """The example's people, and everything that was said to them since the step began."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana = world.matched("Dana Reyes", "dana@example.org")
        self.ruth = world.matched("Ruth Ellison", "ruth@example.org")
        self.tom = world.matched("Tom Becker", "tom@example.org")
        self.carol = world.matched("Carol Dietz", "carol@example.org")
        self.heard: list[str] = []
        self.sent: list[str] = []
        self._known: dict[str, int] = {}

    def begins(self) -> None:
        self.heard.clear()
        self.sent.clear()

    def _listen(self, *said_now: str) -> None:
        """Keep what was said now: the answer, then every message that came or changed."""
        self.heard += said_now
        for message in self.world.port.messages:
            if self._known.get(message.id) != message.updates:
                self._known[message.id] = message.updates
                self.heard.append(message.text)

    # Acting ---------------------------------------------------------------------------------------

    async def at(self, month: int, day: int, year: int, hour: int = 9, minute: int = 0) -> None:
        await self.world.go_to(to_utc(datetime(year, month, day, hour, minute), MISSOURI))
        self._listen()

    async def sends(self, who: Person, words: str, channel: str | None = None) -> Reply:
        self.sent.append(words)
        reply = await who.sends(words, channel)
        self._listen(said(reply))
        return reply

    async def presses(self, who: Person, where: Posted | Reply, label: str, channel: str | None = None) -> Reply:
        reply = await who.presses(where, label, channel)
        self._listen(said(reply))
        return reply

    async def fills(self, who: Person, form: Form | None, channel: str | None = None, **values: str) -> Reply:
        reply = await who.fills(form, channel, **values)
        self._listen(said(reply))
        return reply

    def message(self, who: Person, words: str) -> Posted:
        """The newest message to somebody that says this."""
        return next(message for message in reversed(self.world.to(who)) if words in message.text)

    # Scenes that come back --------------------------------------------------------------------------

    async def schedules(self, mentor: Person, channel: str, first: str, until: str, topic: str) -> None:
        """A series on the second Thursday of each month, at 15:30."""
        form = (await self.sends(mentor, "meeting new", channel)).form
        filled = {"topic": topic, "day": first, "at": "15:30", "minutes": "60", "repeat": "monthly_weekday"}
        preview = await self.fills(mentor, form, channel, **filled, until=until)
        await self.fills(mentor, preview.form, channel)

    async def meets(self, month: int, day: int, year: int, *, channel: str, mentor: Person) -> None:
        """A meeting to which Dana comes and taps; the mentor says that everyone came."""
        await self.at(month, day, year, 15, 20)
        card = next(message for message in reversed(self.world.in_channel(channel)) if "I'm here" in message.text)
        await self.presses(self.dana, card, "I'm here", channel)
        await self.at(month, day, year, 16, 30)
        await self.presses(mentor, self.message(mentor, "Who came?"), "Everyone came")

    async def misses(self, month: int, day: int, year: int, status: str) -> None:
        """A meeting of Ozarks at which Ruth records everybody else as present."""
        await self.at(month, day, year, 16, 30)
        form = (await self.presses(self.ruth, self.message(self.ruth, "Who came?"), "Person by person")).form
        assert form is not None
        marks = {
            field.id: status if field.label == "Dana Reyes" else "present"
            for field in form.fields
            if isinstance(field, ChoiceField) and field.id.startswith("p-")
        }
        await self.fills(self.ruth, form, **marks)

    async def contact(self, mentor: Person, day: str, mode: str) -> None:
        """A one-to-one contact, logged by Dana and verified by her mentor."""
        form = (await self.sends(self.dana, "log")).form
        await self.fills(self.dana, form, type="contact", day=day, minutes="30", mode=mode)
        await self.presses(mentor, self.message(mentor, "An activity to verify"), "Verify")


def first_option(form: Form | None) -> str:
    assert form is not None
    field = form.fields[0]
    assert isinstance(field, ChoiceField)
    return field.options[0].value


# The steps ----------------------------------------------------------------------------------------


@step("September 2026: where Dana begins")
async def begins(told: Telling) -> None:
    await told.sends(told.dana, "policy")
    await told.sends(told.dana, "progress")


@step("The first meeting")
async def first_meeting(told: Telling) -> None:
    for mentor, channel in ((told.ruth, OZARKS), (told.tom, GATEWAY)):
        told.world.port.channels[channel] = [mentor.user]
        await mentor.sends("cohort link", channel)
    await told.schedules(told.ruth, OZARKS, "2026-09-10", "2027-05-31", "Our first year")
    await told.meets(9, 10, 2026, channel=OZARKS, mentor=told.ruth)
    await told.sends(told.dana, "progress")


@step("A conversation that counts")
async def a_contact(told: Telling) -> None:
    await told.at(9, 22, 2026)
    await told.contact(told.ruth, "2026-09-21", "phone")
    await told.sends(told.dana, "progress")


@step("A missed meeting")
async def a_missed_meeting(told: Telling) -> None:
    await told.misses(10, 8, 2026, "excused")
    await told.sends(told.dana, "progress")


@step("The make-up")
async def the_make_up(told: Telling) -> None:
    await told.at(10, 21, 2026)
    form = (await told.sends(told.dana, "makeup")).form
    filled = {"meeting": first_option(form), "type": "observation", "day": "2026-10-20", "minutes": "60"}
    await told.fills(told.dana, form, **filled)
    await told.presses(told.ruth, told.message(told.ruth, "make-up to approve"), "Approve")
    await told.sends(told.dana, "progress")


@step("A record that is wrong")
async def a_dispute(told: Telling) -> None:
    await told.misses(11, 12, 2026, "absent")
    await told.sends(told.dana, "progress")
    form = (await told.sends(told.dana, "dispute")).form
    text = "I sat by the door and forgot to tap."
    await told.fills(told.dana, form, record=first_option(form), readers="mentor", text=text)
    asked = told.message(told.ruth, "A record is disputed")
    assert text not in asked.text
    await told.presses(told.ruth, asked, "Read it")
    form = (await told.presses(told.ruth, asked, "Correct it")).form
    assert form is not None
    mine = next(field.id for field in form.fields if field.label == "Dana Reyes")
    await told.fills(told.ruth, form, **{mine: "present", "reason": "mentee_asked"})
    await told.sends(told.dana, "progress")


@step("A leave of absence")
async def a_leave(told: Telling) -> None:
    await told.meets(12, 10, 2026, channel=OZARKS, mentor=told.ruth)
    await told.meets(1, 14, 2027, channel=OZARKS, mentor=told.ruth)
    await told.at(1, 20, 2027)
    form = (await told.sends(told.dana, "leave")).form
    await told.fills(told.dana, form, starts="2027-02-01", ends="2027-03-10", reason="family")
    await told.presses(told.carol, told.message(told.carol, "A leave request"), "Approve")
    await told.misses(2, 11, 2027, "excused")
    before = len(told.world.to(told.dana))
    await told.sends(told.dana, "progress")
    await told.at(3, 10, 2027)
    assert not any("How are things going" in message.text for message in told.world.to(told.dana)[before:])


@step("The first year is full")
async def the_first_year(told: Telling) -> None:
    for month, day in ((3, 11), (4, 8), (5, 13)):
        await told.meets(month, day, 2027, channel=OZARKS, mentor=told.ruth)
    await told.at(5, 20, 2027)
    await told.contact(told.ruth, "2027-05-19", "in_person")
    await told.sends(told.dana, "progress")


@step("The second year, and a transfer")
async def a_transfer(told: Telling) -> None:
    await told.at(8, 30, 2027)
    await told.schedules(told.ruth, OZARKS, "2027-09-09", "2028-05-31", "Our second year")
    await told.schedules(told.tom, GATEWAY, "2027-09-09", "2028-05-31", "Gateway's year")
    for month, day in ((9, 9), (10, 14), (11, 11), (12, 9)):
        await told.meets(month, day, 2027, channel=OZARKS, mentor=told.ruth)
    await told.at(12, 10, 2027)
    await told.contact(told.ruth, "2027-12-10", "video")
    await told.at(1, 5, 2028)
    card = await told.sends(told.carol, "person Dana Reyes")
    form = (await told.presses(told.carol, card, "Transfer")).form
    assert form is not None
    field = form.fields[0]
    assert isinstance(field, ChoiceField)
    to = next(option.value for option in field.options if option.label == "Gateway")
    await told.fills(told.carol, form, cohort=to, day="2028-01-05", reason="moved")
    await told.sends(told.dana, "progress")


@step("The last meetings")
async def the_last_meetings(told: Telling) -> None:
    for month, day in ((1, 13), (2, 10), (3, 9)):
        await told.meets(month, day, 2028, channel=GATEWAY, mentor=told.tom)
    await told.at(3, 20, 2028)
    await told.contact(told.tom, "2028-03-20", "in_person")
    await told.sends(told.dana, "progress")
    await told.meets(4, 13, 2028, channel=GATEWAY, mentor=told.tom)
    await told.sends(told.dana, "progress")


@step("What the record holds")
async def the_record(told: Telling) -> None:
    await told.sends(told.carol, "person Dana Reyes")
    await told.sends(told.carol, "progress")


@step("The certificate")
async def the_certificate(told: Telling) -> None:
    asked = told.message(told.carol, "Dana Reyes has completed the program")
    told.heard.append(asked.text)
    await told.presses(told.carol, asked, "Approve and issue")
    await told.sends(told.dana, "certificate")


# The document -------------------------------------------------------------------------------------


def chapters() -> dict[str, str]:
    """The document's parts by heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def quotations(text: str) -> list[str]:
    return [line[2:].strip() for line in text.splitlines() if line.startswith("> ") and line[2:].strip()]


def commands(text: str) -> set[str]:
    return set(re.findall(r"`/plc ([^`]+)`", text))


def in_order(quoted: list[str], heard: list[str]) -> str:
    """The first quotation that was not said, or not after the one before it; empty: all were said."""
    spoken = "\n".join(heard)
    place = 0
    for text in quoted:
        number = spoken.find(text, place)
        if number < 0:
            return text
        place = number + len(text)
    return ""


@pytest.fixture
async def told(sqlite: Database) -> AsyncIterator[Telling]:
    world = World(sqlite)
    world.prepare()
    world.import_roster()
    yield Telling(world)
    world.close()


@pytest.mark.long  # it goes through both years
async def test_the_document_says_what_the_bot_says(told: Telling) -> None:
    text = chapters()
    assert [title for title in text if title in STEPS] == list(STEPS)
    for title, play in STEPS.items():
        told.begins()
        await play(told)
        quoted = quotations(text[title])
        assert quoted, f"{title}: nothing is quoted"
        assert in_order(quoted, told.heard) == "", title
        assert commands(text[title]) == set(told.sent), title

    with told.world.database.read() as tx:
        (mine,) = standings.of_people(tx, [told.dana.id], told.world.clock.at)
        verdict = verification.verify(tx, told.world.product.chain_key, ledger.head_of(tx, told.dana.id))
    assert mine.standing.state == "complete"
    assert verdict.problems == []


def test_nothing_is_quoted_that_no_step_says() -> None:
    for title, text in chapters().items():
        assert title in STEPS or not quotations(text), title


def test_a_quotation_out_of_order_is_found() -> None:
    assert in_order(["b", "c"], ["a b", "c"]) == ""
    assert in_order(["c", "b"], ["a b", "c"]) == "b"
    assert in_order(["d"], ["a b"]) == "d"
