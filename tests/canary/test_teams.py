"""On Teams, over HTTP with tokens: what is written in confidence is nowhere in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.app import App
from storage.record import policies
from tests.canary.hunt import Captured, listening
from tests.canary.stage import as_json, leaks, stumble, walk
from tests.fakes.teams import actions_of
from tests.teams.story import Someone, Story, linked, telling
from tests.teams.test_requirement_story import absent, on, opens, option


class TeamsStage:
    email, mentor, coordinator = "dana@example.org", "ruth@example.org", "carol@example.org"
    platform_files = ""

    def __init__(self, story: Story, everybody: dict[str, Someone], folder: Path) -> None:
        self.story, self.folder = story, folder
        self.everybody = everybody
        self.dana, self.ruth, self.carol = everybody["dana"], everybody["ruth"], everybody["carol"]
        self.reading: list[int] = []  # the answers that are a reader's dialog, by their place

    @property
    def app(self) -> App:
        return self.story.app

    async def taps(self, number: str) -> None:
        cards = [message for message in self.dana.chat if message.activity.get("attachments")]
        card = next(message for message in reversed(cards) if number in actions_of(message.card))
        await self.dana.taps(card, number)

    async def writes(self, words: str) -> None:
        cards = [message for message in self.dana.chat if message.activity.get("attachments")]
        card = next(message for message in reversed(cards) if _write(message.card))
        label = _write(card.card)
        opened = await self.dana.taps(card, label)
        first = next(iter(opened.dialog.fields))
        await self.dana.sends(opened.dialog, **{first: words})

    async def types(self, words: str) -> None:
        await self.dana.says(words)

    async def keeps(self) -> None:
        await self._chooses("Keep as my reflection")

    async def declines(self) -> None:
        await self._chooses("No")

    async def _chooses(self, label: str) -> None:
        cards = [message for message in self.dana.chat if message.activity.get("attachments")]
        offered = next(message for message in reversed(cards) if "Keep as my reflection" in actions_of(message.card))
        await self.dana.taps(offered, label)

    async def edits(self, words: str) -> None:
        await self.writes(words)

    async def shares(self) -> None:
        listed = await self.dana.says("reflections")
        form = await self.dana.taps(listed.messages[0], "Share")
        await self.dana.sends(form.dialog)

    async def _reads(self, who: Someone, title: str) -> str:
        self.reading.append(len(self.story.answers))
        return (await who.taps(who.sees(title), "Read it")).dialog.text

    async def mentor_reads(self) -> str:
        """From the mentor's list: the message about it may not have arrived."""
        listed = (await self.ruth.says("reflections")).messages[0]
        self.reading.append(len(self.story.answers))
        label = next(name for name in actions_of(listed.card) if name.startswith("Dana Reyes"))
        return (await self.ruth.taps(listed, label)).dialog.text

    async def disputes(self, words: str) -> None:
        dialog = await opens(self.dana, "dispute", "A record is wrong")
        record = option(dialog, "record", "Small groups, absent")
        await self.dana.sends(dialog, record=record, readers="coordinator", text=words)

    async def coordinator_reads(self) -> str:
        return await self._reads(self.carol, "A record is disputed")

    async def looks_around(self) -> None:
        await self.story.pass_time(days=8)
        for name in ("ruth", "carol", "lee", "dana"):
            for command in ("progress", "digest", "checkin", "next", "cohort", "reflections", "privacy", "export"):
                await self.everybody[name].says(command)
            await self.everybody[name].asks("progress")
        await self.story.settle()

    async def later(self) -> None:
        await self.story.pass_time(hours=1)

    def traffic(self) -> Captured:
        others = [
            answer.body
            for place, answer in enumerate(self.story.answers)
            if answer.act["from"]["name"] != self.dana.person.name and place not in self.reading
        ]
        return {
            **as_json("calls of Teams", [call.body for call in self.story.fake.calls]),
            **as_json("answers to others on Teams", others),
        }


def _write(card: Mapping[str, Any]) -> str:
    """The label of the card's button that opens the reflection; empty where it has none."""
    return next((name for name in actions_of(card) if name.startswith("Write")), "")


async def on_stage(story: Story, folder: Path) -> TeamsStage:
    everybody = await linked(story)
    on(story, policies.EXAMPLE)
    await absent(story, everybody)
    return TeamsStage(story, everybody, folder)


async def test_nothing_written_is_anywhere(tmp_path: Path) -> None:
    with listening() as ear:
        async with telling(tmp_path) as story:
            stage = await on_stage(story, tmp_path)
            await walk(stage)
            assert await leaks(stage, ear) == []


async def test_nothing_written_leaks_when_it_fails(database_url: str, tmp_path: Path) -> None:
    with listening() as ear:
        async with telling(tmp_path, url=database_url) as story:
            stage = await on_stage(story, tmp_path)
            await stumble(stage)
            assert await leaks(stage, ear) == []
