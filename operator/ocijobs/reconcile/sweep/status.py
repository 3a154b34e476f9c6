"""The status of a sweep, from its former one and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Unpack

from ocijobs.api.run.phase import SweepPhase
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobSweepStatusChanges
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.blocking import Blocked, Former, blocked
from ocijobs.reconcile.standing import SWEEP_STANDINGS, Headline, Standing, of_ended, restated
from ocijobs.reconcile.sweep.observation import SweepObservation

_ENDS: Mapping[SweepPhase | None, tuple[Standing, Reason]] = {
    SweepPhase.SUCCEEDED: (Standing.SUCCEEDED, Reason.SUCCEEDED),
    SweepPhase.FAILED: (Standing.FAILED, Reason.MAX_FAILED_RUNS_EXCEEDED),
    SweepPhase.CANCELLED: (Standing.FAILED, Reason.CANCELLED),
}
"""What conditions say of a sweep that has ended, where nothing of them is left."""


def write_status(
    o: SweepObservation,
    now: datetime,
    *,
    phase: SweepPhase,
    reason: Reason,
    message: str,
    **changes: Unpack[JobSweepStatusChanges],
) -> OCIJobSweepStatus:
    """Return the status of a sweep that is in `phase`, which implies how its conditions stand."""
    headline = Headline(standing=SWEEP_STANDINGS[phase][0], reason=reason, message=message)
    return _write(o, now, phase, headline, blocked_since=None, **changes)


def write_blocked(
    o: SweepObservation,
    now: datetime,
    reason: Reason,
    message: str,
    **changes: Unpack[JobSweepStatusChanges],
) -> tuple[OCIJobSweepStatus, Blocked]:
    """Return the status of a sweep that `reason` keeps from beginning, and when it becomes Stalled."""
    former = Former(conditions=o.sweep.status.conditions, since=o.sweep.status.blocked_since)
    state = blocked(former, reason, message, now=now, settings=o.settings)
    status = _write(
        o, now, SweepPhase.PENDING, state.headline, blocked_since=state.since, **changes
    )
    return status, state


def _write(
    o: SweepObservation,
    now: datetime,
    phase: SweepPhase,
    headline: Headline,
    *,
    blocked_since: datetime | None,
    **changes: Unpack[JobSweepStatusChanges],
) -> OCIJobSweepStatus:
    return restated(
        o.sweep.status,
        headline,
        generation=o.sweep.metadata.generation,
        now=now,
        changes={**changes, "phase": phase, "blocked_since": blocked_since},
    )


def write_ended(o: SweepObservation, now: datetime) -> OCIJobSweepStatus:
    """Return the status of a sweep that has ended: it says so for the current generation, whoever edited it."""
    former, generation = o.sweep.status, o.sweep.metadata.generation
    standing, reason = _ENDS[former.phase]
    headline = Headline(standing=standing, reason=reason, message="the sweep has ended")
    told = of_ended(former.conditions, headline, generation=generation, now=now)
    return former.changed(observed_generation=generation, conditions=told)
