"""The actions of a record's buttons that several files make; the handler of each stands with its feature."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action

# Certificates -----------------------------------------------------------------------------------


@action("completion.ask")
class AskCompletion(Action):
    """Show the question whether a mentee's completion is approved."""

    person_id: UUID


@action("completion.record")
class SeeRecord(Action):
    """Get the record that completion is approved on."""

    person_id: UUID


@action("completion.mine")
class GetCertificate(Action):
    """Get one's own certificate, or one's record so far."""


@action("completion.open")
class OpenCertificate(Action):
    """Open a certificate, with what a coordinator can do about it."""

    certificate_id: UUID


@action("completion.find")
class FindCertificate(Action):
    """Open the form that finds a certificate."""


# A person -----------------------------------------------------------------------------------------


@action("records.open")
class OpenPerson(Action):
    """Open a person's page."""

    person_id: UUID


@action("records.transfer")
class OpenTransfer(Action):
    """Open the form that moves a mentee to another cohort."""

    person_id: UUID


@action("records.leave")
class OpenLeaveGrant(Action):
    """Open the form that gives a mentee a leave."""

    person_id: UUID


@action("records.policy")
class OpenPolicyMove(Action):
    """Open the form that moves a mentee to another policy."""

    person_id: UUID


# Disputes ---------------------------------------------------------------------------------------


@action("disputes.new")
class NewDispute(Action):
    """Open the form that says that a record about oneself is wrong; ``record_id``: of the one that is chosen in it."""

    record_id: UUID | None = None


@action("disputes.show")
class ShowDispute(Action):
    """Show a dispute to its readers."""

    dispute_id: UUID


# Changes of a record ---------------------------------------------------------------------------


@action("records.undo")
class UndoEntry(Action):
    """Take back what was just recorded about a mentee."""

    person_id: UUID
    line_id: UUID


@action("records.undo.choose")
class ChooseUndo(Action):
    """Choose which entry of a mentee's record to take back; from a dispute, the disputed entry is chosen."""

    person_id: UUID
    dispute_id: UUID | None = None


@action("records.credit")
class OpenCredit(Action):
    """Open the form that credits a mentee with what they did elsewhere."""

    person_id: UUID


@action("records.waiver")
class OpenWaiver(Action):
    """Open the form that requires less of a mentee."""

    person_id: UUID


@action("activities.choose")
class ChooseCorrection(Action):
    """Choose which of a mentee's activities and make-ups to correct."""

    person_id: UUID


@action("activities.correct")
class OpenCorrection(Action):
    """Open the form that corrects a decided activity or make-up; from a dispute, it shows what the mentee wrote."""

    line_id: UUID
    dispute_id: UUID | None = None


@action("activities.show")
class ShowActivity(Action):
    """Show an activity or make-up to decide."""

    line_id: UUID


@action("departures.leave")
class OpenDeparture(Action):
    """Open the form that removes a mentee from the program."""

    person_id: UUID


@action("leave.show")
class ShowLeave(Action):
    """Show a leave request to decide."""

    request_id: UUID
