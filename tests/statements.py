"""SQL statements compiled once for all the databases of a test process, as a process with one database does.

SQLAlchemy keeps compiled statements for each engine, and each test has engines of its own: compiling the same few
hundred statements again took more time than running them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Dialect, Engine, create_engine, event

from storage.core import database


@contextmanager
def compiled_once() -> Iterator[None]:
    """While entered, the product's engines of one kind of database share its dialect and their compiled statements."""
    dialects: dict[str, Dialect] = {}
    compiled: dict[Any, Any] = {}

    def sharing(url: Any, **options: Any) -> Engine:
        engine = create_engine(url, execution_options={"compiled_cache": compiled}, **options)
        kind = engine.url.drivername
        if kind in dialects:
            engine.dialect = dialects[kind]
        else:  # a dialect knows its database from the first connection on

            @event.listens_for(engine, "connect", once=True)
            def _share(*_connection: object) -> None:
                dialects.setdefault(kind, engine.dialect)

        return engine

    with patch.object(database, "create_engine", sharing):
        yield
