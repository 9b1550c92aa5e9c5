"""What a program's operator sets about privacy: where to turn, and from how many people on figures are shown."""

from __future__ import annotations

from dataclasses import dataclass

NOTICE_VERSION = "2"  # grows with every change of meaning; who agreed to an earlier one is asked again
LOWEST_THRESHOLD = 3

# Sources of the defaults: docs/privacy.md.
ABUSE = "call Missouri’s hotline, 1-800-392-3738, 24/7; 911 if a child is in danger"
CRISIS = "call or text 988, 24/7; 911 in an emergency"
RECORDS = "Missouri’s Sunshine Law may require disclosure"


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """``abuse``, ``crisis``, ``records``: parts of sentences that the notice is made of.

    ``threshold``: the fewest people that a shown figure may be about, at least three.
    """

    abuse: str = ABUSE
    crisis: str = CRISIS
    records: str = RECORDS
    threshold: int = 5

    def __post_init__(self) -> None:
        if self.threshold < LOWEST_THRESHOLD:
            raise ValueError(f"A threshold below {LOWEST_THRESHOLD} protects nobody.")
