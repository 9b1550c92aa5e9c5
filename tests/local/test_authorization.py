"""In the local workspace: posts with ids that no button offered open nothing, change nothing, give nothing away."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import aiohttp

from bot.local.chat import direct
from bot.local.render import path_of
from tests.browser.product import DANA, JORDAN, LEE, RUTH, TOM, running
from tests.forged import FORGERIES, SECRET, Forgery, confidential_rows, written


async def forges(session: aiohttp.ClientSession, address: str, user: str, forgery: Forgery, thing: UUID) -> str:
    """What somebody's page shows after the press or the form."""
    body: dict[str, object] = {"key": str(uuid4()), "action": forgery.act(thing), "message": ""}
    verb = "submit" if forgery.values else "press"
    if forgery.values:
        body |= {"values": {name: [text] for name, text in forgery.values.items()}}
    there = direct(user)
    async with session.post(address + path_of(user, there, verb), json=body) as answer:
        told = await answer.text()
    async with session.get(address + path_of(user, there, "sync"), params={"since": "0"}) as answer:
        messages = (await answer.json())["messages"]
    return "\n".join([told, *(one["html"] or "" for one in messages[-1:])])


async def test_forged_ids(tmp_path: Path) -> None:
    async with running(tmp_path) as product, aiohttp.ClientSession() as session:
        things = await written(product.app, DANA, RUTH)
        before = product.read(confidential_rows)
        for forgery in FORGERIES:
            for user in (LEE, JORDAN, TOM):
                for thing in (things[forgery.thing], uuid4()):
                    told = await forges(session, product.address, user, forgery, thing)
                    assert forgery.refusal in told, f"{forgery.name}: {told}"
                    assert SECRET not in told
            assert product.read(confidential_rows) == before, forgery.name
