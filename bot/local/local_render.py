"""Cards, forms and pages as HTML. Jinja2 escapes everything; what people typed is never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_never
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.local import local_charts
from bot.local.host import CommandHelp, LocalPerson, NextDue
from bot.local.html_text import SLASH, Spans, Viewer, safe_url
from bot.local.messages import Channel, Message, direct
from handlers.core.cards import (
    Block,
    Bullets,
    Buttons,
    Card,
    Chart,
    Divider,
    Facts,
    Heading,
    Note,
    Paragraph,
    Progress,
    Table,
    When,
)
from handlers.core.forms import ChoiceField, DateField, Field, Form, ManyField, NumberField, TextField, TimeField
from handlers.core.plain_cards import plain
from program.core.times import zone_words
from program.core.words import isolated

BOT_NAME = "PLC Cohort Bot"
HOME = "home"  # in the place of a conversation's id
TEMPLATES = Path(__file__).parent / "templates"
HUES = 6
ANNOUNCED = 240  # characters of a new message that a screen reader is told
FEW_CHOICES, SHORT_CHOICE = 5, 24  # up to here a choice is a row of buttons, beyond it a list


def path_of(user: str, conversation: str | None = None, *more: str) -> str:
    """The address of a page; a conversation with the bot is called ``direct`` in it, its home page ``home``."""
    parts = ["as", user]
    if conversation is not None:
        parts += ["c", "direct" if conversation == direct(user) else conversation]
    return "".join(f"/{quote(part, safe='@')}" for part in (*parts, *more))


def moment(at: datetime, zone: str) -> str:
    """Return the date and time in words, in this IANA zone; UTC where it is empty."""
    return When(at, zone or "UTC").plain()


@dataclass(frozen=True, slots=True)
class Face:
    """How somebody appears beside a message or in a list."""

    name: str
    role: str
    initials: str
    hue: int
    user: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class SidebarEntry:
    """A conversation in the sidebar."""

    href: str
    name: str
    unread: int
    current: bool


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The list of conversations: those the viewer is in, and ``others``, the channels they are not in."""

    home: SidebarEntry
    direct: SidebarEntry
    channels: tuple[SidebarEntry, ...]
    others: tuple[SidebarEntry, ...]

    @property
    def unread(self) -> int:
        """The number of unread messages in the direct conversation and the viewer's channels."""
        return self.direct.unread + sum(entry.unread for entry in self.channels)


