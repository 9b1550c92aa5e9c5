"""One's own reflections: listed by day, opened in a form alone, changed, deleted, and shared with a mentor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from handlers.checkins.checkins import TYPED_LABEL, answer_field, check_agreed
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Card,
    ChoiceField,
    Cmd,
    Form,
    Heading,
    Note,
    Option,
    Text,
    action,
    buttons,
    say,
)
from handlers.core.requests import Reply, notice
from handlers.core.router import Call, FieldReader, Refused, router
from handlers.privacy import holds
from program.core.times import local_day, say_day, say_time, to_local
from program.core.words import counted, shortened
from storage.checkins import checkins, reflections, shares
from storage.checkins.reflections import Reflection
from storage.checkins.shares import Share
from storage.core.work import Work
from storage.outbox import deliveries
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people

SHOWN = 5  # reflections on one card: each has a row of buttons
MOST_SHARED = 10
# The same for everybody: it says nothing of whether there ever was one.
NOT_THERE = "I can't find that reflection. It may have been deleted, or it's no longer shared with you."


# The list ---------------------------------------------------------------------------------------


@router.command("reflections", "Your reflections: open, change, delete, share", reads=True)
def reflections_command(call: Call) -> Reply:
    return Reply(card=list_card(call))


@router.press("reflections.page")
def page(call: Call) -> Reply:
    text = call.args[0] if call.args else ""
    return Reply(replace=list_card(call, int(text) if text.isdecimal() else 0))


def list_card(call: Call, skip: int = 0) -> Card:
    """The days alone; never a word of what was written."""
    tx = call.work.tx
    every = reflections.of_account(tx, call.me.account_id)
    shown = every[skip : skip + SHOWN]
    made = shares.of_items(tx, [one.id for one in shown])
    mentors = _mentors(call)
    read = shares.readings(tx, [one.id for one in made])
    blocks: list[Block] = []
    for one in shown:
        blocks += _row(call, one, [share for share in made if share.item_id == one.id], read, mentors)
    if not every:
        blocks.append(say("You haven't written any with this account."))
    if len(every) > skip + SHOWN:
        blocks.append(buttons(Button("Older", action("reflections.page", skip + SHOWN))))
    elsewhere = reflections.count_elsewhere(tx, call.my_id, call.me.account_id)
    if elsewhere:
        blocks.append(say(f"{counted(elsewhere, 'more')} can be opened only with the account that wrote it."))
    blocks += _shared_with_me(call)
    return Card("Your reflections", (*blocks, Note(("Each opens in a form that only you see.",))))


def _row(
    call: Call,
    one: Reflection,
    made: Sequence[Share],
    read: Mapping[UUID, list[datetime]],
    mentors: Mapping[UUID, str],
) -> list[Block]:
    lines = [_share_line(one, share, read.get(share.id, []), call.me.zone) for share in made]
    may_share = bool(_open_to(mentors, one, made))
    items = [
        Button("Open", action("reflections.open", one.id), opens_form=True),
        *([Button("Share", action("reflections.share", one.id), opens_form=True)] if may_share else []),
        *(
            Button(shortened(f"Stop sharing with {share.mentor}", 70), action("reflections.stop", share.id))
            for share in made
            if share.holds
        ),
        Button("Delete", action("reflections.delete", one.id), style="danger", confirm="Delete this reflection?"),
    ]
    return [say(Bold(say_day(one.day))), *([Bullets(tuple(lines))] if lines else []), buttons(*items)]


def _share_line(found: Reflection, share: Share, read: Sequence[datetime], zone: str) -> Text:
    """With whom, whether it still is, every reading, and whether it is shared as it is now."""
    begins = "Shared" if share.holds else "Was shared"
    times = ", ".join(_stamp(at, zone) for at in read)
    line = f"{begins} with {share.mentor}. " + (f"Read {times}." if read else "Not read.")
    if share.holds and _changed_since(found, share):
        line += (
            f" You changed it after that. {share.mentor} still sees it as it was. Share it again to show the change."
        )
    return (line,)


def _changed_since(found: Reflection, share: Share) -> bool:
    return found.at > share.at


def _stamp(at: datetime, zone: str) -> str:
    return f"{say_day(local_day(at, zone))}, {say_time(to_local(at, zone))}"


# One's own --------------------------------------------------------------------------------------


def _own(call: Call) -> Reflection:
    """The reflection of the button or form, if this account wrote it; for everybody else there is none."""
    found = reflections.find(call.work.tx, call.id_at(0), call.me.account_id)
    if found is None:
        raise Refused(NOT_THERE)
    return found


@router.press("reflections.open")
def open_one(call: Call) -> Reply:
    """The text, to read and to change, in a form and nowhere else."""
    found = _own(call)
    answers = reflections.read(call.vault, call.work.tx, found.id, call.me.account_id)
    made = shares.of_items(call.work.tx, [found.id])
    read = shares.readings(call.work.tx, [one.id for one in made])
    lines = tuple(_share_line(found, one, read.get(one.id, []), call.me.zone) for one in made)
    labels = _labels(call.work, answers)
    note = (
        "A mentor you shared it with still sees it as it was then. To show what you change, share it again. "
        "Empty every field to delete it."
    )
    return Reply(
        form=Form(
            say_day(found.day),
            action("reflections.save", found.id),
            opener=action("reflections.open", found.id),
            confidential=True,
            blocks=(*([Bullets(lines)] if lines else []), Note((note,))),
            fields=tuple(answer_field(name, labels[name], text) for name, text in answers.items()),
        )
    )


def _labels(work: Work, answers: reflections.Answers) -> dict[str, str]:
    """What each answer answers."""
    asked = checkins.prompt_texts(work.tx, [name for name in answers if name != reflections.TYPED])
    texts = {str(one.id): one.text for one in asked}
    return {name: texts.get(name, TYPED_LABEL) for name in answers}


@router.submit("reflections.save")
def save(call: Call) -> Reply:
    found = _own(call)
    before = reflections.read(call.vault, call.work.tx, found.id, call.me.account_id)
    read = FieldReader(call.values)
    answers = {name: text for name in before if (text := read.text(name))}
    read.check()
    if answers:
        check_agreed(call)
    checkin = checkins.get(call.work.tx, found.checkin_id)
    if checkin is None:
        raise Refused(NOT_THERE)
    with holds.respected(call):
        reflections.save(call.vault, call.work, checkin, call.my_id, call.me.account_id, answers)
    _refresh(call.work, found)
    return notice("Saved." if answers else "Deleted.")


@router.press("reflections.delete")
def delete(call: Call) -> Reply:
    found = _own(call)
    with holds.respected(call):
        reflections.remove(call.work, call.my_id, found.id, call.me.account_id)
    _refresh(call.work, found)
    return Reply(replace=list_card(call))


def _refresh(work: Work, found: Reflection) -> None:
    deliveries.refresh(work, found.checkin_id, "checkin", "checkin.nudge")


# Sharing ----------------------------------------------------------------------------------------


@router.press("reflections.share")
def share_form(call: Call) -> Reply:
    found = _own(call)
    options = _open_to(_mentors(call), found, shares.of_items(call.work.tx, [found.id]))
    if not options:
        raise Refused("Your cohort has no mentor to share it with.")
    note = (
        "Only the mentor you choose can open it, in a form, as it is now, until you stop sharing. What you change "
        "later is not shared until you share it again. You see each time they read it. "
        "They may remember what they read."
    )
    return Reply(
        form=Form(
            "Share a reflection",
            action("reflections.shared", found.id),
            opener=action("reflections.share", found.id),
            submit="Share",
            confidential=True,
            blocks=(say("Your reflection of ", Bold(say_day(found.day)), ":"), *_words(call, found), Note((note,))),
            fields=(ChoiceField("mentor", "Share with", options, options[0].value if len(options) == 1 else ""),),
        )
    )


def _words(call: Call, found: Reflection) -> list[Block]:
    """The author's own words, in a form, so that they see what they share."""
    answers = reflections.read(call.vault, call.work.tx, found.id, call.me.account_id)
    return [say(text) for text in (answers or {}).values() if text]


