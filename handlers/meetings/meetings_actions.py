"""The buttons about meetings that several files make."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from handlers.core.actions import Action, action


@action("meetings.new")
class OpenScheduling(Action):
    """Open the form that schedules meetings, filled from a draft where there is one."""

    cohort_id: UUID
    draft_id: UUID | None = None


@action("meetings.rsvp")
class AnswerInvitation(Action):
    """Say whether one comes. ``shown``: "own" on a card that the asker alone sees, which then changes itself."""

    meeting_id: UUID
    coming: bool
    shown: Literal["own"] | None = None


@action("meetings.move")
class OpenMove(Action):
    """Open the form that moves a meeting."""

    meeting_id: UUID


@action("meetings.cancel")
class OpenCancellation(Action):
    """Open the form that cancels a meeting."""

    meeting_id: UUID


@action("meetings.restore")
class RestoreMeetings(Action):
    """Undo the cancellation of meetings that are still to come."""

    meeting_ids: tuple[UUID, ...]


@action("breaks.snow")
class CallSnowDay(Action):
    """Make the day of a meeting a break for its cohort."""

    meeting_id: UUID


@action("attendance.edit")
class OpenAttendance(Action):
    """Open the form with each person's attendance; with a dispute, of the mentee who disputes it alone."""

    meeting_id: UUID
    dispute_id: UUID | None = None


@action("summaries.open")
class OpenSummary(Action):
    """Open the form that writes a meeting's summary, filled from a draft where there is one."""

    meeting_id: UUID
    draft_id: UUID | None = None
