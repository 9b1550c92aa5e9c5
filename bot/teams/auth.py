"""Who calls the bot, and the access token with which the bot calls: tokens and signing keys, cached."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import jwt

from bot.runtime.logs import event
from bot.runtime.port import Permanent, Temporary, Uncertain
from bot.teams.activities import CHANNEL
from bot.teams.http_client import HttpClient

log = logging.getLogger(__name__)

ISSUER = "https://api.botframework.com"
SCOPE = "https://api.botframework.com/.default"
SERVICE_URL_CLAIM = "serviceurl"
CLOCK_SKEW = 5 * 60  # seconds
KEYS_LIVE = 24 * 3600  # seconds
KEYS_REST = 60  # seconds between two refreshes because of unknown keys
TOKEN_MARGIN = 5 * 60  # seconds before its end at which a token is renewed

Clock = Callable[[], float]


class Unauthorized(Exception):
    """The caller did not prove that it is the Bot Framework and calls this bot."""


class NotTeams(Exception):
    """The activity comes from a channel other than Teams."""


class KeysUnreachable(Exception):
    """The Bot Framework's signing keys cannot be fetched, so no token can be checked."""


# This is our own code and not msal (1.39): msal accepts only https login addresses, so no test could run it against a
# server; its cache reads the wall clock, which cannot be injected; it blocks, also while it is built, when it fetches
# the tenant's OpenID configuration. What it would replace is one form that is posted.
class Tokens:
    """The bot's access token for the Bot Connector, cached until 5 minutes before it expires.

    ``clock`` returns seconds and only moves forward.
    """

    def __init__(
        self,
        http: HttpClient,
        app_id: str,
        password: str,
        tenant_id: str,
        login_url: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._http, self._clock = http, clock
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
        """Return the Authorization header of a call; no header if there is no password (a test client).

        Raises:
            Temporary, Permanent: as :meth:`token` does.
        """
        return {"Authorization": f"Bearer {await self.token()}"} if self._needed else {}

    async def token(self) -> str:
        """Return the cached token, or fetch a new one if it is about to expire.

        Raises:
            Temporary: Microsoft's sign-in cannot be reached or fails.
            Permanent: it refuses the bot's credentials.
        """
        async with self._lock:
            if self._clock() >= self._until:
                self._token, life = await self._fetch()
                self._until = self._clock() + max(life - TOKEN_MARGIN, 0)
            return self._token

    def forget(self, token: str | None = None) -> None:
        """Make the next call fetch a new token.

        ``token``: the one that the connector refused. A newer one, fetched for another call since then, is kept.
        """
        if token is None or token == self._token:
            self._until = 0.0

    async def _fetch(self) -> tuple[str, float]:
        try:
            answer = await self._http.call("POST", self._url, data=self._form)
        except Uncertain as error:  # asking for a token changes nothing
            raise Temporary(str(error)) from None
        if answer.status >= 500 or answer.status == 429:
            raise Temporary(f"Microsoft's sign-in answers HTTP {answer.status}.")
        try:
            body = answer.json()
            if answer.status == 200:
                return str(body["access_token"]), float(body["expires_in"])
        except (ValueError, KeyError, TypeError):
            raise Temporary("Microsoft's sign-in answered something unreadable.") from None
        raise Permanent(
            f"Microsoft's sign-in refuses the bot (HTTP {answer.status}). "
            "Check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID."
        )


# This is our own code and not PyJWT's PyJWKClient (2.15): when its cache has expired and Microsoft cannot be reached,
# it refuses keys that it knows; while Microsoft cannot be reached, each forged token with an unknown key makes it ask
# again; its clock cannot be injected; it blocks; and it does not return a key's endorsements. PyJWT reads the keys
# and checks the tokens.
class SigningKeys:
    """The Bot Framework's public keys by id, each with the channels that it is endorsed for.

    Keys are fetched again after a day. They stay valid while Microsoft cannot be reached.
    ``clock`` returns seconds and only moves forward.
    """

    def __init__(self, http: HttpClient, metadata_url: str, clock: Clock = time.monotonic) -> None:
        self._http, self._url, self._clock = http, metadata_url, clock
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetched = self._tried = 0.0  # when the keys were last fetched, and when that was last tried
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> dict[str, Any] | None:
        """Return the key as JSON, or None if there is none with this id.

        An unknown id fetches the keys again, at most once in 60 seconds, whether or not Microsoft answers.

        Raises:
            KeysUnreachable: no keys were ever fetched, and they cannot be fetched now.
        """
        async with self._lock:
            now = self._clock()
            wanted = key_id not in self._keys or now - self._fetched >= KEYS_LIVE
            if not self._keys or (wanted and now - self._tried >= KEYS_REST):
                await self._refresh()
            return self._keys.get(key_id)

    async def refresh(self) -> None:
        """Fetch the keys now. Raises as :meth:`find` does."""
        async with self._lock:
            await self._refresh()

    async def _refresh(self) -> None:
        self._tried = self._clock()
        try:
            metadata = await self._get(self._url)
            listed = (await self._get(metadata["jwks_uri"]))["keys"]
            keys = {key["kid"]: key for key in listed if "kid" in key}
            if not keys:
                raise ValueError("no keys")
            self._keys, self._fetched = keys, self._tried
        except (Temporary, Uncertain, ValueError, KeyError, TypeError):
            if not self._keys:
                raise KeysUnreachable(KeysUnreachable.__doc__) from None
            event(log, "teams.keys_not_refreshed", logging.WARNING)

    async def _get(self, url: str) -> Any:
        answer = await self._http.call("GET", url)
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        return answer.json()


class CallerCheck:
    """Checks that the Bot Framework sent an activity, from Teams, to this bot."""

    def __init__(self, app_id: str, keys: SigningKeys) -> None:
        self._app_id, self._keys = app_id, keys

    async def claims(self, auth_header: str, service_url: str, channel_id: str | None) -> dict[str, Any]:
        """Return the token's claims, which fit the activity's service URL and channel.

        Raises:
            Unauthorized: the token is missing, not signed by the Bot Framework, not for this bot, expired, or for
                another service URL.
            NotTeams: the token or the activity is of another channel.
            KeysUnreachable: no signing keys can be fetched.
        """
        scheme, _, token = auth_header.partition(" ")
        if scheme != "Bearer" or not token:
            raise Unauthorized("no bearer token")
        try:
            claims = await self._verified(token)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise Unauthorized(type(error).__name__) from None
        if not same_address(claims.get(SERVICE_URL_CLAIM), service_url):
            raise Unauthorized("the service URL is not the signed one")
        if channel_id != CHANNEL:
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
    """Return whether two service URLs are the same, but for a slash at the end."""
    return isinstance(signed, str) and signed.rstrip("/") == sent.rstrip("/")
