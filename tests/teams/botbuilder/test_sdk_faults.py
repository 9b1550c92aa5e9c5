"""The faults of botbuilder that ``bot/teams/botbuilder`` works around. A test fails once its fault is gone."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import jwt
import pytest
import requests
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, ConversationParameters, InputHints
from botframework.connector import models
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AuthenticationConfiguration,
    ClaimsIdentity,
    MicrosoftAppCredentials,
    PasswordServiceClientCredentialFactory,
)
from botframework.connector.auth._parameterized_bot_framework_authentication import (
    _ParameterizedBotFrameworkAuthentication,
)
from botframework.connector.auth.jwt_token_extractor import JwtTokenExtractor, _OpenIdMetadata
from msrest.serialization import Deserializer, Serializer
from msrest.universal_http.requests import ClientRetryPolicy

from bot.teams.auth import Tokens
from bot.teams.botbuilder.connector_clients import ConnectorClients, body
from bot.teams.botbuilder.sdk_activities import activity_of
from bot.teams.connector import Connector
from bot.teams.http_client import HttpClient
from bot.teams.protocols import TeamsMessage
from bot.teams.teams_render import render
from handlers.core.actions import SentAction
from handlers.core.cards import Bold, Button, Card, buttons, say
from tests.fakes.teams import APP_ID, PASSWORD, TENANT, FakeTeams

METADATA = "https://metadata.example/"
stock_serializer: Any = Serializer


def stock_authentication() -> Any:
    """The SDK's own, as its cloud environment builds it."""
    return _ParameterizedBotFrameworkAuthentication(
        validate_authority=True,
        to_channel_from_bot_login_url="https://login.example/tenant",
        to_channel_from_bot_oauth_scope="https://api.botframework.com",
        to_bot_from_channel_token_issuer="https://api.botframework.com",
        oauth_url="https://oauth.example",
        to_bot_from_channel_open_id_metadata_url=METADATA,
        to_bot_from_emulator_open_id_metadata_url=METADATA,
        caller_id="urn:botframework:azure",
        credentials_factory=PasswordServiceClientCredentialFactory(APP_ID, PASSWORD, tenant_id=TENANT),
        auth_configuration=AuthenticationConfiguration(),
        http_client_factory=None,
    )


@pytest.fixture
def stock_keys(fake: FakeTeams, monkeypatch: pytest.MonkeyPatch) -> _OpenIdMetadata:
    """The SDK's keys, already holding the fake's."""
    metadata = _OpenIdMetadata(METADATA)
    metadata.keys = [key.public() for key in fake.keys]
    metadata.last_updated = datetime.now()  # noqa: DTZ005 - naive, as the SDK compares it
    monkeypatch.setitem(JwtTokenExtractor.metadataCache, METADATA, metadata)
    return metadata


def test_the_workarounds_are_for_this_version() -> None:
    for package in ("botbuilder-core", "botbuilder-schema", "botframework-connector"):
        assert version(package) == "4.17.1"


def test_teams_costs_nothing_until_it_is_connected() -> None:
    code = "import sys, bot.teams; print([m for m in ('botbuilder', 'msrest', 'microsoft_teams') if m in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


async def test_the_sdk_forgets_its_token_in_every_turn() -> None:
    factory = PasswordServiceClientCredentialFactory(APP_ID, PASSWORD, tenant_id=TENANT)

    first, second = [await factory.create_credentials(APP_ID, "scope", "https://x", True) for _ in range(2)]

    assert first is not second
    assert first.app is None  # the token cache lives in it


def test_the_sdk_fetches_its_token_on_the_event_loop() -> None:
    assert not inspect.iscoroutinefunction(MicrosoftAppCredentials.get_access_token)


async def test_the_sdk_fetches_keys_without_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[object] = []

    def get(_url: str, **options: Any) -> Any:
        limits.append(options.get("timeout"))
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(requests.ConnectionError):
        await _OpenIdMetadata(METADATA).get("first")
    assert limits == [None]


async def test_the_sdk_crashes_on_a_rotated_key(stock_keys: _OpenIdMetadata) -> None:
    with pytest.raises(IndexError):
        await stock_keys.get("second")


