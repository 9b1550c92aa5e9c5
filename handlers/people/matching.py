"""Matching by a coordinator: who on the roster has no account yet, and which account is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import COORDINATORS, Call, Refused, coordinators_only
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Heading, buttons, say
from handlers.core.forms import MOST_OPTIONS, ChoiceField, Fields, Form, Option
from handlers.core.paging import hint, more
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.identity import MOST_PROPOSALS, link
from storage.people import account_links, people
from storage.people.account_links import Account
from storage.people.people import Person

SHOWN = 30  # people in a list


@action("identity.match")
class OpenMatching(Action):
    """Open the form that matches a person to an account."""


@action("identity.matched")
class MatchAccount(Action):
    """Match the chosen person to the chosen account."""


@dataclass(frozen=True, slots=True)
class Match:
    """A person on the roster and their account."""

    person: UUID
    account: UUID


def _fields(persons: Sequence[Person] = (), accounts: Sequence[Account] = ()) -> Fields[Match]:
    return Fields(
        Match,
        ChoiceField(
            "person",
            "On the roster",
            tuple(Option(str(person.id), f"{person.name} <{person.email}>") for person in persons[:MOST_OPTIONS]),
            hint=hint(len(persons), MOST_OPTIONS),
            needed="Choose a person.",
            checked=False,
        ),
        ChoiceField(
            "account",
            "Account",
            tuple(Option(str(account.id), _label(account)) for account in accounts[:MOST_OPTIONS]),
            hint=hint(len(accounts), MOST_OPTIONS),
            needed="Choose an account.",
            checked=False,
        ),
    )


def _label(account: Account) -> str:
    kind = "" if account.member else ", guest or unconfirmed"
    return f"{account.name} ({account.email or 'no address'}{kind}, {account.platform})"


@router.command("people", "Who is matched, and who is not", who=COORDINATORS, help={"coordinator": 5})
def people_command(call: Call) -> Reply:
    """The people without an account, the accounts without a person, and the way to match them."""
    missing = account_links.unmatched_people(call.work.tx)
    if not missing:
        return Reply(card=Card("People", (say("Everyone on the roster is matched to an account."),)))
    items = tuple((f"{person.name} <{person.email}>",) for person in missing[:SHOWN])
    blocks = (Bullets(items), *more(len(missing), SHOWN), *_unmatched_accounts(call))
    return Reply(card=Card("Not matched to an account", blocks))


def _unmatched_accounts(call: Call) -> tuple[Block, ...]:
    accounts = account_links.unmatched_accounts(call.work.tx, MOST_PROPOSALS)
    if not accounts:
        return (say("I haven't seen any unmatched accounts. I see people when they join a cohort's channel."),)
    return (
        Heading("Accounts not matched yet"),
        Bullets(tuple((_label(account),) for account in accounts[:SHOWN])),
        *more(len(accounts), SHOWN),
        buttons(Button("Match someone", OpenMatching(), style="primary", opens_form=True)),
    )


@router.press(OpenMatching)
def open_matching(call: Call, _pressed: OpenMatching) -> Reply:
    """Open the form that matches a person to an account."""
    coordinators_only(call, "match people")
    persons = account_links.unmatched_people(call.work.tx)
    accounts = account_links.unmatched_accounts(call.work.tx, MOST_PROPOSALS)
    if not persons or not accounts:
        raise Refused("There's no one left to match.")
    return Reply(
        form=Form(
            "Match someone",
            MatchAccount(),
            opener=OpenMatching(),
            submit="Match",
            blocks=(say("Check carefully: this account will see everything this person can see."),),
            fields=_fields(persons, accounts).shown,
        )
    )


@router.submit(MatchAccount)
def match(call: Call, _sent: MatchAccount) -> Reply:
    """Link the account to the person, unless either was matched meanwhile."""
    coordinators_only(call, "match people")
    sent = _fields().read(call.values)
    account = account_links.account_by_id(call.work.tx, sent.account)
    names = people.named(call.work.tx, [sent.person])
    if account is None or sent.person not in names:
        raise Refused("I can't find that person or account anymore.")
    if account.link == "confirmed" or not account_links.is_unmatched(call.work.tx, sent.person):
        raise Refused(
            "That person or account is already matched, so I didn't change anything. ",
            "If the old account is gone, the operator can match the new one.",
        )
    link(call.work, sent.account, sent.person, by=call.my_id)
    return notice(Bold(names[sent.person]), f" is now matched to {_label(account)}.")
