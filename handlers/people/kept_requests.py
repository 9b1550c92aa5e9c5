"""What somebody sent before "Yes, that's me" is answered after it; what cannot be kept is asked for again.

Where a coordinator or the operator matches the account instead, its person is offered the answer.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from handlers.core.actions import Action, BadAction, SentAction, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import FormErrors
from handlers.core.requests import Command, HomeOpened, Intent, Press, Reply, Request, Typed, notice
from handlers.core.router import router
from program.checkins.typed import small_talk
from program.program_desk.reporting import PRIVATE, act_in_log
from storage.core import drafts
from storage.core.work import Work
from storage.outbox import conversations, deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import account_links, people
from storage.people.people import Person

REQUEST = "command"  # the kind of draft that holds what was sent until its sender is known
KEPT_FOR = timedelta(days=1)
SETTINGS = ("on", "off")  # the only words after a command that are kept
CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")  # an id or a code in a button; never typed text


@action("identity.answer")
class AnswerKept(Action):
    """Answer what the account sent before it was matched."""


def keep(call: Call, person_id: UUID) -> bool:
    """Keep a command's name, or a button's name and ids, and nothing else of what was sent; whether anything is kept.

    Of anything else that asks for an answer, only that something was sent is kept. Help is not kept: the welcome
    says the same.
    """
    command, press = _command_of(call.request.intent), _press_of(call.request.intent)
    account = str(call.me.account_id)
    before = _kept(call, account, person_id)
    if command == "help" or not (command or press or _asks(call.request)):
        return before is not None
    place = str(call.place.id) if call.place is not None and call.place.kind == "channel" else ""
    values = {"command": command, "press": press, "place": place, "account": account, "lost": not (command or press)}
    if before is not None and before != values:  # one request is kept: the last that can be
        values = {**(before if values["lost"] else values), "lost": True}
    drafts.keep_of_account(call.work, person_id, REQUEST, account, values)
    return True


def _kept(call: Call, account: str, person_id: UUID) -> dict[str, Any] | None:
    """What this account sent within the last day."""
    return drafts.of_account(call.work.tx, person_id, REQUEST, account, call.work.now - KEPT_FOR)


def _command_of(intent: Intent) -> str:
    """The exact words of a command without details, or turned on or off; else empty."""
    exact = router.exact(intent.text) if isinstance(intent, Command | Typed) else None
    if exact is None or (exact[1] and exact[1] not in SETTINGS):
        return ""
    spec, setting = exact
    return f"{spec.words} {setting}".strip()


def _press_of(intent: Intent) -> str:
    """A button with its ids; empty for anything else, and for what tells that somebody takes part in check-ins."""
    if not isinstance(intent, Press) or intent.action.name not in router.presses:
        return ""
    if intent.action.name.startswith("identity.") or act_in_log(intent.action.name) == PRIVATE:
        return ""
    return intent.action.encode() if all(CODE.fullmatch(arg) for arg in intent.action.args) else ""


def _asks(request: Request) -> bool:
    """Whether something was sent that a person would expect an answer to, so that it must be sent again."""
    intent = request.intent
    if isinstance(intent, HomeOpened):
        return False
    return not (isinstance(intent, Command | Typed) and (not intent.text.strip() or small_talk(intent.text)))


def may_be_saved(request: Request) -> bool:
    """Whether somebody who is known might have had something saved: not by a greeting or a command that only reads."""
    return _asks(request) and not router.only_reads(request)


def offer_answer(work: Work, account_id: UUID, before: UUID | None, person_id: UUID) -> None:
    """An account was matched by somebody else than its person: offer the answer to what was sent before.

    ``before``: the person the account was asked about. What it sent as another person is asked for again, not answered.
    """
    account, since = str(account_id), work.now - KEPT_FOR
    kept = drafts.of_account(work.tx, before, REQUEST, account, since) if before is not None else None
    if kept is None or before is None:
        return
    if before != person_id:
        drafts.forget_of_account(work, before, REQUEST, account)
        lost = {"command": "", "press": "", "place": "", "account": account, "lost": True}
        drafts.keep_of_account(work, person_id, REQUEST, account, lost)
    deliveries.to_account(work, kinds.IDENTITY_OFFER, account_id, account_id, tag=person_id)


@router.delivery(kinds.IDENTITY_OFFER)
def offer(work: Work, item: Delivery) -> Card | None:
    """Offers to answer what was sent; None where it was answered meanwhile, or is too old."""
    account = account_links.account_by_id(work.tx, UUID(item.subject))
    if account is None or account.person_id is None or account.link != "confirmed":
        return None
    kept = drafts.of_account(work.tx, account.person_id, REQUEST, str(account.id), work.now - KEPT_FOR)
    if kept is None:
        return None
    matched = ("I know who you are now: ", Bold(people.get(work.tx, account.person_id).name), ".")
    if not (kept["command"] or kept["press"]):
        return Card("", (say(*matched, " I couldn't keep what you sent before that. Send it again."),))
    what = ("sent ", Bold(kept["command"])) if kept["command"] else ("pressed a button",)
    now = Button("Answer it now", AnswerKept(), style="primary")
    return Card("", (say(*matched, " You ", *what, " before that."), buttons(now)))


@router.press(AnswerKept)
def answer_offered(call: Call, _pressed: AnswerKept) -> Reply:
    """Answer what the account sent before it was matched."""
    if not has_kept(call, call.my_id):
        raise Refused("I don't have it anymore: it was answered, or more than a day has passed. Send it again.")
    return answer_kept(call, call.me.account_id, people.get(call.work.tx, call.my_id), sent=True)


def has_kept(call: Call, person_id: UUID) -> bool:
    """Whether something is kept that the asker's account sent within the last day."""
    return _kept(call, str(call.me.account_id), person_id) is not None