async def test_the_sdk_crashes_on_an_expired_and_a_forged_token(fake: FakeTeams, stock_keys: _OpenIdMetadata) -> None:
    expired = fake.token(exp=int(time.time()) - 7200)
    forged = fake.token()[:-8] + "AAAAAAAA"
    activity = Activity(channel_id="msteams", service_url=fake.service_url)

    for token in (expired, forged):
        with pytest.raises(jwt.PyJWTError):  # where PermissionError would be answered by 401
            await stock_authentication().authenticate_request(activity, f"Bearer {token}")


async def test_the_sdk_skips_the_service_url_of_an_activity_that_has_none(
    fake: FakeTeams, stock_keys: _OpenIdMetadata
) -> None:
    activity = Activity(channel_id="msteams")

    result = await stock_authentication().authenticate_request(activity, f"Bearer {fake.token()}")

    assert result.claims_identity.is_authenticated


def test_the_sdk_drops_the_tenant() -> None:
    activity = Activity().deserialize({"conversation": {"id": "x", "tenantId": TENANT}})

    assert activity.conversation.tenant_id is None


async def test_the_sdk_sends_with_a_long_limit_and_tries_again_by_itself() -> None:
    client = ConnectorClient(MicrosoftAppCredentials.empty(), base_url="https://x")

    assert client.config.connection.timeout == 100
    assert client.config.retry_policy.retries == 3


async def test_the_sdk_builds_a_client_in_every_turn() -> None:
    claims = ClaimsIdentity({"aud": APP_ID}, True)
    factory = stock_authentication().create_connector_factory(claims)

    assert await factory.create("https://x") is not await factory.create("https://x")


def test_the_sdk_reads_each_body_back_before_it_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def note(_self: object, kind: object, data: object) -> object:
        read.append(kind)
        return data

    monkeypatch.setattr(Deserializer, "_deserialize", note)

    stock_serializer({"Activity": Activity}).body(Activity(type="message"), "Activity")

    assert read == ["Activity"]


def test_bodies_are_what_the_sdk_makes_of_them() -> None:
    card = Card(
        "Individual student planning",
        (say("Starts ", Bold("soon"), " <b>&"), buttons(Button("Go", SentAction.of("x")))),
    )
    activity = activity_of(TeamsMessage(render(card), "Individual student planning"))
    activity.from_property = ChannelAccount(id="28:bot", name="Bot")
    activity.conversation = ConversationAccount(id="a:1", is_group=False, tenant_id=TENANT)
    activity.timestamp = datetime(2026, 11, 22, 18, 3, tzinfo=UTC)
    activity.input_hint = InputHints.ignoring_input
    parameters = ConversationParameters(
        is_group=False, bot=ChannelAccount(id="28:bot"), members=[ChannelAccount(id="29:1")], tenant_id=TENANT
    )
    kinds = {name: kind for name, kind in vars(models).items() if isinstance(kind, type)}

    for model in (activity, parameters):
        name = type(model).__name__
        assert body(model, name) == stock_serializer(kinds).body(model, name)


def clients(login_url: str = "https://login.example") -> ConnectorClients:
    http = HttpClient(5.0)
    return ConnectorClients(Connector(http, Tokens(http, APP_ID, PASSWORD, TENANT, login_url)))


async def test_a_client_is_kept_per_service_url_and_not_without_bound() -> None:
    connectors = clients()

    first = connectors.at("https://a")
    assert connectors.at("https://a") is first
    for number in range(64):
        connectors.at(f"https://{number}")
    assert connectors.at("https://a") is not first


def test_msrest_looks_codes_up_in_a_list() -> None:
    code = "from msrest.universal_http.requests import ClientRetryPolicy as P; print(type(P.safe_codes).__name__)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "list"
    clients()
    policy: Any = ClientRetryPolicy
    assert isinstance(policy.safe_codes, frozenset)
    assert {408, 500, 503} & policy.safe_codes == set()
    assert {200, 404, 501} <= policy.safe_codes
