"""What the buttons and forms of check-ins and reflections carry: ids alone, but for the number of a pulse."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from handlers.core.actions import Action, action

# A check-in -------------------------------------------------------------------------------------


@action("checkins.pulse")
class TapPulse(Action):
    """Answer with a number, "1" to "5"."""

    checkin_id: UUID
    value: str


@action("checkins.change")
class ChangeNumber(Action):
    """Show the numbers to choose from, although one is saved."""

    checkin_id: UUID


@action("checkins.number")
class ShowNumber(Action):
    """Open the form that shows the saved number."""

    checkin_id: UUID


@action("checkins.retract")
class DeleteNumber(Action):
    """Delete the saved number; ``listed``: from the list of numbers, which is shown again."""

    checkin_id: UUID
    listed: Literal["listed"] | None = None


@action("checkins.numbers")
class ListNumbers(Action):
    """List the saved numbers, without the newest ``skip``."""

    skip: int = 0


@action("checkins.write")
class WriteReflection(Action):
    """Open the form of a check-in's reflection."""

    checkin_id: UUID


@action("checkins.save")
class SaveAnswers(Action):
    """Save the form of a check-in's reflection; ``typed``: how many typed characters it showed."""

    checkin_id: UUID
    typed: int | None = None


@action("checkins.reach")
class AskMentor(Action):
    """Ask one's mentors to reach out."""

    checkin_id: UUID


# Typed words ------------------------------------------------------------------------------------


@action("checkins.keep")
class KeepTyped(Action):
    """Keep typed words as part of the reflection."""

    words_id: UUID


@action("checkins.discard")
class DiscardTyped(Action):
    """Delete typed words."""

    words_id: UUID


@action("checkins.undo")
class UndoKeep(Action):
    """Take back what was kept last; ``before`` and ``after``: the length of what was typed, in characters."""

    checkin_id: UUID
    before: int
    after: int


# Reflections ------------------------------------------------------------------------------------


@action("reflections.page")
class ListReflections(Action):
    """List one's reflections, without the newest ``skip``."""

    skip: int = 0


@action("reflections.open")
class OpenReflection(Action):
    """Open one's own reflection in a form."""

    reflection_id: UUID


@action("reflections.save")
class SaveReflection(Action):
    """Save the form of one's own reflection; ``typed``: how many typed characters it showed."""

    reflection_id: UUID
    typed: int | None = None


@action("reflections.delete")
class DeleteReflection(Action):
    """Delete one's own reflection."""

    reflection_id: UUID


@action("reflections.share")
class ChooseMentor(Action):
    """Open the form that shares a reflection."""

    reflection_id: UUID


@action("reflections.shared")
class ShareReflection(Action):
    """Share a reflection with the chosen mentor."""

    reflection_id: UUID


@action("reflections.stop")
class StopSharing(Action):
    """End a share."""

    share_id: UUID


@action("reflections.read")
class ReadShared(Action):
    """Open a reflection that somebody shared."""

    share_id: UUID


# Prompts and figures ----------------------------------------------------------------------------


@action("checkins.prompts")
class EditPrompts(Action):
    """Open the form of the prompts."""


@action("checkins.prompted")
class SavePrompts(Action):
    """Save the prompts."""


@action("figures.month")
class ShowFigures(Action):
    """Show the group figures of a month, named by its first day."""

    month: date
