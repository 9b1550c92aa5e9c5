"""Slack: setup, payload -> Request, Card -> Block Kit, the port's verbs."""

from bot.slack.asking import Patience
from bot.slack.slack_app import SlackPlatform, connect
from bot.slack.slack_port import PLATFORM, Clocks, SlackPort
from bot.slack.socket import Watch
from manifest.about import BOT_NAME
from manifest.slack import BOT_EVENTS, COMMAND, EVENTS_PATH, REQUIRED_SCOPES

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
