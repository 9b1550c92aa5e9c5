"""What every task costs, counted in the browser and held against docs/effort.md."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from storage.core.database import Tx
from storage.people.people_tables import account
from tests.browser.product import CAROL, DANA, GATEWAY, JORDAN, MARIA, OZARKS, RUTH, TOM, Running
from tests.browser.workspace import Person, Windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DOCUMENT = Path(__file__).parents[2] / "docs" / "effort.md"
COUNTED = ("messages", "taps", "filled", "required", "prefilled")

# Counts what a person does on a page; the tally outlives the page, as a task may go through several.
COUNTER = """
(() => {
  if (!location.protocol.startsWith("http") || window.tally) return;
  window.tally = () => JSON.parse(sessionStorage.effort ?? "{}");
  const add = (name, count = 1) => {
    const before = window.tally();
    sessionStorage.effort = JSON.stringify({ ...before, [name]: (before[name] ?? 0) + count });
  };
  const initial = (input) => {
    const options = [...(input.options ?? [])];
    if (options.length) return (options.find((one) => one.defaultSelected) ?? options[0]).value;
    if (input.matches("[type=radio], [type=checkbox]")) return input.defaultChecked ? input.value : "";
    return input.defaultValue;
  };
  const present = (input) =>
    input.matches("[type=radio], [type=checkbox]") ? (input.checked ? input.value : "") : input.value;
  const countFields = (dialog) => {
    for (const field of dialog.querySelectorAll("[data-field]")) {
      const inputs = [...field.querySelectorAll("input, textarea, select")];
      const before = inputs.map(initial).join("");
      if (inputs.map(present).join("") !== before) add("filled");
      if (!field.hasAttribute("data-needed") && !inputs[0].required) continue;
      add("required");
      if (before) add("prefilled");
    }
  };
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("button, a");
    if (!pressed || !event.isTrusted || pressed.id === "send") return;
    add("taps");
    const dialog = pressed.closest("dialog[data-form]");
    if (dialog && pressed.type === "submit") countFields(dialog);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "composer" && event.target.value.trim()) add("messages");
  }, true);
})();
"""

Costs = dict[str, tuple[int, ...]]


def told(heading: str) -> Costs:
    """The table under this heading of the document."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|((?: *\d+ *\|)+)$", section, re.MULTILINE)
    return {task: tuple(int(cell) for cell in re.findall(r"\d+", cells)) for task, cells in rows}


@dataclass
class Tally:
    """What the tasks cost so far."""

    costs: Costs = field(default_factory=dict)

    @asynccontextmanager
    async def task(self, who: Person, name: str) -> AsyncIterator[None]:
        await who.page.evaluate("sessionStorage.effort = '{}'")
        yield
        counted = await who.page.evaluate("tally()")
        self.costs[name] = tuple(counted.get(column, 0) for column in COUNTED)


async def open_at(page: Page, product: Running, user: str, channel: str | None = None) -> Person:
    await page.add_init_script(COUNTER)
    return await Person.open(page, user, channel, product.address)


