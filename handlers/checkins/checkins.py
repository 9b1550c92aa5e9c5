"""Check-ins: a pulse and a reflection, asked directly and kept encrypted. Nothing of an answer is echoed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from handlers.checkins import consent_notice
from handlers.checkins.checkins_actions import (
    AskMentor,
    ChangeNumber,
    DeleteNumber,
    SaveAnswers,
    ShowNumber,
    TapPulse,
    WriteReflection,
)
from handlers.checkins.consent_notice import ReadNotice, has_agreed, has_declined
from handlers.checkins.eligibility import gets_none
from handlers.checkins.saved import read_by, removed_sentence, saved_sentence, whole_sentence
from handlers.checkins.schedule import next_checkin_of
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Button, Card, Note, When, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.forms import Form, FormErrors, TextField, read_texts
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.recipients import only_for
from handlers.privacy import holds
from program.core.times import local_day
from program.core.words import capitalized
from storage.checkins import checkins, consent, pauses, reflections
from storage.checkins.checkins import CheckIn
from storage.checkins.saved import Saved, find_saved
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.people.account_views import AccountView, view_of
from storage.vault import vault

TYPED_LABEL = "What you typed to me"
ASKED = "I asked your mentor to reach out. I sent nothing else."
ASKED_NOBODY = (
    "You asked your mentor to reach out, but your cohort has no mentor now. "
    "If one joins while this check-in is open, I'll ask them."
)
ELSEWHERE = "You saved your number with another account of yours. Only that account can show or delete it."
PULSES = ("1", "2", "3", "4", "5")


# The message ------------------------------------------------------------------------------------


@router.delivery(kinds.CHECKIN)
def checkin_delivery(work: Work, item: Delivery) -> Card | None:
    """The check-in's card; None once it is no longer asked."""
    checkin, view = _shown_to(work, item)
    if checkin is None or view is None or (item.verb == "post" and not _asks(work, checkin, view)):
        return None
    return checkin_card(work, checkin, view)


def _shown_to(work: Work, item: Delivery) -> tuple[CheckIn | None, AccountView | None]:
    """The check-in of a message, if the account that reads the message sees it, and what that account sees."""
    if item.reader_id is None:
        return None, None
    view = view_of(work.tx, item.reader_id)
    return checkins.find_shown(work.tx, UUID(item.subject), view), view


def _reminds(work: Work, checkin: CheckIn, view: AccountView) -> bool:
    """Whether a check-in still asks, nobody has answered it, and the account that is reminded has agreed."""
    decision = consent.of(work.tx, checkin.person_id, view)
    agreed = decision is not None and decision.agreed
    return agreed and checkin.answered_at is None and _asks(work, checkin, view)


def _asks(work: Work, checkin: CheckIn, view: AccountView) -> bool:
    """Whether a check-in is open, and nothing that the account sees of its person says that they want none.

    What was chosen with this account may be hidden from another one of theirs, for which the check-in was opened.
    """
    if checkin.closes_at <= work.now:
        return False
    decision = consent.of(work.tx, checkin.person_id, view)
    day = local_day(work.now, people.get(work.tx, checkin.person_id).zone)
    declined = decision is not None and decision.declined
    return not declined and not pauses.of_view(work.tx, checkin.person_id, view).covers(day)


@router.delivery(kinds.CHECKIN_NUDGE)
def nudge_delivery(work: Work, item: Delivery) -> Card | None:
    """The reminder that a check-in is still open; None once it is not."""
    checkin, view = _shown_to(work, item)
    if checkin is None or view is None:
        return None
    if item.verb == "post" and not _reminds(work, checkin, view):
        return None
    return checkin_card(work, checkin, view, "Your check-in is still open")


