"""What the bot says on Teams when an answer cannot be shown where it was asked for."""

from __future__ import annotations

from bot.runtime.port import Permanent, Temporary, Uncertain, Wait
from bot.teams.http_client import Barred, Gone

SORRY = "Something went wrong and nothing was saved. Please try again."
OLD_BUTTON = "This button is too old. Send the command again."
SENT_DIRECTLY = "I sent you a direct message."
ADD_ME = "I couldn't send you the answer. Please add this app to your personal chats, then try again."
NO_CHAT = "I couldn't send you the answer: Teams can't find our personal chat. Send me a message there, then try again."
BUSY = "I couldn't send you the answer: Teams is busy. Please try again in a few minutes."
UNREACHABLE = "I couldn't send you the answer: Teams didn't take it. Please try again in a minute."
MAYBE_SENT = "I don't know if my answer reached you. Please look in our personal chat. If it isn't there, try again."
REFUSED = "I couldn't send you the answer: Teams refused it. Please tell your coordinator."
BELOW = "See my message in the chat."
DONE = "Done."
LOST = "Done, but I couldn't send you the answer."
NO_DIALOG = "Your version of Teams can't open this form. Open Teams on a computer or phone and try again."

_NOT_SENT: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (Wait, BUSY),
    (Temporary, UNREACHABLE),
    (Uncertain, MAYBE_SENT),
    (Gone, NO_CHAT),
    (Barred, ADD_ME),
    (Permanent, REFUSED),
)


def not_sent(error: Wait | Temporary | Uncertain | Permanent) -> str:
    """Return what to say where a command was sent, if its answer could not be sent to the personal chat."""
    return next(sentence for kind, sentence in _NOT_SENT if isinstance(error, kind))
