"""The record of two years in the browser: the worked example's steps on example data, and a certificate in a minute."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from storage.core.database import Tx
from storage.people import people
from storage.record import certificates, verification
from storage.record.certificates import Certificate
from tests.browser.product import CAROL, DANA, LEE, MARIA, NINA, OZARKS, RUTH, WALTER, Running
from tests.browser.workspace import Person, Windows
from tests.documents.visitor import visiting

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PDF = "Certificate (PDF)"
WORDS = "I was there; I sat by the door."


async def link(message: Locator, label: str) -> str:
    """Where a button leads."""
    address = await message.get_by_role("link", name=label).get_attribute("href")
    assert address is not None
    return address


def certificates_of(product: Running, email: str) -> list[Certificate]:
    def find(tx: Tx) -> list[Certificate]:
        person = people.by_email(tx, email)
        assert person is not None
        return certificates.of_person(tx, person.id)

    return product.read(find)


def whole(product: Running) -> bool:
    """Every chain of the ledger is whole."""
    return not product.read(lambda tx: verification.verify(tx, product.app.product.chain_key)).problems


async def shows(person: Person, label: str, count: str) -> None:
    """``/plc progress`` has a bar with this label and count."""
    await person.command("progress")
    bar = (await person.reads("Your progress")).locator(".progress").filter(has_text=label)
    await expect(bar.locator(".count")).to_have_text(count)


async def until_there(person: Person, words: str) -> Locator:
    """Go from due moment to due moment until a message with these words is there."""
    for _ in range(12):
        if await person.message(words).count():
            break
        await person.move_clock()
    return await person.reads(words)


# The worked example -----------------------------------------------------------------------------


async def test_the_worked_example_is_clicked_through(windows: Windows, product: Running) -> None:
    async with windows.take(3) as (first, second, third):
        dana = await Person.open(first, DANA, address=product.address)
        ruth = await Person.open(second, RUTH, address=product.address)
        carol = await Person.open(third, CAROL, address=product.address)
        await shows(dana, "Meetings, Year 1", "2 of 8")
        await a_conversation(dana, ruth)
        await a_missed_meeting(dana, ruth)
        lee, maria = Person(first, LEE, product.address), Person(first, MARIA, product.address)
        await a_dispute(lee, ruth)
        await a_make_up(maria, ruth)
        await dana.go()
        await a_leave(dana, carol)
        await a_transfer(dana, carol)
        await a_credit_and_back(carol)
    assert whole(product)


async def a_conversation(dana: Person, ruth: Person) -> None:
    await dana.command("log")
    await dana.choose("What you did", "One-to-one contact with the mentor")
    await dana.fill("Minutes", "30")
    await dana.choose("How (only for one-to-one contact with the mentor)", "By phone")
    await dana.submit("Save")
    await dana.reads("I asked your mentor to verify it.")
    await ruth.press("Verify", await ruth.reads("An activity to verify"))
    await ruth.reads("Activity verified")
    await expect(ruth.message("An activity to verify")).to_have_count(0)
    await dana.reads("Your activity is verified")
    await shows(dana, "One-to-one contacts, Year 1", "1 of 2")


async def a_missed_meeting(dana: Person, ruth: Person) -> None:
    await dana.go(OZARKS)
    await until_there(dana, "I'm here")
    await dana.press("I'm here")
    await dana.reads("Here (1): Dana Reyes")
    roster = await until_there(ruth, "Who came?")
    await ruth.press("Person by person", roster)
    marks = {"Dana Reyes": "Present", "Priya Natarajan": "Present", "Sam Whitfield": "Present"}
    for name, status in (marks | {"Maria Gutierrez": "Present", "Lee Okafor": "Absent"}).items():
        await ruth.choose(name, status)
    await ruth.submit("Save")
    await ruth.reads("Attendance is complete")
    await dana.go()
    await shows(dana, "Meetings, Year 1", "3 of 8")


async def a_dispute(lee: Person, ruth: Person) -> None:
    await lee.go()
    await shows(lee, "Meetings, Year 1", "2 of 8")
    await lee.command("dispute")
    await expect(lee.dialog("A record is wrong")).to_contain_text("What you write here isn’t posted in the chat.")
    await pick(lee, "Which record", "absent")
    await lee.fill("What is wrong, and what would be right", WORDS)
    await lee.submit("Send")
    await lee.reads("I asked the people you chose to look at it")
    asked = await ruth.reads("A record is disputed")
    await expect(ruth.page.locator("#messages")).not_to_contain_text(WORDS)
    await ruth.press("Read it", asked)
    await expect(ruth.dialog("Disputed record")).to_contain_text(WORDS)
    await ruth.page.keyboard.press("Escape")
    await ruth.closed()
    await ruth.press("Settle it", asked)
    await ruth.choose("Outcome", "The record is wrong: correct it")
    await ruth.submit("Next")
    await ruth.choose("Lee Okafor", "Present")
    await ruth.choose("Why", "The mentee told me")
    await ruth.submit("Save")
    await ruth.closed()
    await ruth.reads("Dispute settled")
    await lee.reads("Your dispute is settled")
    await shows(lee, "Meetings, Year 1", "3 of 8")


async def pick(person: Person, label: str, ending: str) -> None:
    """Choose the first option that ends so."""
    field = person.dialog().locator("select").first
    await expect(field).to_be_visible()
    options = await field.locator("option").all_inner_texts()
    await person.choose(label, next(option for option in options if option.endswith(ending)))


async def a_make_up(maria: Person, ruth: Person) -> None:
    await maria.go()
    await shows(maria, "Meetings, Year 1", "2 of 8")
    await maria.command("makeup")
    await pick(maria, "The missed meeting", "(excused)")
    await maria.choose("What you did instead", "Observation of another counselor")
    await maria.fill("Minutes", "60")
    await maria.submit("Send request")
    await maria.reads("I'll tell you the decision.")
    await ruth.press("Approve", await ruth.reads("A make-up to approve"))
    await ruth.reads("Make-up approved")
    await maria.reads("Your make-up is approved")
    await shows(maria, "Meetings, Year 1", "3 of 8")


async def a_leave(dana: Person, carol: Person) -> None:
    await dana.command("leave")
    await dana.choose("Why", "Family or parental leave")
    await dana.submit("Send request")
    await dana.reads("Request sent. I'll tell you the decision.")
    await carol.press("Approve", await carol.reads("A leave request to decide"))
    await carol.reads("Leave approved")
    await dana.reads("Your leave is approved")
    await dana.command("progress")
    await dana.reads("Your progress: paused")


async def a_transfer(dana: Person, carol: Person) -> None:
    await carol.command("person Dana Reyes")
    await carol.press("Transfer", await carol.reads("Change policy"))
    await carol.choose("To the cohort", "Gateway")
    await carol.choose("Why", "Moved to another district")
    await carol.submit("Transfer")
    await carol.reads("All credit is kept.")
    await dana.reads("Carol Dietz moved you to Gateway")
    await shows(dana, "Meetings, Year 1", "3 of 8")


async def a_credit_and_back(carol: Person) -> None:
    await carol.press("Credit", carol.message("Change policy"))
    await carol.choose("Requirement", "Meetings")
    await carol.choose("Program year", "Year 1")
    await carol.fill("How much", "1")
    await carol.choose("Why", "Part of another mentoring program")
    await carol.submit("Credit")
    await carol.press("Undo", await carol.reads("Saved for Dana Reyes."))
    await carol.reads("Undone for Dana Reyes. The record shows both.")


# A certificate in a minute ----------------------------------------------------------------------


async def test_one_tap_is_missing_before_the_certificate(windows: Windows, product: Running) -> None:
    async with windows.take(3) as (first, second, third), visiting(product.address) as visitor:
        nina = await Person.open(first, NINA, address=product.address)
        walter = await Person.open(second, WALTER, address=product.address)
        carol = await Person.open(third, CAROL, address=product.address)
        await shows(nina, "One-to-one contacts, Year 2", "1 of 2")
        await walter.press("Verify", await walter.reads("An activity to verify"))
        await walter.reads("Activity verified")

        await carol.press("See the record", await carol.reads("Nina Alvarez has completed the program"))
        await visitor.has_once(
            await link(await carol.reads("The record of Nina Alvarez"), "Full record (PDF)"), "record-nina-alvarez.pdf"
        )
        await carol.press("Approve and issue", carol.message("Nina Alvarez has completed the program"))
        await carol.answer_question("Approve and issue")
        await carol.reads("Nina Alvarez: certificate issued")
        await nina.press("Get your certificate", await nina.reads("Congratulations, Nina Alvarez!"))
        card = await nina.reads("Check it online")
        await visitor.has_once(await link(card, PDF), "record-of-completion-nina-alvarez.pdf")
        (first_one,) = certificates_of(product, NINA)
        page = await visitor.reads(await link(card, "Check it online"))
        assert "✓ Valid Record of completion, not a DESE certificate Nina Alvarez" in page.text

        await carol.command("certificates")
        await carol.press("Nina Alvarez", await carol.reads("Issued (1)"))
        shown = await carol.reads("Certificate of Nina Alvarez")
        await carol.press("Revoke", shown)
        await expect(carol.dialog("Revoke a certificate")).to_contain_text("The record keeps it")
        await carol.choose("Why", "It was issued in error")
        await carol.submit("Revoke")
        await carol.reads("I told the mentee. The record keeps who revoked it, when and why.")
        await nina.reads("Certificate revoked")
        assert "✕ Revoked" in (await visitor.reads(f"/verify/{first_one.code}")).text

        await carol.command("certificates")
        await carol.press("Nina Alvarez (revoked)", await carol.reads("Nina Alvarez (revoked)"))
        await carol.press("Reissue")
        await carol.fill("Name on the certificate", "Nina Alvarez-Reed")
        await carol.choose("Why", "The holder's name changed")
        await carol.submit("Reissue")
        await carol.reads("Certificate of Nina Alvarez-Reed")
        second_one = certificates_of(product, NINA)[0]
        await nina.reads("Your new certificate")
        assert "✓ Valid" in (await visitor.reads(f"/verify/{second_one.code}")).text
        assert "✕ Revoked" in (await visitor.reads(f"/verify/{first_one.code}")).text
        assert (await visitor.reads("/verify/0000-0000-0000-0000")).status == 404
    assert [certificate.number for certificate in certificates_of(product, NINA)] == [2, 1]
    assert whole(product)


async def test_exports_are_for_those_whose_they_are(windows: Windows, product: Running) -> None:
    async with windows.take(1) as (page,), visiting(product.address) as visitor:
        nina = await Person.open(page, NINA, address=product.address)
        await nina.command("export")
        own = await link(await nina.reads("Export: My own record"), "Record (CSV)")
        lines = (await visitor.downloads(own)).csv
        assert {line["Mentee"] for line in lines} == {"Nina Alvarez"}
        assert sum(line["Status"] == "present" for line in lines) == 16
        assert (await visitor.downloads(own)).status == 410
        await nina.command("certificates")
        await nina.reads("/plc certificates is only for coordinators.")

        walter = await Person.open(page, WALTER, address=product.address)
        await walter.command("export")
        cohort = await walter.reads("Export: Bootheel")
        assert (await visitor.downloads(await link(cohort, "Excel workbook"))).recorded == {"Nina Alvarez"}

        carol = await Person.open(page, CAROL, address=product.address)
        await carol.command("export")
        await carol.choose("What to export", "The whole program")
        await carol.submit("Create files")
        program = await carol.reads("Export: The whole program")
        standings = (await visitor.downloads(await link(program, "Standings (CSV)"))).csv
        texts = {standing["Mentee"]: standing["Standing"] for standing in standings}
        assert texts["Nina Alvarez"] == "at risk"
        assert "Dana Reyes" in texts
        assert (await visitor.downloads(await link(program, "Excel workbook"))).recorded >= {
            "Nina Alvarez",
            "Dana Reyes",
        }
