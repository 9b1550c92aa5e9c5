"""Every card and form is accepted by Slack's rules, and what people typed stays what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from bot.slack import modals, slack_render
from bot.slack.sent_forms import Origin
from handlers.core.actions import BadAction, SentAction
from handlers.core.cards import (
    Button,
    Buttons,
    Card,
    Chart,
    Cmd,
    Facts,
    Heading,
    Link,
    LinkButton,
    Mention,
    Note,
    Paragraph,
    Progress,
    Series,
    Shown,
    Table,
    say,
)
from handlers.core.forms import ChoiceField, Form, ManyField, Option, TextField
from tests.fakes.slack import words
from tests.fakes.slack_blocks import letters, message_problems, view_problems
from tests.slack.phone import screen
from tests.specimens import CARDS, COHORT_OF_60, DANA, EVERYTHING, FORMS, HOSTILE, LONG_NAME, ROSTER_OF_60, WHEN

ORIGIN = Origin(conversation="C1")
FEEDBACK = Form("Feedback", SentAction.of("x.save"), opener=SentAction.of("x.open"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.title[:12])
def test_every_card_is_a_message_a_home_tab_and_a_modal_slack_accepts(card: Card) -> None:
    assert message_problems(slack_render.message(card, Shown({DANA: "U00DANA"}))) == []
    assert view_problems(slack_render.home(card)) == []
    assert view_problems(modals.card_view(card, ORIGIN, "1")) == []
    assert 0 < len(slack_render.fallback(card)) <= 4000


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_every_form_is_a_modal_slack_accepts(form: Form) -> None:
    assert view_problems(modals.form_view(form, ORIGIN, "1")) == []


def test_the_waiting_modal_is_accepted() -> None:
    assert view_problems(modals.waiting_view(ORIGIN)) == []


def test_typed_markup_never_reaches_markup() -> None:
    blocks = json.dumps(slack_render.message(EVERYTHING))

    assert "mrkdwn" not in blocks, "hostile text is only in plain or rich text, where Slack reads no markup"
    assert "<!channel>" not in slack_render.fallback(EVERYTHING)
    assert "&lt;!channel&gt;" in slack_render.fallback(EVERYTHING)


def test_small_print_with_a_date_is_escaped_and_shown_in_each_readers_zone() -> None:
    (block,) = slack_render.message(Card("", (Note(("<!here> & more, ", WHEN)),)))

    text = block["elements"][0]["text"]
    assert text.startswith("&lt;!here&gt; &amp; more, <!date^1794517200^{date_long_pretty} at {time}|Thu Nov 12")


def test_small_print_with_typed_formatting_stays_literal() -> None:
    (block,) = slack_render.message(Card("", (Note(("*not bold* ", WHEN)),)))

    assert block["type"] == "rich_text"
    assert block["elements"][0]["elements"][0] == {"type": "text", "text": "*not bold* "}


def test_a_date_in_a_text_is_slacks_own_date() -> None:
    (block,) = slack_render.message(Card("", (say("At ", WHEN),)))

    date = block["elements"][0]["elements"][1]
    assert (date["type"], date["timestamp"]) == ("date", 1794517200)
    assert date["fallback"] == "Thu Nov 12, 2026, 3:00 PM CST"


def test_a_command_is_written_as_slack_takes_it_in_a_channel() -> None:
    card = Card("", (Paragraph(("Send ", Cmd("checkins on"), ".")), Note(("Or ", Cmd("help"), "."))))
    paragraph, note = slack_render.message(card)
    assert "Send /plc checkins on." in screen({"blocks": [paragraph]})
    assert "`/plc help`" in json.dumps(note)
    assert slack_render.fallback(card) == "Send “/plc checkins on”.\nOr “/plc help”."


def test_the_fallback_speaks_in_the_readers_zone() -> None:
    assert "4:00 PM EST" in slack_render.fallback(Card("", (say(WHEN),)), Shown(zone="America/New_York"))


def test_a_person_with_an_account_is_mentioned_and_one_without_is_named() -> None:
    card = Card("", (say(Mention(DANA, "Dana"), " and ", Mention(UUID(int=9), "<@U1>")),))

    (block,) = slack_render.message(card, Shown({DANA: "U00DANA"}))

    parts = block["elements"][0]["elements"]
    assert parts[0] == {"type": "user", "user_id": "U00DANA"}
    assert parts[2]["text"] == "<@U1>"


def test_an_address_that_slack_would_refuse_is_words() -> None:
    card = Card("", (say(Link("here", "javascript:alert(1)")), Buttons((LinkButton("Join", "x" * 4000),))))

    blocks = slack_render.message(card)

    assert message_problems(blocks) == []
    assert "here (javascript:alert(1))" in words(blocks)
    assert "Join: xxx" in words(blocks)


def test_too_much_is_cut_where_people_see_it() -> None:
    blocks = slack_render.message(COHORT_OF_60)

    assert letters(blocks) < 11_000
    assert "…" in words(blocks)
    assert " more rows" in words(blocks) or " more parts" in words(blocks)
    assert sum(len(block["elements"]) for block in blocks if block["type"] == "actions") == 30, "no button is lost"


def test_sixty_progress_lines_fit_one_message() -> None:
    card = Card("Everybody", tuple(Progress(f"Person {n}", n, 60) for n in range(60)))

    blocks = slack_render.message(card)

    assert len(blocks) == 2
    assert "Person 59: 59 of 60 █████████░" in words(blocks).replace(":  ", ": ")


def test_more_blocks_than_slack_takes_are_counted() -> None:
    card = Card("Many", (*(Heading(f"Part {n}") for n in range(70)), Buttons((Button("Go", SentAction.of("x.go")),))))

    blocks = slack_render.message(card)

    assert len(blocks) == 50
    assert words(blocks[-1]).endswith("… and 23 more parts.")
    assert blocks[-2]["type"] == "actions"


def test_a_chart_says_what_it_leaves_out() -> None:
    labels = tuple(f"Month {n}" for n in range(30))
    chart = Chart("line", "Meetings", labels, (Series("All", tuple(float(n) for n in range(30))),))

    blocks = slack_render.message(Card("", (chart,)))

    assert message_problems(blocks) == []
    assert len(blocks[0]["chart"]["axis_config"]["categories"]) == 20
    assert words(blocks[1]) == "The chart shows the first 20 of 30 labels."


def test_names_that_are_equal_when_cut_stay_apart_in_a_chart() -> None:
    chart = Chart("pie", "Who", (LONG_NAME + "1", LONG_NAME + "2", "none"), (Series("n", (1, 2, 0)),))

    (block,) = slack_render.message(Card("", (chart,)))

    assert [segment["value"] for segment in block["chart"]["segments"]] == [1, 2]
    assert message_problems([block]) == []


def test_a_third_chart_and_a_second_table_are_said_in_words() -> None:
    chart = Chart("bar", "Meetings", ("May",), (Series("All", (3,)),))
    table = Table(("Name", "Count"), (("Dana", "3"),), caption="Counts")

    blocks = slack_render.message(Card("", (chart, chart, chart, table, table)))

    assert message_problems(blocks) == []
    assert "May: 3" in words(blocks)
    assert "Dana · 3" in words(blocks)


def test_a_view_says_tables_and_charts_in_words() -> None:
    view = slack_render.home(EVERYTHING)

    assert {block["type"] for block in view["blocks"]} <= {"header", "rich_text", "context", "divider", "actions"}


@pytest.mark.parametrize("block", [Table((), (), "None"), Chart("pie", "None", (), ()), Facts(()), Buttons(())])
def test_nothing_to_show_is_still_a_message(block: Table | Chart | Facts | Buttons) -> None:
    assert message_problems(slack_render.message(Card("", (block,)))) == []


def test_a_button_carries_its_action_and_repeated_ones_stay_apart() -> None:
    go = Button("Go", SentAction.of("x.go", 7), opens_form=True)
    blocks = slack_render.message(Card("", (Buttons((go, go)), Buttons((replace(go, confirm="Sure? " * 90),)))))

    assert message_problems(blocks) == []
    assert slack_render.pressed(blocks[0]["elements"][0]) == SentAction.of("x.go", 7)
    assert blocks[0]["elements"][0]["action_id"].startswith(slack_render.FORM)
    assert len(blocks[1]["elements"][0]["confirm"]["text"]["text"]) == 300


def test_a_button_of_somebody_else_is_a_bad_action() -> None:
    with pytest.raises(BadAction):
        slack_render.pressed({"action_id": "feedback"})


# Forms -----------------------------------------------------------------------------------------


def test_a_long_list_of_choices_is_paged() -> None:
    options = tuple(Option(f"o{n}", f"{HOSTILE} {n}") for n in range(250))
    form = replace(FEEDBACK, fields=(ChoiceField("one", "One", options, "o249"), ManyField("many", "Many", options)))

    view = modals.form_view(form, ORIGIN, "1")

    assert view_problems(view) == []
    groups = view["blocks"][0]["element"]["option_groups"]
    assert [group["label"]["text"] for group in groups] == ["1–100", "101–200", "201–250"]


def test_a_choice_without_options_says_so() -> None:
    view = modals.form_view(replace(FEEDBACK, fields=(ChoiceField("one", "Cohort", ()),)), ORIGIN, "1")

    assert view_problems(view) == []
    assert "Cohort: nothing to choose from." in words(view)


def test_a_saved_text_longer_than_slack_takes_says_that_it_was_shortened() -> None:
    view = modals.form_view(replace(FEEDBACK, fields=(TextField("text", "Text", "x" * 5000),)), ORIGIN, "1")

    assert view_problems(view) == []
    assert "Shortened from 5000 characters" in words(view)


def test_more_fields_than_a_modal_holds_are_counted() -> None:
    fields = tuple(TextField(f"f{n}", f"Field {n}") for n in range(120))
    view = modals.form_view(replace(FEEDBACK, blocks=(say("Hello"),), fields=fields), ORIGIN, "1")

    assert view_problems(view) == []
    assert "23 more fields don't fit here. Save these first, then open the form again." in words(view)


def test_a_modal_remembers_ids_and_never_typed_words() -> None:
    view = modals.form_view(ROSTER_OF_60, Origin(conversation="C1", message="1.2", response="https://r"), "1")

    assert json.loads(view["private_metadata"]) == {
        "action": ROSTER_OF_60.action.encode(),
        "conversation": "C1",
        "message": "1.2",
        "response": "https://r",
        "depth": 1,
    }


def test_a_response_address_too_long_to_remember_is_forgotten() -> None:
    dumped = Origin(action="x", response="https://r/" + "x" * 4000).dump()

    assert Origin.load(dumped) == Origin(action="x")
    assert Origin.load("no json of ours") == Origin()


@pytest.mark.parametrize("card", [*CARDS, EVERYTHING], ids=lambda card: card.title)
def test_json_is_what_the_models_themselves_make(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours looks a class's checks up once; should the SDK's own ever say something else, this says so."""
    ours = [slack_render.message(card), slack_render.home(card)]
    monkeypatch.setattr(slack_render, "as_dict", lambda part: dict(part.to_dict()))
    assert ours == [slack_render.message(card), slack_render.home(card)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_a_forms_json_is_what_the_models_themselves_make(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = modals.form_view(form, Origin(), "1")
    for module in (modals, slack_render):
        monkeypatch.setattr(module, "as_dict", lambda part: dict(part.to_dict()))
    assert ours == modals.form_view(form, Origin(), "1")


def test_a_table_without_a_caption_has_no_line_in_its_place() -> None:
    table = Table(("Name", "Attendance"), (("Dana", "present"),), caption="")
    (block,) = slack_render.message(Card("", (table,)))
    assert block["type"] == "table"
