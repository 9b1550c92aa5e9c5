"""The example program: invented people in three cohorts.

Ozarks is in the middle of its first year, Gateway is about to begin, and in Bootheel two years lack nothing but a
mentor's tap before the certificate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from uuid import UUID

from bot.local.chat import Chat
from bot.local.local_port import PLATFORM, TENANT
from handlers.checkins.schedule import refresh_schedule
from handlers.meetings.planning import plan_meeting, tell_cohort
from handlers.people import identity
from program.core.times import DEFAULT_ZONE, local_day, next_weekday, to_local, to_utc
from program.meetings.attendance import Status
from program.meetings.series import series_dates
from program.people.roster import read_roster
from program.record.attendance_import import ImportedMeeting
from storage.core import program
from storage.core.work import Work
from storage.meetings import attendance, breaks, meetings, summaries
from storage.meetings.meetings import Meeting
from storage.outbox import conversations, deliveries, kinds
from storage.people import account_links, cohorts, people
from storage.people.cohorts import Cohort
from storage.people.roster import import_roster
from storage.record import attendance_import, ledger
from storage.record.ledger import Line

HOME = "ozarks"
OTHER = "gateway"
LAST = "bootheel"
LOUNGE = "lounge"
UNMATCHED = "alex.romero@example.org"  # on the roster, but here under another account
GUEST = ("alex-guest", "Alex R.")
FINISHING = "nina.alvarez@example.org"  # her two years are over, and one contact waits to be verified
AT = time(15, 30)
MEETING_MONTHS = (9, 10, 11, 12, 13, 14, 15, 16)  # September to April, counted from the January before
PAPER = "From the first day to the last"  # the topic of the meetings that were before the bot
CONTACT_MONTHS = (10, 15)


def roster_text() -> str:
    """Return the example's roster, a CSV text."""
    return (files("bot.local") / "example.csv").read_text(encoding="utf-8")


def seed_chat(chat: Chat) -> None:
    """The channels before the bot does anything."""
    rows, _ = read_roster(roster_text(), DEFAULT_ZONE)
    here = [row.email for row in rows if row.email != UNMATCHED]
    cohorts_here = {row.cohort for row in rows}
    by_cohort = {name: [row.email for row in rows if row.cohort == name and row.email in here] for name in cohorts_here}
    coordinator = [row.email for row in rows if row.role == "coordinator"]
    chat.create_channel(HOME, "ozarks-cohort", [*by_cohort["Ozarks"], *coordinator])
    chat.create_channel(OTHER, "gateway-cohort", [*by_cohort["Gateway"], GUEST[0], *coordinator])
    chat.create_channel(LAST, "bootheel-cohort", [*by_cohort["Bootheel"], *coordinator])
    chat.create_channel(LOUNGE, "counselors-lounge", [*here, GUEST[0]])
    for channel in (HOME, LAST):
        chat.enter(channel)


def seed_program(work: Work) -> None:
    """The people, linked home channels, meetings that were and meetings that come."""
    rows, _ = read_roster(roster_text(), DEFAULT_ZONE)
    start = _program_start(work)
    finished = start.replace(year=start.year - 2)
    starts = {row.email: finished if row.email == FINISHING else start for row in rows if row.role == "mentee"}
    import_roster(work, [replace(row, program_start=starts.get(row.email)) for row in rows])
    for row in rows:
        if row.email != UNMATCHED:
            _account(work, row.email, row.name)
    account_links.remember(work, PLATFORM, TENANT, GUEST[0], name=GUEST[1], email="", member=False, active=True)
    _channel(work, OTHER, "gateway-cohort")
    ozarks, mentor = _at_home(work, "Ozarks", HOME, "ozarks-cohort")
    _winter_break(work)
    _past_meetings(work, ozarks, mentor)
    _meetings_to_come(work, ozarks, mentor)
    _two_years(work, *_at_home(work, "Bootheel", LAST, "bootheel-cohort"), finished)
    refresh_schedule(work)


