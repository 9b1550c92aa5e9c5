"""The chat's own file: who is where, what was said, what is unread."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from bot.local.chat import PAGE, Chat
from bot.local.messages import Draft, NameTaken, NoSuchConversation, NoSuchMessage, direct
from handlers.core.cards import Card, Shown
from handlers.core.plain_cards import plain
from tests.specimens import CARDS, DANA

AT = datetime(2026, 11, 12, 20, 30, tzinfo=UTC)
ANN, BEN = "ann@example.org", "ben@example.org"
CARD = CARDS[0]


def said(conversation: str, words: str, author: str | None = ANN, origin: str = "") -> Draft:
    return Draft(conversation, AT, origin or f"o:{words}", author=author, text=words)


def test_nothing_is_opened_before_open(tmp_path: Path) -> None:
    Chat(tmp_path / "deep" / "chat.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_it_makes_its_folder_and_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "chat.sqlite"
    first = Chat(path)
    first.open()
    first.open()
    first.create_channel("home", "home", [ANN])
    first.write(Draft("home", AT, "o", card=CARD, shown=Shown(mentions={DANA: ANN})))
    first.close()
    again = Chat(f"sqlite:///{path}")
    again.open()
    (message,) = again.latest("home", ANN)
    assert message.card == CARD
    assert message.mentions == {DANA: ANN}
    assert message.at == AT
    again.close()


def test_a_closed_chat_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        Chat(tmp_path / "chat.sqlite").state()


def test_the_same_origin_writes_one_message(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    first = chat.write(said("home", "Hello", origin="one"))
    assert chat.write(said("home", "Hello again", origin="one")) == first
    assert [message.text for message in chat.latest("home", ANN)] == ["Hello"]
    assert chat.by_origin("one") == first
    assert chat.by_origin("two") is None


def test_a_time_without_a_zone_is_refused(chat: Chat) -> None:
    naive = replace(said(direct(ANN), "x"), at=AT.replace(tzinfo=None))
    with pytest.raises(Exception, match="without a zone"):
        chat.write(naive)


def test_a_notice_is_for_one_person_until_dismissed(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN, BEN])
    notice = chat.write(Draft("home", AT, "n", card=CARD, only_for=ANN))
    assert chat.latest("home", BEN) == ()
    chat.dismiss("home", notice.id, BEN)
    assert [message.id for message in chat.latest("home", ANN)] == [notice.id]
    _, change = chat.state()
    chat.dismiss("home", notice.id, ANN)
    assert chat.latest("home", ANN) == ()
    assert [message.gone for message in chat.changed("home", ANN, change)] == [True]


def test_a_changed_card_is_told_as_a_change(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    message = chat.write(Draft("home", AT, "c", card=CARD))
    _, change = chat.state()
    assert chat.changed("home", ANN, change) == ()
    chat.change_card("home", message.id, Card("New"), Shown())
    (changed,) = chat.changed("home", ANN, change)
    assert (changed.id, changed.card) == (message.id, Card("New"))


def test_only_the_bots_own_cards_change(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    typed = chat.write(said("home", "Hello"))
    for conversation, message in (("home", typed.id), ("home", 999), ("other", typed.id)):
        with pytest.raises(NoSuchMessage):
            chat.change_card(conversation, message, CARD, Shown())


def test_messages_come_by_pages(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    for number in range(PAGE + 3):
        chat.write(said("home", str(number)))
    latest = chat.latest("home", ANN)
    assert [message.text for message in latest] == [str(number) for number in range(3, PAGE + 3)]
    assert [message.text for message in chat.latest("home", ANN, latest[0].id)] == ["0", "1", "2"]


def test_unread_counts_what_others_said_where_one_is(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN, BEN])
    chat.create_channel("far", "far", [BEN])
    chat.write(said("home", "mine", ANN))
    chat.write(said("home", "theirs", BEN))
    last = chat.write(said("home", "the bot's", None))
    chat.write(said("far", "not mine", BEN))
    chat.write(Draft("home", AT, "notice", card=CARD, only_for=BEN))
    chat.write(Draft(direct(ANN), AT, "dm", card=CARD))
    assert chat.unread(ANN) == {"home": 2, direct(ANN): 1}
    chat.mark_read(ANN, "home", last.id)
    chat.mark_read(ANN, "home", 1)  # a late page takes nothing back
    assert chat.unread(ANN) == {direct(ANN): 1}


def test_members_come_and_go(chat: Chat) -> None:
    chat.create_channel("home", "home", [BEN])
    assert chat.add_member("home", ANN)
    assert not chat.add_member("home", ANN)
    assert chat.channel("home").members == (BEN, ANN)
    assert chat.remove_member("home", BEN)
    assert not chat.remove_member("home", BEN)
    assert chat.enter("home").bot
    assert chat.channel("home").members == (ANN,)


def test_a_channels_name_is_its_own(chat: Chat) -> None:
    chat.create_channel("one", "home", [ANN])
    chat.create_channel("one", "home", [BEN])
    assert chat.channel("one").members == (ANN, BEN)
    with pytest.raises(NameTaken):
        chat.create_channel("two", "home")
    with pytest.raises(ValueError, match="direct"):
        chat.create_channel(direct(ANN), "x")


def test_unknown_places_are_named(chat: Chat) -> None:
    for act in (
        lambda: chat.write(said("nowhere", "x")),
        lambda: chat.add_member("nowhere", ANN),
        lambda: chat.remove_member("nowhere", ANN),
        lambda: chat.enter("nowhere"),
        lambda: chat.channel("nowhere"),
    ):
        with pytest.raises(NoSuchConversation):
            act()
    with pytest.raises(NoSuchMessage):
        chat.message(direct(ANN), 1)


def test_clear_forgets_everything_under_a_new_epoch(chat: Chat) -> None:
    assert chat.empty()
    chat.create_channel("home", "home", [ANN])
    message = chat.write(said("home", "Hello"))
    chat.mark_read(ANN, "home", message.id)
    assert not chat.empty()
    before = chat.state()
    chat.clear()
    assert chat.empty()
    assert chat.state()[0] != before[0]
    chat.create_channel("home", "home", [ANN])
    assert chat.write(said("home", "Hello")).id > message.id  # an id never means another message


def test_a_card_of_another_version_is_shown_as_such(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    chat.write(Draft("home", AT, "c", card=CARD))
    engine = create_engine(chat.url)
    with engine.begin() as connection:
        connection.execute(text("""update messages set card = '{"_":"Hologram"}'"""))
    engine.dispose()
    (message,) = chat.latest("home", ANN)
    assert message.card is not None
    assert "another version" in plain(message.card)


def test_mentions_keep_their_people(chat: Chat) -> None:
    chat.create_channel("home", "home", [ANN])
    people = {UUID(int=n): f"user-{n}" for n in range(3)}
    assert chat.write(Draft("home", AT, "m", card=CARD, shown=Shown(mentions=people))).mentions == people
