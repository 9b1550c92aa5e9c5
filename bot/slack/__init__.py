"""Slack: setup, payload -> Request, Card -> Block Kit, the port's verbs."""

from bot.slack.answering import Patience
from bot.slack.app import BOT_EVENTS, COMMAND, EVENTS_PATH, SlackPlatform, connect
from bot.slack.checks import REQUIRED_SCOPES
from bot.slack.port import BOT_NAME, PLATFORM, Clocks, SlackPort
from bot.slack.socket import Watch

__all__ = [
    "BOT_EVENTS",
    "BOT_NAME",
    "COMMAND",
    "EVENTS_PATH",
    "PLATFORM",
    "REQUIRED_SCOPES",
    "Clocks",
    "Patience",
    "SlackPlatform",
    "SlackPort",
    "Watch",
    "connect",
]
