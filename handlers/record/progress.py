"""Progress: where a mentee stands, a mentor's cohort, a coordinator's program. Nobody sees more than theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from handlers.core.calls import EVERYONE, LEADS, Call, Refused
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Buttons,
    Card,
    Chart,
    Cmd,
    Facts,
    Note,
    Paragraph,
    Progress,
    Series,
    Table,
    When,
    buttons,
    say,
    with_commands,
)
from handlers.core.command_actions import RunCommand
from handlers.core.contacts import ask_coordinator
from handlers.core.paging import more
from handlers.core.requests import HomeOpened, Reply
from handlers.core.router import router
from handlers.meetings.upcoming import cohorts_followed, next_card
from handlers.program_desk.program_desk_actions import OpenFinding, ShowWhoNeedsHelp
from handlers.record.record_actions import GetCertificate
from program.core.words import counted, listed, shortened
from program.record import explain
from program.record.explain import STATES, URGENCY, RuleSummary
from program.record.standing import Standing, YearStanding
from program.record.wording import reason_words
from storage.meetings import meetings
from storage.people import cohorts
from storage.people.cohorts import Cohort
from storage.record import certificates, standings
from storage.record.certificates import Certificate
from storage.record.standings import Mentee

NEED_HELP = ("behind", "at risk")
MOST_COHORTS = 100  # in one table
MOST_NAMED = 10  # mentees of a cohort whose reasons are told


@router.command(
    "progress",
    "See progress",
    by_role={
        "mentee": "See your progress",
        "mentor": "See your cohort's progress",
        "coordinator": "See the program's progress",
    },
    cohort=frozenset(EVERYONE),
    cohort_optional=True,
    takes="COHORT",
    takes_by=LEADS,
    reads=True,
    help={"mentee": 2, "mentor": 5, "coordinator": 3},
    teams={"personal": 2, "team": 2},
)
def progress(call: Call) -> Reply:
    """A mentee's own standing; a mentor's cohort; a coordinator's program, or this channel's cohort."""
    if call.words:
        return Reply(card=cohort_card(call, _named_cohort(call)))
    in_its_channel = call.place is not None and call.place.cohort_id == call.cohort_id
    if call.cohort_id is not None and call.leads(call.cohort_id) and (in_its_channel or not call.me.coordinator):
        return Reply(card=cohort_card(call, call.cohort))
    if any(membership.role == "mentee" for membership in call.me.memberships):
        return Reply(card=own_card(call))
    mentor_of = [membership.cohort_id for membership in call.me.memberships if membership.role == "mentor"]
    if call.me.coordinator:
        card = program_card(call)
        return Reply(card=replace(card, blocks=(*card.blocks, *_own_cohorts(call, mentor_of))))
    led = [cohorts.get(call.work.tx, cohort_id) for cohort_id in mentor_of]
    if not led:
        return Reply(card=Card("You're not in a cohort now", (say(ask_coordinator(call.work.tx, "add you to one")),)))
    cards = [cohort_card(call, cohort) for cohort in led]
    blocks: list[Block] = []
    for card in cards:
        blocks += [say(Bold(card.title)), *card.blocks]
    return Reply(card=cards[0] if len(cards) == 1 else Card("Your cohorts", tuple(blocks)))


def _own_cohorts(call: Call, cohort_ids: Sequence[UUID]) -> list[Block]:
    """A button to each cohort that a coordinator mentors."""
    names = [cohorts.get(call.work.tx, cohort_id).name for cohort_id in cohort_ids]
    items = [Button(shortened(name, 70), RunCommand(f"progress {name}")) for name in names]
    return [say("You mentor:"), buttons(*items)] if items else []


def _named_cohort(call: Call) -> Cohort:
    """The cohort whose name follows the command.

    Raises:
        Refused: there is none, or the asker does not lead it; the two look alike.
    """
    cohort = cohorts.by_name(call.work.tx, call.words)
    if cohort is not None and call.leads(cohort.id):
        return cohort
    if call.me.coordinator:
        raise Refused("I can't find a cohort with that name. Send ", Cmd("progress"), " to see all cohorts.")
    raise Refused("I can't find a cohort of yours with that name. Send ", Cmd("progress"), " alone to see yours.")


def own_card(call: Call, *, next_meeting: bool = True) -> Card:
    """The program years at a glance, then what is missing and what to do about it."""
    mentees = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    if not mentees:
        return Card(
            "Your progress",
            (say(f"You're not enrolled in the program yet. {ask_coordinator(call.work.tx, 'enroll you')}"),),
        )
    mine = mentees[0]
    issued = certificates.of_person(call.work.tx, call.my_id)
    blocks = standing_blocks(mine, issued, own=True)
    if issued and issued[0].in_force:
        blocks.append(buttons(Button("Get your certificate", GetCertificate(), style="primary")))
    if next_meeting:
        blocks.append(_next_meeting(call))
    blocks += [Note((text,)) for text in explain.unset(mine.standing)]
    blocks.append(Note((f"Requirements: {mine.policy.title}.",)))
    return Card(f"Your progress: {STATES[mine.standing.state]}", tuple(blocks))


def _next_meeting(call: Call) -> Paragraph:
    coming = meetings.next_meeting(
        call.work.tx, [membership.cohort_id for membership in call.me.memberships], call.work.now
    )
    if coming is None:
        return say("No meetings scheduled yet.")
    return say("Next meeting: ", Bold(coming.topic), ", ", When(coming.starts_at, call.me.zone), ".")


def standing_blocks(mine: Mentee, issued: Sequence[Certificate], *, own: bool = False) -> list[Block]:
    """Each rule at a glance, then what is missing and what to do about it, or how it ended.

    ``issued``: their certificates, the newest first; ``own``: the mentee reads it.
    """
    headline, details = explain.summary(mine.standing, "" if own else mine.name)
    blocks: list[Block] = [block for line in explain.all_lines(mine.standing) for block in _line(line)]
    blocks.append(_approved(mine, issued) or Paragraph(with_commands(headline)))
    return blocks + _bullets(details)


def _approved(mine: Mentee, issued: Sequence[Certificate]) -> Paragraph | None:
    """What became of completion, once a coordinator has decided about it."""
    if not issued:
        return None
    newest, zone = issued[0], mine.policy.program.zone
    if newest.revoked_at is not None:
        day = When(newest.revoked_at, zone, "date")
        return say("The certificate was revoked ", day, f". {reason_words(newest.reason)}.")
    day = When(newest.issued_at, zone, "date")
    return say("Completion is approved. The certificate was issued ", day, ". Code ", Bold(newest.code), ".")


def _line(line: RuleSummary) -> list[Block]:
    """A rule at a glance. A limit is told only when it matters; an unset number is among what is missing."""
    single = line.single
    if line.need is None or (single is not None and single.limit):
        return []
    if line.need == 0:
        return [say(Bold(f"{line.name}, {line.label}"), ": waived.")]
    return [Progress(f"{line.name}, {line.label}", line.have, line.need)]


def _bullets(lines: list[str]) -> list[Block]:
    return [Bullets(tuple(with_commands(line) for line in lines))] if lines else []


def cohort_card(call: Call, cohort: Cohort) -> Card:
    """The cohort's mentees, those who need help first, with the reasons."""
    mentees = standings.of_cohorts(call.work.tx, [cohort.id], call.work.now)
    title = f"Progress of {cohort.name}"
    if not mentees:
        return Card(title, (say("The cohort has no mentees yet."),))
    mentees.sort(key=lambda mentee: (URGENCY[mentee.standing.state], mentee.name.lower()))
    years = max(len(mentee.standing.years) for mentee in mentees)
    columns = ("Mentee", *(f"Year {number}" for number in range(1, years + 1)), "Standing")
    rows = tuple((mentee.name, *_cells(mentee.standing, years), STATES[mentee.standing.state]) for mentee in mentees)
    blocks: list[Block] = [_counts(mentees), Table(columns, rows, caption="")]
    blocks += _bullets(explain.too_few_of_all(mentee.standing for mentee in mentees))
    helped = [mentee for mentee in mentees if mentee.standing.state in NEED_HELP]
    if helped:
        blocks.append(say(Bold("Who needs help first")))
        blocks.append(Bullets(tuple(_reasons(mentee) for mentee in helped[:MOST_NAMED])))
        blocks += more(len(helped), MOST_NAMED)
    blocks += [
        Note((text,)) for text in dict.fromkeys(text for each in mentees for text in explain.unset(each.standing))
    ]
    if call.me.coordinator and any(mentee.standing.unset for mentee in mentees):
        blocks.append(fill_in_button())
    return Card(title, tuple(blocks))


