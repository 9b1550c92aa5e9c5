"""What ``plc-bot doctor`` asks of Slack; nothing is changed there."""

from __future__ import annotations

from bot.runtime.port import Finding, Permanent, Temporary, Uncertain, Wait
from bot.settings import SlackSettings
from bot.slack.api import Api
from bot.slack.errors import answered, called
from manifest.slack import REQUIRED_SCOPES


async def findings(settings: SlackSettings, api: Api) -> list[Finding]:
    """Return what is right and wrong about the bot token, its scopes, and the app token or signing secret."""
    token = await _token(api)
    if settings.app_token is not None:
        token.append(await _socket(api, settings.app_token))
    else:
        secret = bool(settings.signing_secret)
        mend = "" if secret else "Set SLACK_SIGNING_SECRET (Basic Information of the app), or SLACK_APP_TOKEN."
        token.append(Finding("Slack signing secret", secret, mend))
    return token


async def _token(api: Api) -> list[Finding]:
    try:
        said = await answered(api.client.auth_test())
    except (Permanent, Temporary, Uncertain, Wait) as error:
        return [Finding("Slack bot token", False, _mend(error))]
    token = Finding("Slack bot token", True)
    granted = {scope.strip() for scope in said.headers.get("x-oauth-scopes", "").split(",")}
    missing = [scope for scope in REQUIRED_SCOPES if scope not in granted]
    mend = f"Add {', '.join(missing)} to the app's bot scopes and install it again." if missing else ""
    return [token, Finding("Slack scopes", not missing, mend)]


async def _socket(api: Api, app_token: str) -> Finding:
    try:
        await called(api.client.apps_connections_open(app_token=app_token))
    except (Permanent, Temporary, Uncertain, Wait) as error:
        mend = f"{_mend(error)} SLACK_APP_TOKEN needs the scope connections:write, and the app Socket Mode."
        return Finding("Slack app token (Socket Mode)", False, mend)
    return Finding("Slack app token (Socket Mode)", True)


def _mend(error: Exception) -> str:
    if isinstance(error, Permanent):
        return str(error)
    return "Slack could not be reached; check SLACK_API_URL and the network."
