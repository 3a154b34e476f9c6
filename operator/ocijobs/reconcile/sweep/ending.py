"""When a sweep has ended, and how."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.run.phase import SweepPhase
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep.status import write_status
from ocijobs.reconcile.sweep.tally import Tally


def failing(o: SweepObservation, tally: Tally) -> bool:
    """Whether more children have failed than may."""
    return len(tally.failed) > o.sweep.spec.max_failed_runs or doomed(o)


def doomed(o: SweepObservation) -> bool:
    """Whether children are being cancelled since too many had failed: whatever is edited, that is not taken back."""
    ready = find(o.sweep.status.conditions, ConditionType.READY)
    cancelling = o.sweep.status.phase is SweepPhase.CANCELLING
    return cancelling and ready is not None and ready.reason == Reason.MAX_FAILED_RUNS_EXCEEDED


def ended(o: SweepObservation, tally: Tally, now: datetime) -> OCIJobSweepStatus | None:
    """Return the last status of the sweep, once every child has ended, or enough have failed and none is left."""
    if not (tally.complete or (failing(o, tally) and tally.all_ended)):
        return None
    phase, reason, message = _outcome(o, tally)
    return write_status(
        o,
        now,
        phase=phase,
        reason=reason,
        message=message,
        **tally.changes(completion_time=now),
    )


def _outcome(o: SweepObservation, tally: Tally) -> tuple[SweepPhase, Reason, str]:
    spec, done = o.sweep.spec, len(tally.completed)
    if failing(o, tally):
        return (
            SweepPhase.FAILED,
            Reason.MAX_FAILED_RUNS_EXCEEDED,
            (
                f"{len(tally.failed)} of {tally.total} runs have failed or were cancelled since more had "
                "failed than spec.maxFailedRuns allows"
            ),
        )
    if spec.objective is not None and tally.best is None:
        return (
            SweepPhase.FAILED,
            Reason.RESULT_MISSING,
            (
                f"no run has reported a number as {spec.objective.result}: the OCIJob's spec.results "
                "has to name it, and the code to print it"
            ),
        )
    best = f"; the best is {tally.best.name} with {tally.best.value}" if tally.best else ""
    return (
        SweepPhase.SUCCEEDED,
        Reason.SUCCEEDED,
        f"{done} of {tally.total} runs have succeeded{best}",
    )
