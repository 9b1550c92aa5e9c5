"""Whether Teams can show a card: Microsoft's schema, and the models of its SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from microsoft_teams.cards import AdaptiveCard

from tests.fakes.teams import walk

SCHEMA = json.loads(Path(__file__).with_name("adaptive-card-1.5.schema.json").read_text())
VALIDATOR = jsonschema.Draft6Validator(SCHEMA)


def validate(card: dict[str, Any]) -> None:
    """Against Microsoft's schema, and against the models of the SDK, which know the charts."""
    AdaptiveCard.model_validate(card)
    by_schema = _as_the_schema_knows(card)
    # The schema describes an element as one of twenty alternatives, which says nothing of what is wrong.
    for part in walk(by_schema):
        if part.get("type") in SCHEMA["definitions"]:
            validator = VALIDATOR.evolve(schema={**SCHEMA, "anyOf": [{"$ref": f"#/definitions/{part['type']}"}]})
            assert not [error.message[:300] for error in validator.iter_errors(part)]


def _as_the_schema_knows(value: Any) -> Any:
    """Teams' own additions taken out: the charts (their fallback must be valid), and its settings.

    The schema misspells ``firstRowAsHeaders``, which is what clients read.
    """
    if isinstance(value, list):
        return [_as_the_schema_knows(item) for item in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("type", "")).startswith("Chart."):
        return _as_the_schema_knows(value["fallback"])
    known = {name: _as_the_schema_knows(item) for name, item in value.items() if name != "msteams"}
    if "firstRowAsHeaders" in known:
        known["firstRowAsHeader"] = known.pop("firstRowAsHeaders")
    return known
