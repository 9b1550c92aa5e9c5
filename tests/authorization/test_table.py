"""Who may do what, as a table: each role, each action, whose the thing is, and each platform's own HTTP.

The ids are such as no card offered. Whoever is refused changes nothing, and of what was written in confidence learns
not even whether it is there. Each platform has one running product for the whole table. Who left is tried on the
paper platform alone: what left them is in the database, which every platform asks in the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import reduce

import pytest
import pytest_asyncio

from handlers.core.calls import EVERYONE
from handlers.core.requests import Command, Submit
from handlers.features import router
from storage.privacy import forgetting
from tests.authorization.people import SECRET, Actors, Attempt, Told, is_one_of, owner_of
from tests.authorization.permissions import COMMANDS, NOT_YOURS, PRESSES, SUBMITS, Act
from tests.authorization.surfaces import DOORS, opened

everywhere = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=DOORS)
async def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Actors]:
    async with opened(request.param, tmp_path_factory.mktemp("actors")) as members:
        yield members


@pytest.fixture
def actors(program: Actors) -> Actors:
    """The program as it was made, whatever the last test did in it."""
    program.restore()
    return program


def test_no_button_and_no_form_is_missing_from_the_table() -> None:
    assert {act.name for act in PRESSES} == set(router.presses)
    assert {act.name for act in SUBMITS} == set(router.submits)


def without(sent: Attempt, told: Told) -> str:
    """What somebody was told but for what they sent themselves, which a form that stays open shows again."""
    own = () if isinstance(sent, Command) else sent.action.args
    values = sent.values if isinstance(sent, Submit) else {}
    texts = {*own, *(text for texts in values.values() for text in texts)}
    return reduce(
        lambda whole, text: whole.replace(text, "sent"), sorted(texts - {""}, key=len, reverse=True), repr(told)
    )


async def check(actors: Actors, act: Act, *, form: bool) -> None:
    """Every actor tries it with everybody's thing."""
    unchanged = actors.everything()
    for actor, relation in actors.cases(act):
        owner, label = owner_of(actor, relation), f"{actor}/{relation}: {act.label}"
        let_in, told = await actors.tries(actor, act, actors.attempt(act, owner, form=form))
        assert let_in == is_one_of(act.may, actor, relation), f"{label}\n{told.words}"
        changed = actors.everything() != unchanged
        if let_in and changed:
            actors.restore()
        if let_in:
            continue
        assert not changed, label
        assert SECRET not in repr(told), label
        if act.confidential and relation != "own" and not is_one_of(act.known, actor, relation):
            sent, forged = (actors.attempt(act, owner, form=form, nowhere=nowhere) for nowhere in (False, True))
            _, unknown = await actors.tries(actor, act, forged)
            assert without(forged, unknown) == without(sent, told), label


@everywhere
@pytest.mark.parametrize("act", PRESSES, ids=lambda act: act.label)
async def test_a_button_with_a_forged_id(actors: Actors, act: Act) -> None:
    await check(actors, act, form=False)


@everywhere
@pytest.mark.parametrize("act", SUBMITS, ids=lambda act: act.label)
async def test_a_form_with_a_forged_id(actors: Actors, act: Act) -> None:
    await check(actors, act, form=True)


@everywhere
@pytest.mark.parametrize("act", COMMANDS, ids=lambda act: act.name)
async def test_a_command(actors: Actors, act: Act) -> None:
    unchanged = actors.everything()
    for actor, relation in actors.cases(act):
        actors.restore()
        let_in, told = await actors.tries(actor, act, Command(act.name))
        assert let_in == is_one_of(act.may, actor, relation), f"{actor}: {act.name}\n{told.words}"
        if not let_in:
            assert actors.everything() == unchanged, f"{actor}: {act.name}"


@everywhere
@pytest.mark.parametrize("words", [words for words, spec in router.commands.items() if spec.who != EVERYONE])
async def test_a_command_is_refused_to_those_it_is_not_for(actors: Actors, words: str) -> None:
    unchanged = actors.everything()
    for actor in EVERYONE - router.commands[words].who:
        let_in, told = await actors.tries(actor, Act(words, declines=NOT_YOURS), Command(words))
        assert not let_in
        assert NOT_YOURS in told.words
        assert actors.everything() == unchanged


@everywhere
async def test_who_was_shown_a_reflection_that_is_gone_is_told_that_it_may_have_been_deleted(actors: Actors) -> None:
    """Retention, or its author being forgotten, leaves the button on the message: it answers as a forged one does."""
    with actors.world.database.write() as tx:
        forgetting.forget(actors.world.work(tx), actors.people["lee"].id, by=None)
    read = Act("reflections.read", ("@share",))
    let_in, told = await actors.tries("mentor", read, actors.attempt(read, "lee", form=False))
    assert not let_in
    assert "It may have been deleted, or it's no longer shared with you." in told.words
    _, unknown = await actors.tries("mentor", read, actors.attempt(read, "lee", form=False, nowhere=True))
    assert told == unknown
    dispute = Act("disputes.read", ("@dispute",))
    let_in, told = await actors.tries("mentor", dispute, actors.attempt(dispute, "lee", form=False))
    assert let_in
    assert "The text is no longer kept." in told.words
