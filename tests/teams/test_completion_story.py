"""From two complete years to a certificate, and the exports, in Teams over HTTP with tokens, as people see them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import select

from storage.people import cohorts
from storage.program_desk.program_desk_tables import download
from storage.record import certificates, ledger, verification
from storage.record.certificates import Certificate
from tests.completion import DONE, record_years
from tests.documents.visitor import Visitor, visiting
from tests.fakes.teams import Message, actions_of
from tests.teams.story import Answer, Someone, Story, linked, shown

PDF, LINES = "Certificate (PDF)", "Full record (PDF)"
YES = "Yes: Approve and issue"  # under the question that the button asks first


@pytest.fixture
async def done(story: Story) -> AsyncIterator[dict[str, Someone]]:
    """Dana has two complete years; at the end every chain is whole."""
    everybody = await linked(story)
    product = story.app.product
    with story.database.write() as tx:
        record_years(product.work(tx), ["dana@example.org"], "ruth@example.org")
    story.clock.at = DONE
    await story.settle()
    yield everybody
    assert story.read(lambda tx: verification.verify(tx, product.chain_key)).problems == []


@pytest.fixture
async def visitor(story: Story) -> AsyncIterator[Visitor]:
    async with visiting(story.app.address) as page:
        yield page


def link(where: Message | Answer, label: str) -> str:
    """Where a button leads, of a message or of the newest one that an act brought."""
    message = where.messages[-1] if isinstance(where, Answer) else where
    return str(actions_of(message.card)[label]["url"])


def certificates_of(story: Story, someone: Someone) -> list[Certificate]:
    return story.read(lambda tx: certificates.of_person(tx, someone.id))


def steps(story: Story, someone: Someone) -> list[str]:
    return [line.step for line in story.read(lambda tx: ledger.of_person(tx, someone.id)) if line.kind == "certificate"]


async def approve(story: Story, done: dict[str, Someone]) -> str:
    """Carol approves; the code of what was issued."""
    await done["carol"].taps(done["carol"].sees("Dana Reyes has completed the program"), YES)
    return certificates_of(story, done["dana"])[0].code


async def test_the_coordinator_approves_and_the_mentee_has_a_certificate(
    story: Story, done: dict[str, Someone], visitor: Visitor
) -> None:
    dana, carol = done["dana"], done["carol"]
    question = carol.sees("Dana Reyes has completed the program")
    assert "has met every requirement. Approve to issue the certificate." in shown(question)
    assert "Year 1 (2026-27): Meetings 8 of 8" in shown(question)
    assert "I asked your coordinator to approve it." in (await dana.says("certificate")).text
    record = await carol.taps(question, "See the record")
    await visitor.has_once(link(record, "Full record (PDF)"), "record-dana-reyes.pdf")

    pressed = await carol.taps(question, YES)

    (made,) = certificates_of(story, dana)
    assert pressed.card is not None, "the answer to the press is the settled card"
    assert pressed.text.startswith("Dana Reyes: certificate issued")
    assert f"Code {made.code}." in pressed.text
    before = story.everything()
    await carol.repeats()
    assert story.everything() == before
    assert list(actions_of(question.card)) == ["Open"]
    congratulated = dana.sees("Congratulations, Dana Reyes!")
    assert "You completed the two-year mentoring program. Your coordinator approved it" in shown(congratulated)
    assert dana.never_saw("eligib")
    assert steps(story, dana) == ["issued"]

    mine = await dana.taps(congratulated, "Get your certificate")
    assert "works once" in mine.text
    await visitor.has_once(link(mine, PDF), "record-of-completion-dana-reyes.pdf")
    opened = await carol.taps(question, "Open")
    await visitor.has_once(link(opened, LINES), "record-dana-reyes.pdf")
    page = await visitor.reads(link(opened, "Check it online"))
    assert page.status == 200
    assert "✓ Valid Record of completion, not a DESE certificate Dana Reyes" in page.text


async def test_a_press_on_an_old_copy_issues_nothing_twice(story: Story, done: dict[str, Someone]) -> None:
    dana, carol = done["dana"], done["carol"]
    button = actions_of(carol.sees("Dana Reyes has completed the program").card)[YES]
    for _ in range(2):
        pressed = await carol.acts(carol.client.presses(button["data"], verb=button["verb"]))
        assert "certificate issued" in pressed.text
    assert len(certificates_of(story, dana)) == 1
    assert steps(story, dana) == ["issued"]
    assert sum("Congratulations" in shown(message) for message in dana.chat) == 1


async def test_a_certificate_is_revoked_and_issued_anew(
    story: Story, done: dict[str, Someone], visitor: Visitor
) -> None:
    dana, carol = done["dana"], done["carol"]
    first = await approve(story, done)
    unused = link(await dana.says("certificate"), PDF)

    desk = await carol.says("certificates")
    assert "Issued (1)" in desk.text
    opened = await carol.taps(desk.messages[0], "Dana Reyes")
    dialog = (await carol.taps(opened.messages[-1], "Revoke")).dialog
    assert "Anyone who checks the code will see “revoked”. The record keeps it." in dialog.text
    revoked = await carol.sends(dialog, reason="issued_in_error")
    assert "Revoked. I told the mentee. The record keeps who revoked it, when and why" in revoked.text
    before = story.everything()
    await carol.repeats()
    assert story.everything() == before
    assert "It was revoked already." in (await carol.sends(dialog, reason="issued_in_error")).text
    assert steps(story, dana) == ["issued", "revoked"]

    assert "It was issued in error" in shown(dana.sees("Certificate revoked"))
    assert "was revoked" in (await dana.says("certificate")).text
    page = await visitor.reads(f"/verify/{first}")
    assert "✕ Revoked" in page.text
    assert "Dana" not in page.text
    assert "no longer valid" in (await visitor.downloads(unused)).text

    desk = await carol.says("certificates")
    opened = await carol.taps(desk.messages[0], "Dana Reyes (revoked)")
    dialog = (await carol.taps(opened.messages[-1], "Reissue")).dialog
    assert dialog.fields["name"] == "Dana Reyes"
    issued = await carol.sends(dialog, name="Dana Reyes-Soto", reason="name_changed")

    second, _ = certificates_of(story, dana)
    assert (second.number, second.name, second.in_force) == (2, "Dana Reyes-Soto", True)
    assert second.code != first
    assert second.code in issued.text
    assert steps(story, dana) == ["issued", "revoked", "reissued"]
    mine = await dana.taps(dana.sees("Your new certificate"), "Get your certificate")
    await visitor.has_once(link(mine, PDF), "record-of-completion-dana-reyes-soto.pdf")
    assert "✓ Valid" in (await visitor.reads(f"/verify/{second.code}")).text
    assert "✕ Revoked" in (await visitor.reads(f"/verify/{first}")).text
    assert (await visitor.reads("/verify/0000-0000-0000-0000")).status == 404


async def test_exports_are_links_for_the_asker_alone(story: Story, done: dict[str, Someone], visitor: Visitor) -> None:
    dana, ruth, carol, sam = (done[name] for name in ("dana", "ruth", "carol", "sam"))
    asked = await dana.says("export")
    assert "Export: My own record" in asked.text
    mine = (await visitor.downloads(link(asked, "Record (CSV)"))).csv
    assert [(row["Mentee"], row["Status"]) for row in mine] == [("Dana Reyes", "present")] * 16
    assert (await visitor.downloads(link(asked, "Record (CSV)"))).status == 410

    letters = {someone: len(someone.chat) for someone in (dana, sam)}
    await ruth.asks("export")
    assert "/download/" not in json.dumps([message.activity for message in story.in_channel()])
    assert story.thread()[-1] == "I sent you a direct message."
    sent = ruth.sees("Export: Ozarks")
    assert (await visitor.downloads(link(sent, "Excel workbook"))).recorded == {"Dana Reyes"}
    standings = (await visitor.downloads(link(sent, "Standings (CSV)"))).csv
    assert [row["Mentee"] for row in standings] == ["Dana Reyes", "Lee Okafor", "Sam Whitfield"]
    assert {someone: len(someone.chat) for someone in letters} == letters, "nobody else was sent anything"

    form = (await carol.taps((await carol.says("export")).messages[0], "Export")).dialog
    made = await carol.sends(form)
    assert "Export: The whole program" in made.text
    program = (await visitor.downloads(link(made, "Standings (CSV)"))).csv
    by_mentee = {row["Mentee"]: row["Standing"] for row in program}
    assert by_mentee["Dana Reyes"] == "complete"
    assert "Jordan Blake" in by_mentee
    assert (await visitor.downloads(link(made, "Excel workbook"))).recorded == {"Dana Reyes"}


async def test_nobody_has_what_is_not_theirs(story: Story, done: dict[str, Someone]) -> None:
    dana, ruth, carol, tom = (done[name] for name in ("dana", "ruth", "carol", "tom"))
    buttons = actions_of(carol.sees("Dana Reyes has completed the program").card)
    for someone in (dana, ruth):
        assert "“certificates” is only for coordinators." in (await someone.says("certificates")).text
        for label in (YES, "See the record"):
            button = buttons[label]
            forged = await someone.acts(someone.client.presses(button["data"], verb=button["verb"]))
            assert "Only coordinators" in forged.text
    assert "You're not enrolled as a mentee" in (await ruth.says("certificate")).text
    assert "I can't match you to the roster yet" in (await done["ollie"].says("export")).text
    await approve(story, done)
    (made,) = certificates_of(story, dana)
    assert "Only coordinators" in (await forges(dana, "completion.open", made.id)).text

    form = (await carol.taps((await carol.says("export")).messages[0], "Export")).dialog
    for someone in (dana, tom):
        for wanted in ("program:", f"cohort:{cohort_of(story, 'Ozarks')}"):
            refused = await someone.sends(form, what=wanted)
            assert "Choose one of the options." in refused.text
    links = story.read(lambda tx: tx.execute(select(download.c.person_id, download.c.what, download.c.subject)).all())
    theirs = {(dana.id, "own", str(dana.id)), (tom.id, "cohort", str(cohort_of(story, "Gateway")))}
    assert {tuple(link) for link in links} <= theirs, "no link was made for any of it"
    assert certificates_of(story, dana) == [made]


async def forges(someone: Someone, name: str, subject: UUID) -> Answer:
    """Somebody presses a button with an id of their own choosing."""
    return await someone.acts(someone.client.presses({"plc": {"act": f"{name}|{subject}"}}, verb=name))


def cohort_of(story: Story, name: str) -> UUID:
    cohort = story.read(lambda tx: cohorts.by_name(tx, name))
    assert cohort is not None
    return cohort.id
