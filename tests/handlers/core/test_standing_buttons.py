"""Buttons and forms that stand in chats carry an action as text, from months ago: each is read as it was written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers.core.actions import Action, BadAction, SentAction
from handlers.features import router

ID = "5f0c3f3e-0000-4000-8000-000000000001"

# The arguments of every action in each way that they were written; "#" stands for an id.
WRITTEN = """
activities.choose #
activities.chosen #
activities.correct # / # #
activities.corrected #
activities.decide # yes / # no
activities.log
activities.logged
activities.makeup
activities.makeup.asked
activities.show #
activities.withdraw #
attendance.agree #
attendance.all #
attendance.confirm #
attendance.edit # / # #
attendance.here #
attendance.keep #
attendance.minutes # #
attendance.save # / # #
attendance.show #
breaks.add # #
breaks.new # / # #
breaks.preview #
breaks.remove #
breaks.snow #
checkins.change #
checkins.discard #
checkins.keep #
checkins.number #
checkins.numbers 0 / 5
checkins.prompted
checkins.prompts
checkins.pulse # 1 / # 5
checkins.reach #
checkins.retract # / # listed
checkins.save #
checkins.undo # 0 12
checkins.write #
cohort.set #
cohort.settings #
cohort.unlink #
command.for # attendance / # meeting_new #
command.run next / checkins_off / progress_Dana_Reyes # / progress_Ana_María_O'Neil
completion.approve #
completion.ask #
completion.find
completion.found
completion.mine
completion.open #
completion.record #
completion.reissue #
completion.reissued #
completion.revoke #
completion.revoked #
consent.agree 1 / 1 #
consent.decline 1 / 1 #
consent.more
consent.read #
departures.leave #
departures.left #
departures.undo # #
digest.details
disputes.new / #
disputes.open
disputes.read #
disputes.settle #
disputes.settled #
disputes.show #
disputes.withdraw #
exports.chosen
exports.open
figures.month 2026-09-01
forgetting.ask
forgetting.do 1789070400
forgetting.keep
holds.new #
holds.release #
holds.set #
identity.again / sent
identity.answer
identity.keep #
identity.match
identity.matched
identity.no # / # sent
identity.yes # / # sent
leave.asked / #
leave.change #
leave.decide # yes / # no
leave.end #
leave.ended #
leave.new
leave.show #
leave.withdraw #
meetings.cancel #
meetings.cancelled #
meetings.create # #
meetings.move #
meetings.moved #
meetings.new # / # #
meetings.preview #
meetings.restore # / # # # #
meetings.rsvp # yes / # no / # yes own / # no own
overview.find
overview.found
overview.help
overview.page help - - 0 / - # - 3 / - - 0123456789ab 1 / on_track # 0123456789ab 12
policy.amend nevada-2026 #
policy.fill nevada-2026 / nevada-2026 #
policy.preview nevada-2026
policy.show nevada-2026
privacy.take
records.credit #
records.credit.add #
records.details #
records.leave #
records.leave.add #
records.open #
records.policy #
records.policy.confirm # nevada-2026 correction
records.policy.set #
records.transfer #
records.transferred #
records.undo # #
records.undo.choose # / # #
records.undo.chosen #
records.waiver #
records.waiver.add #
reflections.delete #
reflections.open #
reflections.page 5
reflections.read #
reflections.save #
reflections.share #
reflections.shared #
reflections.stop #
removals.coordinator #
removals.coordinator_back #
removals.mentor # #
removals.mentor_back # #
summaries.open # / # #
summaries.post # #
summaries.preview #
summaries.withdraw #
"""


def written() -> Iterator[str]:
    """The encoded actions. In the table "_" is a space of a command, and "-" an empty argument."""
    for line in WRITTEN.strip().splitlines():
        name, _, variants = line.partition(" ")
        for variant in variants.split("/"):
            args = [{"#": ID, "-": ""}.get(word, word) for word in variant.split()]
            spaced = [arg.replace("_", " ") for arg in args] if name.startswith("command.") else args
            yield "|".join((name, *spaced))


TEXTS = tuple(written())


def classes() -> dict[str, type[Action]]:
    """Every declared action by its name."""
    ours = (cls for cls in Action.__subclasses__() if cls.__module__.startswith("handlers."))
    return {cls.name: cls for cls in ours if isinstance(getattr(cls, "name", None), str)}


def test_the_table_has_every_button_and_form() -> None:
    assert {text.split("|")[0] for text in TEXTS} == router.presses.keys() | router.submits.keys()


@pytest.mark.parametrize("text", TEXTS)
def test_what_stands_in_a_chat_is_read_as_it_was_written(text: str) -> None:
    sent = SentAction.decode(text)
    assert classes()[sent.name].read(sent.args).encode() == text


@pytest.mark.parametrize("text", [text for text in TEXTS if ID in text])
def test_an_id_that_is_none_is_refused(text: str) -> None:
    sent = SentAction.decode(text.replace(ID, "no id", 1))
    with pytest.raises(BadAction):
        classes()[sent.name].read(sent.args)
