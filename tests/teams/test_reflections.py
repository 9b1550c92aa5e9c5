"""On Teams: the notice comes once, and what was shared opens in the mentor's dialog and nowhere else."""

from __future__ import annotations

import json

from storage.checkins import consent
from tests.fakes.teams import actions_of
from tests.teams.story import Someone, Story, shown
from tests.teams.test_story_checkins import asked

CANARY = "wagtail-comfrey-9032"


async def test_a_shared_reflection_opens_in_the_mentors_dialog_alone(story: Story, cohort: dict[str, Someone]) -> None:
    dana, ruth, lee = cohort["dana"], cohort["ruth"], cohort["lee"]
    await asked(story)
    opened = await dana.taps(dana.sees("How are things going?"), "Write a reflection")
    first = next(iter(opened.dialog.fields))
    await dana.sends(opened.dialog, **{first: CANARY})
    listed = await dana.says("reflections")
    assert CANARY not in listed.text
    form = await dana.taps(listed.messages[0], "Share")
    assert "Shared with Ruth Ellison" in (await dana.sends(form.dialog)).text
    told = ruth.sees("Dana Reyes shared a reflection with you")

    read = await ruth.taps(told, "Read it")
    assert CANARY in read.dialog.text
    [share] = [action for name, action in actions_of(told.card).items() if name == "Read it"]
    forged = await lee.acts(lee.client.opens_dialog({"plc": {"act": act_of(share)}}))
    assert "I can't find that reflection." in forged.text
    assert CANARY not in json.dumps([call.body for call in story.fake.calls])
    assert "Read " in (await dana.says("reflections")).text
    assert story.check_cards()


def act_of(action: object) -> str:
    """What a button carries."""
    text = json.dumps(action)
    return text.split('"act": "')[1].split('"')[0]


async def test_declining_is_one_tap_and_agreeing_again_another(story: Story, cohort: dict[str, Someone]) -> None:
    dana = cohort["dana"]
    await asked(story)
    privacy = await dana.says("privacy")
    await dana.taps(privacy.messages[0], "Decline")
    assert "You declined check-ins" in shown(dana.sees("You declined check-ins"))
    assert "keep what you write" in (await dana.says("It was a long week.")).text
    assert len(story.read(lambda tx: tx.execute(consent.declined()).all())) == 1
    again = await dana.says("checkins on")
    await dana.taps(again.messages[0], "Agree")
    assert story.read(lambda tx: tx.execute(consent.declined()).all()) == []
    assert story.check_cards()


async def test_what_was_written_stays_in_the_dialog_after_the_check_in_closed(
    story: Story, cohort: dict[str, Someone]
) -> None:
    dana = cohort["dana"]
    await asked(story)
    opened = await dana.taps(dana.sees("How are things going?"), "Write a reflection")
    await story.pass_time(days=8)
    first = next(iter(opened.dialog.fields))
    refused = await dana.sends(opened.dialog, **{first: CANARY})
    assert not refused.closed
    assert "This check-in is closed. I'll send the next one when it's time." in " ".join(refused.dialog.text.split())
    assert refused.dialog.fields[first] == CANARY
    assert CANARY not in json.dumps([call.body for call in story.fake.calls])
