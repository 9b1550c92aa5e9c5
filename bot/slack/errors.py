"""What Slack's failures mean to the delivery loop."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.runtime.port import Permanent, Temporary, Uncertain, Unreachable, Wait

PORT_ERRORS = (Wait, Temporary, Permanent, Uncertain)

RETRY_AFTER = 30.0  # seconds, where Slack does not say

_TOKEN = "Slack no longer accepts the bot's token. Ask the operator to install the app again and set the new token."  # noqa: S105
_LOST = "The bot is not in this channel, or the channel is gone. Invite the bot and link the channel again."
_BUILT = "Slack refused this message. Please tell the operator of the bot."
_RULES = "The workspace's settings don't let the bot write here. Ask a workspace admin to change that."

SENTENCES: Mapping[str, str] = {
    "account_inactive": _TOKEN,
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_expired": _TOKEN,
    "token_revoked": _TOKEN,
    "missing_scope": "The bot needs another permission (scope) in Slack. Ask an admin to install it again.",
    "not_allowed_token_type": _TOKEN,
    "channel_not_found": _LOST,
    "not_in_channel": _LOST,
    "is_archived": "This channel is archived. Unarchive it or link another channel.",
    "user_not_found": "Slack can't find this person. They may have left the workspace.",
    "users_not_found": "Slack can't find anyone with this address.",
    "user_disabled": "This person's Slack account is deactivated.",
    "user_not_visible": "The bot can't see this person. They are not in its workspace.",
    "cannot_dm_bot": "This account is a bot. Bots can't get messages.",
    "messages_tab_disabled": "The bot's Messages tab is turned off in Slack. Turn it on in the app's manifest.",
    "message_not_found": "The message to change is gone.",
    "cant_update_message": "Slack no longer lets the bot change this message.",
    "edit_window_closed": "Slack no longer lets the bot change this message.",
    "msg_too_long": _BUILT,
    "msg_blocks_too_long": _BUILT,
    "invalid_blocks": _BUILT,
    "invalid_blocks_format": _BUILT,
    "invalid_arguments": _BUILT,
    "no_text": _BUILT,
    "restricted_action": _RULES,
    "restricted_action_read_only_channel": _RULES,
    "restricted_action_thread_only_channel": _RULES,
    "restricted_action_non_threadable_channel": _RULES,
    "ekm_access_denied": _RULES,
    "access_denied": _RULES,
}

# Slack says them of the person alone.
_UNREACHABLE = frozenset({"user_not_found", "user_disabled", "user_not_visible"})
# Slack names these itself where it stumbled half way: the work may be done.
_UNKNOWN_OUTCOME = frozenset({"internal_error", "fatal_error"})
# Turned away at the door: nothing was done, and the door opens again.
_LATER = frozenset({"service_unavailable", "team_added_to_org", "org_login_required", "request_timeout"})
_SLOWER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class SlackRefused(Permanent):
    """Slack said no. ``code`` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(SENTENCES.get(code) or f"Slack refused this ({code}).")
        self.code = code


class SlackUnreachable(SlackRefused, Unreachable):
    """Slack doesn't know this person, or has deactivated them."""


async def called(call: Awaitable[AsyncSlackResponse], *, repeatable: bool = True) -> dict[str, Any]:
    """The body of one call's answer, or one of the port's errors, as :func:`answered` says."""
    data = (await answered(call, repeatable=repeatable)).data
    return data if isinstance(data, dict) else {}


async def answered(call: Awaitable[AsyncSlackResponse], *, repeatable: bool = True) -> AsyncSlackResponse:
    """The answer of one call, or one of the port's errors.

    A call that may be made twice without harm (reading, changing, joining) is never uncertain: it is
    simply tried again. Only a post is different.

    Raises:
        Wait, Temporary, Permanent, Uncertain: as :mod:`bot.runtime.port` defines them. The cause is dropped on
            purpose, because the SDK's errors quote whole answers.
    """
    try:
        return await call
    except SlackApiError as error:
        raise _refusal(error.response, repeatable) from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise Temporary("Slack could not be reached.") from None
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise _unknown("The connection to Slack was lost.", repeatable) from None


def _refusal(response: Any, repeatable: bool) -> Exception:
    # After unreadable JSON the SDK hands over aiohttp's response, which calls it ``status``.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = _code(data.get("error")) if isinstance(data, dict) else ""
    if status == 429 or code in _SLOWER:
        return Wait(_seconds(response))
    if status >= 500 or code in _UNKNOWN_OUTCOME:
        return _unknown("Slack had an internal error.", repeatable)
    if code in _LATER:
        return Temporary("Slack is not available right now.")
    if code in _UNREACHABLE:
        return SlackUnreachable(code)
    if code:
        return SlackRefused(code)
    if status == 200:
        return _unknown("Slack's answer could not be read.", repeatable)
    return Permanent(f"Slack's address answered with HTTP {status}. Check SLACK_API_URL.")


def _unknown(sentence: str, repeatable: bool) -> Exception:
    return Temporary(sentence) if repeatable else Uncertain(sentence)


def _code(value: object) -> str:
    """Slack's error word; anything that does not look like one is not repeated."""
    word = value if isinstance(value, str) else ""
    return word if re.fullmatch(r"[a-z0-9_]{1,60}", word) else "unknown_error" if word else ""


def _seconds(response: Any) -> float:
    headers = getattr(response, "headers", None) or {}
    try:
        return max(1.0, float(headers.get("Retry-After", RETRY_AFTER)))
    except (TypeError, ValueError):
        return RETRY_AFTER
