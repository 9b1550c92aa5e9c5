"""The authentication that botbuilder's adapter asks for, over :class:`bot.teams.auth.CallerCheck`.

The SDK's own fetches a token in every turn and its keys without a time limit, both on the event loop, does not
expect that keys rotate, and answers a forged token with a crash.
"""

from __future__ import annotations

from typing import Any

from botframework.connector.auth import ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from bot.teams.auth import CallerCheck
from bot.teams.botbuilder.connector_clients import ConnectorClients


class BotAuthentication:
    """Stands in for the SDK's authentication in ``CloudAdapterBase``."""

    def __init__(self, callers: CallerCheck | None, clients: ConnectorClients) -> None:
        self._callers, self._clients = callers, clients

    async def authenticate_request(self, activity: Any, auth_header: str) -> AuthenticateRequestResult:
        """Return the caller's claims; none for a test client.

        Raises:
            Unauthorized, NotTeams, KeysUnreachable: as :meth:`CallerCheck.claims` does.
        """
        claims: dict[str, Any] = {}
        if self._callers is not None:
            claims = await self._callers.claims(auth_header, activity.service_url, activity.channel_id)
        result = AuthenticateRequestResult()
        result.claims_identity = ClaimsIdentity(claims, True)
        result.connector_factory = self._clients
        return result

    def create_connector_factory(self, _claims_identity: Any) -> ConnectorClients:
        """Return the clients that all turns share."""
        return self._clients

    async def create_user_token_client(self, _claims_identity: Any) -> None:
        """Return nothing: the bot signs nobody in."""
