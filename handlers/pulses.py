"""The number from 1 to 5 of a check-in: tapped or typed, shown in a form to its author alone, and taken back."""

from __future__ import annotations

from uuid import UUID

from handlers import holds
from handlers.checkins import PULSES, answered, open_checkin
from handlers.requests import Reply
from handlers.router import Call, Refused, router
from storage import vault
from storage.checkins import CheckIn
from storage.holds import check_free

KIND = "pulse"  # of items in the vault


@router.press("checkins.pulse")
def tap(call: Call) -> Reply:
    return Reply(replace=answered(call, save_pulse(call, open_checkin(call), call.text_at(1))))


def save_pulse(call: Call, checkin: CheckIn, value: str) -> CheckIn:
    """Save a number for a check-in, in place of an earlier one; the check-in.

    Raises:
        Refused: it is no number from 1 to 5, or a legal hold keeps the earlier one.
    """
    if value not in PULSES:
        raise Refused("Use a number from 1 to 5: 1 is hard going, 5 is great.")
    before = vault.find(call.work.tx, checkin.id, KIND, call.me.account_id)
    if before is not None:
        _replace(call, before.id, value)
    else:
        call.vault.save(
            call.work, KIND, value, person_id=call.my_id, account_id=call.me.account_id, checkin_id=checkin.id
        )
    return checkin


def _replace(call: Call, item_id: UUID, value: str) -> None:
    if call.vault.open(call.work.tx, item_id, call.me.account_id) != value:
        with holds.respected(call):
            check_free(call.work.tx, call.my_id)
        call.vault.replace(call.work, item_id, value)
