"""Who may speak to the bot: every wrong token is 401, every malformed activity 400, never a crash."""

from __future__ import annotations

import time
from typing import Any

import jwt
import msal
import pytest

from bot.settings import TeamsSettings
from bot.teams import connect
from bot.teams.auth import KEYS_LIVE, KEYS_REST, KeysUnreachable, SigningKeys, Tokens
from bot.teams.http_client import HttpClient
from tests.fakes.teams import APP_ID, PASSWORD, TENANT, FakeTeams, SigningKey
from tests.teams.conftest import Bot, Start, Toy


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def hours(count: float) -> int:
    return int(time.time() + count * 3600)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": hours(-1)},
        {"nbf": hours(1)},
        {"exp": None},
        {"aud": "99999999-2222-3333-4444-555555555555"},
        {"aud": None},
        {"iss": "https://login.evil.example"},
        {"iss": None},
        {"serviceurl": "https://evil.example/"},
        {"serviceurl": None},
    ],
    ids=lambda claims: next(iter(claims)),  # no time in a name: every process collects the same tests
)
async def test_a_token_with_a_wrong_claim_is_refused(bot: Bot, claims: dict[str, Any]) -> None:
    status, _ = await bot.dana.send(bot.dana.says("hi"), bot.fake.token(**claims))

    assert status == 401
    assert bot.toy.asked == []


async def test_a_forged_token_is_refused(bot: Bot) -> None:
    stranger = SigningKey(bot.fake.keys[0].kid)

    assert (await bot.dana.send(bot.dana.says("hi"), bot.fake.token(key=stranger)))[0] == 401


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "e30.e30.", "é"])
async def test_what_is_no_token_is_refused(bot: Bot, token: str) -> None:
    bot.dana.signed = False

    assert (await bot.dana.send(bot.dana.says("hi"), token))[0] == 401


async def test_an_unsigned_and_a_symmetric_token_are_refused(bot: Bot) -> None:
    claims = jwt.decode(bot.fake.token(), options={"verify_signature": False})
    kid = {"kid": bot.fake.keys[0].kid}
    unsigned = jwt.encode(claims, "", algorithm="none", headers=kid)
    symmetric = jwt.encode(claims, "k" * 32, algorithm="HS256", headers=kid)

    for token in (unsigned, symmetric):
        assert (await bot.dana.send(bot.dana.says("hi"), token))[0] == 401


@pytest.mark.parametrize("service_url", [None, ""])
async def test_an_activity_without_a_service_url_is_malformed(bot: Bot, service_url: str | None) -> None:
    activity = bot.dana.says("hi") | {"serviceUrl": service_url}

    assert (await bot.dana.send(activity, bot.fake.token(serviceurl=None)))[0] == 400
    del activity["serviceUrl"]
    assert (await bot.dana.send(activity))[0] == 400


@pytest.mark.parametrize("body", [[], 5, {}, {"type": 5}, {"type": "message", "entities": 5}])
async def test_what_is_no_activity_is_malformed(bot: Bot, body: Any) -> None:
    assert (await bot.dana.send(body))[0] == 400


@pytest.mark.parametrize("part", ["conversation", "recipient", "from"])
async def test_an_activity_without_its_parts_is_malformed(bot: Bot, part: str) -> None:
    activity = bot.dana.says("hi")
    del activity[part]

    assert (await bot.dana.send(activity))[0] == 400


async def test_another_organization_is_refused(bot: Bot) -> None:
    activity = bot.dana.says("hi") | {"channelData": {"tenant": {"id": "another"}}}

    assert (await bot.dana.send(activity))[0] == 403
    assert bot.toy.asked == []


async def test_the_tenant_comes_from_the_channel_data(bot: Bot) -> None:
    activity = bot.dana.says("hi")
    activity["conversation"]["tenantId"] = "another"

    assert (await bot.dana.send(activity))[0] == 200
    assert bot.toy.asked[0].who.tenant == TENANT


async def test_rotated_keys_are_fetched_once_and_old_ones_no_longer_pass(fake: FakeTeams) -> None:
    clock, http = Clock(), HttpClient(5.0)
    await http.start()
    keys = SigningKeys(http, fake.metadata_url, clock)
    assert await keys.find("first") is not None
    new = fake.rotate()

    clock.now += KEYS_REST
    assert await keys.find(new.kid) is not None
    assert await keys.find("first") is None
    assert await keys.find("forged") is None
    assert len(fake.calls_to("openidconfiguration")) == 2

    clock.now += KEYS_LIVE
    await keys.find(new.kid)
    assert len(fake.calls_to("openidconfiguration")) == 3
    await http.stop()


