"""Where a run or a sweep is, and why an attempt is being ended."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a run is; conditions say the same for machines."""

    PENDING = "Pending"
    SUSPENDED = "Suspended"
    ACCEPTED = "Accepted"
    RUNNING = "Running"
    CANCELLING = "Cancelling"
    NEEDS_ATTENTION = "NeedsAttention"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the phase is never left."""
        return self in _TERMINAL


_TERMINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


class StopReason(StrEnum):
    """Why the operator ends an attempt by itself."""

    SUSPENDED = "Suspended"
    EVICTED = "Evicted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    PRE_RUNNING_DEADLINE_EXCEEDED = "PreRunningDeadlineExceeded"


class SweepPhase(StrEnum):
    """Where a sweep is; conditions say the same for machines."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    CANCELLING = "Cancelling"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the phase is never left."""
        return self in {SweepPhase.SUCCEEDED, SweepPhase.FAILED, SweepPhase.CANCELLED}
