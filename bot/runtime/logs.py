"""The log: one line per event, a stable action name with ids, and never what somebody wrote.

Exceptions and libraries quote payloads, so of an exception only its class and place are written, and of a
library's record only who said it and where.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TextIO

SELDOM_SECONDS = 60.0
Format = Literal["text", "json"]

OURS = ("plc", "bot")
LIBRARIES = (
    "aiohttp",
    "alembic",
    "apscheduler",
    "asyncio",
    "botbuilder",
    "botframework",
    "fontTools",
    "msrest",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "urllib3",
)

# Every action with what it says. docs/operations.md tells the operator the same.
ACTIONS = {
    "bot.ready": "everything has started",
    "bot.stopping": "a stop signal came; what is in flight is finished",
    "bot.stopped": "everything has stopped; `clean=no`: the time limit was reached and calls were cut off",
    "moment.done": "a due moment was handled; `state` says how it ended",
    "moment.failed": "handling a due moment failed; it is tried again with longer waits, then given up and shown",
    "scheduler.refresh": "looking for due moments failed, most often because the database could not be reached",
    "scheduler.task": "one of the process's own tasks failed and is tried again; `task` names it",
    "heartbeat.keys": "this process lacks a key that is now needed; `why` names its fingerprint",
    "heartbeat.leave": "the process could not record that it stops; the others treat it as stopped after a while",
    "heartbeat.silent": "a process froze; its open transactions (`sessions`) were ended and rolled back",
    "forgetting.again": "a backup had brought back people who were forgotten; they were forgotten again",
    "vault.unopened": "something that a person wrote did not open with the current keys: run `plc-bot keys check`",
    "vault.unopened_keys": "`keys` data keys did not open at the start; the others work: run `plc-bot keys check`",
    "records.checked": "the nightly check of the records; if `problems` is not 0, run `plc-bot ledger verify`",
    "seal.misfit": "rows about an account have a wrong seal and are not used; see docs/privacy.md",
    "delivery.sent": "the platform accepted a message, a change of a message, or a visit",
    "delivery.waits": "the platform asked to wait `seconds`",
    "delivery.again": "a call failed and is tried again later",
    "delivery.permanent": "a call can never succeed as things are; the coordinator sees the reason",
    "delivery.uncertain": "the result of a call is not known; it is looked up before anything is sent again",
    "delivery.unconfirmed": "it may have arrived and cannot be looked up; shown to the coordinator, not sent again",
    "delivery.failed": "the message could not be made",
    "delivery.loop": "claiming deliveries failed, most often because the database could not be reached",
    "profile.unknown": "the platform did not return a person's profile",
    "document.failed": "a document could not be made",
    "local.act_failed": "an action in the local workspace failed",
    "slack.failed": "an action on Slack failed; `what` names it, or is `private`",
    "slack.unreadable": "a request was not one that Slack sends; it was answered with 400",
    "slack.socket_connected": "the Socket Mode session is connected",
    "slack.socket_lost": "the Socket Mode session was lost; the bot connects again in `seconds`",
    "teams.unreadable_activity": "a request was not an activity; it was answered with 400",
    "teams.unauthorized": "a caller did not prove that it is Teams",
    "teams.keys_unreachable": "Microsoft's signing keys cannot be fetched, so every request from Teams is refused",
    "teams.keys_not_refreshed": "Microsoft's signing keys could not be refreshed; the old ones stay in use",
    "teams.not_teams": "an activity of another channel, or from ids that Teams does not give, was refused",
    "teams.not_this_machine": "without tokens, a caller that is no test client on this machine was refused",
    "teams.foreign_tenant": "an activity of another tenant was refused",
    "teams.turn_failed": "an action on Teams failed",
    "teams.old_button": "a button of an older version was pressed",
    "teams.handler_failed": "answering failed; the person was told that nothing was saved",
    "teams.answer_not_sent": "an answer could not be sent to the person",
    "teams.not_sent_directly": "an answer is queued instead of sent at once",
    "teams.mention_unknown": "Teams did not say whose account a message mentions",
    "teams.visit_refused": "the bot could not enter a team",
    "teams.channel_name_unknown": "Teams did not say a channel's name",
    "web.accept_failed": "connections could not be accepted",
    "library": "a library logged something; `logger` and `at` say where, its text is left out",
}


def event(logger: logging.Logger, action: str, level: int = logging.INFO, **ids: object) -> None:
    """Log an action of :data:`ACTIONS` with its ids; never with text that somebody typed."""
    words = " ".join([action, *(f"{name}={_value(value)}" for name, value in ids.items())])
    logger.log(level, "%s", words, extra={"action": action, "ids": ids}, stacklevel=2)


class OnceAMinute:
    """Counts how often a thing is said, and lets it be written once in a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._written: dict[Hashable, float] = {}
        self._count: Counter[Hashable] = Counter()

    def times(self, thing: Hashable) -> int:
        """How often it was said since its last line, this time included; 0: it is not written this time."""
        self._count[thing] += 1
        now = self._clock()
        if now - self._written.get(thing, -math.inf) < SELDOM_SECONDS:
            return 0
        self._written[thing] = now
        return self._count.pop(thing)


