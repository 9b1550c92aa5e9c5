"""The statements that make a table append-only, for migrations. Never edited: only added to."""

from __future__ import annotations


def append_only(table: str, dialect: str) -> list[str]:
    """Triggers that refuse to change, remove or (PostgreSQL) truncate rows of ``table``."""
    refused = f"{table} is append-only"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{kind.lower()} BEFORE {kind} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
            for kind in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refused}'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


def append_only_in(schema: str, table: str, dialect: str) -> list[str]:
    """The same for a table of a schema of its own, so that a backup of that schema alone keeps them."""
    if dialect == "sqlite":
        refused = f"{table} is append-only"
        return [
            f"CREATE TRIGGER {schema}.{table}_no_{kind.lower()} BEFORE {kind} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
            for kind in ("UPDATE", "DELETE")
        ]
    return [
        statement.replace(f"FUNCTION {table}_refuse", f"FUNCTION {schema}.{table}_refuse").replace(
            f" ON {table} ", f" ON {schema}.{table} "
        )
        for statement in append_only(table, dialect)
    ]