def hour(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


async def test_what_a_mentee_does(windows: Windows, product: Running) -> None:
    tally = Tally()
    await product.write(unknown_again)
    async with windows.take(2) as (page, other):
        tom = await open_at(other, product, TOM, GATEWAY)
        await tom.command("cohort link")
        jordan = await open_at(page, product, JORDAN)
        await jordan.reads("Is this you?")
        async with tally.task(jordan, "Say who one is, once"):
            await jordan.press("Yes, that's me")
            await jordan.reads("Good to meet you, Jordan Blake.")

        dana = await open_at(page, product, DANA, OZARKS)
        async with tally.task(dana, "Say whether one is coming"):
            await dana.press("Coming")
            await dana.reads("Coming (1): Dana Reyes")
        await dana.go()
        async with tally.task(dana, "See one's own progress"):
            await dana.command("progress")
            await dana.reads("Your progress")
        async with tally.task(dana, "See the next meeting and answer it"):
            await dana.command("next")
            await dana.press("Can't", await dana.reads("Next: "))
            await dana.reads("You said you can't come.")
        async with tally.task(dana, "See who sees what"):
            await dana.command("privacy")
            await dana.reads("Who sees what")
        async with tally.task(dana, "Pause check-ins until a day"):
            await dana.say("snooze until Friday")
            await dana.reads("No check-ins until Fri Oct 23, 2026.")
        async with tally.task(dana, "End the pause"):
            await dana.say("resume")
            await dana.reads("Pause ended.")

        await product.go_to(hour(10, 22, 20))
        await dana.reads("How are things going?")
        async with tally.task(dana, "Answer a check-in with a number"):
            await dana.press("3")
            await dana.reads("Saved.")
        async with tally.task(dana, "Write a reflection in the form"):
            await dana.press("Write or change")
            await dana.dialog().locator("textarea").first.fill("As many words as I like.")
            await dana.submit("Save")
            await dana.closed()
        async with tally.task(dana, "Write a reflection into the chat"):
            await dana.say("A long week, and a good one.")
            await dana.press("Keep as my reflection", await dana.reads("Should I keep that"))
            await dana.reads("The form keeps nothing in the chat.")
        async with tally.task(dana, "Take back what one wrote into the chat"):
            await dana.press("Undo")
            await dana.reads("Undone")
        async with tally.task(dana, "Ask the mentor to reach out"):
            await dana.press("Ask my mentor to reach out")
            await dana.reads("I asked your mentor to reach out.")
        async with tally.task(dana, "Read again what one wrote"):
            await dana.command("reflections")
            listed = await dana.reads("Your reflections")
            await dana.press("Open", listed)
            await expect(dana.dialog().locator("textarea").first).to_have_value("As many words as I like.")
        await dana.page.keyboard.press("Escape")
        async with tally.task(dana, "Share a reflection with the mentor"):
            await dana.command("reflections")
            await dana.press("Share", await dana.reads("Your reflections"))
            await dana.submit("Share")
            await dana.closed()
        async with tally.task(dana, "Turn check-ins off"):
            await dana.say("checkins off")
            await dana.reads("Check-ins are off.")
        maria = await open_at(other, product, MARIA)
        async with tally.task(maria, "Agree to check-ins, or decline, once"):
            await maria.press("Agree", await maria.reads("Before your first check-in"))
            await maria.reads("How are things going?")
        await product.go_to(hour(10, 22, 20, 20))
        await dana.go(OZARKS)
        async with tally.task(dana, 'Say "I\'m here"'):
            await dana.press("I'm here")
            await dana.reads("Here (1): Dana Reyes")
    assert tally.costs == told("A mentee")


def unknown_again(tx: Tx) -> None:
    """Jordan's account is nobody's: as it is before the bot has met somebody."""
    tx.execute(update(account).where(account.c.user == JORDAN).values(person_id=None, link="none"))


async def test_what_a_mentor_does_before_a_meeting(windows: Windows, product: Running) -> None:
    tally = Tally()
    async with windows.take(1) as (page,):
        tom = await open_at(page, product, TOM, GATEWAY)
        async with tally.task(tom, "Link the home channel"):
            await tom.command("cohort link")
            await tom.reads("it becomes the home of Gateway")

        ruth = await open_at(page, product, RUTH)
        async with tally.task(ruth, "Schedule one meeting"):
            await ruth.command("meeting new")
            await ruth.fill("Topic", "Crisis plans")
            await ruth.submit("Preview dates")
            await ruth.submit("Schedule")
            await ruth.reads("Scheduled 1 meeting")
        async with tally.task(ruth, "Schedule a series"):
            await ruth.command("meeting new")
            await ruth.fill("Topic", "Book circle")
            await ruth.choose("Repeat", "Every two weeks")
            await ruth.fill("Repeat until", "2026-12-18")
            await ruth.submit("Preview dates")
            await ruth.submit("Schedule")
            await ruth.reads(re.compile(r"Scheduled [2-9] meetings"))
        async with tally.task(ruth, "Move one meeting"):
            listed = await ruth.asks("meetings", "Meetings of Ozarks")
            await listed.get_by_role("button", name="Move").nth(0).click()
            await ruth.fill("New date", "2026-11-10")
            await ruth.submit("Move")
            await ruth.reads("Moved 1 meeting")
        async with tally.task(ruth, "Move the rest of a series"):
            listed = await ruth.asks("meetings", "Meetings of Ozarks")
            await listed.get_by_role("button", name="Move").nth(1).click()
            await ruth.dialog().get_by_label(re.compile("after it$")).check()
            await ruth.fill("New time", "16:00")
            await ruth.submit("Move")
            await ruth.reads(re.compile(r"Moved [2-9] meetings"))
        async with tally.task(ruth, "Cancel a meeting"):
            listed = await ruth.asks("meetings", "Meetings of Ozarks")
            await listed.get_by_role("button", name="Cancel").nth(2).click()
            await ruth.submit("Cancel meeting")
            await ruth.reads("Cancelled 1 meeting")
        async with tally.task(ruth, "Take a cancellation back"):
            await ruth.press("Undo")
            await ruth.reads("Undone. 1 meeting is back on the schedule.")
        async with tally.task(ruth, "Call a snow day"):
            listed = await ruth.asks("meetings", "Meetings of Ozarks")
            await listed.get_by_role("button", name="Snow day").first.click()
            await ruth.answer_question("Snow day")
            await ruth.reads("is a snow day")
        async with tally.task(ruth, "Add a break"):
            await ruth.command("breaks")
            await ruth.press("Add a break")
            await ruth.fill("Name", "Spring break")
            await ruth.fill("First day", "2027-03-15")
            await ruth.fill("Last day", "2027-03-19")
            await ruth.submit("See what it changes")
            await ruth.submit("Add it")
            await ruth.reads("Added Spring break")
        async with tally.task(ruth, "See the cohort's progress"):
            await ruth.command("progress")
            await ruth.reads("Progress of Ozarks")
        async with tally.task(ruth, "Change the reminders"):
            await ruth.command("cohort")
            await ruth.press("Settings")
            await ruth.choose("Second reminder before a meeting", "30 minutes")
            await ruth.submit("Save")
            await ruth.reads("Saved. Reminders:")
        async with tally.task(ruth, "Get check-ins oneself"):
            await ruth.say("checkins on")
            await ruth.reads("Check-ins are on.")
    expected = told("A mentor")
    assert tally.costs == {task: expected.get(task) for task in tally.costs}
    assert set(expected) == tally.costs.keys() | AFTERWARDS


AFTERWARDS = {
    "Confirm a roster on which everybody came",
    "Confirm those who tapped",
    "Record that somebody did not come",
    "Record that somebody was there for a part",
    "Add a visitor",
    "Correct what was recorded",
    "Write the summary",
    "Edit the summary",
    "Remove the summary",
}


async def test_what_a_mentor_does_after_a_meeting(windows: Windows, product: Running) -> None:
    tally = Tally()
    await product.go_to(hour(10, 22, 21, 30))
    async with windows.take(2) as (page, other):
        ruth = await open_at(page, product, RUTH)
        await ruth.reads("Who came?")
        async with tally.task(ruth, "Confirm a roster on which everybody came"):
            await ruth.press("Everyone came")
            await ruth.reads("Attendance is complete")
        async with tally.task(ruth, "Write the summary"):
            await ruth.press("Write the summary")
            await ruth.fill("What we did", "Read two referral forms together.")
            await ruth.submit("Preview")
            await ruth.submit("Post to the cohort")
            await ruth.reads("Posted in the cohort's channel.")
        async with tally.task(ruth, "Edit the summary"):
            await ruth.press("Edit")
            await ruth.fill("Next steps", "Bring one of yours.")
            await ruth.submit("Preview")
            await ruth.submit("Post to the cohort")
            await ruth.reads("I changed the posted summary.")
        async with tally.task(ruth, "Remove the summary"):
            await ruth.press("Remove")
            await ruth.answer_question("Remove")
            await ruth.reads("Removed from the channel.")

        await product.go_to(hour(11, 5, 21, 20))
        dana = await open_at(other, product, DANA, OZARKS)
        await dana.press("I'm here")
        await dana.reads("Here (1): Dana Reyes")
        await product.go_to(hour(11, 5, 22, 30))
        await ruth.reads("Who came?")
        async with tally.task(ruth, "Confirm those who tapped"):
            await ruth.press("Confirm the 1 who tapped")
            await expect(ruth.message("Who came?").get_by_role("row", name="Dana Reyes Present")).to_be_visible()
        async with tally.task(ruth, "Record that somebody did not come"):
            await ruth.press("Person by person")
            await ruth.choose("Lee Okafor", "Absent")
            await ruth.submit("Save")
            await ruth.reads("3 people still need an answer.")
        async with tally.task(ruth, "Record that somebody was there for a part"):
            await ruth.press("Person by person")
            await ruth.choose("Maria Gutierrez", "Partly there")
            await ruth.submit("Save")
            await ruth.fill("Maria Gutierrez, minutes", "30")
            await ruth.submit("Save")
            await ruth.reads("2 people still need an answer.")
        async with tally.task(ruth, "Add a visitor"):
            await ruth.press("Person by person")
            await ruth.fill("A visitor from another cohort", "Jordan Blake")
            await ruth.submit("Save")
            await expect(ruth.message("Who came?").get_by_role("row", name="Jordan Blake (visitor)")).to_be_visible()
        async with tally.task(ruth, "Correct what was recorded"):
            await ruth.press("Person by person")
            await ruth.choose("Lee Okafor", "Excused")
            await ruth.choose("Why (only for a correction)", "I learned about it later")
            await ruth.submit("Save")
            await expect(ruth.message("Who came?").get_by_role("row", name="Excused (corrected)")).to_be_visible()
    expected = told("A mentor")
    assert tally.costs == {task: expected[task] for task in AFTERWARDS}


async def test_what_a_coordinator_does(windows: Windows, product: Running) -> None:
    tally = Tally()
    async with windows.take(1) as (page,):
        carol = await open_at(page, product, CAROL, OZARKS)
        async with tally.task(carol, "See one cohort's progress"):
            await carol.command("progress")
            await carol.reads("Progress of Ozarks")
        await carol.go()
        async with tally.task(carol, "Match someone by hand"):
            await carol.say("people")
            await carol.press("Match someone")
            await carol.choose("On the roster", "Alex Romero <alex.romero@example.org>")
            await carol.choose("Account", "Alex R. (no address, guest or unconfirmed, local)")
            await carol.submit("Match")
            await carol.reads("Alex Romero is now matched")
        async with tally.task(carol, "See the digest now"):
            await carol.say("digest")
            await carol.reads("Weekly digest")
        async with tally.task(carol, "See the program's progress"):
            await carol.say("progress")
            await carol.reads("Progress of the program")
        async with tally.task(carol, "Edit the check-in prompts"):
            await carol.say("prompts")
            await carol.fill("Prompts", "What made you smile?\nWhat was hard?\nWhom did you meet?")
            await carol.submit("Save")
            await carol.reads("Saved 3 prompts.")
        async with tally.task(carol, "Add a break for the whole program"):
            await carol.say("breaks")
            await carol.press("Ozarks", await carol.reads("Which cohort?"))
            await carol.press("Add a break", await carol.reads("Breaks of Ozarks"))
            await carol.fill("Name", "Summer")
            await carol.fill("First day", "2027-06-01")
            await carol.fill("Last day", "2027-08-10")
            await carol.choose("For", "The whole program")
            await carol.submit("See what it changes")
            await carol.submit("Add it")
            await carol.reads("Added Summer")
        await product.go_to(hour(10, 25, 22))
        await carol.reads("Attendance is still not confirmed")
        async with tally.task(carol, "Confirm attendance in a mentor's place"):
            await carol.press("Everyone came")
            await carol.reads("Attendance is complete")
    assert tally.costs == told("A coordinator")


async def test_the_promise_is_kept() -> None:
    """The sentence by which the product is measured, read from the same table."""
    mentee, mentor = told("A mentee"), told("A mentor")
    one_tap = (0, 1, 0, 0, 0)
    assert mentee['Say "I\'m here"'] == one_tap
    assert mentee["Say whether one is coming"] == one_tap
    assert mentee["Answer a check-in with a number"] == one_tap
    assert mentee["Write a reflection in the form"][COUNTED.index("required")] == 0
    assert mentor["Confirm a roster on which everybody came"] == one_tap
    assert mentor["Write the summary"][COUNTED.index("required")] <= 3
