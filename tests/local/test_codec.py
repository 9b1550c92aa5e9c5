"""A card comes back from its JSON exactly as it went in."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.local import codec
from handlers.core import cards
from handlers.core.actions import SentAction
from handlers.core.cards import Card, Paragraph, When
from tests.specimens import CARDS

texts = st.text(max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)
spans = st.one_of(
    texts,
    st.builds(cards.Bold, texts),
    st.builds(cards.Link, texts, texts),
    st.builds(cards.Mention, st.uuids(), texts),
    st.builds(When, st.datetimes(timezones=st.just(UTC)), st.just("America/Chicago"), st.just("time")),
)
prose = st.lists(spans, max_size=4).map(tuple)
words = st.lists(texts, max_size=4).map(tuple)
actions = st.builds(SentAction, texts, words)
button = st.one_of(
    st.builds(cards.Button, texts, actions, st.just("danger"), st.booleans(), st.none() | texts),
    st.builds(cards.LinkButton, texts, texts),
)
blocks = st.one_of(
    st.builds(cards.Heading, texts),
    st.builds(Paragraph, prose),
    st.builds(cards.Note, prose),
    st.builds(cards.Bullets, st.lists(prose, max_size=3).map(tuple)),
    st.builds(cards.Facts, st.lists(st.tuples(texts, prose), max_size=3).map(tuple)),
    st.builds(cards.Table, words, st.lists(words, max_size=3).map(tuple), texts),
    st.builds(
        cards.Chart,
        st.sampled_from(["bar", "line", "pie"]),
        texts,
        words,
        st.lists(st.builds(cards.Series, texts, st.lists(numbers, max_size=3).map(tuple)), max_size=3).map(tuple),
    ),
    st.builds(cards.Progress, texts, st.integers(), st.integers()),
    st.builds(cards.Buttons, st.lists(button, max_size=3).map(tuple)),
    st.builds(cards.Divider),
)


@given(st.builds(Card, texts, st.lists(blocks, max_size=5).map(tuple)))
def test_any_card_comes_back_exactly(card: Card) -> None:
    assert codec.load(codec.dump(card)) == card


@pytest.mark.parametrize("card", CARDS, ids=range(len(CARDS)))
def test_every_specimen_comes_back_exactly(card: Card) -> None:
    assert codec.load(codec.dump(card)) == card


def test_every_part_of_a_card_is_known() -> None:
    parts = {name for name, part in vars(cards).items() if is_dataclass(part) and part.__module__ == cards.__name__}
    forms = {"Form", "Option", "TextField", "ChoiceField", "ManyField", "DateField", "TimeField", "NumberField"}
    assert set(codec._PARTS) == parts - forms - {"Shown"}


def test_typed_text_that_looks_like_a_part_stays_text() -> None:
    card = Card('{"_":"Card"}', (Paragraph(('{"_": "UUID", "is": "x"}',)),))
    assert codec.load(codec.dump(card)) == card


@pytest.mark.parametrize(
    "text", ['{"_":"Future","x":1}', '{"_":"Card","unknown":1}', '{"_":"Bold","text":"x"}', "[]", "{}", "no"]
)
def test_a_card_of_another_version_is_named(text: str) -> None:
    with pytest.raises(codec.UnreadableCard, match="another version"):
        codec.load(text)


def test_pydantic_alone_takes_a_note_for_a_paragraph() -> None:
    """Why the codec is our own; where this fails, pydantic's TypeAdapter may do."""
    adapter: TypeAdapter[Paragraph | cards.Note] = TypeAdapter(Paragraph | cards.Note)
    assert adapter.validate_json(adapter.dump_json(cards.Note(("x",)))) == Paragraph(("x",))
