"""Whatever a button or a form carries is answered: ids that nothing has, and what is no id, number, day or time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from handlers.core.actions import SentAction
from handlers.core.requests import Press, Submit
from tests.authorization.people import Cast, Deed, is_one_of, owner_of
from tests.authorization.permissions import PRESSES, SUBMITS, Act
from tests.authorization.surfaces import opened
from tests.world import PLATFORM

RUBBISH = ("", "rubbish", "-1", "9" * 40, "٣", "0001-01-01", "9999-12-31", "15:30+05:00", "24:00", "own:rubbish", "a b")
EVERY = [(act, False) for act in PRESSES if act.may] + [(act, True) for act in SUBMITS if act.may]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    async with opened(PLATFORM, tmp_path_factory.mktemp("cast")) as cast:
        yield cast


def spoiled(deed: Deed) -> Iterator[Deed]:
    """The deed with each of its arguments and values spoiled in turn, and without its last argument."""
    match deed:
        case Press(done) | Submit(done, _):
            for place in range(len(done.args)):
                for rubbish in RUBBISH:
                    args = (*done.args[:place], rubbish, *done.args[place + 1 :])
                    yield replace(deed, action=SentAction(done.name, args))
            if done.args:
                yield replace(deed, action=SentAction(done.name, done.args[:-1]))
    if isinstance(deed, Submit):
        for name in deed.values:
            for rubbish in RUBBISH:
                yield replace(deed, values={**deed.values, name: (rubbish,)})
        yield replace(deed, values={})


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("act", "form"), EVERY, ids=lambda one: one.label if isinstance(one, Act) else "")
async def test_rubbish_is_answered(program: Cast, act: Act, form: bool) -> None:
    """By somebody who may do it: everybody else is sent away before it is looked at."""
    actor, relation = next(one for one in program.cases(act) if is_one_of(act.may, *one))
    for deed in spoiled(program.deed(act, owner_of(actor, relation), form=form)):
        program.restore()
        _, told = await program.tries(actor, act, deed)
        assert told.words, deed


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("act", "form"),
    [(act, False) for act in PRESSES if act.about_somebody] + [(act, True) for act in SUBMITS if act.about_somebody],
    ids=lambda one: one.label if isinstance(one, Act) else "",
)
async def test_an_id_that_nothing_has_is_answered_and_changes_nothing(program: Cast, act: Act, form: bool) -> None:
    program.restore()
    unchanged = program.everything()
    for actor in ("mentee", "mentor", "coordinator"):
        _, told = await program.tries(actor, act, program.deed(act, "lee", form=form, nowhere=True))
        assert told.words
        if act.name not in ("consent.agree", "consent.decline"):  # one's own choice, whatever check-in is named
            assert program.everything() == unchanged, actor
        program.restore()
