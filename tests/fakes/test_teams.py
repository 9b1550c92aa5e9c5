"""The fake itself: what it records, refuses and breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest

from tests.fakes.teams import APP_ID, CHAT, DANA, PASSWORD, TENANT, FakeTeams, Fault, TeamsClient


@pytest.fixture
async def fake() -> AsyncIterator[FakeTeams]:
    async with FakeTeams() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as running:
        yield running


async def signed_in(fake: FakeTeams, session: aiohttp.ClientSession, secret: str = PASSWORD) -> dict[str, str]:
    form = {"client_id": APP_ID, "client_secret": secret}
    async with session.post(f"{fake.login_url}/{TENANT}/oauth2/v2.0/token", data=form) as response:
        body = await response.json()
        return {"Authorization": f"Bearer {body.get('access_token', '')}"}


async def test_it_keeps_messages_and_counts_their_edits(fake: FakeTeams, session: aiohttp.ClientSession) -> None:
    headers = await signed_in(fake, session)
    url = f"{fake.service_url}v3/conversations/{CHAT}/activities"
    async with session.post(url, json={"text": "a"}, headers=headers) as response:
        message = (await response.json())["id"]
    async with session.put(f"{url}/{message}", json={"text": "b"}, headers=headers) as response:
        assert response.status == 200
    async with session.put(f"{url}/none", json={"text": "b"}, headers=headers) as response:
        assert response.status == 404

    [kept] = fake.posted(CHAT)
    assert (kept.activity["text"], kept.edits) == ("b", 1)
    assert [call.method for call in fake.calls] == ["POST", "POST", "PUT", "PUT"]


async def test_it_refuses_strangers(fake: FakeTeams, session: aiohttp.ClientSession) -> None:
    wrong = await signed_in(fake, session, "wrong")
    url = f"{fake.service_url}v3/conversations/{CHAT}/activities"

    for headers in ({}, wrong):
        async with session.post(url, json={}, headers=headers) as response:
            assert response.status == 401
    fake.require_token = False
    async with session.post(url, json={}) as response:
        assert response.status == 201


async def test_its_tokens_are_signed_by_its_keys(fake: FakeTeams, session: aiohttp.ClientSession) -> None:
    async with session.get(fake.metadata_url) as response:
        keys_url = (await response.json())["jwks_uri"]
    old = fake.token()
    new = fake.rotate()
    async with session.get(keys_url) as response:
        [key] = (await response.json())["keys"]

    assert key["kid"] == new.kid != "first"
    assert "d" not in key
    claims = jwt.decode(fake.token(), jwt.PyJWK(key), algorithms=["RS256"], audience=APP_ID)
    assert claims["serviceurl"] == fake.service_url
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(old, jwt.PyJWK(key), algorithms=["RS256"], audience=APP_ID)


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("502", 502), ("not-in-roster", 403)])
async def test_it_fails_once_as_asked(
    fake: FakeTeams, session: aiohttp.ClientSession, fault: Fault, status: int
) -> None:
    fake.fail("GET", "openidconfiguration", fault)

    async with session.get(fake.metadata_url) as response:
        assert response.status == status
        assert ("Retry-After" in response.headers) == (fault == "429")
    async with session.get(fake.metadata_url) as response:
        assert response.status == 200


async def test_it_drops_and_it_works_before_it_hangs(fake: FakeTeams, session: aiohttp.ClientSession) -> None:
    fake.require_token = False
    url = f"{fake.service_url}v3/conversations/{CHAT}/activities"
    fake.fail("POST", "/activities", "drop")
    with pytest.raises(aiohttp.ClientError):
        await session.post(url, json={})
    assert fake.posted(CHAT) == []

    fake.fail("POST", "/activities", "work-then-hang")
    with pytest.raises(TimeoutError):
        await session.post(url, json={}, timeout=aiohttp.ClientTimeout(total=0.2))
    assert len(fake.posted(CHAT)) == 1


async def test_its_client_speaks_in_the_recorded_shapes(fake: FakeTeams) -> None:
    client = TeamsClient(fake, "http://unused.example")

    message, mention = client.says("hi"), client.mentions("hi")

    assert message["from"] == {"id": DANA.id, "name": DANA.name, "aadObjectId": DANA.object_id}
    assert message["conversation"]["conversationType"] == "personal"
    assert mention["conversation"]["id"].startswith("19:")
    assert ";messageid=" in mention["conversation"]["id"]
    assert mention["entities"][0]["text"] in mention["text"]
    assert message["id"] != mention["id"]
