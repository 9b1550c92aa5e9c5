"""From a complete standing to a certificate, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from handlers.core.cards import Buttons, Card, LinkButton
from handlers.core.plain_cards import plain
from handlers.core.requests import Reply
from handlers.record.completion import ask_for_approval
from program.record.certificate import COMPLETED
from program.record.wording import RecordLine
from storage.checkins import checkins
from storage.meetings import attendance, meetings
from storage.people import people
from storage.program_desk.program_desk_tables import download
from storage.record import certificates, ledger, verification
from storage.record.certificates import Certificate
from storage.record.record_tables import certificate
from tests.completion import DAYS, approved, attended
from tests.world import Person, World, buttons_of, said


def links_of(reply: Reply | Card) -> dict[str, str]:
    card = reply.card if isinstance(reply, Reply) else reply
    assert card
    rows = [block.buttons for block in card.blocks if isinstance(block, Buttons)]
    return {button.label: button.url for row in rows for button in row if isinstance(button, LinkButton)}


def lines(world: World, person: Person) -> list[RecordLine]:
    with world.database.read() as tx:
        return [line for line in ledger.of_person(tx, person.id) if line.kind == "certificate"]


def certificates_of(world: World, person: Person) -> list[Certificate]:
    with world.database.read() as tx:
        return certificates.of_person(tx, person.id)


async def test_the_coordinator_is_asked_once_when_somebody_is_complete(
    world: World, dana: Person, carol: Person
) -> None:
    attended(world, "dana@example.org")
    await world.pass_time(days=3)
    asked = [message for message in world.to(carol) if "has completed the program" in message.text]
    assert len(asked) == 1
    assert "Dana Reyes has completed the program" in asked[0].text
    assert "Year 1 (2026-27): Meetings 8 of 8" in asked[0].text
    assert "Example, not DESE policy, version 1.1" in asked[0].text
    assert "eligib" not in asked[0].text.lower()


async def test_confirming_the_last_meeting_asks_at_once(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    attended(world, "dana@example.org", "lee@example.org", "sam@example.org", days=DAYS[:-1])
    attended(world, "lee@example.org", days=[DAYS[-1]], settled=False)
    card = (await ruth.sends("attendance")).card
    assert card
    await ruth.presses(card, "The other 2 came")
    asked = {message.text.split("\n")[0] for message in world.to(carol)}
    assert {
        "Dana Reyes has completed the program",
        "Lee Okafor has completed the program",
        ("Sam Whitfield has completed the program"),
    } <= asked


async def test_who_is_not_complete_is_not_asked_about(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org", days=DAYS[:-1])
    await world.pass_time(days=1)
    assert not any("is complete" in message.text for message in world.to(carol))
    reply = await carol.does_press("completion.approve", str(dana.id))
    assert "no longer meets every requirement" in said(reply)
    assert certificates_of(world, dana) == []


async def test_approving_issues_one_certificate_with_its_ledger_line(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    made = certificates_of(world, dana)
    assert [
        (certificate.name, certificate.policy, certificate.number, certificate.in_force) for certificate in made
    ] == [("Dana Reyes", "example/1.1", 1, True)]
    line = lines(world, dana)[-1]
    assert (line.step, line.by, line.code, line.verified) == ("issued", "Carol Dietz", made[0].code, "coordinator")
    assert line.detail == {"policy": "example/1.1"}
    assert line.recorded_at == made[0].issued_at == world.clock.at
    question = next(message for message in world.to(carol) if "certificate issued" in message.text)
    assert made[0].code in question.text
    assert "Approve" not in question.text
    with world.database.read() as tx:
        assert verification.verify(tx, world.product.chain_key).problems == []


async def test_approving_twice_issues_one(world: World, dana: Person, carol: Person) -> None:
    world.matched("Carol Dietz", "carol@example.org")
    attended(world, "dana@example.org")
    await world.pass_time(days=1)
    for _ in range(3):
        reply = await carol.does_press("completion.approve", str(dana.id))
        assert "certificate issued" in said(reply)
    assert len(certificates_of(world, dana)) == 1
    assert [line.step for line in lines(world, dana)] == ["issued"]
    assert sum("Congratulations" in message.text for message in world.to(dana)) == 1


async def test_approving_asks_back_before_it_counts(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    await world.pass_time(days=1)
    question = next(message for message in world.to(carol) if "has completed the program" in message.text)
    button = next(button for button in buttons_of(question.card) if button.label == "Approve and issue")
    assert "Issue Dana Reyes's certificate?" in (button.confirm or "")


@pytest.mark.parametrize(
    "name",
    ["approve", "record", "ask", "open", "revoke", "reissue"],
)
async def test_only_coordinators_keep_certificates(
    world: World, dana: Person, ruth: Person, carol: Person, name: str
) -> None:
    attended(world, "dana@example.org")
    for person in (dana, ruth):
        assert "Only coordinators" in said(await person.does_press(f"completion.{name}", str(dana.id)))
        assert "Only coordinators" in said(await person.does_press("completion.find"))
    assert certificates_of(world, dana) == []


async def test_nobody_approves_themselves(world: World, dana: Person, carol: Person) -> None:
    with world.database.write() as tx:
        people.ensure_coordinators(world.work(tx), ["dana@example.org"], "America/Chicago")
    attended(world, "dana@example.org")
    reply = await dana.does_press("completion.approve", str(dana.id))
    assert "You can't approve your own" in said(reply)
    assert certificates_of(world, dana) == []


async def test_completing_stops_prompts_that_day_and_tells_the_mentee(
    world: World, dana: Person, carol: Person
) -> None:
    attended(world, "dana@example.org")
    await world.pass_time(days=20)
    with world.database.read() as tx:
        assert checkins.next_at(tx, dana.id) is not None
        open_one = checkins.open_of(tx, dana.id, world.clock.at)
    question = next(message for message in world.to(carol) if "has completed the program" in message.text)
    await carol.presses(question, "Approve and issue")
    before = [message for message in world.to(dana) if "check-in" in message.text.lower()]
    with world.database.read() as tx:
        assert checkins.next_at(tx, dana.id) is None
    await world.pass_time(days=40)
    after = [
        message for message in world.to(dana) if "check-in" in message.text.lower() and "no more" not in message.text
    ]
    assert len(after) == len([message for message in before if "no more" not in message.text])
    assert open_one is None or open_one.answered_at is None
    told = next(message for message in world.to(dana) if "Congratulations" in message.text)
    assert COMPLETED in told.text
    assert "eligib" not in told.text.lower()
    reply = await dana.presses(told, "Get your certificate")
    assert certificates_of(world, dana)[0].code in said(reply)


async def test_an_open_checkin_is_not_chased_after_completion(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    with world.database.read() as tx:
        turn = checkins.next_at(tx, dana.id)
    assert turn is not None
    await world.go_to(max(turn, world.clock.at) + timedelta(days=15))
    with world.database.read() as tx:
        turn = checkins.next_at(tx, dana.id)
    assert turn is not None
    await world.go_to(turn)
    question = next(message for message in world.to(carol) if "has completed the program" in message.text)
    await carol.presses(question, "Approve and issue")
    count = len(world.to(dana))
    await world.pass_time(days=10)
    assert len(world.to(dana)) == count


async def test_a_mentee_gets_links_and_a_way_to_show_others(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    links = links_of(await dana.sends("certificate"))
    assert list(links) == ["Certificate (PDF)", "Full record (PDF)", "Check it online"]
    assert links["Certificate (PDF)"].startswith("https://plc.example.org/download/")
    assert links["Check it online"] == f"https://plc.example.org/verify/{certificates_of(world, dana)[0].code}"
    token = links["Certificate (PDF)"].rsplit("/", 1)[1]
    with world.database.read() as tx:
        stored = tx.execute(select(download)).all()
    assert len(stored) == 2
    assert not any(token.encode() in row.token_hash for row in stored)


async def test_without_an_address_the_operators_command_is_named(world: World, dana: Person, carol: Person) -> None:
    world.address = ""
    await approved(world, carol)
    reply = await dana.sends("certificate")
    assert "plc-bot certificate write dana@example.org --output FILE" in said(reply)
    assert links_of(reply) == {}


async def test_a_certificate_comes_later(world: World, dana: Person, ruth: Person, carol: Person) -> None:
    assert "comes later" in said(await dana.sends("certificate"))
    assert "not enrolled" in said(await ruth.sends("certificate"))
    attended(world, "dana@example.org")
    assert "I asked your coordinator" in said(await dana.sends("certificate"))
    assert "To approve (1)" in said(await carol.sends("certificate"))


async def test_revoking_needs_a_reason_and_is_on_record(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    desk = (await carol.sends("certificates")).card
    assert desk
    shown = await carol.presses(desk, "Dana Reyes")
    form = (await carol.presses(shown, "Revoke")).form
    refused = await carol.fills(form)
    assert refused.errors == {"reason": "Choose why."}
    assert "Choose one" in said(await carol.fills(form, reason="because"))
    assert certificates_of(world, dana)[0].in_force
    assert "Revoked." in said(await carol.fills(form, reason="issued_in_error"))
    certificate = certificates_of(world, dana)[0]
    assert not certificate.in_force
    assert certificate.reason == "issued_in_error"
    issued, revoked = lines(world, dana)
    assert (revoked.step, revoked.reason, revoked.code, revoked.by) == (
        "revoked", "issued_in_error", certificate.code, "Carol Dietz",
    )  # fmt: skip
    assert revoked.target_id == issued.id
    told = next(message for message in world.to(dana) if "Certificate revoked" in message.text)
    assert "It was issued in error" in told.text
    assert "was revoked" in said(await dana.sends("certificate"))
    assert "revoked already" in said(await carol.fills(form, reason="issued_in_error"))
    assert len(lines(world, dana)) == 2


async def test_reissuing_gives_a_new_code_and_ends_the_old_one(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    first = certificates_of(world, dana)[0]
    shown = await carol.does_press("completion.open", str(first.id))
    form = (await carol.presses(shown, "Reissue")).form
    await carol.fills(form, name="Dana  Reyes-\u202eSoto\x07", reason="name_changed")
    second, before = certificates_of(world, dana)
    assert (second.name, second.number, second.in_force) == ("Dana Reyes-Soto", 2, True)
    assert second.code != first.code
    assert not before.in_force
    assert [(line.step, line.reason) for line in lines(world, dana)] == [
        ("issued", ""), ("revoked", "name_changed"), ("reissued", "name_changed"),
    ]  # fmt: skip
    assert "Your new certificate" in world.to(dana)[-1].text
    assert "replaced already" in said(await carol.fills(form, name="X", reason="name_changed"))
    reply = await carol.does_press("completion.find")
    assert "Dana Reyes-Soto" in said(await carol.fills(reply.form, who=second.code.lower().replace("-", " ")))
    old = await carol.fills(reply.form, who=first.code)
    assert "revoked" in said(old)
    assert "Open the new one" in said(old)
    assert "can't find a certificate" in said(await carol.fills(reply.form, who="Nobody"))


async def test_a_row_that_no_ledger_line_speaks_of_is_no_certificate(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    with world.database.write() as tx:
        row = dict(tx.execute(select(certificate)).one()._mapping)
        forged = row | {"id": UUID(int=5), "number": 2, "code": "0000-0000-0000-0000", "name": "Mallory"}
        tx.execute(certificate.insert().values(forged))
        assert certificates.by_code(tx, "0000-0000-0000-0000") is None
    assert [certificate.name for certificate in certificates_of(world, dana)] == ["Dana Reyes"]


async def test_a_question_that_is_no_longer_true_is_not_asked(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    with world.database.write() as tx:
        ask_for_approval(world.work(tx))
        ruth = people.by_email(tx, "ruth@example.org")
        assert ruth
        from storage.meetings.meetings_tables import meeting

        last = tx.scalar(select(meeting.c.id).order_by(meeting.c.starts_at.desc()).limit(1))
        assert last
        attendance.add(
            world.work(tx), meetings.get(tx, last), dana.id, "corrected", "absent", ruth.id, reason="late_entry"
        )
    await world.settle()
    assert not any("is complete" in message.text for message in world.to(carol))


async def test_progress_shows_the_certificate_once_it_is_approved(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    assert "The coordinator has been asked to approve completion." in said(await dana.sends("progress"))
    await approved(world, carol)
    reply = await dana.sends("progress")
    text = said(reply)
    assert "asked to approve" not in text
    with world.database.read() as tx:
        (issued,) = certificates.of_person(tx, dana.id)
    assert "Completion is approved. The certificate was issued Sun May 21, 2028" in text
    assert f"Code {issued.code}." in text
    assert "Your certificate" in said(await dana.presses(reply, "Get your certificate"))
    assert issued.code in said(await carol.sends("person dana reyes"))
    with world.database.write() as tx:
        certificates.revoke(world.work(tx), issued, "record", carol.id)
    text = said(await dana.sends("progress"))
    assert "The certificate was revoked Sun May 21, 2028" in text
    assert "Get your certificate" not in text


async def test_the_digest_names_who_waits_for_approval(world: World, dana: Person, carol: Person) -> None:
    attended(world, "dana@example.org")
    text = plain((await carol.sends("digest")).card or Card(""))
    assert "Ready for completion. To approve, send “certificates” (1)\nChoices: Dana Reyes" in text
