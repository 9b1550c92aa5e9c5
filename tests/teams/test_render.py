"""Cards and forms as Adaptive Cards: valid, small enough, literal, readable."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.teams.forms import INPUT, read_values, render_form, with_values
from bot.teams.page import CARD_BYTES
from bot.teams.teams_render import render, summary
from bot.teams.words import BREAK, escaped, literal
from handlers.core.actions import SentAction
from handlers.core.cards import (
    Bold,
    Button,
    Buttons,
    Card,
    Chart,
    Cmd,
    Facts,
    Link,
    Mention,
    Paragraph,
    Series,
    Shown,
    Table,
    When,
    say,
)
from handlers.core.forms import Form
from tests.fakes.teams import actions_of, inputs_of, walk, words_of
from tests.specimens import CARDS, COHORT_OF_60, DANA, EVERYTHING, FORM, FORMS, HOSTILE, READ_ONLY, ROSTER_OF_60
from tests.teams.cards import validate

MENTIONED = Shown(mentions={DANA: "00000000-1111-2222-3333-000000000001"})


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.title[:20])
@pytest.mark.parametrize("shown", [Shown(), MENTIONED], ids=["names", "mentions"])
@pytest.mark.parametrize("dialogs", [True, False])
def test_every_card_is_valid_and_fits(card: Card, shown: Shown, dialogs: bool) -> None:
    content = render(card, shown, dialogs=dialogs)

    validate(content)
    assert len(json.dumps(content)) <= CARD_BYTES
    assert len(summary(card, shown)) <= 320


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
@pytest.mark.parametrize("surface", ["dialog", "message"])
def test_every_form_is_valid_and_fits_with_all_its_fields(form: Form, surface: Any) -> None:
    wrong = {field.id: f"Wrong: {HOSTILE}" for field in form.fields[:3]}

    content = render_form(form, wrong, surface=surface, origin="1767377000001")

    validate(content)
    assert len(json.dumps(content)) <= CARD_BYTES
    assert list(inputs_of(content)) == [INPUT + field.id for field in form.fields]


def test_what_does_not_fit_is_counted_and_buttons_stay() -> None:
    content = render(COHORT_OF_60)

    assert "more" in words_of(content)
    shown = len(actions_of(content))
    assert shown >= 12
    assert f"and {30 - shown} more" in words_of(content)


def test_typed_text_stays_what_it_is() -> None:
    content = render(EVERYTHING)

    for part in walk(content):
        if part.get("type") == "TextRun":  # shown as it is: nothing to escape, nothing to fill in
            text = part["text"].replace("{{DATE(2026-11-12T21:00:00Z,SHORT)}}", "")
            assert "{{" not in text.replace("{{TIME(2026-11-12T21:00:00Z)}}", "")
            assert "<at>" not in text
            assert "\u202e" not in text
        if part.get("type") == "TextBlock":
            assert "<at>" not in part["text"]
            assert "[link](" not in part["text"]
            assert " *bold*" not in part["text"]
    assert "msteams" in content
    assert "entities" not in content["msteams"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("*bold* _x_", r"\*bold\* \_x\_"),
        ("[a](http://b)", r"\[a\](http://b)"),
        ("1. one\n- two\n# three", f"1{BREAK}. one\n\n\\- two\n\n\\# three"),
        ("<at>x</at>", f"\\<{BREAK}at\\>x\\<{BREAK}/at\\>"),
        ("${x} {{y}}", f"${BREAK}{{x}} {{{BREAK}{{y}}}}"),
        ("&amp;", r"\&amp;"),
        ("2 - 1 = 1", "2 - 1 = 1"),
    ],
)
def test_markdown_is_escaped(typed: str, shown: str) -> None:
    assert escaped(typed) == shown


def test_directions_and_controls_are_taken_out() -> None:
    assert literal("a\u202eb\x00c\td\r\ne") == "abc d\ne"


def test_times_are_filled_in_by_each_reader() -> None:
    when = When(datetime(2026, 11, 12, 21, 0, tzinfo=UTC), "America/Chicago")

    content = render(Card("", (say("Meeting ", when),)))

    assert words_of(content) == ("Meeting {{DATE(2026-11-12T21:00:00Z,SHORT)}}, {{TIME(2026-11-12T21:00:00Z)}}")
    assert "3:00 PM CST" in content["fallbackText"]


def test_a_known_person_is_really_mentioned() -> None:
    card = Card("", (say(Mention(DANA, "Dana <at>Lee"), " is coming."),))

    content = render(card, MENTIONED)

    [entity] = content["msteams"]["entities"]
    assert entity["mentioned"]["id"] == MENTIONED.mentions[DANA]
    assert entity["text"] in words_of(content)
    assert entity["text"].count("<at>") == 1


def test_an_unknown_person_is_named_in_bold() -> None:
    content = render(Card("", (say(Mention(DANA, "Dana"), " is coming."),)))

    assert words_of(content) == "Dana is coming."
    assert "entities" not in content["msteams"]


def test_a_command_is_written_as_it_is_typed_to_the_bot() -> None:
    card = Card("", (Paragraph(("Send ", Cmd("checkins on"), ".")), Facts((("Home", (Cmd("cohort link"),)),))))
    words = words_of(render(card))
    assert "Send “checkins on”." in words
    assert "Home: “cohort link”" in words


def test_links_open_and_bold_is_bold() -> None:
    content = render(Card("", (say(Bold("Now"), " ", Link("join", "https://example.org/a(b)?c=d&e=f")),)))

    [block] = content["body"]
    assert block["inlines"][0]["weight"] == "Bolder"
    assert block["inlines"][2]["selectAction"]["url"] == "https://example.org/a(b)?c=d&e=f"


def test_a_link_in_facts_keeps_its_brackets_closed() -> None:
    content = render(Card("", (Facts((("Join", (Link("here [x]", "https://example.org/a(b)"),)),)),)))

    assert words_of(content) == r"Join: [here \[x\]](https://example.org/a%28b%29)"


def test_headings_tables_and_inputs_say_what_they_are() -> None:
    content = render(Card("Who came?", (Table(("Name", "Attendance"), (("Dana", "Present"),), "Attendance"),)))
    form = render_form(FORM)

    assert content["body"][0]["style"] == "heading"
    [table] = [part for part in walk(content) if part.get("type") == "Table"]
    assert table["firstRowAsHeaders"] is True
    for field in inputs_of(form).values():
        assert field["label"]
        assert not field.get("isRequired") or field["errorMessage"]


def test_at_most_six_buttons_stand_in_a_row() -> None:
    row = Card("", (Buttons(tuple(Button(str(n), SentAction.of("x", n)) for n in range(14))),))

    rows = [part["actions"] for part in walk(render(row)) if part.get("type") == "ActionSet"]

    assert [len(actions) for actions in rows] == [6, 6, 2]


def test_buttons_are_wrapped_before_a_phone_of_320_px_cuts_their_labels() -> None:
    labels = ("Transfer", "Credit", "Waive", "Leave", "Change policy", "Correct")
    pulse = ("1 hard", "2", "3", "4", "5 great")
    card = Card(
        "", tuple(Buttons(tuple(Button(label, SentAction.of("x")) for label in row)) for row in (labels, pulse))
    )

    rows = [part["actions"] for part in walk(render(card)) if part.get("type") == "ActionSet"]

    titles = [[button["title"] for button in actions] for actions in rows]
    assert titles == [["Transfer", "Credit", "Waive"], ["Leave", "Change policy"], ["Correct"], [*pulse]]


def test_a_table_that_a_phone_cannot_show_is_written_line_by_line() -> None:
    wide = Table(("Cohort", "Mentees", "Need help"), (("Ozarks", "12", "3"),), "By cohort")
    long = Table(("Name", "Attendance"), (("Bartholomew-Featherstone", "Present"),), "Attendance")

    content = render(Card("", (wide, long)))

    assert not [part for part in walk(content) if part.get("type") == "Table"]
    said = words_of(content)
    assert "By cohort\nOzarks\nMentees: 12 · Need help: 3" in said
    assert "Bartholomew-Featherstone\nAttendance: Present" in said


def test_a_question_is_asked_before_a_press_counts() -> None:
    cancel = Button("Cancel", SentAction.of("meetings.cancel", 1), style="danger", confirm="Really?")

    content = render(Card("", (Buttons((cancel,)),)))

    [shown] = content["body"][0]["actions"]
    assert shown["type"] == "Action.ShowCard"
    assert words_of(shown["card"]) == "Really?"
    assert shown["card"]["actions"][0]["data"] == {"plc": {"act": "meetings.cancel|1"}}


def test_a_button_that_opens_a_form_fetches_a_dialog_where_there_are_dialogs() -> None:
    card = Card("", (Buttons((Button("Write", SentAction.of("checkins.write"), opens_form=True),)),))

    with_dialogs = actions_of(render(card))["Write"]
    without = actions_of(render(card, dialogs=False))["Write"]

    assert with_dialogs["type"] == "Action.Submit"
    assert with_dialogs["data"]["msteams"] == {"type": "task/fetch"}
    assert without["type"] == "Action.Execute"


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_charts_are_native_and_have_their_numbers_beside(kind: Any) -> None:
    chart = Chart(kind, "Attended", ("Year 1", "Year 1", "Year 2"), (Series("Dana", (5, 3, 8)),))

    [content] = render(Card("", (chart,)))["body"]

    assert content["type"].startswith("Chart.")
    assert words_of(content["fallback"]) == "Attended\nDana: Year 1 5, Year 1 (2) 3, Year 2 8"


def test_a_chart_says_what_it_leaves_out() -> None:
    labels = tuple(f"Week {number}" for number in range(1, 131))
    series = tuple(Series(f"Cohort {number}", tuple(range(1, 131))) for number in range(1, 15))

    chart, sentence = render(Card("", (Chart("line", "Attended", labels, series),)))["body"]

    assert len(chart["data"]) == 12
    assert words_of(sentence) == (
        "The chart shows the first 60 of 130 labels. The chart shows the first 12 of 14 series."
    )


def test_a_read_only_form_has_no_submit_but_a_way_back() -> None:
    assert list(actions_of(render_form(READ_ONLY))) == ["Back"]


def test_a_form_comes_back_with_what_was_typed() -> None:
    data = {
        INPUT + "topic": "Mine",
        INPUT + "repeat": "once",
        INPUT + "topics": "a,b",
        INPUT + "day": "2026-12-01",
        INPUT + "time": "09:30",
        INPUT + "minutes": 90.0,
    }
    names = [field.id for field in FORM.fields]
    values = read_values(data, names, ["topics"])

    content = render_form(with_values(FORM, values), {"topic": "Too short."})

    assert values["notes"] == ()
    assert values["minutes"] == ("90",)
    inputs = inputs_of(content)
    assert inputs["f_topic"]["value"] == "Mine"
    assert inputs["f_topics"]["value"] == "a,b"
    assert inputs["f_day"]["value"] == "2026-12-01"
    assert inputs["f_time"]["value"] == "09:30"
    assert inputs["f_minutes"]["value"] == 90
    assert "Too short." in words_of(content)


def test_unreadable_values_leave_the_field_empty() -> None:
    content = render_form(with_values(FORM, {"day": ("soon",), "minutes": ("many",)}))

    assert "value" not in inputs_of(content)["f_day"]
    assert "value" not in inputs_of(content)["f_minutes"]


def test_sixty_people_keep_their_prefilled_status() -> None:
    inputs = inputs_of(render_form(ROSTER_OF_60))

    assert inputs["f_p1"]["value"] == "present"
    assert "value" not in inputs["f_p2"]
    assert len({field["label"] for field in inputs.values()}) == 60


def test_a_long_paragraph_is_cut_visibly() -> None:
    content = render(Card("", (Paragraph(("x" * 50_000,)),)))

    assert words_of(content).endswith("…")
