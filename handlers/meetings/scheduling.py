"""Scheduling: the form for one or several meetings, their dates before they are saved, and telling the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call, old_form
from handlers.core.cards import Block, Bold, Bullets, say
from handlers.core.forms import (
    ChoiceField,
    DateField,
    Fields,
    Form,
    FormErrors,
    NumberField,
    TextField,
    TimeField,
    options_of,
)
from handlers.core.leading import led_cohort
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.meetings import LENGTHS, when
from handlers.meetings.meetings_actions import OpenScheduling
from handlers.meetings.planning import plan_meeting, tell_cohort
from program.core.times import next_weekday, say_day, say_time, to_local, to_utc, zone_words
from program.core.words import counted
from program.meetings.series import REPEATS, Dates, Repeat, SeriesProblem, series_dates
from storage.core import drafts
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.outbox import kinds
from storage.people.cohorts import Cohort

DRAFT = "meeting"  # the kind of draft
THURSDAY = 3


@action("meetings.preview")
class PreviewMeetings(Action):
    """See the dates before anything is scheduled."""

    cohort_id: UUID


@action("meetings.create")
class CreateMeetings(Action):
    """Schedule the meetings of the draft and tell the cohort."""

    cohort_id: UUID
    draft_id: UUID


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """What is to be scheduled: one meeting, or those that repeat it."""

    topic: str
    day: date
    at: time
    minutes: int
    place: str
    repeat: Repeat
    until: date | None

    @property
    def first(self) -> datetime:
        """The naive local time of the first meeting."""
        return datetime.combine(self.day, self.at)

    def as_draft(self) -> dict[str, object]:
        """The values of a draft."""
        return {
            "topic": self.topic,
            "day": self.day.isoformat(),
            "at": self.at.isoformat("minutes"),
            "minutes": self.minutes,
            "place": self.place,
            "repeat": self.repeat,
            "until": self.until.isoformat() if self.until else "",
        }

    @classmethod
    def of_draft(cls, values: Mapping[str, Any]) -> SeriesPlan:
        """The plan that a draft holds."""
        until = date.fromisoformat(values["until"]) if values["until"] else None
        day, at = date.fromisoformat(values["day"]), time.fromisoformat(values["at"])
        return cls(values["topic"], day, at, values["minutes"], values["place"], values["repeat"], until)


SERIES = Fields(
    SeriesPlan,
    TextField("topic", "Topic", max_length=200, needed="Enter a topic."),
    DateField("day", "First date", needed="Choose the first date."),
    TimeField("at", "Time"),
    NumberField("minutes", "Length in minutes", None, *LENGTHS, needed="Enter how many minutes it lasts."),
    TextField("place", "Place or link", optional=True, max_length=500),
    ChoiceField("repeat", "Repeat", options_of(REPEATS)),
    DateField("until", "Repeat until", optional=True, hint="Only for repeating meetings."),
)


@router.command(
    "meeting new",
    "Schedule one or more meetings",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 1, "coordinator": 8},
    teams={"team": 4},
)
def meeting_new_command(call: Call) -> Reply:
    """Open the form that schedules meetings."""
    return Reply(form=_form(call.cohort, _usual(call, call.cohort)))


@router.press(OpenScheduling)
def open_scheduling(call: Call, pressed: OpenScheduling) -> Reply:
    """Open the form that schedules meetings, with what was put into it before."""
    cohort = led_cohort(call, pressed.cohort_id)
    values = call.draft(pressed.draft_id, DRAFT)
    return Reply(form=_form(cohort, SeriesPlan.of_draft(values) if values else _usual(call, cohort)))


def _usual(call: Call, cohort: Cohort) -> SeriesPlan:
    """A meeting like the cohort's last one, on a Thursday to come."""
    tomorrow = to_local(call.work.now, cohort.zone).date() + timedelta(days=1)
    plan = SeriesPlan("", next_weekday(tomorrow, THURSDAY), time(15, 30), 60, "", "once", None)
    for last in meetings.last_meetings(call.work.tx, cohort.id, call.work.now, 1):
        return replace(plan, at=last.local_start.time(), minutes=last.minutes, place=last.place)
    return plan


def _form(cohort: Cohort, plan: SeriesPlan) -> Form:
    return Form(
        "Schedule meetings",
        PreviewMeetings(cohort.id),
        opener=OpenScheduling(cohort.id),
        submit="Preview dates",
        blocks=(say("For ", Bold(cohort.name), f". Times are in {zone_words(cohort.zone)}."),),
        fields=SERIES.filled(plan),
    )


