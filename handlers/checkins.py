"""Check-ins: a pulse and a reflection, asked directly and kept encrypted. Nothing of an answer is echoed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from uuid import UUID

from handlers import holds, notices
from handlers.cards import (
    Block,
    Bold,
    Button,
    Card,
    Cmd,
    Form,
    Note,
    TextField,
    When,
    action,
    buttons,
    say,
)
from handlers.requests import Reply, Typed, notice
from handlers.router import COORDINATORS, EVERYONE, Call, FieldReader, FormErrors, Refused, router
from handlers.turns import Off, refresh_turns, set_turns
from program.checkins import NUDGE_AFTER, OPEN_DAYS, choose_prompts, turn_of
from program.times import local_day, say_day
from program.words import counted, normal, read_day
from storage import checkins, cohorts, consent, deliveries, due, people, reflections, vault
from storage.checkins import CheckIn, Turn
from storage.deliveries import Delivery
from storage.due import Moment
from storage.holds import check_free
from storage.work import Work

SAVED = "Saved. The bot shows it to nobody unless you share it."
TYPED_LABEL = "What you typed to me"
PULSES = ("1", "2", "3", "4", "5")
MOST_PROMPTS = 30


# The moments ------------------------------------------------------------------------------------


@router.moment(
    "checkins.open",
    "check-ins go out",
    late="goes out late while its window of seven days is open; after that it is recorded as missed",
)
def open_checkins(work: Work, moment: Moment) -> str | None:
    """Open a check-in for everybody whose turn has come; late ones go out while their window is open."""
    came = datetime.fromisoformat(moment.subject)
    closes_at = came + timedelta(days=OPEN_DAYS)
    due_people = set(checkins.people_due(work.tx, came))
    turns = checkins.turns(work.tx, due=came)
    checkins.drop_turns(work, list(due_people - {turn.person_id for turn in turns}))
    prompts = checkins.prompts(work.tx)
    chosen = cache(lambda turn: [str(one.id) for one in choose_prompts(prompts, turn)])
    off = Off(work, [turn.person_id for turn in turns])
    rows = []
    for turn in turns:
        day = local_day(came, turn.zone)
        if work.now < closes_at and _takes(turn, day, off):
            rows.append((turn.person_id, day, chosen(turn_of(day, turn.cycle))))
    opened = checkins.open_checkins(work, rows, closes_at)
    deliveries.to_people(work, "checkin", [(one.person_id, one.id) for one in opened])
    if opened:
        # Those of two turns that are both late may open at one instant; each turn has a reminder and a closing.
        due.plan(work, "checkins.nudge", came + NUDGE_AFTER, work.now.isoformat(), tag=moment.subject)
        due.plan(work, "checkins.close", closes_at, work.now.isoformat(), tag=moment.subject)
    set_turns(work, turns)
    return None if opened else "missed" if rows or work.now >= closes_at else None


@router.moment(
    "checkins.nudge",
    "the one reminder of an open check-in",
    late="goes out late while the check-in is open; nobody gets it who has answered, paused or left",
)
def nudge(work: Work, moment: Moment) -> str | None:
    """Those who have not answered are reminded once, unless they paused, have a break, or it has closed.

    Who has not chosen yet whether they want check-ins is not reminded.
    """
    opened = checkins.opened_at(work.tx, datetime.fromisoformat(moment.subject), answered=False)
    unanswered = {one.person_id: one for one in opened if one.closes_at > work.now}
    turns = checkins.turns(work.tx, list(unanswered))  # nobody who completed, left, or wants none any more
    agreed = consent.agreed_of(work.tx, list(unanswered))
    off = Off(work, list(unanswered))
    asked = [one for one in turns if one.person_id in agreed and _takes(one, local_day(work.now, one.zone), off)]
    deliveries.to_people(work, "checkin.nudge", [(one.person_id, unanswered[one.person_id].id) for one in asked])
    return None


def _takes(turn: Turn, day: date, off: Off) -> bool:
    """Whether somebody takes check-ins on a day: they have not paused, and it is no day off."""
    asleep = turn.snoozed_until is not None and day < turn.snoozed_until
    return not asleep and not off.on(turn, day)


@router.moment(
    "checkins.close",
    "check-ins close",
    late="closes late; answers were refused from the closing time on all the same",
)
def close(work: Work, moment: Moment) -> str | None:
    opened = checkins.opened_at(work.tx, datetime.fromisoformat(moment.subject))
    deliveries.refresh_all(work, ("checkin", "checkin.nudge"), [one.id for one in opened])
    return None


# The message ------------------------------------------------------------------------------------


@router.delivery("checkin")
def checkin_delivery(work: Work, item: Delivery) -> Card | None:
    found = checkins.get(work.tx, UUID(item.subject))
    if found is None or (item.verb == "post" and found.closes_at <= work.now):
        return None
    return checkin_card(work, found)


@router.delivery("checkin.nudge")
def nudge_delivery(work: Work, item: Delivery) -> Card | None:
    found = checkins.get(work.tx, UUID(item.subject))
    if found is None:
        return None
    if item.verb == "post" and (found.closes_at <= work.now or found.answered_at is not None):
        return None
    return checkin_card(work, found, "Your check-in is still open")


def checkin_card(work: Work, found: CheckIn, title: str = "How are things going?") -> Card:
    """The check-in as it stands; it never shows anything of an answer."""
    if found.closes_at <= work.now:
        closed = SAVED if found.answered_at else "There was nothing you had to do."
        return Card("This check-in is closed", (say(closed),))
    decision = consent.of(work.tx, found.person_id)
    if decision is not None and decision.declined:
        return Card("You declined check-ins", (say(notices.DECLINED),))
    if decision is None or not decision.agreed:
        return notices.first_card(work.house, found)
    zone = people.get(work.tx, found.person_id).zone
    until = Note(("Open until ", When(found.closes_at, zone), ". Skip what you like."))
    write = Button(
        "Write a reflection" if found.answered_at is None else "Write or change",
        action("checkins.write", found.id),
        opens_form=True,
    )
    asked = found.reach_out_at is not None
    reach = Button("Ask my mentor to reach out", action("checkins.reach", found.id))
    others = (reach,) if not asked and _mentors_of(work, found.person_id) else ()
    last = say("Your mentor was asked to reach out. Nothing else was sent.") if asked else None
    pulse = buttons(*(Button(_pulse_label(value), action("checkins.pulse", found.id, value)) for value in PULSES))
    if found.answered_at is not None:
        # Which number was tapped is not shown; another tap replaces it, and who only wrote may still tap one.
        change = Note(
            (
                "You can tap a number or write until ",
                When(found.closes_at, zone),
                "; the last one counts.",
            )
        )
        blocks: list[Block] = [say(SAVED), pulse, buttons(write, *others)]
        return Card("Check-in", (*blocks, *((last,) if last else ()), change))
    return Card(
        title,
        (
            say("One tap is enough: 1 is hard going, 5 is great."),
            pulse,
            buttons(write, *others),
            *((last,) if last else ()),
            until,
        ),
    )


def _pulse_label(value: str) -> str:
    return {"1": "1 hard", "5": "5 great"}.get(value, value)


def _own(call: Call) -> CheckIn:
    """The pressed check-in, if it is the asker's and takes answers."""
    found = checkins.get(call.work.tx, call.id_at(0))
    if found is None or found.person_id != call.my_id:
        raise Refused("That check-in is not there.")
    if found.closes_at <= call.work.now:
        raise Refused("This check-in is closed. The next one comes by itself.")
    check_agreed(call)
    return found


