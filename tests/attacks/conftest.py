"""The people of the test program, each with a linked account, and somebody who writes to the database without keys."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import carol, dana, lee, ruth, tom
from tests.world import Person, World

__all__ = ["carol", "dana", "lee", "ruth", "tom"]


@pytest.fixture
def mallory(world: World) -> Person:
    """An account of the workspace that is linked to nobody."""
    return world.account("Mallory Quinn", "mallory@example.org")
