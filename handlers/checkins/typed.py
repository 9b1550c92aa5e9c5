"""What somebody types: commands win, a number answers the check-in, and other words are kept if their author wants.

Words that may be a reflection are sealed in the vault until their author chooses. They are never echoed.
"""

from __future__ import annotations

from uuid import UUID

from handlers.checkins import consent_notice
from handlers.checkins.checkins import (
    answered,
    check_agreed,
    find_answers,
    number_buttons,
    open_checkin,
    save_answers,
)
from handlers.checkins.checkins_actions import DiscardTyped, KeepTyped, UndoKeep
from handlers.checkins.pulses import save_pulse
from handlers.checkins.saved import saved_sentence, whole_sentence
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Button, Card, Cmd, Note, Text, When, buttons, say, with_commands
from handlers.core.command_actions import RunCommand
from handlers.core.requests import Reply, Typed, notice
from handlers.core.router import commands_of, router, suggested
from program.checkins.typed import (
    begins_as_question,
    is_cry_for_help,
    is_question,
    meant_by_other_words,
    pointers,
    read_choice,
    read_pulse,
    small_talk,
)
from program.core.words import near_commands
from storage.checkins import checkins, reflections, typed
from storage.checkins.checkins import CheckIn
from storage.checkins.saved import find_saved
from storage.core.work import Work
from storage.outbox import moments
from storage.outbox.due import Moment

MOST = 3000  # characters of what is typed for one check-in
NOT_KEPT = "I didn't save what you typed."
GONE = "I don't have those words: they were kept, deleted, or typed with another account."


@router.on(Typed)
def read_typed(call: Call) -> Reply:
    """Answer a message that is not the exact words of a command."""
    intent = call.request.intent
    text = intent.text.strip() if isinstance(intent, Typed) else ""
    if not text:
        return router.unknown(call, text)
    if (choice := _choice(call, text)) is not None:
        return choice
    if (led := router.with_cohort(call, text)) is not None:
        return led
    if answer := small_talk(text):
        return notice(*with_commands(answer))
    checkin = checkins.open_of(call.work.tx, call.my_id, call.work.now, call.me.view)
    if (checkin is None or not consent_notice.has_agreed(call)) and is_cry_for_help(text):
        return notice(f"In a crisis: {call.work.privacy_settings.crisis}. {NOT_KEPT}")
    if consent_notice.has_declined(call):
        return _declined(_unknown(call, text))
    if checkin is None:
        return _near_command(call, text) or _unknown(call, text)
    return _near_command(call, text) or _answer(call, checkin, text)


def _unknown(call: Call, text: str) -> Reply:
    """The commands that the words are about; else those that are spelled most alike."""
    if near := _pointers(call, text):
        return suggested(call, near, "One of these may help. ", NOT_KEPT)
    return router.unknown(call, text)


def _declined(answer: Reply) -> Reply:
    """The answer to an unknown command, and that nothing of it was kept."""
    blocks = answer.card.blocks if answer.card is not None else ()
    return Reply(card=Card("", (*blocks, Note(consent_notice.DECLINED))))


def _choice(call: Call, text: str) -> Reply | None:
    """A typed "yes" or "no" answers the one question about typed words that is open."""
    wanted = read_choice(text)
    undecided = typed.of_account(call.work.tx, call.me.account_id, call.work.now) if wanted is not None else []
    if not undecided:
        return None
    if len(undecided) > 1:
        return notice("I asked about more than one message. Please use the buttons below each of them.")
    words_id = undecided[0].id
    chosen = keep(call, KeepTyped(words_id)) if wanted else discard(call, DiscardTyped(words_id))
    return Reply(card=chosen.replace)


def _near_command(call: Call, text: str) -> Reply | None:
    """A misspelled command is run where what follows it makes sense, and else offered; a question gets pointers."""
    if (meant := router.corrected(call, text)) is not None:
        return meant
    if near := near_commands(text, commands_of(call.me)):
        return suggested(call, near, "Did you mean one of these? ", NOT_KEPT)
    if (refused := router.misspelled_of_others(call, text)) is not None:
        return refused
    if near := [command for command in meant_by_other_words(text) if command in commands_of(call.me)]:
        return suggested(call, near, "Did you mean one of these? ", NOT_KEPT)
    if is_question(text) and (near := _pointers(call, text)):
        return suggested(call, near, "I can't answer questions in my own words. One of these may help. ", NOT_KEPT)
    return None


def _pointers(call: Call, text: str) -> list[str]:
    allowed = commands_of(call.me)
    return [command for command in pointers(text) if command in allowed]


def _answer(call: Call, checkin: CheckIn, text: str) -> Reply:
    """A number is the pulse of the open check-in; other words are offered as its reflection."""
    if not consent_notice.has_agreed(call):
        return Reply(card=consent_notice.unread_card(checkin, NOT_KEPT))
    number = read_pulse(text)
    return _offer(call, checkin, text) if number is None else _save_number(call, checkin, number)