def check_agreed(call: Call) -> None:
    """Nothing is kept of somebody who has not agreed.

    Raises:
        Refused: they declined, or have not chosen yet.
    """
    decision = consent.of(call.work.tx, call.my_id)
    if decision is None or not decision.agreed:
        raise Refused(notices.DECLINED if decision is not None and decision.declined else notices.UNDECIDED)


@router.press("checkins.pulse")
def pulse(call: Call) -> Reply:
    found = _own(call)
    value = call.args[1] if len(call.args) > 1 else ""
    if value not in PULSES:
        raise Refused("That is not a number from 1 to 5.")
    before = vault.find(call.work.tx, found.id, "pulse", call.me.account_id)
    if before is not None:
        _replace_pulse(call, before.id, value)
    else:
        call.vault.save(
            call.work, "pulse", value, person_id=call.my_id, account_id=call.me.account_id, checkin_id=found.id
        )
    return Reply(replace=_answered(call, found))


def _replace_pulse(call: Call, item_id: UUID, value: str) -> None:
    if call.vault.open(call.work.tx, item_id, call.me.account_id) != value:
        with holds.respected(call):
            check_free(call.work.tx, call.my_id)
        call.vault.replace(call.work, item_id, value)


def _answered(call: Call, found: CheckIn) -> Card:
    """Note that something is saved (or no longer is) and bring the messages up to date."""
    checkins.set_answered(call.work, found.id, vault.anything_written(call.work.tx, found.id))
    deliveries.refresh(call.work, found.id, "checkin", "checkin.nudge")
    current = checkins.get(call.work.tx, found.id)
    return checkin_card(call.work, current or found)


