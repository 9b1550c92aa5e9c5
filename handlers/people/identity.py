"""Who is who: an account is asked which person on the roster it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, Cmd, HowToAsk, Note, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.requests import Arrived, BotAdded, BotRemoved, Departed, Profile, Reply, notice
from handlers.core.router import router
from handlers.people.kept_requests import answer_kept, forget_kept, has_kept, keep, may_be_saved, offer_answer
from program.core.words import listed
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import conversations, deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import account_links, cohorts, people

MOST_PROPOSALS = 20_000
UNMATCHED = "I can't match you to the roster yet"
DECIDED = "That's already decided."
SENT: Literal["sent"] = (
    "sent"  # something was sent before the question, which is answered after "Yes" or said to be lost
)


@action("identity.yes")
class ConfirmIdentity(Action):
    """Yes, the asker's account is this person's."""

    person_id: UUID
    before: Literal["sent"] | None = None


@action("identity.no")
class DenyIdentity(Action):
    """No, the asker's account is not this person's."""

    person_id: UUID
    before: Literal["sent"] | None = None


@action("identity.again")
class AskIdentityAgain(Action):
    """The answer was a mistake: the question once more."""

    before: Literal["sent"] | None = None


def see(work: Work, profile: Profile) -> account_links.Account:
    """Store what a platform says of an account."""
    return account_links.remember(
        work,
        profile.account.platform,
        profile.account.tenant,
        profile.account.user,
        name=profile.name,
        email=profile.email if profile.email_confirmed else "",
        member=profile.member and profile.email_confirmed,
        active=profile.active,
    )


def meet(work: Work, profiles: Sequence[Profile]) -> None:
    """Accounts the bot found in a channel: those with a roster member's address are asked who they are."""
    for profile in profiles:
        if profile.bot or not profile.active:
            continue
        account = see(work, profile)
        if account_links.propose(work, account) is not None:
            deliveries.to_account(work, kinds.IDENTITY_ASK, account.id, account.id)


def propose_again(work: Work) -> None:
    """The roster changed: accounts that were seen earlier may belong to a person on it now."""
    for account in account_links.unmatched_accounts(work.tx, MOST_PROPOSALS):
        if account.link == "none" and account_links.propose(work, account) is not None:
            deliveries.to_account(work, kinds.IDENTITY_ASK, account.id, account.id)


@router.stranger
def stranger(call: Call) -> Reply:
    """Answer an account that is not linked to the roster yet."""
    intent = call.request.intent
    pressed = getattr(intent, "action", None)
    if pressed is not None and pressed.name in (ConfirmIdentity.name, DenyIdentity.name, AskIdentityAgain.name):
        return router.presses[pressed.name](call, pressed.args)
    account = account_links.account_by_id(call.work.tx, call.me.account_id)
    candidate = account_links.propose(call.work, account) if account and account.link == "none" else None
    if candidate is None and account and account.link == "proposed" and account.person_id:
        candidate = account_links.candidate_for(call.work.tx, account)
        if candidate is None:  # another account is theirs by now, or the roster has changed
            account_links.withdraw(call.work, account.id)
    if candidate is not None:
        sent = keep(call, candidate.id)
        return Reply(card=_question(call.work.tx, candidate, sent=sent))
    if account and account.link == "declined" and account_links.candidate_for(call.work.tx, account):
        return Reply(card=_declined(sent=may_be_saved(call.request)))
    ask = ask_coordinator(call.work.tx, "match your account")
    unsaved = ", so I didn't save anything" if may_be_saved(call.request) else ""
    return notice(f"{UNMATCHED}{unsaved}. {ask}")


@router.delivery(kinds.IDENTITY_ASK)
def ask_who(work: Work, item: Delivery) -> Card | None:
    """Ask an account whether it belongs to the person on the roster with its address."""
    account = account_links.account_by_id(work.tx, UUID(item.subject))
    if account is None or account.link != "proposed" or account.person_id is None:
        return None
    return _question(work.tx, people.get(work.tx, account.person_id))


def _question(tx: Tx, candidate: people.Person, *, sent: bool = False) -> Card:
    """``sent``: something was sent before it."""
    before = SENT if sent else None
    own = [cohort.name for cohort in cohorts.shared_cohorts(tx, candidate.id)]
    where = f" ({listed(own)})" if own else ""
    return Card(
        "Is this you?",
        (
            say("The roster lists ", Bold(candidate.name), f"{where} with your email address."),
            buttons(
                Button("Yes, that's me", ConfirmIdentity(candidate.id, before), style="primary"),
                Button("No", DenyIdentity(candidate.id, before)),
            ),
            Note(("I'm the cohort bot: I handle meetings, attendance and check-ins.",)),
        ),
    )


@router.press(ConfirmIdentity, checks_account=True)
def yes(call: Call, pressed: ConfirmIdentity) -> Reply:
    """Link the account and answer what was sent before, also where a coordinator has matched it meanwhile."""
    me = call.me
    if me.person_id is not None and me.link == "confirmed" and has_kept(call, me.person_id):
        return answer_kept(call, me.account_id, people.get(call.work.tx, me.person_id), sent=True)
    account = _asked(call, "proposed")
    candidate = account_links.candidate_for(call.work.tx, account)
    if candidate is None or candidate.id != account.person_id:
        account_links.withdraw(call.work, account.id)
        ask = ask_coordinator(call.work.tx, "match it")
        text = f"Your account or the roster has changed since I asked, so I didn't link your account. {ask}"
        return Reply(replace=Card("", (say(text),)))
    link(call.work, account.id, candidate.id, by=candidate.id)
    return answer_kept(call, account.id, candidate, sent=pressed.before == SENT)


