"""What the product acknowledged, and so must neither lose nor do twice; and who may read which secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from handlers.core.cards import Card
from handlers.core.forms import Form
from handlers.core.plain_cards import plain
from handlers.core.requests import Press, Reply, Request, Submit, Typed
from tests.simulation.habits import SECRET
from tests.world import buttons_of

Answers = dict[str, str]  # what somebody wrote in one check-in, by field; a pulse stands under its own name
PULSE = "pulse"
COUNTED = {  # forms that add one ledger line, and how their acknowledgement begins
    "activities.logged": ("activity", "logged", "Logged"),
    "activities.makeup.asked": ("makeup", "asked", "Request sent"),
    "leave.asked": ("leave", "asked", "Request sent"),
    "disputes.open": ("dispute", "opened", "Your dispute is open"),
}
HERE = "You're marked as here, "


@dataclass(slots=True)
class Promises:
    """``possible`` acts may have been done or not: the process died over them."""

    done: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # key: user, kind, step
    possible: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    taps: set[tuple[str, str]] = field(default_factory=set)  # meeting, user
    fresh_taps: set[tuple[str, str]] = field(default_factory=set)  # since the last check
    written: dict[tuple[str, str], list[Answers]] = field(default_factory=dict)  # by check-in and user
    offered: dict[str, tuple[str, str]] = field(default_factory=dict)  # typed words by their button: check-in, text
    fresh: set[tuple[str, str]] = field(default_factory=set)  # written since the last check

    def heard(self, request: Request, reply: Reply | None, open_checkin: str = "") -> None:
        """One try of an act ended with this reply; None: the process died over it."""
        match request.intent:
            case Submit(sent, values) if sent.name in COUNTED:
                self._counted(request, sent.name, reply)
            case Press(pressed) if pressed.name == "attendance.here":
                if reply is not None and _text(reply).startswith(HERE):
                    self.taps.add((pressed.args[0], request.who.user))
                    self.fresh_taps.add((pressed.args[0], request.who.user))
            case Press(pressed) if pressed.name == "checkins.pulse":
                saved = None if reply is None else reply.replace is not None
                self._wrote(pressed.args[0], request, {PULSE: pressed.args[1]}, saved)
            case Submit(sent, values) if sent.name == "checkins.save":
                texts = {name: "\n".join(value).strip() for name, value in values.items()}
                kept = (
                    _text(reply).startswith(("Saved.", "Nothing is saved", "Your words aren't saved"))
                    if reply
                    else None
                )
                self._wrote(sent.args[0], request, texts, kept)
            case Typed(text) if open_checkin:
                self._offered(reply, open_checkin, text)
            case Press(pressed) if pressed.name == "checkins.keep":
                place, text = self.offered[pressed.args[0]]
                kept = None if reply is None else reply.replace is not None
                self._wrote(place, request, {"typed": text}, kept, adds=True)
            case _:
                pass

    def _offered(self, reply: Reply | None, checkin: str, text: str) -> None:
        """Typed words wait for their author's choice."""
        for button in buttons_of(reply.card) if reply is not None and reply.card is not None else ():
            if button.action.name == "checkins.keep":
                self.offered[button.action.args[0]] = (checkin, text)

    def _counted(self, request: Request, name: str, reply: Reply | None) -> None:
        kind, step, begins = COUNTED[name]
        act = (request.who.user, kind, step)
        if reply is None:
            self.possible[request.key] = act
        elif _text(reply).startswith(begins) or (reply == Reply() and request.key in self.possible):
            self.done[request.key] = act
            self.possible.pop(request.key, None)
        elif reply != Reply():
            self.possible.pop(request.key, None)

    def _wrote(self, checkin: str, request: Request, texts: Answers, saved: bool | None, *, adds: bool = False) -> None:
        """``saved``: whether the product said so; None: nobody knows."""
        if saved is False:
            return
        place = (checkin, request.who.user)
        before = self.written.get(place, [{}])
        after = [texts_before | (_joined(texts_before, texts) if adds else texts) for texts_before in before]
        self.written[place] = after if saved else [*before, *after]
        self.fresh.add(place)

    def between(self, user: str, kind: str, step: str) -> tuple[int, int]:
        """How many lines of this kind somebody's acts must, and may, have made."""
        act = (user, kind, step)
        least = sum(done == act for done in self.done.values())
        return least, least + sum(done == act for done in self.possible.values())


def _joined(before: Answers, texts: Answers) -> Answers:
    return {name: "\n\n".join(filter(None, (before.get(name, ""), text))) for name, text in texts.items()}


def _text(reply: Reply) -> str:
    return plain(reply.card) if reply.card else ""


@dataclass(slots=True)
class Secrets:
    """Confidential texts: who wrote each and who else may read it (``own``, ``mentor``, ``coordinator``)."""

    author: dict[str, str] = field(default_factory=dict)
    readers: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)  # where one stood that should not have

    def new(self, user: str, readers: str) -> str:
        name = f"{SECRET}-{len(self.author)}"
        self.author[name] = user
        self.readers[name] = readers
        return f"{name}. It was a long week."

    def shown_on_a_screen(self, card: Card, where: str) -> None:
        """Whatever a platform keeps must hold none."""
        if SECRET in plain(card):
            self.told.append(f"a message in {where}")

    def answered(self, reply: Reply, user: str, roles: Iterable[str]) -> None:
        """A private answer: none in a card, and in a form only what its reader may see."""
        for card in (reply.card, reply.replace):
            if card is not None and SECRET in plain(card):
                self.told.append(f"a card answered to {user}")
        if reply.form is None:
            return
        for name in _secrets_in(reply.form, self.author):
            own = self.author[name] == user
            allowed = own or self.readers[name] in roles
            if not reply.form.confidential or not allowed:
                self.told.append(f"a form of {user}: {name}")


def _secrets_in(form: Form, known: Mapping[str, str]) -> list[str]:
    text = plain(Card(form.title, form.blocks)) + "\n".join(str(getattr(field, "value", "")) for field in form.fields)
    return [name for name in known if f"{name}." in text] if SECRET in text else []