def fill_in_button() -> Buttons:
    """The coordinator's way to what a policy leaves unset."""
    return buttons(Button("Choose or fill in a policy", RunCommand("policy"), style="primary"))


def _reasons(mentee: Mentee) -> tuple[Bold, str]:
    return Bold(mentee.name), ": " + " ".join(explain.trouble(mentee.standing, mentee.name))


def _cells(standing: Standing, years: int) -> list[str]:
    cells = [_cell(year) for year in standing.years]
    return [*cells, *[""] * (years - len(cells))]


def _cell(year: YearStanding) -> str:
    """A year's first rule in numbers: a policy names the most important first."""
    lines = [line for line in explain.of_year(year) if not (line.single and line.single.limit)]
    if not lines:
        return "nothing required"
    first = lines[0]
    return f"{first.have} of {first.need}" if first.need is not None else str(first.have)


def _counts(mentees: list[Mentee]) -> Paragraph:
    tally = {state: sum(mentee.standing.state == state for mentee in mentees) for state in URGENCY}
    parts = [f"{number} {STATES[state]}" for state, number in tally.items() if number]
    return say(f"{counted(len(mentees), 'mentee')}: {', '.join(parts)}.")


def grouped(mentees: list[Mentee]) -> dict[UUID, list[Mentee]]:
    """Mentees by cohort; somebody in two cohorts is in both."""
    by_cohort: dict[UUID, list[Mentee]] = {}
    for mentee in mentees:
        for cohort_id in mentee.cohort_ids:
            by_cohort.setdefault(cohort_id, []).append(mentee)
    return by_cohort


