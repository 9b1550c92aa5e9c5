"""Every screen, card and form by axe-core at WCAG 2.2 AA, on a desk and on a phone, light and dark."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.workspace import DESKTOP, NARROW, Person, Served, accessible, window
from tests.local.toy import COORDINATOR, HOME, LINES, MENTEE, TAP, post
from tests.specimens import CARDS, FORMS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOOKS = pytest.mark.parametrize(
    ("size", "scheme"),
    [(DESKTOP, "light"), (NARROW, "dark")],
    ids=["desk-light", "narrow-dark"],
)
SMALLEST = 24  # px, WCAG 2.2's target size


@LOOKS
async def test_every_screen(
    browser: Browser, served: Served, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with window(browser, served.address, size=size, scheme=scheme) as page:
        await page.goto("/")
        await accessible(page, axe)
        outsider = await Person.open(page, COORDINATOR.user, HOME)
        await accessible(page, axe)
        await outsider.fits()
        dana = await Person.open(page, MENTEE.user, HOME)
        await accessible(page, axe)
        await dana.command("help")
        await dana.reads_notice("Help")
        await dana.say("Hello everybody")
        await page.get_by_label("Message to").fill("/plc me")
        await page.get_by_label("Message to").press("ArrowDown")
        await accessible(page, axe)
        await large_enough(page)
        await page.get_by_role("button", name="Add people").click()
        await expect(dana.dialog("People in")).to_be_visible()
        await accessible(page, axe)
        if size["width"] < DESKTOP["width"]:
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="Menu").click()
            await accessible(page, axe)


@LOOKS
async def test_every_card(
    browser: Browser, served: Served, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with window(browser, served.address, size=size, scheme=scheme) as page:
        for number, card in enumerate((*CARDS, LINES, TAP)):
            await post(served.workspace, HOME, card, UUID(int=number))
        dana = await Person.open(page, MENTEE.user, HOME)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        await accessible(page, axe)
        await dana.fits()
        await large_enough(page)


@LOOKS
async def test_every_form(
    browser: Browser, served: Served, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with window(browser, served.address, size=size, scheme=scheme) as page:
        dana = await Person.open(page, MENTEE.user)
        for number, form in enumerate(FORMS):
            await dana.command(f"form {number}")
            await expect(dana.dialog(form.title)).to_be_visible()
            await accessible(page, axe)
            await dana.fits()
            await large_enough(page)
            await page.keyboard.press("Escape")
            await dana.closed()
        await dana.command("steps")
        await expect(dana.dialog()).to_be_visible()
        await dana.submit("Preview dates")
        await expect(dana.dialog().get_by_text("This is needed.")).to_be_visible()
        await accessible(page, axe)


async def test_a_chart_has_a_name_and_its_numbers(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        await post(served.workspace, HOME, LINES, UUID(int=1))
        dana = await Person.open(page, MENTEE.user, HOME)
        message = await dana.reads("Two charts")
        await expect(message.get_by_role("img", name="Month by month")).to_be_visible()
        await message.get_by_text("Show the numbers").first.click()
        table = message.get_by_role("table", name="Month by month")
        await expect(table.get_by_role("row", name="Oct 5")).to_be_visible()


async def test_nothing_moves_the_page_sideways_at_the_largest_text(browser: Browser, served: Served) -> None:
    async with window(browser, served.address, size=ViewportSize(width=320, height=640)) as page:
        for number, card in enumerate(CARDS):
            await post(served.workspace, HOME, card, UUID(int=number))
        dana = await Person.open(page, MENTEE.user, HOME)
        await dana.fits()


async def large_enough(page: Page) -> None:
    """Everything to press that is on the screen is a target of at least 24 by 24 px."""
    small = await page.evaluate(
        """(least) => [...document.querySelectorAll('button, summary, nav a, select, input, textarea')]
            .filter((one) => one.checkVisibility({ visibilityProperty: true }))
            .map((one) => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && (box.width < least || box.height < least))
            .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)""",
        SMALLEST,
    )
    assert small == []
