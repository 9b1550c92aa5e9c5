"""Stock botbuilder: the CloudAdapter of its aiohttp package, echoing.

``python -m tests.benchmarks.baselines.teams_echo``. Without an app id it takes activities without tokens, as
the product is told to in the same measurement.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication

from tests.benchmarks.serving import serve


class Configuration:
    APP_ID = ""
    APP_PASSWORD = ""
    APP_TYPE = "MultiTenant"
    APP_TENANTID = ""


class Echo:
    async def on_turn(self, context: TurnContext) -> None:
        await context.send_activity(f"You said: {context.activity.text}")


async def main() -> None:
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(Configuration()))
    echo = Echo()

    async def messages(request: web.Request) -> web.StreamResponse:
        answered: web.StreamResponse = await adapter.process(request, echo)
        return answered

    app = web.Application()
    app.router.add_post("/api/messages", messages)
    await serve(app)


if __name__ == "__main__":
    asyncio.run(main())
