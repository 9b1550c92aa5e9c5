"""A page that sends again within this process gets the first answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.local.sent import Json

KEPT_ACTS = 500

Work = Callable[[], Awaitable[Json]]


@dataclass(slots=True)
class Once:
    """Run an action once for each key: a repetition waits for the first one's answer and gets it.

    This holds for a page that sends again within this process; beyond it, the handlers' own keys do.
    """

    acts: dict[str, asyncio.Task[Json]] = field(default_factory=dict)

    async def do(self, key: str, work: Work) -> Json:
        """Run the work, or return the answer of the first time that it ran under this key.

        An answer with a ``problem`` is not kept, so the same key may be tried again. The work goes on if the caller
        is canceled.
        """
        act = self.acts.get(key)
        if act is None:
            act = asyncio.create_task(self._run(key, work))
            self.acts[key] = act
            self._forget_oldest()
        return await asyncio.shield(act)

    async def _run(self, key: str, work: Work) -> Json:
        answer = await work()
        if "problem" in answer:  # it may be tried again under the same key
            self.acts.pop(key, None)
        return answer

    def _forget_oldest(self) -> None:
        while len(self.acts) > KEPT_ACTS:
            oldest = next(iter(self.acts))
            if not self.acts[oldest].done():
                return
            del self.acts[oldest]

    async def finish(self) -> None:
        """Wait until all work that began has ended, and forget the answers."""
        await asyncio.gather(*self.acts.values(), return_exceptions=True)
        self.acts.clear()
