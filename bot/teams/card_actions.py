"""Buttons, as Adaptive Card actions in rows that fit on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, assert_never

from microsoft_teams import cards as ac

from bot.teams.page import Page
from bot.teams.spans import more, text
from bot.teams.words import one_line
from handlers.core.actions import Action
from handlers.core.cards import Button, LinkButton

ROW_OF_BUTTONS = 6  # Teams shows no more in one row
# On a phone of 320 px a card is about 270 px wide. A button needs its words, its padding and a gap.
ROW_PX, LETTER_PX, BUTTON_PX = 272, 8, 26


def button_rows(items: Sequence[Button | LinkButton], page: Page) -> Iterator[ac.CardElement]:
    """Yield a row of actions for each line of buttons, and "and N more" if the limit leaves some out."""
    kept = items[: page.limits.buttons]
    for row in _rows(kept):
        yield ac.ActionSet(actions=[_button(button, page) for button in row])
    if len(items) > len(kept):
        yield more(len(items) - len(kept))


def _rows(items: Sequence[Button | LinkButton]) -> list[list[Button | LinkButton]]:
    """The buttons in rows that a phone shows without cutting a label."""
    rows: list[list[Button | LinkButton]] = []
    room = 0
    for button in items:
        needed = LETTER_PX * len(button.label) + BUTTON_PX
        if not rows or needed > room or len(rows[-1]) == ROW_OF_BUTTONS:
            rows.append([])
            room = ROW_PX
        rows[-1].append(button)
        room -= needed
    return rows


def _button(button: Button | LinkButton, page: Page) -> ac.Action:
    title = one_line(button.label, min(page.limits.label, 80))
    if isinstance(button, LinkButton):
        return ac.OpenUrlAction(title=title, url=button.url)
    if button.confirm is not None and not button.opens_form:
        return _asked_first(button, title, page)
    return press(title, button.action, page, style=_style(button), opens_form=button.opens_form)


def _asked_first(button: Button, title: str, page: Page) -> ac.Action:
    """Unfolds the question with a second button. Adaptive Cards have no confirmation of their own."""
    question = text((button.confirm or "",), page)
    yes = press(one_line(f"Yes: {button.label}", 80), button.action, page, style=_style(button))
    body = ac.AdaptiveCard(body=[question], actions=[yes])
    return ac.ShowCardAction(title=title, style=_style(button), card=body)


def _style(button: Button) -> Literal["positive", "destructive"] | None:
    match button.style:
        case "primary":
            return "positive"
        case "danger":
            return "destructive"
        case "default":
            return None
        case _:
            assert_never(button.style)


def carried(action: Action, page: Page) -> dict[str, Any]:
    """Return the data of a button: the encoded action, and of a form its mark and the message that opened it."""
    data: dict[str, Any] = {"act": action.encode()}
    if page.form:
        data["form"] = True
    if page.origin:
        data["card"] = page.origin
    return data


def press(
    title: str,
    action: Action,
    page: Page,
    *,
    style: Literal["positive", "destructive"] | None = None,
    opens_form: bool = False,
) -> ac.Action:
    """Return the action of a button.

    In a message the answer to a press replaces the card; in a dialog it is the dialog's next page.
    ``opens_form``: the press opens a dialog, where the client has dialogs.
    """
    data = {"plc": carried(action, page)}
    if page.surface == "dialog":
        return ac.SubmitAction(title=title, style=style, data=data, associated_inputs="none")
    if opens_form and page.dialogs:
        return ac.SubmitAction(
            title=title,
            style=style,
            data={"msteams": {"type": "task/fetch"}, **data},
            associated_inputs="none",
        )
    plain_press = ac.SubmitAction(title=title, style=style, data=data, associated_inputs="none")
    return ac.ExecuteAction(
        title=title,
        style=style,
        verb=action.name,
        data=data,
        associated_inputs="none",
        fallback=plain_press,
    )
