"""Taking back a credit, a waiver, a leave or the end of a leave: another line says so, and both stay."""

from __future__ import annotations

from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Card, say
from handlers.core.forms import Form, FormErrors, Option
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.changed_notice import tell
from handlers.record.completion import look_again
from handlers.record.dispute_access import NOT_THERE, disputed_words, readable
from handlers.record.enrolled import mentee_of
from handlers.record.entry_choice import entry_fields
from handlers.record.record_actions import ChooseUndo, UndoEntry
from handlers.record.settling import kinds_of, settle_corrected
from program.core.times import local_day, say_day
from program.core.words import shortened
from program.record.disputable import entry_in_words
from program.record.wording import RecordLine
from storage.people.people import Person
from storage.record import enrolments, ledger
from storage.record.ledger import Line

UNDOABLE = frozenset({("credit", "granted"), ("waiver", "granted"), ("leave", "granted"), ("leave", "ended")})
MOST_ENTRIES = 50


@action("records.undo.chosen")
class UndoChosen(Action):
    """Take back the entry that the form names."""

    person_id: UUID


def undoable(call: Call, person: Person) -> list[RecordLine]:
    """The changes of somebody's record that stand and can be taken back, in the order of recording."""
    lines = ledger.of_person(call.work.tx, person.id)
    undone = {line.target_id for line in lines if line.step == "withdrawn"}
    return [line for line in lines if (line.kind, line.step) in UNDOABLE and line.id not in undone]


@router.press(ChooseUndo)
def choose_form(call: Call, pressed: ChooseUndo) -> Reply:
    """Which entry to take back, the newest first; from a dispute, the disputed one is chosen."""
    person, _ = mentee_of(call, pressed.person_id)
    entries = undoable(call, person)[::-1]
    if not entries:
        raise Refused(f"{person.name} has no credits, waivers or leaves to undo.")
    chosen, words = _disputed(call, person, pressed.dispute_id)
    options = [Option(str(line.id), _label(call, line)) for line in entries[:MOST_ENTRIES]]
    blocks = (say(Bold(person.name), ". The record keeps both entries. I'll tell the mentee."), *words)
    return Reply(
        form=Form(
            "Undo",
            UndoChosen(person.id),
            opener=pressed,
            submit="Undo",
            blocks=blocks,
            fields=entry_fields(options, len(entries), chosen).shown,
            confidential=bool(words),
        )
    )


def _disputed(call: Call, person: Person, dispute_id: UUID | None) -> tuple[str, tuple[Block, ...]]:
    """The id of the disputed line and what the mentee wrote, where the form is opened from a dispute."""
    if dispute_id is None:
        return "", ()
    dispute = readable(call, dispute_id)
    if dispute.person_id != person.id:
        raise Refused(NOT_THERE)
    return str(dispute.about_id), disputed_words(call, dispute)


def _label(call: Call, line: RecordLine) -> str:
    day = say_day(local_day(line.recorded_at, call.me.zone))
    return shortened(f"{entry_in_words(line, enrolments.policy_of(call.work.tx, line.person_id))} ({day})", 75)


@router.submit(UndoChosen)
def chosen(call: Call, sent: UndoChosen) -> Reply:
    """Take the chosen entry back."""
    person, _ = mentee_of(call, sent.person_id)
    line_id = entry_fields().read(call.values).line
    line = next((line for line in undoable(call, person) if line.id == line_id), None)
    if line is None:
        raise FormErrors({"line": "That is undone already, or not in this record."})
    return Reply(card=_take_back(call, person, line))


@router.press(UndoEntry)
def undo(call: Call, pressed: UndoEntry) -> Reply:
    """Take back what was just recorded, from the button under the answer."""
    person, _ = mentee_of(call, pressed.person_id)
    line = ledger.get(call.work.tx, pressed.line_id)
    if line is None or line.person_id != person.id or (line.kind, line.step) not in UNDOABLE:
        raise Refused("I can't find that entry.")
    if line.id not in {entry.id for entry in undoable(call, person)}:
        raise Refused("That is undone already.")
    return Reply(replace=_take_back(call, person, line))


def _take_back(call: Call, person: Person, line: RecordLine) -> Card:
    back = Line(line.kind, "withdrawn", line.happened_at, call.my_id, "coordinator", target_id=line.id, code=line.code)
    back_id = ledger.add(call.work, person.id, back)
    if line.kind not in kinds_of(call.work, settle_corrected(call, person.id)):  # the outcome tells it already
        tell(call.work, back_id, person.id)
    look_again(call.work, [person.id])
    refresh_schedule(call.work, [person.id])
    return Card("", (say(f"Undone for {person.name}. The record shows both."),))
