"""The router: which function answers a command, a press, a form, a due moment, or builds a delivery's card.

Feature files register on :data:`router` with decorators. Nothing here knows a feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from uuid import UUID

from handlers.core.actions import Action, BadAction
from handlers.core.calls import EVERYONE, Call, Refused, roles_of
from handlers.core.cards import Button, Card, Cmd, Note, Paragraph, buttons, say
from handlers.core.command_actions import RunCommand, RunForCohort
from handlers.core.contacts import ask_coordinator
from handlers.core.registrations import (
    Answer,
    CommandSpec,
)
from handlers.core.registry import Registry
from handlers.core.requests import (
    Arrived,
    BotAdded,
    BotRemoved,
    Command,
    Departed,
    HomeOpened,
    Press,
    Reply,
    Request,
    Submit,
    Typed,
    notice,
)
from program.core.words import is_near, near_commands, nearest, normal
from storage.outbox import conversations
from storage.people import cohorts
from storage.people.people import Actor

MOST_CHOICES = 20  # cohorts offered as buttons


class Router(Registry):
    """Finds the handler of a request, and asks it."""

    def checks_account(self, request: Request) -> bool:
        """Whether this may be answered only with what the platform says of the asker's account now."""
        return isinstance(request.intent, Press) and request.intent.action.name in self.account_checks

    def only_reads(self, request: Request) -> bool:
        """Whether answering changes nothing, so that a reader will do and no key is recorded."""
        match request.intent:
            case Command(text):
                spec, _ = self.match(text)
                return spec is None or spec.reads
            case Typed(text):
                exact = self.exact(text)
                return exact is not None and exact[0].reads
            case HomeOpened():
                return True
            case _:
                return False

    def answer(self, call: Call) -> Reply:
        """Answer one request.

        Raises:
            Refused, FormErrors, BadAction: nothing is to be changed; the text is for the asker.
        """
        intent = call.request.intent
        if isinstance(intent, BotAdded | BotRemoved | Arrived | Departed):
            return self._event(call)
        if call.me.person_id is None and self._stranger is not None:
            return self._stranger(call)
        match intent:
            case Command(text):
                return self._command(call, text)
            case Typed(text):
                if exact := self.exact(text):
                    return self._run(replace(call, words=exact[1]), exact[0])
                return self._event(call)
            case Press(pressed):
                return self._named(self.presses, call, pressed)
            case Submit(sent, values):
                return self._named(self.submits, replace(call, values=values), sent)
            case HomeOpened():
                return self._event(call)

    def _event(self, call: Call) -> Reply:
        handler = self._events.get(type(call.request.intent))
        return handler(call) if handler else Reply()

    def _named(self, answers: Mapping[str, Answer], call: Call, done: Action) -> Reply:
        answer = answers.get(done.name)
        if answer is None:
            raise BadAction
        return answer(call, done.args)

    def match(self, text: str) -> tuple[CommandSpec | None, str]:
        """The command that a text begins with, the longest first, and the words after it."""
        typed = normal(text.removeprefix("/plc"))
        for words in sorted(self.commands, key=len, reverse=True):
            if typed == words or typed.startswith(words + " "):
                return self.commands[words], typed[len(words) :].strip()
        return None, typed

    def exact(self, text: str) -> tuple[CommandSpec, str] | None:
        """The command whose exact words a typed message is."""
        spec, rest = self.match(text)
        if spec is not None and (not rest or spec.accepts(rest)):
            return spec, rest
        return None

    def _command(self, call: Call, text: str) -> Reply:
        spec, rest = self.match(text)
        if spec is None:
            return self.unknown(call, rest)
        return self._run(replace(call, words=rest), spec)

    def corrected(self, call: Call, text: str) -> Reply | None:
        """The answer of the misspelled command that a text begins with; None where what follows does not fit it."""
        typed = normal(text).split(" ")
        for words in commands_of(call.me):
            spec, many = self.commands[words], len(words.split(" "))
            rest = " ".join(typed[many:])
            if rest and is_near(" ".join(typed[:many]), words) and spec.corrects(rest):
                return self._run(replace(call, words=rest), spec)
        return None

    def with_cohort(self, call: Call, text: str) -> Reply | None:
        """The answer of a command that is followed by the name of a cohort that the asker leads; else None."""
        spec, rest = self.match(text)
        if spec is None or not rest or spec.takes != "COHORT":
            return None
        cohort = cohorts.by_name(call.work.tx, rest)
        return self._run(replace(call, words=rest), spec) if cohort is not None and call.leads(cohort.id) else None

    def misspelled_of_others(self, call: Call, text: str) -> Reply | None:
        """The refusal of a misspelled command that is not for this person; None where the text is none."""
        near = near_commands(text, list(self.commands), most=1)
        return self._run(call, self.commands[near[0]]) if near and near[0] not in commands_of(call.me) else None

    def unknown(self, call: Call, typed: str) -> Reply:
        """A command that nobody knows gets the nearest ones; what was typed is not repeated."""
        if not typed:
            return self._run(call, self.commands["help"])
        if close := nearest(typed, commands_of(call.me)):
            return suggested(call, close, "I don't know that command. Did you mean one of these?")
        return notice("I don't know that command. ", "Send ", Cmd("help"), " to see what I can do.")

    def _run(self, call: Call, spec: CommandSpec) -> Reply:
        if spec.who != EVERYONE and not spec.who & roles_of(call.me):  # who left has no role, and still a record
            who = " and ".join(f"{role}s" for role in sorted(spec.who))
            return notice(Cmd(spec.words), f" is only for {who}. Send ", Cmd("help"), " to see what you can do here.")
        if spec.cohort is None:
            return spec.handler(call)
        choose = self._choose(call, spec)
        return choose if isinstance(choose, Reply) else spec.handler(replace(call, cohort_id=choose))

    def _choose(self, call: Call, spec: CommandSpec) -> UUID | Reply | None:
        """The cohort that is meant: this channel's, or the only one; with several the asker is asked."""
        roles = spec.cohort or frozenset()
        if call.place is not None and call.place.cohort_id is not None:
            here = call.place.cohort_id
            if (call.me.coordinator and "coordinator" in roles) or any(call.is_member(here, role) for role in roles):
                return here
            if spec.cohort_optional:
                return None
            raise Refused(Cmd(spec.words), " is only for this cohort's mentors and for coordinators.")
        choices = {member.cohort_id: member.cohort for member in call.me.memberships if member.role in roles}
        if not choices and call.me.coordinator and "coordinator" in roles:
            choices = {cohort.id: cohort.name for cohort in cohorts.all_cohorts(call.work.tx)}
        if len(choices) == 1:
            return next(iter(choices))
        if spec.cohort_optional:
            return None
        if not choices and not call.me.coordinator:
            raise Refused(f"You're not in a cohort now. {ask_coordinator(call.work.tx, 'add you to one')}")
        if not choices:
            raise Refused("There are no cohorts yet. Ask the operator to import the roster: plc-bot roster import FILE")
        return _ask_which(call, spec, choices)


