"""Help by role, and privacy in plain words."""

from __future__ import annotations

from handlers.cards import Block, Bold, Bullets, Button, Card, Cmd, Heading, Text, action, buttons, say
from handlers.requests import Reply
from handlers.router import Call, CommandSpec, roles_of, router

FOR = {
    "mentee": (
        "next",
        "progress",
        "checkin",
        "snooze",
        "resume",
        "checkins",
        "cohort",
        "meetings",
        "certificate",
        "log",
        "makeup",
        "leave",
        "dispute",
    ),
    "mentor": (
        "meeting new",
        "meetings",
        "attendance",
        "summary",
        "progress",
        "breaks",
        "cohort link",
        "checkins",
        "export",
    ),
    "coordinator": (
        "digest",
        "progress",
        "person",
        "people",
        "prompts",
        "breaks",
        "meeting new",
        "certificates",
        "export",
    ),
}
TITLES = {"mentee": "As a mentee", "mentor": "As a mentor", "coordinator": "As a coordinator"}
EXAMPLES = {"snooze": "snooze until Monday", "checkins": "checkins off"}


@router.command("help", "What I can do for you", reads=True)
def help_command(call: Call) -> Reply:
    roles = roles_of(call.me)
    how = (" before a command, in a Teams channel mention me before it. To me directly, just the words.",)
    blocks: list[Block] = [say("On Slack write ", Bold("/plc"), *how)]
    for role, commands in FOR.items():
        if role not in roles:
            continue
        lines: list[Text] = [_line(router.commands[words]) for words in commands]
        blocks += [Heading(TITLES[role]), Bullets(tuple(lines))]
    blocks.append(
        buttons(
            Button("Next meeting", action("command.run", "next")),
            Button("Progress", action("command.run", "progress")),
            Button("Privacy", action("command.run", "privacy")),
        )
    )
    return Reply(card=Card("What I can do", tuple(blocks)))


def _line(spec: CommandSpec) -> Text:
    shown = f"{spec.words} {spec.takes}".strip()
    example = EXAMPLES.get(spec.words)
    return (Bold(shown), f": {spec.summary}" + (f", for example “{example}”" if example else ""))


@router.command("privacy", "Who sees what", reads=True)
def privacy(_call: Call) -> Reply:
    return Reply(card=PRIVACY)


PRIVACY = Card(
    "Who sees what",
    (
        Bullets(
            (
                (
                    Bold("Reflections and pulses: "),
                    "kept encrypted. The bot shows them to you alone, from the account you wrote with.",
                ),
                (
                    Bold("Your mentor "),
                    "sees attendance, RSVPs, and that you asked to be contacted if you pressed that button.",
                ),
                (Bold("Your coordinator "), "sees attendance and standings, never what you wrote."),
                (
                    Bold("The operator "),
                    "who runs the bot holds the encryption keys. That is a matter of trust, and it is said here.",
                ),
                (
                    Bold("Slack or Teams "),
                    "may keep and export what is typed into a chat, direct messages too. What you write in a form "
                    "reaches the bot alone, as far as is documented; the bot writes nothing of it into the chat.",
                ),
            )
        ),
        say(
            "Please write nothing that could identify a student. Public-records law may reach what a state program "
            "keeps. The bot takes no reports of abuse: you make those yourself, at once (in Missouri: 1-800-392-3738). "
            "In a crisis call or text 988."
        ),
        say(Cmd("snooze until DATE"), " pauses check-ins; ", Cmd("checkins off"), " stops them."),
    ),
)
