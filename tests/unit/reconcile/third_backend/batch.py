"""A service that there is not: what runs jobs there has few states, no logs and no exit codes.

Its one value is all that decisions know of it. Its jobs are made of the same specs as those of Data Science.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.unit.reconcile.simulation.api_server import ApiServer
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

from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.backend import Backend
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.backends.records import LogAddress, RunRecord, RunState
from ocijobs.backends.requests import RunCreation
from ocijobs.backends.traits import BackendTraits
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.runs import ReadRunLogs, ReadUtilisation, SearchLogs
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.testing import make_ocid


def _unlisted(name: str) -> Backend:
    """Return a name that the API, whose list of names is closed, does not have."""
    member = str.__new__(Backend, name)
    member._name_ = member._value_ = name
    return member


BATCH = BackendTraits(
    name=_unlisted("Batch"),
    title="Batch",
    job_type="batchjob",
    run_type="batchtask",
    job_page="batch/jobs",
    run_page="batch/tasks",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DELETED,
    ),
    ended_well="the task is done",
    deletes_records=True,
)


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


class BatchApiServer(ApiServer[OCIJobRun]):
    """Takes the name of the service, too, which the schema of today refuses."""

    def write_status(self, seen: ObjectMeta, status: Model) -> None:
        """Replace the status of the object as it was seen."""
        document = status.document()
        ours = document.get("backend") == BATCH.name
        if ours:
            del document["backend"]
        super().write_status(seen, OCIJobRunStatus.model_validate(document))
        if ours:
            told = self.present.status.model_copy(update={"backend": BATCH.name})
            self.object = self.present.model_copy(update={"status": told})


class BatchWorld(RunWorld):
    """The surroundings of a run of Batch."""

    def __init__(self, circumstances: Circumstances) -> None:
        super().__init__(circumstances)
        self.api = BatchApiServer()
        self.create_run()

    def _oci(self) -> SimulatedRuns:
        return BatchTasks(self.clock, self.weather)

    def _sync(self, *, generation: int, deleted: datetime | None = None) -> None:
        super()._sync(generation=generation, deleted=deleted)
        assert self.job is not None
        status = self.job.status
        job_id = make_ocid(BATCH.job_type, status.revision or "")
        revisions = tuple(r.model_copy(update={"job_id": job_id}) for r in status.revisions)
        here = status.model_copy(update={"job_id": job_id, "revisions": revisions})
        self.job = self.job.model_copy(update={"status": here})
        # A job of an earlier revision stays while runs may be of it.
        self.oci.jobs.add(job_id)


class BatchLaws(SparkLaws):
    """What is of Batch alone: nothing is asked of it, or told of its runs, that it has not."""

    def on_call(self, action: Action) -> None:
        """Batch keeps no logs, and Monitoring has nothing of it."""
        unknown = SearchLogs | ReadRunLogs | ReadUtilisation
        demand(not isinstance(action, unknown), "Batch is asked for what it has")

    def on_write(self, former: OCIJobRunStatus, after: OCIJobRunStatus, known: RunKnown) -> None:
        """A status tells of Batch from when OCI has; before, the spec is asked, which has no block for it."""
        del former, known
        bound = after.job_run_id is not None
        demand(not bound or after.backend == BATCH.name, "a status tells the service")
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
