"""Steps 6 to 9: progress by role, the summary, the digest, help and what nobody knows."""

from __future__ import annotations

from datetime import timedelta

from bot.teams.sentences import SENT_DIRECTLY
from storage.meetings import meetings, summaries
from tests.fakes.teams import CHANNEL, actions_of, inputs_of
from tests.teams.story import Someone, Story, shown
from tests.teams.test_story_attendance import here
from tests.teams.test_story_meetings import THURSDAY, plan

PERSONAL = ("progress", "next", "cohort", "checkin", "help", "privacy", "meetings", "nonsense")


async def held(story: Story, cohort: dict[str, Someone]) -> None:
    """A meeting that is over, with everybody there."""
    await plan(cohort["ruth"])
    await story.go_to(THURSDAY)
    await cohort["dana"].taps(here(story), "I'm here", channel=CHANNEL)
    await story.go_to(THURSDAY + timedelta(hours=1))
    await cohort["ruth"].taps(cohort["ruth"].sees("Who came?"), "Everyone came")


async def test_progress_is_ones_own_the_cohorts_or_the_programs(story: Story, cohort: dict[str, Someone]) -> None:
    await held(story, cohort)

    own = await cohort["dana"].says("progress")
    assert own.text.startswith("Your progress")
    assert "1 meeting attended" in own.text
    assert "Lee" not in own.text
    led = await cohort["ruth"].says("progress")
    assert led.text.startswith("Progress of Ozarks")
    assert "Lee Okafor" in led.text
    assert "Jordan" not in led.text
    whole = await cohort["carol"].says("progress")
    assert whole.text.startswith("Progress of the program")
    assert "Gateway" in whole.text
    here_only = await cohort["carol"].asks("progress", CHANNEL)
    assert shown(here_only.messages[0]).startswith("Progress of Ozarks")
    assert "Jordan" not in here_only.text
    outside = await cohort["tom"].asks("progress", CHANNEL)
    assert "Lee Okafor" not in outside.text
    assert "Ruth" not in outside.text


async def test_nothing_personal_is_said_in_a_channel(story: Story, cohort: dict[str, Someone]) -> None:
    await held(story, cohort)
    before = len(story.in_channel())

    for words in PERSONAL:
        answer = await cohort["dana"].asks(words)
        assert answer.messages, words

    assert set(story.thread()) == {SENT_DIRECTLY}
    assert len(story.in_channel()) == before


async def test_a_summary_is_previewed_posted_edited_and_withdrawn(story: Story, cohort: dict[str, Someone]) -> None:
    ruth = cohort["ruth"]
    await held(story, cohort)
    opened = await ruth.taps(ruth.sees("Attendance is complete"), "Write the summary")
    assert "leave out student names and private matters" in opened.dialog.text
    missing = await ruth.sends(opened.dialog, did="")
    assert "Enter one or two sentences." in missing.dialog.text
    topic = inputs_of(missing.dialog.card)["f_topics"]["choices"][0]

    preview = await ruth.sends(
        missing.dialog, topics=topic["value"], did="We shared small-group plans.", next="Bring one plan."
    )
    assert preview.dialog.title == "Post this summary?"
    assert topic["title"] in preview.dialog.text
    assert not [message for message in story.in_channel() if "small-group plans" in shown(message)]
    back = await ruth.goes_back(preview.dialog)
    assert back.dialog.fields["did"] == "We shared small-group plans."
    preview = await ruth.sends(back.dialog)
    posted = await ruth.sends(preview.dialog)

    assert "Posted in the cohort's channel." in posted.text
    card = story.in_channel()[-1]
    assert shown(card).startswith("Summary of Small groups")
    assert "Bring one plan." in shown(card)
    before = story.everything()
    await ruth.repeats()
    assert story.everything() == before

    opened = await ruth.taps(posted.messages[0], "Edit")
    preview = await ruth.sends(opened.dialog, next="Bring two plans.")
    changed = await ruth.sends(preview.dialog)
    assert "I changed the posted summary." in changed.text
    assert "Bring two plans." in shown(card)
    assert "edited" in shown(card)
    assert story.in_channel()[-1] is card

    gone = await ruth.taps(posted.messages[0], "Yes: Remove")
    assert "Removed from the channel." in gone.text
    assert "This summary was removed." in shown(card)
    assert "two plans" not in shown(card)
    [meeting] = story.read(lambda tx: meetings.between(tx, THURSDAY, story.clock.now()))
    kept = story.read(lambda tx: summaries.newest(tx, meeting.id))
    assert kept is not None
    assert kept.did == "We shared small-group plans."


