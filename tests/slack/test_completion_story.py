"""From two complete years to a certificate, and the exports, on Slack over signed HTTP, as people see them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from storage.program_desk.program_desk_tables import download
from storage.record import verification
from storage.record.record_tables import certificate
from tests.completion import DONE, record_years
from tests.documents.visitor import Visitor, visiting
from tests.fakes.slack import Json, button_labelled
from tests.slack.story import OZARKS, Neighbour, Story

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")
PDF, ONCE = "Certificate (PDF)", "works once"


@pytest.fixture
async def done(story: Story) -> AsyncIterator[Story]:
    """Dana has two complete years; at the end nothing is undelivered and every chain is whole."""
    await story.all_matched()
    product = story.app.product
    await product.threads.write(lambda tx: record_years(product.work(tx), ["dana@example.org"], "ruth@example.org"))
    story.clock.at = DONE
    await story.settled()
    yield story
    assert (await product.threads.read(lambda tx: verification.verify(tx, product.chain_key))).problems == []
    assert await story.undelivered() == []


@pytest.fixture
async def visitor(story: Story) -> AsyncIterator[Visitor]:
    async with visiting(story.app.address) as session:
        yield session


def link(message: Json, label: str) -> str:
    return str(button_labelled(message["blocks"], label)["url"])


def in_chat(who: Neighbour, label: str) -> str:
    """Where the newest such button in somebody's chat leads."""
    return link(who.message(who.chat, label), label)


def in_notice(story: Story, label: str) -> str:
    """Where this button of the last notice leads."""
    return link(story.fake.notices[-1], label)


async def approve(story: Story) -> str:
    """Carol approves; the code of what was issued."""
    await story.carol.taps_in_chat("Approve and issue")
    return code_in(story.carol.message(story.carol.chat, "Open"))


def code_in(message: Json) -> str:
    search = CODE.search(json.dumps(message))
    assert search is not None
    return search[0]


async def issued(story: Story) -> list[tuple[Any, ...]]:
    columns = certificate.c
    return await story.rows(select(columns.number, columns.name, columns.code).order_by(columns.number))


async def steps(story: Story) -> list[str]:
    texts = {"issued", "revoked", "reissued"}
    return [step for who, step, *_ in await story.ledger() if who == "Dana Reyes" and step in texts]


async def test_the_coordinator_approves_and_the_mentee_has_a_certificate(done: Story, visitor: Visitor) -> None:
    dana, carol = done.dana, done.carol
    waiting = carol.message(carol.chat, "Approve and issue")
    question = next(text for text in carol.inbox() if "[Approve and issue]" in text)
    assert question.startswith(
        "# Dana Reyes has completed the program\nDana Reyes has met every requirement. Approve to issue the "
        "certificate.\n"
    )
    assert "Year 1 (2026-27): Meetings 8 of 8" in question
    assert "I asked your coordinator to approve it." in await dana.sends("certificate")
    before = copy.deepcopy(waiting)

    code = await approve(done)

    assert not any("[Approve and issue]" in text for text in carol.inbox())
    assert f"Code {code}." in next(text for text in carol.inbox() if "certificate issued" in text)
    assert dana.last().startswith(
        "# Congratulations, Dana Reyes!\nYou completed the two-year mentoring program. Your coordinator approved it"
    )
    assert "eligib" not in "".join(dana.inbox()).lower()

    told = len(dana.inbox())
    await carol.taps("Approve and issue", before, carol.chat)
    assert len(dana.inbox()) == told, "a second press tells nobody anything"
    assert await issued(done) == [(1, "Dana Reyes", code)]
    assert await steps(done) == ["issued"]

    shown = await dana.taps_in_chat("Get your certificate")
    assert f"[{PDF}] [Full record (PDF)]" in shown
    assert ONCE in shown
    await visitor.has_once(in_chat(dana, PDF), "record-of-completion-dana-reyes.pdf")

    await carol.taps_in_chat("Open")
    await visitor.has_once(in_chat(carol, "Full record (PDF)"), "record-dana-reyes.pdf")
    page = await visitor.reads(in_chat(carol, "Check it online"))
    assert page.status == 200
    assert "✓ Valid Record of completion, not a DESE certificate Dana Reyes" in page.text


async def test_the_record_is_read_before_it_is_approved(done: Story, visitor: Visitor) -> None:
    carol = done.carol
    await carol.taps_in_chat("See the record")
    await visitor.has_once(in_chat(carol, "Full record (PDF)"), "record-dana-reyes.pdf")


