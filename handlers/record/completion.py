"""Completion: a coordinator approves, a certificate is made; it is revoked or reissued only with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from uuid import UUID

from handlers.checkins.schedule import refresh_turns
from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Buttons,
    Card,
    ChoiceField,
    Cmd,
    Facts,
    Form,
    Heading,
    LinkButton,
    Note,
    Text,
    TextField,
    When,
    action,
    buttons,
    options_of,
    say,
    with_commands,
)
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import COORDINATORS, Call, FieldReader, FormErrors, Refused, router
from handlers.meetings.planning import plan_daily
from handlers.people.recipients import is_coordinator, only_for
from handlers.program_desk.downloads import files, verify_address
from handlers.program_desk.integrity import BLOCKED
from program.record import explain
from program.record.certificate import COMPLETED, REISSUE_REASONS, REVOKE_REASONS, printable, read_code
from program.record.standing import Standing
from program.record.wording import reason_words
from storage.core import program
from storage.core.work import Work
from storage.outbox import deliveries
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts, people
from storage.record import certificates, enrolments, policies, standings, verification
from storage.record.certificates import AlreadyIssued, Certificate, NotInForce
from storage.record.standings import Mentee

LOOK_AT = time(6, 0)  # before the working day, so that the question is there when it begins
SHOWN = 8
FORGETTING = "What you wrote in check-ins is still kept, and only you can read it. Send “privacy” to delete it."
ANOTHER = "Ask another coordinator. If there isn't one, ask the operator to add one in PLC_COORDINATORS."
CHANGED = (
    "What I have on this certificate was changed outside the program, so I can't confirm it. Ask the person who runs "
    "the bot to run “plc-bot ledger verify”."
)
ONLY_COORDINATORS = "Only coordinators can approve completion and manage certificates."


# Who is complete --------------------------------------------------------------------------------


@router.at_start
def plan_look(work: Work) -> None:
    """Somebody may become complete without an act of anybody's, so it is looked at every day."""
    plan_daily(work, "completion.look", LOOK_AT)


@router.moment(
    "completion.look",
    "the bot checks who has completed the program",
    late="is done late, once for all missed days",
)
def look(work: Work, _moment: Moment) -> str | None:
    plan_look(work)
    ask_for_approval(work)
    return None


def ask_for_approval(work: Work, people_ids: Sequence[UUID] | None = None) -> None:
    """Ask every coordinator, once for each mentee, to approve those who are complete."""
    complete = to_approve(work, people_ids)
    if not complete:
        return
    for coordinator in people.coordinators(work.tx):
        for one in complete:
            deliveries.to_person(work, "completion.ask", coordinator.id, one.id)


def to_approve(work: Work, people_ids: Sequence[UUID] | None = None) -> list[Mentee]:
    """Those of these people (None: of everybody) who are complete and were never given a certificate."""
    found = (
        standings.of_cohorts(work.tx, None, work.now)
        if people_ids is None
        else standings.of_people(work.tx, people_ids, work.now)
    )
    complete = {one.id: one for one in found if one.standing.state == "complete"}
    had = certificates.newest_of(work.tx, list(complete)) if complete else {}
    return [one for one in complete.values() if one.id not in had]


@router.delivery("completion.ask")
@only_for(is_coordinator)
def ask_delivery(work: Work, item: Delivery) -> Card | None:
    card = ask_card(work, UUID(item.subject))
    return None if item.verb == "post" and not _has_button(card, "completion.approve") else card


def _has_button(card: Card, name: str) -> bool:
    rows = [block.buttons for block in card.blocks if isinstance(block, Buttons)]
    return any(isinstance(one, Button) and one.action.name == name for row in rows for one in row)


