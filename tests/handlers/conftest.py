"""The people of the test program, each with a linked account."""

from __future__ import annotations

import pytest

from tests.world import Person, World


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def lee(world: World) -> Person:
    return world.matched("Lee Okafor", "lee@example.org")


@pytest.fixture
def ruth(world: World) -> Person:
    return world.matched("Ruth Ellison", "ruth@example.org")


@pytest.fixture
def tom(world: World) -> Person:
    return world.matched("Tom Becker", "tom@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")
