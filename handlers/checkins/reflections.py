"""One's own reflections: listed by day, opened in a form alone, changed, deleted, and shared with a mentor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from handlers.checkins.checkins import TYPED_LABEL, answer_field, check_agreed, read_answers, typed_length
from handlers.checkins.checkins_actions import (
    ChooseMentor,
    DeleteReflection,
    ListNumbers,
    ListReflections,
    OpenReflection,
    ReadShared,
    SaveReflection,
    ShareReflection,
    StopSharing,
)
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Cmd, Heading, Note, Text, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, Option
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.privacy import holds
from program.core.times import local_day, say_day, say_time, to_local
from program.core.words import counted, shortened
from storage.checkins import checkins, reflections, saved, shares
from storage.checkins.reflections import Reflection
from storage.checkins.shares import Share
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people

SHOWN = 5  # reflections on one card: each has a row of buttons
MOST_SHARED = 10
# The same for everybody: it says nothing of whether there ever was one.
NOT_THERE = "I can't find that reflection. It may have been deleted, or it's no longer shared with you."


# The list ---------------------------------------------------------------------------------------


@router.command(
    "reflections",
    "Open, change, delete or share your reflections",
    reads=True,
    by_role={"mentor": "Open what mentees shared with you, and your own reflections"},
    help={"mentee": 7, "mentor": 10, "former": 3},
)
def reflections_command(call: Call) -> Reply:
    """The list."""
    return Reply(card=list_card(call))


@router.press(ListReflections)
def page(call: Call, pressed: ListReflections) -> Reply:
    """Show older ones, or the newest again."""
    return Reply(replace=list_card(call, max(0, pressed.skip)))


def list_card(call: Call, skip: int = 0) -> Card:
    """The days alone; never a word of what was written."""
    tx = call.work.tx
    every = reflections.of_account(tx, call.me.account_id)
    shown = every[skip : skip + SHOWN]
    made = shares.of_items(tx, [reflection.id for reflection in shown])
    mentors = _mentors(call)
    read = shares.readings(tx, [share.id for share in made])
    blocks: list[Block] = []
    for reflection in shown:
        blocks += _row(call, reflection, [share for share in made if share.item_id == reflection.id], read, mentors)
    elsewhere = reflections.count_elsewhere(tx, call.my_id, call.me.view)
    if not every:
        blocks.append(
            say("You haven't written any with this account." if elsewhere else "You haven't written any yet.")
        )
    if len(every) > skip + SHOWN:
        blocks.append(buttons(Button("Older", ListReflections(skip + SHOWN))))
    if elsewhere:
        blocks.append(say(_elsewhere(elsewhere)))
    if saved.numbers_of(tx, call.me.account_id):
        blocks.append(buttons(Button("My numbers", ListNumbers(0))))
    shared_here = _shared_with_me(call)
    note = (Note(("Each opens in a form that only you see.",)),) if every or shared_here else ()
    return Card("Your reflections", (*blocks, *shared_here, *note))


def _elsewhere(number: int) -> str:
    """That some of the asker's reflections were written with other accounts of theirs."""
    writer = "the account that wrote it" if number == 1 else "the accounts that wrote them"
    return f"{counted(number, 'reflection')} can be opened only with {writer}."


def _row(
    call: Call,
    reflection: Reflection,
    made: Sequence[Share],
    read: Mapping[UUID, list[datetime]],
    mentors: Mapping[UUID, str],
) -> list[Block]:
    lines = [_share_line(reflection, share, read.get(share.id, []), call.me.zone) for share in made]
    may_share = bool(_open_to(mentors, reflection, made))
    items = [
        Button("Open", OpenReflection(reflection.id), opens_form=True),
        *([Button("Share", ChooseMentor(reflection.id), opens_form=True)] if may_share else []),
        *(
            Button(shortened(f"Stop sharing with {share.mentor}", 70), StopSharing(share.id))
            for share in made
            if share.holds
        ),
        Button(
            "Delete",
            DeleteReflection(reflection.id),
            style="danger",
            confirm="Delete this reflection?",
        ),
    ]
    return [say(Bold(say_day(reflection.day))), *([Bullets(tuple(lines))] if lines else []), buttons(*items)]


def _share_line(reflection: Reflection, share: Share, read: Sequence[datetime], zone: str) -> Text:
    """A share's mentor, whether it still holds, every reading, and whether it is of the present version."""
    begins = "Shared" if share.holds else "Was shared"
    times = ", ".join(_stamp(at, zone) for at in read)
    line = f"{begins} with {share.mentor}. " + (f"Read {times}." if read else "Not read.")
    if share.holds and _changed_since(reflection, share):
        line += (
            f" You changed it after that. {share.mentor} still sees it as it was. Share it again to show the change."
        )
    return (line,)


def _changed_since(reflection: Reflection, share: Share) -> bool:
    return reflection.at > share.at


