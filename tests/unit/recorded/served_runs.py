"""A recorded OCIJobRun in a simulated cluster and OCI, which have what its status names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tests.support.recorded import Record
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun
from tests.unit.reconcile.simulation.oci_spark_runs import SimulatedSparkRun
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_laws import RunLaws
from tests.unit.reconcile.simulation.run_scenario import MOST_ROUNDS, RunScenario
from tests.unit.reconcile.simulation.run_shell import RunShell
from tests.unit.reconcile.simulation.run_world import RunWorld
from tests.unit.reconcile.simulation.scenario import Scenario
from tests.unit.reconcile.simulation.spark_laws import SparkLaws
from tests.unit.recorded.served_identity import RecordedIdentity

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.backends.data_flow.requests import ApplicationRunRequest
from ocijobs.backends.data_science.requests import RunRequest
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import RunCreation, Tags
from ocijobs.backends.values import ValueKey, Values
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.runs import CreateRun
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.testing import make_ocid

QUIET = 5
"""Rounds after which a run goes on in OCI."""


class RecordedRunWorld(RunWorld):
    """All that a recorded run lives in, at the time at which it was recorded."""

    def __init__(self, record: Record) -> None:
        self.recorded = OCIJobRun.model_validate(record.document)
        self._record = record
        super().__init__(_circumstances(record, self.recorded))
        self.clock.advance((record.written_at - self.clock.now()).total_seconds())
        self.identity = RecordedIdentity(record)
        self.api.object = self.recorded
        self.api.created_at = self.recorded.metadata.creation_timestamp
        job = record.other("OCIJob")
        self.job = OCIJob.model_validate(job) if job is not None else None
        sweep = record.other("OCIJobSweep")
        bound = sweep.get("status", {}).get("binding") if sweep is not None else None
        self.shared = JobBinding.model_validate(bound) if bound is not None else None
        named = {self.recorded.status.job_id, self.job.status.job_id if self.job else None}
        self.oci.jobs |= {ocid for ocid in named if ocid is not None}
        for run in self._runs():
            self.oci.runs.append(run)

    def _runs(self) -> Iterator[SimulatedRun]:
        """Yield the runs that the status tells of, each with the history that it tells."""
        status = self.recorded.status
        for attempt in status.attempts:
            begins = attempt.start_time or attempt.completion_time
            current = attempt.job_run_id == status.job_run_id
            accepted = status.accepted_time if current else begins
            run = self.made(attempt.job_run_id, accepted or self.clock.now())
            if attempt.start_time is not None:
                run.history.append((attempt.start_time, RunState.IN_PROGRESS))
            state = RunState(attempt.lifecycle_state)
            if state is not run.state:
                run.history.append((attempt.completion_time or self.clock.now(), state))
            yield run

    def made(self, ocid: str, at: datetime, owner: str | None = None) -> SimulatedRun:
        """Return a run that was in OCI when the object was recorded, as it was accepted."""
        make = SimulatedSparkRun if self.circumstances.on_data_flow else SimulatedRun
        owner = owner or self._record.owners.get(ocid, "of/another/0")
        return make(ocid, self._request(owner), [(at, RunState.ACCEPTED)])

    def _request(self, owner: str) -> RunCreation:
        status = self.recorded.status
        binding = status.binding
        compartment = binding.compartment_id if binding is not None else None
        tags = Tags(freeform={TAG_OWNER: owner}, defined={})
        where, job = compartment or "", status.job_id or ""
        if self.circumstances.on_data_flow:
            return ApplicationRunRequest(
                compartment_id=where, job_id=job, display_name="recorded", tags=tags, spark=None
            )
        return RunRequest(
            compartment_id=where,
            project_id="",
            job_id=job,
            display_name="recorded",
            tags=tags,
            workload=None,
        )

    def _values(self, keys: tuple[tuple[ValueKey, bool], ...]) -> Values:
        """Return values of the very Secrets that the run is bound to."""
        binding = self.recorded.status.binding
        read = super()._values(keys)
        return replace(read, objects=binding.values) if binding and binding.values else read

    def heal(self) -> None:
        """Let everything work that the run needs, with an OCIJob that is ready."""
        suspend = self.recorded.spec.suspend and self.recorded.status.phase != "Suspended"
        if self.job is not None and not is_true(self.job.status.conditions, ConditionType.READY):
            self.job = None
        super().heal()
        self.api.edit_spec(suspend=suspend)


def _circumstances(record: Record, run: OCIJobRun) -> Circumstances:
    binding, job = run.status.binding, record.other("OCIJob")
    template = binding.template if binding is not None else None
    application = template.application if template is not None else None
    spec = job["spec"] if job is not None else {}
    return Circumstances(
        spark=application is not None or "dataFlow" in spec.get("infrastructure", {}),
        stream=application is not None and application.type.goes_on,
        results=bool(binding is not None and binding.results),
        outputs=bool(binding is not None and binding.outputs_uri),
        backoff_limit=run.spec.backoff_limit,
        deadline=run.spec.active_deadline_seconds,
        pre_running=run.spec.pre_running_deadline_seconds,
        waits=bool(run.spec.depends_on),
    )


class _RecordedSparkLaws(SparkLaws):
    """The laws of Spark, but for that of the simulated job's own variable: the digest in status is of all of them."""

    def on_launch(self, o: RunObservation, decision: Decision[OCIJobRunStatus]) -> None:
        """Any request is as it should be that has the digest which is in status."""


