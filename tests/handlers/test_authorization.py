"""Who may do what, as a table: each role, each action, and whose the thing is, with ids that no card offered.

Whoever is refused changes nothing, and of what was written in confidence learns not even whether it is there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers.features import router
from tests.handlers.cast import SECRET, Cast, cases, command, is_one_of, made, owner_of
from tests.handlers.permissions import COMMANDS, PRESSES, SUBMITS, Act
from tests.world import said


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    found = made(tmp_path_factory.mktemp("cast"))
    yield found
    found.close()


@pytest.fixture
def cast(program: Cast) -> Cast:
    """The program as it was made, whatever the last test did in it."""
    program.restore()
    return program


def test_no_button_and_no_form_is_missing_from_the_table() -> None:
    assert {one.name for one in PRESSES} == set(router.presses)
    assert {one.name for one in SUBMITS} == set(router.submits)


async def check(cast: Cast, act: Act, *, form: bool) -> None:
    """Every actor tries it with everybody's thing."""
    unchanged = cast.everything()
    for actor, relation in cases(act):
        owner, label = owner_of(actor, relation), f"{actor}/{relation}: {act.label}"
        let_in, reply = await cast.tries(actor, act, cast.intent(act, owner, form=form))
        assert let_in == is_one_of(act.may, actor, relation), f"{label}\n{said(reply)}"
        changed = cast.everything() != unchanged
        if let_in and changed:
            cast.restore()
        if let_in:
            continue
        assert not changed, label
        assert SECRET not in repr(reply), label
        if act.confidential and relation != "own" and not is_one_of(act.known, actor, relation):
            _, unknown = await cast.tries(actor, act, cast.intent(act, owner, form=form, nowhere=True))
            assert unknown == reply, label


@pytest.mark.parametrize("act", PRESSES, ids=lambda act: act.label)
async def test_a_button_with_a_forged_id(cast: Cast, act: Act) -> None:
    await check(cast, act, form=False)


@pytest.mark.parametrize("act", SUBMITS, ids=lambda act: act.label)
async def test_a_form_with_a_forged_id(cast: Cast, act: Act) -> None:
    await check(cast, act, form=True)


@pytest.mark.parametrize("act", COMMANDS, ids=lambda act: act.name)
async def test_a_command(cast: Cast, act: Act) -> None:
    unchanged = cast.everything()
    for actor, relation in cases(act):
        cast.restore()
        let_in, reply = await cast.tries(actor, act, command(act))
        assert let_in == is_one_of(act.may, actor, relation), f"{actor}: {act.name}\n{said(reply)}"
        if not let_in:
            assert cast.everything() == unchanged, f"{actor}: {act.name}"


@pytest.mark.parametrize(
    ("act", "form"),
    [(act, False) for act in PRESSES if act.about_somebody] + [(act, True) for act in SUBMITS if act.about_somebody],
    ids=lambda one: one.label if isinstance(one, Act) else "",
)
async def test_an_id_that_nothing_has_is_answered_and_changes_nothing(cast: Cast, act: Act, form: bool) -> None:
    unchanged = cast.everything()
    for actor in ("mentee", "mentor", "coordinator"):
        _, reply = await cast.tries(actor, act, cast.intent(act, "lee", form=form, nowhere=True))
        assert said(reply)
        if act.name not in ("consent.agree", "consent.decline"):  # one's own choice, whatever check-in is named
            assert cast.everything() == unchanged, actor
        cast.restore()
