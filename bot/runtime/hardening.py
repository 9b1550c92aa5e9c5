"""What the process asks of the system to protect what it holds in memory."""

from __future__ import annotations

import resource


def forbid_core_dumps() -> None:
    """A crash must not write the operator's keys, or words in the clear, to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
