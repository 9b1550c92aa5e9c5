"""On Slack: signed requests with ids that no button offered open nothing, change nothing and give nothing away."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from bot.slack.render import FORM, PRESS
from tests.fakes.slack import Json
from tests.forged import FORGERIES, SECRET, Forgery, confidential_rows, written
from tests.slack.story import Neighbour, Story


def pressed(act: str, kind: str) -> Json:
    """A message with a button that nobody was ever shown."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Forged"}, "value": act}
    return {"ts": "1.0", "blocks": [{"type": "actions", "elements": [{**button, "action_id": f"{kind}{act}~1"}]}]}


async def forges(who: Neighbour, forgery: Forgery, thing: UUID) -> str:
    """What somebody is told who presses the button, or sends a form of their own with its id put into it."""
    act = forgery.act(thing)
    if not forgery.values:
        kind = FORM if forgery.name.endswith(("open", "share", "write", "read")) else PRESS
        return await who.taps("Forged", pressed(act, kind), who.chat)
    await who.sends("export")  # some form of their own
    return await sent(who, act, forgery)


async def sent(who: Neighbour, act: str, forgery: Forgery) -> str:
    notices, messages = len(who.fake.notices), len(who.inbox())
    view: Json = {
        "id": "V0FORGED",
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Forged"},
        "blocks": [
            {"type": "input", "block_id": name, "element": {"type": "plain_text_input", "action_id": name}}
            for name in forgery.values
        ],
        "private_metadata": json.dumps({"action": act}),
        "state": {
            "values": {
                name: {name: {"type": "plain_text_input", "value": text}} for name, text in forgery.values.items()
            }
        },
    }
    payload = {**who._acted(), "type": "view_submission", "view": view, "response_urls": []}
    answered = await who.wire.interactive(payload)
    await who.story.settled()
    told = [json.dumps(one) for one in who.fake.notices[notices:]]
    return "\n".join([json.dumps(answered.body), *told, *who.inbox()[messages:]])


async def test_forged_ids(story: Story) -> None:
    await story.all_matched()
    things = await written(story.app, "dana@example.org", "ruth@example.org")
    before = await story.app.product.threads.read(confidential_rows)
    for forgery in FORGERIES:
        for who in (story.lee, story.jordan, story.tom):
            for thing in (things[forgery.thing], uuid4()):
                told = await forges(who, forgery, thing)
                assert forgery.refusal in told, f"{forgery.name}: {told}"
                assert SECRET not in told
        assert await story.app.product.threads.read(confidential_rows) == before, forgery.name
    assert SECRET not in json.dumps([story.fake.calls, story.fake.notices], default=str)
