"""The check of the records that runs every night: beside everything else, since it reads the whole ledger."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta

from bot.runtime.dispatch import Product
from bot.runtime.logs import event
from handlers.program_desk.integrity import note
from program.core.times import local_day, to_utc
from storage.core import program
from storage.core.database import Tx
from storage.record import integrity, policies, verification

log = logging.getLogger("plc.records")

AT = time(2, 0)  # in the program's zone
LOOK_SECONDS = 600.0  # how often it is looked whether tonight's is due


async def check_if_due(product: Product) -> bool:
    """Check the records if that was not done since the last night began; whether it was done now."""
    if not await product.threads.read(lambda tx: _is_due(tx, product.clock.now())):
        return False
    await check(product)
    return True


def _is_due(tx: Tx, now: datetime) -> bool:
    last = integrity.newest(tx)
    zone = program.zone_of(tx)
    day = local_day(now, zone)
    night = to_utc(datetime.combine(day, AT), zone)
    if night > now:
        night = to_utc(datetime.combine(day - timedelta(days=1), AT), zone)
    return last is None or last.at < night


async def check(product: Product) -> None:
    """Check the records and keep what it came to. The reading holds up nobody who writes."""
    verdict = await product.threads.read(lambda tx: verification.verify(tx, product.chain_key))

    def keep(tx: Tx) -> None:
        work = product.work(tx)
        note(work, verdict)
        policies.apply_zone(work)  # today may be the first day of another policy

    await product.threads.write(keep)
    level = logging.ERROR if verdict.problems else logging.INFO
    event(log, "records.checked", level, lines=verdict.lines, problems=len(verdict.problems))
