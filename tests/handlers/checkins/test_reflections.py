"""Consent, one's own reflections, sharing one with a mentor, and what a mentor may open."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from handlers.checkins.consent_notice import UNREAD, notice
from handlers.checkins.reflections import NOT_THERE
from handlers.core.actions import SentAction
from handlers.core.cards import Paragraph
from handlers.core.plain_cards import plain, plain_text
from handlers.core.requests import Reply, Submit
from program.privacy.privacy_settings import NOTICE_VERSION, PrivacySettings
from storage.checkins import checkins, consent, reflections, shares
from storage.checkins.checkins_tables import checkin, share_reading
from storage.checkins.checkins_tables import consent as consent_table
from storage.checkins.checkins_tables import share as share_table
from storage.core.database import Database
from storage.people import account_links, cohorts
from storage.people.people_tables import account, membership
from storage.privacy import holds
from storage.vault.vault_tables import vault_item
from tests.world import Person, World, button, buttons_of, said

SECRET = "CANARY-7731"


@pytest.fixture
def sam(world: World) -> Person:
    """Matched, and asked nothing yet."""
    return world.matched("Sam Whitfield", "sam@example.org", agreed=False)


async def next_checkin(world: World, person: Person) -> None:
    with world.database.read() as tx:
        at = checkins.next_at(tx, person.id)
    assert at is not None
    await world.go_to(at)


async def written(world: World, dana: Person) -> str:
    """Dana writes a reflection; its id."""
    await next_checkin(world, dana)
    asked = next(posted for posted in reversed(world.to(dana)) if "How are things" in posted.text)
    form = (await dana.presses(asked, "Write a reflection")).form
    assert form is not None
    await dana.fills(form, **{form.fields[0].id: SECRET})
    with world.database.read() as tx:
        return str(tx.scalar(select(vault_item.c.id).where(vault_item.c.kind == "reflection")))


async def shared(dana: Person) -> Reply:
    listed = await dana.sends("reflections")
    form = (await dana.presses(listed, "Share")).form
    assert form is not None
    assert form.confidential
    return await dana.fills(form)


# Consent ----------------------------------------------------------------------------------------


async def test_the_notice_comes_once_and_agreeing_shows_the_checkin(world: World, sam: Person) -> None:
    await next_checkin(world, sam)
    first = world.to(sam)[-1]
    for words in (
        "Before your first check-in",
        "has the keys",
        "1-800-392-3738",
        "988",
        "Sunshine",
        "could identify",
    ):
        assert words in first.text
    assert "How are things" not in first.text
    assert [shown.label for shown in buttons_of(first.card)] == ["Agree", "Decline", "More"]
    reply = await sam.presses(first, "Agree")
    assert "How are things going?" in said(reply)
    assert "How are things going?" in first.text
    assert "Saved." in said(await sam.presses(first, "4"))
    await next_checkin(world, sam)
    assert "How are things going?" in world.to(sam)[-1].text
    with world.database.read() as tx:
        assert [(decision.decision, decision.version) for decision in consent.of_person(tx, sam.id)] == [
            ("agreed", NOTICE_VERSION)
        ]


MOST_NOTICE_WORDS = 88  # half of the 177 that the first notice had
MOST_CARD_WORDS = 107  # half of the 215 of the whole message


async def test_the_notice_is_short_and_says_every_fact(world: World, sam: Person) -> None:
    await next_checkin(world, sam)
    first = world.to(sam)[-1]
    short = " ".join(plain_text(part.text) for part in notice(PrivacySettings()))
    assert len(short.split()) <= MOST_NOTICE_WORDS
    assert len(plain(first.card).split()) <= MOST_CARD_WORDS
    for fact in (
        "how things are going. Answering is optional",
        "Your answers: only you and mentors you choose see them, or that you answered",
        "The operator has the keys to read them",
        "Coordinators see group totals",
        "I tell nobody who paused or declined",
        "Use the form: Slack or Teams keeps chats",
        "Students: write nothing that could identify one",
        "I don't report it. Call Missouri’s hotline, 1-800-392-3738, 24/7; 911 if a child is in danger",
        "Crisis: call or text 988",
        "Missouri’s Sunshine Law may require disclosure",
    ):
        assert fact in first.text
    more = (await sam.presses(first, "More")).form
    assert more is not None
    assert more.submit is None
    rest = "\n".join(plain_text(part.text) for part in more.blocks if isinstance(part, Paragraph))
    for fact in (
        "in the account you wrote with",
        "you see each time they do",
        "from 5 or more answers",
        "encrypted",
        "You have to trust them",
        "database also shows who answered, paused or declined",
        "they see that you asked, and nothing else",
        "may keep and export what is typed into a chat, direct messages too",
        "what you write in a form reaches only the bot",
        "leaving a name out is not enough",
        "Make the report yourself, at once. I don't report it for you",
        "what you write here included",
        "I tell nobody else",
    ):
        assert fact in rest
    with world.database.read() as tx:
        assert consent.of(tx, sam.id) is None, "reading more is no choice"


async def test_who_agreed_to_an_earlier_notice_is_asked_again_and_who_declined_is_not(
    world: World, sam: Person, dana: Person
) -> None:
    with world.database.write() as tx:
        for person, decision in ((sam, "declined"), (dana, "agreed")):
            row = {"id": uuid4(), "person_id": person.id, "number": 9, "version": "1", "decision": decision}
            tx.execute(insert(consent_table).values(**row, at=world.clock.at))
    await next_checkin(world, dana)
    assert world.to(dana)[-1].text.startswith("The notice about check-ins has changed")
    assert "check-in" not in "".join(posted.text for posted in world.to(sam))


async def test_nothing_is_kept_and_nobody_reminded_before_somebody_agreed(world: World, sam: Person) -> None:
    await next_checkin(world, sam)
    text = said(await sam.types(f"{SECRET} is how I feel"))
    assert text.startswith("I didn't save what you typed. Please read the notice")
    assert SECRET not in text
    with world.database.read() as tx:
        checkin_id = tx.scalar(select(checkin.c.id).where(checkin.c.person_id == sam.id))
    assert "choose" in said(await sam.does_press("checkins.pulse", str(checkin_id), "3"))
    assert "choose" in said(await sam.does_press("checkins.write", str(checkin_id)))
    await world.pass_time(days=4)
    assert not any("still open" in posted.text for posted in world.to(sam))
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []


@pytest.mark.parametrize("words", ["I had a hard week", "3", "checkin"])
async def test_the_notice_is_not_sent_whole_again_for_each_message(world: World, sam: Person, words: str) -> None:
    await next_checkin(world, sam)
    reply = await sam.types(words)
    assert reply.card is not None
    assert [shown.label for shown in buttons_of(reply.card)] == ["Read the notice"]
    assert UNREAD in said(reply)
    assert "1-800" not in said(reply)
    read = (await sam.presses(reply, "Read the notice")).replace
    assert read is not None
    assert "Before your first check-in" in plain(read)
    assert "How are things going?" in said(await sam.presses(read, "Agree"))
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []


async def test_the_list_without_reflections_says_so(world: World, dana: Person) -> None:
    assert said(await dana.sends("reflections")) == "Your reflections\nYou haven't written any yet."


async def test_declining_is_respected_everywhere_and_can_be_changed(
    world: World, sam: Person, ruth: Person, carol: Person
) -> None:
    await next_checkin(world, sam)
    first = world.to(sam)[-1]
    assert "You declined check-ins" in said(await sam.presses(first, "Decline"))
    assert "You declined check-ins" in first.text
    count = len(world.to(sam))
    text = said(await sam.types("a long week it was"))
    assert "keep what you write" in text
    await world.pass_time(days=40)
    assert len(world.to(sam)) == count, "no check-in, no reminder"
    assert "You declined" in said(await sam.sends("checkin"))
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
    for reader, command in (
        (ruth, "progress"),
        (carol, "progress"),
        (carol, "digest"),
        (carol, "person Sam Whitfield"),
    ):
        shown = said(await reader.sends(command)).lower()
        assert "declin" not in shown
        assert "check-in" not in shown

    again = await sam.sends("checkins on")
    assert "To get them again, agree" in said(again)
    await sam.presses(again, "Agree")
    await next_checkin(world, sam)
    assert "How are things going?" in world.to(sam)[-1].text
    privacy = await sam.sends("privacy")
    assert "You agreed to check-ins" in said(privacy)
    assert "You declined check-ins" in said(await sam.presses(privacy, "Decline"))
    with world.database.read() as tx:
        assert [decision.decision for decision in consent.of_person(tx, sam.id)] == ["declined", "agreed", "declined"]
    with pytest.raises(Exception, match="append-only"), world.database.write() as tx:
        tx.execute(update(consent_table).values(decision="agreed"))


async def test_an_old_notice_is_not_agreed_to(world: World, sam: Person) -> None:
    assert "notice has changed" in said(await sam.does_press("consent.agree", "0"))
    with world.database.read() as tx:
        assert consent.of(tx, sam.id) is None


async def test_nobody_decides_for_another_by_a_forged_checkin(world: World, sam: Person, dana: Person) -> None:
    await next_checkin(world, dana)
    with world.database.read() as tx:
        checkin_id = tx.scalar(select(checkin.c.id).where(checkin.c.person_id == dana.id))
    text = said(await sam.does_press("consent.decline", NOTICE_VERSION, str(checkin_id)))
    assert "Who sees what" in text
    assert "You declined" in text
    with world.database.read() as tx:
        decision = consent.of(tx, dana.id)
    assert decision is not None
    assert decision.agreed


# One's own --------------------------------------------------------------------------------------


async def test_reflections_are_listed_by_day_opened_changed_and_deleted(
    world: World, dana: Person, lee: Person
) -> None:
    await written(world, dana)
    listed = await dana.sends("reflections")
    assert "Thu Sep 10, 2026" in said(listed)
    assert SECRET not in said(listed)
    form = (await dana.presses(listed, "Open")).form
    assert form is not None
    assert form.confidential
    [field] = form.fields
    assert getattr(field, "value", "") == SECRET
    assert said(await dana.fills(form, **{field.id: f"{SECRET} more"})) == "Saved."
    form = (await dana.presses(listed, "Open")).form
    assert form is not None
    assert getattr(form.fields[0], "value", "") == f"{SECRET} more"
    assert "haven't written any" in said(await lee.sends("reflections"))
    assert "haven't written any" in said(await dana.presses(listed, "Delete"))
    assert "can't find that reflection" in said(await dana.presses(listed, "Open"))
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert tx.scalar(select(checkin.c.answered_at).where(checkin.c.person_id == dana.id)) is None


async def test_words_that_are_kept_while_the_form_is_open_stay(world: World, dana: Person) -> None:
    await written(world, dana)
    form = (await dana.presses(await dana.sends("reflections"), "Open")).form
    assert form is not None
    await dana.keeps("a second thought")
    assert said(await dana.fills(form, **{form.fields[0].id: f"{SECRET} more"})) == "Saved."
    form = (await dana.presses(await dana.sends("reflections"), "Open")).form
    assert form is not None
    assert [getattr(field, "value", "") for field in form.fields] == [f"{SECRET} more", "a second thought"]
    first, typed = form.fields
    await dana.fills(form, **{first.id: "", typed.id: ""})
    assert "haven't written any" in said(await dana.sends("reflections"))


async def test_words_that_are_kept_while_a_form_with_typed_words_is_open_stay(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.keeps("a first thought")
    check_in = (await dana.presses(await dana.sends("checkin"), "Write or change")).form
    own = (await dana.presses(await dana.sends("reflections"), "Open")).form
    assert check_in is not None
    assert own is not None
    await dana.keeps("a second thought")
    await dana.fills(check_in, **{check_in.fields[-1].id: "a changed thought"})
    form = (await dana.presses(await dana.sends("reflections"), "Open")).form
    assert form is not None
    assert [getattr(field, "value", "") for field in form.fields] == ["a changed thought\n\na second thought"]
    await dana.keeps("x" * 2900)
    too_long = await dana.fills(form, **{form.fields[0].id: "y" * 200})
    assert list(too_long.errors.values()) == [
        "With what you kept while this was open, it is 3,102 characters. Use 3,000 or fewer."
    ]
    await dana.fills(form, **{form.fields[0].id: ""})
    form = (await dana.presses(await dana.sends("reflections"), "Open")).form
    assert form is not None
    assert [getattr(field, "value", "") for field in form.fields] == ["x" * 2900]


async def test_a_refusal_leaves_the_form_open_with_what_was_written(world: World, dana: Person) -> None:
    """Nothing is saved after the check-in has closed, and a form that is gone would take the words with it."""
    await next_checkin(world, dana)
    form = (await dana.presses(await dana.sends("checkin"), "Write a reflection")).form
    assert form is not None
    await world.pass_time(days=8)
    reply = await dana.fills(form, **{form.fields[0].id: SECRET})
    assert reply.errors == {"": "This check-in is closed. I'll send the next one when it's time."}
    assert reply.card is None
    too_old = await dana.does(Submit(SentAction("checkins.save"), {}))
    assert too_old.errors == {"": "This form is too old. Copy what you wrote, close it, and open it again."}


async def test_many_reflections_are_paged(world: World, dana: Person) -> None:
    for _ in range(7):
        await next_checkin(world, dana)
        await dana.keeps("words")
    listed = await dana.sends("reflections")
    assert listed.card is not None
    assert sum(shown.label == "Open" for shown in buttons_of(listed.card)) == 5
    older = await dana.presses(listed, "Older")
    assert older.replace is not None
    assert sum(shown.label == "Open" for shown in buttons_of(older.replace)) == 2


async def test_who_declined_may_read_and_delete_but_not_add(world: World, dana: Person) -> None:
    await written(world, dana)
    await dana.presses(await dana.sends("privacy"), "Decline")
    listed = await dana.sends("reflections")
    form = (await dana.presses(listed, "Open")).form
    assert form is not None
    assert "declined" in said(await dana.fills(form, **{form.fields[0].id: "new words"}))
    assert said(await dana.fills(form, **{form.fields[0].id: ""})) == "Deleted."


# Sharing ----------------------------------------------------------------------------------------


async def test_a_mentor_opens_what_was_shared_and_the_author_sees_when(
    world: World, dana: Person, ruth: Person
) -> None:
    await written(world, dana)
    assert "Shared with Ruth Ellison" in said(await shared(dana))
    told = world.to(ruth)[-1]
    assert "Dana Reyes shared a reflection with you" in told.text
    assert SECRET not in told.text
    assert "Not read." in said(await dana.sends("reflections"))
    read = await ruth.presses(told, "Read it")
    assert read.form is not None
    assert read.form.confidential
    assert read.form.submit is None
    assert SECRET in said(read)
    await world.pass_time(days=1)
    await ruth.presses(told, "Read it")
    listed = await dana.sends("reflections")
    assert "Shared with Ruth Ellison. Read Thu Sep 10, 2026, 3:00 PM, Fri Sep 11, 2026, 3:00 PM." in said(listed)
    opened = await dana.presses(listed, "Open")
    assert "Read Thu Sep 10, 2026" in said(opened)
    assert "Dana Reyes, Thu Sep 10, 2026" in said(await ruth.sends("reflections"))
    assert listed.card is not None
    assert "Share" not in [shown.label for shown in buttons_of(listed.card)], "there is no other mentor"

    await dana.presses(listed, "Stop sharing with Ruth Ellison")
    assert "no longer shared" in told.text
    assert not buttons_of(told.card)
    with world.database.read() as tx:
        share_id = tx.scalar(select(share_table.c.id).where(share_table.c.step == "shared"))
        assert len(tx.execute(select(share_reading)).all()) == 2
    assert said(await ruth.does_press("reflections.read", str(share_id))) == NOT_THERE
    assert "Was shared with Ruth Ellison. Read" in said(await dana.sends("reflections"))
    for table in (share_table, share_reading):
        with pytest.raises(Exception, match="append-only"), world.database.write() as tx:
            tx.execute(table.delete())


async def test_refusals_look_like_what_is_not_there(
    world: World, dana: Person, lee: Person, ruth: Person, tom: Person, carol: Person
) -> None:
    """Forged ids, by everybody who might try."""
    item = await written(world, dana)
    await shared(dana)
    with world.database.read() as tx:
        share_id = str(tx.scalar(select(share_table.c.id)))
    nowhere = str(uuid4())
    for other in (lee, tom, carol, ruth):
        for name in ("open", "share", "delete"):
            assert await other.does_press(f"reflections.{name}", item) == await other.does_press(
                f"reflections.{name}", nowhere
            )
        assert await other.does_press("reflections.stop", share_id) == await other.does_press(
            "reflections.stop", nowhere
        )
        form = (await dana.presses(await dana.sends("reflections"), "Open")).form
        assert (await other.fills(form)).errors == {"": NOT_THERE}
    for other in (lee, tom, carol, dana):
        assert await other.does_press("reflections.read", share_id) == await other.does_press(
            "reflections.read", nowhere
        )
    with world.database.read() as tx:
        assert tx.execute(select(share_reading)).all() == []
        assert tx.scalar(select(vault_item.c.id)) == UUID(item)


async def test_only_a_mentor_of_ones_cohort_can_be_chosen(
    world: World, dana: Person, ruth: Person, tom: Person
) -> None:
    await written(world, dana)
    form = (await dana.presses(await dana.sends("reflections"), "Share")).form
    reply = await dana.fills(form, mentor=str(tom.id))
    assert "mentor" in reply.errors
    with world.database.read() as tx:
        assert tx.execute(select(share_table)).all() == []


@pytest.mark.parametrize("role", ["mentor", "mentee"])
async def test_a_share_ends_when_mentor_or_author_leaves_the_cohort(
    world: World, dana: Person, ruth: Person, role: str
) -> None:
    await written(world, dana)
    await shared(dana)
    with world.database.read() as tx:
        ozarks = tx.scalar(select(membership.c.cohort_id).where(membership.c.person_id == dana.id))
        share_id = str(tx.scalar(select(share_table.c.id)))
    assert ozarks is not None
    leaver = {"mentor": ruth, "mentee": dana}[role].id
    with world.database.write() as tx:
        cohorts.leave(world.work(tx), ozarks, leaver, None)
    await world.settle()
    assert "no longer shared" in next(posted for posted in world.to(ruth) if "reflection" in posted.text).text
    world.clock.at += timedelta(days=1)
    with world.database.write() as tx:
        cohorts.join(world.work(tx), ozarks, leaver, role, None)
    assert "can't find that reflection" in said(await ruth.does_press("reflections.read", share_id)), (
        "coming back revives nothing"
    )
    with world.database.read() as tx:
        share = shares.get(tx, UUID(share_id))
    assert share is not None
    assert share.ended_at is not None


async def test_another_account_given_to_the_mentor_reads_nothing(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    other = world.account("Ruth E.", "ruth.new@example.org")
    await other.sends("help")
    with world.database.write() as tx:
        new = tx.scalar(select(account.c.id).where(account.c.user == other.user))
        assert new is not None
        account_links.confirm(world.work(tx), new, ruth.id, None)
        share_id = str(tx.scalar(select(share_table.c.id)))
    assert "can't find that reflection" in said(await other.does_press("reflections.read", share_id))


async def read_by(ruth: Person, share_id: str) -> str:
    return said(await ruth.does_press("reflections.read", share_id))


async def test_what_is_changed_after_sharing_is_not_shared_until_it_is_shared_again(
    world: World, dana: Person, ruth: Person
) -> None:
    item = await written(world, dana)
    await shared(dana)
    with world.database.read() as tx:
        first = str(tx.scalar(select(share_table.c.id)))
    form = (await dana.does_press("reflections.open", item)).form
    assert form is not None
    assert "still sees it as it was then" in said(Reply(form=form))
    await world.pass_time(minutes=1)
    await dana.fills(form, **{form.fields[0].id: f"{SECRET} and ADDED-LATER"})
    assert SECRET in await read_by(ruth, first)
    assert "ADDED-LATER" not in await read_by(ruth, first)
    listed = await dana.sends("reflections")
    assert "You changed it after that." in said(listed)
    await shared(dana)
    with world.database.read() as tx:
        made = shares.with_mentor(tx, ruth.id)
    (second,) = [str(share.id) for share in made if share.holds]
    assert "ADDED-LATER" in await read_by(ruth, second)
    assert "can't find that reflection" in await read_by(ruth, first)
    assert "You changed it after that." not in said(await dana.sends("reflections"))


async def test_words_typed_after_sharing_are_not_shared(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    with world.database.read() as tx:
        share_id = str(tx.scalar(select(share_table.c.id)))
    await world.pass_time(minutes=1)
    await dana.keeps("TYPED-LATER is how it went on")
    assert "TYPED-LATER" not in await read_by(ruth, share_id)


async def test_stopping_a_share_destroys_its_copy(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    with world.database.read() as tx:
        kinds = sorted(tx.scalars(select(vault_item.c.kind)))
    assert "shared" in kinds
    await dana.presses(await dana.sends("reflections"), "Stop sharing with Ruth Ellison")
    with world.database.read() as tx:
        assert "shared" not in tx.scalars(select(vault_item.c.kind)).all()


async def test_deleting_destroys_a_copy_that_a_hold_had_kept(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "audit", None)
    await dana.presses(await dana.sends("reflections"), "Stop sharing with Ruth Ellison")
    with world.database.write() as tx:
        assert "shared" in tx.scalars(select(vault_item.c.kind)).all(), "the hold keeps it"
        holds.release(world.work(tx), dana.id, None)
    await dana.presses(await dana.sends("reflections"), "Delete")
    with world.database.read() as tx:
        assert tx.scalars(select(vault_item.c.kind)).all() == []
        assert set(tx.scalars(select(checkin.c.answered_at))) == {None}


async def test_emptying_the_form_says_that_the_number_stays(world: World, dana: Person) -> None:
    await written(world, dana)
    with world.database.read() as tx:
        checkin_id = str(tx.scalar(select(vault_item.c.checkin_id)))
    await dana.does_press("checkins.pulse", checkin_id, "2")
    form = (await dana.does_press("checkins.write", checkin_id)).form
    assert form is not None
    told = said(await dana.fills(form, **{form.fields[0].id: ""}))
    assert told == "Your words aren't saved. Your number from 1 to 5 is still saved."
    with world.database.read() as tx:
        assert tx.scalars(select(vault_item.c.kind)).all() == ["pulse"]


async def test_deleting_ends_the_share(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    told = world.to(ruth)[-1]
    act = button(told.card, "Read it")
    await dana.presses(await dana.sends("reflections"), "Delete")
    assert "no longer shared" in told.text
    assert "can't find that reflection" in said(await ruth.does_press(act.name, *act.args))


def test_a_stop_ends_a_share_once(database: Database) -> None:
    world = World(database)
    try:
        world.prepare()
        world.import_roster()
        dana, ruth = (world.matched(name, email) for name, email in PAIR)
        with world.database.write() as tx:
            made = shares.make(world.work(tx), uuid4(), dana.id, ruth.id, uuid4())
            share = shares.get(tx, made)
            assert share is not None
            shares.stop(world.work(tx), share, dana.id)
        with pytest.raises(IntegrityError), world.database.write() as tx:
            shares.stop(world.work(tx), share, dana.id)
        with world.database.read() as tx:
            assert reflections.of_account(tx, uuid4()) == []
    finally:
        world.close()


PAIR = (("Dana Reyes", "dana@example.org"), ("Ruth Ellison", "ruth@example.org"))