def _stamp(at: datetime, zone: str) -> str:
    return f"{say_day(local_day(at, zone))}, {say_time(to_local(at, zone))}"


# One's own --------------------------------------------------------------------------------------


def _own(call: Call, reflection_id: UUID) -> Reflection:
    """The reflection of the button or form, if this account wrote it; for everybody else there is none."""
    reflection = reflections.find(call.work.tx, reflection_id, call.me.account_id)
    if reflection is None:
        raise Refused(NOT_THERE)
    return reflection


@router.press(OpenReflection)
def open_own(call: Call, pressed: OpenReflection) -> Reply:
    """The text, to read and to change, in a form and nowhere else."""
    reflection = _own(call, pressed.reflection_id)
    answers = reflections.read(call.vault, call.work.tx, reflection.id, call.me.account_id)
    made = shares.of_items(call.work.tx, [reflection.id])
    read = shares.readings(call.work.tx, [share.id for share in made])
    lines = tuple(_share_line(reflection, share, read.get(share.id, []), call.me.zone) for share in made)
    labels = _labels(call.work, answers)
    note = (
        "A mentor you shared it with still sees it as it was then. To show what you change, share it again. "
        "Empty every field to delete it."
    )
    return Reply(
        form=Form(
            say_day(reflection.day),
            SaveReflection(reflection.id, typed_length(answers)),
            opener=OpenReflection(reflection.id),
            confidential=True,
            blocks=(*([Bullets(lines)] if lines else []), Note((note,))),
            fields=tuple(answer_field(name, labels[name], text) for name, text in answers.items()),
        )
    )


def _labels(work: Work, answers: reflections.Answers) -> dict[str, str]:
    """What each answer answers."""
    asked = checkins.prompt_texts(work.tx, [name for name in answers if name != reflections.TYPED])
    texts = {str(prompt.id): prompt.text for prompt in asked}
    return {name: texts.get(name, TYPED_LABEL) for name in answers}


@router.submit(SaveReflection, keeps_words=True)
def save(call: Call, sent: SaveReflection) -> Reply:
    """Save what the form holds; the reflection is deleted where nothing is left of it."""
    reflection = _own(call, sent.reflection_id)
    before = reflections.read(call.vault, call.work.tx, reflection.id, call.me.account_id)
    answers = read_answers(call, before, before, sent.typed)
    if answers:
        check_agreed(call)
    checkin = checkins.get(call.work.tx, reflection.checkin_id)
    if checkin is None:
        raise Refused(NOT_THERE)
    with holds.respected(call):
        reflections.save(call.vault, call.work, checkin, call.my_id, call.me.account_id, answers)
    _refresh(call.work, reflection)
    return notice("Saved." if answers else "Deleted.")


@router.press(DeleteReflection)
def delete(call: Call, pressed: DeleteReflection) -> Reply:
    """Delete it, and show what is left."""
    reflection = _own(call, pressed.reflection_id)
    with holds.respected(call):
        reflections.remove(call.work, call.my_id, reflection.id, call.me.account_id)
    _refresh(call.work, reflection)
    return Reply(replace=list_card(call))


def _refresh(work: Work, reflection: Reflection) -> None:
    deliveries.refresh(work, reflection.checkin_id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)


# Sharing ----------------------------------------------------------------------------------------


@router.press(ChooseMentor)
def share_form(call: Call, pressed: ChooseMentor) -> Reply:
    """The form, with the words that are shared."""
    reflection = _own(call, pressed.reflection_id)
    options = _open_to(_mentors(call), reflection, shares.of_items(call.work.tx, [reflection.id]))
    if not options:
        raise Refused("Your cohort has no mentor to share it with.")
    note = (
        "Only the mentor you choose can open it, as it is now, until you stop sharing. Share again to show later "
        "changes. You'll see each time they read it. They may remember it."
    )
    return Reply(
        form=Form(
            "Share a reflection",
            ShareReflection(reflection.id),
            opener=ChooseMentor(reflection.id),
            submit="Share",
            confidential=True,
            blocks=(
                say("Your reflection of ", Bold(say_day(reflection.day)), ":"),
                *_words(call, reflection),
                Note((note,)),
            ),
            fields=_share_fields(options).shown,
        )
    )


@dataclass(frozen=True, slots=True)
class ChosenMentor:
    """The mentors that a reflection is shared with."""

    mentor: UUID


def _share_fields(options: tuple[Option, ...]) -> Fields[ChosenMentor]:
    only = options[0].value if len(options) == 1 else ""
    return Fields(ChosenMentor, ChoiceField("mentor", "Share with", options, only, needed="Choose a mentor."))


def _words(call: Call, reflection: Reflection) -> list[Block]:
    """The author's own words, in a form, so that they see what they share."""
    answers = reflections.read(call.vault, call.work.tx, reflection.id, call.me.account_id)
    return [say(text) for text in (answers or {}).values() if text]


