"""The pages anybody's browser may open: checking a certificate's code, and one-time downloads. No script."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from importlib.resources import files
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from bot.documents.making import File, Make, Maker, NothingToMake
from bot.documents.wording import Wording
from bot.runtime.dispatch import Product
from bot.runtime.logs import event
from bot.web.request_limit import RateLimit
from handlers.program_desk.downloads import may_have
from program.core.times import long_day, say_time, to_local, zone_words
from program.record.certificate import COMPLETED, read_code
from storage.core import program
from storage.core.database import Tx
from storage.people import people
from storage.program_desk import downloads
from storage.record import certificates, policies, verification

log = logging.getLogger("plc.documents")

LONGEST_CODE = 60
AT_ONCE = 2  # files made at the same time; making one keeps a core busy
GONE = "The link was used already, or it is too old. For a new link, send the bot “certificate”, “export” or “privacy”."
WHAT = {
    "certificate": "Your certificate is ready",
    "packet": "Your record is ready",
    "own": "Your export is ready",
    "cohort": "Your export is ready",
    "program": "Your export is ready",
    "person": "Everything about you is ready",
}


class DocumentPages:
    """The routes ``/verify`` and ``/download``."""

    def __init__(self, product: Product, wording: Wording, limit: RateLimit | None = None) -> None:
        """``limit``: of each client's requests; none in a test that asks for none."""
        self._product = product
        self._wording = wording
        self._limit = limit
        self._style = (files("bot.web") / "pages.css").read_text(encoding="utf-8")
        source = (files("bot.web") / "page.html").read_text(encoding="utf-8")
        self._page = Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
        self._making = asyncio.Semaphore(AT_ONCE)

    def add_routes(self, app: web.Application) -> None:
        """Add the pages that verify a certificate and hand out downloads, each behind the rate limit."""
        app.router.add_get("/verify", self._limited(self.ask))
        app.router.add_get("/verify/{code}", self._limited(self.verify))
        app.router.add_get("/download/{token}", self._limited(self.offer))
        app.router.add_post("/download/{token}", self._limited(self.download))

    def _limited(self, handler: Handler) -> Handler:
        async def limited(request: web.Request) -> web.StreamResponse:
            refusal = self._limit.refusal(request) if self._limit else None
            return refusal or await handler(request)

        return limited

    # Checking a code ----------------------------------------------------------------------------

    async def ask(self, request: web.Request) -> web.Response:
        """The page on which a printed code is typed; its form leads to the code's own page."""
        typed = request.query.get("code", "").strip()[:LONGEST_CODE]
        if not typed:
            return await self._show("ask", "Check a certificate")
        code = read_code(typed)
        if code is None:
            return await self._unknown()
        return web.Response(status=303, headers={"Location": f"/verify/{code}", **self._headers()})

    async def verify(self, request: web.Request) -> web.Response:
        """Valid, revoked, changed or unknown. Codes have 80 random bits, so there is nothing to find by trying."""
        code = read_code(request.match_info["code"][:LONGEST_CODE])
        certificate = await self._product.threads.read(lambda tx: certificates.by_code(tx, code)) if code else None
        if certificate is None:
            lost = await self._product.threads.read(lambda tx: certificates.left_a_trace(tx, code or ""))
            return await self._changed() if lost else await self._unknown()
        if not certificate.intact or await self._problems(certificate.person_id):
            return await self._changed()
        if certificate.revoked_at is not None:
            revoked = certificate.revoked_at
            return await self._show(
                "revoked", "Revoked certificate", certificate=certificate, day=revoked, day_name="revoked"
            )
        return await self._show(
            "valid",
            f"Valid: {self._wording.heading}",
            certificate=certificate,
            day=certificate.issued_at,
            day_name="issued",
            policy=await self._product.threads.read(lambda tx: policies.get(tx, certificate.policy)),
            completed=COMPLETED,
            heading=self._wording.heading,
        )

    async def _problems(self, person_id: UUID) -> list[str]:
        """What of the holder's record was changed outside the program."""
        key = self._product.chain_key
        return await self._product.threads.read(lambda tx: verification.of_person(tx, key, person_id))

    async def _changed(self) -> web.Response:
        return await self._show("changed", "Not confirmed")

    async def _unknown(self) -> web.Response:
        return await self._show("unknown", "Unknown code", status=404)

    # Downloads ----------------------------------------------------------------------------------

    async def offer(self, request: web.Request) -> web.Response:
        """A page with one button. Programs that open every link in a chat press no button, so they use up none."""
        token = request.match_info["token"]
        now = self._product.clock.now()

        def look(tx: Tx) -> tuple[downloads.Download, str] | None:
            download = downloads.find(tx, token, now)
            return (download, people.get(tx, download.person_id).zone) if download else None

        offered = await self._product.threads.read(look)
        if offered is None:
            return await self._gone(GONE)
        download, zone = offered
        until = f"{say_time(to_local(download.expires_at, zone))} ({zone_words(zone)})"
        return await self._show("ready", "Download", what=WHAT.get(download.what, "Your file is ready"), until=until)

    async def download(self, request: web.Request) -> web.Response:
        """Make the file, use the link up, and only then hand the file out: a failed making costs no link."""
        token = request.match_info["token"]
        try:
            make = await self._product.threads.read(lambda tx: self._prepare(tx, token))
            async with self._making:
                made = await asyncio.to_thread(make)
        except NothingToMake as error:
            return await self._gone(str(error))
        except Exception as error:  # the link must outlive it; aiohttp would log its text, which may quote the file
            event(log, "document.failed", logging.ERROR, error=type(error).__name__)
            return await self._show("failed", "That didn't work", status=500)
        spent = await self._product.threads.write(lambda tx: downloads.use(self._product.work(tx), token))
        return self._file(made) if spent else await self._gone(GONE)

    def _prepare(self, tx: Tx, token: str) -> Make:
        """What the link is good for, if its person may still have it."""
        now = self._product.clock.now()
        download = downloads.find(tx, token, now)
        if download is None:
            raise NothingToMake(GONE)
        if not may_have(tx, download.person_id, download.what, download.subject):
            raise NothingToMake("You can no longer get this file.")
        maker = Maker(self._wording, self._product.address(), self._product.vault)
        return maker.prepare(tx, download.what, download.subject, download.format, now)

    def _file(self, made: File) -> web.Response:
        headers = {**self._headers(), "Content-Disposition": f'attachment; filename="{made.name}"'}
        return web.Response(body=made.data, headers={**headers, "Content-Type": made.type})

    async def _gone(self, why: str) -> web.Response:
        return await self._show("gone", "This link no longer works", status=410, why=why)

    # Pages --------------------------------------------------------------------------------------

    async def _show(self, page: str, title: str, status: int = 200, **values: Any) -> web.Response:
        settings = await self._product.threads.read(program.get)
        issuer = self._wording.issuer or (settings.name if settings else "")
        zone = settings.zone if settings else "UTC"
        if "day" in values:
            values[values.pop("day_name")] = long_day(values.pop("day"), zone)
        text = self._page.render(
            page=page,
            title=f"{title} – {issuer}",
            issuer=issuer,
            example=bool(settings and settings.example),
            style=Markup(self._style),  # noqa: S704  ours, from the package
            **values,
        )
        return web.Response(text=text, content_type="text/html", status=status, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
            "Cache-Control": "no-store",
        }
