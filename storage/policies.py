"""The policies that are shipped with the product."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from program.policy import Policy, read_policy

EXAMPLE = "example/1"
MISSOURI = "missouri-dese/2018"
_FILES = {EXAMPLE: "example.toml", MISSOURI: "missouri-dese.toml"}


@lru_cache
def get(name: str) -> Policy:
    """The shipped policy ``id/version``."""
    return read_policy((files("program.policies") / _FILES[name]).read_text(encoding="utf-8"))
