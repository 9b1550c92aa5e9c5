"""The terminal's commands about keys, forgetting, holds and backups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from bot.cli.console import err, out, say, settings, stop
from bot.runtime.clock import SystemClock
from program.core.words import counted

keys = typer.Typer(help="The operator's encryption keys.", no_args_is_help=True)
person = typer.Typer(help="One person: delete private data, legal holds.", no_args_is_help=True)

forgotten = typer.Typer(help="The list of forgotten people, to keep apart from the backups.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME|EMAIL|ID", help="Who: a name, an email address or an id.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]


@keys.command("new")
def new() -> None:
    """Make an encryption key for PLC_ENCRYPTION_KEYS and print it. Keep it apart from the database."""
    from storage.vault.operator_keys import new_operator_key

    say(new_operator_key())


@keys.command("rotate")
def rotate() -> None:
    """Rewrap every data key under the first key, also while the bot runs. If you stop it, the next run continues."""
    from bot.cli import keyring
    from bot.startup import CannotStart
    from storage.core.migrate import SchemaProblem
    from storage.vault.operator_keys import BadKey
    from storage.vault.rotation import NotAnnounced

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with keyring.opened(settings()) as (database, vault), Bar(*columns, console=err) as bar:
            task = bar.add_task("Data keys", total=None)
            at = keyring.RotationProgress(0, 0, 0)
            for at in keyring.rotate(database, vault, SystemClock()):
                bar.update(task, completed=at.done + at.unopened, total=at.total)
    except (CannotStart, SchemaProblem, BadKey, NotAnnounced) as error:
        raise stop(str(error)) from None
    say(
        f"Wrapped again: {counted(at.done, 'data key')}. To see which old key you can remove, run `plc-bot keys check`."
    )
    if at.unopened:
        raise stop(f"{at.unopened} could not be opened and were not changed.")


@keys.command("check")
def check() -> None:
    """Say which key wraps what, what no key opens, and if you can remove an old key."""
    from bot.cli import keyring
    from bot.startup import CannotStart
    from storage.core.migrate import SchemaProblem
    from storage.vault.operator_keys import BadKey

    try:
        with keyring.opened(settings(), even_locked=True) as (database, vault):
            checked = keyring.check(database, vault, SystemClock())
    except (CannotStart, SchemaProblem, BadKey) as error:
        raise stop(str(error)) from None
    table = Table("Key (fingerprint)", "Available", "What it wraps")
    for row in checked.rows:
        table.add_row(*row)
    out.print(table)
    for text in checked.advice:
        say(text)
    for text in checked.problems:
        say(f"✗ {text}")
    if checked.problems:
        raise typer.Exit(1)
    say(f"Everything opens ({counted(checked.items, 'item')}).")


@keys.command("recover")
def recover() -> None:
    """Recover after the key store was lost without a backup. What was written in private under it is removed."""
    from bot.cli import recovering

    now = datetime.now(UTC)
    try:
        with recovering.opened(settings()) as (database, vault):
            name, damage = recovering.look(database, vault, now)
            if not damage:
                say("Every key is there, so there is nothing to recover.")
                return
            for line in recovering.said(damage):
                say(line)
            typed = typer.prompt(f"Look for a backup of the key store first. To go on, type the program's name, {name}")
            if typed.strip() != name:
                raise stop("That is not the program's name. Nothing was changed.")
            say(recovering.recover(database, vault, damage, datetime.now(UTC), uuid4))
    except recovering.PROBLEMS as error:
        raise stop(f"Nothing was changed.\n{error}") from None


# One person -------------------------------------------------------------------------------------


@person.command("forget")
def forget(who: Name, yes: Sure = False) -> None:
    """Destroy what a person wrote in confidence, for good. docs/keys.md says how to check who is asking."""
    from bot.cli import persons

    try:
        match = persons.find(settings(), who)
        say(f"{match.name} <{match.email}>: {counted(match.items, 'item')} written in private.")
        say(persons.WHAT_GOES)
        if not yes and not typer.confirm("Delete them for good? You can't undo this."):
            raise stop("Nothing was changed.")
        say(persons.forget(settings(), match.id, datetime.now(UTC), uuid4))
    except persons.NotDone as error:
        raise stop(str(error)) from None


@person.command("hold")
def hold(
    who: Name,
    reason: Annotated[str, typer.Option("--reason", help="A code. To see the codes, run `plc-bot person hold`.")] = "",
) -> None:
    """Put a legal hold on what a person wrote, so that it is neither forgotten nor deleted for its age."""
    _hold(who, reason)


@person.command("release")
def release(who: Name) -> None:
    """End a legal hold."""
    _hold(who, None)


def _hold(who: str, reason: str | None) -> None:
    from bot.cli import persons

    try:
        match = persons.find(settings(), who)
        say(persons.set_hold(settings(), match, reason, datetime.now(UTC), uuid4))
    except persons.NotDone as error:
        raise stop(str(error)) from None


# The list of forgotten people -------------------------------------------------------------------


@forgotten.command("export")
def forgotten_export(
    file: Annotated[Path, typer.Argument(help="The file to write. Keep it on another machine.")],
) -> None:
    """Write who was forgotten, as ids and times, so that a restore from older backups forgets them again."""
    from bot.cli import forgotten as lists
    from bot.startup import CannotStart
    from storage.core.migrate import SchemaProblem
    from storage.privacy.forgotten_list import BadList
    from storage.vault.operator_keys import BadKey

    try:
        entries = lists.export(settings(), file, datetime.now(UTC))
    except (BadList, CannotStart, SchemaProblem, BadKey) as error:
        raise stop(str(error)) from None
    say(f"Wrote {file} ({counted(entries, 'entry', 'entries')}). It does not have people who are forgotten later.")


# Backups ----------------------------------------------------------------------------------------


def backup(
    file: Annotated[Path | None, typer.Argument(help="The file for the copy of the data.")] = None,
    keys_file: Annotated[Path | None, typer.Option("--keys", help="The file for the copy of the key store.")] = None,
) -> None:
    """Copy the data, or with --keys the key store, while the bot runs. Keep the two apart."""
    from bot.cli.backing_up import back_up
    from storage.core.backup import NoCopy

    now = settings()
    if not now.sqlite:
        _say_commands("backup", "Run these commands. They back up the data and the key store separately:")
        return
    if file is None and keys_file is None:
        raise stop("Name a file: plc-bot backup FILE for the data, plc-bot backup --keys FILE for the key store.")
    try:
        for written in back_up(now, file, keys_file):
            say(f"Wrote {written}.")
    except NoCopy as error:
        raise stop(str(error)) from None


def restore(
    file: Annotated[Path | None, typer.Argument(help="A backup of the data.")] = None,
    keys_file: Annotated[Path | None, typer.Option("--keys", help="A backup of the key store.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check that the backup works.")] = False,
    settled: Annotated[bool, typer.Option("--settle", help="After pg_restore: finish the restore.")] = False,
    listed: Annotated[
        Path | None,
        typer.Option("--forgotten", metavar="FILE", help="A list from `plc-bot forgotten export`, to forget again."),
    ] = None,
) -> None:
    """Put a backup in place of a SQLite database; the bot must not run. What was there is kept aside."""
    from bot.cli import proving, restoring
    from storage.core.backup import NoCopy
    from storage.privacy.forgotten_list import BadList

    now = settings()
    try:
        if settled:
            report = restoring.settle_in_place(now, SystemClock(), listed)
        elif file is None and keys_file is None and check:
            if listed is not None:
                raise stop(
                    "Without a backup, --check takes no list. To forget again in place, use --settle --forgotten FILE."
                )
            report = proving.check_in_place(now)
        elif not now.sqlite:
            _say_commands(
                "restore",
                "Stop the bot, then run these commands. If the key store is restored too, add --forgotten FILE to the "
                "last one, with your newest list from `plc-bot forgotten export`:",
            )
            return
        elif file is None and keys_file is None:
            raise stop("Name a file: plc-bot restore FILE, and --keys FILE if the key store is lost too.")
        elif check:
            report = proving.check(now, file, keys_file, listed)
        else:
            report, aside = restoring.restore(now, file, keys_file, SystemClock(), listed)
            report.facts.extend(f"The earlier file is kept as {path}." for path in aside)
    except (restoring.CannotRestore, NoCopy, BadList) as error:
        raise stop(f"Nothing was changed.\n{error}") from None
    for text in report.facts:
        say(f"✓ {text}")
    for text in report.warnings:
        say(f"! {text}")
    for text in report.problems:
        say(f"✗ {text}")
    if report.problems:
        raise typer.Exit(1)


def _say_commands(what: str, text: str) -> None:
    from bot.cli.backing_up import postgres_commands

    say(text)
    for line in postgres_commands(settings().database_url)[what]:
        say(f"  {line}")
