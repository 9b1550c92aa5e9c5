"""Help by role."""

from __future__ import annotations

from handlers.core.calls import Call, roles_of
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Heading, HowToAsk, Note, Text, buttons, say
from handlers.core.command_actions import RunCommand
from handlers.core.contacts import ask_coordinator
from handlers.core.registrations import CommandSpec
from handlers.core.requests import Reply
from handlers.core.router import router

TITLES = {"mentee": "As a mentee", "mentor": "As a mentor", "coordinator": "As a coordinator"}


def _asks_for_help(words: str) -> bool:
    return words in ("", "me", "please", "me please")


@router.command("help", "See what I can do", accepts=_asks_for_help, reads=True, teams={"personal": 10, "team": 10})
def help_command(call: Call) -> Reply:
    """The commands of each role of the asker, and where to turn in a crisis: "help me" may mean that."""
    roles = roles_of(call.me)
    blocks: list[Block] = [say(HowToAsk(chat=True))]
    for role, title in TITLES.items():
        if role in roles:
            blocks += [Heading(title), Bullets(_lines(role))]
    if not roles:
        blocks += [say("You're not in a cohort now. You can still send:"), Bullets(_lines("former"))]
    of_cohort = (
        Button("Next meeting", RunCommand("next")),
        Button("Progress", RunCommand("progress")),
    )
    blocks.append(buttons(*(of_cohort if roles else ()), Button("Privacy", RunCommand("privacy"))))
    blocks.append(Note((f"In a crisis: {call.work.privacy_settings.crisis}.",)))
    if not call.me.coordinator:
        blocks.append(Note((f"Questions about the program? {ask_coordinator(call.work.tx)}",)))
    return Reply(card=Card("What I can do", tuple(blocks)))


def _lines(role: str) -> tuple[Text, ...]:
    """The commands in the help of this role, each with what it does for somebody in it."""
    return tuple(_line(spec, role) for spec in router.help_of(role))


def _line(spec: CommandSpec, role: str) -> Text:
    example = f", for example “{spec.example}”" if spec.example else ""
    return (Bold(spec.words_for(role)), f": {spec.summary_for(role)}{example}")
