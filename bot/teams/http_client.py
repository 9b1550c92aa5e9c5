"""HTTP calls to Microsoft: one aiohttp session with short time limits, and failures as the port's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.runtime.port import Permanent, Temporary, Uncertain, Unreachable, Wait

CONNECTIONS = 32  # the sends' own pool
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 10.0
DEFAULT_WAIT = 5.0
LONGEST_WAIT = 3600.0

_NOT_A_MEMBER = "The bot is no longer in this Teams conversation. Add the app to the team or chat again."
_GONE = "Teams can't find this conversation or message. It was probably deleted."
_CREDENTIALS = "Teams refuses the bot's credentials. Check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID."
_FORBIDDEN = "Teams doesn't let the bot write here. The person or an administrator may have blocked or removed it."

_ORGANIZATION_CODES = frozenset({"BotDisabledByAdmin"})  # the organization's: it says nothing of the recipient


class Gone(Unreachable):
    """Teams does not know this conversation, message or person (404)."""


class Barred(Unreachable):
    """The bot is not a member of the conversation, or may not write there (403)."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer whose body was read completely."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON; an empty object if the body is empty.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body) if self.body.strip() else {}


class HttpClient:
    """Holds the session between ``start()`` and ``stop()``. ``timeout``: seconds for each call."""

    def __init__(self, timeout: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_SECONDS, timeout))
        self._session: aiohttp.ClientSession | None = None

    @property
    def started(self) -> bool:
        """Return whether calls can be made."""
        return self._session is not None

    async def start(self) -> None:
        """Open the session. Nothing connects yet."""
        if self._session is None:
            # A message on a connection that the other side has just closed would count as lost.
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS)
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=connector)

    async def stop(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: object = None,
    ) -> HttpAnswer:
        """Make one call, once, and return its answer, whatever its status.

        Raises:
            Temporary: nothing was sent, or repeating it is repeatable.
            Uncertain: it was sent and the answer was lost.
        """
        if self._session is None:
            raise Temporary("Teams is not started.")
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, allow_redirects=False
            ) as response:
                return HttpAnswer(response.status, dict(response.headers), await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Temporary(f"Teams cannot be reached ({type(error).__name__}).") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _lost(method, url, type(error).__name__) from None


def repeatable(method: str, url: str) -> bool:
    """Return whether repeating the call does no harm. Opening a personal chat twice returns the existing chat."""
    return method in ("GET", "PUT") or url.rstrip("/").endswith("/v3/conversations")


def _lost(method: str, url: str, why: str) -> Temporary | Uncertain:
    text = f"The answer of Teams was lost ({why})."
    return Temporary(text) if repeatable(method, url) else Uncertain(text)


def checked(method: str, url: str, answer: HttpAnswer) -> HttpAnswer:
    """Return the answer of a call that did its work.

    Raises:
        Wait: Teams asks to call later (429, 412).
        Temporary: nothing was done, or the call may be repeated without harm.
        Uncertain: the call may have done its work.
        Permanent: it can never succeed; :class:`Gone` for 404, :class:`Barred` for 403.
    """
    if 200 <= answer.status < 300:
        try:
            answer.json()
        except ValueError:
            raise _lost(method, url, "its answer is not JSON") from None
        return answer
    raise _problem(method, url, answer)


def _problem(method: str, url: str, answer: HttpAnswer) -> Exception:
    status, code = answer.status, _code(answer)
    if status in (429, 412):
        return Wait(_retry_after(answer.headers))
    if status >= 500 or status == 408:
        return _lost(method, url, f"HTTP {status}")
    if code == "BotNotInConversationRoster":
        return Barred(_NOT_A_MEMBER)
    if status == 401:
        return Permanent(_CREDENTIALS)
    if code in _ORGANIZATION_CODES:
        return Permanent(_FORBIDDEN)
    if status == 403:
        return Barred(_FORBIDDEN)
    if status == 404:
        return Gone(_GONE)
    return Permanent(f"Teams refused the call (HTTP {status}{', ' + code if code else ''}).")


def _code(answer: HttpAnswer) -> str:
    """The platform's error code. Its message is left out: it may repeat what was sent."""
    try:
        code = answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9]{1,60}", code) else ""


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return min(max(float(value), 0.0), LONGEST_WAIT)
            except ValueError:
                return DEFAULT_WAIT
    return DEFAULT_WAIT
