"""Calls to the Bot Connector with the bot's access token."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.teams.auth import Tokens
from bot.teams.http_client import HttpAnswer, HttpClient, checked

MOST_TOKENS = 3  # that one call is made with


class Connector:
    """The Bot Connector's REST interface."""

    def __init__(self, http: HttpClient, tokens: Tokens) -> None:
        self._http, self._tokens = http, tokens

    async def get(self, service_url: str, *path: str) -> Any:
        """Return the JSON at ``/v3/`` and the path. Raises as :meth:`call` does."""
        parts = "/".join(quote(part, safe="") for part in path)
        return (await self.call("GET", f"{service_url.rstrip('/')}/v3/{parts}", {}, None)).json()

    async def call(self, method: str, url: str, headers: dict[str, str], data: object) -> HttpAnswer:
        """Make a call and return its answer.

        A call that was refused because of its token (401) did nothing, so it is made again with a new token.

        Raises:
            Temporary, Uncertain, Wait, Permanent: as :func:`bot.teams.http_client.checked` decides.
        """
        for _ in range(MOST_TOKENS):
            answer, token = await self._call(method, url, headers, data)
            if answer.status != 401 or not token:
                break
            self._tokens.forget(token)
        return checked(method, url, answer)

    async def _call(self, method: str, url: str, headers: dict[str, str], data: object) -> tuple[HttpAnswer, str]:
        """The answer, and the token that the call carried; empty if the bot has none."""
        authorization = await self._tokens.headers()
        answer = await self._http.call(method, url, headers=headers | authorization, data=data)
        return answer, authorization.get("Authorization", "").removeprefix("Bearer ")
