"""A moment comes: each due moment is claimed, done, and its deliveries queued, in one transaction."""

from __future__ import annotations

import logging

from bot.dispatch import Product
from storage import due
from storage.database import Tx
from storage.due import Moment

log = logging.getLogger("plc.planner")


async def look(product: Product) -> int:
    """Do everything that is due by now; how many moments that were."""
    done = 0
    while await _next(product):
        done += 1
    return done


async def _next(product: Product) -> bool:
    """Do the earliest due moment; False when there is none. A failing one waits and keeps nothing back."""
    held: list[Moment] = []

    def do(tx: Tx) -> bool:
        work = product.work(tx)
        moment = due.claim(work)
        if moment is None:
            return False
        held.append(moment)
        spec = product.router.moments.get(moment.kind)
        state = spec.handler(work, moment, product.vault) if spec else "failed"
        due.settle(work, moment, state or "done")
        return True

    try:
        found = await product.threads.write(do)
    except Exception as error:
        if not held:
            raise
        # The exception's own text may hold somebody's words; its kind and the ids are enough to find it.
        log.error("moment.failed kind=%s subject=%s error=%s", held[0].kind, held[0].subject, type(error).__name__)
        await product.threads.write(lambda tx: due.postpone(product.work(tx), held[0]))
        return True
    if found:
        log.info("moment.done kind=%s subject=%s", held[0].kind, held[0].subject)
    return found