def checkin_card(
    work: Work, checkin: CheckIn, view: AccountView, title: str = "How are things going?", *, change: bool = False
) -> Card:
    """The check-in as an account sees it. It never shows an answer, but tells what is saved and who can read it.

    ``change``: with the numbers to choose from, although one is saved.
    """
    saved = find_saved(work.tx, checkin, view) if checkin.answered_at is not None else Saved()
    if checkin.closes_at <= work.now:
        closed = whole_sentence(saved) if saved.anything else "You don't need to do anything."
        return Card("This check-in is closed", (say(closed), *number_buttons(checkin, saved)))
    decision = consent.of(work.tx, checkin.person_id, view)
    if decision is not None and decision.declined:
        number = (say("Your number from 1 to 5 is still saved."), *number_buttons(checkin, saved))
        return Card("You declined check-ins", (say(*consent_notice.DECLINED), *(number if saved.number else ())))
    if decision is None or not decision.agreed:
        return consent_notice.first_card(work.privacy_settings, checkin, changed=decision is not None)
    closes = When(checkin.closes_at, people.get(work.tx, checkin.person_id).zone)
    ways = _words(work, checkin, saved)
    if saved.number and not change:
        until = Note(("You can change your answer until ", closes, "."))
        own = number_buttons(checkin, saved, change=True)
        return Card("Check-in", (say(whole_sentence(saved)), *own, *ways, until))
    pulse = buttons(*(Button(_pulse_label(value), TapPulse(checkin.id, value)) for value in PULSES))
    if saved.anything:
        until = Note(("You can change your answer until ", closes, "."))
        return Card("Check-in", (say(whole_sentence(saved)), pulse, *ways, until))
    first = say("One tap is enough: 1 is hard, 5 is great.")
    return Card(title, (first, pulse, *ways, Note(("Open until ", closes, ". You can skip any question."))))


def number_buttons(checkin: CheckIn, saved: Saved, *, change: bool = False) -> tuple[Block, ...]:
    """The ways to see a saved number, to delete it and, where ``change``, to choose another one.

    Only the account that saved it can see or delete it; another one of the same person is told so.
    """
    if not saved.own_number:
        return (say(ELSEWHERE),) if saved.number else ()
    show = Button("Show my number", ShowNumber(checkin.id), opens_form=True)
    retract = Button("Delete my number", DeleteNumber(checkin.id))
    choose = Button("Change my number", ChangeNumber(checkin.id))
    return (buttons(show, retract, *((choose,) if change else ())),)


def _words(work: Work, checkin: CheckIn, saved: Saved) -> tuple[Block, ...]:
    """The ways to write, and to be contacted."""
    asked = checkin.reach_out_at is not None
    label = "Write or change" if saved.anything else "Write a reflection"
    write = Button(label, WriteReflection(checkin.id), opens_form=True)
    reach = Button("Ask my mentor to reach out", AskMentor(checkin.id))
    others = (reach,) if not asked and _mentors_of(work, checkin.person_id) else ()
    last = say(ASKED_NOBODY if asked and not _mentors_of(work, checkin.person_id) else ASKED)
    return (buttons(write, *others), *((last,) if asked else ()))


def _pulse_label(value: str) -> str:
    return {"1": "1 hard", "5": "5 great"}.get(value, value)


def own_checkin(call: Call, checkin_id: UUID) -> CheckIn:
    """The pressed check-in, if it is the asker's."""
    checkin = checkins.find_shown(call.work.tx, checkin_id, call.me.view)
    if checkin is None or checkin.person_id != call.my_id:
        raise Refused("I can't find that check-in.")
    return checkin


def open_checkin(call: Call, checkin_id: UUID) -> CheckIn:
    """The pressed check-in, if it is the asker's and takes answers."""
    checkin = own_checkin(call, checkin_id)
    if checkin.closes_at <= call.work.now:
        raise Refused("This check-in is closed. I'll send the next one when it's time.")
    check_agreed(call)
    return checkin


def check_agreed(call: Call) -> None:
    """Nothing is kept of somebody who has not agreed.

    Raises:
        Refused: they declined, or have not chosen yet.
    """
    decision = consent_notice.decision_of(call)
    if decision is None or not decision.agreed:
        declined = decision is not None and decision.declined
        raise Refused(*(consent_notice.DECLINED if declined else consent_notice.UNDECIDED))


