"""docs/architecture.md names what is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_file_and_folder_it_names_is_there() -> None:
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.toml|\.md|/))`", TEXT))
    assert len(named) > 25
    loose = {"tables.py", "migrations/", "vault.py", "seals.py", "checkpoints.py", "verification.py"}  # of storage
    loose |= {"deliveries.py", "due.py"}
    of_bot = {"startup.py", "app.py", "main.py", "render.py"}
    places = {name: ROOT / "storage" / name for name in loose} | {name: ROOT / "bot" / name for name in of_bot}
    places["render.py"] = ROOT / "bot" / "slack" / "render.py"
    assert [name for name in sorted(named) if not places.get(name, ROOT / name).exists()] == []


def test_it_names_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {room for room in rooms if f"| `{room}/` |" not in TEXT} == set()