class RecordedRunLaws(RunLaws):
    """The laws of all histories, and what was called."""

    def __init__(self, world: RecordedRunWorld) -> None:
        super().__init__(world)
        self.calls: list[Action] = []
        self._spark = _RecordedSparkLaws(world)
        # What it was recorded in is one; that another process goes on with it is another.
        self.occasions = 2

    def on_call(self, seen: ObjectMeta, action: Action) -> None:
        """Take note of a call."""
        self.calls.append(action)
        super().on_call(seen, action)

    @property
    def creations(self) -> list[CreateRun]:
        """What was sent to create a run."""
        return [action for action in self.calls if isinstance(action, CreateRun)]


class RecordedRunShell(RunShell):
    """A process in the cluster that the object was recorded in."""

    world: RecordedRunWorld

    def __init__(self, world: RecordedRunWorld, laws: RunLaws, cluster_id: str) -> None:
        self._cluster_id = cluster_id
        super().__init__(world, laws)

    def _observe(self) -> RunObservation:
        return replace(super()._observe(), cluster_id=self._cluster_id)


class RecordedRun(RunScenario):
    """A recorded run, and a process that has never seen it."""

    world: RecordedRunWorld
    laws: RecordedRunLaws

    def __init__(self, record: Record) -> None:
        self.world = RecordedRunWorld(record)
        self.laws = RecordedRunLaws(self.world)
        self.shell = RecordedRunShell(self.world, self.laws, record.cluster_id)
        Scenario.__init__(self, self.world.weather, self.shell)

    def let_arrive(self, creation: CreateRun, owner: str) -> str:
        """Have OCI know a run whose creation arrived, but not its answer; return its OCID."""
        oci, at = self.world.oci, self.world.recorded.status.submit
        assert at is not None
        kind = "dataflowrun" if self.world.circumstances.on_data_flow else "datasciencejobrun"
        run = self.world.made(make_ocid(kind, "arrived"), at.started_at, owner)
        oci.runs.append(run)
        oci.tokens.keep(creation.token, creation.request, run, at=at.started_at)
        return run.id

    def go_on(self) -> None:
        """Let everything work, let OCI go on with its runs, and return when the run is at rest."""
        self.world.heal()
        outcome = RunState.STOPPED if self.world.circumstances.stream else RunState.SUCCEEDED
        for count in range(MOST_ROUNDS):
            self.live(self._pause())
            self.world.oci.end_cancelled()
            if count >= QUIET:
                self.world.oci.progress(RunState.IN_PROGRESS)
            if count >= 2 * QUIET:
                self.world.oci.progress(outcome)
            if self._settled():
                return
        raise AssertionError("a recorded run comes to rest when everything works")

    def rest(self) -> None:
        """See that another process changes nothing."""
        self._restart_writes_nothing()