# The reflection ---------------------------------------------------------------------------------


@router.press("checkins.write")
def write_form(call: Call) -> Reply:
    """Three short prompts, none of them required; what this account saved before is filled in."""
    found = _own(call)
    before = _read(call, found)
    fields = [
        answer_field(str(one.id), one.text, before.get(str(one.id), ""))
        for one in checkins.prompt_texts(call.work.tx, found.prompts)
    ]
    if reflections.TYPED in before:
        fields.append(answer_field(reflections.TYPED, TYPED_LABEL, before[reflections.TYPED]))
    return Reply(
        form=Form(
            "Your reflection",
            action("checkins.save", found.id),
            opener=action("checkins.write", found.id),
            confidential=True,
            blocks=(
                Note(
                    (
                        "Kept encrypted; the bot shows it to nobody you do not choose. Please write nothing that could "
                        "identify a student. Not for reports of abuse: make those yourself, at once, to the child "
                        "abuse hotline.",
                    )
                ),
            ),
            fields=tuple(fields),
        )
    )


def answer_field(name: str, label: str, text: str) -> TextField:
    """One answer of a reflection. None is required."""
    return TextField(name, label, text, multiline=True, optional=True)


def _read(call: Call, found: CheckIn) -> reflections.Answers:
    """What this account wrote."""
    item = vault.find(call.work.tx, found.id, reflections.KIND, call.me.account_id)
    return reflections.read(call.vault, call.work.tx, item.id, call.me.account_id) if item else {}


def _write(call: Call, found: CheckIn, answers: reflections.Answers) -> None:
    with holds.respected(call):
        reflections.save(call.vault, call.work, found, call.my_id, call.me.account_id, answers)


@router.submit("checkins.save")
def save(call: Call) -> Reply:
    found = _own(call)
    read = FieldReader(call.values)
    before = _read(call, found)
    names = [*found.prompts, reflections.TYPED]
    # What came in while the form was open is not in it, and stays.
    texts = {name: read.text(name) if name in call.values else before.get(name, "") for name in names}
    answers = {name: text for name, text in texts.items() if text}
    read.check()
    _write(call, found, answers)
    _answered(call, found)
    if answers:
        return notice(SAVED)
    if vault.find(call.work.tx, found.id, "pulse", call.me.account_id) is not None:
        return notice("Nothing is saved of your words. Your number from 1 to 5 is still saved.")
    return notice("Nothing is saved for this check-in now.")