def _save_number(call: Call, checkin: CheckIn, number: int) -> Reply:
    """Save a typed number. The check-in's own message shows it; the answer is short."""
    answered(call, save_pulse(call, checkin, str(number)))
    saved = find_saved(call.work.tx, checkin, call.me.view)
    return Reply(card=Card("", (say(whole_sentence(saved)), *number_buttons(checkin, saved))))


def _offer(call: Call, checkin: CheckIn, text: str) -> Reply:
    """Ask whether the words are a reflection. A command that they may mean is a button, before it for a question."""
    if len(text) > MOST:
        raise Refused(f"That is {len(text):,} characters; {MOST:,} fit. {NOT_KEPT} Please use “Write a reflection”.")
    if typed.count(call.work.tx, call.me.account_id) >= typed.MOST:
        raise Refused(f"Please answer my earlier questions about what you typed first. {NOT_KEPT}")
    words = typed.hold(call.vault, call.work, checkin, call.me.account_id, text)
    keep = Button("Keep as my reflection", KeepTyped(words.id), style="primary")
    until: Text = (
        "Until you choose, I keep it encrypted. If you choose neither, I delete it on ",
        When(words.until, call.me.zone),
        ". This chat itself keeps what you typed.",
    )
    question: list[Block] = [
        say("Should I keep that as part of your check-in reflection?"),
        buttons(keep, Button("No", DiscardTyped(words.id))),
        Note(until),
        Note((f"In a crisis: {call.work.privacy_settings.crisis}.",)),
    ]
    near = [Button(command, RunCommand(command)) for command in _pointers(call, text)]
    if near and begins_as_question(text):
        return Reply(card=Card("", (say("This may help:"), buttons(*near), *question)))
    help_note = Note(("Looking for something else? Send ", Cmd("help"), "."))
    return Reply(card=Card("", (*question, help_note, *((buttons(*near),) if near else ()))))


# The choice -------------------------------------------------------------------------------------


def _undecided(call: Call, words_id: UUID) -> typed.UndecidedText:
    """The words of the pressed button, if this account typed them and has not chosen yet."""
    words = typed.find(call.work.tx, words_id, call.me.account_id, call.work.now)
    if words is None:
        raise Refused(GONE)
    return words


@router.press(KeepTyped)
def keep(call: Call, pressed: KeepTyped) -> Reply:
    """Add the words to what was typed for the check-in before."""
    words = _undecided(call, pressed.words_id)
    check_agreed(call)
    checkin = checkins.get(call.work.tx, words.checkin_id)
    text = call.vault.open(call.work.tx, words.id, call.me.account_id)
    if checkin is None or not text:
        raise Refused(GONE)
    answers = find_answers(call, checkin)
    before = answers.get(reflections.TYPED, "")
    after = "\n\n".join(part for part in (before, text) if part)
    if len(after) > MOST:
        raise Refused(f"That no longer fits ({MOST:,} characters are kept). Please use “Write a reflection”.")
    save_answers(call, checkin, {**answers, reflections.TYPED: after})
    typed.destroy(call.work.tx, words, call.me.account_id)
    answered(call, checkin)
    told = saved_sentence(find_saved(call.work.tx, checkin, call.me.view))
    undo = Button("Undo", UndoKeep(checkin.id, len(before), len(after)))
    kept = Note(("This chat itself keeps what you typed. The form keeps nothing in the chat.",))
    return Reply(replace=Card("", (say(told), buttons(undo), kept)))


@router.press(DiscardTyped)
def discard(call: Call, pressed: DiscardTyped) -> Reply:
    """Delete the words."""
    typed.destroy(call.work.tx, _undecided(call, pressed.words_id), call.me.account_id)
    text = "I deleted it. The message is still in this chat. You can delete it there."
    return Reply(replace=Card("", (say(text),)))


@router.press(UndoKeep)
def undo(call: Call, pressed: UndoKeep) -> Reply:
    """Take back what was kept last of what was typed."""
    checkin = open_checkin(call, pressed.checkin_id)
    answers = find_answers(call, checkin)
    before, after = pressed.before, pressed.after
    if before < 0 or after <= 0 or len(answers.get(reflections.TYPED, "")) != after:
        raise Refused("Something was saved after that. Please use “Write or change”.")
    answers[reflections.TYPED] = answers[reflections.TYPED][:before].rstrip("\n")
    save_answers(call, checkin, {name: text for name, text in answers.items() if text})
    answered(call, checkin)
    text = "Undone. I deleted it. The message is still in this chat. You can delete it there."
    return Reply(replace=Card("", (say(text),)))


@router.moment(
    moments.CHECKINS_EXPIRE,
    "typed words that nobody chose to keep are deleted",
    late="is done late; from their time on, the words can't be kept either way",
)
def expire(work: Work, _moment: Moment) -> str | None:
    """Delete the words whose time to choose is over."""
    typed.destroy_expired(work)
    return None