@router.submit(PreviewMeetings)
def preview(call: Call, sent: PreviewMeetings) -> Reply:
    """Show the dates before anything is scheduled."""
    cohort = led_cohort(call, sent.cohort_id)
    plan = SERIES.read(call.values)
    until = plan.until if plan.repeat != "once" else None
    plan = replace(plan, topic=" ".join(plan.topic.split()), until=until)
    dates = _dates(call, cohort, plan)
    draft = drafts.keep(call.work, call.my_id, DRAFT, plan.as_draft())
    return Reply(
        form=Form(
            "Are these dates right?",
            CreateMeetings(cohort.id, draft),
            opener=OpenScheduling(cohort.id, draft),
            submit="Schedule",
            blocks=(*_dates_shown(cohort, plan, dates), *_clashes_shown(call, cohort, plan, dates)),
            back=OpenScheduling(cohort.id, draft),
        )
    )


def _dates(call: Call, cohort: Cohort, plan: SeriesPlan) -> Dates:
    """The meetings' dates.

    Raises:
        FormErrors: the first is past, or the plan makes no series.
    """
    if to_utc(plan.first, cohort.zone) <= call.work.now:
        raise FormErrors({"day": "That time is in the past. Choose a later one."})
    off = [stored_break.days for stored_break in breaks.of_cohort(call.work.tx, cohort.id)]
    try:
        return series_dates(plan.first, plan.repeat, plan.until, off)
    except SeriesProblem as problem:
        raise FormErrors({problem.field: str(problem)}) from None


def _dates_shown(cohort: Cohort, plan: SeriesPlan, dates: Dates) -> list[Block]:
    lines = tuple((say_day(day.date()),) for day in dates.kept)
    skipped = tuple((f"{say_day(day.date())}: {off.label}",) for day, off in dates.skipped)
    many, at = counted(len(lines), "meeting"), say_time(plan.first)
    words = f": {many} at {at}, {plan.minutes} minutes, {zone_words(cohort.zone)}."
    blocks: list[Block] = [say(Bold(plan.topic), words), Bullets(lines)]
    return [*blocks, say("Skipped, because of a break:"), Bullets(skipped)] if skipped else blocks


def _clashes_shown(call: Call, cohort: Cohort, plan: SeriesPlan, dates: Dates) -> list[Block]:
    clashing = _clashing(call, cohort, dates, plan.minutes)
    if not clashing:
        return []
    there = tuple((Bold(meeting.topic), ", ", when(meeting)) for meeting in clashing)
    return [say(f"{cohort.name} already has a meeting at that time:"), Bullets(there)]


def _clashing(call: Call, cohort: Cohort, dates: Dates, minutes: int) -> list[Meeting]:
    """The cohort's meetings that overlap with these dates."""
    length = timedelta(minutes=minutes)
    starts = [to_utc(day, cohort.zone) for day in dates.kept]
    longest = timedelta(minutes=LENGTHS[1])
    there = meetings.between(call.work.tx, starts[0] - longest, starts[-1] + length, [cohort.id])
    return [
        meeting
        for meeting in there
        if any(meeting.starts_at < start + length and start < meeting.ends_at for start in starts)
    ]


@router.submit(CreateMeetings)
def create(call: Call, sent: CreateMeetings) -> Reply:
    """Schedule the meetings of the draft and tell the cohort."""
    cohort = led_cohort(call, sent.cohort_id)
    values = call.draft(sent.draft_id, DRAFT)
    if values is None:
        raise old_form("meetings", "what is scheduled")
    made = _create(call, cohort, SeriesPlan.of_draft(values))
    drafts.drop(call.work, sent.draft_id)
    for meeting in made:
        plan_meeting(call.work, meeting, cohort)
    tell_cohort(call.work, cohort, kinds.MEETING_ANNOUNCEMENT, made[0].id)
    return notice(f"Scheduled {counted(len(made), 'meeting')} and told the cohort. First meeting: ", when(made[0]), ".")


def _create(call: Call, cohort: Cohort, plan: SeriesPlan) -> list[Meeting]:
    dates = _dates(call, cohort, plan)
    _, made = meetings.create_series(
        call.work,
        cohort.id,
        call.my_id,
        topic=plan.topic,
        starts=dates.kept,
        zone=cohort.zone,
        minutes=plan.minutes,
        place=plan.place,
        repeat=plan.repeat,
        until=plan.until,
    )
    return made
