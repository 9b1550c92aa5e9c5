"""On Teams: requests with a token and ids that no button offered open nothing, change nothing, give nothing away."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from bot.teams.forms import INPUT
from tests.forged import FORGERIES, SECRET, Forgery, confidential_rows, written
from tests.teams.story import Answer, Someone, Story


async def forges(who: Someone, forgery: Forgery, thing: UUID) -> Answer:
    """Somebody presses the button, or sends the dialog."""
    act = forgery.act(thing)
    if forgery.values:
        ours = {"act": act, "opener": act, "fields": list(forgery.values), "many": []}
        filled = {INPUT + name: text for name, text in forgery.values.items()}
        return await who.acts(who.client.sends_dialog({"plc": ours, **filled}))
    if forgery.name.endswith(("open", "share", "write", "read")):
        return await who.acts(who.client.opens_dialog({"plc": {"act": act}}))
    return await who.acts(who.client.presses({"plc": {"act": act}}, verb=forgery.name))


async def test_forged_ids(story: Story, cohort: dict[str, Someone]) -> None:
    things = await written(story.app, "dana@example.org", "ruth@example.org")
    before = story.read(confidential_rows)
    for forgery in FORGERIES:
        for name in ("lee", "jordan", "tom"):
            there, nowhere = [await forges(cohort[name], forgery, thing) for thing in (things[forgery.thing], uuid4())]
            assert forgery.refusal in there.text, f"{forgery.name}: {there.text}"
            assert there.text == nowhere.text, forgery.name
        assert story.read(confidential_rows) == before, forgery.name
    assert SECRET not in json.dumps([call.body for call in story.fake.calls])
    assert SECRET not in json.dumps([one.body for one in story.answers])
