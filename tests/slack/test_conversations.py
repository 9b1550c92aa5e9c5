"""What people do in Slack and what they then see, by signed HTTP and by Socket Mode."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from bot.runtime.port import Address, Outgoing
from bot.slack import Patience, slack_render
from handlers.core.actions import BadAction, SentAction
from handlers.core.cards import Button, Card, buttons, say
from handlers.core.forms import ChoiceField, DateField, Form, ManyField, NumberField, Option, TextField, TimeField
from handlers.core.requests import (
    AccountKey,
    Arrived,
    BotAdded,
    BotRemoved,
    Command,
    Departed,
    HomeOpened,
    Press,
    Reply,
    Submit,
    Typed,
    notice,
)
from tests.fakes.slack import BOT_USER, TEAM, Fault, words
from tests.slack.conftest import DANA, HOME, Bot

CARD = Card("Your progress", (say("5 of 8 meetings"), buttons(Button("More", SentAction.of("progress.more")))))
FORM = Form(
    "Plan a meeting",
    SentAction.of("meetings.save", "7"),
    opener=SentAction.of("meetings.open", "7"),
    fields=(
        TextField("topic", "Topic"),
        TextField("notes", "Notes", optional=True, multiline=True),
        ChoiceField("repeat", "Repeat", (Option("once", "Once"), Option("weekly", "Weekly")), "once"),
        ManyField("tags", "Tags", (Option("a", "A"), Option("b", "B"))),
        DateField("day", "Day", optional=True),
        TimeField("time", "Time", optional=True),
        NumberField("minutes", "Minutes", 60),
    ),
)
NEXT = Form(
    "The dates",
    SentAction.of("meetings.confirm"),
    opener=SentAction.of("meetings.open"),
    submit="Announce",
    blocks=(say("8 dates"),),
)
OPEN = Button("Plan", SentAction.of("meetings.open", "7"), opens_form=True)
PRESSABLE = Card("Hello", (buttons(Button("Go", SentAction.of("x.go", "1")), OPEN),))


# Commands --------------------------------------------------------------------------------------


async def test_a_command_is_answered_inside_the_acknowledgement(either: Bot) -> None:
    either.handlers.reply = Reply(card=CARD)

    answered = await either.dana.command("progress  now", HOME)

    assert answered.body["response_type"] == "ephemeral"
    assert "5 of 8 meetings" in words(answered.body["blocks"])
    (asked,) = either.handlers.asked
    assert asked.intent == Command("progress  now")
    assert asked.who == AccountKey("slack", TEAM, DANA)
    assert (asked.place.conversation, asked.place.kind, asked.place.name) == (HOME, "channel", "plc-north")


async def test_a_command_without_an_answer_is_only_acknowledged(either: Bot) -> None:
    answered = await either.dana.command("x", HOME)

    assert answered.status == 200
    assert not answered.body.get("text")


async def test_a_slow_command_is_acknowledged_and_answered_after(bot: Bot) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = Reply(card=CARD)

    answered = await bot.dana.command("progress", HOME)
    assert not answered.body.get("text")
    assert bot.fake.notices == []

    answer_now.set()
    await bot.settled()
    (notice_seen,) = bot.fake.notices
    assert notice_seen["response_type"] == "ephemeral"
    assert "5 of 8 meetings" in words(notice_seen["blocks"])


async def test_a_command_opens_a_form(either: Bot) -> None:
    either.handlers.reply = Reply(form=FORM)

    await either.dana.command("meeting new", HOME)

    assert either.fake.top_view(DANA)["title"]["text"] == "Plan a meeting"


async def test_a_form_after_a_slow_command_is_offered_by_a_button(bot: Bot) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = Reply(form=FORM)

    await bot.dana.command("meeting new", HOME)
    answer_now.set()
    await bot.settled()

    (seen,) = bot.fake.notices
    await bot.dana.press("Open", seen, HOME, ephemeral=True)
    await bot.settled()
    assert bot.handlers.asked[-1].intent == Press(FORM.opener)
    assert bot.fake.sees_modal(DANA)


async def test_a_form_that_slack_does_not_open_is_tried_once_and_offered_by_a_button(bot: Bot) -> None:
    bot.handlers.reply = Reply(form=FORM)
    bot.fake.fail("views.open", Fault(status=500))

    answered = await bot.dana.command("meeting new", HOME)

    assert len(bot.fake.made("views.open")) == 1
    assert words(answered.body["blocks"]) == "Plan a meeting Open"


async def test_a_command_in_a_chat_between_two_people_counts_as_the_chat_with_the_bot(bot: Bot) -> None:
    await bot.dana.command("help", "D00SOMEBODYELSE")

    place = bot.handlers.asked[0].place
    assert (place.kind, place.conversation) == ("personal", bot.fake.chat(DANA).id)


# Buttons ---------------------------------------------------------------------------------------


async def test_a_press_in_a_channel_is_answered_to_the_presser_alone(either: Bot) -> None:
    either.handlers.reply = notice("Thank you, you are in.")
    message = {"ts": "1.1", "blocks": _blocks(PRESSABLE)}

    await either.dana.press("Go", message, HOME)
    await either.settled()

    (seen,) = either.fake.notices
    assert seen["replace_original"] is False
    assert words(seen["blocks"]) == "Thank you, you are in."
    assert either.handlers.asked[0].intent == Press(SentAction.of("x.go", "1"))


async def test_a_press_in_the_chat_is_answered_by_an_ordinary_message(bot: Bot) -> None:
    bot.handlers.reply = notice("Thank you.")
    chat = bot.fake.chat(DANA)

    await bot.dana.press("Go", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, chat.id)
    await bot.settled()

    assert words(chat.messages[-1]["blocks"]) == "Thank you."
    assert bot.handlers.asked[0].place.kind == "personal"


async def test_a_press_is_acknowledged_before_its_answer_is_brought(bot: Bot) -> None:
    """Slack shows the button as waiting until then, and the answer goes another way."""
    bot.handlers.reply = notice("Thank you.")
    bot.platform._asking.patience = Patience(answer=600, form=600, stop=0.1)
    bot.fake.fail("response_url", Fault(hang=True))

    answered = await bot.dana.press("Go", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)

    assert answered.status == 200
    assert bot.handlers.asked[0].intent == Press(SentAction.of("x.go", "1"))
    assert bot.platform._asking._held, "its answer is still under way"


async def test_the_pressed_message_can_be_replaced(bot: Bot) -> None:
    bot.handlers.reply = Reply(replace=Card("Done"))

    await bot.dana.press("Go", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, bot.fake.chat(DANA).id)
    await bot.settled()

    (seen,) = bot.fake.replaced
    assert words(seen["blocks"]) == "Done"


async def test_a_message_is_replaced_and_a_notice_brought_after_the_response_address_has_run_out(bot: Bot) -> None:
    sent = await bot.platform.port.post(Address("slack", TEAM, conversation=HOME), Outgoing(PRESSABLE, UUID(int=1)))
    bot.handlers.reply = Reply(replace=Card("Done"), card=Card("Thank you"))
    bot.fake.fail("response_url", Fault(status=404), Fault(status=404))

    await bot.dana.press("Go", bot.fake.messages(HOME)[0], HOME)
    await bot.settled()

    assert sent.message == bot.fake.messages(HOME)[0]["ts"]
    assert words(bot.fake.messages(HOME)[0]["blocks"]) == "Done"
    assert words(bot.fake.notices[0]["blocks"]) == "Thank you"


async def test_a_press_opens_a_form_and_the_form_remembers_where_it_came_from(either: Bot) -> None:
    either.handlers.reply = Reply(form=FORM)
    await either.dana.press("Plan", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)
    await either.settled()
    either.handlers.reply = Reply(replace=Card("Planned"), card=Card("Saved"))

    answered = await either.dana.send(topic="Budgets", tags=["b"], day="2026-12-01", time="15:30", minutes="45")
    await either.settled()

    assert answered.body == {"response_action": "clear"}
    asked = either.handlers.asked[-1]
    assert asked.place.conversation == HOME
    assert asked.intent == Submit(
        SentAction.of("meetings.save", "7"),
        {
            "topic": ("Budgets",),
            "notes": (),
            "repeat": ("once",),
            "tags": ("b",),
            "day": ("2026-12-01",),
            "time": ("15:30",),
            "minutes": ("45",),
        },
    )
    assert words(either.fake.replaced[0]["blocks"]) == "Planned"
    assert [words(seen["blocks"]) for seen in either.fake.notices] == ["Saved"]


async def test_a_slow_form_shows_one_moment_and_is_filled_in(bot: Bot) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = Reply(form=FORM)

    answered = await bot.dana.press("Plan", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)
    assert answered.status == 200
    while not bot.fake.sees_modal(DANA):
        await asyncio.sleep(0)
    assert bot.fake.top_view(DANA)["title"]["text"] == "One moment…"

    answer_now.set()
    await bot.settled()
    assert bot.fake.top_view(DANA)["title"]["text"] == "Plan a meeting"


async def test_a_slow_press_that_gives_no_form_says_so_in_the_waiting_modal(bot: Bot) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = notice("This meeting is over.")

    await bot.dana.press("Plan", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)
    answer_now.set()
    await bot.settled()

    assert "This meeting is over." in words(bot.fake.top_view(DANA))


async def test_a_link_button_asks_nothing(bot: Bot) -> None:
    message = {"ts": "1.1", "blocks": _blocks(PRESSABLE)}
    payload = bot.dana.press_payload("Go", message, HOME)
    payload["actions"][0] = {"type": "button", "action_id": "link:1", "block_id": "b"}

    answered = await bot.wire.interactive(payload)
    await bot.settled()

    assert answered.status == 200
    assert bot.handlers.asked == []


async def test_a_button_of_an_older_version_gets_a_kind_sentence(either: Bot) -> None:
    message = {"ts": "1.1", "blocks": _blocks(PRESSABLE)}
    payload = either.dana.press_payload("Go", message, HOME)
    del payload["actions"][0]["value"]

    await either.wire.interactive(payload)
    await either.settled()

    assert "too old" in words(either.fake.notices[0]["blocks"])
    assert either.handlers.asked == []


async def test_an_action_that_no_handler_knows_gets_the_same_sentence(bot: Bot) -> None:
    bot.handlers.error = BadAction()

    await bot.dana.press("Go", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)
    await bot.settled()

    assert "too old" in words(bot.fake.notices[0]["blocks"])


async def test_a_guest_of_another_workspace_keeps_their_own_workspace(bot: Bot) -> None:
    bot.fake.add_user("U00OUT", "Olga", team_id="T00OTHER")
    olga = type(bot.dana)(bot.fake, bot.wire, "U00OUT")

    await olga.press("Go", {"ts": "1.1", "blocks": _blocks(PRESSABLE)}, HOME)
    await olga.mention("progress", HOME)

    assert {asked.who for asked in bot.handlers.asked} == {AccountKey("slack", "T00OTHER", "U00OUT")}


# Forms -----------------------------------------------------------------------------------------


async def opened(bot: Bot, form: Form = FORM) -> None:
    bot.handlers.reply = Reply(form=form)
    await bot.dana.command("meeting new", HOME)


async def test_errors_stand_beside_their_fields(either: Bot) -> None:
    await opened(either)
    either.handlers.reply = Reply(errors={"topic": "Please name a topic."})

    answered = await either.dana.send(topic="-")

    assert answered.body["response_action"] == "errors"
    assert list(answered.body["errors"].values()) == ["Please name a topic."]


async def test_an_error_of_no_field_stands_at_the_top_and_keeps_what_was_typed(either: Bot) -> None:
    await opened(either)
    either.handlers.reply = Reply(errors={"": "Somebody else moved this meeting.", "topic": "Too short."})

    await either.dana.send(topic="Budgets", repeat="weekly", tags=["a"])

    view = either.fake.top_view(DANA)
    assert words(view["blocks"][0]) == "Somebody else moved this meeting.\nTopic: Too short."
    either.handlers.reply = Reply()
    await either.dana.send()
    sent = either.handlers.asked[-1].intent
    assert isinstance(sent, Submit)
    assert (sent.values["topic"], sent.values["repeat"], sent.values["tags"]) == (("Budgets",), ("weekly",), ("a",))
    assert not either.fake.sees_modal(DANA)


async def test_the_next_step_lies_on_top_and_the_back_arrow_works(either: Bot) -> None:
    await opened(either)
    either.handlers.reply = Reply(form=NEXT)

    answered = await either.dana.send(topic="Budgets")

    assert answered.body["response_action"] == "push"
    assert either.fake.top_view(DANA)["title"]["text"] == "The dates"
    either.dana.goes_back()
    assert either.fake.top_view(DANA)["title"]["text"] == "Plan a meeting"


async def test_the_fourth_step_takes_the_place_of_the_third(bot: Bot) -> None:
    await opened(bot)
    for step in range(4):
        bot.handlers.reply = Reply(
            form=Form(f"Step {step}", SentAction.of(f"step.{step}"), opener=SentAction.of("x"), fields=())
        )
        await bot.dana.send(**({"topic": "x"} if step == 0 else {}))

    assert len(bot.fake.stacks[DANA]) == 3
    assert bot.fake.top_view(DANA)["title"]["text"] == "Step 3"


async def test_the_same_form_anew_shows_its_own_values(bot: Bot) -> None:
    await opened(bot)
    before = {block["block_id"] for block in bot.fake.top_view(DANA)["blocks"]}

    answered = await bot.dana.send(topic="x")

    assert answered.body["response_action"] == "update"
    after = {block["block_id"] for block in bot.fake.top_view(DANA)["blocks"]}
    assert not before & after, "Slack keeps what was typed into a block id that it knows"


async def test_a_slow_save_shows_one_moment_and_then_the_answer(bot: Bot) -> None:
    await opened(bot)
    answer_now = bot.answers_late()
    bot.handlers.reply = notice("Saved.")

    await bot.dana.send(topic="x")
    assert bot.fake.top_view(DANA)["title"]["text"] == "One moment…"
    answer_now.set()
    await bot.settled()

    assert "Saved." in words(bot.fake.top_view(DANA))


async def test_a_slow_save_with_errors_brings_the_form_back_with_what_was_typed(bot: Bot) -> None:
    await opened(bot)
    answer_now = bot.answers_late()
    bot.handlers.reply = Reply(errors={"topic": "Too long."})

    await bot.dana.send(topic="A long topic", minutes="45")
    answer_now.set()
    await bot.settled()

    view = bot.fake.top_view(DANA)
    assert words(view["blocks"][0]) == "Topic: Too long."
    assert view["blocks"][1]["element"]["initial_value"] == "A long topic"


async def test_a_failed_save_keeps_the_form_and_says_that_nothing_was_saved(either: Bot) -> None:
    await opened(either)
    either.handlers.error = RuntimeError("boom")

    await either.dana.send(topic="Precious words")

    view = either.fake.top_view(DANA)
    assert words(view["blocks"][0]) == "Something went wrong and nothing was saved. Please try again."
    assert view["blocks"][1]["element"]["initial_value"] == "Precious words"


async def test_two_clicks_on_the_send_button_are_one_act(bot: Bot) -> None:
    await opened(bot)
    bot.handlers.gate = asyncio.Event()
    bot.handlers.reply = Reply(errors={"topic": "No."})
    first, second = bot.dana.submission_payload(topic="x"), bot.dana.submission_payload(topic="x")

    clicks = [asyncio.create_task(bot.wire.interactive(payload)) for payload in (first, second)]
    while len(bot.handlers.asked) < 2:
        await asyncio.sleep(0)
    bot.handlers.gate.set()
    answers = await asyncio.gather(*clicks)

    assert len(bot.handlers.asked) == 2, "the command that opened the form, and one sending"
    assert answers[0].body == answers[1].body


async def test_a_press_inside_a_modal_is_answered_in_it(bot: Bot) -> None:
    more = Form(
        "Roster", SentAction.of("roster.save"), opener=SentAction.of("roster"), submit=None, blocks=(buttons(OPEN),)
    )
    await opened(bot, more)
    bot.handlers.reply = Reply(form=FORM)

    await bot.dana.press_in_view("Plan")
    await bot.settled()

    assert len(bot.fake.stacks[DANA]) == 2
    assert bot.handlers.asked[-1].place.conversation == HOME
    bot.dana.goes_back()
    bot.handlers.reply = notice("Nothing to plan.")
    await bot.dana.press_in_view("Plan")
    await bot.settled()
    assert "Nothing to plan." in words(bot.fake.top_view(DANA))


async def test_a_sent_form_of_somebody_else_is_told_kindly(bot: Bot) -> None:
    await opened(bot)
    payload = bot.dana.submission_payload(topic="x")
    payload["view"]["private_metadata"] = "{}"

    await bot.dana.submit(payload)

    assert "too old" in words(bot.fake.top_view(DANA))


async def test_an_answer_for_a_channel_without_the_bot_goes_to_the_chat(bot: Bot) -> None:
    bot.fake.add_channel("C00OTHER", "other", (DANA,))
    bot.handlers.reply = Reply(form=FORM)
    await bot.dana.command("meeting new", "C00OTHER")
    bot.handlers.reply = notice("Saved.")

    await bot.dana.send(topic="x")
    await bot.settled()

    assert words(bot.fake.chat(DANA).messages[-1]["blocks"]) == "Saved."


# Events ----------------------------------------------------------------------------------------


async def test_a_typed_message_is_answered_in_the_chat(either: Bot) -> None:
    either.handlers.reply = notice("Saved.")

    await either.dana.say("I met &lt;3 students &amp; <https://x.example|their page>, <@U1|lee> <!here>")
    await either.settled()

    lee = AccountKey("slack", TEAM, "U1")
    assert either.handlers.asked[0].intent == Typed("I met <3 students & their page, @lee @here", (lee,))
    assert either.handlers.asked[0].place.kind == "personal"
    assert words(either.fake.chat(DANA).messages[-1]["blocks"]) == "Saved."


async def test_a_form_cannot_open_from_a_message_so_a_button_does(bot: Bot) -> None:
    bot.handlers.reply = Reply(form=FORM)

    await bot.dana.say("meeting new")

    chat = bot.fake.chat(DANA)
    await bot.dana.press("Open", chat.messages[-1], chat.id)
    await bot.settled()
    assert bot.fake.sees_modal(DANA)


async def test_edits_bots_and_files_are_not_typed_messages(bot: Bot) -> None:
    chat = bot.fake.chat(DANA).id
    said = {"type": "message", "channel_type": "im", "channel": chat, "user": DANA, "text": "x", "ts": "1.1"}

    await bot.dana.event({**said, "subtype": "message_changed"})
    await bot.dana.event({**said, "bot_id": "B1"})
    await bot.dana.event({**said, "text": ""})
    await bot.dana.event({**said, "channel_type": "channel", "channel": HOME})
    await bot.dana.event({"type": "reaction_added", "user": DANA})

    assert bot.handlers.asked == []


async def test_a_mention_is_a_command_without_the_mention(either: Bot) -> None:
    either.handlers.reply = Reply(card=CARD)

    await either.dana.mention("progress", HOME)

    assert either.handlers.asked[0].intent == Command("progress")
    (seen,) = either.fake.notices
    assert (seen["user"], seen["channel"]) == (DANA, HOME)


async def test_joining_and_leaving(either: Bot) -> None:
    await either.dana.joins(HOME)
    await either.dana.leaves(HOME)

    assert [type(asked.intent) for asked in either.handlers.asked] == [Arrived, Departed]


async def test_the_bots_own_joining_and_leaving(bot: Bot) -> None:
    joined = {"type": "member_joined_channel", "user": BOT_USER, "channel": HOME, "team": TEAM, "inviter": DANA}
    await bot.dana.event(joined)
    await bot.dana.event({"type": "channel_left", "channel": HOME})
    await bot.dana.event({"type": "group_left", "channel": "G1"})

    assert [type(asked.intent) for asked in bot.handlers.asked] == [BotAdded, BotRemoved, BotRemoved]
    assert bot.handlers.asked[0].who.user == DANA


async def test_the_home_tab_is_published(either: Bot) -> None:
    either.handlers.reply = Reply(card=PRESSABLE)

    await either.dana.opens_home()

    assert isinstance(either.handlers.asked[0].intent, HomeOpened)
    assert "Hello" in words(either.fake.homes[DANA])


async def test_a_press_in_the_home_tab(bot: Bot) -> None:
    bot.handlers.reply = Reply(card=PRESSABLE)
    await bot.dana.opens_home()
    bot.handlers.reply = Reply(form=FORM)
    await bot.dana.press_at_home("Plan")
    await bot.settled()

    assert bot.fake.sees_modal(DANA)
    assert bot.handlers.asked[-1].place.conversation == bot.fake.chat(DANA).id
    bot.handlers.reply = notice("Thank you.")
    await bot.dana.press_at_home("Go")
    await bot.settled()
    assert words(bot.fake.chat(DANA).messages[-1]["blocks"]) == "Thank you."


async def test_a_press_in_the_home_tab_shows_the_card_and_the_notice(bot: Bot) -> None:
    bot.handlers.reply = Reply(card=PRESSABLE)
    await bot.dana.opens_home()
    bot.handlers.reply = replace(notice("Send the rest again."), replace=Card("Thank you"))
    await bot.dana.press_at_home("Go")
    await bot.settled()
    said = [words(message["blocks"]) for message in bot.fake.chat(DANA).messages]
    assert said == ["Thank you", "Send the rest again."]


def _blocks(card: Card) -> list[dict[str, object]]:
    return slack_render.message(card)
