"""Forged ids: what somebody wrote in confidence, and everybody's attempts at it, for each platform's HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from bot.app import App
from storage import checkins, disputes, ledger, people, reflections, shares
from storage.database import Tx
from storage.ledger import Line
from storage.tables import metadata

SECRET = "canary-Wiesenknopf-2207"


@dataclass(frozen=True, slots=True)
class Forgery:
    """An act with the id of somebody else's thing. ``values``: it is a form, filled in so."""

    name: str
    thing: str
    more: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def refusal(self) -> str:
        """What everybody is told, whether the thing is there or not."""
        what = {"reflections": "reflection", "checkins": "check-in", "disputes": "dispute"}
        return f"That {what[self.name.partition('.')[0]]} is not there."

    def act(self, thing: UUID) -> str:
        """What a button or form carries."""
        return "|".join((self.name, str(thing), *self.more))


FORGERIES = (
    Forgery("reflections.open", "reflection"),
    Forgery("reflections.delete", "reflection"),
    Forgery("reflections.share", "reflection"),
    Forgery("reflections.stop", "share"),
    Forgery("reflections.read", "share"),
    Forgery("reflections.save", "reflection", values={"typed": "Changed"}),
    Forgery("checkins.write", "checkin"),
    Forgery("checkins.pulse", "checkin", ("3",)),
    Forgery("checkins.save", "checkin", values={"typed": "Changed"}),
    Forgery("disputes.read", "dispute"),
    Forgery("disputes.withdraw", "dispute"),
    Forgery("disputes.settled", "dispute", values={"outcome": "stands"}),
)


async def written(app: App, mentee: str, mentor: str) -> dict[str, UUID]:
    """A reflection that a mentee shared with a mentor, and a dispute for the coordinator's eyes; the ids."""
    product = app.product

    def write(tx: Tx) -> dict[str, UUID]:
        work = product.work(tx)
        author, reader = people.by_email(tx, mentee), people.by_email(tx, mentor)
        assert author is not None
        assert reader is not None
        account = people.accounts_of(tx, author.id)[0].id
        day = work.now.date() - timedelta(days=1)
        found = checkins.open_checkins(work, [(author.id, day, [])], work.now + timedelta(days=7))[0]
        reflections.save(product.vault, work, found, author.id, account, {reflections.TYPED: SECRET})
        item = next(one.id for one in reflections.of_account(tx, account) if one.day == day)
        about, opened = (
            ledger.add(work, author.id, Line(kind, step, work.now, author.id, "self", minutes=30, code="contact"))
            for kind, step in (("activity", "logged"), ("dispute", "opened"))
        )
        words = product.vault.save(work, "dispute", SECRET, person_id=author.id, account_id=account, checkin_id=None)
        return {
            "reflection": item,
            "checkin": found.id,
            "share": shares.make(work, item, author.id, reader.id),
            "dispute": disputes.add(work, author.id, opened, about, words, with_mentors=False).id,
        }

    def keys(tx: Tx) -> None:
        author = people.by_email(tx, mentee)
        assert author is not None
        product.vault.ensure_keys(product.work(tx), [author.id])

    await product.threads.write(keys)
    found = await product.threads.write(write)
    await app.loop.drain()
    return found


def confidential_rows(tx: Tx) -> dict[str, list[str]]:
    """Everything that a forged act could have changed or left a trace in."""
    names = ("vault_item", "checkin", "share", "share_reading", "dispute", "ledger_line", "consent", "delivery")
    tables = [one for one in metadata.sorted_tables if one.name in names]
    return {one.name: sorted(map(str, tx.execute(one.select()).all())) for one in tables}
