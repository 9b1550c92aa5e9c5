"""Conversations over HTTP: what somebody does in Teams, what the handlers are asked, what is seen."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.teams.sentences import BELOW, DONE, LOST, OLD_BUTTON, SENT_DIRECTLY, SORRY
from handlers.core.actions import BadAction, SentAction
from handlers.core.cards import Button, Card, buttons, say
from handlers.core.forms import Form, TextField
from handlers.core.requests import (
    AccountKey,
    Arrived,
    BotAdded,
    BotRemoved,
    Command,
    Departed,
    Place,
    Press,
    Reply,
    Request,
    Submit,
    Typed,
    notice,
)
from tests.fakes.teams import (
    BOT,
    CHANNEL,
    CHAT,
    DANA,
    GUEST,
    TEAM,
    TENANT,
    FakeTeams,
    Fault,
    actions_of,
    inputs_of,
    words_of,
)
from tests.specimens import CONFIDENTIAL, FORM, READ_ONLY
from tests.teams.conftest import Bot, Start

HERE = {"plc": {"act": "attendance.here|7"}}
THREAD = f"{CHANNEL};messageid=1767377017138"
PROGRESS = Card("Your progress", (say("5 of 8 meetings"),))


# Typing ----------------------------------------------------------------------------------------


async def test_somebody_types_to_the_bot_and_is_answered(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)

    status, _ = await bot.dana.send(bot.dana.says("progress"))

    assert status == 200
    [asked] = bot.toy.asked
    assert asked.intent == Typed("progress")
    assert asked.who == AccountKey("teams", TENANT, DANA.object_id)
    assert asked.place == Place(
        "teams",
        TENANT,
        CHAT,
        "personal",
        "",
        {
            "service_url": bot.fake.service_url,
            "bot": BOT,
            "user": DANA.id,
            "account": DANA.object_id,
            "type": "personal",
            "tenant": TENANT,
        },
    )
    [message] = bot.fake.posted(CHAT)
    assert words_of(message.card) == "Your progress\n5 of 8 meetings"
    assert message.activity["summary"] == "Your progress · 5 of 8 meetings"
    assert "text" not in message.activity


async def test_a_command_in_a_channel_is_answered_in_the_personal_chat(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)

    await bot.dana.send(bot.dana.mentions("progress"))

    [asked] = bot.toy.asked
    assert asked.intent == Command("progress")
    assert asked.place.kind == "channel"
    assert asked.place.conversation == CHANNEL
    assert asked.place.reference["team"] == TEAM
    assert words_of(bot.fake.posted(CHAT)[0].card) == "Your progress\n5 of 8 meetings"
    [said] = bot.fake.posted(THREAD)
    assert said.activity["text"] == SENT_DIRECTLY
    assert "attachments" not in said.activity
    opened = bot.fake.calls_to("/v3/conversations", "POST")[0].body
    assert opened["members"] == [{"id": DANA.id}]
    assert opened["channelData"] == {"tenant": {"id": TENANT}}


async def test_a_command_in_a_channel_without_an_answer_says_nothing(bot: Bot) -> None:
    await bot.dana.send(bot.dana.mentions("cohort link"))

    assert bot.toy.asked[0].intent == Command("cohort link")
    assert bot.fake.messages == {}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("403", "Please add this app to your personal chats"),
        ("404", "Teams can't find our personal chat"),
        ("429", "Teams is busy"),
        ("502", "Teams didn't take it"),
    ],
)
async def test_a_chat_that_cannot_be_opened_is_said_in_the_channel(bot: Bot, fault: Fault, said: str) -> None:
    bot.toy.reply = Reply(card=PROGRESS)
    bot.fake.fail("POST", "/v3/conversations", fault)

    await bot.dana.send(bot.dana.mentions("progress"))

    [message] = bot.fake.posted(THREAD)
    assert said in message.activity["text"]
    assert ("add this app" in message.activity["text"]) == (fault == "403")
    assert not bot.fake.posted(CHAT)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("403", "Please add this app to your personal chats"),
        ("not-in-roster", "Please add this app to your personal chats"),
        ("404", "Teams can't find our personal chat"),
        ("429", "Teams is busy"),
        ("502", "I don't know if my answer reached you"),
    ],
)
async def test_an_answer_that_cannot_be_written_is_said_in_the_channel(bot: Bot, fault: Fault, said: str) -> None:
    bot.toy.reply = Reply(card=PROGRESS)
    bot.fake.fail("POST", f"{CHAT}/activities", fault)

    await bot.dana.send(bot.dana.mentions("progress"))

    [message] = bot.fake.posted(THREAD)
    assert said in message.activity["text"]
    assert not bot.fake.posted(CHAT)


async def test_an_answer_that_meets_a_stale_token_still_comes_once(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)
    await bot.dana.send(bot.dana.says("progress"))
    bot.fake.tokens.clear()

    await bot.dana.send(bot.dana.says("progress"))
    bot.fake.tokens.clear()
    await bot.dana.send(bot.dana.mentions("progress"))

    assert len(bot.fake.posted(CHAT)) == 3
    assert len(bot.toy.asked) == 3


async def test_the_chat_that_somebody_wrote_from_last_gets_the_answers(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)
    await bot.dana.send(bot.dana.mentions("progress"))
    bot.fake.chats[DANA.id] = "a:1dana-new"

    await bot.dana.send(bot.dana.says("progress"))
    await bot.dana.send(bot.dana.mentions("progress"))

    assert len(bot.fake.posted(CHAT)) == 1
    assert len(bot.fake.posted("a:1dana-new")) == 2


async def test_the_bot_is_known_by_its_id_not_its_name(bot: Bot) -> None:
    other = bot.dana.mentions("progress")
    other["entities"][0]["mentioned"]["id"] = "28:somebody-else"

    await bot.dana.send(other)

    assert bot.toy.asked == []


async def test_talk_in_a_channel_that_is_not_to_the_bot_is_left_alone(bot: Bot) -> None:
    await bot.dana.send(bot.dana.activity("message", channel=True, text="hello all"))

    assert bot.toy.asked == []


async def test_a_form_asked_for_in_words_is_offered_as_a_button(bot: Bot) -> None:
    bot.toy.reply = Reply(form=CONFIDENTIAL)

    await bot.dana.send(bot.dana.says("write"))

    [message] = bot.fake.posted(CHAT)
    assert words_of(message.card) == ""  # the button says which form it opens
    assert inputs_of(message.card) == {}
    button = actions_of(message.card)[CONFIDENTIAL.title]
    assert button["data"] == {
        "msteams": {"type": "task/fetch"},
        "plc": {"act": CONFIDENTIAL.opener.encode()},
    }


async def test_reactions_and_pictures_are_nothing_to_answer(bot: Bot) -> None:
    reaction = await bot.dana.send(bot.dana.activity("messageReaction", reactionsAdded=[{"type": "like"}]))
    picture = await bot.dana.send(bot.dana.activity("message", attachments=[]))

    assert (reaction[0], picture[0]) == (200, 200)
    assert bot.toy.asked == []


# Presses ---------------------------------------------------------------------------------------


async def test_a_press_in_the_personal_chat_replaces_its_card(bot: Bot) -> None:
    bot.toy.reply = Reply(replace=Card("Recorded", (say("You are here."),)))

    status, answer = await bot.dana.send(bot.dana.presses(HERE))

    assert status == 200
    assert bot.toy.asked[0].intent == Press(SentAction.of("attendance.here", 7))
    assert answer["type"] == "application/vnd.microsoft.card.adaptive"
    assert words_of(answer["value"]) == "Recorded\nYou are here."
    assert bot.fake.messages == {}


async def test_a_notice_leaves_the_pressed_card_standing(bot: Bot) -> None:
    bot.toy.reply = notice("It is not open yet.")

    _, answer = await bot.dana.send(bot.dana.presses(HERE))

    assert answer == {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": BELOW}
    assert words_of(bot.fake.posted(CHAT)[0].card) == "It is not open yet."


async def test_a_press_that_needs_no_words_is_done(bot: Bot) -> None:
    _, answer = await bot.dana.send(bot.dana.presses(HERE))

    assert answer["value"] == DONE


async def test_a_press_in_a_channel_is_answered_in_a_word_where_it_was_pressed(bot: Bot) -> None:
    bot.toy.reply = notice("You are here. That is 5 of 8.")

    _, answer = await bot.dana.send(bot.dana.presses(HERE, channel=True))

    assert answer["value"] == "You are here. That is 5 of 8."
    assert answer["type"] == "application/vnd.microsoft.activity.message"
    assert bot.fake.messages == {}, "one act, one message"


async def test_a_card_for_a_press_in_a_channel_goes_directly(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)

    _, answer = await bot.dana.send(bot.dana.presses(HERE, channel=True))

    assert answer["value"] == SENT_DIRECTLY
    assert list(bot.fake.messages) == [CHAT]


async def test_what_only_the_asker_sees_never_replaces_a_channels_card(bot: Bot) -> None:
    bot.toy.reply = Reply(replace=PROGRESS)

    _, answer = await bot.dana.send(bot.dana.presses(HERE, channel=True))

    assert answer["value"] == SENT_DIRECTLY
    assert words_of(bot.fake.posted(CHAT)[0].card).startswith("Your progress")


async def test_an_older_clients_submit_is_a_press_too(bot: Bot) -> None:
    bot.toy.reply = Reply(replace=PROGRESS)
    await bot.platform.start()
    first = Reply(card=PROGRESS)
    bot.toy.reply = first
    await bot.dana.send(bot.dana.says("progress"))
    shown = bot.fake.posted(CHAT)[0]
    bot.toy.reply = Reply(replace=Card("Replaced"))

    await bot.dana.send(bot.dana.submits(HERE, card=shown.id))

    assert bot.toy.asked[-1].intent == Press(SentAction.of("attendance.here", 7))
    assert words_of(shown.card) == "Replaced"
    assert shown.edits == 1


async def test_a_strangers_button_is_refused_kindly(bot: Bot) -> None:
    _, pressed = await bot.dana.send(bot.dana.presses({"actionId": "info"}))
    await bot.dana.send(bot.dana.submits({"actionId": "info"}))
    _, dialog = await bot.dana.send(bot.dana.opens_dialog({}))

    assert pressed["value"] == OLD_BUTTON
    assert bot.fake.posted(CHAT)[0].activity["text"] == OLD_BUTTON
    assert dialog == {"task": {"type": "message", "value": OLD_BUTTON}}
    assert bot.toy.asked == []


async def test_retries_have_one_key_and_two_presses_have_two(bot: Bot) -> None:
    press = bot.dana.presses(HERE)

    await bot.dana.send(press)
    await bot.dana.send(press)
    await bot.dana.send(bot.dana.presses(HERE))

    first, retried, second = (asked.key for asked in bot.toy.asked)
    assert first == retried
    assert first != second


async def test_a_key_depends_on_nothing_that_is_pressed_or_filled_in(bot: Bot) -> None:
    acts = [bot.dana.presses(data) for data in (HERE, {"plc": {"act": "checkins.pulse|c1|2"}})]
    acts.append({**bot.dana.says("words"), "id": acts[0]["id"]})
    for activity in acts:
        activity["id"] = acts[0]["id"]
        await bot.dana.send(activity)

    assert len(bot.toy.asked) == 3
    assert len({asked.key for asked in bot.toy.asked}) == 1


async def test_an_act_without_id_and_time_is_refused(bot: Bot) -> None:
    activity = bot.dana.says("a")
    del activity["id"], activity["timestamp"]

    status, _ = await bot.dana.send(activity)

    assert status == 400
    assert bot.toy.asked == []


async def test_an_act_without_an_id_still_has_a_key_of_its_own(bot: Bot) -> None:
    hello, goodbye = bot.dana.says("hello"), bot.dana.says("goodbye")
    del hello["id"], goodbye["id"]

    for activity in (hello, hello, goodbye):
        await bot.dana.send(activity)

    first, retried, second = (asked.key for asked in bot.toy.asked)
    assert first == retried
    assert first != second


# Dialogs ---------------------------------------------------------------------------------------


async def test_a_reflection_is_written_in_a_dialog_and_never_echoed(bot: Bot) -> None:
    bot.toy.reply = Reply(form=CONFIDENTIAL)

    _, opened = await bot.dana.send(bot.dana.opens_dialog({"plc": {"act": CONFIDENTIAL.opener.encode()}}, card="1767"))

    page = opened["task"]
    assert page["type"] == "continue"
    assert page["value"]["title"] == "Your reflection"
    card = page["value"]["card"]["content"]
    send = actions_of(card)["Save"]
    assert bot.toy.asked[0].intent == Press(CONFIDENTIAL.opener)

    bot.toy.reply = Reply(card=Card("", (say("Saved."),)))
    status, closed = await bot.dana.send(bot.dana.sends_dialog({**send["data"], "f_went_well": "Secret words"}))

    assert bot.toy.asked[1].intent == Submit(CONFIDENTIAL.action, {"went_well": ("Secret words",)})
    assert (status, closed) == (200, None)
    assert words_of(bot.fake.posted(CHAT)[0].card) == "Saved."
    assert "Secret words" not in str([call.body for call in bot.fake.calls])


async def test_a_dialogs_answer_replaces_the_card_that_opened_it(bot: Bot) -> None:
    bot.toy.reply = Reply(card=PROGRESS)
    await bot.dana.send(bot.dana.says("progress"))
    shown = bot.fake.posted(CHAT)[0]
    bot.toy.reply = Reply(form=CONFIDENTIAL)
    _, opened = await bot.dana.send(
        bot.dana.opens_dialog({"plc": {"act": CONFIDENTIAL.opener.encode()}}, card=shown.id)
    )
    send = actions_of(opened["task"]["value"]["card"]["content"])["Save"]

    bot.toy.reply = Reply(replace=Card("", (say("Saved. I show it to no one."),)))
    await bot.dana.send(bot.dana.sends_dialog(send["data"]))

    assert bot.toy.asked[-1].intent == Submit(CONFIDENTIAL.action, {"went_well": ()})
    assert words_of(shown.card) == "Saved. I show it to no one."


async def test_errors_bring_the_dialog_back_with_what_was_typed(bot: Bot) -> None:
    def answer(request: Request) -> Reply:
        if isinstance(request.intent, Submit):
            return Reply(errors={"topic": "There is a meeting with this topic."})
        return Reply(form=FORM)

    bot.toy.reply = answer
    _, opened = await bot.dana.send(bot.dana.opens_dialog({"plc": {"act": FORM.opener.encode()}}))
    send = actions_of(opened["task"]["value"]["card"]["content"])["Preview dates"]

    _, again = await bot.dana.send(bot.dana.sends_dialog({**send["data"], "f_topic": "My topic", "f_minutes": 45}))

    card = again["task"]["value"]["card"]["content"]
    assert "There is a meeting with this topic." in words_of(card)
    assert inputs_of(card)["f_topic"]["value"] == "My topic"
    assert inputs_of(card)["f_minutes"]["value"] == 45
    assert bot.fake.messages == {}


async def test_errors_are_said_where_the_form_cannot_be_shown_again(bot: Bot) -> None:
    bot.toy.reply = Reply(errors={"topic": "It was deleted meanwhile."})
    sent = {"plc": {"act": "a", "opener": "b", "fields": ["topic"], "many": []}, "f_topic": "x"}

    await bot.dana.send(bot.dana.sends_dialog(sent))

    assert words_of(bot.fake.posted(CHAT)[0].card) == "It was deleted meanwhile."


async def test_a_dialog_has_a_way_back(bot: Bot) -> None:
    bot.toy.reply = Reply(form=READ_ONLY)
    _, opened = await bot.dana.send(bot.dana.opens_dialog({"plc": {"act": READ_ONLY.opener.encode()}}))
    back = actions_of(opened["task"]["value"]["card"]["content"])["Back"]
    assert back["type"] == "Action.Submit"

    await bot.dana.send(bot.dana.sends_dialog(back["data"]))

    assert bot.toy.asked[-1].intent == Press(SentAction.of("summaries.open", "00000000-0000-0000-0000-000000000001"))


async def test_a_dialog_in_a_channel_ends_in_the_personal_chat(bot: Bot) -> None:
    bot.toy.reply = notice("Posted.")

    _, closed = await bot.dana.send(bot.dana.sends_dialog(HERE, channel=True))

    assert closed == {"task": {"type": "message", "value": SENT_DIRECTLY}}
    assert list(bot.fake.messages) == [CHAT]


async def test_a_button_whose_form_is_gone_says_so_in_the_dialog(bot: Bot) -> None:
    bot.toy.reply = notice("The window has closed.")

    _, answer = await bot.dana.send(bot.dana.opens_dialog(HERE))

    assert answer == {"task": {"type": "message", "value": "The window has closed."}}
    assert bot.fake.posted(CHAT) == []  # the reason is in the dialog, not behind it


async def test_a_press_whose_form_was_not_foreseen_offers_it(bot: Bot) -> None:
    bot.toy.reply = Reply(form=FORM)

    _, personal = await bot.dana.send(bot.dana.presses(HERE))
    _, channel = await bot.dana.send(bot.dana.presses(HERE, channel=True))

    assert (personal["value"], channel["value"]) == (BELOW, SENT_DIRECTLY)
    for message in bot.fake.posted(CHAT):
        assert actions_of(message.card)["Plan a meeting"]["data"]["msteams"] == {"type": "task/fetch"}


# A client without dialogs ----------------------------------------------------------------------


async def test_a_test_client_without_tokens_talks_and_gets_forms_as_cards(start: Start) -> None:
    bot = await start(test_client=True)
    bot.toy.reply = Reply(form=FORM)

    status, _ = await bot.dana.send(bot.dana.says("new"))

    assert status == 200
    form = bot.fake.posted(CHAT)[0].card
    assert words_of(form).startswith("Plan a meeting")
    send = actions_of(form)["Preview dates"]
    assert send["type"] == "Action.Execute"

    bot.toy.reply = Reply(card=Card("Planned"))
    _, answer = await bot.dana.send(bot.dana.presses({**send["data"], "f_topic": "Grief"}, verb=send["verb"]))

    intent = bot.toy.asked[-1].intent
    assert isinstance(intent, Submit)
    assert intent.values["topic"] == ("Grief",)
    assert set(intent.values) == {field.id for field in FORM.fields}
    assert words_of(answer["value"]) == "Planned"
    assert bot.fake.calls_to("token") == []


async def test_a_form_card_comes_back_with_its_errors_and_its_next_step(start: Start) -> None:
    bot = await start(test_client=True)
    sent = {"act": "meetings.new", "form": True, "opener": "meetings.open", "fields": ["topic"], "many": []}
    bot.toy.reply = Reply(form=FORM, errors={"topic": "Too short."})

    _, wrong = await bot.dana.send(bot.dana.presses({"plc": sent, "f_topic": "x"}))
    bot.toy.reply = Reply(form=READ_ONLY)
    _, step = await bot.dana.send(bot.dana.presses({"plc": sent, "f_topic": "Grief"}))
    bot.toy.reply = Reply(form=CONFIDENTIAL)
    _, private = await bot.dana.send(bot.dana.presses({"plc": sent, "f_topic": "Grief"}))

    assert "Too short." in words_of(wrong["value"])
    assert inputs_of(wrong["value"])["f_topic"]["value"] == "x"
    assert list(actions_of(step["value"])) == ["Back"]
    assert inputs_of(private["value"]) == {}


async def test_a_form_card_goes_back_in_place_and_changes_the_card_that_opened_it(start: Start) -> None:
    bot = await start(test_client=True)
    bot.toy.reply = Reply(card=PROGRESS)
    await bot.dana.send(bot.dana.says("progress"))
    shown = bot.fake.posted(CHAT)[0]
    bot.toy.reply = Reply(form=READ_ONLY)
    await bot.dana.send(bot.dana.presses(HERE, card=shown.id))
    preview = bot.fake.posted(CHAT)[1]

    bot.toy.reply = Reply(form=FORM)
    back = actions_of(preview.card)["Back"]
    _, before = await bot.dana.send(bot.dana.presses(back["data"], card=preview.id))
    assert words_of(before["value"]).startswith("Plan a meeting")

    bot.toy.reply = Reply(replace=Card("Planned"))
    send = actions_of(before["value"])["Preview dates"]
    _, after = await bot.dana.send(bot.dana.presses(send["data"], card=preview.id))

    assert words_of(after["value"]) == DONE
    assert words_of(shown.card) == "Planned"


async def test_a_confidential_form_is_never_a_card(start: Start) -> None:
    bot = await start(test_client=True)
    bot.toy.reply = Reply(form=CONFIDENTIAL)

    await bot.dana.send(bot.dana.says("write"))

    [message] = bot.fake.posted(CHAT)
    assert inputs_of(message.card) == {}
    assert "can't open this form" in words_of(message.card)


async def test_a_client_without_a_tenant_has_one_made_up(start: Start) -> None:
    bot = await start(test_client=True)
    activity = bot.dana.says("hi")
    del activity["channelData"], activity["conversation"]["tenantId"], activity["from"]["aadObjectId"]

    await bot.dana.send(activity)

    assert bot.toy.asked[0].who == AccountKey("teams", "playground", DANA.id)


# Coming and going ------------------------------------------------------------------------------


async def test_an_install_is_told_by_two_activities_and_each_says_when_it_was(bot: Bot) -> None:
    await bot.dana.send(bot.dana.installs())
    added = bot.dana.activity("conversationUpdate", membersAdded=[DANA.account(), {"id": BOT}])
    await bot.dana.send(added)

    assert [type(asked.intent) for asked in bot.toy.asked] == [BotAdded, BotAdded]
    times = [asked.at for asked in bot.toy.asked]
    assert None not in times
    assert len({asked.key for asked in bot.toy.asked}) == 2


async def test_the_bot_is_put_into_a_team_and_taken_out(bot: Bot) -> None:
    await bot.dana.send(bot.dana.members("membersAdded", {"id": BOT}))
    await bot.dana.send(bot.dana.installs("remove", channel=True))

    assert [asked.intent for asked in bot.toy.asked] == [BotAdded(), BotRemoved()]
    assert {asked.place.kind for asked in bot.toy.asked} == {"channel"}


async def test_newcomers_and_leavers_of_a_team_are_told_one_by_one(bot: Bot) -> None:
    await bot.dana.send(bot.dana.members("membersAdded", DANA.account(), GUEST.account()))
    await bot.dana.send(bot.dana.members("membersRemoved", GUEST.account()))

    assert [(asked.who.user, asked.intent) for asked in bot.toy.asked] == [
        (DANA.object_id, Arrived()),
        (GUEST.object_id, Arrived()),
        (GUEST.object_id, Departed()),
    ]
    assert len({asked.key for asked in bot.toy.asked}) == 3


# When it goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "words"), [(RuntimeError("she wrote: secret"), SORRY), (BadAction(), OLD_BUTTON)])
async def test_a_failing_handler_is_apologized_for(
    bot: Bot, error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    bot.toy.reply = error

    with caplog.at_level(logging.DEBUG):
        await bot.dana.send(bot.dana.says("progress"))
        _, pressed = await bot.dana.send(bot.dana.presses(HERE))
        _, dialog = await bot.dana.send(bot.dana.sends_dialog(HERE))

    assert bot.fake.posted(CHAT)[0].activity["text"] == words
    assert pressed["value"] == words
    assert dialog["task"]["value"] == words
    assert "secret" not in caplog.text


async def test_an_answer_that_cannot_be_sent_does_not_undo_what_was_done(bot: Bot) -> None:
    bot.toy.reply = notice("Noted.")
    bot.fake.fail("POST", "/activities", "502")
    bot.fake.fail("POST", "/activities", "502")

    typed = await bot.dana.send(bot.dana.says("progress"))
    _, pressed = await bot.dana.send(bot.dana.presses(HERE))

    assert typed[0] == 200
    assert pressed["value"] == LOST


async def test_an_answer_that_cannot_be_built_is_no_crash(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    broken: list[Any] = [5, "secret words"]
    bot.toy.reply = Reply(card=Card("", (say(*broken),)))

    with caplog.at_level(logging.DEBUG):
        _, pressed = await bot.dana.send(bot.dana.presses(HERE))

    assert pressed["value"] == LOST
    assert "secret" not in caplog.text


async def test_nothing_of_what_people_write_is_logged(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary-7f3a"
    form = Form("Canary", SentAction.of("x"), SentAction.of("y"), fields=(TextField("t", canary, canary),))
    bot.toy.reply = Reply(card=Card(canary, (buttons(Button(canary, SentAction.of("x"))),)), form=form)
    sent = {"plc": {"act": "x", "opener": "y", "fields": ["t"], "many": []}, "f_t": canary}
    strange: dict[str, Any] = bot.dana.says(canary) | {"timestamp": canary, "membersAdded": canary}

    with caplog.at_level(logging.DEBUG):
        for activity in (
            bot.dana.says(canary),
            bot.dana.mentions(canary),
            bot.dana.presses(sent),
            bot.dana.sends_dialog(sent),
            bot.dana.submits(sent, channel=True),
            strange,
        ):
            await bot.dana.send(activity)
        bot.fake.fail("POST", "/activities", "broken-json")
        await bot.dana.send(bot.dana.says(canary))

    assert len(bot.toy.asked) >= 6
    assert canary not in caplog.text
    assert bot.fake.tokens[0] not in caplog.text


async def test_the_fake_is_asked_for_one_token_in_many_turns(bot: Bot, fake: FakeTeams) -> None:
    bot.toy.reply = notice("Noted.")

    for _ in range(3):
        await bot.dana.send(bot.dana.says("hi"))

    assert len(fake.tokens) == 1
    assert len(fake.calls_to("openidconfiguration")) == 1
