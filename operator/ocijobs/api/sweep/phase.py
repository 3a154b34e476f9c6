"""Where a sweep is."""

from __future__ import annotations

from enum import StrEnum


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
