"""The moments of a check-in: it opens, reminds once those who have not answered, and closes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache

from handlers.checkins.schedule import DaysOff, set_schedules
from handlers.core.router import router
from program.checkins.schedule import NUDGE_AFTER, OPEN_DAYS, choose_prompts, period_number
from program.core.times import local_day
from storage.checkins import checkins, consent
from storage.checkins.checkins import Schedule
from storage.core.work import Work
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.due import Moment


@router.moment(
    moments.CHECKINS_OPEN,
    "check-ins go out",
    late="goes out late while its window of seven days is open; after that it is recorded as missed",
)
def open_checkins(work: Work, moment: Moment) -> str | None:
    """Open a check-in for everybody whose check-in is due; late ones go out while their window is open."""
    came = datetime.fromisoformat(moment.subject)
    closes_at = came + timedelta(days=OPEN_DAYS)
    due_people = set(checkins.people_due(work.tx, came))
    schedules = checkins.schedules(work.tx, due=came)
    checkins.drop_next(work, list(due_people - {schedule.person_id for schedule in schedules}))
    prompts = checkins.prompts(work.tx)
    chosen = cache(lambda number: [str(prompt.id) for prompt in choose_prompts(prompts, number)])
    off = DaysOff(work, [schedule.person_id for schedule in schedules])
    rows = []
    for schedule in schedules:
        day = local_day(came, schedule.zone)
        if work.now < closes_at and _takes(schedule, day, off):
            rows.append((schedule.person_id, day, chosen(period_number(day, schedule.cycle))))
    opened = checkins.open_checkins(work, rows, closes_at)
    deliveries.to_people(work, kinds.CHECKIN, [(checkin.person_id, checkin.id) for checkin in opened])
    if opened:
        # Those of two schedules that are both late may open at one instant; each has a reminder and a closing.
        due.plan(work, moments.CHECKINS_NUDGE, came + NUDGE_AFTER, work.now.isoformat(), tag=moment.subject)
        due.plan(work, moments.CHECKINS_CLOSE, closes_at, work.now.isoformat(), tag=moment.subject)
    set_schedules(work, schedules)
    return None if opened else "missed" if rows or work.now >= closes_at else None


@router.moment(
    moments.CHECKINS_NUDGE,
    "the one reminder of an open check-in",
    late="goes out late while the check-in is open, but not to people who have answered, paused or left",
)
def nudge(work: Work, moment: Moment) -> str | None:
    """Those who have not answered are reminded once, unless they paused, have a break, or it has closed.

    Who has not chosen yet whether they want check-ins is not reminded.
    """
    opened = checkins.opened_at(work.tx, datetime.fromisoformat(moment.subject), answered=False)
    unanswered = {checkin.person_id: checkin for checkin in opened if checkin.closes_at > work.now}
    schedules = checkins.schedules(work.tx, list(unanswered))  # without people who completed, left or turned them off
    agreed = consent.agreed_of(work.tx, list(unanswered))
    off = DaysOff(work, list(unanswered))
    asked = [
        schedule
        for schedule in schedules
        if schedule.person_id in agreed and _takes(schedule, local_day(work.now, schedule.zone), off)
    ]
    deliveries.to_people(
        work, kinds.CHECKIN_NUDGE, [(schedule.person_id, unanswered[schedule.person_id].id) for schedule in asked]
    )
    return None


def _takes(schedule: Schedule, day: date, off: DaysOff) -> bool:
    """Whether somebody takes check-ins on a day: they have not paused, and it is no day off."""
    asleep = schedule.snoozed_until is not None and day < schedule.snoozed_until
    return not asleep and not off.on(schedule, day)


@router.moment(
    moments.CHECKINS_CLOSE,
    "check-ins close",
    late="closes late; answers were refused from the closing time on all the same",
)
def close(work: Work, moment: Moment) -> str | None:
    """Show in the messages that it is closed."""
    opened = checkins.opened_at(work.tx, datetime.fromisoformat(moment.subject))
    deliveries.refresh_all(work, (kinds.CHECKIN, kinds.CHECKIN_NUDGE), [checkin.id for checkin in opened])
    return None