class Seldom:
    """Logs what anybody outside may cause as often as they like: one line an action and a minute, with a count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = OnceAMinute(clock)

    def __call__(self, logger: logging.Logger, action: str, level: int, **ids: object) -> None:
        """As :func:`event`. ``times``: since the last line of this action."""
        if times := self._rate.times(action):
            event(logger, action, level, **ids, times=times)


class SeldomLibraries(logging.Filter):
    """Lets each thing that a library says pass once a minute, with a count.

    Anybody outside can make a library speak as often as they like: by a body that cannot be decompressed, or by
    leaving before the answer. What is said alike comes from one place in a library, with one kind of error.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rate = OnceAMinute(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; ``times``: since the last line of the same."""
        if _is_ours(record):
            return True
        times = record.times = self._rate.times(tuple(_said(record).values()))
        return times > 0


def where(error: BaseException) -> str:
    """The place an error comes from. Its text may quote somebody, so it stays out."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return ">".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames) or "-"


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text) if not text or any(char.isspace() or char in '="' for char in text) else text


# This is our own code and not structlog (26.1), which was tried in both of its ways:
# - As the formatter of logging's records (ProcessorFormatter) it takes as many lines, because the two functions below
#   and the filter above stay: its key=value renderer leaves carriage returns and other line separators as they are, so
#   that a value could begin a line; a processor cannot drop a record; and what its base class adds to a line, an
#   exception's text, must be taken away again. A line takes twice as long.
# - With loggers of its own it saves 10 lines. But then the events do not go through logging: a handler that listens to
#   everything (tests/canary searches what it hears) would not hear them, and a command that configures no log would
#   print them to standard output, where exports go.
class Formatter(logging.Formatter):
    """``key=value`` lines, or one JSON object a line."""

    def __init__(self, style: Format) -> None:
        super().__init__()
        self._json = style == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line: time in UTC, level, action and ids. A library's own text is left out."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **_said(record),
        }
        if self._json:
            return json.dumps(
                {name: value if isinstance(value, int | float) else str(value) for name, value in said.items()}
            )
        start = [str(said.pop("time")), str(said.pop("level")), str(said.pop("action"))]
        return " ".join([*start, *(f"{name}={_value(value)}" for name, value in said.items())])


def _said(record: logging.LogRecord) -> dict[str, object]:
    if _is_ours(record):
        return {"action": getattr(record, "action", ""), **getattr(record, "ids", {})}
    said: dict[str, object] = {"action": "library", "logger": record.name, "at": f"{record.module}:{record.lineno}"}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        said |= {"error": type(error).__name__, "from": where(error)}
    times = getattr(record, "times", 1)
    return said | ({"times": times} if times > 1 else {})


def _is_ours(record: logging.LogRecord) -> bool:
    return isinstance(getattr(record, "action", None), str) and record.name.partition(".")[0] in OURS


def configure(style: Format, *, verbose: bool, stream: TextIO | None = None) -> None:
    """Send the log to standard error. Libraries are heard from WARNING on, whatever else is wanted."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Formatter(style))
    handler.addFilter(SeldomLibraries())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns where a look is still going on