def answer_kept(call: Call, account_id: UUID, person: Person, *, sent: bool) -> Reply:
    """The thanks for "Yes, that's me", with the answer to what the account sent within the last day before it.

    ``sent``: something was sent before the question, which may be kept no more.
    """
    kept = _kept(call, str(account_id), person.id)
    forget_kept(call.work, person.id, account_id)
    thanks = [say("Good to meet you, ", Bold(person.name), ".")]
    answer = Reply()
    if kept is not None and (kept["command"] or kept["press"]):
        answer = _answer(call, kept)
        if kept["lost"]:
            thanks.append(say("I couldn't keep everything you sent before that. Send the rest again."))
    elif kept is not None or sent:
        thanks.append(say("I couldn't keep what you sent before that. Send it again."))
    return replace(answer, replace=Card("Thank you", tuple(thanks)))


def _answer(call: Call, kept: dict[str, Any]) -> Reply:
    """The answer as if it were sent now, by somebody who is known; what it may do is checked like any other request."""
    who = call.request.who
    me = people.actor(call.work.tx, who.platform, who.tenant, who.user)
    if me is None:
        return Reply()
    place = conversations.find_by_id(call.work.tx, UUID(kept["place"])) if kept["place"] else call.place
    intent = Command(kept["command"]) if kept["command"] else Press(SentAction.decode(kept["press"]))
    request = replace(call.request, intent=intent)
    try:
        with call.work.tx.begin_nested():  # a refusal takes back what this did, and nothing of the link
            reply = router.answer(replace(call, me=me, place=place, request=request))
    except Refused as refusal:
        return notice(*refusal.text)
    except (BadAction, FormErrors):
        return notice("The button you pressed before is too old. Send the command again.")
    # What a press puts in place of its own card may not be put in place of the question.
    return reply if reply.card is not None else replace(reply, card=reply.replace)


def forget_kept(work: Work, person_id: UUID, account_id: UUID) -> None:
    """Delete what was kept of an account for somebody."""
    drafts.forget_of_account(work, person_id, REQUEST, str(account_id))


def forget_old_requests(work: Work) -> None:
    """Delete what nobody confirmed within a day."""
    drafts.forget(work, REQUEST, before=work.now - KEPT_FOR)
