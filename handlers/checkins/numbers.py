"""The numbers from 1 to 5 that an account saved, listed by day: each is shown in a form, or deleted. None is told."""

from __future__ import annotations

from handlers.checkins.checkins_actions import DeleteNumber, ListNumbers, ShowNumber
from handlers.core.calls import Call
from handlers.core.cards import Block, Bold, Button, Card, Note, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from program.core.times import say_day
from storage.checkins import saved

SHOWN = 5  # on one card: each has a row of buttons


@router.press(ListNumbers)
def page(call: Call, pressed: ListNumbers) -> Reply:
    """Show older ones, or the newest again."""
    return Reply(replace=numbers_card(call, max(0, pressed.skip)))


def numbers_card(call: Call, skip: int = 0) -> Card:
    """The days alone; never a number."""
    days = saved.numbers_of(call.work.tx, call.me.account_id)
    blocks: list[Block] = []
    for checkin_id, day in days[skip : skip + SHOWN]:
        show = Button("Show my number", ShowNumber(checkin_id), opens_form=True)
        retract = Button("Delete my number", DeleteNumber(checkin_id, "listed"))
        blocks += [say(Bold(say_day(day))), buttons(show, retract)]
    if len(days) > skip + SHOWN:
        blocks.append(buttons(Button("Older", ListNumbers(skip + SHOWN))))
    if not days:
        blocks.append(say("No number is saved with this account."))
    return Card(
        "Your numbers", (*blocks, Note(("Each opens in a form that only you see.",))) if days else tuple(blocks)
    )
