"""What Teams is told about the app: the manifest, its two icons, and the package they are uploaded in."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from handlers.features import router
from manifest.about import BOT_NAME, COLOR, LONG, SHORT, app_version

# Nothing here is newer than 1.19; this is the newest version that Microsoft's pages call generally available.
SCHEMA_VERSION = "1.27"
SCHEMA = f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA_VERSION}/MicrosoftTeams.schema.json"

ICONS = ("color.png", "outline.png")
LONGEST_NAME = 32  # characters of the publisher's name
LONGEST_LINK = 2048
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STAMP = (2020, 1, 1, 0, 0, 0)  # of every file in the package, so that equal contents are equal packages


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who offers the app to its users: the organization that runs the bot, with its pages about it."""

    name: str
    website: str
    privacy: str
    terms: str


# Teams wants these four. The bot cannot know its operator's pages, so these lead to no real page.
NOBODY = Publisher(
    "Your organization",
    website="https://example.org/",
    privacy="https://example.org/privacy",
    terms="https://example.org/terms",
)


def teams_package(app_id: str, publisher: Publisher = NOBODY) -> bytes:
    """The app package: a zip file for Teams.

    Args:
        app_id: the bot's Microsoft app id, which becomes the id of the Teams app too
        publisher: who is shown as offering the app

    Raises:
        ValueError: Teams would refuse one of these; the text says which and why.
    """
    app_id = app_id.strip().lower()
    if not _GUID.fullmatch(app_id):
        raise ValueError(
            "The app id must look like 00000000-0000-0000-0000-000000000000. The Azure portal shows it as "
            "“Application (client) ID” of the app registration, and as “Microsoft App ID” of the Azure Bot."
        )
    _check(publisher)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as zipped:
        _add(zipped, "manifest.json", json.dumps(teams_manifest(app_id, publisher), indent=2).encode())
        for name in ICONS:
            _add(zipped, name, (files("manifest") / "icons" / name).read_bytes())
    return package.getvalue()


def _check(publisher: Publisher) -> None:
    if not 0 < len(publisher.name.strip()) <= LONGEST_NAME:
        raise ValueError(f"The publisher's name must have 1 to {LONGEST_NAME} characters.")
    for link in (publisher.website, publisher.privacy, publisher.terms):
        if not re.fullmatch(r"https://[^\s/]+\.[^\s]+", link) or len(link) > LONGEST_LINK:
            raise ValueError(f"{link or 'An empty text'} is no https:// address, and Teams shows it to everybody.")


def _add(zipped: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    zipped.writestr(entry, data)


def teams_manifest(app_id: str, publisher: Publisher = NOBODY) -> dict[str, Any]:
    """The manifest.

    It asks for no resource-specific permission, no Graph permission and no web domain: members and names
    come from the Bot Connector, which tells them to a bot where it is installed, and forms are cards.
    """
    return {
        "$schema": SCHEMA,
        "manifestVersion": SCHEMA_VERSION,
        "version": app_version(),
        "id": app_id,
        "developer": {
            "name": publisher.name.strip(),
            "websiteUrl": publisher.website,
            "privacyUrl": publisher.privacy,
            "termsOfUseUrl": publisher.terms,
        },
        "name": {"short": BOT_NAME, "full": f"{BOT_NAME} for school counselor mentoring"},
        "description": {"short": SHORT, "full": LONG},
        "icons": {"color": ICONS[0], "outline": ICONS[1]},
        "accentColor": COLOR,
        "bots": [
            {
                "botId": app_id,
                "scopes": ["personal", "team"],
                "supportsFiles": False,
                "isNotificationOnly": False,
                "commandLists": [
                    {"scopes": ["personal"], "commands": _commands("personal")},
                    {"scopes": ["team"], "commands": _commands("team")},
                ],
            }
        ],
        # What the person who adds the app is told: it knows who they are, and it writes to a team's members.
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [],
        "defaultInstallScope": "team",
        "defaultGroupCapability": {"team": "bot"},
    }


def _commands(scope: str) -> list[dict[str, str]]:
    """The commands that Teams offers while one types. The others work all the same, and "help" names them."""
    return [{"title": spec.words, "description": spec.summary} for spec in router.offered_on_teams(scope)]