def _mentors(call: Call) -> dict[UUID, str]:
    """The mentors of the asker's cohorts, by name."""
    own = cohorts.shared_cohorts(call.work.tx, call.my_id, ("mentee",))
    found = {one.id: one.name for cohort in own for one in cohorts.members(call.work.tx, cohort.id, "mentor")}
    found.pop(call.my_id, None)
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def _open_to(mentors: Mapping[UUID, str], found: Reflection, made: Sequence[Share]) -> tuple[Option, ...]:
    """The mentors it is not shared with yet, or not as it is now."""
    having = {one.mentor_id for one in made if one.holds and not _changed_since(found, one)}
    return tuple(Option(str(person_id), name) for person_id, name in mentors.items() if person_id not in having)


@router.submit("reflections.shared")
def share(call: Call) -> Reply:
    found = _own(call)
    read = FieldReader(call.values)
    choices = _open_to(_mentors(call), found, shares.of_items(call.work.tx, [found.id]))
    options = {one.value: one.label for one in choices}
    chosen = read.choice("mentor", tuple(options), needed="Choose a mentor.")
    read.check()
    reflections.share(call.vault, call.work, found, call.my_id, call.me.account_id, UUID(chosen))
    return notice(
        "Shared with ", Bold(options[chosen]), ". ", Cmd("reflections"), " shows when they read it, and stops it."
    )