def cohorts_of(mentee: Mentee, names: Mapping[UUID, str]) -> str:
    """The names of a mentee's cohorts. ``names``: of all cohorts, by their ids."""
    return listed([names[cohort_id] for cohort_id in mentee.cohort_ids])


def program_card(call: Call) -> Card:
    """The program by cohort."""
    every = cohorts.all_cohorts(call.work.tx)
    if not every:
        return Card(
            "There are no cohorts yet", (say("Ask the operator to import the roster: plc-bot roster import FILE"),)
        )
    mentees = standings.of_cohorts(call.work.tx, None, call.work.now)
    by_cohort = grouped(mentees)
    rows = []
    help_needed: list[float] = []
    for cohort in every:
        states = [mentee.standing.state for mentee in by_cohort.get(cohort.id, [])]
        late = sum(state in NEED_HELP for state in states)
        help_needed.append(late)
        rows.append((cohort.name, str(len(states)), str(late), str(states.count("complete"))))
    blocks: list[Block] = [
        *_unset(mentees),
        Facts((("Cohorts", (str(len(every)),)), ("Mentees", (str(len(mentees)),)))),
        *_flags(mentees, {cohort.id: cohort.name for cohort in every}),
        Table(("Cohort", "Mentees", "Need help", "Complete"), tuple(rows[:MOST_COHORTS]), caption="By cohort"),
        *more(len(rows), MOST_COHORTS, ", which “Find mentees” shows"),
    ]
    if any(help_needed) and len(every) <= 20:
        names = tuple(cohort.name for cohort in every)
        blocks.append(Chart("bar", "Mentees who need help", names, (Series("Behind or at risk", tuple(help_needed)),)))
    urgent = Button("Who needs help", ShowWhoNeedsHelp(), style="primary")
    find = Button("Find mentees", OpenFinding(), opens_form=True)
    blocks.append(buttons(*([urgent] if any(help_needed) else []), find))
    blocks.append(Note(("Send ", Cmd("progress"), " in a cohort's channel to see only that cohort.")))
    return Card("Progress of the program", tuple(blocks))


def _unset(mentees: list[Mentee]) -> list[Block]:
    """What keeps mentees from completing the program, and the way to set it."""
    unset = [mentee for mentee in mentees if mentee.standing.unset]
    if not unset:
        return []
    policies = listed(sorted({mentee.policy.title for mentee in unset}))
    return [say(Bold(cannot_complete(mentees)), f": values are not set in {policies}."), fill_in_button()]


def cannot_complete(mentees: list[Mentee]) -> str:
    """How many of the program's mentees wait for values that are not set; empty: none."""
    unset = sum(bool(mentee.standing.unset) for mentee in mentees)
    if not unset:
        return ""
    if unset == len(mentees):
        return "No mentee can complete the program yet"
    return f"{counted(unset, 'mentee')} can't complete the program yet"


def _flags(mentees: list[Mentee], names: dict[UUID, str]) -> list[Block]:
    """Cohorts that hold too few meetings for anybody to meet a rule this year."""
    short = sorted({names[cohort_id] for each in mentees if each.standing.too_few for cohort_id in each.cohort_ids})
    if not short:
        return []
    many = counted(len(short), "cohort has", "cohorts have")
    return [say(Bold(f"{many} too few meetings this year"), f": {listed(short)}. This doesn't put any mentee behind.")]


@router.on(HomeOpened)
def home(call: Call) -> Reply:
    """The bot's home: standing and the next meeting."""
    mentee = any(membership.role == "mentee" for membership in call.me.memberships)
    standing = own_card(call, next_meeting=False) if mentee else progress(call).card or Card("")
    if not call.me.memberships and not call.me.coordinator:
        return Reply(card=standing)  # it says that they are in no cohort, so there is no next meeting either
    coming = next_card(call, cohorts_followed(call))
    return Reply(card=Card(standing.title, (*standing.blocks, say(Bold(coming.title)), *coming.blocks)))
