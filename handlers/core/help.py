"""Help by role."""

from __future__ import annotations

from handlers.core.calls import Call, roles_of
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Heading, HowToAsk, Note, Text, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.registrations import CommandSpec
from handlers.core.requests import Reply
from handlers.core.router import RunCommand, router

FOR = {
    "mentee": (
        "next",
        "progress",
        "checkin",
        "snooze",
        "resume",
        "checkins",
        "reflections",
        "cohort",
        "meetings",
        "certificate",
        "log",
        "makeup",
        "leave",
        "dispute",
        "policy",
        "privacy",
        "export",
    ),
    "mentor": (
        "meeting new",
        "meetings",
        "attendance",
        "summary",
        "progress",
        "breaks",
        "cohort",
        "cohort link",
        "checkins",
        "reflections",
        "policy",
        "privacy",
        "export",
    ),
    "coordinator": (
        "digest",
        "figures",
        "progress",
        "person",
        "people",
        "prompts",
        "breaks",
        "meeting new",
        "meetings",
        "attendance",
        "certificates",
        "policy",
        "privacy",
        "export",
    ),
}
TITLES = {"mentee": "As a mentee", "mentor": "As a mentor", "coordinator": "As a coordinator"}
WITHOUT_ROLE = ("privacy", "policy", "reflections")  # what somebody who has left may still send
EXAMPLES = {"snooze": "snooze until Monday", "checkins": "checkins off"}


def _asks_for_help(words: str) -> bool:
    return words in ("", "me", "please", "me please")


@router.command("help", "See what I can do", accepts=_asks_for_help, reads=True)
def help_command(call: Call) -> Reply:
    """The commands of each role of the asker, and where to turn in a crisis: "help me" may mean that."""
    roles = roles_of(call.me)
    blocks: list[Block] = [say(HowToAsk(chat=True))]
    for role, commands in FOR.items():
        if role not in roles:
            continue
        lines: list[Text] = [_line(router.commands[words], role) for words in commands]
        blocks += [Heading(TITLES[role]), Bullets(tuple(lines))]
    if not roles:
        still: list[Text] = [_line(router.commands[words], "") for words in WITHOUT_ROLE]
        blocks += [say("You're not in a cohort now. You can still send:"), Bullets(tuple(still))]
    of_cohort = (
        Button("Next meeting", RunCommand("next")),
        Button("Progress", RunCommand("progress")),
    )
    blocks.append(buttons(*(of_cohort if roles else ()), Button("Privacy", RunCommand("privacy"))))
    blocks.append(Note((f"In a crisis: {call.work.privacy_settings.crisis}.",)))
    if not call.me.coordinator:
        blocks.append(Note((f"Questions about the program? {ask_coordinator(call.work.tx)}",)))
    return Reply(card=Card("What I can do", tuple(blocks)))


def _line(spec: CommandSpec, role: str) -> Text:
    """A command, and what it does for somebody in this role."""
    example = EXAMPLES.get(spec.words)
    return (
        Bold(spec.words_for(role)),
        f": {spec.summary_for(role)}" + (f", for example “{example}”" if example else ""),
    )
