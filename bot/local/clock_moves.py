"""Moving the example's clock: to the next due moment, on by some hours, or back to the beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.local import sent
from bot.local.act_requests import ActRequests
from bot.local.chat import Chat
from bot.local.host import Host, LocalPerson, NextDue
from bot.local.hub import Hub
from bot.local.local_render import ClockView, moment, path_of
from bot.local.messages import direct
from bot.local.sent import Json
from bot.local.visitors import Visitors


class ClockMoves:
    """One move at a time."""

    def __init__(self, chat: Chat, host: Host, hub: Hub, visitors: Visitors, requests: ActRequests) -> None:
        self._chat = chat
        self._host = host
        self._hub = hub
        self._visitors = visitors
        self._requests = requests
        self._moving = asyncio.Lock()

    async def view(self) -> ClockView:
        """What a page shows of the clock."""
        working = self._moving.locked()
        due: NextDue | None = None if working else await self._host.next_due()
        return ClockView(self._host.now(), due, working)

    async def move_clock(self, request: web.Request) -> web.Response:
        """Move the clock as the address says: ``next``, ``forward`` or ``reset``.

        Raises:
            HTTPNotFound: there is no such move.
            Unfit: the person is unknown, or the body or its key cannot be right.
        """
        visitor = await self._visitors.visitor(request, conversation=direct(request.match_info["user"]))
        moves: dict[str, Callable[[LocalPerson, Json], Awaitable[Json]]] = {
            "next": self._go_to_next,
            "forward": self._go_forward,
            "reset": self._start_over,
        }
        move = moves.get(request.match_info["move"])
        if move is None:
            raise web.HTTPNotFound

        async def work(_key: str, body: Json) -> Json:
            async with self._moving:
                self._hub.poke()  # so that other tabs say that the clock is moving
                return await move(visitor.person, body)

        return await self._requests.done_once(request, await sent.body(request), work)

    async def _go_to_next(self, person: LocalPerson, _body: Json) -> Json:
        done = await self._host.go_to_next()
        if done is None:
            return {"said": "Nothing is due, so the clock stays the same."}
        return {"said": f"Done: {done.what}. {self._time_now(person)}"}

    async def _go_forward(self, person: LocalPerson, body: Json) -> Json:
        hours = sent.whole(body.get("hours"))
        if not 1 <= hours <= 24 * 366:
            raise sent.Unfit("The clock moves by an hour at least and a year at most.")
        await self._host.go_forward(hours)
        return {"said": self._time_now(person)}

    async def _start_over(self, person: LocalPerson, _body: Json) -> Json:
        with self._visitors.kept_waiting():
            await asyncio.to_thread(self._chat.clear)
            await self._host.reset()
        return {"said": "The example starts over.", "go": path_of(person.user)}

    def _time_now(self, person: LocalPerson) -> str:
        return f"It is now {moment(self._host.now(), person.zone)}."
