"""Progress: where a mentee stands, a mentor's cohort, a coordinator's program. Nobody sees more than theirs."""

from __future__ import annotations

from handlers.cards import Block, Bold, Card, Chart, Facts, Note, Paragraph, Progress, Series, Table, When, say
from handlers.meetings import next_card
from handlers.requests import HomeOpened, Reply
from handlers.router import EVERYONE, Call, router
from program.standing import Standing, YearStanding
from program.words import counted
from storage import cohorts, meetings, standings
from storage.cohorts import Cohort
from storage.standings import Mentee

STATES = {
    "complete": "complete",
    "on track": "on track",
    "behind": "behind",
    "not set": "not measured yet",
}
URGENCY = {"behind": 0, "not set": 1, "on track": 2, "complete": 3}


@router.command(
    "progress",
    "Where you stand; your cohort; the program",
    cohort=frozenset(EVERYONE),
    cohort_optional=True,
    reads=True,
)
def progress(call: Call) -> Reply:
    """A mentee's own standing; a mentor's cohort; a coordinator's program, or this channel's cohort."""
    chosen = call.cohort_chosen
    if chosen is not None and call.leads(chosen.id):
        return Reply(card=cohort_card(call, chosen))
    if any(one.role == "mentee" for one in call.me.memberships):
        return Reply(card=own_card(call))
    if call.me.coordinator:
        return Reply(card=program_card(call))
    led = [cohorts.get(call.work.tx, one.cohort_id) for one in call.me.memberships if one.role == "mentor"]
    if not led:
        return Reply(card=Card("You are in no cohort now", (say("Your coordinator can add you to one."),)))
    cards = [cohort_card(call, one) for one in led]
    blocks: list[Block] = []
    for card in cards:
        blocks += [say(Bold(card.title)), *card.blocks]
    return Reply(card=cards[0] if len(cards) == 1 else Card("Your cohorts", tuple(blocks)))


def own_card(call: Call) -> Card:
    found = standings.of_people(call.work.tx, [call.my_id], call.work.now)
    if not found:
        return Card("Your progress", (say("You are not enrolled yet. Please ask your coordinator."),))
    mine = found[0]
    blocks: list[Block] = []
    for year in mine.standing.years:
        blocks += _year_blocks(year)
    blocks += _missing(mine.standing)
    coming = meetings.next_meeting(call.work.tx, [one.cohort_id for one in call.me.memberships], call.work.now)
    if coming is not None:
        blocks.append(say("Next meeting: ", Bold(coming.topic), ", ", When(coming.starts_at, call.me.zone), "."))
    else:
        blocks.append(say("No meeting is scheduled yet."))
    blocks.append(Note((f"Measured against: {mine.policy.label}, version {mine.policy.version}.",)))
    return Card(f"Your progress: {STATES[mine.standing.state]}", tuple(blocks))


def _year_blocks(year: YearStanding) -> list[Block]:
    if year.need is None:
        return [say(Bold(year.label), f": {counted(year.have, 'meeting')} attended; the number needed is not set yet.")]
    return [Progress(f"Meetings, {year.label}", year.have, year.need)]


def _missing(found: Standing) -> list[Block]:
    missing = [(year, year.missing) for year in found.years if year.missing and (year.current or year.past)]
    return [
        say(
            f"{year.label}: {counted(count, 'meeting is', 'meetings are')} missing"
            + (", and the year is over." if year.past else ".")
        )
        for year, count in missing
    ]


def cohort_card(call: Call, cohort: Cohort) -> Card:
    """The cohort's mentees, those who need help first."""
    found = standings.of_cohorts(call.work.tx, [cohort.id], call.work.now)
    title = f"Progress of {cohort.name}"
    if not found:
        return Card(title, (say("The cohort has no mentees yet."),))
    found.sort(key=lambda one: (URGENCY[one.standing.state], one.name.lower()))
    rows = tuple((one.name, *(_cell(year) for year in one.standing.years), STATES[one.standing.state]) for one in found)
    columns = ("Mentee", *(f"Year {year.number}" for year in found[0].standing.years), "Standing")
    width = len(columns)
    same = tuple((*row[:1], *row[1 : width - 1], row[-1]) for row in rows if len(row) == width)
    unset = any(one.standing.state == "not set" for one in found)
    note = (Note(("How many meetings are needed is not set yet.",)),) if unset else ()
    return Card(title, (_counts(found), Table(columns, same, caption="Meetings attended"), *note))


def _cell(year: YearStanding) -> str:
    return f"{year.have} of {year.need}" if year.need is not None else f"{year.have}"


def _counts(found: list[Mentee]) -> Paragraph:
    tally = {state: sum(one.standing.state == state for one in found) for state in STATES}
    parts = [f"{number} {STATES[state]}" for state, number in tally.items() if number]
    return say(f"{counted(len(found), 'mentee')}: {', '.join(parts)}.")


def program_card(call: Call) -> Card:
    """The program by cohort."""
    every = cohorts.all_cohorts(call.work.tx)
    if not every:
        return Card("The program has no cohorts yet", (say("Import the roster: plc-bot roster import FILE"),))
    found = standings.of_cohorts(call.work.tx, None, call.work.now)
    rows = []
    behind: list[float] = []
    for cohort in every:
        mine = [one for one in found if one.cohort_id == cohort.id]
        late = sum(one.standing.state == "behind" for one in mine)
        done = sum(one.standing.state == "complete" for one in mine)
        behind.append(late)
        rows.append((cohort.name, str(len(mine)), str(late), str(done)))
    blocks: list[Block] = [
        Facts((("Cohorts", (str(len(every)),)), ("Mentees", (str(len({one.id for one in found})),)))),
        Table(("Cohort", "Mentees", "Behind", "Complete"), tuple(rows[:100]), caption="By cohort"),
    ]
    if any(behind) and len(every) <= 20:
        names = tuple(cohort.name for cohort in every)
        blocks.append(Chart("bar", "Mentees behind", names, (Series("Behind", tuple(behind)),)))
    blocks.append(Note(("Send “progress” in a cohort's channel to see that cohort.",)))
    return Card("Progress of the program", tuple(blocks))


@router.on(HomeOpened)
def home(call: Call) -> Reply:
    """The bot's home: standing and the next meeting."""
    standing = progress(call).card or Card("")
    coming = next_card(call, [one.cohort_id for one in call.me.memberships])
    return Reply(card=Card(standing.title, (*standing.blocks, say(Bold(coming.title)), *coming.blocks)))