def _channel(work: Work, external: str, name: str) -> UUID:
    return conversations.remember(
        work, platform=PLATFORM, tenant=TENANT, external=external, kind="channel", name=name, reference={}
    )


def _at_home(work: Work, cohort: str, external: str, name: str) -> tuple[Cohort, UUID]:
    """A cohort with its home channel, and its mentor."""
    linked = cohorts.by_name(work.tx, cohort)
    if linked is None:
        raise ValueError(f"The example's roster has no {cohort}.")
    mentor = cohorts.members(work.tx, linked.id, "mentor")[0].id
    cohorts.set_home(work, linked.id, _channel(work, external, name), mentor)
    return cohorts.get(work.tx, linked.id), mentor


def _program_start(work: Work) -> date:
    today = local_day(work.now, program.zone_of(work.tx))
    return date(today.year if (today.month, today.day) >= (7, 1) else today.year - 1, 7, 1)


def _account(work: Work, email: str, name: str) -> None:
    account = account_links.remember(work, PLATFORM, TENANT, email, name=name, email=email, member=True, active=True)
    person = people.by_email(work.tx, email)
    if person is not None:
        identity.link(work, account.id, person.id, by=None)


def _winter_break(work: Work) -> None:
    today = local_day(work.now, program.zone_of(work.tx))
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
            attendance.add(work, meeting, mentee.id, "confirmed", status, mentor)
        meetings.set_settled(work, meeting.id, True)
    did = "Compared the first weeks; drew a map of who does what in each building."
    for meeting in made:
        summaries.add(work, meeting.id, mentor, ["support", "relationships"], did, "Bring one referral form each.")


def _meetings_to_come(work: Work, cohort: Cohort, mentor: UUID) -> list[Meeting]:
    """A series every two weeks that begins within the next days."""
    today = to_local(work.now, cohort.zone).date()
    first = datetime.combine(next_weekday(today + timedelta(days=2), (today.weekday() + 3) % 7), AT)
    off = [rest.days for rest in breaks.of_cohort(work.tx, cohort.id)]
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
    tell_cohort(work, cohort, kinds.MEETING_ANNOUNCEMENT, made[0].id)
    return made


def _two_years(work: Work, cohort: Cohort, mentor: UUID, start: date) -> None:
    """Two whole program years from ``start``, kept on paper and imported; the last contact is still unverified."""
    mentee = cohorts.members(work.tx, cohort.id, "mentee")[0].id
    years = (start.year, start.year + 1)
    held = [_second_thursday(year, month) for year in years for month in MEETING_MONTHS]
    rows = [ImportedMeeting(line, FINISHING, day, 60, "present", PAPER) for line, day in enumerate(held, 2)]
    if attendance_import.import_attendance(work, rows, attendance_import.fingerprint(PAPER), mentor, None):
        raise ValueError("The example's earlier meetings cannot be imported.")
    days = [_second_thursday(year, month) for year in years for month in CONTACT_MONTHS]
    contacts = [_contact(work, mentee, to_utc(datetime.combine(day, AT), cohort.zone)) for day in days]
    for happened, line_id in contacts[:-1]:
        ledger.add(work, mentee, Line("activity", "verified", happened, mentor, "mentor", target_id=line_id))
    deliveries.to_person(work, kinds.ACTIVITY_DECIDE, mentor, contacts[-1][1])
    deliveries.to_person(work, kinds.ACTIVITY_OWN, mentee, contacts[-1][1])


def _contact(work: Work, mentee: UUID, happened: datetime) -> tuple[datetime, UUID]:
    detail = {"mode": "in_person"}
    line = Line("activity", "logged", happened, mentee, "self", minutes=30, code="contact", detail=detail)
    return happened, ledger.add(work, mentee, line)


def _second_thursday(year: int, month: int) -> date:
    """Of a month; the 13th month is January of the next year."""
    return next_weekday(date(year + (month - 1) // 12, (month - 1) % 12 + 1, 8), 3)
