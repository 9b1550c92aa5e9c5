"""Two complete years on paper, for the tests of what follows from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from storage import attendance, cohorts, meetings, people, policies
from storage.tables import enrolment
from storage.work import Work
from tests.world import Person, World

DONE = datetime(2028, 5, 20, 15, 0, tzinfo=UTC)
DAYS = [date(year, month, 10) for year in (2026, 2027) for month in (9, 10, 11, 12)] + [
    date(year, month, 10) for year in (2027, 2028) for month in (1, 2, 3, 4)
]


def attended(
    world: World, *emails: str, topic: str = "First steps", days: list[date] | None = None, settled: bool = True
) -> None:
    """Sixteen meetings of two program years at which these mentees were present; the clock stands after them."""
    world.clock.at = max(world.clock.at, DONE)
    with world.database.write() as tx:
        work = world.work(tx)
        _on_meetings_alone(work)
        found = [people.by_email(tx, email) for email in emails]
        ruth = people.by_email(tx, "ruth@example.org")
        assert found
        assert ruth
        first = found[0]
        assert first
        cohort = cohorts.shared_cohorts(tx, first.id, ("mentee",))[0]
        _, made = meetings.create_series(
            work,
            cohort.id,
            ruth.id,
            topic=topic,
            starts=[datetime.combine(day, time(15, 30)) for day in days or DAYS],
            zone=cohort.zone,
            minutes=60,
            place="",
            repeat="once",
            until=None,
        )
        for meeting in made:
            for one in found:
                assert one
                attendance.add(work, meeting.id, one.id, "confirmed", "present", ruth.id)
            meetings.set_settled(work, meeting.id, settled)


def _on_meetings_alone(work: Work) -> None:
    """Put everybody on the example policy without its one-to-one contacts."""
    text = policies.shipped(policies.EXAMPLE).text.replace('version = "1"', 'version = "1.1"', 1)
    before, _, rest = text.partition('[[rule]]\nkind = "at_least"\nid = "contacts"')
    text = before + "[attendance]" + rest.partition("[attendance]")[2]
    if "example/1.1" not in policies.names(work.tx):
        policies.adopt(work, text, date(2020, 7, 1), None)
    work.tx.execute(enrolment.update().values(policy="example/1.1"))


async def approved(world: World, carol: Person, email: str = "dana@example.org") -> None:
    """Complete, asked about, approved."""
    attended(world, email)
    await world.pass_time(days=1)
    question = next(one for one in world.to(carol) if "is complete" in one.text)
    await carol.presses(question, "Approve and issue")
