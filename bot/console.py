"""What every command of the terminal uses: its two consoles, and how it stops."""

from __future__ import annotations

import typer
from rich.console import Console

from bot.settings import Settings, SettingsError, load

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, style="bold")


def say(text: str) -> None:
    """A line as it is, whatever signs are in it."""
    out.print(text, markup=False, soft_wrap=True)


def stop(text: str) -> typer.Exit:
    err.print(text, markup=False, soft_wrap=True)
    return typer.Exit(1)


def settings() -> Settings:
    try:
        return load()
    except SettingsError as error:
        raise stop(str(error)) from None
