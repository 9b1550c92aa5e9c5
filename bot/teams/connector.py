"""The Bot Connector's clients: botframework's operations over our own wire, one client per service URL.

Out of the box every turn builds a client anew (which walks a list of 500 numbers 999 times), sends share a
pool of six threads with a limit of 100 seconds, and a failed connection is tried three more times. Here a
client is kept per service URL, and each call is one call over :class:`bot.teams.wire.Wire`.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from botframework.connector.aio import ConnectorClient
from msrest.pipeline import Request, Response
from msrest.pipeline.async_abc import AsyncHTTPSender, AsyncPipeline
from msrest.pipeline.universal import RawDeserializer
from msrest.serialization import Model, Serializer
from msrest.universal_http.requests import ClientRetryPolicy

from bot.teams.wire import Answered, Wire, settle

MOST_TOKENS = 3  # that one call is made with
CLIENTS = 64  # Teams has a handful of service URLs; a test client may make up more


def quicken_retry_policy() -> None:
    """msrest looks 999 numbers up in a list whenever it builds a client: a set makes that instant."""
    policy: Any = ClientRetryPolicy
    policy.safe_codes = frozenset(policy.safe_codes)


class Connectors:
    """Clients by service URL. botbuilder takes this as its connector factory."""

    def __init__(self, wire: Wire, tokens: Any) -> None:
        quicken_retry_policy()
        self._calls = _Calls(wire, tokens)
        self._clients: OrderedDict[str, ConnectorClient] = OrderedDict()

    async def create(self, service_url: str, _audience: str | None = None) -> ConnectorClient:
        return self.at(service_url)

    def at(self, service_url: str) -> ConnectorClient:
        """The client for this service URL."""
        if service_url not in self._clients:
            client: Any = ConnectorClient(
                "unused: the token is put in by the sender",
                base_url=service_url,
                pipeline_type=self._pipeline,
            )
            client.conversations._serialize.body = body
            self._clients[service_url] = client
            while len(self._clients) > CLIENTS:
                self._clients.popitem(last=False)
        self._clients.move_to_end(service_url)
        return self._clients[service_url]

    async def get(self, service_url: str, *path: str, query: str = "") -> Any:
        """What the SDK's operations cannot read whole (members' addresses, a team's channels)."""
        parts = "/".join(quote(part, safe="") for part in path)
        answered = await self._calls.make("GET", f"{service_url.rstrip('/')}/v3/{parts}{query}", {}, None)
        return answered.json()

    def _pipeline(self, _config: Any) -> AsyncPipeline[Any, Any]:
        return AsyncPipeline([RawDeserializer()], self._calls)


def body(model: Model, _kind: str) -> Any:
    """A request's body, the same as msrest makes of the model.

    msrest reads each model back from itself, checks whether it is XML and looks up how each value inside is to be
    written, those of a card too. Ours are models that we made and cards that are JSON already.
    """
    return _as_json(model)


_in_iso: Any = Serializer.serialize_iso


def _as_json(value: Any) -> Any:
    match value:
        case Model():
            said = {spec["key"]: getattr(value, name) for name, spec in value._attribute_map.items()}
            return {key: _as_json(one) for key, one in said.items() if one is not None and key}
        case list():
            return [_as_json(one) for one in value]
        case datetime():
            return _in_iso(value)
        case Enum():
            return value.value
        case _:
            return value


class _Calls(AsyncHTTPSender[Any, Any]):
    """The end of msrest's pipeline: our wire, with our token."""

    def __init__(self, wire: Wire, tokens: Any) -> None:
        self._wire, self._tokens = wire, tokens

    async def __aexit__(self, *_error: object) -> None:
        """The wire is closed by its owner."""

    def build_context(self) -> None:
        """msrest asks for one; there is nothing to carry."""

    async def send(self, request: Request[Any], **_options: Any) -> Response[Any, Any]:
        http = request.http_request
        headers = {name: value for name, value in http.headers.items() if name.lower() != "content-length"}
        answered = await self.make(http.method, http.url, headers, http.data)
        return Response(request, _Read(answered))

    async def make(self, method: str, url: str, headers: dict[str, str], data: object) -> Answered:
        """The call's answer. One refused for its token (401) did nothing, so it is made again with a new token."""
        for _ in range(MOST_TOKENS):
            answered, token = await self._call(method, url, headers, data)
            if answered.status != 401 or not token:
                break
            self._tokens.forget(token)
        return settle(method, url, answered)

    async def _call(self, method: str, url: str, headers: dict[str, str], data: object) -> tuple[Answered, str]:
        """The answer, and the token that the call carried; empty where the bot has none."""
        signed = await self._tokens.headers()
        answered = await self._wire.call(method, url, headers=headers | signed, data=data)
        return answered, signed.get("Authorization", "").removeprefix("Bearer ")


class _Read:
    """An answer in the shape msrest reads."""

    def __init__(self, answered: Answered) -> None:
        self.status_code = answered.status
        self.headers = {"content-type": "application/json"}
        self.reason = ""
        self._body = answered.body
        self.context: object = None

    def text(self, _encoding: str | None = None) -> str:
        return self._body.decode("utf-8-sig")

    def body(self) -> bytes:
        return self._body