def ask_card(work: Work, person_id: UUID) -> Card:
    """The question to the coordinator as it stands now."""
    given = certificates.of_person(work.tx, person_id)
    name = people.get(work.tx, person_id).name
    if given:
        return _given_card(given[0], name, program.zone_of(work.tx))
    found = standings.of_people(work.tx, [person_id], work.now)
    if not found or found[0].standing.state != "complete":
        text = say(Bold(name), " no longer meets every requirement, so there is nothing to approve.")
        return Card("Nothing to approve", (text,))
    mine = found[0]
    return Card(
        f"{name} has completed the program",
        (
            say(Bold(name), " has met every requirement. Approve to issue the certificate."),
            Facts(_facts(work, mine)),
            buttons(
                Button(
                    "Approve and issue",
                    action("completion.approve", person_id),
                    style="primary",
                    confirm=f"Issue {name}'s certificate? You can revoke it later, but you can't undo this.",
                ),
                Button("See the record", action("completion.record", person_id)),
            ),
        ),
    )


def _facts(work: Work, mine: Mentee) -> tuple[tuple[str, Text], ...]:
    own = [one.name for one in cohorts.shared_cohorts(work.tx, mine.id, ("mentee",))]
    return (
        ("Cohort", (", ".join(own) or "none",)),
        *((label, (words,)) for label, words in years_in_words(mine.standing)),
        ("Policy", (mine.policy.title,)),
    )


def years_in_words(found: Standing) -> list[tuple[str, str]]:
    """What each program year has and needs."""
    return [(year.label, explain.in_numbers(year)) for year in found.years]


def _given_card(found: Certificate, name: str, zone: str) -> Card:
    issued = When(found.issued_at, zone, "date")
    if found.revoked_at is not None:
        revoked = When(found.revoked_at, zone, "date")
        text = say("Issued ", issued, ", revoked ", revoked, f". {reason_words(found.reason)}.")
        return Card(f"{name}: certificate revoked", (text,))
    manage = Button("Open", action("completion.open", found.id))
    return Card(
        f"{name}: certificate issued", (say("Issued ", issued, ". Code ", Bold(found.code), "."), buttons(manage))
    )


# Approving --------------------------------------------------------------------------------------


@router.press("completion.approve")
def approve(call: Call) -> Reply:
    """Issue the certificate. Whoever presses second is shown that it was issued."""
    person_id = _mentee(call)
    if person_id == call.my_id:
        raise Refused(f"You can't approve your own completion. {ANOTHER}")
    if not certificates.of_person(call.work.tx, person_id):
        _check_record(call, person_id)  # first: a standing of a changed record says nothing
        found = standings.of_people(call.work.tx, [person_id], call.work.now)
        if not found or found[0].standing.state != "complete":
            raise Refused("Not issued: this person no longer meets every requirement.")
        _issue(call, found[0])
    return Reply(replace=ask_card(call.work, person_id))


def _mentee(call: Call) -> UUID:
    """The person of the pressed button, for a coordinator."""
    _coordinators_only(call)
    person_id = call.id_at(0)
    if not enrolments.is_enrolled(call.work.tx, person_id):
        raise Refused("This person is not enrolled in the program.")
    return person_id


def _coordinators_only(call: Call) -> None:
    if not call.me.coordinator:
        raise Refused(ONLY_COORDINATORS)


def _check_record(call: Call, person_id: UUID) -> None:
    """Nothing is issued on a record that the program did not write."""
    problems = verification.of_person(call.work.tx, call.work.chain_key, person_id)
    if problems:
        raise Refused(BLOCKED)


def _issue(call: Call, mine: Mentee) -> None:
    try:
        made = certificates.issue(call.work, mine.id, printable(mine.name), mine.policy.name, call.my_id)
    except AlreadyIssued:
        return
    _announce(call.work, made)


def _announce(work: Work, made: Certificate) -> None:
    """The holder gets no more prompts and is told; the question to the coordinators shows the outcome."""
    refresh_turns(work, [made.person_id])
    deliveries.refresh(work, made.person_id, "completion.ask")
    deliveries.to_person(work, "completion.done", made.person_id, made.id)


