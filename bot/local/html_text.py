"""Text as HTML. What people typed is escaped; only web and mail addresses become links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit
from uuid import UUID

from markupsafe import Markup, escape

from handlers.core.cards import Bold, Cmd, HowToAsk, Link, Mention, Span, Text, When

SLASH = "/plc"  # before a command
LINKS = ("http", "https", "mailto")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: their id decides what is marked as theirs, their zone every time that is shown."""

    user: str
    zone: str


@dataclass(frozen=True, slots=True)
class Spans:
    """Text as HTML for one viewer."""

    mentions: Mapping[UUID, str]
    viewer: Viewer

    def text(self, text: Text) -> Markup:
        """Return the spans as HTML: times in the viewer's zone, and a mention of the viewer marked as theirs."""
        return Markup("").join(self._span(span) for span in text)

    def _span(self, span: Span) -> Markup:
        match span:
            case str():
                return escape(span)
            case Bold():
                return Markup("<strong>{}</strong>").format(span.text)
            case Link():
                return _link(span)
            case Mention():
                return self._mention(span)
            case When():
                words = span.plain(self.viewer.zone or None)
                return Markup('<time datetime="{}">{}</time>').format(span.at.isoformat(), words)
            case HowToAsk():
                return escape(span.plain(SLASH))
            case Cmd():
                return Markup("<kbd>{} {}</kbd>").format(SLASH, span.words)
            case _:
                assert_never(span)

    def _mention(self, span: Mention) -> Markup:
        user = self.mentions.get(span.person)
        if user is None:
            return Markup("<bdi>{}</bdi>").format(span.name)
        kind = "mention you" if user == self.viewer.user else "mention"
        return Markup('<bdi class="{}">@{}</bdi>').format(kind, span.name)


def safe_url(url: str) -> str:
    """The address if a browser may follow it, else an empty text."""
    try:
        return url if urlsplit(url).scheme.lower() in LINKS else ""
    except ValueError:
        return ""


def _link(link: Link) -> Markup:
    if not safe_url(link.url):
        return Markup("<bdi>{}</bdi>").format(link.text)
    return Markup(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{}<span class="unseen"> (opens in a new tab)</span></a>'
    ).format(link.url, link.text)
