"""The terminal's commands that write what Slack and Teams are told about the app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import out, settings, stop

manifest = typer.Typer(help="Write what Slack and Teams need about the app.", no_args_is_help=True)


@manifest.command("slack")
def manifest_slack(
    socket_mode: Annotated[
        bool | None,
        typer.Option("--socket-mode/--http", help="How Slack reaches the bot. Default: as in the settings."),
    ] = None,
) -> None:
    """Print the Slack app manifest for these settings."""
    from manifest import slack_manifest

    current = settings()
    if socket_mode is None:
        socket_mode = current.slack_app_token is not None or current.plc_public_url is None
    try:
        text = slack_manifest(current.public_url, socket_mode=socket_mode)
    except ValueError as error:
        raise stop(str(error)) from None
    print(text)  # noqa: T201  raw, for a file or a clipboard


@manifest.command("teams")
def manifest_teams(
    app_id: Annotated[str, typer.Option("--app-id", help="The bot's Microsoft app id.")],
    output: Annotated[Path, typer.Option("--output", help="The ZIP file to write.")] = Path("plc-bot-teams.zip"),
    publisher: Annotated[str, typer.Option(help="The organization that runs the bot, shown in Teams.")] = "",
    website: Annotated[str, typer.Option(help="Its page about the bot, https://…")] = "",
    privacy: Annotated[str, typer.Option(help="Its privacy policy, https://…")] = "",
    terms: Annotated[str, typer.Option(help="Its terms of use, https://…")] = "",
) -> None:
    """Write the Teams app package."""
    from manifest import NOBODY, Publisher, teams_package

    shown = Publisher(
        publisher or NOBODY.name, website or NOBODY.website, privacy or NOBODY.privacy, terms or NOBODY.terms
    )
    try:
        output.write_bytes(teams_package(app_id, shown))
    except ValueError as error:
        raise stop(str(error)) from None
    except OSError as error:
        raise stop(f"I can't write {output}: {error.strerror}.") from None
    out.print(f"Wrote {output}. Upload it in the Teams admin center, or to a team under Apps.", markup=False)
    said = {"--publisher": publisher, "--website": website, "--privacy": privacy, "--terms": terms}
    missing = [option for option, value in said.items() if not value]
    if missing:
        out.print(f"Teams will show placeholders for: {', '.join(missing)}.", markup=False)
