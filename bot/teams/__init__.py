"""Microsoft Teams.

One direction: translate (``activities.py``: payload -> Request), handle, render (``render.py``, ``forms.py``), send
(``port.py``, ``listener.py``). Importing this package imports no SDK; :func:`connect` does.
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
    """Return the Teams platform. Nothing connects before its ``start()``.

    ``service_url`` is used for a person whose activities have named no address yet.
    ``timeout``: seconds for each call.
    """
    from bot.teams.teams_app import Teams

    return Teams(
        settings,
        answer,
        login_url=login_url,
        metadata_url=metadata_url,
        service_url=service_url,
        timeout=timeout,
    )
