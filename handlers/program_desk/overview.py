"""A coordinator's way through the program: mentees by state, cohort and region, page by page, down to one person."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, coordinators_only
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Note, Text, buttons, say
from handlers.core.forms import MOST_OPTIONS, ChoiceField, Fields, Form, Option
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.program_desk.program_desk_actions import OpenFinding, ShowWhoNeedsHelp
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
HELP = "help"
STATE_CODES = {str(state).replace(" ", "_"): words for state, words in STATES.items()}
LABELS = {HELP: "Behind or at risk", **{code: words.capitalize() for code, words in STATE_CODES.items()}}


@action("overview.found")
class FindMentees(Action):
    """Show the mentees that the form asks for."""


@action("overview.page")
class TurnPage(Action):
    """Show another page of the mentees; see :class:`Filter`. ``number``: from 0."""

    state: str
    cohort_id: UUID | None
    region: str
    number: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown, as codes and an id; empty or None: all."""

    state: str = ""
    cohort: UUID | None = None
    region: str = ""  # a code: a region's name was typed by somebody

    def page(self, number: int) -> TurnPage:
        """The press that shows a page of it."""
        return TurnPage(self.state, self.cohort, self.region, number)


def _region_code(region: str) -> str:
    return sha256(region.encode()).hexdigest()[:12]


@router.press(OpenFinding)
def open_finding(call: Call, _pressed: OpenFinding) -> Reply:
    """Open the form that finds mentees."""
    coordinators_only(call)
    state, cohort, region = _fields(call).shown
    fields = (state, cohort, region) if _regions(call) else (state, cohort)
    return Reply(form=Form("Find mentees", FindMentees(), opener=OpenFinding(), submit="Show", fields=fields))


def _regions(call: Call) -> list[str]:
    return sorted({cohort.region for cohort in cohorts.all_cohorts(call.work.tx) if cohort.region})


def _fields(call: Call) -> Fields[Filter]:
    every, regions = cohorts.all_cohorts(call.work.tx), _regions(call)
    return Fields(
        Filter,
        _field("state", "Standing", [Option(*item) for item in LABELS.items()]),
        _field("cohort", "Cohort", [Option(str(cohort.id), cohort.name) for cohort in every], checked=False),
        _field("region", "Region", [Option(_region_code(region), region) for region in regions], checked=False),
    )


def _field(name: str, label: str, options: list[Option], *, checked: bool = True) -> ChoiceField:
    """``checked``: a cohort or region that is gone is shown as such, see :func:`_said`."""
    hint = "Leave empty for all."
    hint += f" This list shows the first {MOST_OPTIONS}." if len(options) > MOST_OPTIONS else ""
    return ChoiceField(name, label, tuple(options[:MOST_OPTIONS]), optional=True, hint=hint, checked=checked)


@router.submit(FindMentees)
def find(call: Call, _sent: FindMentees) -> Reply:
    """Show the mentees that the form asks for."""
    coordinators_only(call)
    return Reply(card=_page(call, _fields(call).read(call.values), 0))


@router.press(ShowWhoNeedsHelp)
def who_needs_help(call: Call, _pressed: ShowWhoNeedsHelp) -> Reply:
    """Show the mentees who are behind or at risk."""
    coordinators_only(call)
    return Reply(card=_page(call, Filter(HELP), 0))


@router.press(TurnPage)
def turn_page(call: Call, pressed: TurnPage) -> Reply:
    """Another page, in place of the one that the asker alone sees."""
    coordinators_only(call)
    wanted = Filter(pressed.state, pressed.cohort_id, pressed.region)
    return Reply(replace=_page(call, wanted, pressed.number))


def _page(call: Call, wanted: Filter, number: int) -> Card:
    every = cohorts.all_cohorts(call.work.tx)
    chosen = [cohort for cohort in every if _holds(wanted, cohort)]
    everywhere = not (wanted.cohort or wanted.region)
    ids = None if everywhere else [cohort.id for cohort in chosen]
    mentees = [mentee for mentee in standings.of_cohorts(call.work.tx, ids, call.work.now) if _in_state(wanted, mentee)]
    mentees.sort(key=lambda mentee: URGENCY[mentee.standing.state])
    pages = max(1, -(-len(mentees) // ON_A_PAGE))
    number = max(0, min(number, pages - 1))
    shown = mentees[number * ON_A_PAGE : (number + 1) * ON_A_PAGE]
    names = {cohort.id: cohort.name for cohort in every}
    blocks: list[Block] = [say(_said(wanted, chosen), Bold(counted(len(mentees), "mentee")), ".")]
    if shown:
        blocks.append(Bullets(tuple(_told(mentee, names) for mentee in shown)))
        blocks.append(buttons(*(Button(mentee.name, OpenPerson(mentee.id)) for mentee in shown)))
    blocks += _turning(wanted, number, pages)
    return Card("Mentees", tuple(blocks))


def _holds(wanted: Filter, cohort: Cohort) -> bool:
    return wanted.cohort in (None, cohort.id) and wanted.region in ("", _region_code(cohort.region))


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
