"""The table of who may do what: every button and form of the product, and every command that touches somebody.

An action names what it is about as ``@thing``; the scene (:mod:`tests.authorization.people`) has one of each for every
owner. ``may`` lists who is let in, as ``actor`` or ``actor/relation``; everybody else is refused.

- actors: mentee, mentor, coordinator, outsider (an account of nobody), former mentee, former mentor
- relations of the thing's owner to the actor: own, same (cohort), other (cohort), former (a member who left);
  to somebody who left, ``same`` is the cohort they left
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from program.privacy.privacy_settings import NOTICE_VERSION

ACTORS = ("mentee", "mentor", "coordinator", "outsider", "former mentee", "former mentor")
LEFT = ("former mentee", "former mentor")
RELATIONS: Mapping[str, tuple[str, ...]] = {
    "mentee": ("own", "same", "other", "former"),
    "mentor": ("same", "other", "former"),
    "coordinator": ("other", "former"),
    "outsider": ("other", "former"),
    "former mentee": ("own", "same", "other"),
    "former mentor": ("same", "other", "former"),
}
NOBODY: frozenset[str] = frozenset()
LINKED = frozenset(ACTORS) - {"outsider"}
OWN = frozenset({"mentee/own", "former mentee/own"})
COORDINATOR = frozenset({"coordinator"})
IN_PROGRAM = frozenset({"coordinator/other"})  # a coordinator, about whoever is in the program
MENTEE = frozenset({"mentee"})
LEADS = frozenset({"mentor/same", "coordinator"})
LEADS_ANY = LEADS | {"mentor/former"}  # what belongs to a cohort: who left it attended with the others


@dataclass(frozen=True, slots=True)
class Act:
    """One action. ``args`` and ``values``: ``@thing`` stands for the id of that thing.

    idle      words that answer those who may, where the scene has nothing to do for them
    known     who may know that there is something, though they are refused
    declines  words that refuse without leaving the handler's ordinary way: a command's audience, a form's choices
    """

    name: str
    args: tuple[str, ...] = ()
    may: frozenset[str] = NOBODY
    values: Mapping[str, str] = field(default_factory=dict)
    idle: str = ""
    declines: str = ""
    known: frozenset[str] = NOBODY

    @property
    def confidential(self) -> bool:
        """Whether a refusal must not even say that there is something."""
        return self.name.startswith(("reflections.", "disputes.", "checkins."))

    @property
    def about_somebody(self) -> bool:
        return any("@" in text for text in (*self.args, *self.values.values()))

    @property
    def label(self) -> str:
        return " ".join((self.name, *self.args, *(f"{name}={text}" for name, text in self.values.items())))


DAY = {"starts": "2026-10-01", "ends": "2026-10-02"}
LOGGED = {"type": "contact", "mode": "phone", "day": "2026-09-06", "minutes": "30"}
MADE_UP = {"meeting": "@past meeting", "type": "observation", "day": "2026-09-07", "minutes": "60"}
SERIES = {"topic": "T", "day": "2026-09-20", "at": "15:30", "minutes": "60", "place": "", "repeat": "once"}
SETTINGS = {"weekday": "1", "at": "15:00", "weeks": "2"}
SUMMARY = {"topics": "", "did": "We met.", "next": ""}
NEW_POLICY = "missouri-dese/2018"
CREDIT = {"rule": "contacts", "year": "1", "amount": "1", "day": "2026-09-07", "reason": "prior_program"}
NOT_OFFERED = "Choose one of the options."
NOT_YOURS = " is only for "

PRESSES = (
    # What somebody wrote in confidence
    Act("reflections.page", ("0",), LINKED),
    Act("reflections.open", ("@reflection",), OWN),
    Act("reflections.delete", ("@reflection",), OWN),
    Act("reflections.share", ("@unshared",), frozenset({"mentee/own"})),  # who left has no mentor to share it with
    Act("reflections.stop", ("@share",), OWN),
    Act("reflections.read", ("@share",), frozenset({"mentor/same"})),
    Act("reflections.read", ("@share with somebody who left",)),
    Act("reflections.read", ("@reflection",)),  # the id of the reflection is no way in
    Act("reflections.open", ("@share",)),
    Act("checkins.pulse", ("@checkin", "3"), OWN),
    Act("checkins.write", ("@checkin",), OWN),
    Act("checkins.number", ("@checkin",), OWN),
    Act("checkins.retract", ("@checkin",), OWN),
    Act("checkins.numbers", ("0",), LINKED),
    Act("checkins.change", ("@checkin",), OWN),
    Act("checkins.keep", ("@typed",), OWN),
    Act("checkins.discard", ("@typed",), OWN),
    Act("checkins.undo", ("@checkin", "0", "0"), OWN, idle="Something was saved after that."),
    Act("checkins.reach", ("@checkin",), frozenset({"mentee/own"})),
    Act("checkins.prompts", (), COORDINATOR),
    Act("disputes.new", (), MENTEE | {"former mentee"}),
    Act("disputes.new", ("@activity",), MENTEE | {"former mentee"}),
    Act("disputes.read", ("@dispute",), OWN | LEADS | {"mentor/former"}),
    Act("disputes.read", ("@dispute for the coordinator",), OWN | COORDINATOR),
    Act("disputes.show", ("@dispute",), OWN | LEADS | {"mentor/former"}),
    Act("disputes.show", ("@dispute for the coordinator",), OWN | COORDINATOR),
    Act("disputes.settle", ("@dispute",), LEADS | {"mentor/former"}),
    Act("disputes.settle", ("@dispute for the coordinator",), COORDINATOR),
    Act(
        "disputes.withdraw",
        ("@dispute",),
        OWN,
        declines="Only the mentee can withdraw",
        known=LEADS | {"mentor/former"},
    ),
    # One's own privacy
    Act("consent.agree", (NOTICE_VERSION, "@checkin"), LINKED),
    Act("consent.decline", (NOTICE_VERSION, "@checkin"), LINKED),
    Act("consent.read", ("@checkin",), OWN),
    Act("consent.more", (), LINKED),
    Act("privacy.take", (), LINKED),
    Act("forgetting.ask", (), LINKED),
    Act("forgetting.keep", (), LINKED),
    Act("forgetting.do", ("@now",), LINKED),
    Act("holds.new", ("@person",), COORDINATOR),
    Act("holds.release", ("@person",), COORDINATOR, idle="has no legal hold"),
    # One's record
    Act("activities.log", (), MENTEE),
    Act("activities.makeup", (), MENTEE),
    Act("activities.show", ("@activity",), frozenset({"mentor/same", "coordinator/former"})),
    Act("activities.decide", ("@activity", "yes"), frozenset({"mentor/same", "coordinator/former"})),
    Act("activities.decide", ("@activity", "no"), frozenset({"mentor/same", "coordinator/former"})),
    Act("activities.withdraw", ("@activity",), OWN),
    Act("activities.choose", ("@person",), COORDINATOR),
    Act("activities.correct", ("@verified activity",), LEADS),
    Act("activities.correct", ("@verified activity", "@dispute for the coordinator"), COORDINATOR),
    Act("leave.new", (), MENTEE),
    Act("leave.withdraw", ("@asked leave",), OWN),
    Act("leave.change", ("@asked leave",), frozenset({"mentee/own"})),
    Act("leave.decide", ("@asked leave", "yes"), IN_PROGRAM),
    Act("leave.show", ("@asked leave",), COORDINATOR),
    Act("leave.end", ("@leave",), OWN | COORDINATOR),
    Act("records.open", ("@person",), COORDINATOR),
    Act("records.details", ("@person",), COORDINATOR),
    Act("records.transfer", ("@person",), COORDINATOR),
    Act("records.credit", ("@person",), COORDINATOR),
    Act("records.waiver", ("@person",), COORDINATOR),
    Act("records.undo", ("@person", "@credit"), COORDINATOR),
    Act("records.undo.choose", ("@person",), COORDINATOR, idle="has no credits, waivers or leaves to undo"),
    Act("records.leave", ("@person",), COORDINATOR),
    Act("records.policy", ("@person",), COORDINATOR, idle="has a certificate"),
    Act("departures.leave", ("@person",), COORDINATOR, idle="is not a mentee in any cohort"),
    Act("departures.undo", ("@person", "@departure"), COORDINATOR, idle="I can't find that anymore."),
    Act("removals.mentor", ("@person", "@cohort"), COORDINATOR, idle="is not a mentor of that cohort"),
    Act("removals.mentor_back", ("@person", "@cohort"), COORDINATOR, idle="can't undo that anymore"),
    Act("removals.coordinator", ("@person",), COORDINATOR, idle="is not a coordinator"),
    Act("removals.coordinator_back", ("@person",), COORDINATOR, idle="can't undo that anymore"),
    Act("completion.mine", (), LINKED),
    Act("completion.approve", ("@person",), COORDINATOR),
    Act("completion.ask", ("@person",), COORDINATOR),
    Act("completion.record", ("@person",), COORDINATOR),
    Act("completion.find", (), COORDINATOR),
    Act("completion.open", ("@certificate",), COORDINATOR),
    Act("completion.revoke", ("@certificate",), COORDINATOR),
    Act("completion.reissue", ("@certificate",), COORDINATOR),
    Act("exports.open", (), LINKED - {"former mentor"}),
    # The cohort's meetings
    Act("meetings.new", ("@cohort",), LEADS_ANY),
    Act("meetings.move", ("@meeting",), LEADS_ANY),
    Act("meetings.cancel", ("@meeting",), LEADS_ANY),
    Act("meetings.restore", ("@cancelled meeting",), LEADS_ANY),
    Act(
        "meetings.rsvp",
        ("@meeting", "yes"),
        frozenset({"mentee/own", "mentee/same", "mentee/former"}) | LEADS_ANY - COORDINATOR,
    ),
    Act("attendance.here", ("@meeting",), frozenset({"mentee/own", "mentee/same", "mentee/former"})),
    Act("attendance.show", ("@past meeting",), LEADS_ANY),
    Act("attendance.confirm", ("@past meeting",), LEADS_ANY),
    Act("attendance.all", ("@past meeting",), LEADS_ANY),
    Act("attendance.edit", ("@past meeting",), LEADS_ANY),
    Act("attendance.agree", ("@attendance",), OWN),
    Act("attendance.keep", ("@attendance",), LEADS_ANY),
    Act("summaries.open", ("@past meeting",), LEADS_ANY),
    Act("summaries.withdraw", ("@past meeting",), LEADS_ANY),
    Act("breaks.new", ("@cohort",), LEADS_ANY),
    Act("breaks.remove", ("@break",), LEADS_ANY),
    Act("breaks.remove", ("@break of all",), COORDINATOR),
    Act("breaks.snow", ("@meeting",), LEADS_ANY),
    Act("cohort.settings", ("@cohort",), LEADS_ANY),
    Act("cohort.unlink", ("@cohort",), LEADS_ANY, idle="has no home channel"),
    # The program
    Act("figures.month", ("2026-08-01",), COORDINATOR, idle="There are no figures for that month."),
    Act("overview.find", (), COORDINATOR),
    Act("overview.help", (), COORDINATOR),
    Act("overview.page", ("", "@cohort", "", "0"), COORDINATOR),
    Act("digest.details", (), COORDINATOR),
    Act("policy.show", (NEW_POLICY,), COORDINATOR),
    Act("policy.fill", (NEW_POLICY,), COORDINATOR),
    Act("identity.match", (), COORDINATOR),
    Act("identity.yes", ("@person",)),  # nobody's account was proposed for anybody
    Act("identity.no", ("@person",)),
    Act("identity.again", ()),
    Act("identity.answer", ()),  # nothing was kept of anybody
    Act("identity.keep", ("@person",)),  # nobody's account is being replaced
    # A command on a button is the command, and no more
    Act("command.run", ("attendance", "@channel"), LEADS_ANY, declines=NOT_YOURS),
    Act("command.run", ("person lee",), COORDINATOR, declines=NOT_YOURS),
    Act("command.for", ("@cohort", "attendance"), LEADS_ANY),
    Act("command.for", ("@cohort", "summary"), LEADS_ANY),
    Act("command.for", ("@cohort", "cohort"), LEADS_ANY | {"mentee/own", "mentee/same", "mentee/former"}),
)

SUBMITS = (
    # What somebody wrote in confidence
    Act("reflections.save", ("@reflection",), OWN, {"typed": "Changed"}),
    Act("reflections.shared", ("@unshared",), frozenset({"mentee/own"}), {"mentor": "@mentor"}, declines=NOT_OFFERED),
    Act("reflections.shared", ("@unshared",), NOBODY, {"mentor": "@mentor who left"}, declines=NOT_OFFERED),
    Act("checkins.save", ("@checkin",), OWN, {"typed": "Changed"}),
    Act("checkins.prompted", (), COORDINATOR, {"prompts": "How was it?"}),
    Act("disputes.open", (), OWN, {"record": "@activity", "readers": "mentor", "text": "Not so."}),
    Act("disputes.settled", ("@dispute",), LEADS | {"mentor/former"}, {"outcome": "stands"}),
    Act("disputes.settled", ("@dispute for the coordinator",), COORDINATOR, {"outcome": "stands"}),
    Act("holds.set", ("@person",), COORDINATOR, {"reason": "audit"}, idle="has a legal hold already"),
    # One's record
    Act("activities.logged", (), MENTEE, LOGGED),
    Act(
        "activities.makeup.asked",
        (),
        frozenset({"mentee/own", "mentee/same", "mentee/former"}),
        MADE_UP,
        declines=NOT_OFFERED,
    ),
    Act("activities.chosen", ("@person",), LEADS, {"line": "@verified activity"}),
    Act(
        "activities.corrected",
        ("@verified activity",),
        LEADS,
        {"status": "counts", "minutes": "20", "reason": "late_entry"},
    ),
    Act("leave.asked", (), MENTEE, DAY | {"reason": "health"}),
    Act("leave.asked", ("@asked leave",), frozenset({"mentee/own"}), DAY | {"reason": "health"}),
    Act("leave.ended", ("@leave",), OWN | COORDINATOR, {"day": "2026-10-05"}),
    Act(
        "records.transferred", ("@person",), COORDINATOR, {"cohort": "@cohort", "day": "2026-09-07", "reason": "moved"}
    ),
    Act("records.credit.add", ("@person",), COORDINATOR, CREDIT),
    Act("records.waiver.add", ("@person",), COORDINATOR, CREDIT),
    Act("records.undo.chosen", ("@person",), COORDINATOR, {"line": "@credit"}),
    Act("records.leave.add", ("@person",), COORDINATOR, DAY | {"reason": "health"}),
    Act(
        "records.policy.set",
        ("@person",),
        COORDINATOR,
        {"policy": NEW_POLICY, "reason": "asked"},
        idle="has a certificate",
    ),
    Act("records.policy.confirm", ("@person", NEW_POLICY, "asked"), COORDINATOR, {}, idle="has a certificate"),
    Act("departures.left", ("@person",), COORDINATOR, {"reason": "other"}, idle="is not a mentee in any cohort"),
    Act("completion.found", (), COORDINATOR, {"who": "Lee Okafor"}),
    Act("completion.revoked", ("@certificate",), COORDINATOR, {"reason": "issued_in_error"}),
    Act("completion.reissued", ("@certificate",), COORDINATOR, {"reason": "name_changed", "name": "L. Okafor"}),
    Act("exports.chosen", (), OWN, {"what": "own:@person"}, declines=NOT_OFFERED),
    Act("exports.chosen", (), LEADS_ANY, {"what": "cohort:@cohort"}, declines=NOT_OFFERED),
    Act("exports.chosen", (), COORDINATOR, {"what": "program:"}, declines=NOT_OFFERED),
    # The cohort's meetings
    Act("meetings.preview", ("@cohort",), LEADS_ANY, SERIES),
    Act("meetings.create", ("@cohort", "@mentor's meeting draft"), LEADS_ANY - COORDINATOR),
    Act("meetings.create", ("@cohort", "@coordinator's meeting draft"), COORDINATOR),
    Act("meetings.moved", ("@meeting",), LEADS_ANY, SERIES),
    Act("meetings.cancelled", ("@meeting",), LEADS_ANY, {"reason": "other"}),
    Act("attendance.save", ("@past meeting",), LEADS_ANY),
    Act("attendance.minutes", ("@past meeting", "@mentor's attendance draft"), LEADS_ANY - COORDINATOR),
    Act("attendance.minutes", ("@past meeting", "@coordinator's attendance draft"), COORDINATOR),
    Act("summaries.preview", ("@past meeting",), LEADS_ANY, SUMMARY),
    Act("summaries.post", ("@past meeting", "@mentor's summary draft"), LEADS_ANY - COORDINATOR),
    Act("summaries.post", ("@past meeting", "@coordinator's summary draft"), COORDINATOR),
    Act("breaks.preview", ("@cohort",), LEADS_ANY, DAY | {"label": "Rest"}),
    Act("breaks.add", ("@cohort", "@mentor's break draft"), LEADS_ANY - COORDINATOR),
    Act("breaks.add", ("@cohort", "@coordinator's break draft"), COORDINATOR),
    Act("cohort.set", ("@cohort",), LEADS_ANY, SETTINGS),
    # The program
    Act("overview.found", (), COORDINATOR, {"cohort": "@cohort"}),
    Act("policy.preview", (NEW_POLICY,), COORDINATOR),
    Act("policy.amend", (NEW_POLICY, "@coordinator's policy draft"), COORDINATOR),
    Act("policy.amend", (NEW_POLICY, "@mentor's policy draft")),
    Act("identity.matched", (), COORDINATOR, {"person": "@unmatched person", "account": "@unmatched account"}),
)

COMMANDS = (
    Act("reflections", (), LINKED),
    Act("privacy", (), LINKED),
    Act("certificate", (), LINKED),
    Act("certificates", (), COORDINATOR, declines=NOT_YOURS),
    Act("person lee", (), COORDINATOR, declines=NOT_YOURS),
    Act("people", (), COORDINATOR, declines=NOT_YOURS),
    Act("figures", (), COORDINATOR, declines=NOT_YOURS),
    Act("digest", (), COORDINATOR, declines=NOT_YOURS),
    Act("prompts", (), COORDINATOR, declines=NOT_YOURS),
    Act("attendance", (), frozenset({"mentor", "coordinator"}), declines=NOT_YOURS),
    Act("summary", (), frozenset({"mentor", "coordinator"}), declines=NOT_YOURS),
    Act("meeting new", (), frozenset({"mentor", "coordinator"}), declines=NOT_YOURS),
    Act("breaks", (), frozenset({"mentor", "coordinator"}), declines=NOT_YOURS),
    Act("dispute", (), MENTEE, declines=NOT_YOURS),
    Act("leave", (), MENTEE, declines=NOT_YOURS),
    Act("log", (), MENTEE, declines=NOT_YOURS),
    Act("makeup", (), MENTEE, declines=NOT_YOURS),
    Act("export", (), LINKED - {"former mentor"}, declines=NOT_YOURS),
)
