"""The record of two years in Teams, over HTTP with tokens: each flow once, as people see it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from storage.people.people_tables import account
from storage.record import ledger, policies, verification
from storage.record.record_tables import dispute
from tests.fakes.teams import actions_of, inputs_of
from tests.teams.story import DANA, LEE, OLLIE, Answer, Dialog, Someone, Story, linked, shown, somebody
from tests.teams.test_story_meetings import THURSDAY, plan
from tests.world import everybody_on, renamed

AFTER = THURSDAY + timedelta(minutes=60)
CANARY = "canary-Wasserralle-9052"
YEARS = "Meetings, Year 1 (2026-27): "


@pytest.fixture
async def matched(story: Story) -> AsyncIterator[dict[str, Someone]]:
    """Everybody is matched, on the example policy; at the end every chain is whole."""
    everybody = await linked(story)
    on(story, policies.EXAMPLE)
    yield everybody
    key = story.app.product.chain_key
    assert story.read(lambda tx: verification.verify(tx, key)).problems == []


def on(story: Story, policy: str) -> None:
    with story.database.write() as tx:
        everybody_on(tx, policy)


async def opens(who: Someone, words: str, title: str) -> Dialog:
    """Send a command that leads to a form, and open the form with the button that comes."""
    asked = await who.says(words)
    return (await who.taps(asked.messages[0], title)).dialog


def option(dialog: Dialog, field: str, label: str) -> str:
    """The value of the choice whose title holds this."""
    (part,) = (part for name, part in inputs_of(dialog.card).items() if name.endswith(field))
    (value,) = (choice["value"] for choice in part["choices"] if label in choice["title"])
    return str(value)


def field(dialog: Dialog, label: str) -> str:
    return next(name for name, text in dialog.labels().items() if text == label)


async def absent(story: Story, everybody: dict[str, Someone]) -> None:
    """A meeting at which Ruth records Dana as absent."""
    ruth = everybody["ruth"]
    await plan(ruth)
    await story.go_to(AFTER)
    dialog = (await ruth.taps(ruth.sees("Who came?"), "Person by person")).dialog
    marks = {"Dana Reyes": "absent", "Lee Okafor": "present", "Sam Whitfield": "present"}
    await ruth.sends(dialog, **{field(dialog, name): status for name, status in marks.items()})


def steps(story: Story, someone: Someone) -> list[tuple[str, str]]:
    return [(line.kind, line.step) for line in story.read(lambda tx: ledger.of_person(tx, someone.id))]


async def progress(someone: Someone) -> str:
    return (await someone.says("progress")).text


async def test_an_activity_is_logged_and_verified(story: Story, matched: dict[str, Someone]) -> None:
    dana, ruth = matched["dana"], matched["ruth"]
    dialog = await opens(dana, "log", "Log an activity")
    assert "Please leave out student names and private matters." in dialog.text
    wrong = await dana.sends(dialog, type="contact", day="2026-09-07", minutes=30)
    assert "counts in person, by video or by phone." in wrong.dialog.text

    done = await dana.sends(wrong.dialog, mode="phone")

    assert done.closed
    assert "Logged: One-to-one contact with the mentor, 30 minutes. I asked your mentor to verify it." in done.text
    asked = ruth.sees("An activity to verify")
    assert "Dana Reyes: One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes." in shown(asked)
    assert matched["tom"].never_saw("An activity to verify")
    assert "Year 1 (2026-27): 0 of 2" in await progress(dana)
    pressed = await ruth.taps(asked, "Verify")
    assert pressed.card is not None, "the answer to the press is the settled card"
    assert pressed.text == (
        "Activity verified\nDana Reyes: One-to-one contact with the mentor, Mon Sep 7, 2026, 30 minutes."
    )
    before = story.everything()
    await ruth.repeats()
    assert story.everything() == before
    assert "Verify" not in actions_of(asked.card)
    assert dana.sees("Your activity is verified")
    assert "Year 1 (2026-27): 1 of 2" in await progress(dana)
    assert steps(story, dana) == [("activity", "logged"), ("activity", "verified")]


async def test_a_missed_meeting_is_made_up(story: Story, matched: dict[str, Someone]) -> None:
    dana, ruth, carol = matched["dana"], matched["ruth"], matched["carol"]
    await absent(story, matched)
    dialog = await opens(dana, "makeup", "Make up a meeting")
    meeting = option(dialog, "meeting", "Small groups (absent)")

    done = await dana.sends(dialog, meeting=meeting, type="observation", day="2026-09-10", minutes=60)

    assert "Request sent to your mentor or coordinator. I'll tell you the decision." in done.text
    asked = ruth.sees("A make-up to approve")
    assert "to make up Small groups of Thu Sep 10, 2026." in shown(asked)
    pressed = await carol.taps(carol.sees("A make-up to approve"), "Approve")
    assert pressed.text.startswith("Make-up approved\nDana Reyes: Observation")
    assert shown(asked).startswith("Make-up approved"), "the mentor's copy says it is done"
    assert dana.sees("Your make-up is approved")
    assert YEARS + "1 of 8" in await progress(dana)
    assert "You have no missed meetings" in (await dana.says("makeup")).text


async def test_a_leave_is_asked_and_granted(story: Story, matched: dict[str, Someone]) -> None:
    dana, carol = matched["dana"], matched["carol"]
    dialog = await opens(dana, "leave", "Leave of absence")
    wrong = await dana.sends(dialog, starts="2026-09-08", ends="2026-09-01", reason="family")
    assert "The last day must be after the first day." in wrong.dialog.text
    await dana.sends(wrong.dialog, ends="2026-12-20")
    asked = carol.sees("A leave request to decide")
    assert "Dana Reyes: Tue Sep 8, 2026 to Sun Dec 20, 2026 (Family or parental leave)." in shown(asked)

    granted = (await carol.taps(asked, "Approve")).text
    assert granted == "Leave approved\nDana Reyes: Tue Sep 8, 2026 to Sun Dec 20, 2026 (Family or parental leave)."

    assert ("You won't get check-ins during your leave. Everything you did still counts.") in shown(
        dana.sees("Your leave is approved")
    )
    await story.go_to(datetime(2026, 9, 18, 12, 0, tzinfo=UTC))
    assert dana.never_saw("check-in is closed")
    assert not matched["sam"].never_saw("check-in is closed"), "the others were asked"
    assert (
        "On leave until December 20, 2026. Nothing is due during the leave. Everything done before still counts."
    ) in await progress(dana)


async def test_a_dispute_is_read_by_those_it_is_for_and_by_nobody_else(
    story: Story, matched: dict[str, Someone]
) -> None:
    await a_dispute(story, matched)
    saw = [answer for answer in story.answers if CANARY in json.dumps(answer.body)]
    assert {answer.act["from"]["name"] for answer in saw} == {"Carol Dietz"}
    assert all(answer.body["task"]["type"] == "continue" for answer in saw), "it is only ever a dialog"


async def a_dispute(story: Story, everybody: dict[str, Someone]) -> None:
    dana, ruth, carol = everybody["dana"], everybody["ruth"], everybody["carol"]
    await absent(story, everybody)
    letters = len(ruth.chat)
    dialog = await opens(dana, "dispute", "A record is wrong")
    assert "Only the people you choose can read this." in dialog.text
    record = option(dialog, "record", "Small groups, absent")
    done = await dana.sends(dialog, record=record, readers="coordinator", text=f"{CANARY} was there")
    assert "I asked the people you chose to look at it" in done.text
    asked = carol.sees("A record is disputed")
    assert "Dana Reyes says a record is wrong: Thu Sep 10, 2026, Small groups, absent." in shown(asked)
    assert ruth.chat[letters:] == [], "it is for the coordinator alone"
    for someone in (dana, ruth, carol):
        for command in ("progress", "digest", "next"):
            await someone.says(command)

    read = await carol.taps(asked, "Read it")
    assert read.dialog.title == "Disputed record"
    assert f"{CANARY} was there" in read.dialog.text
    dispute_id = story.read(lambda tx: tx.scalar(select(dispute.c.id)))
    forged = await forges(ruth, dispute_id)
    assert "I can't find that dispute." in forged.text

    settle = (await carol.taps(asked, "Settle it")).dialog
    corrected = (await carol.sends(settle, outcome="corrected")).dialog
    assert shown(asked).startswith("A record is disputed")
    present = {field(corrected, "Dana Reyes"): "present", "reason": "mentee_asked"}
    assert "Saved." in (await carol.sends(corrected, **present)).text
    assert shown(asked).startswith("Dispute settled")
    assert "The record was wrong. It is corrected." in shown(dana.sees("Your dispute is settled"))
    assert YEARS + "1 of 8" in await progress(dana)
    disputed = [("attendance", "confirmed"), ("dispute", "opened"), ("attendance", "corrected"), ("dispute", "settled")]
    assert steps(story, dana) == disputed


async def forges(someone: Someone, dispute_id: UUID | None) -> Answer:
    """Somebody opens a form with an id of their own choosing."""
    return await someone.acts(someone.client.opens_dialog({"plc": {"act": f"disputes.read|{dispute_id}"}}))


async def test_the_coordinator_opens_one_record_transfers_credits_and_undoes(
    story: Story, matched: dict[str, Someone]
) -> None:
    dana, carol = matched["dana"], matched["carol"]
    assert "only for coordinators" in (await matched["ruth"].says("person Dana Reyes")).text
    record = (await carol.says("person Dana Reyes")).messages[0]
    assert "Check code" not in shown(record)
    details = (await carol.taps(record, "Details")).dialog
    assert "Check code" in details.text
    assert "empty" in details.text

    dialog = (await carol.taps(record, "Credit")).dialog
    values: dict[str, str | int] = {
        "rule": "meetings",
        "year": "1",
        "amount": 3,
        "day": "2026-09-07",
        "reason": "prior_program",
    }
    done = await carol.sends(dialog, **values)
    assert "Saved for Dana Reyes. I'll tell them. If you undo it, the record will show both." in done.text
    assert "Carol Dietz credited you with 3 meetings in year 1." in shown(dana.sees("Your record changed"))
    assert YEARS + "3 of 8" in await progress(dana)
    undone = await carol.taps(done.messages[0], "Undo")
    assert "Undone for Dana Reyes. The record shows both." in undone.text
    assert "Carol Dietz removed your credit: 3 meetings in year 1." in shown(dana.sees("Your record changed"))
    assert YEARS + "0 of 8" in await progress(dana)

    dialog = (await carol.taps(record, "Transfer")).dialog
    to = option(dialog, "cohort", "Gateway")
    moved = await carol.sends(dialog, cohort=to, day="2026-09-07", reason="moved")
    assert "Dana Reyes is in Gateway from Mon Sep 7, 2026. All credit is kept." in moved.text
    before = story.everything()
    await carol.repeats()
    assert story.everything() == before
    changed = dana.sees("Your record changed")
    assert "Carol Dietz moved you to Gateway, starting Mon Sep 7, 2026." in shown(changed)
    assert "Gateway" in (await dana.says("cohort")).text
    assert steps(story, dana) == [("credit", "granted"), ("credit", "withdrawn"), ("transfer", "made")]


async def test_what_a_policy_leaves_open_is_filled_in_after_reading_it(
    story: Story, matched: dict[str, Someone]
) -> None:
    dana, carol = matched["dana"], matched["carol"]
    on(story, policies.MISSOURI)
    assert "the number required isn't set yet" in await progress(dana)
    policy = (await carol.says("policy")).messages[0]
    assert "Meetings: at least (not set yet) in the year." in shown(policy)

    dialog = (await carol.taps(policy, "Fill in 12 values")).dialog
    needed = field(dialog, "Meetings: how many are needed")
    partly = field(dialog, "Does attending part of a meeting count?")
    wrong = await carol.sends(dialog, **{needed: "many"})
    assert "Enter a whole number" in wrong.dialog.text
    read = await carol.sends(wrong.dialog, **{needed: "6", partly: "yes"})
    assert read.dialog.title == "Is this the policy?"
    assert "Meetings: at least 6 in the year." in read.dialog.text
    assert "Attending part of a meeting counts, for the minutes attended." in read.dialog.text
    assert "hasn't set" in await progress(dana), "reading it changes nothing"
    back = await carol.goes_back(read.dialog)
    assert back.dialog.fields[needed] == "6"
    assert (
        "Saved for everyone on Missouri DESE counselor mentoring program, version 2018."
        in (await carol.sends(read.dialog)).text
    )

    assert YEARS + "0 of 6" in await progress(dana)


async def test_person_takes_a_mention_of_a_confirmed_account(story: Story, matched: dict[str, Someone]) -> None:
    carol = matched["carol"]
    assert shown((await carol.asks("person", others=[DANA])).messages[0]).startswith("Dana Reyes")
    assert "only for coordinators" in (await matched["ruth"].asks("person", others=[DANA])).text
    assert "Mention one person" in (await carol.asks("person", others=[DANA, LEE])).text
    nobody = "That account isn't matched to anyone on the roster."
    assert nobody in (await carol.asks("person", others=[OLLIE])).text
    unknown = somebody("Dana Reyes", 99)  # not in the team, with the name of somebody who is
    assert nobody in (await carol.asks("person", others=[unknown])).text


async def test_person_takes_no_mention_of_an_account_whose_seal_does_not_fit(story: Story) -> None:
    everybody = await linked(story)
    dana, carol = everybody["dana"], everybody["carol"]
    assert shown((await carol.asks("person", others=[LEE])).messages[0]).startswith("Lee Okafor")
    with story.database.write() as tx:
        tx.execute(update(account).where(account.c.user == LEE.object_id).values(person_id=dana.id))
    assert "isn't matched to anyone" in (await carol.asks("person", others=[LEE])).text


async def test_a_right_to_left_name_is_isolated_on_teams(story: Story, matched: dict[str, Someone]) -> None:
    with story.database.write() as tx:
        renamed(tx, "dana@example.org", "נעמה לוי")
    assert "\u2068נעמה לוי\u2069" in (await matched["ruth"].says("progress")).text
