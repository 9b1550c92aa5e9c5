"""The example program: two cohorts of invented people, one of them in the middle of its first year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from uuid import UUID

from bot.local.chat import Chat
from bot.local.port import PLATFORM, TENANT
from handlers import identity
from handlers.planning import plan_meeting, tell_cohort
from handlers.turns import refresh_turns
from program.attendance import Status
from program.roster import read_roster
from program.series import series_dates
from program.times import PROGRAM_ZONE, local_day, next_weekday, to_local
from storage import attendance, breaks, cohorts, conversations, meetings, people, summaries
from storage.cohorts import Cohort
from storage.meetings import Meeting
from storage.roster import import_roster
from storage.work import Work

HOME = "ozarks"
OTHER = "gateway"
LOUNGE = "lounge"
UNMATCHED = "alex.romero@example.org"  # on the roster, but here under another account
GUEST = ("alex-guest", "Alex R.")
AT = time(15, 30)


def roster_text() -> str:
    return (files("bot.local") / "example.csv").read_text(encoding="utf-8")


def seed_chat(chat: Chat) -> None:
    """The channels before the bot does anything."""
    rows, _ = read_roster(roster_text())
    here = [row.email for row in rows if row.email != UNMATCHED]
    by_cohort = {
        name: [row.email for row in rows if row.cohort == name and row.email in here] for name in ("Ozarks", "Gateway")
    }
    coordinator = [row.email for row in rows if row.role == "coordinator"]
    chat.create_channel(HOME, "ozarks-cohort", [*by_cohort["Ozarks"], *coordinator])
    chat.create_channel(OTHER, "gateway-cohort", [*by_cohort["Gateway"], GUEST[0], *coordinator])
    chat.create_channel(LOUNGE, "counselors-lounge", [*here, GUEST[0]])
    chat.enter(HOME)


def seed_program(work: Work) -> None:
    """The people, a linked home channel, meetings that were and meetings that come."""
    rows, _ = read_roster(roster_text())
    start = _program_start(work)
    import_roster(work, [replace(row, program_start=start if row.role == "mentee" else None) for row in rows])
    for row in rows:
        if row.email != UNMATCHED:
            _account(work, row.email, row.name)
    people.see(work, PLATFORM, TENANT, GUEST[0], name=GUEST[1], email="", member=False, active=True)
    ozarks = cohorts.by_name(work.tx, "Ozarks")
    if ozarks is None:
        raise ValueError("The example's roster has no Ozarks.")
    mentor = cohorts.members(work.tx, ozarks.id, "mentor")[0].id
    for external, name in ((HOME, "ozarks-cohort"), (OTHER, "gateway-cohort")):
        found = conversations.remember(
            work, platform=PLATFORM, tenant=TENANT, external=external, kind="channel", name=name, reference={}
        )
        if external == HOME:
            cohorts.set_home(work, ozarks.id, found, mentor)
    _winter_break(work)
    _past_meetings(work, ozarks, mentor)
    _meetings_to_come(work, cohorts.get(work.tx, ozarks.id), mentor)
    refresh_turns(work)


def _program_start(work: Work) -> date:
    today = local_day(work.now, PROGRAM_ZONE)
    return date(today.year if (today.month, today.day) >= (7, 1) else today.year - 1, 7, 1)


def _account(work: Work, email: str, name: str) -> None:
    seen = people.see(work, PLATFORM, TENANT, email, name=name, email=email, member=True, active=True)
    person = people.by_email(work.tx, email)
    if person is not None:
        identity.link(work, seen.id, person.id, by=None)


def _winter_break(work: Work) -> None:
    today = local_day(work.now, PROGRAM_ZONE)
    year = today.year if (today.month, today.day) <= (12, 31) else today.year + 1
    breaks.add(work, None, date(year, 12, 21), date(year + 1, 1, 2), "Winter break", None)


def _past_meetings(work: Work, cohort: Cohort, mentor: UUID) -> None:
    """Two meetings whose attendance is settled; one of them has a summary."""
    today = to_local(work.now, cohort.zone).date()
    days = [today - timedelta(days=back) for back in (35, 14)]
    _, made = meetings.create_series(
        work,
        cohort.id,
        mentor,
        topic="Getting to know your building",
        starts=[datetime.combine(day, AT) for day in days],
        zone=cohort.zone,
        minutes=60,
        place="https://meet.example.org/ozarks",
        repeat="biweekly",
        until=None,
    )
    mentees = cohorts.members(work.tx, cohort.id, "mentee")
    for number, meeting in enumerate(made):
        for place, mentee in enumerate(mentees):
            status: Status = "excused" if (number, place) == (1, 2) else "present"
            attendance.add(work, meeting.id, mentee.id, "confirmed", status, mentor)
        meetings.set_settled(work, meeting.id, True)
    did = "Compared the first weeks; drew a map of who does what in each building."
    for meeting in made:
        summaries.add(work, meeting.id, mentor, ["support", "relationships"], did, "Bring one referral form each.")


def _meetings_to_come(work: Work, cohort: Cohort, mentor: UUID) -> list[Meeting]:
    """A series every two weeks that begins within the next days."""
    today = to_local(work.now, cohort.zone).date()
    first = datetime.combine(next_weekday(today + timedelta(days=2), (today.weekday() + 3) % 7), AT)
    off = [one.days for one in breaks.of_cohort(work.tx, cohort.id)]
    dates = series_dates(first, "biweekly", (first + timedelta(days=70)).date(), off)
    _, made = meetings.create_series(
        work,
        cohort.id,
        mentor,
        topic="Responsive services in a small school",
        starts=dates.kept,
        zone=cohort.zone,
        minutes=60,
        place="https://meet.example.org/ozarks",
        repeat="biweekly",
        until=(first + timedelta(days=70)).date(),
    )
    for meeting in made:
        plan_meeting(work, meeting, cohort)
    tell_cohort(work, cohort, "meeting.announcement", made[0].id)
    return made
