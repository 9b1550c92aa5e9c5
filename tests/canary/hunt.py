"""The search for what was written in confidence: everywhere that the product leaves bytes, by name."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus

from sqlalchemy import create_engine, inspect

from bot.logs import LIBRARIES, Formatter
from storage.database import Database

Haul = dict[str, bytes]  # a place's name -> what stands there

SYSTEM = ("information_schema", "pg_catalog", "temp")
NUMBER = r"(?<![\w.:+-])['\"]?{}['\"]?(?![\w.:+-])"


def found(haul: Mapping[str, bytes], words: Iterable[str]) -> list[str]:
    """The places that hold one of these, however it is spelled; sorted."""
    spelled = [one for word in words for one in _spellings(word)]
    return sorted(name for name, data in haul.items() if any(one in data.lower() for one in spelled))


def _spellings(word: str) -> list[bytes]:
    """As UTF-8, as UTF-16, and as a web form sends it."""
    low = word.lower()
    return [low.encode(), low.encode("utf-16-le"), quote_plus(low).encode()]


def unpacked(name: str, data: bytes) -> Haul:
    """A file and, where it is a ZIP archive (as a workbook is), everything inside it."""
    haul = {name: data}
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inside in archive.namelist():
                haul |= unpacked(f"{name}/{inside}", archive.read(inside))
    return haul


def files(folder: Path) -> Haul:
    """Every file: the database, its write-ahead log, its key store, and what lies beside them."""
    return {f"file {path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(database: Database) -> Haul:
    """Every table of every schema, the keys' too: text as it is, bytes as they are."""
    haul: Haul = {}
    url = database.url if database.sqlite else database.url.set(drivername="postgresql+psycopg")
    # An engine of its own would not see the key store that SQLite attaches.
    engine = database.engine if database.sqlite else create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        look = inspect(connection)
        for schema in (one for one in look.get_schema_names() if one not in SYSTEM):
            for table in look.get_table_names(schema):
                every = connection.exec_driver_sql(f'SELECT * FROM "{schema}"."{table}"')
                cells = [cell for row in every for cell in row if cell is not None]
                haul[f"table {schema}.{table}"] = b"\n".join(map(_bytes, cells))
    if not database.sqlite:
        engine.dispose()
    return haul


def _bytes(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


class Ear(logging.Handler):
    """Hears every logger at DEBUG: each record with all that it carries, and the line that the product writes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[tuple[str, str]] = []  # the logger's name, and everything that the record holds
        self.written: list[str] = []
        self._ours = [Formatter("text"), Formatter("json")]

    def emit(self, record: logging.LogRecord) -> None:
        whole = logging.Formatter().format(record)  # with the texts of exceptions, as no formatter of ours gives them
        self.heard.append((record.name, f"{whole}\n{record.__dict__}"))
        self.written += [one.format(record) for one in self._ours]

    def haul(self) -> Haul:
        said: dict[str, list[str]] = {}
        for name, text in self.heard:
            said.setdefault(f"log of {name}", []).append(text)
        everything = {name: "\n".join(texts).encode() for name, texts in said.items()}
        return {**everything, "log as written": "\n".join(self.written).encode()}


@contextmanager
def listening() -> Iterator[Ear]:
    """From now on every logger says everything."""
    ear = Ear()
    loud = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    before = [one.level for one in loud]
    for one in loud:
        one.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(ear)
    try:
        yield ear
    finally:
        logging.getLogger().removeHandler(ear)
        for one, level in zip(loud, before, strict=True):
            one.setLevel(level)


def tied(haul: Mapping[str, bytes], number: str, names: Iterable[str]) -> list[str]:
    """The places with a line that has this number beside one of the names by which somebody is known.

    A line that offers all the numbers, as a check-in's buttons do, tells nobody's.
    """
    pulse = re.compile(NUMBER.format(number))
    somebody = re.compile("|".join(re.escape(one) for one in names))
    found_in = []
    for name, data in haul.items():
        for line in data.decode(errors="replace").splitlines():
            if somebody.search(line) and pulse.search(somebody.sub(" ", line)):
                found_in.append(name)
                break
    return sorted(found_in)