@router.on(Typed)
def typed(call: Call) -> Reply:
    """Words in the personal chat while a check-in is open are the reflection; never echoed."""
    intent = call.request.intent
    found = checkins.open_of(call.work.tx, call.my_id, call.work.now)
    text = intent.text.strip() if isinstance(intent, Typed) else ""
    if text and notices.has_declined(call.work.tx, call.my_id):
        return _declined(router.unknown(call, text))
    if found is None or not text:
        return router.unknown(call, text)
    if not notices.has_agreed(call.work.tx, call.my_id):
        return Reply(card=notices.unkept_card(call.work.house, found))
    answers = _read(call, found)
    before = answers.get(reflections.TYPED, "")
    parts = [part for part in (before, text) if part]
    answers[reflections.TYPED] = "\n\n".join(parts)
    if len(answers[reflections.TYPED]) > 3000:
        raise Refused("That no longer fits (3,000 characters are kept). Please use “Write a reflection”.")
    _write(call, found, answers)
    _answered(call, found)
    undo = Button("Undo", action("checkins.undo", found.id, len(before), len(answers[reflections.TYPED])))
    kept = Note(("This chat itself keeps what you typed. The form keeps nothing in the chat.",))
    return Reply(card=Card("", (say(SAVED), buttons(undo), kept)))


def _declined(answer: Reply) -> Reply:
    """The answer to an unknown command, and that nothing of it was kept."""
    blocks = answer.card.blocks if answer.card is not None else ()
    return Reply(card=Card("", (*blocks, Note((notices.DECLINED,)))))


@router.press("checkins.undo")
def undo(call: Call) -> Reply:
    """Take back what was typed last."""
    found = _own(call)
    answers = _read(call, found)
    before, after = (int(part) if part.isdecimal() else -1 for part in (*call.args[1:3], "", "")[:2])
    if before < 0 or len(answers.get(reflections.TYPED, "")) != after:
        raise Refused("Something was saved after that. Please use “Write or change”.")
    answers[reflections.TYPED] = answers[reflections.TYPED][:before].rstrip("\n")
    _write(call, found, {name: text for name, text in answers.items() if text})
    _answered(call, found)
    text = "Undone: the bot kept nothing of it. The message is still in this chat; you can delete it there."
    return Reply(replace=Card("", (say(text),)))


@router.press("checkins.reach")
def reach_out(call: Call) -> Reply:
    """Tell the mentors just that they are asked to reach out."""
    found = _own(call)
    mentors = _mentors_of(call.work, call.my_id)
    if not mentors:
        raise Refused("Your cohort has no mentor yet. Please turn to your coordinator.")
    if checkins.ask_mentor(call.work, found.id):
        for mentor_id in sorted(mentors):
            deliveries.to_person(call.work, "checkin.reach", mentor_id, call.my_id, tag=found.id)
    deliveries.refresh(call.work, found.id, "checkin")
    return Reply(replace=checkin_card(call.work, checkins.get(call.work.tx, found.id) or found))


def _mentors_of(work: Work, person_id: UUID) -> set[UUID]:
    """The mentors of somebody's cohorts; a mentor who gets check-ins has none."""
    own = cohorts.shared_cohorts(work.tx, person_id, ("mentee",))
    return {mentor.id for one in own for mentor in cohorts.members(work.tx, one.id, "mentor")} - {person_id}


@router.delivery("checkin.reach")
def reach_delivery(work: Work, item: Delivery) -> Card | None:
    person = people.get(work.tx, UUID(item.subject))
    text = say(Bold(person.name), " asked you to reach out. That is all I know; nothing they wrote was sent.")
    return Card("Please reach out", (text,))


# Commands ---------------------------------------------------------------------------------------


@router.command("checkin", "Your open check-in, or when the next one comes")
def checkin_command(call: Call) -> Reply:
    found = checkins.open_of(call.work.tx, call.my_id, call.work.now)
    if found is not None:
        return Reply(card=checkin_card(call.work, found))
    at = checkins.turn_at(call.work.tx, call.my_id)
    if at is None and notices.has_declined(call.work.tx, call.my_id):
        return notice(notices.DECLINED)
    if at is None:
        return notice("You get no check-ins. Send ", Cmd("checkins on"), " if you want them.")
    return notice("No check-in is open. The next one comes ", When(at, call.me.zone), ".")


def _is_until(words: str) -> bool:
    today = datetime(2000, 1, 1).date()  # noqa: DTZ001  only whether it reads as a day
    return read_day(words.removeprefix("until "), today) is not None