@router.delivery("completion.done")
def done_delivery(work: Work, item: Delivery) -> Card | None:
    found = certificates.get(work.tx, UUID(item.subject))
    if found is None:
        return None
    if not found.in_force:
        text = say("This certificate is no longer valid. ", reason_words(found.reason), ".")
        return Card("Certificate revoked", (text,)) if item.verb == "update" else None
    get = Button("Get your certificate", action("completion.mine"), style="primary")
    if found.number > 1:
        text = say("Your certificate was issued again. The earlier one is no longer valid.")
        return Card("Your new certificate", (text, buttons(get)))
    return Card(
        f"Congratulations, {found.name}!",
        (
            say("You ", Bold(COMPLETED), ". Your coordinator approved it. Your certificate is ready."),
            buttons(get),
            Note(
                (
                    "I won't send you more check-ins. To get a copy of your record, send ",
                    Cmd("export"),
                    ".",
                )
            ),
            Note(with_commands(FORGETTING)),
        ),
    )


def goodbye(work: Work, person_id: UUID) -> None:
    """Somebody left the program: prompts stop today, they are offered their record and told of forgetting."""
    refresh_turns(work, [person_id])
    if not cohorts.shared_cohorts(work.tx, person_id):
        deliveries.to_person(work, "completion.left", person_id, person_id, tag=work.now.isoformat())


@router.delivery("completion.left")
def left_delivery(work: Work, item: Delivery) -> Card | None:
    if cohorts.shared_cohorts(work.tx, UUID(item.subject)):
        again = Card("You're back in the program", (say("Everything you did before still counts."),))
        return again if item.verb == "update" else None
    return Card(
        "You're not in a cohort now",
        (
            say("I won't send you check-ins or reminders anymore. Your record is kept, and you can get a copy."),
            buttons(Button("Get your record", action("completion.mine"))),
            Note(with_commands(FORGETTING)),
        ),
    )


# The holder's own -------------------------------------------------------------------------------


@router.command("certificate", "Your certificate and how to verify it")
def certificate_command(call: Call) -> Reply:
    if call.me.coordinator and not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Reply(card=certificates_card(call))
    return Reply(card=own_card(call))


@router.press("completion.mine")
def mine(call: Call) -> Reply:
    return Reply(card=own_card(call))


def own_card(call: Call) -> Card:
    if not enrolments.is_enrolled(call.work.tx, call.my_id):
        return Card("No certificate", (say("You're not enrolled as a mentee, so you have no certificate."),))
    given = certificates.of_person(call.work.tx, call.my_id)
    if given and given[0].in_force:
        return _certificate_card(call, given[0], "Your certificate")
    email = people.get(call.work.tx, call.my_id).email
    so_far = files(
        call,
        [("Your record so far (PDF)", "packet", call.my_id, "pdf")],
        f"plc-bot certificate write {email} --packet --output FILE",
    )
    if given:
        text = say("Your certificate was revoked. ", reason_words(given[0].reason), ". Ask your coordinator about it.")
        return Card("Your certificate was revoked", (text, *so_far))
    found = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    if found and found[0].standing.state == "complete":
        waiting = say("You've met every requirement. I asked your coordinator to approve it.")
        return Card("Almost there", (waiting, *so_far))
    if not cohorts.shared_cohorts(call.work.tx, call.my_id, ("mentee",)):
        left = say("You left before you completed the two years. Here is a copy of your record.")
        return Card("Your record", (left, *so_far))
    later = say("You'll get it when you complete the two years. Send ", Cmd("progress"), " to see what's left.")
    return Card("Your certificate comes later", (later, *so_far))


