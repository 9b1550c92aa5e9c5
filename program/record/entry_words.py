"""An entry of somebody's record as a coordinator reads it: the day, what it is, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from program.core.times import local_day
from program.core.words import lower_first
from program.record.policy import Policy
from program.record.wording import STEPS, RecordLine, in_words, status_words


def entry_words(
    line: RecordLine,
    policy: Policy,
    zone: str,
    about: RecordLine | None = None,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """An entry in words: "Oct 5 meeting: present", "Oct 15 book study: verified (the mentee told me)".

    ``policy``: the mentee's, for its names of activities, rules and reasons; ``zone``: the reader's; ``about``: the
    earlier entry that this one is about; ``titles``: of the policies that the record names.
    """
    if (line.kind, line.step) == ("policy", "moved"):
        to = line.detail["to"]
        return f"Policy: moved to {titles.get(to, to)} ({lower_first(line.why)})"
    if line.kind == "enrolment" and set(line.detail) == {"track"}:
        track = line.detail["track"]
        return (
            f"Enrollment: track changed from {track_words(policy, track['from'])} to {track_words(policy, track['to'])}"
        )
    subject = _subject(line, policy, zone, about)
    reason = f" ({lower_first(reason_in(policy, line))})" if line.reason else ""
    return f"{subject}: {_outcome(line)}{reason}" if subject else f"{line.what}{reason}"


def track_words(policy: Policy, track: str) -> str:
    """The policy's name of a track; "none" where there is none."""
    named = policy.track(track)
    return named.name if named else in_words(track) or "none"


def _subject(line: RecordLine, policy: Policy, zone: str, about: RecordLine | None) -> str:
    """What happened on which day; empty: the entry is not about something that happened on a day."""
    match line.kind:
        case "attendance" if line.meeting_id is not None:
            return f"{_day(line, zone)} meeting"
        case "activity":
            return f"{_day(line, zone)} {_activity(line, policy, about)}"
        case "makeup":
            return f"{_day(line, zone)} make-up ({_activity(line, policy, about)})"
        case "credit" | "waiver":
            code = line.code or (about.code if about else "")
            rule = policy.rule(code)
            return f"{line.kind.capitalize()} ({rule.name if rule else in_words(code)})"
        case "transfer":
            return f"Transfer to {line.detail['to']}" if "to" in line.detail else ""
    return ""


def _day(line: RecordLine, zone: str) -> str:
    """The day on which it happened; its year only where it is not the one in which it was recorded."""
    day, recorded = line.day(zone), local_day(line.recorded_at, zone)
    return f"{day:%b} {day.day}" + ("" if day.year == recorded.year else f", {day.year}")


def _activity(line: RecordLine, policy: Policy, about: RecordLine | None) -> str:
    code = line.code or (about.code if about else "")
    activity = policy.activity(code)
    return lower_first(activity.name) if activity else in_words(code) or "activity"


def _outcome(line: RecordLine) -> str:
    said = [] if line.kind == "attendance" and line.step == "confirmed" else [STEPS.get(line.step, in_words(line.step))]
    if line.status and line.step != "tapped":
        said.append(status_words(line.status).lower())
    if line.minutes is not None:
        said.append(f"{line.minutes} minutes")
    return ", ".join(said)


def reason_in(policy: Policy, line: RecordLine) -> str:
    """A reason in the policy's words; in ours where the policy does not name it."""
    rules = (policy.corrections, policy.waivers, policy.leave)
    named = {code: words for each in rules if each for code, words in each.reasons.items()}
    return named.get(line.reason, line.why)
