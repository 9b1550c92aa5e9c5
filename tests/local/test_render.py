"""Cards and forms as HTML: everything is there, nothing typed is markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from uuid import UUID

import pytest

from bot.local import local_charts
from bot.local.host import LocalPerson
from bot.local.html_text import Viewer, safe_url
from bot.local.local_render import Renderer
from bot.local.messages import Channel
from handlers.core.actions import SentAction
from handlers.core.cards import Card, Chart, Cmd, Link, Mention, Paragraph, Progress, Series, Table
from handlers.core.forms import ChoiceField, Form, Option, TextField
from handlers.core.plain_cards import plain
from tests.local.toy import LINES
from tests.specimens import CARDS, DANA, EVERYTHING, FORM, FORMS, HOSTILE, ROSTER_OF_60, WHEN

EYES = Viewer("dana@example.org", "America/New_York")
VOID = {"input", "hr", "img", "br"}


class Page(HTMLParser):
    """The tags and words of a piece of HTML; it complains of tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(str(html))  # plain text: markup would escape what is added to it
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def card_page(renderer: Renderer, card: Card, mentions: dict[UUID, str] | None = None) -> Page:
    return Page(renderer.card(card, mentions or {}, EYES, "m1"))


@pytest.mark.parametrize("card", [*CARDS, LINES], ids=range(len(CARDS) + 1))
def test_every_card_is_well_formed_and_never_runs_what_was_typed(renderer: Renderer, card: Card) -> None:
    page = card_page(renderer, card)
    assert "script" not in {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), tag
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("form", FORMS, ids=[form.title for form in FORMS])
def test_every_form_is_well_formed_and_every_field_is_labelled(renderer: Renderer, form: Form) -> None:
    page = Page(renderer.form(form, EYES, 7))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    fields = [attrs["data-field"] for _, attrs in page.tags if "data-field" in attrs]
    assert fields == [field.id for field in form.fields]
    labelled = {attrs.get("for") for attrs in page.every("label")}
    for tag in ("textarea", "select"):
        assert all(attrs["id"] in labelled for attrs in page.every(tag))
    for _, attrs in page.tags:
        for described in (attrs.get("aria-describedby") or "").split():
            assert described in ids


def test_hostile_text_is_shown_as_it_was_typed(renderer: Renderer) -> None:
    page = card_page(renderer, EVERYTHING)
    assert page.words.count(HOSTILE) >= 9
    assert page.every("a")[0]["href"] == "https://example.org/a?b=c&d=e"


def test_a_moment_is_shown_in_the_viewers_zone(renderer: Renderer) -> None:
    page = card_page(renderer, Card("", (Paragraph((WHEN,)),)))
    assert page.words.strip() == "Thu Nov 12, 2026, 4:00 PM EST"
    assert page.every("time")[0]["datetime"] == "2026-11-12T21:00:00+00:00"


def test_a_mention_of_the_viewer_stands_out(renderer: Renderer) -> None:
    card = Card("", (Paragraph((Mention(DANA, "Dana"),)),))
    assert card_page(renderer, card).words.strip() == "Dana"
    assert card_page(renderer, card, {DANA: "lee"}).every("bdi")[0]["class"] == "mention"
    assert card_page(renderer, card, {DANA: EYES.user}).every("bdi")[0]["class"] == "mention you"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", "", "http://[bad"])
def test_an_address_that_a_browser_must_not_follow_is_only_words(renderer: Renderer, url: str) -> None:
    assert safe_url(url) == ""
    page = card_page(renderer, Card("", (Paragraph((Link("here", url),)),)))
    assert page.every("a") == []
    assert "here" in page.words


def test_a_bar_never_leaves_its_frame(renderer: Renderer) -> None:
    page = card_page(renderer, Card("", (Progress("Meetings", 9, 8),)))
    (bar,) = page.every("progress")
    assert (bar["max"], bar["value"]) == ("8", "8")
    assert "9 of 8" in page.words


def test_a_charts_numbers_are_also_a_table(renderer: Renderer) -> None:
    page = card_page(renderer, LINES)
    for image in page.every("svg"):
        assert image["role"] == "img"
        names = (image["aria-labelledby"] or "").split()
        assert [attrs["id"] for tag, attrs in page.tags if tag in ("title", "desc") and attrs["id"] in names] == names
    assert len(page.every("table")) == 2


def test_a_wide_table_keeps_its_roles_and_names_each_cell(renderer: Renderer) -> None:
    """On a phone its rows are lines of words; the column's name stands before each cell there."""
    page = card_page(renderer, Card("", (Table(("Cohort", "Mentees", ""), (("Ozarks", "5", "x"),), caption="C"),)))
    (table,) = page.every("table")
    assert (table["role"], table["class"]) == ("table", "wide")
    assert [cell.get("data-column") for cell in page.every("td")] == [None, "Mentees: ", None]
    assert {attrs["role"] for tag, attrs in page.tags if tag in ("th", "td", "tr")} == {
        "columnheader", "rowheader", "cell", "row"
    }  # fmt: skip
    narrow = card_page(renderer, Card("", (Table(("Name", "Attendance"), (("Dana", "Present"),), caption=""),)))
    assert "class" not in narrow.every("table")[0], "two columns have room on a phone"


