"""What every command of the terminal uses: its two consoles, and how it stops."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from sqlalchemy import make_url
from typer.core import TyperGroup

from bot.settings import Settings, SettingsError, load

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, style="bold")


def say(text: str) -> None:
    """A line as it is, whatever signs are in it."""
    out.print(text, markup=False, soft_wrap=True)


def stop(text: str) -> typer.Exit:
    """Print the text on standard error, and return the exit with status 1 for the caller to raise."""
    err.print(text, markup=False, soft_wrap=True)
    return typer.Exit(1)


def settings() -> Settings:
    """Return the checked settings.

    Raises:
        typer.Exit: a setting is wrong; the console says which.
    """
    try:
        return load()
    except SettingsError as error:
        raise stop(str(error)) from None


class CommandGroup(TyperGroup):
    """The commands. In each a database, key store or disk that cannot be used is a sentence, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: the database, key store or disk cannot be used; the console says why.
        """
        try:
            return super().invoke(ctx)
        except Exception as error:
            from bot.cli.failures import sentence

            if text := sentence(error, make_url(settings().database_url)):
                raise stop(text) from None
            raise
