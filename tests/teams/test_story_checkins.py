"""Step 5: check-ins. What somebody writes is read by nobody, stands in no chat, no log and no file."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

from bot.cli import roster
from storage.checkins import checkins
from storage.checkins.checkins import CheckIn
from storage.checkins.checkins_tables import checkin
from storage.people import account_links
from storage.vault import vault
from tests.fakes.teams import CHANNEL, actions_of
from tests.teams.story import Someone, Story, shown, somebody

CANARY = "heron-marigold-7731"
TYPED = "quillback-sorrel-4482"


async def asked(story: Story) -> None:
    """To the first check-in of everybody who gets one."""
    while not story.read(lambda tx: tx.execute(checkin.select()).first()):
        await story.pass_time(days=1)


def _open_of(story: Story, someone: Someone) -> CheckIn:
    checkin = story.read(lambda tx: checkins.open_of(tx, someone.id, story.clock.now()))
    assert checkin is not None
    return checkin


async def test_a_pulse_is_one_tap(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    card = dana.sees("How are things going?")
    assert list(actions_of(card.card))[:5] == ["1 hard", "2", "3", "4", "5 great"]
    assert cohort["ruth"].never_saw("How are things going?")

    answer = await dana.taps(card, "4")

    assert answer.card is not None
    assert "Saved. I show your number only to you." in answer.text
    assert shown(card).startswith("Check-in")
    before = story.everything()
    await dana.repeats()
    assert story.everything() == before
    await dana.taps(card, "Change my number")
    assert list(actions_of(card.card))[:5] == ["1 hard", "2", "3", "4", "5 great"], "until it closes"
    await dana.taps(card, "2")
    assert "Change my number" in actions_of(card.card)


async def test_a_reflection_is_only_ever_its_authors_dialog(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    card = dana.sees("How are things going?")

    # The reflection is only ever a dialog.
    opened = await dana.taps(card, "Write a reflection")
    assert opened.dialog.title == "Your reflection"
    assert len(opened.dialog.fields) == 3
    assert "hotline" in opened.dialog.text
    first, second, _ = opened.dialog.fields
    done = await dana.sends(opened.dialog, **{first: f"{CANARY} went well"})
    assert done.closed
    assert "Saved. I show it to no one" in done.text
    assert "Write or change" in actions_of(card.card)

    # Typed into the chat it is saved too where she wants that, not echoed, and can be undone.
    offered = await dana.says(f"{TYPED} was hard")
    assert TYPED not in offered.text
    typed = await dana.taps(offered.messages[0], "Keep as my reflection")
    assert "Saved." in typed.text
    assert "This chat itself keeps what you typed." in typed.text
    assert TYPED not in typed.text
    before = story.everything()
    await dana.repeats()
    assert story.everything() == before
    again = await dana.taps(card, "Write or change")
    assert again.dialog.fields[first] == f"{CANARY} went well"
    assert again.dialog.fields["typed"] == f"{TYPED} was hard"
    undone = await dana.taps(offered.messages[0], "Undo")
    assert "Undone" in undone.text
    again = await dana.taps(card, "Write or change")
    assert "typed" not in again.dialog.fields
    await dana.taps((await dana.says(f"{TYPED} was hard")).messages[0], "Keep as my reflection")

    # A dialog that comes back because something is too long holds it, and nothing else does.
    long = await dana.sends(again.dialog, **{second: f"{CANARY} {'x' * 3000}"})
    assert "Use 3,000 or fewer" in long.dialog.text

    # An exact command wins over the open check-in.
    assert "What I can do" in (await dana.says("Help")).text

    # Nobody else can open it: not the mentor, not the coordinator, not with a forged button.
    checkin_id = _open_of(story, dana).id
    for name in ("ruth", "carol", "lee"):
        forged = await cohort[name].acts(
            cohort[name].client.opens_dialog({"plc": {"act": f"checkins.write|{checkin_id}"}})
        )
        assert "I can't find that check-in." in forged.text
    await cohort["carol"].says("digest")
    await cohort["ruth"].says("progress")
    seen = [answer for answer in story.answers if CANARY in json.dumps(answer.body) or TYPED in json.dumps(answer.body)]
    assert {answer.act["from"]["name"] for answer in seen} == {"Dana Reyes"}
    assert all(answer.body["task"]["type"] == "continue" for answer in seen)


async def test_the_digest_does_not_tell_who_answered_by_what_failed(story: Story, cohort: dict[str, Someone]) -> None:
    """Dana deleted the message, so it cannot be changed when she has answered by another one."""
    dana = cohort["dana"]
    await asked(story)
    story.fake.fail("PUT", "/activities", "404")

    await dana.taps((await dana.says("checkin")).messages[0], "3")

    assert "Dana" not in (await cohort["carol"].says("digest")).text


async def test_the_mentor_is_asked_to_reach_out_and_told_no_more(story: Story, cohort: dict[str, Someone]) -> None:
    dana, ruth = cohort["dana"], cohort["ruth"]
    await asked(story)
    card = dana.sees("How are things going?")

    answer = await dana.taps(card, "Ask my mentor to reach out")

    assert "I asked your mentor to reach out. I sent nothing else." in answer.text
    assert "Ask my mentor to reach out" not in actions_of(card.card)
    assert shown(ruth.sees("Please reach out")).endswith("That's all I know. I never send what they wrote.")
    assert cohort["tom"].never_saw("Please reach out")
    assert cohort["carol"].never_saw("Please reach out")
    await dana.repeats()
    assert len([message for message in ruth.chat if "Please reach out" in shown(message)]) == 1


async def test_a_reminder_once_and_only_to_those_who_have_not_answered(
    story: Story, cohort: dict[str, Someone]
) -> None:
    await asked(story)
    checkin_id = _open_of(story, cohort["sam"]).id
    await cohort["dana"].taps(cohort["dana"].sees("How are things going?"), "5 great")

    await story.pass_time(days=4)

    assert cohort["dana"].never_saw("still open")
    assert "Your check-in is still open" in shown(cohort["lee"].sees("Your check-in is still open"))
    await cohort["lee"].taps(cohort["lee"].sees("Your check-in is still open"), "2")
    assert shown(cohort["lee"].sees("Check-in")).startswith("Check-in\nSaved.")
    await story.pass_time(days=4)
    assert "This check-in is closed" in shown(cohort["dana"].chat[-1])
    late = await cohort["sam"].acts(cohort["sam"].client.presses({"plc": {"act": f"checkins.pulse|{checkin_id}|3"}}))
    assert "This check-in is closed. I'll send the next one when it's time." in late.text


async def test_snooze_stops_prompts_until_the_day(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    day = story.clock.now() + timedelta(days=30)

    said = await dana.says(f"snooze until {day:%Y-%m-%d}")

    assert "No check-ins until" in said.text
    await asked(story)
    assert dana.never_saw("How are things going?")
    await dana.taps(said.messages[0], "Undo")
    assert "Pause ended." in shown(dana.chat[-1])


async def test_a_mentor_may_turn_them_on(story: Story, cohort: dict[str, Someone]) -> None:
    assert "Check-ins are on." in (await cohort["ruth"].says("checkins on")).text
    await asked(story)
    card = cohort["ruth"].sees("How are things going?").card
    assert "Write a reflection" in actions_of(card)
    assert "Ask my mentor to reach out" not in actions_of(card)


async def test_the_coordinator_edits_the_prompts(story: Story, cohort: dict[str, Someone]) -> None:
    carol = cohort["carol"]
    opened = await carol.taps((await carol.says("prompts")).messages[0], "Check-in prompts")

    done = await carol.sends(opened.dialog, prompts="What did you learn?\nWhom did you meet?")

    assert "Saved 2 prompts." in done.text
    await asked(story)
    write = await cohort["dana"].taps(cohort["dana"].sees("How are things going?"), "Write a reflection")
    assert sorted(write.dialog.labels().values()) == ["What did you learn?", "Whom did you meet?"]


async def test_words_in_the_channel_are_no_reflection(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)

    answer = await dana.asks(f"{CANARY} is how I feel", CHANNEL)

    assert "I don't know that command." in answer.text
    assert CANARY not in answer.text
    [account] = story.read(lambda tx: account_links.accounts_of(tx, dana.id))
    checkin = _open_of(story, dana)
    assert story.read(lambda tx: vault.find(tx, checkin.id, "reflection", account.id)) is None


async def test_another_account_of_the_same_person_reads_nothing_of_it(story: Story, cohort: dict[str, Someone]) -> None:
    """The operator gives Dana's place to another account: what the first one wrote stays closed to it."""
    dana, other = cohort["dana"], story.meets(somebody("Dana Reyes", 50, email="new.dana@example.org"))
    await asked(story)
    opened = await dana.taps(dana.sees("How are things going?"), "Write a reflection")
    first = next(iter(opened.dialog.fields))
    await dana.sends(opened.dialog, **{first: CANARY})
    await other.says("help")

    roster.match(story.settings, "dana@example.org", other.person.object_id, story.clock.now(), uuid4)
    await story.pass_time(days=4)

    assert (await other.says("checkin")).text.startswith("No check-in is open.")
    assert "I can't match you to the roster yet" in (await dana.says("checkin")).text
    assert "Is this you?" not in dana.chat[-1].activity["summary"]
