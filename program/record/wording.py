"""The ledger's lines in words that anybody can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from program.core.words import counted
from program.meetings.attendance import REASONS as ATTENDANCE_REASONS
from program.meetings.attendance import STATUSES
from program.record.certificate import REASONS as CERTIFICATE_REASONS
from program.record.chain import SHORT
from program.record.stated_days import day_of_entry

KINDS = {
    "attendance": "Meeting",
    "activity": "Activity",
    "makeup": "Make-up",
    "waiver": "Waiver",
    "credit": "Credit",
    "leave": "Leave of absence",
    "transfer": "Transfer",
    "departure": "Left the program",
    "enrolment": "Enrollment",
    "policy": "Policy",
    "answer": "Answer",
    "correction": "Correction",
    "dispute": "Dispute",
    "import": "Earlier attendance",
    "certificate": "Certificate",
}
STEPS = {
    "tapped": "said “I'm here”",
    "confirmed": "confirmed",
    "corrected": "corrected",
    "logged": "logged",
    "verified": "verified",
    "asked": "requested",
    "approved": "approved",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "opened": "opened",
    "settled": "decided",
    "granted": "granted",
    "ended": "ended",
    "left": "left",
    "changed": "changed",
    "made": "made",
    "moved": "moved",
    "agreed": "the mentee agreed",
    "kept": "kept as it is",
    "imported": "imported",
    "issued": "issued",
    "reissued": "reissued",
    "revoked": "revoked",
}
VERIFIED = {
    "self": "the mentee's word",
    "mentor": "a mentor",
    "coordinator": "a coordinator",
    "operator": "the operator",
    "import": "an imported file",
}
OPERATOR = "the operator"

TRANSFER_REASONS = {"moved": "Moved to another district", "cohort": "Another cohort fits better", "other": "Other"}
POLICY_REASONS = {
    "asked": "The mentee asked",
    "better": "It fits the mentee better",
    "state": "The state asked for it",
}
REASONS_BY_KIND = {
    "transfer": TRANSFER_REASONS,
    "policy": POLICY_REASONS | {"adopted": "A new version was adopted"},
}

# What is shared with the people who run a cohort or the program. A dispute has its own readers, and why
# somebody was on leave or left concerns only them and their coordinator.
SHARED_KINDS = frozenset(KINDS) - {"dispute", "leave", "departure"}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A line of somebody's ledger as it stands, with the names it speaks of."""

    id: UUID
    person_id: UUID
    person: str
    position: int
    kind: str
    step: str
    meeting_id: UUID | None
    topic: str  # of the meeting, if the line is about one
    cohort: str  # whose meeting it was
    target_id: UUID | None  # the line that this one is about
    status: str
    minutes: int | None
    code: str
    happened_at: datetime
    recorded_at: datetime
    by: str | None  # a name; None: the operator
    reason: str
    verified: str
    detail: Mapping[str, Any]
    mark: bytes

    def day(self, zone: str) -> date:
        """The day that the line states, or else the day in a zone on which it happened."""
        return day_of_entry(self.kind, self.happened_at, zone)

    @property
    def number(self) -> int:
        """As people count."""
        return self.position + 1

    @property
    def what(self) -> str:
        """What the line says, e.g. “Meeting “First steps”: confirmed, present”."""
        subject = KINDS.get(self.kind, in_words(self.kind).capitalize())
        if self.topic:
            subject += f" “{self.topic}”"
        elif self.verified == "import":
            subject += f" (file {self.code[:SHORT]})"
        elif self.code:
            subject += f" {self.code}" if self.kind == "certificate" else f" ({in_words(self.code)})"
        parts = [STEPS.get(self.step, in_words(self.step))]
        if self.status:
            parts.append(status_words(self.status).lower())
        if self.minutes is not None:
            parts.append(f"{self.minutes} minutes")
        if self.kind == "enrolment":
            parts += [
                f"{in_words(name)} {part['from'] or 'none'} to {part['to'] or 'none'}"
                for name, part in self.detail.items()
            ]
        if self.kind == "import":
            parts.append(counted(int(self.detail.get("meetings", 0)), "meeting"))
        return f"{subject}: {', '.join(parts)}"

    @property
    def recorder(self) -> str:
        """Who recorded the line, by name."""
        return self.by or OPERATOR

    @property
    def why(self) -> str:
        """The reason in words; empty where there is none."""
        return REASONS_BY_KIND.get(self.kind, {}).get(self.reason) or reason_words(self.reason)

    @property
    def proof(self) -> str:
        """On whose word it was recorded, in words."""
        return VERIFIED.get(self.verified, in_words(self.verified))


def status_words(status: str) -> str:
    """An attendance status in words."""
    return {str(code): words for code, words in STATUSES.items()}.get(status, in_words(status))


def reason_words(code: str) -> str:
    """A reason code in words; an unknown code is at least readable."""
    known = ATTENDANCE_REASONS | CERTIFICATE_REASONS
    return known.get(code, in_words(code).capitalize())


def in_words(code: str) -> str:
    """A code with spaces, for one that has no words of its own."""
    return code.replace("_", " ").replace("-", " ").strip()
