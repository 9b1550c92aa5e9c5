"""botframework's operations over our own connector, with one client for each service URL.

Without this, every turn builds a client (which searches a list of 500 numbers 999 times), sends share a pool of six
threads with a limit of 100 seconds, and a failed connection is tried three more times.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from enum import Enum
from typing import Any

from botframework.connector.aio import ConnectorClient
from msrest.pipeline import Request, Response
from msrest.pipeline.async_abc import AsyncHTTPSender, AsyncPipeline
from msrest.pipeline.universal import RawDeserializer
from msrest.serialization import Model, Serializer
from msrest.universal_http.requests import ClientRetryPolicy

from bot.teams.connector import Connector
from bot.teams.http_client import HttpAnswer

CLIENTS = 64  # Teams has a handful of service URLs; a test client may make up more


def speed_up_retry_policy() -> None:
    """Make msrest's list of status codes a set: msrest looks up 999 numbers in it whenever it builds a client."""
    policy: Any = ClientRetryPolicy
    policy.safe_codes = frozenset(policy.safe_codes)


class ConnectorClients:
    """Clients by service URL. botbuilder takes this as its connector factory."""

    def __init__(self, connector: Connector) -> None:
        speed_up_retry_policy()
        self._sender = _Sender(connector)
        self._clients: OrderedDict[str, ConnectorClient] = OrderedDict()

    async def create(self, service_url: str, _audience: str | None = None) -> ConnectorClient:
        """Return the client for this service URL, under the name that botbuilder calls."""
        return self.at(service_url)

    def at(self, service_url: str) -> ConnectorClient:
        """Return the client for this service URL."""
        if service_url not in self._clients:
            client: Any = ConnectorClient(
                "unused: the connector adds the token",
                base_url=service_url,
                pipeline_type=self._pipeline,
            )
            client.conversations._serialize.body = body
            self._clients[service_url] = client
            while len(self._clients) > CLIENTS:
                self._clients.popitem(last=False)
        self._clients.move_to_end(service_url)
        return self._clients[service_url]

    def _pipeline(self, _config: Any) -> AsyncPipeline[Any, Any]:
        return AsyncPipeline([RawDeserializer()], self._sender)


def body(model: Model, _kind: str) -> Any:
    """Return a request's body, equal to the one that msrest builds.

    msrest reads each model back from itself, checks whether it is XML and looks up how to write each value inside,
    those of a card too. Here the models are our own and cards are JSON already.
    """
    return _as_json(model)


_in_iso: Any = Serializer.serialize_iso


def _as_json(value: Any) -> Any:
    match value:
        case Model():
            values = {spec["key"]: getattr(value, name) for name, spec in value._attribute_map.items()}
            return {key: _as_json(item) for key, item in values.items() if item is not None and key}
        case list():
            return [_as_json(item) for item in value]
        case datetime():
            return _in_iso(value)
        case Enum():
            return value.value
        case _:
            return value


class _Sender(AsyncHTTPSender[Any, Any]):
    """The end of msrest's pipeline: our connector."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def __aexit__(self, *_error: object) -> None:
        """The HTTP client is closed by its owner."""

    def build_context(self) -> None:
        """Called by msrest for a context; none is needed."""

    async def send(self, request: Request[Any], **_options: Any) -> Response[Any, Any]:
        http = request.http_request
        headers = {name: value for name, value in http.headers.items() if name.lower() != "content-length"}
        answer = await self._connector.call(http.method, http.url, headers, http.data)
        return Response(request, _ReadAnswer(answer))


class _ReadAnswer:
    """An answer in the shape msrest reads."""

    def __init__(self, answer: HttpAnswer) -> None:
        self.status_code = answer.status
        self.headers = {"content-type": "application/json"}
        self.reason = ""
        self._body = answer.body
        self.context: object = None

    def text(self, _encoding: str | None = None) -> str:
        return self._body.decode("utf-8-sig")

    def body(self) -> bytes:
        return self._body
