"""The status of a sweep, from its former one and what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobSweepStatusChanges
from ocijobs.api.sweep.phase import SweepPhase
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.blocking import Blocked, Former, blocked
from ocijobs.reconcile.standing import SWEEP_STANDINGS, Headline, of_generation, restated
from ocijobs.reconcile.sweep.observation import SweepObservation


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


def write_seen(o: SweepObservation) -> OCIJobSweepStatus:
    """Return the status of a sweep that has ended, and was edited since: it is of this generation, too."""
    former, generation = o.sweep.status, o.sweep.metadata.generation
    if former.observed_generation == generation:
        return former
    return former.changed(
        observed_generation=generation, conditions=of_generation(former.conditions, generation)
    )
