"""What Slack and Teams are told about the app."""

from manifest.slack import slack_manifest
from manifest.teams import NOBODY, Publisher, teams_package

__all__ = ["NOBODY", "Publisher", "slack_manifest", "teams_package"]