def _certificate_card(call: Call, found: Certificate, title: str) -> Card:
    """One certificate that holds, with its files, for its holder or a coordinator."""
    if not found.intact:
        return Card(title, (say(CHANGED),))
    policy = policies.get(call.work.tx, found.policy)
    facts: tuple[tuple[str, Text], ...] = (
        ("Name", (found.name,)),
        ("Issued", (When(found.issued_at, program.zone_of(call.work.tx), "date"),)),
        ("Code", (Bold(found.code),)),
        ("Policy", (policy.title,)),
    )
    email = people.get(call.work.tx, found.person_id).email
    blocks: list[Block] = [Facts(facts)]
    blocks += files(
        call,
        [
            ("Certificate (PDF)", "certificate", found.id, "pdf"),
            ("Full record (PDF)", "packet", found.person_id, "pdf"),
        ],
        f"plc-bot certificate write {email} --output FILE, and the same with --packet",
    )
    if call.work.address:
        check = LinkButton("Check it online", verify_address(call, found.code))
        blocks.append(buttons(check))
        blocks.append(Note(("Anyone with the code can check it there.",)))
    return Card(title, tuple(blocks))


@router.press("completion.record")
def see_record(call: Call) -> Reply:
    """The ledger lines a coordinator is asked to approve on."""
    person_id = _mentee(call)
    person = people.get(call.work.tx, person_id)
    command = f"plc-bot certificate write {person.email} --packet --output FILE"
    return Reply(
        card=Card(
            f"The record of {person.name}",
            tuple(files(call, [("Full record (PDF)", "packet", person_id, "pdf")], command)),
        )
    )


# The coordinator's desk -------------------------------------------------------------------------


@router.command("certificates", "Approve completions; revoke or reissue certificates", who=COORDINATORS, reads=True)
def certificates_command(call: Call) -> Reply:
    return Reply(card=certificates_card(call))


def certificates_card(call: Call) -> Card:
    waiting = to_approve(call.work)
    given = sorted(
        certificates.newest_of(call.work.tx).values(), key=lambda one: (one.issued_at, one.name), reverse=True
    )
    blocks: list[Block] = [Heading(f"To approve ({len(waiting)})")]
    if waiting:
        blocks.append(buttons(*(Button(one.name, action("completion.ask", one.id)) for one in waiting[:SHOWN])))
        blocks += more(len(waiting), SHOWN)
    else:
        blocks.append(say("No one is waiting for your approval."))
    blocks.append(Heading(f"Issued ({sum(one.in_force for one in given)})"))
    if given:
        shown = given[:SHOWN]
        blocks.append(buttons(*(Button(_label(one), action("completion.open", one.id)) for one in shown)))
        blocks += more(len(given), SHOWN)
        blocks.append(buttons(Button("Find a certificate", action("completion.find"), opens_form=True)))
    else:
        blocks.append(say("No certificates have been issued yet."))
    return Card("Certificates", tuple(blocks))


def _label(found: Certificate) -> str:
    return found.name if found.in_force else f"{found.name} (revoked)"


@router.press("completion.ask")
def ask_again(call: Call) -> Reply:
    return Reply(card=ask_card(call.work, _mentee(call)))


@router.press("completion.find")
def find_form(call: Call) -> Reply:
    _coordinators_only(call)
    return Reply(
        form=Form(
            "Find a certificate",
            action("completion.found"),
            opener=action("completion.find"),
            submit="Find",
            fields=(TextField("who", "Name, email address or code", max_length=200),),
        )
    )


@router.submit("completion.found")
def find(call: Call) -> Reply:
    _coordinators_only(call)
    read = FieldReader(call.values)
    text = read.text("who", needed="Enter a name, an email address or a code.", most=200)
    read.check()
    found = _search(call, text)
    if not found:
        raise FormErrors({"who": "I can't find a certificate with that name, email address or code."})
    if len(found) == 1:
        return Reply(card=_one(call, found[0]))
    return Reply(
        card=Card("Which one?", (buttons(*(Button(_label(one), action("completion.open", one.id)) for one in found)),))
    )


def _search(call: Call, text: str) -> list[Certificate]:
    code = read_code(text)
    by_code = certificates.by_code(call.work.tx, code) if code else None
    if by_code is not None:
        return [by_code]
    people_ids = [one.id for one in people.search(call.work.tx, text)]
    return list(certificates.newest_of(call.work.tx, people_ids).values())


@router.press("completion.open")
def open_certificate(call: Call) -> Reply:
    return Reply(card=_one(call, _certificate(call)))


