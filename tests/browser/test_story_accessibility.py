"""The real product's main screens by axe-core at WCAG 2.2 AA, on a desk and on a phone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from tests.browser.product import CAROL, DANA, NINA, OZARKS, RUTH, WALTER, Running
from tests.browser.workspace import DESKTOP, PHONE, Person, accessible, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ROSTER_TIME = datetime(2026, 10, 22, 21, 30, tzinfo=UTC)  # check-ins are open, the meeting is over


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
async def test_the_main_screens(
    browser: Browser, product: Running, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    await product.go_to(ROSTER_TIME)
    async with window(browser, product.address, size=size, scheme=scheme) as page:
        await page.goto("/")
        await looked_at(page, axe)

        dana = await Person.open(page, DANA)
        await dana.press("4", await dana.reads("How are things going?"))
        await dana.say("progress")
        await dana.reads("Your progress")
        await dana.say("help")
        await dana.reads("What I can do")
        await looked_at(page, axe)
        await dana.press("Write or change")
        await dana.dialog("Your reflection").wait_for()
        await looked_at(page, axe)

        ruth = await Person.open(page, RUTH)
        await ruth.press("Person by person", await ruth.reads("Who came?"))
        await ruth.dialog("Who came?").wait_for()
        await looked_at(page, axe)
        await ruth.go(OZARKS)
        for command in ("meetings", "attendance", "progress", "cohort", "breaks"):
            await ruth.command(command)
            await ruth.reads_notice(f"/plc {command}")
        await looked_at(page, axe)
        await ruth.command("meeting new")
        await ruth.fill("Topic", "Belonging")
        await ruth.submit("Preview dates")
        await ruth.dialog("Are these dates right?").wait_for()
        await looked_at(page, axe)
        await ruth.go(OZARKS)
        await ruth.command("summary")
        await ruth.dialog("Session summary").wait_for()
        await looked_at(page, axe)

        carol = await Person.open(page, CAROL)
        for command in ("digest", "progress", "people"):
            await carol.say(command)
        await carol.reads("Not matched to an account")
        await looked_at(page, axe)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
async def test_the_screens_of_the_record(
    browser: Browser, product: Running, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with window(browser, product.address, size=size, scheme=scheme) as page:
        dana = await Person.open(page, DANA)
        for command, title in (("dispute", "A record is wrong"), ("log", "Log an activity"), ("leave", "Leave of abs")):
            await dana.command(command)
            await dana.dialog(title).wait_for()
            await looked_at(page, axe)
            await page.keyboard.press("Escape")
            await dana.closed()
        for command, words in (("privacy", "Who sees what"), ("policy", "Program years"), ("export", "Export: My own")):
            await dana.command(command)
            await dana.reads(words)
        await looked_at(page, axe)

        walter = await Person.open(page, WALTER)
        await looked_at(page, axe)
        await walter.press("Verify", await walter.reads("An activity to verify"))
        await walter.reads("Activity verified")
        carol = await Person.open(page, CAROL)
        await carol.reads("Nina Alvarez has completed the program")
        await looked_at(page, axe)
        await carol.press("Approve and issue")
        await carol.answer_question("Approve and issue")
        await carol.reads("certificate issued")
        await carol.command("person Nina Alvarez")
        await carol.reads("Change policy")
        await carol.command("certificates")
        await carol.press("Nina Alvarez", await carol.reads("Issued (1)"))
        await carol.reads("Certificate of Nina Alvarez")
        await looked_at(page, axe)
        for button, title in (("Revoke", "Revoke a certificate"), ("Reissue", "Reissue a certificate")):
            await carol.press(button)
            await carol.dialog(title).wait_for()
            await looked_at(page, axe)
            await page.keyboard.press("Escape")
            await carol.closed()
        nina = await Person.open(page, NINA)
        await nina.press("Get your certificate")
        await nina.reads("Check it online")
        await looked_at(page, axe)


async def looked_at(page: Page, axe: str) -> None:
    """axe-core finds nothing, and nothing is wider than the window."""
    await accessible(page, axe)
    await Person(page, "").fits()
