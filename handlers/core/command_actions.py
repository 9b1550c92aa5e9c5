"""Buttons that run a command, as if it had been sent."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action


@action("command.run")
class RunCommand(Action):
    """Run a suggested command, as if it came from ``channel_id``."""

    words: str
    channel_id: UUID | None = None


@action("command.for")
class RunForCohort(Action):
    """Run a command for the chosen cohort, as if it came from ``channel_id``."""

    cohort_id: UUID
    words: str
    channel_id: UUID | None = None
