"""Answering where a platform does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.runtime.dispatch import Dispatcher
from bot.runtime.intervals import ONE_PROCESS
from handlers.core.requests import AccountKey, Place, Profile
from tests.world import PLATFORM, World, said


async def test_who_is_asked_about_in_vain_is_a_stranger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform hangs; the person is answered all the same."""

    async def hangs(who: AccountKey, place: Place) -> Profile:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.port, "profile", hangs)
    intervals = replace(ONE_PROCESS, profile=0.01)
    world.dispatcher = Dispatcher(world.product, {PLATFORM: world.port}, lambda: None, intervals)
    dana = world.account("Dana Reyes", "dana@example.org")
    assert "I can't match you to the roster yet" in said(await dana.sends("progress"))