def commands_of(me: Actor) -> list[str]:
    """The commands that somebody may send."""
    return [words for words, spec in router.commands.items() if spec.who & roles_of(me)]


def suggested(call: Call, commands: Sequence[str], lead: str, note: str = "") -> Reply:
    """Commands as buttons, after a sentence."""
    items = [Button(words, RunCommand(words, _asked_in(call))) for words in commands]
    return Reply(card=Card("", (say(lead), buttons(*items), *((Note((note,)),) if note else ()))))


def _asked_in(call: Call) -> UUID | None:
    """The channel of a command, for a question about it that may be answered in the personal chat."""
    return call.place.id if call.place is not None and call.place.kind == "channel" else None


def _back_in(call: Call, channel_id: UUID | None) -> Call:
    """The call as if it came from the channel that the button carries, if it carries one."""
    if channel_id is None:
        return call
    return replace(call, place=conversations.find_by_id(call.work.tx, channel_id) or call.place)


def _ask_which(call: Call, spec: CommandSpec, choices: Mapping[UUID, str]) -> Reply:
    """``choices``: the names of the cohorts that may be meant."""
    blocks: list[Paragraph] = []
    if len(choices) > MOST_CHOICES:
        blocks.append(say("There are more cohorts. For another one, send this command in its channel."))
    here = _asked_in(call)
    offered = islice(choices.items(), MOST_CHOICES)
    items = [Button(name, RunForCohort(cohort_id, spec.words, here)) for cohort_id, name in offered]
    return Reply(card=Card("Which cohort?", (*blocks, buttons(*items))))


router = Router()


@router.press(RunCommand)
def run_command(call: Call, pressed: RunCommand) -> Reply:
    """A suggested command was pressed."""
    there = _back_in(call, pressed.channel_id)
    return router.answer(replace(there, request=replace(call.request, intent=Command(pressed.words))))


@router.press(RunForCohort)
def run_for_cohort(call: Call, pressed: RunForCohort) -> Reply:
    """The cohort for a command was chosen."""
    cohort_id, spec = pressed.cohort_id, router.commands.get(pressed.words)
    if spec is None or spec.cohort is None:
        raise BadAction
    allowed = any(call.is_member(cohort_id, role) for role in spec.cohort)
    allowed = allowed or (call.me.coordinator and "coordinator" in spec.cohort)
    if not allowed or cohorts.find(call.work.tx, cohort_id) is None:
        raise Refused("You can't do that for this cohort.")
    return spec.handler(replace(_back_in(call, pressed.channel_id), cohort_id=cohort_id))
