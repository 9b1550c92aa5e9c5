"""Every card and form of the product as Slack takes it: sixty people, the longest names, hostile words."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from handlers.features import router
from handlers.privacy.forgetting import forget_by_operator
from storage.core.database import Tx
from storage.meetings import attendance, meetings
from storage.outbox.outbox_tables import delivery
from storage.people import account_links, people
from tests.fakes.slack import BOT_USER, TEAM, Json
from tests.slack.story import Story
from tests.specimens import HOSTILE

PRINTABLE = "".join(letter for letter in HOSTILE if letter.isprintable())  # a roster takes nothing else
OPENS = datetime(2026, 9, 10, 20, 15, tzinfo=UTC)
ENDS = datetime(2026, 9, 10, 21, 30, tzinfo=UTC)
HOME = "C00LONG"
SIXTY = 60


def long_name(number: int) -> str:
    """200 characters, the most that a roster takes."""
    return f"{number:02} {PRINTABLE} Wolfeschlegelsteinhausenbergerdorff".ljust(200, "x")[:200]


COHORT = f"Cohort {PRINTABLE}".ljust(200, "y")[:200]


def roster() -> str:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["cohort", "region", "role", "name", "e-mail", "program start"])
    lines.writerow([COHORT, PRINTABLE[:200], "mentor", "Ruth Ellison", "ruth@example.org", ""])
    lines.writerow([COHORT, PRINTABLE[:200], "mentee", "Dana Reyes", "dana@example.org", "2026-07-01"])
    for number in range(SIXTY):
        address = f"{'a' * 60}{number}@{'b' * 100}.example"
        lines.writerow([COHORT, PRINTABLE[:200], "mentee", long_name(number), address, "2026-07-01"])
    return text.getvalue()


@pytest.fixture(autouse=True)
def _nothing_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The bot logs what Slack refuses, a card with a wrong block among it."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.messages == []


# Told in test_requirement_story.py and tests/documents, where their senders are. One meeting that is cancelled alone
# is told in test_story.py; here several are, in one message.
OF_THE_RECORD = {
    kind
    for kind, builder in router.builders.items()
    if builder.__module__.rpartition(".")[2]
    in ("activities", "deciding", "leave_decisions", "leave_return", "disputes", "changed_notice", "completion")
    or kind.startswith("attendance.differs")
}

# What follows from somebody outside of the chat, or from a match of somebody who wrote before it.
OF_THE_OPERATOR = {
    "identity.gone",
    "identity.kept",
    "identity.offer",
    "identity.replaced",
    "identity.replacing",
    "identity.untold",
    "integrity",
    "keys.lost",
}


async def test_every_message_and_form_of_a_cohort_of_sixty_is_taken_by_slack(story: Story) -> None:
    await a_cohort_of_sixty(story)
    await words_that_hurt(story)
    await sixty_answers(story)
    await the_ledger_of_sixty(story)
    await the_rest_of_the_commands(story)

    assert await story.undelivered() == []
    assert set(router.builders) - built(story) == {"hello", "meeting.cancelled", *OF_THE_RECORD, *OF_THE_OPERATOR}, (
        "every other message was sent"
    )
    everything = [story.fake.calls, story.fake.notices]
    assert f"{SIXTY - 1} <script>" in json.dumps(everything)
    for words in marked_up(everything):
        assert not any(forged in words for forged in ("<!channel>", "<@U0HOSTILE>", "<script>"))


def built(story: Story) -> set[str]:
    with story.app.product.threads.database.read() as tx:
        return set(tx.scalars(select(delivery.c.kind).where(delivery.c.state == "sent")))


def marked_up(part: Any) -> Iterator[str]:
    """Every text in which Slack would read markup: fallbacks and mrkdwn objects."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn" or ("blocks" in part and isinstance(part.get("text"), str)):
            yield str(part["text"])
        for value in part.values():
            yield from marked_up(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from marked_up(value)


async def a_cohort_of_sixty(story: Story) -> None:
    story.imports(roster())
    for number in range(SIXTY):  # accounts that no address gives away, for the form that matches them
        story.fake.add_user(f"U1{number:05}", f"{long_name(number)} {PRINTABLE}", f"{number}@elsewhere.example")
    members = (story.ruth.user, story.dana.user, story.carol.user, *(f"U1{number:05}" for number in range(SIXTY)))
    story.fake.add_channel(HOME, "plc-" + "z" * 76, members)
    for neighbor in (story.carol, story.ruth):
        await neighbor.types("hello")
        await neighbor.taps_in_chat("Yes, that's me")
    await story.ruth.sends("cohort link", HOME)
    await story.dana.taps_in_chat("Yes, that's me")
    assert "I couldn't match 60 people on the roster:" in story.ruth.last()
    assert story.ruth.reads(HOME)[0].startswith("# Hello, Cohort <script>")
    listed = await story.carol.sends("people")
    assert "more" in listed
    assert "[Match someone]" in listed
    await story.carol.taps_notice("Match someone")
    form = story.fake.top_view(story.carol.user)
    assert [len(block["element"]["options"]) for block in form["blocks"] if block["type"] == "input"] == [60, 60]
    await story.app.product.threads.write(lambda tx: all_confirmed(story, tx))
    await story.all_agree()


def all_confirmed(story: Story, tx: Tx) -> None:
    work = story.app.product.work(tx)
    for number, person in enumerate(account_links.unmatched_people(tx)):
        user = f"U1{number:05}"
        account = account_links.remember(
            work, "slack", TEAM, user, name=person.name, email="", member=True, active=True
        )
        account_links.confirm(work, account.id, person.id, None)


async def words_that_hurt(story: Story) -> None:
    ruth = story.ruth
    await ruth.sends("breaks", HOME)
    await ruth.taps_notice("Add a break", HOME)
    await ruth.fills(label=PRINTABLE[:100], starts="2026-09-17", ends="2026-09-17")
    await ruth.fills()
    assert PRINTABLE[:100] in await ruth.sends("breaks", HOME)
    await ruth.sends("meeting new", HOME)
    preview = await ruth.fills(
        topic=PRINTABLE.ljust(200, "t")[:200],
        day="2026-09-10",
        place=PRINTABLE.ljust(500, "p")[:500],
        repeat="weekly",
        until="2027-05-27",
    )
    assert PRINTABLE[:60] in preview
    await ruth.fills()
    announced = ruth.reads(HOME)[-1]
    assert announced.startswith("# PLC meeting: <script>alert(1)</script> <!channel> <@U0HOSTILE> *bold* _x_")
    assert "and 24 more" in announced


async def sixty_answers(story: Story) -> None:
    def answer(tx: Tx) -> None:
        work = story.app.product.work(tx)
        first = meetings.between(tx, work.now, ENDS, None)[0]
        for number, expected in enumerate(meetings.expected(tx, first)):
            meetings.answer(work, first.id, expected.id, coming=number % 2 == 0)

    await story.app.product.threads.write(answer)
    await story.dana.taps_in(HOME, "Coming")
    assert "Coming (3" in story.dana.reads(HOME)[-1]
    assert "Can't (3" in story.dana.reads(HOME)[-1]
    await story.go_to(OPENS)


async def the_ledger_of_sixty(story: Story) -> None:
    def tap(tx: Tx) -> None:
        work = story.app.product.work(tx)
        first = meetings.between(tx, work.now, ENDS, None)[0]
        for expected in meetings.expected(tx, first)[:40]:
            if expected.name != "Dana Reyes":
                attendance.add(work, first, expected.id, "tapped", "present", expected.id)

    await story.app.product.threads.write(tap)
    await story.dana.taps_in(HOME, "I'm here")
    ruth = story.ruth
    await story.go_to(ENDS)
    roster_message = next(message for message in ruth.inbox() if message.startswith("# Who came?"))
    assert "[Everyone came] [Person by person]" in roster_message
    assert "more rows" in roster_message or roster_message.count("\n") > SIXTY
    await ruth.taps_in_chat("Person by person")
    view = story.fake.top_view(ruth.user)
    fields = [block["element"]["action_id"] for block in view["blocks"] if block["type"] == "input"]
    assert len([name for name in fields if name.startswith("p-")]) == SIXTY + 1
    await ruth.fills(**{name: "partial" for name in fields if name.startswith("p-")})
    minutes = [block["element"] for block in story.fake.top_view(ruth.user)["blocks"] if block["type"] == "input"]
    assert len(minutes) == SIXTY + 1
    told = await ruth.fills(**{element["action_id"]: "30" for element in minutes})
    assert told == "Saved. Attendance is complete."
    assert any("# Attendance is complete" in message for message in ruth.inbox())


async def the_rest_of_the_commands(story: Story) -> None:
    carol, ruth, dana = story.carol, story.ruth, story.dana
    await ruth.sends("summary", HOME)
    topics = [option["value"] for option in first_options(story.fake.top_view(ruth.user))]
    await ruth.fills(topics=topics, did=long_words(2500), next=long_words(2500))
    await ruth.fills()
    assert ruth.reads(HOME)[-1].startswith("# Summary of <script>")
    await ruth.taps_notice("Edit", HOME)
    await ruth.fills(did="Short.")
    await ruth.fills()
    await dana.taps_in_chat("Write a reflection", "How are things going?")
    first = story.fake.top_view(dana.user)["blocks"]
    names = [block["element"]["action_id"] for block in first if block["type"] == "input"]
    await dana.fills(**{name: long_words(3000) for name in names})
    await dana.taps_in_chat("Write or change")
    assert PRINTABLE[:60] in dana.modal()
    await dana.fills()
    await dana.types(PRINTABLE)
    await dana.taps_in_chat("Keep as my reflection")
    await dana.taps_in_chat("Ask my mentor to reach out")
    await dana.sends("reflections")
    await dana.taps_notice("Share")
    await dana.fills()
    await ruth.sends("cohort", HOME)
    await ruth.taps_notice("Settings", HOME)
    await ruth.fills(retention="12")
    await carol.sends("prompts")
    await carol.fills(prompts="\n".join(f"{number} {PRINTABLE}"[:150] for number in range(30)))
    for who in (dana, ruth, carol):
        await who.opens_home()
        for command in (*sorted(router.commands), "", HOSTILE, "snooze until 2026-12-01", "resume"):
            if command not in ("cohort unlink", "cohort link"):
                await who.sends(command, HOME)
                story.fake.stacks[who.user] = []
            await who.sends(command.replace("cohort unlink", "help"))
            story.fake.stacks[who.user] = []
    await ruth.sends("meetings", HOME)
    await ruth.taps_notice("Move", HOME)
    await ruth.fills(reach="rest", day="2026-09-25", place=PRINTABLE.ljust(500, "q"))
    await ruth.sends("meetings", HOME)
    await ruth.taps_notice("Cancel", HOME)
    await ruth.fills(reach="rest")
    await ruth.sends("meeting new", HOME)
    await ruth.fills(topic=PRINTABLE, day="2026-09-14", repeat="once", until="")
    await ruth.fills()
    await story.go_to(datetime(2026, 9, 21, 13, 0, tzinfo=UTC))
    assert any(message.startswith("# Weekly digest") for message in carol.inbox())
    await carol.opens_home()
    await ruth.sends("cohort unlink", HOME)
    await ruth.taps_notice("Unlink it", HOME)
    await story.app.product.threads.write(lambda tx: forgotten(story, tx))
    await story.settled()
    assert dana.inbox()[-1].startswith("# Your private data is deleted")


def forgotten(story: Story, tx: Tx) -> None:
    """As an operator does it in the terminal."""
    person = people.by_email(tx, "dana@example.org")
    assert person is not None
    forget_by_operator(story.app.product.work(tx), person.id)


def first_options(view: Json) -> list[Json]:
    element = next(block["element"] for block in view["blocks"] if block["type"] == "input")
    groups = element.get("option_groups")
    return [option for group in groups for option in group["options"]] if groups else list(element["options"])


def long_words(most: int) -> str:
    return ((PRINTABLE + "\n") * 40)[: most - 1]


async def test_a_bot_invited_to_a_channel_of_no_cohort_says_what_to_do(story: Story) -> None:
    await story.all_matched()
    story.fake.add_channel("C00NEW", "new", (story.ruth.user, BOT_USER))
    said = {"type": "member_joined_channel", "user": BOT_USER, "channel": "C00NEW", "team": TEAM}
    await story.ruth.event({**said, "inviter": story.ruth.user, "channel_type": "C"})
    await story.settled()

    (hello,) = story.ruth.reads("C00NEW")
    assert hello.startswith("# Hello\nI'm the cohort bot. To make this channel a cohort's home")


async def test_a_summary_that_nobody_wrote_is_asked_for_by_a_button(story: Story) -> None:
    await story.all_matched()
    await story.scheduled(topic=PRINTABLE)
    await story.go_to(ENDS)
    await story.pass_time(hours=25)
    await story.ruth.taps_in_chat("Write it")
    assert story.ruth.modal().startswith("== Session summary ==\n<script>")