def _mentors(call: Call) -> dict[UUID, str]:
    """The mentors of the asker's cohorts, by name."""
    own = cohorts.shared_cohorts(call.work.tx, call.my_id, ("mentee",))
    names = {mentor.id: mentor.name for cohort in own for mentor in cohorts.members(call.work.tx, cohort.id, "mentor")}
    names.pop(call.my_id, None)
    return dict(sorted(names.items(), key=lambda item: (item[1], item[0])))


def _open_to(mentors: Mapping[UUID, str], reflection: Reflection, made: Sequence[Share]) -> tuple[Option, ...]:
    """The mentors it is not shared with yet, or not as it is now."""
    having = {share.mentor_id for share in made if share.holds and not _changed_since(reflection, share)}
    return tuple(Option(str(person_id), name) for person_id, name in mentors.items() if person_id not in having)


@router.submit(ShareReflection)
def share(call: Call, sent: ShareReflection) -> Reply:
    """Share it as it is now."""
    reflection = _own(call, sent.reflection_id)
    mentors = _mentors(call)
    options = _open_to(mentors, reflection, shares.of_items(call.work.tx, [reflection.id]))
    mentor_id = _share_fields(options).read(call.values).mentor
    reflections.share(call.vault, call.work, reflection, call.my_id, call.me.account_id, mentor_id)
    return notice(
        "Shared with ", Bold(mentors[mentor_id]), ". ", Cmd("reflections"), " shows when they read it, and stops it."
    )


@router.press(StopSharing)
def stop(call: Call, pressed: StopSharing) -> Reply:
    """End the share, and destroy the shared copy."""
    shared = shares.get(call.work.tx, pressed.share_id)
    if shared is None or reflections.find(call.work.tx, shared.item_id, call.me.account_id) is None:
        raise Refused(NOT_THERE)  # another account's, be it the same person's: stopping destroys the shared copy
    if shared.ended_at is None:
        shares.stop(call.work, shared, call.my_id)
    return Reply(replace=list_card(call))


# A mentor's -------------------------------------------------------------------------------------


@router.delivery(kinds.SHARE)
def share_delivery(work: Work, item: Delivery) -> Card | None:
    """The mentor's message about a shared reflection; it says so once the share has ended."""
    shared = shares.get(work.tx, UUID(item.subject))
    if shared is None:
        return None
    if not shared.holds:
        gone = Card("A reflection was shared", (say("It's no longer shared."),))
        return gone if item.verb == "update" else None
    read_it = Button("Read it", ReadShared(shared.id), style="primary", opens_form=True)
    return Card(
        f"{shared.author} shared a reflection with you",
        (
            say("It opens in a form that only you see. ", Bold(shared.author), " sees when you read it."),
            buttons(read_it),
        ),
    )


def _shared_with_me(call: Call) -> list[Block]:
    mine = str(call.me.account_id)
    held = [share for share in shares.with_mentor(call.work.tx, call.my_id) if share.holds and mine in share.accounts]
    if not held:
        return []
    days = reflections.days(call.work.tx, [share.item_id for share in held])
    there = [share for share in reversed(held) if share.item_id in days]
    blocks: list[Block] = [Heading("Shared with you")]
    for share in there[:MOST_SHARED]:
        label = f"{shortened(share.author, 50)}, {say_day(days[share.item_id])}"
        blocks.append(buttons(Button(label, ReadShared(share.id), opens_form=True)))
    if len(there) > MOST_SHARED:
        blocks.append(say(f"and {len(there) - MOST_SHARED} older ones. To open one, use the message about it."))
    return blocks


@router.press(ReadShared)
def read_shared(call: Call, pressed: ReadShared) -> Reply:
    """A shared reflection, for the account it was shared with; every reading is noted."""
    shared = shares.get(call.work.tx, pressed.share_id)
    mine = shared is not None and shared.mentor_id == call.my_id and str(call.me.account_id) in shared.accounts
    if shared is None or not mine or not shared.holds:
        raise Refused(NOT_THERE)
    answers = reflections.read_shared(call.vault, call.work.tx, shared.copy_id) if shared.copy_id else {}
    day = reflections.days(call.work.tx, [shared.item_id]).get(shared.item_id)
    if not answers or day is None:
        raise Refused(NOT_THERE)
    shares.note_reading(call.work, shared.id, call.me.account_id)
    labels = _labels(call.work, answers)
    words: list[Block] = []
    for name, text in answers.items():
        words += [say(Bold(labels[name])), say(text)]
    name = people.get(call.work.tx, shared.author_id).name
    return Reply(
        form=Form(
            "A shared reflection",
            ReadShared(shared.id),
            opener=ReadShared(shared.id),
            submit=None,
            confidential=True,
            blocks=(
                Note((f"Shared by {name}, {say_day(day)}. Please keep it to yourself. {name} sees that you read it.",)),
                *words,
            ),
        )
    )
