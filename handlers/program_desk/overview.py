"""A coordinator's way through the program: mentees by state, cohort and region, page by page, down to one person."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from handlers.core.actions import Action, untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Note, Text, buttons, say
from handlers.core.forms import ChoiceField, Form, Option
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.record.progress import NEED_HELP, cohorts_of
from handlers.record.record_actions import OpenPerson
from program.core.words import counted
from program.record import explain
from program.record.explain import STATES, URGENCY
from storage.people import cohorts
from storage.people.cohorts import Cohort
from storage.record import standings
from storage.record.standings import Mentee

ON_A_PAGE = 8
MOST_OPTIONS = 100  # what a choice can hold on Slack
HELP = "help"
STATE_CODES = {str(state).replace(" ", "_"): words for state, words in STATES.items()}
LABELS = {HELP: "Behind or at risk", **{code: words.capitalize() for code, words in STATE_CODES.items()}}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown, as a button carries it: codes and ids; empty: all."""

    state: str = ""
    cohort: str = ""
    region: str = ""  # a code: a region's name was typed by somebody

    def page(self, number: int) -> Action:
        return untyped("overview.page", self.state, self.cohort, self.region, number)


def _region_code(region: str) -> str:
    return sha256(region.encode()).hexdigest()[:12]


def _coordinators_only(call: Call) -> None:
    if not call.me.coordinator:
        raise Refused("Only coordinators can do that.")


@router.press("overview.find")
def find_form(call: Call) -> Reply:
    _coordinators_only(call)
    every = cohorts.all_cohorts(call.work.tx)
    regions = sorted({cohort.region for cohort in every if cohort.region})
    return Reply(
        form=Form(
            "Find mentees",
            untyped("overview.found"),
            opener=untyped("overview.find"),
            submit="Show",
            fields=(
                _field("state", "Standing", [Option(*item) for item in LABELS.items()]),
                _field("cohort", "Cohort", [Option(str(cohort.id), cohort.name) for cohort in every]),
                *(
                    [_field("region", "Region", [Option(_region_code(region), region) for region in regions])]
                    if regions
                    else []
                ),
            ),
        )
    )


def _field(name: str, label: str, options: list[Option]) -> ChoiceField:
    hint = (
        "Leave empty for all."
        if len(options) <= MOST_OPTIONS
        else f"Leave empty for all. This list shows the first {MOST_OPTIONS}."
    )
    return ChoiceField(name, label, tuple(options[:MOST_OPTIONS]), optional=True, hint=hint)


@router.submit("overview.found")
def find(call: Call) -> Reply:
    _coordinators_only(call)
    read = FieldReader(call.values)
    state = read.choice("state", tuple(LABELS))
    cohort_id = read.uuid("cohort")
    region = read.text("region", most=20)
    read.check()
    return Reply(card=_page(call, Filter(state, str(cohort_id or ""), region), 0))


@router.press("overview.help")
def who_needs_help(call: Call) -> Reply:
    _coordinators_only(call)
    return Reply(card=_page(call, Filter(HELP), 0))


@router.press("overview.page")
def page(call: Call) -> Reply:
    """Another page, in place of the one that the asker alone sees."""
    _coordinators_only(call)
    if len(call.args) != 4 or not call.args[3].isdecimal():
        raise Refused("I can't find that cohort or region.")
    return Reply(replace=_page(call, Filter(*call.args[:3]), int(call.args[3])))


def _page(call: Call, wanted: Filter, number: int) -> Card:
    every = cohorts.all_cohorts(call.work.tx)
    chosen = [cohort for cohort in every if _holds(wanted, cohort)]
    everywhere = not (wanted.cohort or wanted.region)
    mentees = standings.of_cohorts(
        call.work.tx, None if everywhere else [cohort.id for cohort in chosen], call.work.now
    )
    mentees = sorted(
        (mentee for mentee in mentees if _in_state(wanted, mentee)), key=lambda mentee: URGENCY[mentee.standing.state]
    )
    pages = max(1, -(-len(mentees) // ON_A_PAGE))
    number = min(number, pages - 1)
    shown = mentees[number * ON_A_PAGE : (number + 1) * ON_A_PAGE]
    names = {cohort.id: cohort.name for cohort in every}
    blocks: list[Block] = [say(_said(wanted, chosen), Bold(counted(len(mentees), "mentee")), ".")]
    if shown:
        blocks.append(Bullets(tuple(_told(mentee, names) for mentee in shown)))
        blocks.append(buttons(*(Button(mentee.name, OpenPerson(mentee.id)) for mentee in shown)))
    blocks += _turning(wanted, number, pages)
    return Card("Mentees", tuple(blocks))


def _holds(wanted: Filter, cohort: Cohort) -> bool:
    return wanted.cohort in ("", str(cohort.id)) and wanted.region in ("", _region_code(cohort.region))


def _in_state(wanted: Filter, mentee: Mentee) -> bool:
    if wanted.state == HELP:
        return mentee.standing.state in NEED_HELP
    return wanted.state in ("", mentee.standing.state.replace(" ", "_"))


def _said(wanted: Filter, chosen: list[Cohort]) -> str:
    """The filter in words, e.g. "Behind; Ozarks: "."""
    parts = [LABELS[wanted.state]] if wanted.state in LABELS else []
    if wanted.cohort:
        parts += [cohort.name for cohort in chosen] or ["a cohort that no longer exists"]
    if wanted.region:
        parts.append(chosen[0].region if chosen else "a region that no longer exists")
    return "; ".join(parts) + ": " if parts else ""


def _told(mentee: Mentee, names: dict[UUID, str]) -> Text:
    current = [year for year in mentee.standing.years if year.current] or list(mentee.standing.years[-1:])
    numbers = "".join(f"; {explain.in_numbers(year)}" for year in current)
    return (Bold(mentee.name), f", {cohorts_of(mentee, names)}: {STATES[mentee.standing.state]}{numbers}")


def _turning(wanted: Filter, number: int, pages: int) -> list[Block]:
    if pages == 1:
        return []
    turns = [Button("Earlier", wanted.page(number - 1))] if number else []
    turns += [Button("More", wanted.page(number + 1))] if number + 1 < pages else []
    return [buttons(*turns), Note((f"Page {number + 1} of {pages}",))]
