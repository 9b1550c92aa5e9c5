"""People at the workspace: what they do, what they see, where the focus goes."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from playwright.async_api import APIResponse, Browser, Page, Route, expect

from handlers.core.requests import Arrived, Command, Departed, Press, Typed
from tests.browser.workspace import PHONE, Person, Served, window
from tests.local.toy import COORDINATOR, HOME, MENTEE, MENTOR, TAP, Toy, ToyHost, post

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))


async def test_a_visitor_chooses_who_to_be(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        await page.goto("/")
        await expect(page.get_by_text("Example — not real people, not DESE policy")).to_be_visible()
        await page.get_by_role("link", name="Dana Reyes").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("PLC Cohort Bot")
        await expect(page.locator(".me")).to_contain_text("mentee")


async def test_dana_types_to_the_bot_and_it_answers(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await dana.say("Good morning")
        await dana.reads("You typed 12 characters.")
        await dana.hears("PLC Cohort Bot: You typed 12 characters.")
        await expect(page.get_by_label("Message to")).to_have_value("")
        assert [request.intent for request in toy.seen] == [Typed("Good morning")]


async def test_a_command_is_completed_by_keyboard(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user, HOME)
        box = page.get_by_label("Message to")
        await box.press_sequentially("/plc he")
        await expect(page.get_by_role("option", name="/plc help")).to_be_visible()
        await box.press("ArrowDown")
        await expect(page.get_by_role("option", name="/plc help")).to_have_attribute("aria-selected", "true")
        await box.press("Tab")
        await expect(box).to_have_value("/plc help ")
        await box.press("Enter")
        await dana.reads_notice("Only you see this")
        assert [request.intent for request in toy.seen] == [Command("help")]


async def test_escape_closes_the_completion_and_keeps_the_text(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        await Person.open(page, MENTEE.user, HOME)
        box = page.get_by_label("Message to")
        await box.press_sequentially("/plc m")
        await expect(page.get_by_role("option")).to_have_count(2)
        await box.press("Escape")
        await expect(page.locator("#commands")).to_be_hidden()
        await expect(box).to_have_value("/plc m")


async def test_two_tabs_are_two_people(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page, window(browser, served.address) as other:
        dana = await Person.open(page, MENTEE.user, HOME)
        lee = await Person.open(other, MENTOR.user, HOME)
        await dana.say("Hello from Dana")
        await lee.reads("Hello from Dana")
        await lee.hears("Dana Reyes: Hello from Dana")
        await dana.command("help")
        await dana.reads_notice("Help")
        await lee.say("Hello from Lee")
        await dana.reads("Hello from Lee")
        await expect(lee.message("Help")).to_have_count(0)


async def test_unread_messages_are_counted_until_they_are_seen(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user, HOME)
        await post(served.workspace, f"direct:{MENTEE.user}", TAP, UUID(int=9))
        link = page.get_by_role("navigation").get_by_role("link", name=re.compile("PLC Cohort Bot.*1 unread"))
        await expect(link).to_be_visible()
        await expect(page).to_have_title(re.compile(r"^\(1\)"))
        await link.click()
        await dana.reads("Are you coming?")
        await expect(page).not_to_have_title(re.compile(r"^\("))


async def test_a_pressed_card_changes_and_focus_stays(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await post(served.workspace, f"direct:{MENTEE.user}", TAP, UUID(int=9))
        await dana.reads("Are you coming?")
        await dana.press("Coming")
        await dana.reads("You are coming.")
        await expect(dana.message("Are you coming?")).to_have_count(0)
        assert await focused(page) == "Coming"


async def test_a_question_is_asked_before_the_press_counts(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await dana.command("tap")
        await dana.reads("Are you coming?")
        await dana.press("Ask first")
        await expect(page.get_by_role("dialog")).to_contain_text("Really?")
        await page.keyboard.press("Escape")
        await dana.closed()
        assert not any(isinstance(request.intent, Press) for request in toy.seen)
        await dana.press("Ask first")
        await dana.answer_question("Ask first")
        await dana.reads("You are coming.")


async def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await dana.command("steps")
        await expect(dana.dialog("Plan a meeting")).to_be_visible()
        await expect(page.get_by_label("Topic")).to_be_focused()
        await dana.fill("Notes", "bring cake")
        await dana.submit("Preview dates")
        await expect(page.get_by_label("Topic")).to_be_focused()
        await expect(page.get_by_label("Topic")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("Topic")).to_have_accessible_description(re.compile("Enter a value."))
        await dana.fill("Topic", "wrong")
        await dana.submit("Preview dates")
        await expect(page.get_by_label("Topic")).to_have_accessible_description(re.compile("Choose another topic."))
        await expect(dana.dialog().get_by_role("alert")).to_have_text("Nothing was saved.")
        await expect(page.get_by_label("Topic")).to_be_focused()
        await expect(page.get_by_label("Topic")).to_have_value("wrong")
        await expect(page.get_by_label("Notes")).to_have_value("bring cake")


async def test_a_form_leads_to_the_next_step_and_back(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await dana.command("steps")
        await dana.fill("Topic", "Belonging")
        await dana.submit("Preview dates")
        await expect(dana.dialog("Check the dates")).to_contain_text("Four meetings.")
        await dana.submit("Back")
        await expect(dana.dialog("Plan a meeting")).to_be_visible()
        await dana.fill("Topic", "Belonging")
        await dana.submit("Preview dates")
        await expect(dana.dialog("Check the dates")).to_be_visible()
        await dana.submit("Schedule")
        await dana.reads("Saved toy.done.")
        await dana.closed()
        await expect(page.get_by_label("Message to")).to_be_focused()


async def test_escape_leaves_a_form_and_asks_when_something_was_typed(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        await post(served.workspace, f"direct:{MENTEE.user}", TAP, UUID(int=9))
        await dana.reads("Are you coming?")
        await dana.press("Write")
        await page.get_by_label("What went well?").wait_for()
        await page.keyboard.press("Escape")
        await dana.closed()
        assert await focused(page) == "Write"
        await dana.press("Write")
        await dana.fill("What went well?", "A long week.")
        await page.keyboard.press("Escape")
        await dana.answer_question("Keep writing")
        await expect(page.get_by_label("What went well?")).to_have_value("A long week.")
        await page.keyboard.press("Escape")
        await dana.answer_question("Discard")
        await dana.closed()


async def test_a_notice_is_dismissed_for_good(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user, HOME)
        await dana.command("help")
        await dana.press("Dismiss this notice", await dana.reads_notice("Help"))
        await expect(dana.messages()).to_have_count(0)
        await dana.go(HOME)
        await expect(dana.messages()).to_have_count(0)


async def test_the_clock_goes_to_the_next_due_moment(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user)
        assert "Thu Nov 12, 2026, 2:30 PM CST" in await dana.clock()
        assert "Next: the reminder one day before the meeting" in await dana.clock()
        await dana.move_clock()
        await expect(page.locator(".now")).to_have_text("Fri Nov 13, 2026, 2:30 PM CST")
        await dana.hears("Done: the reminder one day before the meeting. It is now Fri Nov 13, 2026, 2:30 PM CST.")
        await dana.move_clock("+1 hour")
        await expect(page.locator(".now")).to_have_text("Fri Nov 13, 2026, 3:30 PM CST")
        await dana.move_clock("+1 day")
        await expect(page.locator(".now")).to_have_text("Sat Nov 14, 2026, 3:30 PM CST")


async def test_start_over_takes_every_tab_to_the_beginning(browser: Browser, served: Served, host: ToyHost) -> None:
    async with window(browser, served.address) as page, window(browser, served.address) as other:
        dana = await Person.open(page, MENTEE.user, HOME)
        lee = await Person.open(other, MENTOR.user, HOME)
        await dana.say("Soon forgotten")
        await lee.reads("Soon forgotten")
        await dana.move_clock("Start over")
        for person in (dana, lee):
            await expect(person.page).to_have_url(re.compile("direct$"))
            await person.settled()
            await person.go(HOME)
            await expect(person.messages()).to_have_count(0)
        assert host.resets == 1


async def test_lee_makes_a_channel_and_adds_dana(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        lee = await Person.open(page, MENTOR.user)
        await page.get_by_role("button", name="New channel").click()
        await lee.fill("Name", "Not a name!")
        await lee.submit("Create")
        await expect(page.get_by_label("Name")).to_have_accessible_description(re.compile("small letters"))
        await lee.fill("Name", "new-cohort")
        await lee.submit("Create")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("new-cohort")
        await expect(page.locator("#head")).to_contain_text("1 person")
        await lee.settled()
        await page.get_by_role("button", name="Add people").click()
        await page.get_by_label("Dana Reyes").check()
        await lee.submit("Add people")
        await lee.closed()
        await expect(page.locator("#head")).to_contain_text("2 people")
        arrived = [request for request in toy.seen if isinstance(request.intent, Arrived)]
        assert [(request.who.user, request.place.name) for request in arrived] == [(MENTEE.user, "new-cohort")]


async def test_ruth_joins_and_leaves_a_channel(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        ruth = await Person.open(page, COORDINATOR.user, HOME)
        await expect(page.get_by_label("Message to")).to_have_count(0)
        await page.get_by_role("button", name="Join #ozarks-cohort").click()
        await page.get_by_label("Message to").wait_for()
        await ruth.settled()
        await page.get_by_role("button", name="Leave").click()
        await ruth.answer_question("Leave")
        await expect(page).to_have_url(re.compile("direct$"))
        assert [type(request.intent) for request in toy.seen] == [Arrived, Departed]


async def test_dana_becomes_lee_in_the_same_channel(browser: Browser, served: Served) -> None:
    async with window(browser, served.address) as page:
        await Person.open(page, MENTEE.user, HOME)
        await page.get_by_text("Be somebody else").click()
        await page.get_by_role("link", name="Lee Park").click()
        await expect(page.locator(".me")).to_contain_text("Lee Park")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("ozarks-cohort")


async def test_on_a_phone_the_sidebar_is_a_menu(browser: Browser, served: Served) -> None:
    async with window(browser, served.address, size=PHONE, touch=True) as page:
        dana = await Person.open(page, MENTEE.user)
        await expect(page.get_by_role("link", name="ozarks-cohort")).to_be_hidden()
        await page.get_by_role("button", name="Menu").click()
        await expect(page.get_by_role("button", name="Close the menu")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Menu")).to_be_focused()
        await page.get_by_role("button", name="Menu").click()
        await page.get_by_role("link", name="ozarks-cohort").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("ozarks-cohort")
        await dana.fits()


async def test_what_failed_is_said_and_the_text_is_kept(browser: Browser, served: Served, toy: Toy) -> None:
    async with window(browser, served.address) as page:
        dana = await Person.open(page, MENTEE.user, HOME)
        toy.fail = True
        await dana.command("help")
        await expect(page.get_by_role("alert")).to_contain_text(
            "Something went wrong and nothing was saved. Please try again."
        )
        await expect(page.get_by_label("Message to")).to_have_value("/plc help")
        toy.fail = False
        await page.get_by_label("Message to").press("Enter")
        await dana.reads_notice("Help")


async def test_an_answer_lost_on_the_way_is_asked_for_again_under_the_same_key(
    browser: Browser, served: Served, toy: Toy
) -> None:
    lost: list[APIResponse] = []

    async def lose(route: Route) -> None:
        if lost:
            await route.continue_()
        else:
            lost.append(await route.fetch())  # the bot did it; the page never hears of it
            await route.abort()

    async with window(browser, served.address, expected="net::ERR_FAILED") as page:
        dana = await Person.open(page, MENTEE.user)
        await page.route("**/say", lose)
        await dana.say("Once only")
        await dana.reads("You typed 9 characters.")
        await expect(dana.messages()).to_have_count(2)
        assert len(toy.seen) == 1