def test_only_what_is_written_in_confidence_is_said_to_stay_out_of_the_chat(renderer: Renderer) -> None:
    words = "What you write here isn’t posted in the chat."
    text = TextField("t", "What is wrong")
    choice = ChoiceField("c", "Share with", (Option("1", "Ruth"),))
    for confidential, field, said in ((True, text, True), (True, choice, False), (False, text, False)):
        form = Form("A", SentAction.of("x"), opener=SentAction.of("y"), fields=(field,), confidential=confidential)
        page = Page(renderer.form(form, EYES, None))
        assert (words in page.words) == said
        assert "goes to the bot alone" not in page.words


def test_names_are_isolated_from_what_stands_beside_them(renderer: Renderer) -> None:
    name = "سارة حداد"
    sara = LocalPerson("sara@example.org", name, "mentee", "UTC", "דרום")
    assert f"<bdi>{name}</bdi>" in renderer.choose([sara])
    assert "<bdi>דרום</bdi> · " in renderer.choose([sara])
    channel = Channel("c", "דרום", (sara.user,))
    assert f"<strong><bdi>{name}</bdi></strong>" in renderer.people(channel, sara, {sara.user: sara})


def test_a_chart_of_nothing_is_drawn() -> None:
    nothing = Chart("pie", "Empty", ("a", "b"), (Series("s", (0, 0)),))
    assert [piece.value for piece in local_charts.slices(nothing)] == ["0", "0"]
    chart = Chart("line", "One", ("a",), (Series("s", (0,)),))
    assert local_charts.lines(chart).lines[0].strokes == ()
    assert local_charts.bars(Chart("bar", "None", (), ())).groups == ()


def test_a_whole_circle_is_one_slice() -> None:
    only = local_charts.slices(Chart("pie", "All", ("a", "b"), (Series("s", (4, 0)),)))
    assert only[0].path == ""
    assert only[1].path.startswith("M 0 0")


def test_bars_are_shares_of_the_longest() -> None:
    drawn = local_charts.bars(Chart("bar", "x", ("a", "b"), (Series("s", (4, 1)), Series("t", (2, 0.5)))))
    assert [bar.width for group in drawn.groups for bar in group.bars] == [84.0, 42.0, 21.0, 10.5]
    assert drawn.groups[1].bars[1].value == "0.5"


def test_few_short_choices_are_buttons_and_many_are_a_list(renderer: Renderer) -> None:
    few = Page(renderer.form(ROSTER_OF_60, EYES, None))
    assert len(few.every("fieldset")) == 60
    assert "Leave empty" in few.words
    many = ChoiceField("c", "Choose", tuple(Option(str(n), f"Option {n}") for n in range(9)))
    form = Form("Pick", SentAction.of("x"), opener=SentAction.of("y"), fields=(many,))
    page = Page(renderer.form(form, EYES, None))
    assert len(page.every("select")) == 1
    assert "Choose…" in page.words


@pytest.mark.parametrize(("lines", "rows"), [(1, 4), (9, 10), (40, 12)])
def test_a_text_box_has_a_row_for_each_line_up_to_twelve(renderer: Renderer, lines: int, rows: int) -> None:
    field = TextField("prompts", "Prompts", "\n".join(["A prompt?"] * lines), multiline=True)
    form = replace(FORM, fields=(field,))
    assert f'rows="{rows}"' in str(renderer.form(form, EYES, None))


def test_a_form_carries_its_action_its_message_and_its_values(renderer: Renderer) -> None:
    page = Page(renderer.form(FORM, EYES, 7))
    (dialog,) = page.every("dialog")
    assert dialog["data-action"] == FORM.action.encode()
    assert dialog["data-message"] == "7"
    values = [attrs.get("value") for attrs in page.every("input") if attrs["type"] in ("date", "time", "number")]
    assert values == ["2026-11-12", "15:30", "60"]
    assert "line 1\nline 2" in page.words


def test_what_is_announced_is_the_cards_plain_text(renderer: Renderer) -> None:
    assert local_charts.short(plain(LINES)).startswith("Two charts Month by month")
    assert local_charts.short("x" * 100, 10) == "xxxxxxxxx…"


def test_a_command_is_written_as_it_is_typed_here(renderer: Renderer) -> None:
    html = renderer.card(Card("", (Paragraph(("Send ", Cmd("checkins on"), ".")),)), {}, Viewer("u", "UTC"), "k")
    assert "Send <kbd>/plc checkins on</kbd>." in html
