"""docs/architecture.md names what is there, and the rooms are as it says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAYERS = ("program", "storage", "handlers", "bot", "manifest")
CAPABILITIES = set(
    re.findall(r"^\| `(\w+)/` \|", TEXT.partition("## Capabilities")[2].partition("`bot/` is cut")[0], re.MULTILINE)
)


def files_of(layer: str) -> list[Path]:
    """The layer's modules, without ``__init__.py`` and migrations."""
    return [
        path for path in (ROOT / layer).rglob("*.py") if path.name != "__init__.py" and "versions" not in path.parts
    ]


def test_every_file_and_folder_it_names_is_there() -> None:
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.toml|\.md|/))`", TEXT))
    named -= {f"{name}/" for name in CAPABILITIES}
    assert len(named) > 30
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_it_names_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {room for room in rooms if f"| `{room}/` |" not in TEXT} == set()


@pytest.mark.parametrize("layer", ["program", "storage", "handlers"])
def test_a_layers_folders_are_the_capabilities(layer: str) -> None:
    own = {"outbox", "vault"} if layer == "storage" else set()
    folders = {path.parent.name for path in (ROOT / layer).glob("*/__init__.py")}
    assert "people" in CAPABILITIES
    assert folders - own <= CAPABILITIES


def test_bots_folders_are_named() -> None:
    folders = {path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")}
    assert {folder for folder in folders if f"| `bot/{folder}/` |" not in TEXT} == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_files_name_is_in_its_layer_once(layer: str) -> None:
    names = Counter(path.name for path in files_of(layer))
    assert [name for name, times in names.items() if times > 1] == []