def answered(call: Call, checkin: CheckIn) -> Card:
    """Note that something is saved (or no longer is) and bring the messages up to date."""
    checkins.set_answered(call.work, checkin.id, vault.anything_written(call.work.tx, checkin.id))
    deliveries.refresh(call.work, checkin.id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)
    current = checkins.find_shown(call.work.tx, checkin.id, call.me.view)
    return checkin_card(call.work, current or checkin, call.me.view)


@router.press(ReadNotice)
def read_notice(call: Call, pressed: ReadNotice) -> Reply:
    """The notice for somebody who has not decided yet; for everybody else the check-in as it stands."""
    return Reply(replace=checkin_card(call.work, own_checkin(call, pressed.checkin_id), call.me.view))


# The reflection ---------------------------------------------------------------------------------


@router.press(WriteReflection)
def write_form(call: Call, pressed: WriteReflection) -> Reply:
    """Three short prompts, none of them required; what this account saved before is filled in."""
    checkin = open_checkin(call, pressed.checkin_id)
    before = find_answers(call, checkin)
    readers = read_by(find_saved(call.work.tx, checkin, call.me.view))
    fields = [
        answer_field(str(prompt.id), prompt.text, before.get(str(prompt.id), ""))
        for prompt in checkins.prompt_texts(call.work.tx, checkin.prompts)
    ]
    if reflections.TYPED in before:
        fields.append(answer_field(reflections.TYPED, TYPED_LABEL, before[reflections.TYPED]))
    return Reply(
        form=Form(
            "Your reflection",
            SaveAnswers(checkin.id, typed_length(before)),
            opener=WriteReflection(checkin.id),
            confidential=True,
            blocks=(
                *([say(readers)] if readers else []),
                Note(
                    (
                        "I keep it encrypted and show it only to you and to a mentor you choose. Leave out anything "
                        "that could identify a student. I don't report abuse or neglect. "
                        f"{capitalized(call.work.privacy_settings.abuse)}.",
                    )
                ),
            ),
            fields=tuple(fields),
        )
    )


def answer_field(name: str, label: str, text: str) -> TextField:
    """One answer of a reflection. None is required."""
    return TextField(name, label, text, multiline=True, optional=True)


def typed_length(answers: reflections.Answers) -> int | None:
    """How many characters of what was typed a form shows; None: nothing was typed."""
    return len(answers[reflections.TYPED]) if reflections.TYPED in answers else None


def read_answers(
    call: Call, before: reflections.Answers, names: Iterable[str], typed: int | None
) -> reflections.Answers:
    """What a form holds that was sent, and what came in while it was open, which is not in it.

    ``before``: what is saved. ``names``: of the answers that there may be. ``typed``: how many characters of what was
    typed the form showed.

    Raises:
        FormErrors: a text is too long.
    """
    several = list(names)
    fields = [answer_field(name, "", "") for name in several if name in call.values]
    texts = before | read_texts(fields, call.values)
    if typed is not None and reflections.TYPED in call.values:
        kept = before.get(reflections.TYPED, "")[typed:].strip("\n")
        texts[reflections.TYPED] = "\n\n".join(part for part in (texts[reflections.TYPED], kept) if part)
        length, most = len(texts[reflections.TYPED]), answer_field("", "", "").max_length
        if length > most:
            told = f"With what you kept while this was open, it is {length:,} characters. Use {most:,} or fewer."
            raise FormErrors({reflections.TYPED: told})
    return {name: texts[name] for name in several if texts.get(name)}


def find_answers(call: Call, checkin: CheckIn) -> reflections.Answers:
    """What this account wrote."""
    item = vault.find(call.work.tx, checkin.id, reflections.KIND, call.me.account_id)
    return reflections.read(call.vault, call.work.tx, item.id, call.me.account_id) if item else {}


def save_answers(call: Call, checkin: CheckIn, answers: reflections.Answers) -> None:
    """Save what this account wrote, in place of what it wrote before.

    Raises:
        Refused: a legal hold is on it, and a word would be lost.
    """
    with holds.respected(call):
        reflections.save(call.vault, call.work, checkin, call.my_id, call.me.account_id, answers)


