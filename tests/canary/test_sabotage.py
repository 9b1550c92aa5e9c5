"""The search can fail: each of these puts a leak in, and the search must name the place."""

from __future__ import annotations

import io
import logging
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bot.documents.making
import bot.documents.pdf
import bot.slack.listeners
import storage.outbox.processed_requests
import storage.program_desk.exports
import storage.vault.vault
from bot.app import App
from bot.runtime.logs import event
from handlers.checkins import checkins
from handlers.core.cards import Card, say
from handlers.core.requests import Press, Request
from program.core.sheets import Sheet
from storage.checkins import reflections
from storage.outbox.outbox_tables import delivery
from tests.canary.hunt import listening, unpacked, words_in
from tests.canary.stage import FORM, PULSE, leaks, names_of
from tests.canary.test_slack import on_stage
from tests.slack.story import told

ours = logging.getLogger("plc.leak")
Leak = Callable[[pytest.MonkeyPatch, App], None]


def on_saving(patch: pytest.MonkeyPatch, leak: Callable[[Any, str], None]) -> None:
    """Whenever a reflection is saved, do this with its transaction and its words."""
    save = reflections.save

    def leaking(*arguments: Any) -> None:
        save(*arguments)
        leak(arguments[1], str(arguments[-1]))

    patch.setattr(reflections, "save", leaking)


def a_log_line(patch: pytest.MonkeyPatch, _app: App) -> None:
    on_saving(patch, lambda _work, text: ours.debug("saved %s", text))


def an_id_of_an_event(patch: pytest.MonkeyPatch, _app: App) -> None:
    on_saving(patch, lambda _work, text: event(ours, "moment.done", text=text))


def an_exceptions_text(patch: pytest.MonkeyPatch, _app: App) -> None:
    def raised(_work: Any, text: str) -> None:
        try:
            raise ValueError(text)
        except ValueError:
            ours.exception("saving failed")

    on_saving(patch, raised)


def an_open_vault(patch: pytest.MonkeyPatch, _app: App) -> None:
    seal = storage.vault.vault._encrypt

    def open_items(cipher: Any, clear: bytes, identity: bytes) -> bytes:
        return os.urandom(12) + clear if identity.startswith(b"item") else seal(cipher, clear, identity)

    patch.setattr(storage.vault.vault, "_encrypt", open_items)


def a_reason_in_a_table(patch: pytest.MonkeyPatch, _app: App) -> None:
    on_saving(patch, lambda work, text: work.tx.execute(delivery.update().values(reason=text[:200])))


def a_message(patch: pytest.MonkeyPatch, _app: App) -> None:
    card = checkins.checkin_card

    def telling(*arguments: Any) -> Card:
        made = card(*arguments)
        return replace(made, blocks=(*made.blocks, say(FORM)))

    patch.setattr(checkins, "checkin_card", telling)


def an_export(patch: pytest.MonkeyPatch, _app: App) -> None:
    sheets = storage.program_desk.exports.sheets

    def telling(*arguments: Any) -> list[Sheet]:
        return [replace(sheet, rows=(*sheet.rows, (FORM,) * len(sheet.columns))) for sheet in sheets(*arguments)]

    patch.setattr(storage.program_desk.exports, "sheets", telling)


def a_pdf(patch: pytest.MonkeyPatch, _app: App) -> None:
    packet = bot.documents.pdf.packet_pdf

    def telling(data: dict[str, Any], *rest: Any) -> bytes:
        return packet({**data, "facts": [*data["facts"], ("Said", FORM)]}, *rest)

    patch.setattr(bot.documents.making, "packet_pdf", telling)


def a_metrics_label(patch: pytest.MonkeyPatch, app: App) -> None:
    on_saving(patch, lambda _work, text: app.product.metrics.handled("slack", text, 0.1))


LEAKS: list[tuple[Leak, set[str]]] = [
    (a_log_line, {"log of plc.leak"}),
    (an_id_of_an_event, {"log of plc.leak", "log as written"}),
    (an_exceptions_text, {"log of plc.leak"}),
    (an_open_vault, {"table main.vault_item", "file plc.sqlite-wal", "file backup/data.sqlite"}),
    (a_reason_in_a_table, {"table main.delivery", "file plc.sqlite-wal", "file backup/data.sqlite"}),
    (a_message, {"Slack's calls", "Slack's conversations"}),
    (an_export, {"export cohort standings.csv", "export program record.csv", "export own xlsx"}),
    (a_pdf, {"export packet pdf"}),
    (a_metrics_label, {"metrics"}),
]


@pytest.mark.parametrize(("leak", "places"), LEAKS, ids=[leak.__name__ for leak, _ in LEAKS])
async def test_a_leak_is_found(tmp_path: Path, leak: Leak, places: set[str]) -> None:
    with listening() as ear, pytest.MonkeyPatch.context() as patch:
        async with told(f"sqlite:///{tmp_path / 'plc.sqlite'}") as story:
            stage = await on_stage(story, tmp_path)
            leak(patch, stage.app)
            await stage.taps("2")
            await stage.writes(FORM)
            shown = await leaks(stage, ear)
    missed = {place for place in places if not any(text.startswith(place) for text in shown)}
    assert missed == set(), shown


async def test_a_pulse_beside_its_person_is_found(tmp_path: Path) -> None:
    with listening() as ear:
        async with told(f"sqlite:///{tmp_path / 'plc.sqlite'}") as story:
            stage = await on_stage(story, tmp_path)
            await stage.taps(PULSE)
            assert await leaks(stage, ear) == []
            event(ours, "moment.done", person=min(names_of(stage)), value=PULSE)
            (stage.folder / "backup").rename(tmp_path / "earlier")
            assert {"log as written", "log of plc.leak"} <= set(await leaks(stage, ear))


async def test_a_pulse_in_an_idempotency_key_is_found(tmp_path: Path) -> None:
    def of_what_is_pressed(*_ids: str) -> bytes:
        return pressed[-1].encode()

    with listening() as ear, pytest.MonkeyPatch.context() as patch:
        async with told(f"sqlite:///{tmp_path / 'plc.sqlite'}") as story:
            stage = await on_stage(story, tmp_path)
            pressed = heard(patch)
            patch.setattr(storage.outbox.processed_requests, "request_key", of_what_is_pressed)
            await stage.taps(PULSE)
            assert await leaks(stage, ear) == ["table main.processed_request"]


def heard(patch: pytest.MonkeyPatch) -> list[str]:
    """What is pressed from now on, as the button carries it."""
    pressed: list[str] = []
    press = bot.slack.listeners.press

    def listened(body: Any, identity: Any) -> Request:
        request = press(body, identity)
        assert isinstance(request.intent, Press)
        pressed.append(request.intent.action.encode())
        return request

    patch.setattr(bot.slack.listeners, "press", listened)
    return pressed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_words_are_found_in_any_spelling_and_inside_archives(encoding: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", FORM.upper().encode(encoding))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("book.xlsx", packed.getvalue())
    assert words_in(unpacked("export", whole.getvalue()), [FORM]) == ["export/book.xlsx/inner.txt"]
