"""Completion in a real browser: approved by the coordinator, downloaded by the mentee, checked by a stranger."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from storage.core.database import Tx
from storage.people import people
from storage.record import certificates
from tests.browser.product import CAROL, DANA, RUTH, Running
from tests.browser.workspace import DESKTOP, NARROW, PHONE, Person, accessible, window
from tests.completion import DONE, record_years
from tests.documents import reading

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_from_a_complete_standing_to_a_verified_certificate(
    browser: Browser, product: Running, axe: str, tmp_path: Path
) -> None:
    reading.need_tools()
    await product.write(lambda tx: record_years(product.app.product.work(tx), [DANA], RUTH))
    await product.go_to(DONE)
    async with window(browser, product.address) as page:
        carol = await Person.open(page, CAROL)
        await carol.press("Approve and issue", await carol.reads("Dana Reyes has completed the program"))
        await carol.answer_question("Approve and issue")
        await carol.reads("Dana Reyes: certificate issued")
        dana = await Person.open(page, DANA)
        await dana.reads("Congratulations, Dana Reyes!")
        await dana.press("Get your certificate")
        card = await dana.reads("Check it online")
        await accessible(page, axe)
        link = await card.get_by_role("link", name="Certificate (PDF)").get_attribute("href")
        assert link is not None
    async with window(browser, product.address, size=PHONE) as page:
        await page.goto(link)
        await accessible(page, axe)
        await page.screenshot(path=tmp_path / "download.png")
        async with page.expect_download() as started:
            await page.get_by_role("button", name="Download").click()
        file = await (await started.value).path()
        reading.check(file)
        code = product.read(code_of)
        assert code in reading.words(file)
        assert "Example data, not a real certificate." in reading.words(file)
        assert reading.qr_texts(reading.picture(file)) == [f"{product.address}/verify/{code}"]


def code_of(tx: Tx) -> str:
    person = people.by_email(tx, DANA)
    assert person
    return certificates.of_person(tx, person.id)[0].code


async def test_the_pages_of_a_code_on_every_screen(
    browser: Browser, product: Running, axe: str, tmp_path: Path
) -> None:
    def issue(tx: Tx) -> tuple[str, str]:
        work = product.app.product.work(tx)
        person = people.by_email(tx, DANA)
        assert person
        first = certificates.issue(work, person.id, person.name, "example/1", None)
        second = certificates.reissue(work, first, "Dana Reyes", "example/1", "name_changed", None)
        return first.code, second.code

    revoked, valid = await product.write(issue)
    pages = {
        "valid": (f"/verify/{valid}", "✓ Valid"),
        "revoked": (f"/verify/{revoked}", "✕ Revoked"),
        "unknown": ("/verify/0000-0000-0000-0000", "? Unknown"),
        "ask": ("/verify", "Check a certificate"),
        "gone": ("/download/xyz", "This link no longer works"),
    }
    for size in (DESKTOP, PHONE, NARROW):
        for scheme in ("light", "dark"):
            async with window(browser, product.address, size=size, scheme=scheme, expected="status of 4") as page:
                for name, (path, words) in pages.items():
                    await page.goto(path)
                    await expect(page.get_by_text(words).first).to_be_visible()
                    await accessible(page, axe)
                    over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                    assert over <= 0, f"{name} is wider than {size['width']} px"
                    await page.screenshot(path=tmp_path / f"{name}-{size['width']}-{scheme}.png")


async def test_a_printed_code_is_typed_by_keyboard(browser: Browser, product: Running) -> None:
    def issue(tx: Tx) -> str:
        person = people.by_email(tx, DANA)
        assert person
        return certificates.issue(product.app.product.work(tx), person.id, person.name, "example/1", None).code

    code = await product.write(issue)
    async with window(browser, product.address, size=PHONE) as page:
        await page.goto("/verify")
        await page.keyboard.press("Tab")
        await page.keyboard.type(code.lower().replace("-", " "))
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("✓ Valid")).to_be_visible()
        await expect(page.get_by_text("Dana Reyes")).to_be_visible()