@dataclass(frozen=True, slots=True)
class ClockView:
    """What a page shows of the clock. ``working``: the clock is being moved now, and ``due`` is not known."""

    now: datetime
    due: NextDue | None
    working: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The conversation that a page shows. ``channel`` is None in the direct conversation.

    ``home``: the bot's home page is shown, in place of messages.
    """

    conversation: str
    channel: Channel | None
    inside: bool
    messages: tuple[Message, ...]
    earlier: bool
    change: int
    home: Card | None = None

    @property
    def path(self) -> str:
        """What stands for this conversation in an address: its id, or ``home``."""
        return self.conversation if self.home is None else HOME


def face_of(user: str | None, people: Mapping[str, LocalPerson]) -> Face:
    """Return how a user appears. None is the bot; an unknown user is shown by their id."""
    if user is None:
        return Face(BOT_NAME, "bot", "", 0, "", bot=True)
    person = people.get(user)
    name = person.name if person else user
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()
    return Face(name, person.role if person else "", initials or "?", sum(user.encode()) % HUES, user)


class Renderer:
    """Everything the workspace shows, as escaped HTML."""

    def __init__(self) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters["isolated"] = isolated
        self._jinja.globals.update(
            path_of=path_of, face_of=face_of, moment=moment, zone_words=zone_words, bot_name=BOT_NAME
        )
        self._blocks = self._jinja.get_template("blocks.html").module
        self._fields = self._jinja.get_template("fields.html").module

    # Pages and their parts -----------------------------------------------------------------

    def choose(self, people: Iterable[LocalPerson]) -> str:
        """Return the page on which a visitor chooses a person to be, by role."""
        roles: dict[str, list[LocalPerson]] = {}
        for person in people:
            roles.setdefault(person.role, []).append(person)
        return self._page("choose.html", roles=roles, people={})

    def workspace(
        self,
        viewer: LocalPerson,
        people: Mapping[str, LocalPerson],
        room: Room,
        sidebar: Sidebar,
        clock: ClockView,
        commands: tuple[CommandHelp, ...],
        epoch: str,
    ) -> str:
        """Return the page of a conversation, or the bot's home page, with everything around it."""
        shown = Markup("").join(self.message(message, people, viewer) for message in room.messages)
        return self._page(
            "workspace.html",
            viewer=viewer,
            people=people,
            room=room,
            base=path_of(viewer.user, room.path),
            sidebar=sidebar,
            conversations=self.sidebar(sidebar),
            clock=self.clock(clock, viewer),
            head=self.head(room.channel, people, home=room.home is not None),
            home=None if room.home is None else self.home(room.home, viewer),
            shown=shown,
            commands=commands,
            epoch=epoch,
        )

    def sidebar(self, sidebar: Sidebar) -> Markup:
        """Return the list of conversations."""
        return self._part("conversations.html", sidebar=sidebar)

    def clock(self, clock: ClockView, viewer: LocalPerson) -> Markup:
        """Return the clock's time and what is due next, in the viewer's zone."""
        return self._part("clock.html", clock=clock, viewer=viewer)

    def head(self, channel: Channel | None, people: Mapping[str, LocalPerson], *, home: bool = False) -> Markup:
        """Return the line that says who is in this conversation. ``channel``: None in the direct conversation."""
        return self._part("head.html", channel=channel, people=people, home=home)

    def home(self, card: Card, viewer: LocalPerson) -> Markup:
        """The bot's home page, as this person sees it."""
        return self.card(card, {}, Viewer(viewer.user, viewer.zone), HOME)

    def people(self, channel: Channel, viewer: LocalPerson, people: Mapping[str, LocalPerson]) -> Markup:
        """Return the dialog with a channel's members, in which a member can add other people."""
        others = [person for user, person in people.items() if user not in channel.members]
        return self._part("people.html", channel=channel, viewer=viewer, people=people, others=others)

    def message(self, message: Message, people: Mapping[str, LocalPerson], viewer: LocalPerson) -> Markup:
        """Return one message with its author and time, as this viewer sees it."""
        eyes = Viewer(viewer.user, viewer.zone)
        words = message.text or ""
        body = Markup("")
        if message.card is not None:
            words = plain(message.card, viewer.zone or None, SLASH)
            body = self.card(message.card, message.mentions, eyes, f"m{message.id}")
        at = When(message.at, viewer.zone or "UTC")
        return self._part(
            "message.html",
            message=message,
            face=face_of(message.author, people),
            mine=message.author == viewer.user,
            body=body,
            clock=When(at.at, at.zone, "time").plain().rpartition(" ")[0],
            day=When(at.at, at.zone, "date").plain(),
            full=at.plain(),
            words=local_charts.short(words, ANNOUNCED),
        )

    def _page(self, template: str, **context: object) -> str:
        return self._jinja.get_template(template).render(context)

    def _part(self, template: str, **context: object) -> Markup:
        # The template's own output: everything in it was escaped there.
        return Markup(self._jinja.get_template(template).render(context))  # noqa: S704

    # Cards ---------------------------------------------------------------------------------

    def card(self, card: Card, mentions: Mapping[UUID, str], viewer: Viewer, key: str) -> Markup:
        """``key`` makes the ids of this card's parts unique on the page."""
        drawn = [self._block("title", card.title)] if card.title else []
        drawn += self._draw(card.blocks, mentions, viewer, key)
        return Markup("").join(drawn)

    def _draw(self, blocks: tuple[Block, ...], mentions: Mapping[UUID, str], viewer: Viewer, key: str) -> list[Markup]:
        return [self._render(block, Spans(mentions, viewer), f"{key}-{index}") for index, block in enumerate(blocks)]

    def _render(self, block: Block, spans: Spans, key: str) -> Markup:
        match block:
            case Heading():
                return self._block("heading", block.text)
            case Paragraph():
                return self._block("paragraph", spans.text(block.text))
            case Note():
                return self._block("note", spans.text(block.text))
            case Bullets():
                return self._block("bullets", [spans.text(item) for item in block.items])
            case Facts():
                return self._block("facts", [(label, spans.text(text)) for label, text in block.rows])
            case Table():
                return self._block("table", block)
            case Chart():
                return self._chart(block, key)
            case Progress():
                return self._block("progress", block, key)
            case Buttons():
                return self._block("buttons", block.buttons, safe_url)
            case Divider():
                return self._block("divider")
            case _:
                assert_never(block)

    def _chart(self, chart: Chart, key: str) -> Markup:
        match chart.kind:
            case "bar":
                return self._block("bar_chart", chart, local_charts.bars(chart), key)
            case "line":
                return self._block("line_chart", chart, local_charts.lines(chart), key)
            case "pie":
                return self._block("pie_chart", chart, local_charts.slices(chart), key)
            case _:
                assert_never(chart.kind)

    def _block(self, name: str, *args: object) -> Markup:
        return Markup(getattr(self._blocks, name)(*args))  # noqa: S704 -- a macro's output is escaped

    # Forms ---------------------------------------------------------------------------------

    def form(self, form: Form, viewer: Viewer, message: int | None) -> Markup:
        """A dialog. ``message``: the message whose button opened it; what is sent names it again."""
        return self._part(
            "form.html",
            form=form,
            message=message,
            private=form.confidential and any(isinstance(field, TextField) for field in form.fields),
            blocks=self._draw(form.blocks, {}, viewer, "form"),
            fields=[self._field(field, f"field{index}") for index, field in enumerate(form.fields)],
        )

    def _field(self, field: Field, key: str) -> Markup:
        match field:
            case TextField():
                return self._input("text", field, key)
            case ChoiceField():
                few = len(field.options) <= FEW_CHOICES
                short = all(len(option.label) <= SHORT_CHOICE for option in field.options)
                return self._input("radios" if few and short else "choice", field, key)
            case ManyField():
                return self._input("many", field, key)
            case DateField():
                return self._input("date", field, key)
            case TimeField():
                return self._input("time", field, key)
            case NumberField():
                return self._input("number", field, key)
            case _:
                assert_never(field)

    def _input(self, name: str, field: Field, key: str) -> Markup:
        return Markup(getattr(self._fields, name)(field, key))  # noqa: S704 -- a macro's output is escaped
