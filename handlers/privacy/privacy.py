"""Who sees what, what is kept about the asker, their choice, and a download of everything."""

from __future__ import annotations

from uuid import UUID

from handlers.checkins import consent_notice
from handlers.checkins.checkins import checkin_card
from handlers.checkins.consent_notice import AgreeToCheckins, DeclineCheckins
from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, Cmd, Link, Note, Paragraph, Table, Text, buttons, say
from handlers.core.command_actions import RunCommand
from handlers.core.forms import Form
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.privacy.forgetting import AskToForget
from handlers.privacy.retention import retention_words
from program.core.times import local_day, say_day
from program.core.words import counted
from program.privacy.privacy_settings import NOTICE_VERSION
from storage.checkins import checkins, consent, typed
from storage.core import audit_log
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.privacy import holds, personal_data, retention
from storage.program_desk import downloads

MOST_COPIES = 3  # of the operator's that are named
KEPT_BEFORE: Text = ("To see or delete what you wrote before, send ", Cmd("reflections"), ".")


@action("privacy.take")
class TakeMyData(Action):
    """Make a link to everything about oneself."""


@router.command(
    "privacy",
    "Who sees what, what is kept about you, and your choice",
    reads=True,
    help={"mentee": 16, "mentor": 12, "coordinator": 13, "former": 1},
    teams={"personal": 9},
)
def privacy(call: Call) -> Reply:
    """Answer with the privacy card."""
    return Reply(card=privacy_card(call))


def privacy_card(call: Call) -> Card:
    """The notice, the choice that was made, and what is kept."""
    tx = call.work.tx
    decision = consent_notice.decision_of(call)
    kept = [kind for kind in personal_data.everything(tx, call.my_id, lambda _item: None, call.me.view) if kind.rows]
    items = [
        Button("My reflections", RunCommand("reflections")),
        Button("Download my data", TakeMyData(), opens_form=True),
        Button("Delete my private data", AskToForget(), style="danger"),
    ]
    return Card(
        "Who sees what",
        (
            *consent_notice.notice(call.work.privacy_settings),
            say(
                "Mentors and coordinators see attendance, who is coming and progress. Mentors see who asked them to "
                "reach out."
            ),
            _chosen(call, decision),
            consent_notice.choice(decision),
            Table(
                ("What", "How many"),
                tuple((kind.name, str(len(kind.rows))) for kind in kept),
                "What is kept about you",
            ),
            *_kept(call),
            *_exports(call),
            buttons(*items),
            Note((Cmd("snooze until DATE"), " pauses check-ins; ", Cmd("checkins off"), " stops them.")),
        ),
    )


def _kept(call: Call) -> list[Paragraph]:
    """For how long, and whether a legal hold is on it."""
    months = retention.of_person(call.work.tx, call.my_id)
    blocks = [say(f"What you write in check-ins is {retention_words(months)}.")]
    held = holds.of_person(call.work.tx, call.my_id)
    if held is not None:
        words = f" is on it ({held.words}): while it lasts, nothing is deleted."
        blocks.append(say("A ", Bold("legal hold"), words))
    return blocks


def _exports(call: Call) -> list[Paragraph]:
    """When the operator made a file of all this in the terminal, and whether confidential words were in it."""
    copies = [line for line in audit_log.entries(call.work.tx, call.my_id) if line.what == "person.exported"]
    words = {True: "with what you wrote in private", False: "without what you wrote in private"}
    days = [
        f"{say_day(local_day(line.at, call.me.zone))} ({words[line.detail['confidential']]})"
        for line in copies[-MOST_COPIES:]
    ]
    earlier = f"; earlier copies: {len(copies) - MOST_COPIES}" if len(copies) > MOST_COPIES else ""
    return [say(f"The operator made a copy of this: {', '.join(days)}{earlier}.")] if days else []


def _chosen(call: Call, decision: consent.Decision | None) -> Paragraph:
    if decision is None:
        return say("You haven't chosen yet whether you want check-ins.")
    day = say_day(local_day(decision.at, call.me.zone))
    if decision.declined:
        rest = f" check-ins on {day}. I don't ask you anything or keep what you write. "
        return say("You ", Bold("declined"), rest, *KEPT_BEFORE)
    newer = "" if decision.agreed else " The notice has changed since then. Please choose again."
    return say("You ", Bold("agreed"), f" to check-ins on {day}.{newer}")


# The choice -------------------------------------------------------------------------------------


@router.press(AgreeToCheckins)
def agree(call: Call, pressed: AgreeToCheckins) -> Reply:
    """Get check-ins from now on."""
    return _decide(call, consent.AGREED, pressed.notice, pressed.checkin_id)


@router.press(DeclineCheckins)
def decline(call: Call, pressed: DeclineCheckins) -> Reply:
    """Get no check-ins."""
    return _decide(call, consent.DECLINED, pressed.notice, pressed.checkin_id)


def _decide(call: Call, decision: str, notice: str, checkin_id: UUID | None) -> Reply:
    """Record the choice and show what it leads to: the check-in that waited, or the choice itself."""
    if notice != NOTICE_VERSION:
        raise Refused("The notice has changed since. Please send ", Cmd("privacy"), " and read it again.")
    consent.decide(call.work, call.my_id, call.me.view, decision)
    if decision == consent.DECLINED:
        typed.destroy_all(call.work.tx, call.my_id, call.me.view)
    refresh_schedule(call.work, [call.my_id])
    _refresh_open(call.work, call.my_id)
    checkin = checkins.find_shown(call.work.tx, checkin_id, call.me.view) if checkin_id is not None else None
    if checkin is None or checkin.person_id != call.my_id:
        return Reply(replace=privacy_card(call))
    return Reply(replace=checkin_card(call.work, checkin, call.me.view))


def _refresh_open(work: Work, person_id: UUID) -> None:
    """Bring the messages of a check-in that is open up to date."""
    checkin = checkins.open_of(work.tx, person_id, work.now)
    if checkin is not None:
        deliveries.refresh(work, checkin.id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)


# The download -----------------------------------------------------------------------------------


@router.press(TakeMyData)
def take(call: Call, _pressed: TakeMyData) -> Reply:
    """A link to everything about the asker, in a form: it never stands in a chat."""
    if not call.work.address:
        email = people.get(call.work.tx, call.my_id).email
        raise Refused(
            "I can't make a download link here. Ask the operator of the bot to run: "
            f"plc-bot person export {email} --output FILE.zip"
        )
    token = downloads.make(
        call.work, call.my_id, "person", call.me.account_id, "zip", good_for=downloads.PRIVATE_GOOD_FOR
    )
    minutes = int(downloads.PRIVATE_GOOD_FOR.total_seconds() // 60)
    return Reply(
        form=Form(
            "Everything about you",
            TakeMyData(),
            opener=TakeMyData(),
            submit=None,
            confidential=True,
            blocks=(
                say(Link("Download everything", f"{call.work.address}/download/{token}")),
                say(
                    "The file has everything you wrote in private, not encrypted. Keep it somewhere safe, and open the "
                    "link on your own device."
                ),
                Note(
                    (
                        f"The link works once, and for {counted(minutes, 'minute')}. The file is made as you download "
                        "it and is not stored here. It opens what you wrote with this account.",
                    )
                ),
            ),
        )
    )
