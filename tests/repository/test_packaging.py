"""What installs the product: the image copies every package, and the locks hold names, versions and hashes only."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK_LINE = re.compile(
    r"^(\s*#.*|\s*--hash=sha256:[0-9a-f]{64}( \\)?|[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; .*)? \\)$", re.IGNORECASE
)


def packages() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]]


def test_the_image_copies_every_package() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text()
    for name in packages():
        assert f"COPY {name} {name}\n" in dockerfile
        assert f"!{name}\n" in ignored


def test_every_package_says_that_it_is_typed() -> None:
    for name in packages():
        assert (ROOT / name / "py.typed").exists()


def test_the_readme_says_that_the_packages_names_are_generic() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    advice = "Install the packages only into an environment or container of their own: their names"
    [names] = re.findall(advice + r" \((.*?)\)", readme)
    assert set(re.findall(r"`(\w+)`", names)) == set(packages())


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_no_address(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert LOCK_LINE.match(line), line