async def test_a_missing_summary_is_asked_for_once(story: Story, cohort: dict[str, Someone]) -> None:
    await held(story, cohort)
    await story.pass_time(days=3)

    assert len([message for message in cohort["ruth"].chat if "Please write a summary" in shown(message)]) == 1
    opened = await cohort["ruth"].taps(cohort["ruth"].sees("Please write a summary"), "Write it")
    assert opened.dialog.title == "Session summary"


async def test_the_digest_comes_on_monday_at_half_past_seven(story: Story, cohort: dict[str, Someone]) -> None:
    carol = cohort["carol"]
    await plan(cohort["ruth"], repeat="weekly", until="2026-09-24")
    await story.go_to(THURSDAY + timedelta(hours=1))

    await story.go_to(THURSDAY.replace(day=14, hour=12, minute=29))
    assert carol.never_saw("Weekly digest")
    await story.go_to(THURSDAY.replace(day=14, hour=12, minute=30))

    digest = carol.sees("Weekly digest")
    words = shown(digest)
    assert words.index("To do") < words.index("By cohort") < words.index("The week ahead")
    assert "Ozarks, Small groups" in words
    assert "needs attendance" in words
    assert cohort["ruth"].never_saw("Weekly digest")
    assert "is only for coordinators" in (await cohort["ruth"].says("digest")).text


async def test_help_next_privacy_and_what_nobody_knows(story: Story, cohort: dict[str, Someone]) -> None:
    mentee, mentor, coordinator = [(await cohort[name].says("help")).text for name in ("dana", "ruth", "carol")]
    assert "As a mentee" in mentee
    assert "As a mentor" not in mentee
    assert "meeting new" in mentor
    assert "digest" in coordinator
    dana = cohort["dana"]
    answer = await dana.taps(dana.sees("What I can do"), "Privacy")
    assert "Your answers: only you and mentors you choose see them" in answer.text
    assert "No meetings scheduled" in (await dana.says("next")).text

    unknown = await dana.says("progres")

    assert "Did you mean one of these?" in unknown.text
    pressed = await dana.taps(unknown.messages[0], "progress")
    assert "Your progress" in pressed.text
    assert "Send “help”" in (await dana.says("zzzzqqqq")).text


async def test_a_command_suggested_in_a_channel_still_means_that_channel(
    story: Story, cohort: dict[str, Someone]
) -> None:
    """The suggestion stands in the personal chat, where Carol's many cohorts would be asked for."""
    carol = cohort["carol"]
    unknown = await carol.asks("attendnce")

    answer = await carol.taps(unknown.messages[0], "attendance")

    assert "Which cohort?" not in answer.text
    assert "No meetings yet" in answer.text


async def test_the_settings_of_a_cohort_are_a_dialog(story: Story, cohort: dict[str, Someone]) -> None:
    ruth = cohort["ruth"]
    shown_to_ruth = await ruth.says("cohort")
    assert "Ozarks PLC" in shown_to_ruth.text  # the channel's name, found on entering it
    opened = await ruth.taps(shown_to_ruth.messages[0], "Settings")
    done = await ruth.sends(opened.dialog, first=30, second="", at="08:15", weekday="1", weeks=1)
    assert "30 minutes before" in done.text
    assert "every week on Tuesday at 8:15 AM" in done.text
    assert "Settings" not in actions_of((await cohort["dana"].says("cohort")).messages[0].card)
