"""Two complete years on paper, for the tests of what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from storage.core.work import Work
from storage.meetings import attendance, meetings
from storage.people import cohorts, people
from storage.record import policies
from tests.world import Person, World, everybody_on

DONE = datetime(2028, 5, 20, 15, 0, tzinfo=UTC)
DAYS = [
    *(date(year, month, 10) for year in (2026, 2027) for month in (9, 10, 11, 12)),
    *(date(year, month, 10) for year in (2027, 2028) for month in (1, 2, 3, 4)),
]


def record_years(
    work: Work,
    emails: Sequence[str],
    mentor: str,
    *,
    topic: str = "First steps",
    days: Sequence[date] = DAYS,
    settled: bool = True,
) -> None:
    """Meetings on these days at which these mentees of one cohort were present, as their mentor confirmed."""
    _on_meetings_alone(work)
    mentees = [_id(work, email) for email in emails]
    by = _id(work, mentor)
    cohort = cohorts.shared_cohorts(work.tx, mentees[0], ("mentee",))[0]
    _, made = meetings.create_series(
        work,
        cohort.id,
        by,
        topic=topic,
        starts=[datetime.combine(day, time(15, 30)) for day in days],
        zone=cohort.zone,
        minutes=60,
        place="",
        repeat="once",
        until=None,
    )
    for meeting in made:
        for mentee in mentees:
            attendance.add(work, meeting, mentee, "confirmed", "present", by)
        meetings.set_settled(work, meeting.id, settled)


def _on_meetings_alone(work: Work) -> None:
    """Put everybody on the example policy without its one-to-one contacts."""
    text = policies.shipped(policies.EXAMPLE).text.replace('version = "1"', 'version = "1.1"', 1)
    before, _, rest = text.partition('[[rule]]\nkind = "at_least"\nid = "contacts"')
    text = before + "[attendance]" + rest.partition("[attendance]")[2]
    if "example/1.1" not in policies.names(work.tx):
        policies.adopt(work, text, date(2020, 7, 1), None)
    everybody_on(work.tx, "example/1.1")


def _id(work: Work, email: str) -> UUID:
    person = people.by_email(work.tx, email)
    assert person
    return person.id


def attended(world: World, *emails: str, days: Sequence[date] = DAYS, settled: bool = True) -> None:
    """What :func:`record_years` records; the clock stands after it."""
    world.clock.at = max(world.clock.at, DONE)
    with world.database.write() as tx:
        record_years(world.work(tx), emails, "ruth@example.org", days=days, settled=settled)


async def approved(world: World, carol: Person, email: str = "dana@example.org") -> None:
    """Complete, asked about, approved."""
    attended(world, email)
    await world.pass_time(days=1)
    question = next(message for message in world.to(carol) if "has completed the program" in message.text)
    await carol.presses(question, "Approve and issue")
