"""What both platforms say about the app: its name, its purpose, its colour and its version."""

from __future__ import annotations

from importlib.metadata import version

BOT_NAME = "PLC Cohort Bot"  # also what people type after /invite @
SHORT = "Meetings, attendance, check-ins and progress for mentoring cohorts"  # Teams shows at most 80 characters
LONG = (
    "PLC Cohort Bot keeps a mentoring cohort of school counselors together. It announces meetings and reminds "
    "people of them, takes attendance with one tap, asks mentees for a short private check-in now and then, helps "
    "mentors to write summaries, and shows mentees what the program asks for and where they stand. Coordinators "
    "get a weekly digest. Check-in answers are kept encrypted, and the bot shows them only to the person who "
    "wrote them and to a mentor they share one with. The bot reads what people write to it directly and what "
    "mentions it in a channel, and no other conversation."
)
COLOR = "#1f5f6b"


def app_version() -> str:
    """The version of the installed bot; Teams accepts a package again only with a new version."""
    return version("plc-cohort-bot")
