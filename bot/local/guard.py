"""Only this machine, only our own pages: who may talk to the local workspace at all.

Anybody who reaches the workspace can be anyone in it. A listener on loopback is not enough against a web
page in the same browser, which can post here (CSRF) or point its own name at this address (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.clients import hostname, is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def guarded(handler: Handler) -> Handler:
    """The handler behind the checks, its answers with our headers."""

    async def guard(request: web.Request) -> web.StreamResponse:
        problem = refusal(request)
        if problem:
            return web.Response(status=403, text=problem, headers=HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            answer.headers.update(HEADERS)
            raise
        if not response.prepared:  # a stream has sent its headers already
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return guard


def refusal(request: web.Request) -> str:
    """Why this request is refused, in a sentence; empty when it is welcome."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not peer or not is_loopback(str(peer[0])):
        return "The local workspace answers only this machine."
    if not is_loopback(hostname(request.host)):
        return "Open the local workspace as 127.0.0.1 or localhost."
    if _foreign(request) or (request.method not in ("GET", "HEAD") and not _own_page(request)):
        return "The local workspace accepts changes only from its own pages."
    return ""


def _foreign(request: web.Request) -> bool:
    # A browser names the origin of every socket and every foreign script, whatever the method.
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:  # no browser sends that
        return True
    return parts.scheme not in ("http", "https") or parts.netloc != request.host


def _own_page(request: web.Request) -> bool:
    # JSON is already out of reach of a foreign form.
    same_site = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    return same_site and request.content_type == "application/json"