def _asked(call: Call, state: str) -> account_links.Account:
    """The asker's account, if the question to it is still in this state.

    Raises:
        Refused: it was decided since then, by anybody.
    """
    account = account_links.account_by_id(call.work.tx, call.me.account_id)
    if account is None or account.link != state or (state == "proposed" and account.person_id is None):
        if call.me.person_id is not None and call.me.link == "confirmed":
            raise Refused(f"{DECIDED} Your account is matched to {call.me.name}. Send ", Cmd("help"), ".")
        if account is not None and account.link == "declined":
            raise Refused(f"{DECIDED} You said that isn't you.")
        ask = ask_coordinator(call.work.tx, "match your account")
        raise Refused(f"Something has changed since I asked, so I didn't link your account. {ask}")
    return account


@router.press(DenyIdentity)
def no(call: Call, pressed: DenyIdentity) -> Reply:
    """The account stays linked to nobody, and what was sent before the question is not kept."""
    account = _asked(call, "proposed")
    if account.person_id is not None:
        forget_kept(call.work, account.person_id, account.id)
    account_links.decline(call.work, call.me.account_id)
    return Reply(replace=_declined(sent=pressed.before == SENT))


def _declined(*, sent: bool) -> Card:
    """``sent``: something was sent before, which is not kept."""
    again = AskIdentityAgain(SENT if sent else None)
    text = "You said that isn't you, so I didn't link your account. A coordinator can still match it."
    return Card("", (say(text), buttons(Button("That was a mistake", again))))


@router.press(AskIdentityAgain, checks_account=True)
def again(call: Call, pressed: AskIdentityAgain) -> Reply:
    """The question once more, after a mistaken "No"."""
    account = _asked(call, "declined")
    candidate = account_links.candidate_for(call.work.tx, account)
    if candidate is None:
        ask = ask_coordinator(call.work.tx, "match your account")
        raise Refused(f"The roster doesn't have your email address now. {ask}")
    account_links.withdraw(call.work, account.id)
    account_links.propose(call.work, replace(account, person_id=None, link="none"))
    return Reply(replace=_question(call.work.tx, candidate, sent=pressed.before == SENT))


def link(work: Work, account_id: UUID, person_id: UUID, by: UUID | None) -> None:
    """Link the account, welcome the person once, and start their check-ins."""
    account = account_links.account_by_id(work.tx, account_id)
    account_links.confirm(work, account_id, person_id, by)
    if people.mark_welcomed(work, person_id):
        deliveries.to_person(work, kinds.WELCOME, person_id, person_id)
    refresh_schedule(work, [person_id])
    if by != person_id and account is not None and account.link == "proposed":
        offer_answer(work, account_id, account.person_id, person_id)


# Channels ---------------------------------------------------------------------------------------


@router.on(Arrived)
def arrived(call: Call) -> Reply:
    """An account came where the bot is: if it may belong to a person on the roster, it is asked.

    Which channel does not matter. Some platforms tell of a team's newcomers without naming a channel, and
    whose address is on the roster belongs to the program wherever they come in.
    """
    _ask_if_known(call)
    return Reply()


def _ask_if_known(call: Call) -> None:
    account = account_links.account_by_id(call.work.tx, call.me.account_id)
    if account is not None and account_links.propose(call.work, account) is not None:
        deliveries.to_account(call.work, kinds.IDENTITY_ASK, account.id, account.id)


@router.on(Departed)
def departed(_call: Call) -> Reply:
    """Leaving a channel ends no membership: the roster says who belongs."""
    return Reply()


@router.on(BotAdded)
def bot_added(call: Call) -> Reply:
    """In a channel, say what to do next; in the personal chat, ask a person on the roster who they are.

    Anybody else who gets the bot is left in peace: an organization may install it for everybody at once.
    """
    if call.place is not None and call.request.at is not None:
        conversations.note_added(call.work.tx, call.place.id, call.request.at)
    if call.place is None or call.place.kind != "channel":
        _ask_if_known(call)
        return Reply()
    if call.place.cohort_id is not None:
        deliveries.visit(call.work, call.place.id, "")
    else:
        deliveries.to_channel(call.work, kinds.HELLO, call.place.id, call.place.id)
    return Reply()


@router.on(BotRemoved)
def bot_removed(call: Call) -> Reply:
    """A removal that comes late, when the bot is back already, changes nothing."""
    if call.place is not None and not conversations.added_since(call.work.tx, call.place.id, call.request.at):
        conversations.mark_gone(call.work.tx, call.place.id)
    return Reply()


@router.delivery(kinds.HELLO)
def hello(work: Work, item: Delivery) -> Card | None:
    """The first words in a channel that is no cohort's yet."""
    if item.conversation_id is None or conversations.get(work.tx, item.conversation_id).cohort_id:
        return None
    return Card(
        "Hello",
        (
            say(
                "I'm the cohort bot. To make this channel a cohort's home, its mentor or a coordinator can send ",
                Bold("cohort link"),
                " here.",
            ),
            Note((HowToAsk(),)),
        ),
    )
