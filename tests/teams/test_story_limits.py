"""The largest cohort, the longest names and hostile text in every typed field: Teams can show every card."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from storage.meetings import attendance, meetings
from tests.fakes.teams import BOT, CHANNEL, Person, actions_of, inputs_of, walk
from tests.specimens import HOSTILE, LONG_NAME
from tests.teams.story import Someone, Story, of_the_team, shown, somebody, telling
from tests.teams.test_story_attendance import here
from tests.teams.test_story_checkins import asked
from tests.teams.test_story_meetings import THURSDAY, plan

MENTEES = 60
TYPED = "".join(letter for letter in HOSTILE if letter.isprintable())  # a roster refuses the rest
COHORT = (TYPED + LONG_NAME)[:200]


def _named(number: int, kind: str) -> Person:
    """A name of 200 characters with its number at the end."""
    end = f" {kind} {number}"
    person = somebody(kind, number, email=f"{kind}{number}.{'x' * 60}@{'long-' * 20}example.org")
    name = (LONG_NAME if number % 2 else TYPED * 2)[: 200 - len(end)].strip() + end
    return Person(name, person.id, person.object_id, person.sign_in, person.email)


@dataclass
class Crowd:
    story: Story
    carol: Someone
    mentors: list[Someone]
    mentees: list[Someone]


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    """Sixty mentees and three mentors, in a channel of their own; all but one are matched."""
    mentors = [_named(200 + number, "mentor") for number in range(3)]
    mentees = [_named(300 + number, "mentee") for number in range(MENTEES)]
    carol = somebody("Carol", 100)
    rows = [["Program", "coordinator", _named(100, "carol").name, carol.email]]
    rows += [[COHORT, "mentor", person.name, person.email] for person in mentors]
    rows += [[COHORT, "mentee", person.name, person.email] for person in mentees]
    file = io.StringIO()
    csv.writer(file).writerows([["cohort", "role", "name", "email"], *rows])
    async with telling(tmp_path, everybody=[carol, *mentors, *mentees], text=file.getvalue()) as story:
        story.fake.page_size = 200
        story.fake.channels = {CHANNEL: TYPED}
        crowd = Crowd(
            story, story.meets(carol), *([story.meets(person) for person in all_] for all_ in (mentors, mentees))
        )
        await crowd.carol.acts(of_the_team(crowd.carol, "membersAdded", {"id": BOT}))
        await crowd.carol.says("help")
        await crowd.carol.taps(crowd.carol.sees("Is this you?"), "Yes, that's me")
        await crowd.carol.asks("cohort link")
        for someone in (*crowd.mentors, *crowd.mentees[:-1]):
            await someone.taps(someone.sees("Is this you?"), "Yes, that's me")
        yield crowd
        assert story.check_cards() > 10
        _nothing_typed_took_effect(story)


def _nothing_typed_took_effect(story: Story) -> None:
    """Only the bot mentions, links and counts time."""
    accounts = {person.object_id for person in story.fake.people}
    for card in story.cards():
        for mention in card.get("msteams", {}).get("entities") or []:
            assert mention["mentioned"]["id"] in accounts
        links = {part["url"] for part in walk(card) if part.get("type") == "Action.OpenUrl"}
        assert not [link for link in links if "evil" in link]
        for part in walk(card):
            words = str(part.get("text", "")) + str(part.get("value", "") if "title" in part else "")
            assert "{{DATE(2020" not in words
            assert "\u202e" not in words
            if part.get("type") != "TextRun":  # a run reads no markdown
                assert not re.search(r"(?<!\\)\]\(https://evil", words)


async def test_who_is_who_in_a_crowd(crowd: Crowd) -> None:
    carol = crowd.carol
    message = next(message for message in carol.chat if "is set up" in shown(message))
    assert "mentee 300" in shown(message)
    listed = await carol.says("people")
    opened = await carol.taps(listed.messages[0], "Match someone")
    assert len(inputs_of(opened.dialog.card)) == 2
    for words in ("cohort", "help", "progress", "digest", "privacy"):
        assert (await carol.says(words)).messages
    assert (await crowd.mentees[0].says("cohort")).messages
    unknown = await crowd.mentees[0].says(HOSTILE)
    assert "evil" not in unknown.text


async def test_everybody_can_be_chosen_when_nobody_is_matched(tmp_path: Path) -> None:
    mentees = [_named(300 + number, "mentee") for number in range(100)]
    guests = [
        Person(person.name, person.id, person.object_id, f"{person.sign_in}#EXT#@t", person.email, "guest")
        for person in mentees
    ]
    carol = somebody("Carol", 100)
    file = io.StringIO()
    csv.writer(file).writerows(
        [["cohort", "role", "name", "email"], *[[COHORT, "mentee", person.name, person.email] for person in mentees]]
    )
    async with telling(tmp_path, everybody=[carol, *guests], text=file.getvalue()) as story:
        story.fake.page_size = 200
        someone = story.meets(carol)
        await someone.says("help")
        await someone.taps(someone.sees("Is this you?"), "Yes, that's me")
        await someone.asks("cohort link")
        listed = await someone.says("people")
        opened = await someone.taps(listed.messages[0], "Match someone")
        person, account = (part["choices"] for part in inputs_of(opened.dialog.card).values())
        assert len(person) == 100
        assert len(account) == 100
        assert story.check_cards()


async def test_a_long_series_and_sixty_answers(crowd: Crowd) -> None:
    mentor, story = crowd.mentors[0], crowd.story
    breaks = await mentor.taps((await mentor.says("breaks")).messages[0], "Add a break")
    ask = await mentor.sends(breaks.dialog, label=HOSTILE[:100], starts="2026-11-23", ends="2026-11-27")
    await mentor.sends(ask.dialog)
    await mentor.says("breaks")
    done = await plan(mentor, topic=HOSTILE[:200], place=HOSTILE * 2, repeat="weekly", until="2027-06-30")
    assert "meetings and told the cohort" in done.text
    card = story.in_channel()[-1]
    for number, someone in enumerate(crowd.mentees[:-1]):
        await someone.taps(card, "Can't" if number % 3 == 0 else "Coming", channel=CHANNEL)
    assert "Coming (39)" in shown(card)
    assert {"Coming", "Can't"} <= set(actions_of(card.card))
    listed = await mentor.says("meetings")
    for label in ("Move", "Cancel"):
        opened = await mentor.taps(listed.messages[0], label)
    done = await mentor.sends(opened.dialog, reach="rest")
    assert "Cancelled" in done.text
    await story.go_to(THURSDAY - timedelta(minutes=60))
    assert await crowd.mentees[0].says("next")


async def test_a_roster_of_sixty(crowd: Crowd) -> None:
    mentor, story = crowd.mentors[0], crowd.story
    await plan(mentor, topic=LONG_NAME[:200])
    await story.go_to(THURSDAY)
    for someone in crowd.mentees[:40]:
        await someone.taps(here(story), "I'm here", channel=CHANNEL)
    await story.go_to(THURSDAY + timedelta(hours=1))
    roster = mentor.sees("Who came?")
    assert {"Everyone came", "Person by person"} <= set(actions_of(roster.card))

    opened = await mentor.taps(roster, "Person by person")
    fields = [name for name in opened.dialog.fields if name.startswith("p-")]
    assert len(fields) == MENTEES  # none is left out: what is not shown could not be sent
    wrong = await mentor.sends(opened.dialog, visitor=HOSTILE)
    assert len([name for name in wrong.dialog.fields if name.startswith("p-")]) == MENTEES
    minutes = await mentor.sends(wrong.dialog, **dict.fromkeys(fields, "partial"), visitor="")
    assert len(minutes.dialog.fields) == MENTEES
    done = await mentor.sends(minutes.dialog, **dict.fromkeys(minutes.dialog.fields, 20))

    assert "Saved." in done.text
    [meeting] = story.read(lambda tx: meetings.between(tx, THURSDAY, story.clock.now()))
    assert len(story.read(lambda tx: attendance.of_meeting(tx, meeting.id))) == MENTEES
    for someone, words in ((mentor, "attendance"), (mentor, "progress"), (crowd.carol, "progress")):
        assert (await someone.says(words)).messages
    opened = await mentor.taps(roster, "Correct")
    assert len(opened.dialog.fields) == MENTEES + 2


async def test_long_words_in_summaries_prompts_and_reflections(crowd: Crowd) -> None:
    mentor, story, mentee = crowd.mentors[0], crowd.story, crowd.mentees[0]
    long = (HOSTILE * 20)[:2500]
    prompts = await crowd.carol.taps((await crowd.carol.says("prompts")).messages[0], "Check-in prompts")
    lines = "\n".join(f"{number} {HOSTILE.replace(chr(10), ' ')}"[:150] for number in range(30))
    assert "Saved" in (await crowd.carol.sends(prompts.dialog, prompts=lines)).text
    story.all_agree()
    await plan(mentor)
    await story.go_to(THURSDAY + timedelta(hours=1))
    opened = await mentor.taps((await mentor.says("summary")).messages[0], "Session summary")
    topics = ",".join(choice["value"] for choice in inputs_of(opened.dialog.card)["f_topics"]["choices"])
    preview = await mentor.sends(opened.dialog, topics=topics, did=long, next=long)
    await mentor.sends(preview.dialog)
    assert shown(story.in_channel()[-1]).startswith("Summary of")

    await asked(story)
    card = mentee.sees("How are things going?")
    opened = await mentee.taps(card, "Write a reflection")
    await mentee.sends(opened.dialog, **dict.fromkeys(opened.dialog.fields, (HOSTILE * 20)[:3000].strip()))
    offered = await mentee.says((HOSTILE * 20)[:3000])
    typed = await mentee.taps(offered.messages[0], "Keep as my reflection")
    assert "Saved." in typed.text
    opened = await mentee.taps(card, "Write or change")
    assert len(opened.dialog.fields) == 4
    await mentee.taps(card, "Ask my mentor to reach out")
    await story.go_to(THURSDAY.replace(day=21))
    assert any("Weekly digest" in shown(message) for message in crowd.carol.chat)
