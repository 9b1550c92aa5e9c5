"""Reading what somebody types into the chat: a number, small talk, a question, or words of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from program.core.words import normal

KEPT_FOR = timedelta(days=1)  # how long typed words wait for their author's choice, at most
MOST_WORDS_OF_QUESTION = 12  # a longer one is more likely a reflection

NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
NUMBER = re.compile(r"(-?\d{1,4})(?: ?/ ?5| out of 5| stars?| hard| great)?")
THANKS = frozenset({"thanks", "thank you", "thx", "ty", "tysm", "many thanks", "appreciated", "appreciate it"})
GREETINGS = frozenset({"hi", "hello", "hey", "hiya", "howdy", "morning", "good morning", "good afternoon"})
GREETINGS |= {"good evening", "hi there", "hello there", "hey there"}
CLOSINGS = frozenset({"bye", "goodbye", "good night", "see you", "see ya", "have a good day", "you too"})
YESES = frozenset({"ok", "okay", "k", "kk", "yes", "no", "yep", "nope", "sure", "got it", "will do", "sounds good"})
YESES |= {"yes please", "happy friday", "happy monday", "have a good weekend", "sounds great"}
YESES |= {"cool", "perfect", "awesome", "lol", "haha", "done", "noted", "never mind", "nevermind", "sorry", "test"}
ADDRESSED = frozenset(
    {"thanks", "thank", "you", "so", "very", "much", "a", "lot", "again", "bot", "for", "that", "the"}
)
ADDRESSED |= {"help", "reminder", "all", "everyone"}
BESIDE_THANKS = frozenset({"ok", "okay", "great", "good", "perfect", "awesome", "cool", "sounds", "yes", "no", "thx"})
BESIDE_THANKS |= {
    "see",
    "tomorrow",
    "monday",
    "friday",
    "and",
    "have",
    "nice",
    "day",
    "weekend",
    "will",
    "do",
    "got",
    "it",
}

YES_TO_KEEP = frozenset({"yes", "yes please", "yep", "yeah", "sure", "keep", "keep it", "please keep it"})
NO_TO_KEEP = frozenset({"no", "no thanks", "no thank you", "nope", "don't", "don't keep it", "delete it"})
# What means a command by other words, by its first word, in a text of at most as many words.
MEANT: Mapping[str, tuple[str, ...]] = {
    "pause": ("snooze", "checkins"),
    "stop": ("snooze", "checkins"),
    "unsubscribe": ("checkins", "snooze"),
    "here": ("next",),
    "i'm": ("next",),
}
MEANT_WORDS = {"pause": 5, "stop": 3, "unsubscribe": 2, "here": 1, "i'm": 2}

# Plain words only: other ways to say it get the usual answer.
CRY_FOR_HELP = re.compile(
    r"\b(?:(?:want|wanna|going|gonna|need|wish i could|ready)(?: to)? (?:die|kill my ?self|end my life|end it all"
    r"|hurt my ?self|harm my ?self)|kill(?:ing)? my ?self|suicid(?:e|al)|end(?:ing)? my life|wish i (?:was|were) dead"
    r"|don'?t want to (?:live|be alive)|better off dead|can'?t go on(?: any ?more| like this| living|$))\b"
)

QUESTION_WORDS = frozenset({"when", "when's", "where", "where's", "what", "what's", "who", "who's", "how", "which"})
READERS = frozenset({"see", "sees", "read", "reads"})
# The commands that help where these words stand, the likeliest first.
POINTERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("next", frozenset({"meet", "meeting", "session", "plc", "zoom"})),
    ("meetings", frozenset({"meetings", "sessions", "schedule", "calendar"})),
    ("progress", frozenset({"progress", "hours", "standing", "credit", "credits"})),
    ("certificate", frozenset({"certificate", "certified"})),
    ("makeup", frozenset({"makeup", "missed", "absence", "absent"})),
    ("leave", frozenset({"leave", "maternity", "parental"})),
    ("cohort", frozenset({"mentor", "mentors", "cohort"})),
    ("policy", frozenset({"policy", "require", "required", "requirement", "requirements"})),
    ("privacy", frozenset({"privacy", "confidential", "anonymous"})),
    ("reflections", frozenset({"reflection", "reflections"})),
    ("checkin", frozenset({"checkin", "check-in", "checkins", "check-ins"})),
    ("snooze", frozenset({"snooze", "pause"})),
    ("help", frozenset({"command", "commands"})),
)


def read_pulse(text: str) -> int | None:
    """The number that is all somebody typed: "3", "3!", "three", "3/5". Not checked to be from 1 to 5."""
    typed = normal(text).rstrip(",;:) ")
    if typed in NUMBERS:
        return NUMBERS[typed]
    match = NUMBER.fullmatch(typed)
    return int(match[1]) if match else None


def small_talk(text: str) -> str:
    """A short answer to a greeting, thanks or the like; empty where the text is something else."""
    typed = re.sub(r"[^\w\s'-]+", " ", text.lower().replace("’", "'"))
    typed = re.sub(r"\s+", " ", typed).strip()
    if not re.search(r"[^\W\d_]", typed):
        if "?" in text:
            return "Send “help” to see what I can do."
        return "" if re.search(r"\d", typed) else "OK."
    words = set(typed.split())
    if typed in THANKS or (words & {"thanks", "thank", "thx"} and words <= ADDRESSED | BESIDE_THANKS):
        return "OK." if typed in NO_TO_KEEP else "You’re welcome!"
    if typed in GREETINGS:
        return "Hello!"
    if typed in CLOSINGS:
        return "See you!"
    return "OK." if typed in YESES else ""


def read_choice(text: str) -> bool | None:
    """Whether somebody says yes or no to keeping their words; None for anything else."""
    typed = normal(text.replace("’", "'")).replace(",", "")
    return True if typed in YES_TO_KEEP else False if typed in NO_TO_KEEP else None


def meant_by_other_words(text: str) -> list[str]:
    """The commands that a short request in other words means, such as "pause until December"."""
    words = normal(text.replace("’", "'")).split()
    first = words[0] if words else ""
    if first not in MEANT or len(words) > MEANT_WORDS[first] or (first == "i'm" and words[1:] != ["here"]):
        return []
    return list(MEANT[first])


def is_cry_for_help(text: str) -> bool:
    """Whether somebody plainly says that they want to die or to hurt themselves."""
    plain = re.sub(r"[^a-z' ]+", " ", normal(text.replace("’", "'")))
    return CRY_FOR_HELP.search(re.sub(r" +", " ", plain)) is not None


def is_question(text: str) -> bool:
    """Whether a text ends as a question does."""
    return text.rstrip(" \"'”’)").endswith("?")


def begins_as_question(text: str) -> bool:
    """Whether a text begins as a question does, with or without a question mark: "when is the next meeting"."""
    first, *_ = (*text.lower().replace("’", "'").split(), "")
    return first in QUESTION_WORDS


def pointers(text: str, most: int = 3) -> list[str]:
    """The commands that may answer a short text; none for a long one, which is more likely a reflection."""
    words = set(_words(text))
    if len(_words(text)) > MOST_WORDS_OF_QUESTION:
        return []
    commands = [command for command, about in POINTERS if about & words]
    if "who" in words and READERS & words and "privacy" not in commands:
        commands.insert(0, "privacy")
    return commands[:most]


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())


def kept_until(typed_at: datetime, closes_at: datetime) -> datetime:
    """When words that nobody chose to keep are destroyed: on a full hour within a day, or as the check-in closes.

    On full hours, so that the planned time tells nobody when something was typed.
    """
    hour = (typed_at + KEPT_FOR).replace(minute=0, second=0, microsecond=0)
    return min(hour, closes_at)
