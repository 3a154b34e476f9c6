"""What must hold of runs of Data Flow alone, and that runs of Data Science have nothing of it."""

from __future__ import annotations

from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun
from tests.unit.reconcile.simulation.run_world import RunWorld

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.data_flow.requests import ApplicationRunRequest
from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.runs import (
    CreateRun,
    DeleteRun,
    ListOutputs,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    SearchLogs,
)
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import RunKnown, attempt_number
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.testing import DEFAULT_SETTINGS

_OF_DATA_SCIENCE = DeleteRun | SearchLogs | ReadUtilisation | ReadResults | ListOutputs
"""What there is not for a run of Data Flow."""

_UNKNOWN = frozenset({RunState.NEEDS_ATTENTION, RunState.DELETED})
"""States that no run of Data Flow has."""


class SparkLaws:
    """Watches a run for what is of one service alone."""

    def __init__(self, world: RunWorld) -> None:
        self._world = world

    @property
    def _spark(self) -> bool:
        return self._world.circumstances.on_data_flow

    def on_call(self, action: Action) -> None:
        """Each service is asked for what it has."""
        if self._spark:
            demand(not isinstance(action, DeleteRun), "no record of Data Flow is deleted")
            demand(not isinstance(action, _OF_DATA_SCIENCE), "Data Flow is asked for what it has")
        else:
            demand(not isinstance(action, ReadRunLogs), "Data Science is asked for what it has")

    def on_launch(self, o: RunObservation, decision: Decision[OCIJobRunStatus]) -> None:
        """What an attempt is sent, or finds in its application, is what the run is bound to."""
        binding = o.run.status.binding
        for action in decision.actions:
            if not isinstance(action, CreateRun):
                continue
            request = action.request
            demand(isinstance(request, ApplicationRunRequest) is self._spark, "a request's service")
            if not isinstance(request, ApplicationRunRequest):
                continue
            properties = request.spark.configuration if request.spark is not None else None
            sent = self._world.application_env["PLAIN"]
            if properties is not None:
                sent = properties["spark.driverEnv.PLAIN"]
                executors = properties["spark.executorEnv.PLAIN"]
                demand(executors == sent, "executors have the variables that the driver has")
            template = binding.template if binding is not None else None
            bound = {v.name: v.value for v in template.env} if template is not None else {}
            demand(bound.get("PLAIN") == sent, "an attempt is sent what the run is bound to")

    def on_write(self, former: OCIJobRunStatus, after: OCIJobRunStatus, known: RunKnown) -> None:
        """A status tells of its service, and of a stream that it streams."""
        wanted = BackendName.DATA_FLOW if self._spark else BackendName.DATA_SCIENCE
        demand(after.backend in {None, wanted}, "a status tells the service")
        ready = find(after.conditions, ConditionType.READY)
        stream = self._world.circumstances.stream
        demand(ready and (stream or ready.reason != Reason.STREAMING), "only streams stream")
        if not self._spark:
            return
        state = RunState(after.lifecycle_state) if after.lifecycle_state else None
        demand(state not in _UNKNOWN, "a state is one of Data Flow")
        demand(after.exit_code is None, "Data Flow tells no exit code")
        if stream and ready and after.phase is Phase.RUNNING:
            demand(ready.reason != Reason.RUNNING, "a stream in progress is Ready")
            streams = ready.reason == Reason.STREAMING
            demand(streams == is_true(after.conditions, ConditionType.READY), "and nothing else is")
        ended = former.phase is not None and former.phase.terminal
        if not ended and after.phase is not None and after.phase.terminal:
            self._has_totals(after, known)
        elif ended:
            demand(former.metrics == after.metrics, "totals come with the end")
        if attempt_number(after) != attempt_number(former):
            self._counts(former, after, known)

    @staticmethod
    def _has_totals(after: OCIJobRunStatus, known: RunKnown) -> None:
        told = known.record is not None and known.record.complete
        if after.job_run_id is not None and told:
            demand(after.metrics is not None, "totals come in the write that ends the run")

    def _counts(self, former: OCIJobRunStatus, after: OCIJobRunStatus, known: RunKnown) -> None:
        """Demand of a stream that has failed that failures count anew if it was well for long."""
        if (
            not self._world.circumstances.stream
            or known.record is None
            or not known.record.complete
        ):
            return
        before, counted = former.failed or 0, after.failed or 0
        ended = next(a for a in after.attempts if a.number == attempt_number(former))
        if ended.reason is None:
            demand(counted == before, "what was suspended or evicted does not count")
            return
        run = self._world.oci.find(ended.job_run_id)
        start = 0 if _was_well(run) else before
        ignored = self._world.circumstances.ignores and ended.reason == Reason.RUN_FAILED
        demand(counted == start + (not ignored), "a stream's failures count anew if it was well")


def _was_well(run: SimulatedRun) -> bool:
    """Whether a stream was in progress for long enough for its failures to be forgotten."""
    if run.started_at is None or run.ended_at is None:
        return False
    took = run.ended_at - run.started_at
    return took.total_seconds() >= DEFAULT_SETTINGS.stream_healthy_seconds
