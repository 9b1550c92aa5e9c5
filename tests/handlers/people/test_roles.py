"""Who is who and who may do what: questions answered late, forged ids, and roles that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from handlers.core.actions import SentAction
from handlers.core.cards import Table
from handlers.core.requests import AccountKey, Reply, Submit
from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.core import audit_log
from storage.core.core_tables import draft
from storage.outbox.outbox_tables import conversation
from storage.people import account_links, cohorts, people
from storage.people.account_views import view_of
from storage.people.people_tables import account, cohort, person
from storage.privacy import personal_data
from storage.vault.vault_tables import person_key, vault_item
from tests.handlers.test_story import scheduled
from tests.world import Person, World, said


async def test_yes_is_checked_against_the_roster_when_pressed(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    question = await dana.sends("help")
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.email == "dana@example.org").values(email="other@example.org"))
    assert "roster has changed" in said(await dana.presses(question, "Yes, that's me"))
    assert _link(world, dana.user) == "none"


def test_a_guest_with_an_address_of_the_roster_is_not_asked(world: World) -> None:
    with world.database.write() as tx:
        for user, member in (("U-guest", False), ("U-member", True)):
            account = account_links.remember(
                world.work(tx),
                world.platform,
                world.tenant,
                user,
                name="Dana Reyes",
                email="dana@example.org",
                member=member,
                active=True,
            )
            assert (account_links.propose(world.work(tx), account) is not None) == member


@pytest.mark.parametrize(
    "change",
    [
        {"member": False},
        {"email": "other@example.org"},
        {"active": False},
        {"account": AccountKey("paper", "elsewhere", "U-dana"), "member": False},
    ],
)
async def test_yes_is_refused_to_an_account_that_the_platform_says_changed(
    world: World, change: dict[str, Any]
) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    question = await dana.sends("help")
    world.port.profiles[dana.user] = replace(world.port.profiles[dana.user], **change)
    await dana.presses(question, "Yes, that's me")
    assert _link(world, dana.user) == "none"


async def test_a_later_change_of_address_moves_nothing(world: World, dana: Person, carol: Person) -> None:
    with world.database.write() as tx:  # as the bot does when it looks an account up again
        account_links.remember(
            world.work(tx),
            world.platform,
            world.tenant,
            dana.user,
            name="Dana Reyes",
            email="carol@example.org",
            member=True,
            active=True,
        )
    answer = said(await dana.sends("progress"))
    assert "Your progress" in answer
    assert "is only for coordinators" in said(await dana.sends("digest"))
    assert (_link(world, dana.user), _link(world, carol.user)) == ("confirmed", "confirmed")
    with world.database.read() as tx:
        row = tx.execute(account.select().where(account.c.user == dana.user)).one()
    assert (row.email, row.person_id) == ("carol@example.org", dana.id)


async def test_yes_does_not_take_a_person_from_an_account_linked_meanwhile(world: World) -> None:
    late = world.account("Dana Reyes", "dana@example.org", user="U-late")
    question = await late.sends("help")
    dana = world.matched("Dana Reyes", "dana@example.org")
    await late.presses(question, "Yes, that's me")
    assert _link(world, dana.user) == "confirmed"
    assert _link(world, "U-late") == "none"


async def test_a_mistaken_no_can_be_taken_back_at_once_and_later(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    await dana.presses(await dana.sends("help"), "No")
    again = await dana.presses(await dana.sends("help"), "That was a mistake")
    assert again.replace is not None
    await dana.presses(again.replace, "Yes, that's me")
    assert _link(world, dana.user) == "confirmed"


async def test_a_coordinator_cannot_move_somebody_by_forged_ids(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    carol = world.matched("Carol Dietz", "carol@example.org")
    own = world.account("Somebody", "somebody@example.com")
    await own.sends("help")
    with world.database.read() as tx:
        accounts: dict[str, Any] = {row.user: row.id for row in tx.execute(account.select())}
        lee = people.by_email(tx, "lee@example.org")
    assert lee is not None
    for person_id, account_id in ((dana.id, accounts[own.user]), (lee.id, accounts[dana.user])):
        values = {"person": (str(person_id),), "account": (str(account_id),)}
        assert "already matched" in said(await carol.does(Submit(SentAction("identity.matched"), values)))
    with world.database.read() as tx:
        linked = {row.user: row.person_id for row in tx.execute(account.select()) if row.link == "confirmed"}
    assert linked == {dana.user: dana.id, carol.user: carol.id}


async def test_who_leaves_the_settings_is_no_coordinator(world: World) -> None:
    lee = world.matched("Lee Okafor", "lee@example.org")
    with world.database.write() as tx:
        people.ensure_coordinators(world.work(tx), ["lee@example.org"], "America/Chicago")
    assert "Not matched" in said(await lee.sends("people"))
    with world.database.write() as tx:
        people.ensure_coordinators(world.work(tx), [], "America/Chicago")
    assert "Only coordinators" in said(await lee.does_press("identity.match"))  # an old button
    with world.database.read() as tx:
        names = [person.name for person in people.coordinators(tx)]
        noted = [line.what for line in audit_log.entries(tx, lee.id) if line.what.startswith("coordinator.")]
    assert names == ["Carol Dietz"]  # whom the roster named
    assert noted == ["coordinator.named", "coordinator.removed"]


async def test_a_coordinator_of_no_cohort_is_told_of_the_programs_next_meeting(world: World) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    carol = world.matched("Carol Dietz", "carol@example.org")
    world.port.channels["C-ozarks"] = [ruth.user]
    await ruth.sends("cohort link", "C-ozarks")
    await scheduled(world, ruth)
    assert "No meeting is scheduled" not in said(await carol.sends("next"))
    assert "No meeting is scheduled" not in said(await carol.opens_home())


def test_any_part_of_a_name_is_searched_and_beginnings_come_first(world: World) -> None:
    with world.database.read() as tx:
        assert [person.name for person in people.search(tx, "reyes")] == ["Dana Reyes"]
        assert [person.name for person in people.search(tx, "sam")] == ["Sam Whitfield"]
        assert people.search(tx, "%") == []


def _link(world: World, user: str) -> str:
    with world.database.read() as tx:
        return str(tx.execute(account.select().where(account.c.user == user)).one().link)


async def test_a_rebound_account_sees_nothing_of_what_the_earlier_one_wrote(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    await _answers(world, dana)
    other = _rebound(world, dana)
    assert "can be opened only" not in said(await other.sends("reflections"))
    with world.database.read() as tx:
        (mine,) = account_links.accounts_of(tx, dana.id)
        view = view_of(tx, mine.id)
        kinds = {kind.name: kind.rows for kind in personal_data.everything(tx, dana.id, lambda _item: None, view)}
    assert [kinds[name] for name in ("Reflections", "Check-in numbers", "Shared reflections")] == [(), (), ()]
    assert kinds["Check-ins"] == ()
    assert not {"Reflections", "Check-in numbers", "Check-ins"} & {
        row[0] for row in kept_table(await other.sends("privacy"))
    }


def kept_table(reply: Any) -> list[tuple[str, ...]]:
    return [row for block in reply.card.blocks if isinstance(block, Table) for row in block.rows]


async def _answers(world: World, who: Any) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, who.id)
    assert at is not None
    await world.go_to(at)
    asked = world.to(who)[-1]
    await who.presses(asked, "3")
    form = (await who.presses(asked, "Write or change")).form
    assert form is not None
    await who.fills(form, **{form.fields[0].id: "CANARY"})


def _rebound(world: World, who: Any) -> Any:
    other = world.account("Dana Two", "two@example.com", user="U-two")
    with world.database.write() as tx:
        work = world.work(tx)
        account = account_links.remember(
            work, world.platform, world.tenant, other.user, name="Dana Two", email="", member=True, active=True
        )
        account_links.confirm(work, account.id, who.id, None)
    other.id = who.id
    return other


async def test_a_rebound_account_destroys_nothing_of_what_the_earlier_one_wrote(world: World) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    await _answers(world, dana)
    other = _rebound(world, dana)
    with world.database.read() as tx:
        before = [tuple(row) for row in tx.execute(select(vault_item)).all()]
        key = tx.scalar(select(person_key.c.key_id))
        marks = tx.scalars(select(checkin.c.answered_at)).all()
    assert len(before) == 2
    asked = await other.does_press("forgetting.ask")
    assert "was replaced by another" in said(asked)
    assert "the key is kept" in said(await other.presses(asked, "Delete it all"))
    for row in before:
        await other.does_press("reflections.delete", str(row[0]))  # a forged id
    with world.database.read() as tx:
        assert [tuple(row) for row in tx.execute(select(vault_item)).all()] == before
        assert tx.scalar(select(person_key.c.key_id)) == key
        assert tx.scalars(select(checkin.c.answered_at)).all() == marks


async def test_whoever_replaced_an_account_deletes_what_they_wrote_and_is_told_the_same_of_nothing(
    world: World,
) -> None:
    dana = world.matched("Dana Reyes", "dana@example.org")
    other = _rebound(world, dana)
    await other.presses(await other.sends("privacy"), "Agree")  # what the earlier account agreed to does not count
    await _answers(world, other)
    asked = await other.does_press("forgetting.ask")
    assert "was replaced by another" in said(asked)  # though the earlier account wrote nothing
    await other.presses(asked, "Delete it all")
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert set(tx.scalars(select(checkin.c.answered_at))) == {None}


async def test_a_mentor_is_removed_at_once_and_it_is_undone(world: World) -> None:
    carol = world.matched("Carol Dietz", "carol@example.org")
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    card = await carol.sends("person ruth ellison")
    with world.database.read() as tx:
        (cohort,) = cohorts.shared_cohorts(tx, ruth.id, ("mentor",))
    assert "Only coordinators" in said(await ruth.does_press("removals.mentor", str(ruth.id), str(cohort.id)))
    done = await carol.presses(card, f"Remove as mentor of {cohort.name}"[:70])
    with world.database.read() as tx:
        assert cohorts.shared_cohorts(tx, ruth.id) == []
        assert "mentor.removed" in [line.what for line in audit_log.entries(tx, cohort.id)]
    assert "is not a mentor" in said(await carol.presses(card, f"Remove as mentor of {cohort.name}"[:70]))
    await carol.presses(done, "Undo")
    assert "can't undo" in said(await carol.presses(done, "Undo"))
    with world.database.read() as tx:
        assert [shared_cohort.id for shared_cohort in cohorts.shared_cohorts(tx, ruth.id, ("mentor",))] == [cohort.id]


async def test_a_coordinators_role_is_ended_but_not_the_last_ones_nor_one_of_the_settings(world: World) -> None:
    carol = world.matched("Carol Dietz", "carol@example.org")
    lee = world.matched("Lee Okafor", "lee@example.org")
    assert "only coordinator" in said(await carol.does_press("removals.coordinator", str(carol.id)))
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), lee.id, "roster")
    done = await carol.presses(await carol.sends("person lee okafor"), "End coordinator role")
    assert "Only coordinators" in said(await lee.does_press("identity.match"))
    await carol.presses(done, "Undo")
    with world.database.read() as tx:
        assert {person.name for person in people.coordinators(tx)} == {"Carol Dietz", "Lee Okafor"}
        noted = [line.by for line in audit_log.entries(tx, lee.id) if line.what == "coordinator.removed"]
    assert noted == ["Carol Dietz"]
    world.clock.at += timedelta(minutes=1)
    with world.database.write() as tx:
        people.make_coordinator(world.work(tx), lee.id, people.SETTINGS)
    assert "PLC_COORDINATORS" in said(await carol.does_press("removals.coordinator", str(lee.id)))


async def test_a_command_sent_before_yes_is_answered_after_it(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    question = await dana.sends("progress")
    assert "Is this you?" in said(question)
    reply = await dana.presses(question, "Yes, that's me")
    assert reply.replace is not None
    assert reply.replace.title == "Thank you"
    assert reply.card is not None
    assert "Your progress" in said(Reply(card=reply.card))
    assert _kept(world) == []


async def test_a_typed_command_is_answered_after_yes_on_an_earlier_question(world: World) -> None:
    ruth = world.account("Ruth Ellison", "ruth@example.org")
    earlier = await ruth.types("meeting new please, or what do you think")
    await ruth.types("Meeting new!")
    reply = await ruth.presses(earlier, "Yes, that's me")
    assert reply.form is not None
    assert reply.form.title == "Schedule meetings"


async def test_a_command_of_a_channel_is_answered_for_that_channel(world: World) -> None:
    ruth = world.account("Ruth Ellison", "ruth@example.org")
    world.port.channels["C-ozarks"] = [ruth.user]
    question = await ruth.sends("cohort link", "C-ozarks")
    assert _link(world, ruth.user) == "proposed"
    await ruth.presses(question, "Yes, that's me")
    await world.settle()
    with world.database.read() as tx:
        home = tx.scalar(select(cohort.c.name).join(conversation, conversation.c.id == cohort.c.home_id))
    assert home == "Ozarks"


async def test_a_command_that_is_refused_after_yes_leaves_the_link(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    question = await dana.sends("digest")
    reply = await dana.presses(question, "Yes, that's me")
    assert "only for coordinators" in said(Reply(card=reply.card))
    question = await (sam := world.account("Sam Whitfield", "sam@example.org")).sends("snooze")
    assert "Until when?" in said(await sam.presses(question, "Yes, that's me"))
    assert _link(world, dana.user) == _link(world, sam.user) == "confirmed"


async def test_only_the_name_of_an_exact_command_is_kept_and_for_a_day(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    for text in ("progress is what I cry about", "person Lee Okafor", "I feel alone", "snooze until friday", "help"):
        await dana.types(text)
        await dana.sends(text)
    assert {(row["command"], row["press"]) for row in _kept(world)} == {("", "")}, (
        "that something was sent, no word of it"
    )
    question = await dana.types("Progress")
    assert [row["command"] for row in _kept(world)] == ["progress"]
    world.clock.at += timedelta(days=1, seconds=1)
    reply = await dana.presses(question, "Yes, that's me")
    assert reply.card is None
    assert _kept(world) == []


async def test_a_command_that_nobody_confirms_is_deleted(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    lee = world.account("Lee Okafor", "lee@example.org")
    await dana.sends("progress")
    await lee.presses(await lee.sends("progress"), "No")
    assert len(_kept(world)) == 1, "who says no is forgotten at once"
    await world.pass_time(days=2)
    assert _kept(world) == []


async def test_another_accounts_command_is_not_answered(world: World) -> None:
    dana = world.account("Dana Reyes", "dana@example.org")
    question = await dana.sends("help")
    other = world.account("Dana Reyes", "dana@example.org", user="U-other")
    await other.sends("progress")
    reply = await dana.presses(question, "Yes, that's me")
    assert reply.card is None


def _kept(world: World) -> list[dict[str, Any]]:
    with world.database.read() as tx:
        return list(tx.scalars(select(draft.c["values"]).where(draft.c.kind == "command")))
