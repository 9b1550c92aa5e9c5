"""The parts of Slack's payloads that the listeners read. A payload without them, or with others, is malformed."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from bot.web.bodies import Malformed, check, parse

Id = Annotated[str, Field(min_length=1)]


class Named(BaseModel):
    """A team or a channel, by id and perhaps by name."""

    id: str | None = None
    name: str | None = None


class Somebody(BaseModel):
    """A user, and the workspace they come from."""

    id: Id
    team_id: str | None = None


class ChosenOption(BaseModel):
    """A chosen option."""

    value: str


class Value(BaseModel):
    """What was filled into one input; which part is set depends on its kind."""

    value: str | None = None
    selected_option: ChosenOption | None = None
    selected_options: list[ChosenOption] | None = None
    selected_date: str | None = None
    selected_time: str | None = None


class State(BaseModel):
    """What was filled into a view, by block id and action id."""

    values: dict[str, dict[str, Value]] = {}


class Element(BaseModel):
    """The element of an input, whose action id is the field's name."""

    action_id: Id


class Text(BaseModel):
    """A text object."""

    text: str


class InputBlock(BaseModel):
    """One input of a view."""

    block_id: Id
    element: Element
    label: Text | None = None


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") == "input":
        InputBlock.model_validate(block)
    return block


class View(BaseModel):
    """A modal or the home tab, as it was when somebody acted in it."""

    id: Id
    hash: str | None = None
    type: str | None = None
    callback_id: str | None = None
    private_metadata: str | None = None
    blocks: list[Annotated[dict[str, Any], AfterValidator(_block)]] | None = None
    state: State | None = None


class Container(BaseModel):
    """Where a button was pressed: in a message or a view."""

    type: str | None = None
    channel_id: str | None = None
    message_ts: str | None = None


class Pressed(BaseModel):
    """A pressed button, with the value that it carries."""

    action_id: str
    block_id: str | None = None
    value: str | None = None


class Payload(BaseModel):
    """What Bolt itself reads of every payload."""

    team: Named | str | None = None
    enterprise: dict[str, Any] | str | None = None
    authorizations: list[dict[str, Any]] | None = None
    team_id: str | None = None
    enterprise_id: str | None = None
    response_url: str | None = None


class SlashCommand(Payload):
    """A slash command."""

    command: Id
    user_id: Id
    channel_id: Id
    trigger_id: Id
    channel_name: str | None = None
    text: str | None = None


class BlockActions(Payload):
    """A press on a button, or a choice in a message or view (``block_actions``)."""

    user: Somebody
    actions: Annotated[list[Pressed], Field(min_length=1)]
    trigger_id: Id
    channel: Named | None = None
    container: Container | None = None
    view: View | None = None


class Submission(Payload):
    """A sent modal (``view_submission``)."""

    user: Somebody
    view: View
    trigger_id: str | None = None


class Said(BaseModel):
    """What every event that we listen to may say."""

    type: Id
    channel_type: str | None = None
    text: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    tab: str | None = None
    inviter: str | None = None
    user_team: str | None = None
    source_team: str | None = None
    thread_ts: str | None = None


class Talk(Said):
    """A message, or a mention of the bot."""

    user: str | None = None  # what a bot says has none
    channel: Id


class Moved(Said):
    """Somebody joined or left a channel."""

    user: Id
    channel: Id


class Noticed(Said):
    """Somebody opened the home tab, or the bot left a channel."""

    user: str | None = None
    channel: str = ""


class OtherEvent(BaseModel):
    """Any event: the part that says of which kind it is."""

    type: Id


class Envelope(Payload):
    """What every event comes in (``event_callback``)."""

    event_id: Id
    event: dict[str, Any]


_EVENTS: dict[str, type[BaseModel]] = {
    "message": Talk,
    "app_mention": Talk,
    "app_home_opened": Noticed,
    "member_joined_channel": Moved,
    "member_left_channel": Moved,
    "channel_left": Noticed,
    "group_left": Noticed,
}


def read(text: str, content_type: str) -> None:
    """Look through a request's body as Bolt will read it.

    Raises:
        Malformed: it is nothing that Slack sends.
    """
    if content_type == "application/json" or text.startswith("{"):
        body = parse(text)
    else:
        fields = dict(parse_qsl(text, keep_blank_values=True))
        check(fields)
        body = parse(fields["payload"]) if "payload" in fields else fields
    if not isinstance(body, dict):
        raise Malformed("the payload is no object")
    try:
        _check(body)
    except ValidationError:  # its text quotes the payload
        raise Malformed("a part of the payload is missing or of another kind") from None


def _check(body: dict[str, Any]) -> None:
    if "command" in body:
        SlashCommand.model_validate(body)
        return
    match body.get("type"):
        case "event_callback":
            event = Envelope.model_validate(body).event
            kind = OtherEvent.model_validate(event).type
            if kind in _EVENTS:
                _EVENTS[kind].model_validate(event)
        case "block_actions":
            BlockActions.model_validate(body)
        case "view_submission":
            Submission.model_validate(body)
        case str() | None:
            Payload.model_validate(body)
        case _:
            raise Malformed("the payload's type is no text")