async def test_a_new_key_passes_over_http(start: Start, fake: FakeTeams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.teams.auth.KEYS_REST", 0)
    bot = await start()
    await bot.dana.send(bot.dana.says("hi"))
    fake.rotate()

    assert (await bot.dana.send(bot.dana.says("hi again")))[0] == 200


async def test_known_keys_serve_on_while_microsoft_is_away(fake: FakeTeams) -> None:
    clock, http = Clock(), HttpClient(5.0)
    await http.start()
    keys = SigningKeys(http, fake.metadata_url, clock)
    await keys.find("first")
    clock.now += KEYS_LIVE
    fake.fail("GET", "openidconfiguration", "503")

    assert await keys.find("first") is not None
    assert await keys.find("first") is not None
    assert len(fake.calls_to("openidconfiguration")) == 2
    await http.stop()


async def test_unknown_keys_do_not_ask_a_failing_microsoft_again_and_again(fake: FakeTeams) -> None:
    clock, http = Clock(), HttpClient(5.0)
    await http.start()
    keys = SigningKeys(http, fake.metadata_url, clock)
    await keys.find("first")
    clock.now += KEYS_REST
    for _ in range(4):
        fake.fail("GET", "openidconfiguration", "503")

    for number in range(3):
        assert await keys.find(f"forged-{number}") is None
    assert len(fake.calls_to("openidconfiguration")) == 2
    clock.now += KEYS_REST
    assert await keys.find("forged") is None
    assert await keys.find("first") is not None
    assert len(fake.calls_to("openidconfiguration")) == 3
    await http.stop()


async def test_an_empty_list_of_keys_replaces_no_known_key(fake: FakeTeams) -> None:
    clock, http = Clock(), HttpClient(5.0)
    await http.start()
    keys = SigningKeys(http, fake.metadata_url, clock)
    await keys.find("first")
    clock.now += KEYS_LIVE
    fake.keys = []

    assert await keys.find("first") is not None
    await http.stop()


async def test_no_keys_at_all_is_our_trouble_not_the_callers(bot: Bot) -> None:
    bot.fake.fail("GET", "openidconfiguration", "503")

    assert (await bot.dana.send(bot.dana.says("hi")))[0] == 503
    assert (await bot.dana.send(bot.dana.says("hi")))[0] == 200


async def test_unreadable_keys_are_unreachable_keys(fake: FakeTeams) -> None:
    http = HttpClient(5.0)
    await http.start()
    fake.fail("GET", "keys", "broken-json")

    with pytest.raises(KeysUnreachable):
        await SigningKeys(http, fake.metadata_url).find("first")
    await http.stop()


async def test_a_token_is_renewed_before_it_ends(fake: FakeTeams) -> None:
    clock, http = Clock(), HttpClient(5.0)
    await http.start()
    tokens = Tokens(http, APP_ID, PASSWORD, TENANT, fake.login_url, clock)

    assert await tokens.headers() == {"Authorization": "Bearer token-1"}
    clock.now += fake.token_life - 400
    assert await tokens.token() == "token-1"
    clock.now += 101
    assert await tokens.token() == "token-2"
    await http.stop()


@pytest.mark.parametrize("url", ["login_url", "metadata_url"])
async def test_doctor_says_what_is_not_reachable(fake: FakeTeams, url: str) -> None:
    addresses = {"login_url": fake.login_url, "metadata_url": fake.metadata_url}
    addresses[url] = "http://127.0.0.1:9/nothing"
    settings = TeamsSettings(APP_ID, PASSWORD, TENANT, allow_unauthenticated=False)
    platform = connect(settings, Toy(), timeout=5.0, **addresses)

    findings = await platform.check()

    wrong = {"login_url": "access token", "metadata_url": "signing keys"}[url]
    assert [finding.ok for finding in findings if wrong in finding.what] == [False]
    assert [finding.ok for finding in findings if wrong not in finding.what] == [True]
    assert all(finding.mend for finding in findings if not finding.ok)


async def test_doctor_says_that_the_password_is_wrong(bot: Bot) -> None:
    bot.fake.secret = "changed"

    [token, _] = await bot.platform.check()

    assert not token.ok
    assert "TEAMS_APP_PASSWORD" in token.mend
    assert PASSWORD not in token.mend


async def test_doctor_is_content(bot: Bot, start: Start) -> None:
    assert all(finding.ok for finding in await bot.platform.check())
    test_client = await start(test_client=True)
    assert [finding.ok for finding in await test_client.platform.check()] == [True]


# Why msal and PyJWKClient are not used -------------------------------------------------------------


@pytest.mark.parametrize("address", ["authority", "oidc_authority"])
def test_msal_takes_no_login_address_of_this_machine(fake: FakeTeams, address: str) -> None:
    login: dict[str, Any] = {address: f"{fake.login_url}/{TENANT}"}

    with pytest.raises(ValueError, match="https"):
        msal.ConfidentialClientApplication(APP_ID, client_credential=PASSWORD, **login)


def test_pyjwts_client_refuses_known_keys_while_they_cannot_be_fetched() -> None:
    client = jwt.PyJWKClient("http://127.0.0.1:9/keys", lifespan=1e-9, timeout=5)
    assert client.jwk_set_cache is not None
    client.jwk_set_cache.put({"keys": [SigningKey("first").public()]})

    with pytest.raises(jwt.PyJWKClientConnectionError):
        client.get_signing_key("first")


def test_pyjwts_client_asks_again_for_each_unknown_key_while_none_can_be_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, asked = jwt.PyJWKClient("http://127.0.0.1:9/keys", timeout=5), []
    assert client.jwk_set_cache is not None
    client.jwk_set_cache.put({"keys": [SigningKey("first").public()]})

    def unreachable() -> None:
        asked.append(client.uri)
        raise jwt.PyJWKClientConnectionError

    monkeypatch.setattr(client, "fetch_data", unreachable)
    for name in ("forged", "another"):
        with pytest.raises(jwt.PyJWKClientConnectionError):
            client.get_signing_key(name)
    assert len(asked) == 2
