"""Histories of jobs and runs of a third service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.support.batch import BATCH, SHAPE, BatchTaskRequest
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun, SimulatedRuns
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command
from tests.unit.reconcile.simulation.run_laws import RunLaws
from tests.unit.reconcile.simulation.run_scenario import RunScenario
from tests.unit.reconcile.simulation.run_shell import RunShell
from tests.unit.reconcile.simulation.run_world import RunWorld
from tests.unit.reconcile.simulation.scenario import Scenario
from tests.unit.reconcile.simulation.spark_laws import SparkLaws

from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.backends.records import LogAddress, RunRecord, RunState
from ocijobs.backends.requests import RunCreation
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.runs import CreateRun, ReadRunLogs, ReadUtilisation, SearchLogs
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.testing import make_ocid

MACHINES = Infrastructure.model_validate({"data_science_job": {"shape_name": SHAPE}})
"""The infrastructure of jobs of Batch."""


@dataclass
class BatchTask(SimulatedRun):
    """A run that does not tell when its code started."""

    def as_of(self, when: datetime, *, log: LogAddress | None, complete: bool) -> RunRecord | None:
        """Return the run as it was at `when`, or None if it was not there yet."""
        record = super().as_of(when, log=log, complete=complete)
        return replace(record, started_at=None) if record is not None else None


class BatchTasks(SimulatedRuns):
    """The runs of one compartment. One that is cancelled ends at once."""

    cancelling = RunState.CANCELED

    def _new(self, request: RunCreation) -> SimulatedRun:
        return BatchTask(make_ocid(BATCH.run_type, str(len(self.runs) + 1)), request)

    def progress(self, state: RunState) -> None:
        """Let every live run that can get there enter `state`, if it is a state of the service."""
        if state in BATCH.run_states:
            super().progress(state)


class BatchWorld(RunWorld):
    """The surroundings of a run of Batch."""

    def _oci(self) -> SimulatedRuns:
        return BatchTasks(self.clock, self.weather)

    def _sync(self, *, generation: int, deleted: datetime | None = None) -> None:
        super()._sync(generation=generation, deleted=deleted)
        assert self.job is not None
        status = self.job.status
        job_id = make_ocid(BATCH.job_type, status.revision or "")
        revisions = tuple(r.model_copy(update={"job_id": job_id}) for r in status.revisions)
        here = status.model_copy(update={"job_id": job_id, "revisions": revisions})
        spec = self.job.spec.model_copy(update={"infrastructure": MACHINES})
        self.job = self.job.model_copy(update={"status": here, "spec": spec})
        # A job of an earlier revision stays while runs may be of it.
        self.oci.jobs.add(job_id)


class BatchLaws(SparkLaws):
    """What is of Batch alone: nothing is asked of it, or told of its runs, that it has not."""

    def on_call(self, action: Action) -> None:
        """Batch keeps no logs, and Monitoring has nothing of it."""
        unknown = SearchLogs | ReadRunLogs | ReadUtilisation
        demand(not isinstance(action, unknown), "Batch is asked for what it has")

    def on_launch(self, o: RunObservation, decision: Decision[OCIJobRunStatus]) -> None:
        """A request is one of Batch."""
        del o
        for action in decision.actions:
            if isinstance(action, CreateRun):
                demand(isinstance(action.request, BatchTaskRequest), "a request's service")

    def on_write(self, former: OCIJobRunStatus, after: OCIJobRunStatus, known: RunKnown) -> None:
        """A status tells of Batch, and nothing of what it has not."""
        del former, known
        demand(after.backend in {None, BATCH.name}, "a status tells the service")
        demand(after.exit_code is None, "Batch tells no exit code")
        demand(after.logs is None and after.metrics is None, "Batch has no logs and no metrics")
        state = RunState(after.lifecycle_state) if after.lifecycle_state else None
        demand(state is None or state in BATCH.run_states, "a state is one of Batch")
        page = f"/{BATCH.run_page}/{after.job_run_id}"
        demand(not after.console_url or after.console_url.endswith(page), "a page is one of Batch")


class BatchRunLaws(RunLaws):
    """The laws of all runs, and those of Batch."""

    def __init__(self, world: RunWorld) -> None:
        super().__init__(world)
        self._spark = BatchLaws(world)


class BatchScenario(RunScenario):
    """One run of Batch."""

    def __init__(self, circumstances: Circumstances) -> None:
        self.world = BatchWorld(circumstances)
        self.laws = BatchRunLaws(self.world)
        self.shell = RunShell(self.world, self.laws)
        Scenario.__init__(self, self.world.weather, self.shell)


def batch_history(circumstances: Circumstances, history: Sequence[Command]) -> BatchScenario:
    """Play a history to the end, all laws watched."""
    scenario = BatchScenario(circumstances)
    scenario.play(history)
    scenario.finish()
    return scenario
