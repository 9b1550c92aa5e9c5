"""Runs due moments: each is claimed and handled, and its deliveries are queued, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import OperationalError

from bot.runtime.dispatch import Product
from bot.runtime.logs import event
from storage.core.database import Tx
from storage.outbox import due, moments
from storage.outbox.due import Moment

log = logging.getLogger("plc.planner")


def _never() -> bool:
    return False


async def look(product: Product, stopping: Callable[[], bool] = _never) -> int:
    """Run every moment that is due by now, or until ``stopping``; how many they were.

    Each is a short transaction of its own, so that people's acts go in between.
    """
    done = 0
    while not stopping() and await _next(product):
        done += 1
    return done


async def _next(product: Product) -> bool:
    """Run the earliest due moment; False when there is none. One that fails is postponed and blocks no other.

    Raises:
        OperationalError: the database is away or full. The moment is not to blame, so it stays as it was.
    """
    held: list[tuple[Moment, str]] = []
    try:
        done = await product.threads.write(partial(_do, product, held))
    except OperationalError:
        raise
    except Exception as error:
        if not held:
            raise
        await _postpone(product, held[0][0], error)
        return True
    if done:
        _note(product, *held[0])
    return done


def _do(product: Product, held: list[tuple[Moment, str]], tx: Tx) -> bool:
    """Claim and run the earliest one; it is put into ``held`` first, so that its failure can be saved."""
    work = product.work(tx)
    moment = due.claim(work)
    if moment is None:
        return False
    held[:] = [(moment, "failed")]
    spec = product.router.moments.get(moment.kind)
    state = (spec.handler(work, moment, product.vault) or "done") if spec else "failed"
    due.settle(work, moment, state)
    held[:] = [(moment, state)]
    return True


def _note(product: Product, moment: Moment, state: str) -> None:
    if moment.kind in moments.PRIVATE:  # when these come, and whether they do anything, depends on who paused
        return
    product.metrics.done(moment.kind, (product.clock.now() - moment.due_at).total_seconds())
    event(log, "moment.done", kind=moment.kind, subject=moment.subject, state=state)


async def _postpone(product: Product, moment: Moment, error: Exception) -> None:
    # The exception's own text may hold somebody's words; its kind and the ids are enough to find it.
    ids = {"kind": moment.kind, "subject": moment.subject, "error": type(error).__name__}
    event(log, "moment.failed", logging.ERROR, **ids)
    await product.threads.write(lambda tx: due.postpone(product.work(tx), moment))
