"""A second account of somebody, in another workspace."""

from __future__ import annotations

from dataclasses import replace

from handlers.core.requests import AccountKey, Intent, Place, Reply, Request
from storage.people import account_links
from tests.world import Person, World

TENANT = "T2"


class Elsewhere(Person):
    """Somebody at their phone, in the other workspace."""

    def _place(self, channel: str | None) -> Place:
        return replace(super()._place(channel), tenant=TENANT)

    async def tries(self, intent: Intent, channel: str | None = None, key: str | None = None) -> Reply:
        self.world._acts += 1
        who = AccountKey(self.world.platform, TENANT, self.user)
        request = Request(who, self._place(channel), intent, key or f"act-{self.world._acts}")
        return await self.world.dispatcher.answer(request)


def second_account(world: World, of: Person) -> Elsewhere:
    """An additional account of a person who has one here."""
    user = f"{of.user}-elsewhere"
    with world.database.write() as tx:
        work = world.work(tx)
        account = account_links.remember(
            work, world.platform, TENANT, user, name="D. R.", email="d9@example.org", member=True, active=True
        )
        account_links.confirm(work, account.id, of.id, None)
    other = Elsewhere(world, user)
    other.id = of.id
    return other
