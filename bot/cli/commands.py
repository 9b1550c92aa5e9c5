"""The terminal: plc-bot run, migrate, roster, people, policy, ledger, attendance, certificate, export, manifest.

Keys, forgetting, holds and backups are in :mod:`bot.cli.vault`, the manifests in :mod:`bot.cli.manifests`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from bot.cli import manifests, matching, vault
from bot.cli.console import CommandGroup, err, out
from bot.cli.console import settings as _settings
from bot.cli.console import stop as _stop
from bot.runtime import logs
from bot.settings import SettingsError, load

cli = typer.Typer(
    cls=CommandGroup,
    help="The cohort bot for school counselor mentoring programs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, secrets among them
)
roster = typer.Typer(help="People and cohorts.", no_args_is_help=True)
policy_cli = typer.Typer(help="The program's requirements.", no_args_is_help=True)
ledger_cli = typer.Typer(help="The attendance record.", no_args_is_help=True)
attendance_cli = typer.Typer(help="Attendance from before the bot.", no_args_is_help=True)
cli.add_typer(attendance_cli, name="attendance")
cli.add_typer(attendance_cli, name="history", hidden=True)  # its name in 0.1.0
certificate_cli = typer.Typer(help="Certificates and full records.", no_args_is_help=True)
cli.add_typer(ledger_cli, name="ledger")
cli.add_typer(certificate_cli, name="certificate")
cli.add_typer(roster, name="roster")
cli.add_typer(matching.people_cli, name="people")
cli.add_typer(policy_cli, name="policy")
cli.add_typer(vault.keys, name="keys")
cli.add_typer(vault.person, name="person")
cli.add_typer(vault.forgotten, name="forgotten")
cli.command()(vault.backup)
cli.command()(vault.restore)
cli.add_typer(manifests.manifest, name="manifest")


def main() -> None:
    """Run ``plc-bot`` with the arguments of this process."""
    cli()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise _stop(f"I can't read {file}: {reason}.") from None


@cli.command()
def run(verbose: Annotated[bool, typer.Option("--verbose", help="Log every action.")] = False) -> None:
    """Start the bot: the local workspace, or Slack and Teams if they are configured."""
    from bot.main import run as run_app
    from bot.runtime.disk import DiskProblem
    from bot.runtime.hardening import forbid_core_dumps
    from bot.startup import CannotStart
    from storage.core.migrate import SchemaProblem
    from storage.vault.operator_keys import BadKey

    settings = _settings()
    logs.configure(settings.plc_log_format, verbose=verbose)
    forbid_core_dumps()
    try:
        asyncio.run(run_app(settings, lambda text: out.print(text, markup=False, soft_wrap=True)))
    except (CannotStart, DiskProblem, SchemaProblem, BadKey) as error:
        raise _stop(str(error)) from None


@cli.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from bot.startup import open_database
    from storage.core.migrate import SchemaProblem
    from storage.core.migrate import migrate as upgrade

    database = open_database(_settings())
    try:
        changed = upgrade(database)
    except SchemaProblem as error:
        raise _stop(str(error)) from None
    finally:
        database.close()
    out.print("The database is up to date now." if changed else "The database was up to date already.")


@roster.command("import")
def roster_import(
    file: Annotated[Path, typer.Argument(help="A CSV file; docs/roster.md names its columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    restore_removed: Annotated[
        bool, typer.Option("--restore-removed", help="Also restore memberships and roles that were ended.")
    ] = False,
) -> None:
    """Import people and cohorts from a roster file. The whole file is checked before anything is written."""
    from bot.cli.roster import NothingImported, import_file

    text = _read(file)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        try:
            changes = import_file(
                _settings(),
                text,
                datetime.now(UTC),
                uuid4,
                dry_run=dry_run,
                restore_removed=restore_removed,
                report=report,
            )
        except NothingImported as error:
            raise _stop(f"Nothing was imported.\n{error}") from None
    for change in changes:  # plainly: a console takes minutes to lay out a hundred thousand lines
        typer.echo(f"line {change.line}: {change.text}")
    if not changes:
        out.print("Nothing to change. The program has all of this already.")
    elif dry_run:
        out.print(f"{len(changes)} changes would be made. Nothing was written (--dry-run).")
    else:
        out.print(f"{len(changes)} changes made.")


@attendance_cli.command("import")
def import_attendance(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns email, date, minutes, status, topic.")],
    attested_by: Annotated[
        str,
        typer.Option("--attested-by", help="The email address of the person who confirms that the file is correct."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
) -> None:
    """Import attendance from before the bot: all of it or none. Each line names the file and who attests to it."""
    from bot.cli.roster import NothingImported, import_attendance_file

    text = _read(file)
    try:
        count = import_attendance_file(_settings(), text, attested_by, datetime.now(UTC), uuid4, dry_run=dry_run)
    except NothingImported as error:
        raise _stop(f"Nothing was imported.\n{error}") from None
    done = "would be imported. Nothing was written (--dry-run)." if dry_run else "imported."
    out.print(f"{count} lines {done}")


@vault.person.command("export")
def person_export(
    name: Annotated[str, typer.Argument(help="The person's name or address on the roster.")],
    output: Annotated[Path, typer.Option("--output", help="The ZIP file to write.")],
    with_confidential: Annotated[
        bool,
        typer.Option("--with-confidential", help="Include check-ins and private writing. The bot tells the person."),
    ] = False,
) -> None:
    """Write everything that is kept about a person, for them. First check that they are the one who asks."""
    from bot.documents.making import NothingToMake
    from bot.documents.terminal import person_file
    from bot.startup import CannotStart
    from storage.vault.operator_keys import BadKey

    now = datetime.now(UTC)
    try:
        made = person_file(_settings(), name, now, uuid4, confidential=with_confidential)
    except (NothingToMake, BadKey, CannotStart) as error:
        raise _stop(str(error)) from None
    _write(output, made.data)


@ledger_cli.command("verify")
def ledger_verify(
    head: Annotated[str, typer.Option("--head", help="A check code from a full record or a weekly digest.")] = "",
) -> None:
    """Check that no line of the ledger was changed, removed or cut off, and name each one that was."""
    from bot.cli.roster import NothingImported, verify_ledger
    from program.core.words import counted

    try:
        verdict = verify_ledger(_settings(), head)
    except NothingImported as error:
        raise _stop(str(error)) from None
    for problem in verdict.problems:
        out.print(f"✗ {problem}", markup=False)
    out.print(
        f"Checked {counted(verdict.lines, 'line')} of {counted(verdict.enrolments, 'enrollment')}: "
        f"{counted(len(verdict.problems), 'problem')}."
    )
    if verdict.problems:
        raise typer.Exit(1)


@policy_cli.command("check")
def policy_check(file: Annotated[Path, typer.Argument(help="A policy document (TOML).")]) -> None:
    """Validate a policy and print in plain English what it asks of a mentee, year by year."""
    from program.record.english import describe
    from program.record.policy_reading import BadPolicy, read_policy

    try:
        policy = read_policy(_read(file))
    except BadPolicy as error:
        raise _stop(f"{file} can't be used as a policy.\n{error}") from None
    out.print(describe(policy), markup=False, soft_wrap=True)


@policy_cli.command("adopt")
def policy_adopt(
    file: Annotated[Path, typer.Argument(help="A policy document (TOML).")],
    holds_from: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="For mentees who start on this day or later.")
    ],
    take_along: Annotated[
        bool | None,
        typer.Option("--take-along/--new-only", help="Also move the mentees on another policy, and tell them."),
    ] = None,
) -> None:
    """Use a policy for new mentees and, on request, for mentees who have neither completed nor left."""
    from bot.cli.roster import NothingImported, adopt_policy, mentees_to_move
    from program.core.words import counted

    settings, text = _settings(), _read(file)
    try:
        now = datetime.now(UTC)
        others = mentees_to_move(settings, text, now)
        whose = counted(others, "mentee is", "mentees are")
        if take_along is None:
            ask = f"{whose} on another policy. Move them to this one? The bot will tell them."
            later = holds_from.date() > now.date()
            take_along = others > 0 and not later and sys.stdin.isatty() and typer.confirm(ask, default=False)
        said = adopt_policy(settings, text, holds_from.date(), now, uuid4, take_along=take_along and others > 0)
        if others and not take_along:
            said += f" {whose} still on another policy. To move them, run this again with --take-along."
    except NothingImported as error:
        raise _stop(f"Nothing was adopted.\n{error}") from None
    out.print(said, markup=False, soft_wrap=True)


@certificate_cli.command("write")
def certificate_write(
    email: Annotated[str, typer.Argument(help="The mentee's address on the roster.")],
    output: Annotated[Path, typer.Option("--output", help="The PDF file to write.")],
    packet: Annotated[bool, typer.Option("--packet", help="The full record instead of the certificate.")] = False,
) -> None:
    """Write a mentee's certificate, or the full record with every line that it depends on."""
    from bot.documents.making import NothingToMake
    from bot.documents.terminal import certificate_file

    try:
        made = certificate_file(_settings(), email, datetime.now(UTC), packet=packet)
    except NothingToMake as error:
        raise _stop(str(error)) from None
    _write(output, made.data)


