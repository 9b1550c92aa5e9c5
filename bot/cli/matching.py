"""The terminal's commands about who is who."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table

from bot.cli.console import out, say, settings, stop

people_cli = typer.Typer(help="Match accounts to people.", no_args_is_help=True)


@people_cli.command("list")
def people_list() -> None:
    """List the people on the roster without an account, and the accounts that are linked to no person."""
    from bot.cli.roster import unmatched

    missing, accounts = unmatched(settings())
    table = Table("On the roster", "E-mail", title="Not matched to an account")
    for person in missing:
        table.add_row(person.name, person.email)
    out.print(table)
    table = Table(title="Accounts that aren't matched to a person yet")
    for heading in ("Account", "E-mail", "Platform"):
        table.add_column(heading, overflow="fold")
    table.add_column("User id", no_wrap=True)  # `people match` takes it as it stands
    for account in accounts:
        table.add_row(account.name, account.email, account.platform, account.user)
    out.print(table)


@people_cli.command("match")
def people_match(
    email: Annotated[str, typer.Argument(help="The person's address on the roster.")],
    user: Annotated[str, typer.Argument(help="The account's user id, as `people list` shows it.")],
    earlier_account_gone: Annotated[
        bool,
        typer.Option(
            "--earlier-account-gone", help="Say that the account they have is gone, after the bot could not tell it."
        ),
    ] = False,
) -> None:
    """Link an account to a person on the roster."""
    from bot.cli.roster import NothingImported, match

    try:
        if earlier_account_gone:
            _report_gone(email, user)
        else:
            say(match(settings(), email, user, datetime.now(UTC), uuid4))
    except NothingImported as error:
        raise stop(str(error)) from None


def _report_gone(email: str, user: str) -> None:
    """Show what will happen, ask for the address, and do it.

    Raises:
        NothingImported: it can't be reported, and why.
    """
    from bot.cli import gone_account

    say(gone_account.look(settings(), email, user, datetime.now(UTC), uuid4))
    typed = typer.prompt("To go on, type the person's address on the roster")
    if typed.strip().lower() != email.strip().lower():
        raise stop("That is not the address. Nothing was changed.")
    say(gone_account.report(settings(), email, user, datetime.now(UTC), uuid4))
