"""Logging that can name an act, and never repeat what somebody wrote.

Slack's libraries put whole payloads into their records: the unsigned body at INFO, every request and answer
at DEBUG, response bodies into the text of exceptions. So they get a logger that lets nothing through, and
the few lines worth having are our own.
"""

from __future__ import annotations

import logging

from bot.runtime.logs import event, where

logger = logging.getLogger("bot.slack")


class _Nothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 -- whatever it is
        return False


def silent() -> logging.Logger:
    """A logger for Slack's libraries.

    Bolt copies its level, filters and ``disabled`` onto loggers of its own; so the three say the same, and
    a later ``setLevel`` on one of Bolt's still meets the filter.
    """
    quiet = logging.Logger("bot.slack.silent", level=logging.CRITICAL + 1)
    quiet.disabled = True
    quiet.addFilter(_Nothing())
    return quiet


def failed(action: str, error: BaseException, **ids: str) -> None:
    """A failure by the name of the act and its ids. The error's text may quote a payload, so it stays out."""
    event(logger, "slack.failed", logging.ERROR, what=action, error=type(error).__name__, at=where(error), **ids)
