"""botbuilder-core 4.17.1 behind the protocols of :mod:`bot.teams.protocols`.

That is the last release of an archived SDK. Nothing outside this folder imports botbuilder, botframework or msrest.
"""

from __future__ import annotations

from bot.teams.auth import CallerCheck
from bot.teams.connector import Connector
from bot.teams.protocols import Conversations, StartTurn


def build(connector: Connector, callers: CallerCheck | None) -> tuple[StartTurn, Conversations]:
    """Return both protocols over botbuilder. This imports the SDK.

    ``callers``: checks each activity's token; None for a test client, whose activities carry none.
    """
    from bot.teams.botbuilder.authentication import BotAuthentication
    from bot.teams.botbuilder.connector_clients import ConnectorClients
    from bot.teams.botbuilder.conversations import BotbuilderConversations
    from bot.teams.botbuilder.turns import BotbuilderTurns

    clients = ConnectorClients(connector)
    return BotbuilderTurns(BotAuthentication(callers, clients)).start, BotbuilderConversations(clients)
