"""The bot's home page in the local workspace: what somebody sees first, kept up to date, with buttons that work."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from tests.browser.product import ALEX, CAROL, DANA, NINA, OZARKS, WALTER, Running
from tests.browser.workspace import DESKTOP, PHONE, Person, Windows, accessible, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_home_page_shows_the_standing_and_takes_an_answer(windows: Windows, product: Running) -> None:
    async with windows.take(2) as (page, other):
        dana = await Person.open(page, DANA, address=product.address)
        await page.get_by_role("link", name="Home", exact=True).click()
        await dana.settled()
        home = page.locator("#home")
        await expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
        await expect(page.get_by_role("heading", name="Your progress: on track")).to_be_visible()
        await expect(home).to_contain_text("You haven't answered yet.")
        coming = home.get_by_role("button", name="Coming", exact=True)
        await coming.click()
        await expect(home).to_contain_text("You said you're coming.")
        await expect(coming).to_be_focused()
        channel = await Person.open(other, DANA, OZARKS, product.address)
        await channel.reads("Coming (1): Dana Reyes")


async def test_the_home_page_changes_by_itself(windows: Windows, product: Running) -> None:
    async with windows.take(2) as (page, other):
        nina = Person(page, NINA, product.address)
        await nina.home()
        await expect(page.get_by_role("heading", name="Your progress: at risk")).to_be_visible()
        walter = await Person.open(other, WALTER, address=product.address)
        await walter.press("Verify", await walter.reads("An activity to verify"))
        await expect(page.get_by_role("heading", name="Your progress: complete")).to_be_visible()
        await expect(page.locator("#to-direct .badge")).to_contain_text("unread")


async def test_a_stranger_has_a_home_page_that_says_so(windows: Windows, product: Running) -> None:
    async with windows.take(1) as (page,):
        await Person(page, ALEX, product.address).home()
        await expect(page.locator("#home")).to_contain_text("I can't match you to the roster yet")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
async def test_the_home_page_is_accessible(
    browser: Browser, product: Running, axe: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with window(browser, product.address, size=size, scheme=scheme) as page:
        for user in (DANA, WALTER, CAROL):
            person = Person(page, user)
            await person.home()
            await accessible(page, axe)
            await person.fits()
