from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from program.checkins.typed import is_question, kept_until, pointers, read_pulse, small_talk
from program.core.words import near_commands

COMMANDS = ["next", "progress", "checkin", "snooze", "checkins", "reflections", "log", "leave", "help", "privacy"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        ("3!", 3),
        (" three. ", 3),
        ("5/5", 5),
        ("4 out of 5", 4),
        ("9", 9),
        ("3 kids", None),
        ("room 5", None),
        ("", None),
        ("threes", None),
    ],
)
def test_a_number_alone_is_a_number(text: str, number: int | None) -> None:
    assert read_pulse(text) == number


@pytest.mark.parametrize("text", ["thanks!", "Thank you so much", "Hi", "good morning!", "ok", "👍", "…", "Bye!"])
def test_small_talk_gets_an_answer(text: str) -> None:
    assert small_talk(text)


@pytest.mark.parametrize("text", ["thanks to my mentor I made it", "okay week", "hi was all he said", "good", "3", "a"])
def test_words_are_no_small_talk(text: str) -> None:
    assert small_talk(text) == ""


def test_a_question_is_led_to_commands() -> None:
    assert is_question("what time do we meet?")
    assert pointers("what time do we meet?") == ["next"]
    assert pointers("Who can read this?") == ["privacy"]
    assert not is_question("what a week, and nobody to tell")
    assert pointers("I can't see the end of it") == []
    assert pointers("Why does every meeting end with me being asked for more than I can give to anybody?") == []


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("progres", ["progress"]),
        ("Progess!", ["progress"]),
        ("reflection", ["reflections"]),
        ("hlep", ["help"]),
        ("good progress", []),
        ("leave was hard this week", []),
        ("exhausted", []),
    ],
)
def test_only_a_whole_message_is_a_misspelled_command(text: str, commands: list[str]) -> None:
    assert near_commands(text, COMMANDS) == commands


def test_words_wait_for_a_day_at_most_and_not_beyond_the_check_in() -> None:
    typed_at = datetime(2026, 9, 10, 20, 17, 5, tzinfo=UTC)
    assert kept_until(typed_at, typed_at + timedelta(days=5)) == datetime(2026, 9, 11, 20, tzinfo=UTC)
    closes = typed_at + timedelta(hours=2)
    assert kept_until(typed_at, closes) == closes
