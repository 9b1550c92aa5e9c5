"""Who calls us, and as whom we call: the Bot Framework's signing keys and our own access token.

botframework-connector 4.17.1 fetches a token in every turn and its keys without a time limit, both on the
event loop, forgets that keys rotate, and answers a forged token with a crash. Here tokens and keys are
fetched without blocking, cached, and refreshed once when they are not enough; whatever is wrong with a
caller's token is one exception.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import jwt
from botframework.connector.auth import AuthenticationConstants, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from bot.runtime.logs import event
from bot.runtime.port import Permanent, Temporary, Uncertain
from bot.teams.activities import CHANNEL
from bot.teams.connector import Connectors
from bot.teams.wire import Wire

log = logging.getLogger(__name__)

ISSUER = AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
SCOPE = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE + "/.default"
SERVICE_URL_CLAIM = AuthenticationConstants.SERVICE_URL_CLAIM
CLOCK_SKEW = 5 * 60  # seconds
KEYS_LIVE = 24 * 3600  # seconds
KEYS_REST = 60  # seconds between two refreshes that unknown keys ask for
TOKEN_MARGIN = 5 * 60  # seconds before its end at which a token is renewed

Clock = Callable[[], float]


class Unauthorized(Exception):
    """The caller did not prove that it is the Bot Framework speaking to this bot."""


class NotTeams(Exception):
    """The Bot Framework speaks for a channel other than Teams."""


class KeysUnreachable(Exception):
    """The Bot Framework's signing keys cannot be fetched, so nobody's token can be checked."""


class Tokens:
    """Our access token for the connector, cached until shortly before it ends."""

    def __init__(
        self,
        wire: Wire,
        app_id: str,
        password: str,
        tenant_id: str,
        login_url: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._wire, self._clock = wire, clock
        self._url = f"{login_url.rstrip('/')}/{tenant_id}/oauth2/v2.0/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": app_id,
            "client_secret": password,
            "scope": SCOPE,
        }
        self._needed = bool(password)
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """What a call to the connector carries; nothing where there is no password (a test client)."""
        return {"Authorization": f"Bearer {await self.token()}"} if self._needed else {}

    async def token(self) -> str:
        async with self._lock:
            if self._clock() >= self._until:
                self._token, life = await self._fetch()
                self._until = self._clock() + max(life - TOKEN_MARGIN, 0)
            return self._token

    def forget(self, token: str | None = None) -> None:
        """Make the next call fetch a new token.

        ``token``: the one that the connector refused. A newer one, fetched for another call meanwhile, is kept.
        """
        if token is None or token == self._token:
            self._until = 0.0

    async def _fetch(self) -> tuple[str, float]:
        try:
            answered = await self._wire.call("POST", self._url, data=self._form)
        except Uncertain as error:  # asking for a token changes nothing
            raise Temporary(str(error)) from None
        if answered.status >= 500 or answered.status == 429:
            raise Temporary(f"Microsoft's sign-in answers HTTP {answered.status}.")
        try:
            body = answered.json()
            if answered.status == 200:
                return str(body["access_token"]), float(body["expires_in"])
        except (ValueError, KeyError, TypeError):
            raise Temporary("Microsoft's sign-in answered something unreadable.") from None
        raise Permanent(
            f"Microsoft's sign-in refuses the bot (HTTP {answered.status}). "
            "Check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID."
        )


class SigningKeys:
    """The Bot Framework's public keys by id, each with the channels it may speak for."""

    def __init__(self, wire: Wire, metadata_url: str, clock: Clock = time.monotonic) -> None:
        self._wire, self._url, self._clock = wire, metadata_url, clock
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetched: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> dict[str, Any] | None:
        """The key, fetching anew when they are old, and once when this one is not among them."""
        async with self._lock:
            age = None if self._fetched is None else self._clock() - self._fetched
            unknown = key_id not in self._keys and (age is None or age >= KEYS_REST)
            if age is None or age >= KEYS_LIVE or unknown:
                await self._refresh()
            return self._keys.get(key_id)

    async def refresh(self) -> None:
        async with self._lock:
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            metadata = await self._get(self._url)
            keys = (await self._get(metadata["jwks_uri"]))["keys"]
            self._keys = {key["kid"]: key for key in keys if "kid" in key}
            self._fetched = self._clock()
        except (Temporary, Uncertain, ValueError, KeyError, TypeError):
            if self._fetched is None:
                raise KeysUnreachable(KeysUnreachable.__doc__) from None
            # Old keys serve on; when to ask again starts anew, so an outage is not hammered.
            self._fetched = self._clock() - KEYS_LIVE + KEYS_REST
            event(log, "teams.keys_not_refreshed", logging.WARNING)

    async def _get(self, url: str) -> Any:
        answered = await self._wire.call("GET", url)
        if answered.status != 200:
            raise ValueError(f"HTTP {answered.status}")
        return answered.json()


class BotAuthentication:
    """What botbuilder's adapter asks of an authentication, and no more.

    It is handed to ``CloudAdapterBase`` in place of the SDK's own.
    """

    def __init__(self, app_id: str, keys: SigningKeys, connectors: Connectors, *, open_door: bool) -> None:
        self._app_id, self._keys, self._connectors = app_id, keys, connectors
        self._open_door = open_door

    async def authenticate_request(self, activity: Any, auth_header: str) -> AuthenticateRequestResult:
        claims = {} if self._open_door else await self._claims(activity, auth_header)
        result = AuthenticateRequestResult()
        result.claims_identity = ClaimsIdentity(claims, True)
        result.connector_factory = self._connectors
        return result

    def create_connector_factory(self, _claims_identity: Any) -> Connectors:
        return self._connectors

    async def create_user_token_client(self, _claims_identity: Any) -> None:
        """The bot signs nobody in, so no client is built for it in every turn."""

    async def _claims(self, activity: Any, auth_header: str) -> dict[str, Any]:
        scheme, _, token = auth_header.partition(" ")
        if scheme != "Bearer" or not token:
            raise Unauthorized("no bearer token")
        try:
            claims = await self._verified(token)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise Unauthorized(type(error).__name__) from None
        if not same_address(claims.get(SERVICE_URL_CLAIM), activity.service_url):
            raise Unauthorized("the service URL is not the signed one")
        if activity.channel_id != CHANNEL:
            raise NotTeams(NotTeams.__doc__)
        return claims

    async def _verified(self, token: str) -> dict[str, Any]:
        key = await self._keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            raise Unauthorized("an unknown signing key")
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK.from_dict(key, algorithm="RS256"),
            algorithms=["RS256"],
            audience=self._app_id,
            issuer=ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iss", "aud"]},
        )
        if CHANNEL not in (key.get("endorsements") or ()):
            raise NotTeams("The signing key is not endorsed for Teams.")
        return claims


def same_address(signed: object, sent: str) -> bool:
    """Whether two service URLs are the same. One may end in a slash that the other lacks."""
    return isinstance(signed, str) and signed.rstrip("/") == sent.rstrip("/")
