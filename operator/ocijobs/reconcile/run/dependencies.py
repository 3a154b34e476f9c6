"""A run that waits for others before its launch."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.dependencies import Hopeless, Met, Waiting, evaluate, filled_in, wanted_of
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import write_blocked, write_status


def await_dependencies(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus] | None:
    """Decide about a run that has something to wait for; None when all has come and is recorded."""
    spec, recorded = o.run.spec, o.run.status.dependencies
    match evaluate(wanted_of(spec.depends_on, spec.env), recorded, o.relations):
        case Hopeless(reason=reason, message=message):
            status = write_status(
                o, now, phase=Phase.FAILED, reason=reason, message=message, completion_time=now
            )
            return Decision(status=status)
        case Waiting(dependencies=met, message=message):
            status, state = write_blocked(
                o, now, Reason.WAITING_FOR_DEPENDENCY, message, dependencies=met
            )
            return Decision(status=status, wake_at=state.stalls_at)
        case Met(dependencies=met) if met != recorded:
            status = write_status(
                o,
                now,
                phase=Phase.PENDING,
                reason=Reason.PENDING,
                message="what the run waited for has come",
                dependencies=met,
            )
            return Decision(status=status)
        case Met():
            return None
        case outcome:
            assert_never(outcome)


def with_results(o: RunObservation) -> RunSettings:
    """Return the run's settings with the values of others filled in, as they were recorded."""
    return o.run.spec.model_copy(
        update={"env": filled_in(o.run.spec.env, o.run.status.dependencies)}
    )
