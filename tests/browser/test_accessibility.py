"""Every screen, card and form by axe-core at WCAG 2.2 AA, on a desk and on a phone, light and dark."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from handlers.core.cards import Card, Table
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
        await expect(dana.dialog().get_by_text("Enter a value.")).to_be_visible()
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


COHORTS = Card(
    "By cohort",
    (
        Table(
            ("Cohort", "Mentees", "Mentors", "Need help", "Complete"),
            tuple((name, "12", "2", "0", str(number)) for number, name in enumerate(("Gateway", "Bootheel", "Ozarks"))),
            caption="",
        ),
    ),
)
BROKEN_WORDS = """(places) => places.flatMap((place) => {
    const text = [...place.childNodes].find((node) => node.nodeType === 3);
    const range = document.createRange();
    return [...(text?.data ?? "").matchAll(/\\S+/g)].filter((word) => {
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map((word) => word[0]);
})"""


@pytest.mark.parametrize("width", [320, 390])
async def test_a_wide_table_on_a_phone_breaks_no_word_and_cuts_no_column(
    browser: Browser, served: Served, width: int
) -> None:
    async with window(browser, served.address, size=ViewportSize(width=width, height=740)) as page:
        await post(served.workspace, HOME, COHORTS, UUID(int=1))
        dana = await Person.open(page, MENTEE.user, HOME)
        message = await dana.reads("By cohort")
        assert await message.locator("tbody th, tbody td").evaluate_all(BROKEN_WORDS) == []
        scroll = message.get_by_role("region", name="Table")
        assert await scroll.evaluate("(box) => box.scrollWidth - box.clientWidth") == 0
        assert await scroll.evaluate("(box) => box.scrollHeight - box.clientHeight") == 0
        row = message.get_by_role("row", name="Gateway")
        await expect(row.get_by_role("cell").last).to_be_in_viewport()
        before = "(cell) => getComputedStyle(cell, '::before').content"
        assert "Complete: " in await row.get_by_role("cell").last.evaluate(before)


@pytest.mark.parametrize("width", [320, 390])
async def test_a_channels_name_is_not_squeezed_by_its_buttons(browser: Browser, served: Served, width: int) -> None:
    async with window(browser, served.address, size=ViewportSize(width=width, height=740)) as page:
        dana = await Person.open(page, MENTEE.user, HOME)
        box = await page.get_by_role("heading", level=1).bounding_box()
        assert box is not None
        assert box["height"] < 40, "one line"
        await dana.fits()


async def test_every_row_of_a_long_table_is_in_the_message(browser: Browser, served: Served) -> None:
    """A box that scrolls inside the message hid rows without a sign."""
    table = COHORTS.blocks[0]
    assert isinstance(table, Table)
    long = Card("Everybody", (replace(table, rows=table.rows * 20),))
    async with window(browser, served.address) as page:
        await post(served.workspace, HOME, long, UUID(int=1))
        dana = await Person.open(page, MENTEE.user, HOME)
        scroll = (await dana.reads("Everybody")).get_by_role("region", name="Table")
        assert await scroll.evaluate("(box) => box.scrollHeight - box.clientHeight") == 0


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
