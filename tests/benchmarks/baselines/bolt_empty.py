"""An empty slack-bolt listener: ``python -m tests.benchmarks.baselines.bolt_empty API_URL [before]``.

With ``before`` it has ``process_before_response=True``, else Bolt's defaults.
"""

from __future__ import annotations

import asyncio
import sys

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from manifest.slack import COMMAND, EVENTS_PATH
from tests.benchmarks.serving import serve
from tests.fakes.slack import BOT_TOKEN, SIGNING_SECRET


async def main(api_url: str, before: bool) -> None:
    client = AsyncWebClient(token=BOT_TOKEN, base_url=api_url)
    app = AsyncApp(client=client, signing_secret=SIGNING_SECRET, process_before_response=before)

    async def nothing(ack: AsyncAck) -> None:
        await ack()

    app.command(COMMAND)(nothing)
    await serve(app.web_app(EVENTS_PATH))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], "before" in sys.argv))