@cli.command()
def export(
    output: Annotated[Path, typer.Option("--output", help="A file ending in .xlsx or .csv.")],
    cohort: Annotated[str, typer.Option("--cohort", help="Only this cohort.")] = "",
    mentee: Annotated[str, typer.Option("--mentee", help="Only this mentee, by address.")] = "",
    standings: Annotated[bool, typer.Option("--standings", help="For .csv: standings, not the record.")] = False,
) -> None:
    """Write standings and the record as a spreadsheet. It contains nothing confidential."""
    from bot.documents.making import NothingToMake
    from bot.documents.terminal import export_file

    now = datetime.now(UTC)
    try:
        made = export_file(_settings(), output.suffix, now, cohort=cohort, mentee=mentee, standings=standings)
    except NothingToMake as error:
        raise _stop(str(error)) from None
    _write(output, made.data)


def _write(output: Path, data: bytes) -> None:
    try:
        with os.fdopen(os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)  # readable by its owner alone: it names people
    except OSError as error:
        raise _stop(f"I can't write {output}: {error.strerror}.") from None
    out.print(f"Wrote {output}.", markup=False)


@cli.command()
def doctor() -> None:
    """Check settings, database, keys, tokens, scopes and reachability, and say how to fix what fails."""
    from bot.cli.doctor import examine

    try:
        settings = load()
    except SettingsError as error:
        for line in str(error).splitlines():
            out.print(f"✗ {line}", markup=False)
        raise typer.Exit(1) from None
    findings = asyncio.run(examine(settings))
    for finding in findings:
        out.print(f"{'✓' if finding.ok else '✗'} {finding.what}", markup=False, soft_wrap=True)
        if not finding.ok:
            out.print(f"    {finding.mend}", markup=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