async def test_a_certificate_is_revoked_and_issued_anew(done: Story, visitor: Visitor) -> None:
    dana, carol = done.dana, done.carol
    first = await approve(done)
    await dana.sends("certificate")
    unused = in_notice(done, PDF)

    assert "Issued (1)" in await carol.sends("certificates")
    await carol.taps_notice("Dana Reyes")
    await carol.taps_notice("Revoke")
    assert "Anyone who checks the code will see “revoked”. The record keeps it." in carol.modal()
    revoking = carol.submission_payload(reason="issued_in_error")
    assert ("Revoked. I told the mentee. The record keeps who revoked it, when and why") in await carol.fills(
        reason="issued_in_error"
    )
    await carol.submit({**revoking, "trigger_id": done.fake.trigger(carol.user)})
    assert await steps(done) == ["issued", "revoked"], "sent twice, it is revoked once"

    told = next(text for text in dana.inbox() if "Certificate revoked" in text)
    assert "It was issued in error" in told
    assert "was revoked" in await dana.sends("certificate")
    page = await visitor.reads(f"/verify/{first}")
    assert "✕ Revoked" in page.text
    assert "Dana" not in page.text
    assert "no longer valid" in (await visitor.downloads(unused)).text

    await carol.sends("certificates")
    await carol.taps_notice("Dana Reyes (revoked)")
    await carol.taps_notice("Reissue")
    assert carol.field("Name on the certificate") == "name"
    shown = await carol.fills(name="Dana Reyes-Soto", reason="name_changed")

    (_, second) = await issued(done)
    assert second[:2] == (2, "Dana Reyes-Soto")
    assert second[2] in shown
    assert second[2] != first
    assert await steps(done) == ["issued", "revoked", "reissued"]
    assert dana.last().startswith("# Your new certificate\nYour certificate was issued again")
    await dana.taps_in_chat("Get your certificate", "Your new certificate")
    await visitor.has_once(in_chat(dana, PDF), "record-of-completion-dana-reyes-soto.pdf")
    assert "✓ Valid" in (await visitor.reads(f"/verify/{second[2]}")).text
    assert "✕ Revoked" in (await visitor.reads(f"/verify/{first}")).text
    assert (await visitor.reads("/verify/0000-0000-0000-0000")).status == 404


async def test_exports_are_links_for_the_asker_alone(done: Story, visitor: Visitor) -> None:
    dana, ruth, carol, sam = done.dana, done.ruth, done.carol, done.sam
    assert "# Export: My own record" in await dana.sends("export")
    own = in_notice(done, "Record (CSV)")
    mine = (await visitor.downloads(own)).csv
    assert [(item["Mentee"], item["Status"]) for item in mine] == [("Dana Reyes", "present")] * 16
    assert (await visitor.downloads(own)).status == 410

    assert "# Export: Ozarks" in await ruth.sends("export", OZARKS)
    assert done.fake.notices[-1]["user"] == ruth.user
    assert (await visitor.downloads(in_notice(done, "Excel workbook"))).recorded == {"Dana Reyes"}
    standings = (await visitor.downloads(in_notice(done, "Standings (CSV)"))).csv
    assert [standing["Mentee"] for standing in standings] == ["Dana Reyes", "Lee Okafor", "Sam Whitfield"]

    await carol.sends("export")
    assert "What to export: The whole program" in carol.modal()
    assert "# Export: The whole program" in await carol.fills()
    program = (await visitor.downloads(in_chat(carol, "Standings (CSV)"))).csv
    states = {row["Mentee"]: row["Standing"] for row in program}
    assert states["Dana Reyes"] == "complete"
    assert "Jordan Blake" in states
    assert (await visitor.downloads(in_chat(carol, "Excel workbook"))).recorded == {"Dana Reyes"}

    for neighbor in (dana, ruth, sam):
        assert "/download/" not in "".join(neighbor.inbox())
    assert "/download/" not in json.dumps(done.fake.messages(OZARKS))


async def test_nobody_has_what_is_not_theirs(done: Story) -> None:
    dana, ruth, carol, tom, olga = done.dana, done.ruth, done.carol, done.tom, done.olga
    question = carol.message(carol.chat, "Approve and issue")
    for neighbor in (dana, ruth):
        assert "/plc certificates is only for coordinators." in await neighbor.sends("certificates")
        for label in ("Approve and issue", "See the record"):
            assert "Only coordinators" in await neighbor.taps(label, question, neighbor.chat), "a forged press"
    assert "You're not enrolled as a mentee" in await ruth.sends("certificate")
    assert "I can't match you to the roster yet" in await olga.sends("export")
    await approve(done)
    managed = carol.message(carol.chat, "Open")
    assert "Only coordinators" in await dana.taps("Open", managed, dana.chat)
    links = len(await done.rows(select(download.c.token_hash)))

    await carol.sends("export")
    form = done.fake.stacks[carol.user]
    for neighbor in (dana, tom):
        done.fake.stacks[neighbor.user] = list(form)  # a form that was never theirs
        for wanted in ("The whole program", "Ozarks"):
            what = done.option(neighbor, "what", wanted)
            assert await neighbor.fills(what=what) == "Choose one of the options."
        done.fake.stacks[neighbor.user] = []
    assert await issued(done) == [(1, "Dana Reyes", code_in(managed))]
    assert len(await done.rows(select(download.c.token_hash))) == links, "no link was made for any of it"
