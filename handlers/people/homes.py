"""A cohort's home channel: linking a channel, unlinking it, and what the bot says there and to the person who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call, Refused
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Cmd, HowToAsk, Mention, Note, Text, buttons, say
from handlers.core.leading import led_cohort
from handlers.core.paging import more
from handlers.core.requests import Profile, Reply, notice
from handlers.core.router import router
from handlers.people.identity import meet
from handlers.people.recipients import leads
from program.core.words import counted, listed
from storage.core import audit_log
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import conversations, deliveries, kinds
from storage.outbox.conversations import Conversation
from storage.outbox.deliveries import Delivery
from storage.people import account_links, cohorts
from storage.people.cohorts import Cohort

MOST_NAMED = 60  # people in a list
Outcome = Literal["linked", "already", "taken", "superseded", "not_allowed", "problem"]


@action("cohort.unlink")
class UnlinkHome(Action):
    """Let a cohort have no home channel anymore."""

    cohort_id: UUID


@router.command(
    "cohort link",
    "Make this channel your cohort's home",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 8},
    teams={"team": 9},
)
def link(call: Call) -> Reply:
    """The bot enters the channel, sees who is there, and says hello."""
    place, cohort = call.place, call.cohort
    if place is None or place.kind != "channel":
        raise Refused("Send ", Cmd("cohort link"), " in the channel that you want as the cohort's home.")
    if place.cohort_id is not None and place.cohort_id != cohort.id:
        other = cohorts.get(call.work.tx, place.cohort_id).name
        raise Refused(f"This channel is already the home of {other}.")
    if cohort.home_id == place.id:
        cohorts.want_home(call.work.tx, cohort.id, None)
        return notice(f"This channel is already the home of {cohort.name}.")
    cohorts.want_home(call.work.tx, cohort.id, place.id)
    deliveries.visit(call.work, place.id, Linking(call.my_id, cohort.id).subject)
    text = f"I'm joining this channel. When I'm in, it becomes the home of {cohort.name}."
    text += " Until then its earlier channel stays the home." if cohort.home_id is not None else ""
    return notice(text, " I'll message you about anyone I can't match.")


@dataclass(frozen=True, slots=True)
class Linking:
    """Why the bot visits a channel: somebody wants it to be a cohort's home."""

    asked_by: UUID
    cohort_id: UUID

    @property
    def subject(self) -> str:
        """Both ids, as the subject of the visit."""
        return self.asked_by.hex + self.cohort_id.hex  # a delivery's subject has 64 characters

    @classmethod
    def read(cls, subject: str) -> Linking | None:
        """None: a visit for another reason."""
        return cls(UUID(subject[:32]), UUID(subject[32:])) if len(subject) == 64 else None


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What the person who linked a channel is told about: a cohort and the channel."""

    cohort_id: UUID
    place_id: UUID

    @property
    def subject(self) -> str:
        """Both ids, as the subject of the message."""
        return self.cohort_id.hex + self.place_id.hex

    @classmethod
    def read(cls, subject: str) -> LinkReport | None:
        """None: it was queued by an earlier version, which did not name the cohort."""
        return cls(UUID(subject[:32]), UUID(subject[32:])) if len(subject) == 64 else None


def make_home(work: Work, conversation_id: UUID, linking: Linking) -> Outcome:
    """The bot is in the channel: it becomes the cohort's home, if that is still wanted and may still be decided.

    Only the newest wish counts: another channel may have been linked since, or the cohort unlinked.
    """
    place = conversations.get(work.tx, conversation_id)
    cohort = cohorts.find(work.tx, linking.cohort_id)
    if cohort is None or not leads(work, cohort.id, linking.asked_by):
        return "not_allowed"
    if cohort.home_id == place.id:
        return "already"
    if cohorts.wanted_home(work.tx, cohort.id) != place.id:
        return "superseded"
    if place.cohort_id is not None:
        return "taken"
    cohorts.set_home(work, cohort.id, place.id, linking.asked_by)
    return "linked"


def entered(work: Work, place_id: UUID, linking: Linking | None, members: Sequence[Profile], problem: str) -> None:
    """The bot was in a channel and saw who is there. ``problem``: why it could not enter, for the person who asked.

    ``linking`` None: it is back in a channel that it knew.
    """
    outcome: Outcome | None = None
    if linking is not None:
        outcome = "problem" if problem else make_home(work, place_id, linking)
    if linking is not None and outcome in ("problem", "taken"):  # nothing is on its way anymore
        cohorts.unwant_home(work.tx, linking.cohort_id, place_id)
    detail = {} if linking is None else {"cohort": str(linking.cohort_id), "outcome": outcome}
    audit_log.note(work, place_id, "visit", None, problem=problem, members=len(members), **detail)
    meet(work, members)
    place = conversations.get(work.tx, place_id)
    if linking is not None and outcome != "already":
        report = LinkReport(linking.cohort_id, place_id)
        deliveries.to_person(work, kinds.COHORT_VISITED, linking.asked_by, report.subject, tag=work.now.isoformat())
    if not problem and place.cohort_id is not None and outcome in (None, "linked"):
        deliveries.to_channel(work, kinds.COHORT_HELLO, place_id, place.cohort_id, tag=place_id)


@router.command("cohort unlink", "This channel is no longer the cohort's home", who=LEADS, cohort=LEADS)
def unlink_command(call: Call) -> Reply:
    """Ask before the cohort's home channel is unlinked."""
    cohort = call.cohort
    _check_home(call, cohort)
    sure = Button("Unlink it", UnlinkHome(cohort.id), style="danger")
    text = say(f"Unlink the home channel of {cohort.name}? I'd message its members directly from then on.")
    return Reply(card=Card("", (text, buttons(sure))))


