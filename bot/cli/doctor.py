"""The doctor: what is wrong with an installation, and how to mend it. It changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.runtime.disk import problem_of
from bot.runtime.port import Finding, Platform
from bot.settings import Settings
from bot.startup import CannotStart, open_database, operator_keys
from handlers.core.requests import Reply, Request
from storage.core import program
from storage.core.database import KEYS_SCHEMA, Database
from storage.core.migrate import DAMAGE, SchemaProblem, check_key_store, check_triggers, current, head, is_damage
from storage.vault import rotation
from storage.vault.operator_keys import BadKey, read_operator_keys
from storage.vault.vault import Vault

REACH_SECONDS = 10


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which things depend on each other."""
    kind = "the local workspace" if settings.local else "Slack or Teams"
    findings = [Finding(f"The settings are complete, for {kind}", ok=True)]
    if settings.plc_encryption_keys_file:
        findings.append(_key_file(settings.plc_encryption_keys_file))
    findings += await asyncio.to_thread(_database, settings)
    for platform in _platforms(settings):
        findings += await platform.check()
    if settings.plc_public_url:
        findings.append(await _reachable(settings))
    return findings


def _key_file(file: Path) -> Finding:
    """Whether nobody but its owner reads the file of the keys; a file that is not there is found by its use."""
    try:
        open_to_others = file.stat().st_mode & 0o077
    except OSError:
        open_to_others = 0
    mend = f"Make it readable only by its owner: chmod 600 {file} (for a mounted secret: defaultMode 0400)."
    return Finding("Only the owner can read the encryption key file", not open_to_others, mend)


def _database(settings: Settings) -> list[Finding]:
    shown = settings.database_url.split("@")[-1]
    what = f"The database opens ({shown})"
    try:
        database = open_database(settings)
    except (OSError, ValueError, SQLAlchemyError) as error:
        return [Finding(what, ok=False, mend=f"Check PLC_DATABASE_URL: {type(error).__name__}.")]
    try:
        if not _is_whole(database):
            return [Finding(what, ok=False, mend=DAMAGE)]
        return [Finding(what, ok=True), *_schema(settings, database)]
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        return [Finding(what, ok=False, mend=_mend(error, database))]
    finally:
        database.close()


def _is_whole(database: Database) -> bool:
    """Whether SQLite finds the files of the data and of the key store whole; a server checks its own."""
    if not database.sqlite:
        return True
    with database.read() as tx:
        checks = [tx.scalar(text(f"PRAGMA {schema}.quick_check(1)")) for schema in ("main", KEYS_SCHEMA)]
    return checks == ["ok", "ok"]


def _mend(error: Exception, database: Database) -> str:
    if isinstance(error, DBAPIError) and is_damage(error):
        return DAMAGE
    if isinstance(error, OSError | DBAPIError | sqlite3.Error) and (problem := problem_of(error, database.url)):
        return f"{problem}. Make room, or let this user write there."
    if database.sqlite:
        return f"Check PLC_DATABASE_URL and that this user may read and write the file: {type(error).__name__}."
    return f"Check PLC_DATABASE_URL and that the server runs: {type(error).__name__}."


def _schema(settings: Settings, database: Database) -> list[Finding]:
    with database.read() as tx:
        version = current(tx)
        if version is None:
            what = "The database has a schema"
            return [Finding(what, ok=False, mend="Run `plc-bot migrate` or `plc-bot run`.")]
        newest = version == head()
        findings = [Finding("The database schema matches this version", newest, "Run `plc-bot migrate`.")]
        if not newest:
            return findings
        try:
            check_key_store(tx)
        except SchemaProblem as error:
            return [*findings, Finding("The key store exists", ok=False, mend=str(error))]
        try:
            check_triggers(tx)
            findings.append(Finding("The record is protected against changes", ok=True))
        except SchemaProblem as error:
            findings.append(Finding("The record is protected against changes", ok=False, mend=str(error)))
        stored = program.get(tx)
        if stored is not None and stored.example != settings.local:
            mend = "Set PLC_DATABASE_URL to another database."
            findings.append(Finding("The database is of the right kind (example or real)", ok=False, mend=mend))
        what = "The encryption keys open the stored data"
        try:
            vault = Vault(read_operator_keys(operator_keys(settings)))
            vault.check(tx)
            findings.append(Finding(what, ok=True))
            whole = rotation.ledger_opens(tx, vault) and not rotation.damaged_keys(tx, vault)
            findings.append(Finding("Every key in the key store opens", whole, "Run `plc-bot keys check`."))
        except (BadKey, CannotStart) as error:
            findings.append(Finding(what, ok=False, mend=str(error)))
    return findings


async def _nobody(_request: Request) -> Reply:
    return Reply()


def _platforms(settings: Settings) -> list[Platform]:
    connected: list[Platform] = []
    if settings.slack is not None:
        from bot import slack

        connected.append(slack.connect(settings.slack, _nobody))
    if settings.teams is not None:
        from bot import teams

        connected.append(teams.connect(settings.teams, _nobody))
    return connected


async def _reachable(settings: Settings) -> Finding:
    """Whether the public address answers; only a running bot can."""
    what = f"The public address answers ({settings.public_url})"
    mend = "Start the bot. Make sure PLC_PUBLIC_URL reaches it over HTTPS, through a reverse proxy or tunnel."
    try:
        timeout = aiohttp.ClientTimeout(total=REACH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(urljoin(settings.public_url + "/", "healthz")) as answer,
        ):
            return Finding(what, answer.status == 200, mend)
    except (aiohttp.ClientError, TimeoutError):
        return Finding(what, ok=False, mend=mend)
