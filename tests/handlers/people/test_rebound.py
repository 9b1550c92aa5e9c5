"""An account that replaced an earlier one of the same person sees nothing of it, and can change nothing of it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.cli import roster
from storage.people import people
from storage.record import disputes
from storage.record.record_tables import dispute
from tests.handlers.scenes import absent, options
from tests.world import Person, World, said

DANA = "dana@example.org"


async def replaced(world: World, dana: Person) -> Person:
    """Dana's new account, once it has replaced the earlier one."""
    new = world.account("Dana Reyes-Hall", "hall@example.org")
    await new.sends("help")  # the bot has seen the account
    roster._match(world.database, DANA, new.user, world.clock.now(), uuid4)
    await world.settle()
    await world.pass_time(days=3, minutes=1)
    new.id = dana.id
    with world.database.read() as tx:
        assert [one.user for one in people.accounts_of(tx, dana.id)] == [new.user]
    return new


@pytest.mark.parametrize("readers", ["coordinator", "mentor"])
async def test_a_dispute_stays_with_the_account_that_wrote_it(
    world: World, ruth: Person, dana: Person, carol: Person, readers: str
) -> None:
    await absent(world, ruth, dana)
    form = (await dana.sends("dispute")).form
    await dana.fills(form, record=options(form)[0].value, readers=readers, text="CANARY about Ruth")
    with world.database.read() as tx:
        dispute_id = str(tx.scalar(select(dispute.c.id)))
    assert "CANARY" in said(await dana.does_press("disputes.read", dispute_id)), "its author reads it"
    new = await replaced(world, dana)
    for act in ("disputes.read", "disputes.withdraw", "disputes.settle"):
        assert said(await new.does_press(act, dispute_id)) == "I can't find that dispute."
        assert "CANARY" not in said(await dana.does_press(act, dispute_id)), "the earlier account is nobody's now"
    with world.database.read() as tx:
        assert [one.outcome for one in disputes.open_of(tx, dana.id)] == [""]
    assert "CANARY" in said(await carol.does_press("disputes.read", dispute_id)), "its readers read it still"
