"""Alembic's entry: it runs on the connection that :mod:`storage.core.migrate` hands it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from storage.core.columns import Instant
from storage.schema import metadata


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    # A migration must not change when our type does: it names the database's type.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    include_name=lambda name, kind, _parents: kind != "schema" or name in (None, "keys"),
    render_item=_render,
    transaction_per_migration=False,
    version_table_schema=None,
)
context.run_migrations()