@router.submit(SaveAnswers, keeps_words=True)
def save(call: Call, sent: SaveAnswers) -> Reply:
    """Save what the form holds in place of what this account wrote before."""
    checkin = open_checkin(call, sent.checkin_id)
    before = find_answers(call, checkin)
    answers = read_answers(call, before, [*checkin.prompts, reflections.TYPED], sent.typed)
    save_answers(call, checkin, answers)
    answered(call, checkin)
    if answers:
        return notice(saved_sentence(find_saved(call.work.tx, checkin, call.me.view)))
    return notice(*removed_sentence(call, checkin))


@router.press(AskMentor)
def reach_out(call: Call, pressed: AskMentor) -> Reply:
    """Tell the mentors just that they are asked to reach out."""
    checkin = open_checkin(call, pressed.checkin_id)
    mentors = _mentors_of(call.work, call.my_id)
    if not mentors:
        raise Refused(f"Your cohort has no mentor yet. {ask_coordinator(call.work.tx)}")
    if checkins.ask_mentor(call.work, checkin.id, call.me.view):
        for mentor_id in sorted(mentors):
            deliveries.to_person(call.work, kinds.CHECKIN_REACH, mentor_id, call.my_id, tag=checkin.id)
    deliveries.refresh(call.work, checkin.id, kinds.CHECKIN)
    current = checkins.find_shown(call.work.tx, checkin.id, call.me.view)
    return Reply(replace=checkin_card(call.work, current or checkin, call.me.view))


def _mentors_of(work: Work, person_id: UUID) -> set[UUID]:
    """The mentors of somebody's cohorts; a mentor who gets check-ins has none."""
    own = cohorts.shared_cohorts(work.tx, person_id, ("mentee",))
    return {mentor.id for cohort in own for mentor in cohorts.members(work.tx, cohort.id, "mentor")} - {person_id}


def ask_again(work: Work, person_ids: Collection[UUID]) -> None:
    """These people's mentors changed: those who asked in an open check-in to be contacted ask their mentors now."""
    for asked in checkins.asked_to_reach_out(work.tx, person_ids, work.now):
        for mentor_id in sorted(_mentors_of(work, asked.person_id)):
            deliveries.to_person(work, kinds.CHECKIN_REACH, mentor_id, asked.person_id, tag=asked.id)
        deliveries.refresh(work, asked.id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)


def _is_mentor(work: Work, item: Delivery, reader_id: UUID) -> bool:
    return reader_id in _mentors_of(work, UUID(item.subject))


@router.delivery(kinds.CHECKIN_REACH)
@only_for(_is_mentor)
def reach_delivery(work: Work, item: Delivery) -> Card | None:
    """The mentor's message that a mentee asked them to reach out."""
    person = people.get(work.tx, UUID(item.subject))
    text = say(Bold(person.name), " asked you to reach out. That's all I know. I never send what they wrote.")
    return Card("Please reach out", (text,))


# Commands ---------------------------------------------------------------------------------------


@router.command("checkin", "See your open check-in, or when the next one is", help={"mentee": 3}, teams={"personal": 3})
def checkin_command(call: Call) -> Reply:
    """The open check-in: it may stand far above in the chat, so it is shown again.

    Who has not decided yet is pointed to the notice.
    """
    checkin = checkins.open_of(call.work.tx, call.my_id, call.work.now, call.me.view)
    if checkin is not None:
        undecided = not (has_agreed(call) or has_declined(call))
        if undecided:
            return Reply(card=consent_notice.unread_card(checkin))
        return Reply(card=checkin_card(call.work, checkin, call.me.view))
    if (reason := gets_none(call)) is not None:
        return notice(*reason)
    at = next_checkin_of(call)
    if at is None:
        return notice("No check-in is open.")
    return notice("No check-in is open. You'll get the next one ", When(at, call.me.zone), ".")
