"""A product in small: it answers every command with a card or a form of the specimens, and has a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.local import Chat, CommandHelp, LocalPerson, LocalWorkspace, NextDue
from bot.runtime.port import Address, Outgoing
from handlers.core.actions import SentAction
from handlers.core.cards import Button, Buttons, Card, Chart, Paragraph, Series, Shown, When, say
from handlers.core.forms import Form, TextField
from handlers.core.requests import Arrived, Command, Departed, HomeOpened, Press, Reply, Request, Submit, Typed, notice
from tests.specimens import CARDS, CONFIDENTIAL, DANA, FORM, FORMS

START = datetime(2026, 11, 12, 20, 30, tzinfo=UTC)
MENTEE = LocalPerson("dana@example.org", "Dana Reyes", "mentee", "America/Chicago")
MENTOR = LocalPerson("lee@example.org", "Lee Park", "mentor", "America/Denver")
COORDINATOR = LocalPerson("U-3/odd id", "Ruth Okafor", "coordinator", "America/New_York")
PEOPLE = (MENTEE, MENTOR, COORDINATOR)
HOME = "ozarks"

COMMANDS = (
    CommandHelp("help", "What you can do"),
    CommandHelp("progress", "Where you stand"),
    CommandHelp("meeting new", "Schedule one or more meetings"),
    CommandHelp("meeting move", "Move a meeting"),
)

LINES = Card(
    "Two charts",
    (
        Chart("line", "Month by month", ("Sep", "Oct", "Nov"), (Series("Attended", (3, 5, 4)),)),
        Chart("pie", "How they came", ("Present", "Excused"), (Series("People", (9, 3)),)),
        say("At ", When(START, "America/Chicago")),
    ),
)

TAP = Card(
    "Are you coming?",
    (
        Paragraph(("Thursday at four.",)),
        Buttons(
            (
                Button("Coming", SentAction.of("toy.coming"), style="primary"),
                Button("Ask first", SentAction.of("toy.coming"), confirm="Really?"),
                Button("Write", SentAction.of("toy.write"), opens_form=True),
            )
        ),
    ),
)

STEP_TWO = Form(
    "Check the dates",
    SentAction.of("toy.done"),
    opener=SentAction.of("toy.steps"),
    submit="Schedule",
    blocks=(say("Four meetings."),),
    back=SentAction.of("toy.steps"),
)
STEP_ONE = Form(
    "Plan a meeting",
    SentAction.of("toy.dates"),
    opener=SentAction.of("toy.steps"),
    submit="Preview dates",
    fields=(
        TextField("topic", "Topic", hint="A few words", max_length=80),
        TextField("notes", "Notes", optional=True),
    ),
)


@dataclass
class ToyHost:
    """Its due moment is always one day ahead; moving there runs ``when_due``."""

    time: datetime = START
    cast: tuple[LocalPerson, ...] = PEOPLE
    due: bool = True
    seed: Callable[[], None] = lambda: None
    resets: int = 0

    async def people(self) -> tuple[LocalPerson, ...]:
        return self.cast

    async def commands(self, user: str) -> tuple[CommandHelp, ...]:
        return COMMANDS

    def now(self) -> datetime:
        return self.time

    async def next_due(self) -> NextDue | None:
        return NextDue(self.time + timedelta(days=1), "the reminder one day before the meeting") if self.due else None

    async def go_to_next(self) -> NextDue | None:
        moment = await self.next_due()
        if moment is not None:
            self.time = moment.at
        return moment

    async def go_forward(self, hours: int) -> None:
        self.time += timedelta(hours=hours)

    async def reset(self) -> None:
        self.resets += 1
        self.time = START
        self.seed()


@dataclass
class Toy:
    """The answers, and every request that came."""

    seen: list[Request] = field(default_factory=list)
    fail: bool = False

    async def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        if self.fail:
            raise RuntimeError("the database is away: secret words")
        match request.intent:
            case Command(text):
                return _command(text)
            case Typed(text):
                return notice(f"You typed {len(text)} characters.")
            case Press(pressed):
                return _press(pressed.name)
            case Submit(sent, values):
                return _submit(sent.name, values.get("topic", ("",))[0])
            case Arrived() | Departed():
                return Reply()
            case HomeOpened():
                return Reply(card=replace(TAP, title="Your home"))
            case _:
                return notice("What?")


def _command(text: str) -> Reply:
    word, _, number = text.partition(" ")
    match word:
        case "card":
            return Reply(card=CARDS[int(number)])
        case "form":
            return Reply(form=FORMS[int(number)])
        case "lines":
            return Reply(card=LINES)
        case "tap":
            return Reply(card=TAP)
        case "steps":
            return Reply(form=STEP_ONE)
        case "help":
            return notice("Try card, form, lines, tap or steps.", title="Help")
        case _:
            return notice(f"I do not know {text!r}.")


def _press(name: str) -> Reply:
    match name:
        case "toy.coming":
            return Reply(replace=replace(TAP, title="You are coming."))
        case "toy.write" | "checkins.write":
            return Reply(form=CONFIDENTIAL)
        case "toy.steps":
            return Reply(form=STEP_ONE)
        case _:
            return notice(f"Pressed {name}.")


def _submit(name: str, topic: str) -> Reply:
    match name:
        case "toy.dates" if topic == "wrong":
            return Reply(errors={"topic": "Choose another topic.", "whole": "Nothing was saved."})
        case "toy.dates":
            return Reply(form=STEP_TWO)
        case FORM.action.name if topic == "form":
            return Reply(form=STEP_TWO)
        case _:
            return notice(f"Saved {name}.")


def seed(chat: Chat) -> None:
    chat.create_channel(HOME, "ozarks-cohort", [MENTEE.user, MENTOR.user])
    chat.create_channel("staff", "staff", [COORDINATOR.user])


async def post(workspace: LocalWorkspace, conversation: str, card: Card, delivery: UUID, **mentions: str) -> str:
    """The bot writes into a conversation by its port, as a delivery does."""
    shown = Shown(mentions={DANA: mentions.get("dana", MENTEE.user)})
    to = Address("local", "local", conversation=conversation)
    return (await workspace.port.post(to, Outgoing(card, delivery, shown))).message