def _check_home(call: Call, cohort: Cohort) -> None:
    """Refuse where the cohort neither has a home channel nor waits for one."""
    if cohort.home_id is None and cohorts.wanted_home(call.work.tx, cohort.id) is None:
        raise Refused(f"{cohort.name} has no home channel.")


@router.press(UnlinkHome)
def unlink(call: Call, pressed: UnlinkHome) -> Reply:
    """The cohort has no home channel anymore; its members get direct messages."""
    cohort = led_cohort(call, pressed.cohort_id, "unlink its home channel")
    _check_home(call, cohort)
    cohorts.set_home(call.work, cohort.id, None, call.my_id)
    return Reply(replace=Card("", (say(f"{cohort.name} has no home channel now. I'll message its members directly."),)))


# What the bot says on entering -------------------------------------------------------------------


WHAT_I_DO: tuple[Text, ...] = (
    ("I announce meetings here, remind you, and take attendance with one tap.",),
    ("I message each mentee directly for check-ins. I show an answer only to a mentor they choose.",),
    ("Send me ", Cmd("help"), " to see everything, ", Cmd("next"), " for the next meeting."),
    (HowToAsk(),),
)


@router.delivery(kinds.COHORT_HELLO)
def hello(work: Work, item: Delivery) -> Card | None:
    """The first words in a cohort's home channel."""
    cohort = cohorts.find(work.tx, UUID(item.subject))
    if cohort is None or cohort.home_id != item.conversation_id:
        return None
    members = cohorts.members(work.tx, cohort.id)
    mentors = [Mention(member.id, member.name) for member in members if member.role == "mentor"]
    led = (" Led by ", *_joined(mentors), ".") if mentors else ()
    told = say("This channel is your cohort's home now.", *led)
    return Card(f"Hello, {cohort.name}", (told, Bullets(WHAT_I_DO), *_no_meetings(work, cohort)))


def _no_meetings(work: Work, cohort: Cohort) -> tuple[Note, ...]:
    """How to schedule the first meeting, where none is to come."""
    if meetings.next_meeting(work.tx, [cohort.id], work.now):
        return ()
    return (Note(("No meetings scheduled yet. A mentor can send ", Cmd("meeting new"), ".")),)


def _joined(mentors: list[Mention]) -> tuple[Mention | str, ...]:
    parts: list[Mention | str] = []
    for number, mentor in enumerate(mentors):
        parts += [", ", mentor] if number else [mentor]
    return tuple(parts)


NOT_LINKED: dict[str, str] = {
    "taken": "I joined the channel, but by then it was another cohort's home. Choose another channel.",
    "superseded": "Another channel was linked, or the cohort was unlinked, before I joined this one.",
    "not_allowed": "I joined the channel, but it isn't the cohort's home, because you no longer lead the cohort.",
}


@router.delivery(kinds.COHORT_VISITED)
def visited(work: Work, item: Delivery) -> Card | None:
    """Tell the person who linked the channel what came of it, for the cohort they linked it for."""
    report = LinkReport.read(item.subject)
    cohort = cohorts.find(work.tx, report.cohort_id) if report else None
    if report is None or cohort is None or item.person_id is None:
        return None
    visit = _visit(work, report, item)
    if problem := str(visit.get("problem", "")):
        return Card("I couldn't join the channel", (say(problem), Note(("The cohort's home hasn't changed.",))))
    if why := NOT_LINKED.get(str(visit.get("outcome"))):
        return Card("Nothing has changed", (say(why),))
    place = conversations.get(work.tx, report.place_id)
    if place.cohort_id != cohort.id or not leads(work, cohort.id, item.person_id):
        return None
    return _set_up(work, cohort, place)


def _visit(work: Work, report: LinkReport, item: Delivery) -> Mapping[str, Any]:
    """What was noted of the visit that a message tells of."""
    lines = [line for line in audit_log.entries(work.tx, report.place_id) if line.what == "visit"]
    mine = [line for line in lines if line.detail.get("cohort") == str(report.cohort_id)]
    return next((line.detail for line in reversed(mine) if line.at <= item.created_at), {})


def _set_up(work: Work, cohort: Cohort, place: Conversation) -> Card:
    missing = account_links.unmatched_people(work.tx, cohort.id)
    asked = account_links.proposed(work.tx, [person.id for person in missing])
    unknown = [person for person in missing if person.id not in asked]
    blocks: list[Block] = [say("The channel ", Bold(place.name), " is now the cohort's home.")] if place.name else []
    if not missing:
        blocks.append(say("Everyone in the cohort is matched to an account."))
    if unknown:
        blocks += [
            say("I couldn't match ", Bold(counted(len(unknown), "person", "people")), " on the roster:"),
            Bullets(tuple((f"{person.name} <{person.email}>",) for person in unknown[:MOST_NAMED])),
            *more(len(unknown), MOST_NAMED),
            Note(("A coordinator can match guests and people with other addresses: send ", Cmd("people"), ".")),
        ]
    if asked:
        names = listed([person.name for person in missing if person.id in asked], MOST_NAMED)
        blocks.append(say("I've asked these people to confirm who they are: ", names, "."))
    return Card(f"{cohort.name} is set up", tuple(blocks))
