"""Microsoft Teams: the port's verbs and the listener, over botbuilder-core.

Importing this package costs nothing; :func:`connect` brings in the Bot Framework SDK and the card models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.runtime.port import Answer, Platform

if TYPE_CHECKING:
    from bot.settings import TeamsSettings

LOGIN_URL = "https://login.microsoftonline.com"
METADATA_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
SERVICE_URL = "https://smba.trafficmanager.net/teams/"


def connect(
    settings: TeamsSettings,
    answer: Answer,
    *,
    login_url: str = LOGIN_URL,
    metadata_url: str = METADATA_URL,
    service_url: str = SERVICE_URL,
    timeout: float = 10.0,
) -> Platform:
    """Build the Teams platform; nothing connects until its ``start()``.

    ``service_url`` is where a person is written to before any activity has told a nearer address.
    ``timeout`` is for each call, in seconds.
    """
    from bot.teams.app import Teams

    return Teams(
        settings,
        answer,
        login_url=login_url,
        metadata_url=metadata_url,
        service_url=service_url,
        timeout=timeout,
    )