@router.command("snooze", "Pause check-ins until a day", takes="until DATE", accepts=_is_until)
def snooze(call: Call) -> Reply:
    today = local_day(call.work.now, call.me.zone)
    until = read_day(call.words.removeprefix("until "), today)
    if until is None:
        raise Refused("Until when? For example: snooze until 2026-12-01, or snooze until Monday.")
    if until <= today:
        raise Refused("That day is not ahead. For example: snooze until tomorrow.")
    if (until - today).days > 366:
        raise Refused("A pause lasts a year at most. Send ", Cmd("checkins off"), " for none at all.")
    people.set_snooze(call.work.tx, call.my_id, until)
    refresh_turns(call.work, [call.my_id])
    said = say("No check-ins until ", Bold(say_day(until)), ". Meetings are announced as ever.")
    return Reply(card=Card("", (said, buttons(Button("Undo", action("command.run", "resume"))))))


@router.command("resume", "End the pause")
def resume(call: Call) -> Reply:
    people.set_snooze(call.work.tx, call.my_id, None)
    refresh_turns(call.work, [call.my_id])
    at = checkins.turn_at(call.work.tx, call.my_id)
    if at is None:
        return notice("The pause is over. You get no check-ins; send ", Cmd("checkins on"), " if you want them.")
    return notice("The pause is over. The next check-in comes ", When(at, call.me.zone), ".")


@router.command(
    "checkins",
    "Turn check-ins on or off for yourself",
    who=EVERYONE,
    takes="on | off",
    accepts=lambda words: normal(words) in ("on", "off"),
)
def switch(call: Call) -> Reply:
    """Mentors have them off until they turn them on."""
    if call.words not in ("on", "off"):
        raise Refused("Send ", Cmd("checkins on"), " or ", Cmd("checkins off"), ".")
    if not call.me.memberships:
        raise Refused("Check-ins are for people in a cohort.")
    people.set_checkins(call.work.tx, call.my_id, call.words == "on")
    refresh_turns(call.work, [call.my_id])
    if call.words == "on" and notices.has_declined(call.work.tx, call.my_id):
        return Reply(card=notices.declined_card(call.work.house))
    at = checkins.turn_at(call.work.tx, call.my_id)
    if at is None:
        return notice("You get no check-ins any more. Send ", Cmd("checkins on"), " to have them again.")
    return notice("Check-ins are on. The next one comes ", When(at, call.me.zone), ".")


@router.command("prompts", "Edit the check-in prompts", who=COORDINATORS)
def prompts_command(call: Call) -> Reply:
    return Reply(form=_prompts_form(call))


@router.press("checkins.prompts")
def prompts_form(call: Call) -> Reply:
    if not call.me.coordinator:
        raise Refused("The prompts are the coordinator's.")
    return Reply(form=_prompts_form(call))


def _prompts_form(call: Call) -> Form:
    texts = "\n".join(one.text for one in checkins.prompts(call.work.tx))
    return Form(
        "Check-in prompts",
        action("checkins.prompted"),
        opener=action("checkins.prompts"),
        blocks=(say("One prompt a line. They rotate, three in each check-in; open check-ins keep theirs."),),
        fields=(TextField("prompts", "Prompts", texts, multiline=True),),
    )


@router.submit("checkins.prompted")
def set_prompts(call: Call) -> Reply:
    if not call.me.coordinator:
        raise Refused("The prompts are the coordinator's.")
    lines = [" ".join(line.split()) for line in FieldReader(call.values).text("prompts").splitlines()]
    texts = list(dict.fromkeys(line for line in lines if line))
    if not texts:
        raise FormErrors({"prompts": "Write at least one prompt."})
    if len(texts) > MOST_PROMPTS or any(len(text) > 150 for text in texts):
        raise FormErrors({"prompts": f"At most {MOST_PROMPTS} prompts of 150 characters."})
    checkins.replace_prompts(call.work, texts)
    return notice(f"Saved {counted(len(texts), 'prompt')}. Check-ins that are open keep theirs.")
