"""Asking the product, and holding the tasks whose answers are still on their way to Slack.

Slack gives an app three seconds. A quick answer travels inside the acknowledgement; for a slow one the
listener acknowledges, holds on to the task, and the answer follows through ``response_url`` or a call.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot.runtime.port import Answer
from bot.slack import sdk_logs
from bot.slack.errors import PORT_ERRORS
from bot.slack.slack_port import SlackPort
from handlers.core.actions import BadAction
from handlers.core.requests import Command, HomeOpened, Press, Reply, Request, Submit, Typed, notice
from program.program_desk.reporting import act_in_log

T = TypeVar("T")

REMEMBERED_ACTS = 2_000

SORRY = "Something went wrong and nothing was saved. Please try again."
FAILURE = notice(SORRY)
OUTDATED = notice("This button is too old. Send /plc help to see what I can do.")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for an answer before Slack is told something."""

    answer: float = 2.0
    form: float = 1.5  # a form needs a trigger, which lives three seconds
    stop: float = 10.0  # for the tasks that are still held when the bot stops


class Asking:
    """Asks ``answer``, and holds what is still being answered."""

    def __init__(self, port: SlackPort, answer: Answer, patience: Patience) -> None:
        self.patience = patience
        self._port = port
        self._answer = answer
        self._held: set[asyncio.Task[Any]] = set()
        self._processed: OrderedDict[str, None] = OrderedDict()

    def hold(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The loop itself keeps only weak references, so a task nobody holds may vanish half way."""
        task = asyncio.create_task(work)
        self._held.add(task)
        task.add_done_callback(self._let_go)
        return task

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._held.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # asked for here, or asyncio itself would log the error with its text
            sdk_logs.failed("answering", error)

    async def finish(self) -> None:
        """Let the held answers go out; those that take too long are ended."""
        if self._held:
            await asyncio.wait(set(self._held), timeout=self.patience.stop)
        for task in set(self._held):
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)

    @staticmethod
    async def is_quick(task: asyncio.Task[Any], seconds: float) -> bool:
        """Wait at most these seconds, and return whether the task has ended. It is never canceled."""
        await asyncio.wait({task}, timeout=seconds)
        return task.done()

    def is_repeated(self, key: str) -> bool:
        """Slack sent this act before. The database knows it too; this only spares a second answer."""
        if key in self._processed:
            return True
        self._processed[key] = None
        if len(self._processed) > REMEMBERED_ACTS:
            self._processed.popitem(last=False)
        return False

    async def ask(self, request: Request) -> Reply:
        """Return the product's reply. An outdated button and a failure are notices; a failure is logged."""
        try:
            return await self._answer(await self._in_own_chat(request))
        except BadAction:
            return OUTDATED
        except Exception as error:
            self._processed.pop(request.key, None)  # so that Slack's retry is answered
            sdk_logs.failed(_name(request), error, team=request.who.tenant)
            return FAILURE

    async def _in_own_chat(self, request: Request) -> Request:
        """The request with the chat that it is answered in.

        A personal one is answered in the person's chat with the bot, also if it comes from the home tab or from a
        direct message between two people, where the bot cannot write.
        """
        place = request.place
        there = bool(place.conversation) and isinstance(request.intent, Typed | HomeOpened)
        if place.kind != "personal" or there:
            return request
        try:
            own = await self._port.chat_with(request.who.user)
        except PORT_ERRORS:
            return request
        return replace(request, place=replace(place, conversation=own))

    async def or_sorry(self, work: Awaitable[T], sorry: Callable[[], Awaitable[T]]) -> T:
        """An answer that cannot be shown is a fault of ours, and never silence."""
        try:
            return await work
        except Exception as error:
            sdk_logs.failed("answering", error)
            return await sorry()


def _name(request: Request) -> str:
    """A stable name for the log; never a word that a person typed."""
    match request.intent:
        case Press(action) | Submit(action, _):
            return act_in_log(action.name)
        case Command():
            return "command"
        case intent:
            return type(intent).__name__.lower()