@router.press("reflections.stop")
def stop(call: Call) -> Reply:
    found = shares.get(call.work.tx, call.id_at(0))
    if found is None or reflections.find(call.work.tx, found.item_id, call.me.account_id) is None:
        raise Refused(NOT_THERE)  # another account's, be it the same person's: stopping destroys the shared copy
    if found.ended_at is None:
        shares.stop(call.work, found, call.my_id)
    return Reply(replace=list_card(call))


# A mentor's -------------------------------------------------------------------------------------


@router.delivery("share")
def share_delivery(work: Work, item: Delivery) -> Card | None:
    found = shares.get(work.tx, UUID(item.subject))
    if found is None:
        return None
    if not found.holds:
        gone = Card("A reflection was shared", (say("It's no longer shared."),))
        return gone if item.verb == "update" else None
    read_it = Button("Read it", action("reflections.read", found.id), style="primary", opens_form=True)
    return Card(
        f"{found.author} shared a reflection with you",
        (
            say("It opens in a form that only you see. ", Bold(found.author), " sees when you read it."),
            buttons(read_it),
        ),
    )


def _shared_with_me(call: Call) -> list[Block]:
    found = [one for one in shares.with_mentor(call.work.tx, call.my_id) if one.holds]
    if not found:
        return []
    days = reflections.days(call.work.tx, [one.item_id for one in found])
    there = [one for one in reversed(found) if one.item_id in days]
    blocks: list[Block] = [Heading("Shared with you")]
    for one in there[:MOST_SHARED]:
        label = f"{shortened(one.author, 50)}, {say_day(days[one.item_id])}"
        blocks.append(buttons(Button(label, action("reflections.read", one.id), opens_form=True)))
    if len(there) > MOST_SHARED:
        blocks.append(say(f"and {len(there) - MOST_SHARED} older ones. To open one, use the message about it."))
    return blocks


@router.press("reflections.read")
def read_shared(call: Call) -> Reply:
    """A shared reflection, for the account it was shared with; every reading is noted."""
    found = shares.get(call.work.tx, call.id_at(0))
    mine = found is not None and found.mentor_id == call.my_id and str(call.me.account_id) in found.accounts
    if found is None or not mine or not found.holds:
        raise Refused(NOT_THERE)
    answers = reflections.read_shared(call.vault, call.work.tx, found.copy_id) if found.copy_id else {}
    day = reflections.days(call.work.tx, [found.item_id]).get(found.item_id)
    if not answers or day is None:
        raise Refused(NOT_THERE)
    shares.note_reading(call.work, found.id, call.me.account_id)
    labels = _labels(call.work, answers)
    words: list[Block] = []
    for name, text in answers.items():
        words += [say(Bold(labels[name])), say(text)]
    name = people.get(call.work.tx, found.author_id).name
    return Reply(
        form=Form(
            "A shared reflection",
            action("reflections.read", found.id),
            opener=action("reflections.read", found.id),
            submit=None,
            confidential=True,
            blocks=(
                Note((f"Shared by {name}, {say_day(day)}. Please keep it to yourself. {name} sees that you read it.",)),
                *words,
            ),
        )
    )
