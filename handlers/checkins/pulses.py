"""The number from 1 to 5 of a check-in: tapped or typed, shown in a form to its author alone, and taken back."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from handlers.checkins.checkins import PULSES, answered, checkin_card, open_checkin, own_checkin
from handlers.checkins.checkins_actions import ChangeNumber, DeleteNumber, ShowNumber, TapPulse
from handlers.checkins.numbers import numbers_card
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Note, say
from handlers.core.forms import Form
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.privacy import holds
from program.core.times import local_day, say_day
from storage.checkins import figures
from storage.checkins.checkins import CheckIn
from storage.checkins.saved import PULSE, find_saved
from storage.core import program
from storage.privacy.holds import check_free
from storage.vault import vault
from storage.vault.vault import VaultItem

ABSENT = "No number is saved for that check-in with this account."


@router.press(TapPulse)
def tap(call: Call, pressed: TapPulse) -> Reply:
    """Save the tapped number."""
    checkin = open_checkin(call, pressed.checkin_id)
    return Reply(replace=answered(call, save_pulse(call, checkin, pressed.value)))


def save_pulse(call: Call, checkin: CheckIn, value: str) -> CheckIn:
    """Save a number for a check-in, in place of an earlier one; the check-in.

    Raises:
        Refused: it is no number from 1 to 5, or a legal hold keeps the earlier one.
    """
    if value not in PULSES:
        raise Refused("Use a number from 1 to 5: 1 is hard, 5 is great.")
    before = vault.find(call.work.tx, checkin.id, PULSE, call.me.account_id)
    if before is not None:
        _replace(call, before.id, value)
    else:
        call.vault.save(
            call.work, PULSE, value, person_id=call.my_id, account_id=call.me.account_id, checkin_id=checkin.id
        )
    return checkin


def _replace(call: Call, item_id: UUID, value: str) -> None:
    if call.vault.open(call.work.tx, item_id, call.me.account_id) != value:
        with holds.respected(call):
            check_free(call.work.tx, call.my_id)
        call.vault.replace(call.work, item_id, value)


def _saved(call: Call, checkin: CheckIn) -> VaultItem:
    """The number that this account saved for a check-in."""
    item = vault.find(call.work.tx, checkin.id, PULSE, call.me.account_id)
    if item is None:
        raise Refused(ABSENT)
    return item


@router.press(ChangeNumber)
def change(call: Call, pressed: ChangeNumber) -> Reply:
    """The check-in with the numbers to choose from; the saved one stays until another is tapped."""
    return Reply(replace=checkin_card(call.work, open_checkin(call, pressed.checkin_id), call.me.view, change=True))


@router.press(ShowNumber)
def show(call: Call, pressed: ShowNumber) -> Reply:
    """The saved number, in a form, so that the bot never writes it into a chat."""
    checkin = own_checkin(call, pressed.checkin_id)
    value = call.vault.open(call.work.tx, _saved(call, checkin).id, call.me.account_id)
    return Reply(
        form=Form(
            "Your number",
            ShowNumber(checkin.id),
            opener=ShowNumber(checkin.id),
            submit=None,
            confidential=True,
            blocks=(
                say("You answered ", Bold(str(value)), f" in the check-in of {say_day(checkin.day)}."),
                Note(("1 is hard, 5 is great. To delete it, press “Delete my number” in the chat.",)),
            ),
        )
    )


@router.press(DeleteNumber)
def retract(call: Call, pressed: DeleteNumber) -> Reply:
    """Destroy the saved number, also after the check-in closed, and say what becomes of group figures."""
    checkin = own_checkin(call, pressed.checkin_id)
    item = _saved(call, checkin)
    with holds.respected(call):
        check_free(call.work.tx, call.my_id)
    vault.remove(call.work.tx, item.id, call.me.account_id)
    card = answered(call, checkin)
    return replace(notice(_retracted(call, checkin)), replace=numbers_card(call) if pressed.listed else card)


def _retracted(call: Call, checkin: CheckIn) -> str:
    """Figures are made once: a number that was there then may be counted in them for good.

    A number that another account of the person saved stays, and counts.
    """
    if find_saved(call.work.tx, checkin, call.me.view).number:
        return (
            "The number of this account is deleted. You saved a number for this check-in with another account too. It "
            "is still saved, and group figures may count it."
        )
    zone = program.zone_of(call.work.tx)
    month = local_day(checkin.opened_at, zone).replace(day=1)
    if figures.made(call.work.tx, month):
        return (
            f"Your number is deleted. The group figures of {month:%B %Y} were made before that, and may count it. "
            "They name nobody and are not made again."
        )
    return "Your number is deleted. No group figures count it."
