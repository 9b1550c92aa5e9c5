"""Who gets check-ins, and what somebody is told who gets none."""

from __future__ import annotations

from handlers.checkins import consent_notice
from handlers.core.calls import Call, roles_of
from handlers.core.cards import Cmd, Text
from storage.checkins import checkins, pauses
from storage.record import certificates

NO_COHORT = "Check-ins are for people in a cohort, so you don't get them."
COMPLETED = "You have your certificate, so you no longer get check-ins."
OFF: Text = ("You don't get check-ins. To get them, send ", Cmd("checkins on"), ".")


def never_gets(call: Call) -> str:
    """Why the asker cannot get check-ins, whatever they send; empty where they can."""
    roles = roles_of(call.me)
    if not roles & {"mentee", "mentor"}:
        return NO_COHORT
    certified = any(certificate.in_force for certificate in certificates.of_person(call.work.tx, call.my_id))
    return COMPLETED if certified and "mentor" not in roles else ""


def gets_none(call: Call) -> Text | None:
    """Why the asker gets no check-ins now, with the way to get them; None where they get them."""
    if reason := never_gets(call):
        return (reason,)
    if consent_notice.has_declined(call):
        return consent_notice.DECLINED
    off = pauses.of_view(call.work.tx, call.my_id, call.me.view).checkins is False
    return OFF if off or not checkins.schedules(call.work.tx, [call.my_id]) else None
