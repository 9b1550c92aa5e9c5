"""Exports: a mentee's own record, a mentor's cohort, a coordinator's program, as spreadsheet files."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Card, Note, say
from handlers.core.forms import MOST_OPTIONS, ChoiceField, Fields, Form, Option
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.program_desk.downloads import files, may_have
from storage.people import cohorts, people
from storage.record import enrolments


@action("exports.open")
class OpenExport(Action):
    """Ask what to export, or create the files where there is only one answer."""


@action("exports.chosen")
class CreateFiles(Action):
    """Create links to the files of what was chosen."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export, as ``what:subject``."""

    what: str


@router.command(
    "export",
    "Get records as a spreadsheet",
    by_role={
        "mentee": "Get your record as a spreadsheet",
        "mentor": "Get your cohort's records as a spreadsheet",
        "coordinator": "Get a cohort's or the program's records as a spreadsheet",
    },
    help={"mentee": 17, "mentor": 13, "coordinator": 14},
)
def export(call: Call) -> Reply:
    """One thing to have: its links at once. Several: which one is asked."""
    options = _choices(call)
    if not options:
        raise Refused("You're not in a cohort, so there is nothing to export.")
    return Reply(card=_files_card(call, options[0])) if len(options) == 1 else Reply(form=_form(options))


def _choices(call: Call) -> list[Option]:
    """What this person may have, as ``what:subject``; in a cohort's channel, that cohort."""
    every = cohorts.all_cohorts(call.work.tx)
    here = call.place.cohort_id if call.place is not None else None
    if here is not None and call.leads(here):
        return [Option(f"cohort:{cohort.id}", cohort.name) for cohort in every if cohort.id == here]
    options = [Option("program:", "The whole program")] if call.me.coordinator else []
    if enrolments.is_enrolled(call.work.tx, call.my_id):
        options.append(Option(f"own:{call.my_id}", "My own record"))
    options += [Option(f"cohort:{cohort.id}", cohort.name) for cohort in every if call.leads(cohort.id)]
    return options[:MOST_OPTIONS]


def _fields(options: list[Option]) -> Fields[Wanted]:
    cut = len(options) == MOST_OPTIONS
    hint = "There are more cohorts. For another one, send this command in its channel." if cut else ""
    first = options[0].value if options else ""
    return Fields(Wanted, ChoiceField("what", "What to export", tuple(options), first, hint=hint, needed="Choose one."))


def _form(options: list[Option]) -> Form:
    fields = _fields(options).shown
    return Form("Export", CreateFiles(), opener=OpenExport(), submit="Create files", fields=fields)


@router.press(OpenExport)
def open_export(call: Call, _pressed: OpenExport) -> Reply:
    """Ask what to export, or create the files where there is only one answer."""
    return export(call)


@router.submit(CreateFiles)
def create_files(call: Call, _sent: CreateFiles) -> Reply:
    """Links to the files of what was chosen."""
    options = _choices(call)
    chosen = _fields(options).read(call.values).what
    return Reply(card=_files_card(call, next(option for option in options if option.value == chosen)))


def _files_card(call: Call, option: Option) -> Card:
    what, subject = option.value.split(":")
    if not may_have(call.work.tx, call.my_id, what, subject):
        raise Refused("You can't export that.")
    wanted: list[tuple[str, str, object, str]] = [("Excel workbook", what, subject, "xlsx")]
    if what != "own":
        wanted.append(("Standings (CSV)", what, subject, "standings.csv"))
    wanted.append(("Record (CSV)", what, subject, "record.csv"))
    keep = Note(("These files contain people's names. Store them like other personnel records.",))
    return Card(
        f"Export: {option.label}",
        (
            say("Attendance and everything else in the record. Reflections and pulses are never included."),
            *files(call, wanted, _command(call, what, option)),
            *([keep] if what != "own" else []),
        ),
    )


def _command(call: Call, what: str, option: Option) -> str:
    match what:
        case "own":
            return f"plc-bot export --mentee {people.get(call.work.tx, call.my_id).email} --output FILE.xlsx"
        case "cohort":
            return f"plc-bot export --cohort “{option.label}” --output FILE.xlsx"
        case _:
            return "plc-bot export --output FILE.xlsx"
