"""On Slack, over signed HTTP: what is written in confidence is nowhere in plain text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.app import App
from tests.canary.hunt import Captured, listening
from tests.canary.stage import as_json, leaks, stumble, walk
from tests.fakes.slack import Answered, HttpWire
from tests.slack.story import OZARKS, Neighbour, Story, told
from tests.slack.test_requirement_story import absent

PROMPT = "Where did you feel most like a school counselor?"


class SlackStage:
    email, mentor, coordinator = "dana@example.org", "ruth@example.org", "carol@example.org"
    platform_files = ""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story, self.folder = story, folder
        self.answers: list[Any] = []
        self._listen(story.wire)

    @property
    def app(self) -> App:
        return self.story.app

    def _listen(self, wire: Any) -> None:
        """Keep what the bot answers Slack's requests with."""
        assert isinstance(wire, HttpWire)
        post = wire.post

        async def heard(body: str, content_type: str, headers: dict[str, str]) -> Answered:
            answered = await post(body, content_type, headers)
            self.answers.append(answered.body)
            return answered

        setattr(wire, "post", heard)  # noqa: B010 -- a method of one object, replaced for a test

    @contextmanager
    def own(self, who: Neighbour) -> Iterator[None]:
        """What this person's modals show meanwhile is theirs alone; it is no traffic to anybody else."""
        calls, answers = self.story.fake.calls, self.answers
        before, answered = len(calls), len(answers)
        who.fake.stacks[who.user] = []
        try:
            yield
        finally:
            calls[before:] = [call for call in calls[before:] if call[0] not in ("views.open", "views.update")]
            answers[answered:] = [body for body in answers[answered:] if "response_action" not in body]
            who.fake.stacks[who.user] = []

    async def _reads(self, who: Neighbour, about: str) -> str:
        with self.own(who):
            await who.taps_in_chat("Read it", about)
            return who.modal()

    async def taps(self, number: str) -> None:
        await self.story.dana.taps_in_chat(number)

    async def writes(self, words: str) -> None:
        dana = self.story.dana
        with self.own(dana):
            await dana.taps_in_chat("Write or change")
            await dana.fills(**{dana.field(PROMPT): words})

    async def types(self, words: str) -> None:
        await self.story.dana.types(words)

    async def keeps(self) -> None:
        await self.story.dana.taps_in_chat("Keep as my reflection")

    async def declines(self) -> None:
        await self.story.dana.taps_in_chat("No", "Should I keep that")

    async def edits(self, words: str) -> None:
        await self.writes(words)

    async def shares(self) -> None:
        dana = self.story.dana
        await dana.sends("reflections")
        with self.own(dana):
            await dana.taps_notice("Share")
            await dana.fills()

    async def mentor_reads(self) -> str:
        return await self._reads(self.story.ruth, "shared a reflection")

    async def disputes(self, words: str) -> None:
        dana = self.story.dana
        with self.own(dana):
            await dana.sends("dispute")
            record = self.story.option(dana, "record", "First steps, absent")
            await dana.fills(record=record, readers="coordinator", text=words)

    async def coordinator_reads(self) -> str:
        return await self._reads(self.story.carol, "A record is disputed")

    async def looks_around(self) -> None:
        story = self.story
        await story.pass_time(days=8)
        for neighbor in (story.ruth, story.carol, story.lee, story.dana):
            for command in ("progress", "digest", "checkin", "next", "cohort", "reflections", "privacy", "export"):
                await neighbor.sends(command)
            await neighbor.sends("progress", OZARKS)
            await neighbor.opens_home()
        await story.settled()

    async def later(self) -> None:
        await self.story.pass_time(hours=1)

    def traffic(self) -> Captured:
        fake = self.story.fake
        shown = {name: channel.messages for name, channel in fake.channels.items()}
        return {
            **as_json("Slack's calls", fake.calls),
            **as_json("Slack's conversations", shown),
            **as_json("Slack's notices", [fake.notices, fake.replaced, fake.homes]),
            **as_json("answers to Slack", self.answers),
        }


async def on_stage(story: Story, folder: Path) -> SlackStage:
    await story.all_matched()
    await absent(story)
    return SlackStage(story, folder)


async def test_nothing_written_is_anywhere(database_url: str, tmp_path: Path) -> None:
    with listening() as ear:
        async with told(database_url) as story:
            stage = await on_stage(story, tmp_path)
            await walk(stage)
            assert await leaks(stage, ear) == []


async def test_nothing_written_leaks_when_it_fails(database_url: str, tmp_path: Path) -> None:
    with listening() as ear:
        async with told(database_url) as story:
            stage = await on_stage(story, tmp_path)
            await stumble(stage)
            assert await leaks(stage, ear) == []
