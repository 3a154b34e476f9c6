"""The status of a sweep, from its former one and what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ocijobs.api.reasons import Reason
from ocijobs.api.sweep_status import OCIJobSweepStatus, SweepPhase
from ocijobs.reconcile.blocking import Blocked, Former, blocked
from ocijobs.reconcile.standing import SWEEP_STANDINGS, Headline, conditions, of_generation
from ocijobs.reconcile.sweep.observation import SweepObservation


def write_status(
    o: SweepObservation,
    now: datetime,
    *,
    phase: SweepPhase,
    reason: Reason,
    message: str,
    **changes: Any,
) -> OCIJobSweepStatus:
    """Return the status of a sweep that is in `phase`, which implies how its conditions stand."""
    headline = Headline(standing=SWEEP_STANDINGS[phase][0], reason=reason, message=message)
    return _write(o, now, phase, headline, {"blocked_since": None, **changes})


def write_blocked(
    o: SweepObservation, now: datetime, reason: Reason, message: str, **changes: Any
) -> tuple[OCIJobSweepStatus, Blocked]:
    """Return the status of a sweep that `reason` keeps from beginning, and when it becomes Stalled."""
    former = Former(conditions=o.sweep.status.conditions, since=o.sweep.status.blocked_since)
    state = blocked(former, reason, message, now=now, settings=o.settings)
    changes = {"blocked_since": state.since, **changes}
    return _write(o, now, SweepPhase.PENDING, state.headline, changes), state


def _write(
    o: SweepObservation,
    now: datetime,
    phase: SweepPhase,
    headline: Headline,
    changes: dict[str, Any],
) -> OCIJobSweepStatus:
    former, generation = o.sweep.status, o.sweep.metadata.generation
    return former.model_copy(
        update={
            **changes,
            "observed_generation": generation,
            "phase": phase,
            "conditions": conditions(former.conditions, headline, generation=generation, now=now),
        }
    )


def write_seen(o: SweepObservation) -> OCIJobSweepStatus:
    """Return the status of a sweep that has ended, and was edited since: it is of this generation, too."""
    former, generation = o.sweep.status, o.sweep.metadata.generation
    if former.observed_generation == generation:
        return former
    return former.model_copy(
        update={
            "observed_generation": generation,
            "conditions": of_generation(former.conditions, generation),
        }
    )