def _certificate(call: Call) -> Certificate:
    _coordinators_only(call)
    found = certificates.get(call.work.tx, call.id_at(0))
    if found is None:
        raise Refused("I can't find that certificate.")
    return found


def _one(call: Call, found: Certificate) -> Card:
    """A certificate with what a coordinator may do about it; only the newest one can be reissued."""
    newest = certificates.of_person(call.work.tx, found.person_id)[0]
    reissue = Button("Reissue", action("completion.reissue", newest.id), opens_form=True)
    if not found.in_force:
        card = _given_card(found, found.name, program.zone_of(call.work.tx))
        extra: tuple[Block, ...] = (
            (buttons(reissue),)
            if newest.id == found.id
            else (
                say("It was replaced."),
                buttons(Button("Open the new one", action("completion.open", newest.id))),
            )
        )
        return Card(card.title, (*card.blocks, *extra))
    card = _certificate_card(call, found, f"Certificate of {found.name}")
    revoke = Button("Revoke", action("completion.revoke", found.id), style="danger", opens_form=True)
    return Card(card.title, (*card.blocks, buttons(reissue, revoke)))


# Revoking and reissuing -------------------------------------------------------------------------


@router.press("completion.revoke")
def revoke_form(call: Call) -> Reply:
    found = _certificate(call)
    return Reply(
        form=Form(
            "Revoke a certificate",
            action("completion.revoked", found.id),
            opener=action("completion.revoke", found.id),
            submit="Revoke",
            blocks=(
                say(
                    Bold(found.name),
                    f", code {found.code}. Anyone who checks the code will see “revoked”. The record keeps it.",
                ),
            ),
            fields=(ChoiceField("reason", "Why", options_of(REVOKE_REASONS)),),
        )
    )


@router.submit("completion.revoked")
def revoke(call: Call) -> Reply:
    found = _certificate(call)
    read = FieldReader(call.values)
    reason = read.choice("reason", tuple(REVOKE_REASONS), needed="Choose why.")
    read.check()
    try:
        certificates.revoke(call.work, found, reason, call.my_id)
    except NotInForce:
        raise Refused("It was revoked already.") from None
    _withdrawn(call.work, found)
    return notice("Revoked. I told the mentee. The record keeps who revoked it, when and why.")


def _withdrawn(work: Work, found: Certificate) -> None:
    refresh_turns(work, [found.person_id])
    deliveries.refresh(work, found.person_id, "completion.ask")
    deliveries.refresh(work, found.id, "completion.done")


@router.press("completion.reissue")
def reissue_form(call: Call) -> Reply:
    found = _certificate(call)
    name = people.get(call.work.tx, found.person_id).name
    return Reply(
        form=Form(
            "Reissue a certificate",
            action("completion.reissued", found.id),
            opener=action("completion.reissue", found.id),
            submit="Reissue",
            blocks=(say("The new certificate has a new code. Anyone who checks the earlier code will see “revoked”."),),
            fields=(
                TextField("name", "Name on the certificate", name, max_length=200),
                ChoiceField("reason", "Why", options_of(REISSUE_REASONS)),
            ),
        )
    )


@router.submit("completion.reissued")
def reissue(call: Call) -> Reply:
    found = _certificate(call)
    read = FieldReader(call.values)
    reason = read.choice("reason", tuple(REISSUE_REASONS), needed="Choose why.")
    name = printable(read.text("name", needed="Enter the name.", most=200))
    if not name:
        read.errors.setdefault("name", "Enter the name.")
    read.check()
    if found.person_id == call.my_id:
        raise Refused(f"You can't reissue your own certificate. {ANOTHER}")
    if certificates.of_person(call.work.tx, found.person_id)[0].id != found.id:
        raise Refused("It was replaced already. Send ", Cmd("certificates"), " to see the new one.")
    _check_record(call, found.person_id)
    made = certificates.reissue(call.work, found, name, found.policy, reason, call.my_id)
    _withdrawn(call.work, found)
    _announce(call.work, made)
    return Reply(card=_one(call, made))
