"""Whatever a button or a form carries is answered: ids that nothing has, and what is no id, number, day or time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from handlers.core.actions import SentAction
from handlers.core.requests import Press, Submit
from tests.authorization.people import Actors, Attempt, is_one_of, owner_of
from tests.authorization.permissions import PRESSES, SUBMITS, Act
from tests.authorization.surfaces import opened
from tests.world import PLATFORM

INVALID = (
    "",
    "invalid",
    "-1",
    "9" * 40,
    "٣",
    "0001-01-01",
    "9999-12-31",
    "15:30+05:00",
    "24:00",
    "own:invalid",
    "a b",
)
EVERY = [(act, False) for act in PRESSES if act.may] + [(act, True) for act in SUBMITS if act.may]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Actors]:
    async with opened(PLATFORM, tmp_path_factory.mktemp("actors")) as actors:
        yield actors


def spoiled(attempt: Attempt) -> Iterator[Attempt]:
    """The attempt with each of its arguments and values spoiled in turn, and without its last argument."""
    match attempt:
        case Press(done) | Submit(done, _):
            for place in range(len(done.args)):
                for invalid in INVALID:
                    args = (*done.args[:place], invalid, *done.args[place + 1 :])
                    yield replace(attempt, action=SentAction(done.name, args))
            if done.args:
                yield replace(attempt, action=SentAction(done.name, done.args[:-1]))
    if isinstance(attempt, Submit):
        for name in attempt.values:
            for invalid in INVALID:
                yield replace(attempt, values={**attempt.values, name: (invalid,)})
        yield replace(attempt, values={})


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("act", "form"), EVERY, ids=lambda value: value.label if isinstance(value, Act) else "")
async def test_invalid_input_is_answered(program: Actors, act: Act, form: bool) -> None:
    """By somebody who may do it: everybody else is sent away before it is looked at."""
    actor, relation = next(case for case in program.cases(act) if is_one_of(act.may, *case))
    for attempt in spoiled(program.attempt(act, owner_of(actor, relation), form=form)):
        program.restore()
        _, told = await program.tries(actor, act, attempt)
        assert told.words, attempt


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("act", "form"),
    [(act, False) for act in PRESSES if act.about_somebody] + [(act, True) for act in SUBMITS if act.about_somebody],
    ids=lambda value: value.label if isinstance(value, Act) else "",
)
async def test_an_id_that_nothing_has_is_answered_and_changes_nothing(program: Actors, act: Act, form: bool) -> None:
    program.restore()
    unchanged = program.everything()
    for actor in ("mentee", "mentor", "coordinator"):
        _, told = await program.tries(actor, act, program.attempt(act, "lee", form=form, nowhere=True))
        assert told.words
        if act.name not in ("consent.agree", "consent.decline"):  # one's own choice, whatever check-in is named
            assert program.everything() == unchanged, actor
        program.restore()
