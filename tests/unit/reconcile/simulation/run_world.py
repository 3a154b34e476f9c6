"""All that an OCIJobRun lives in: the API server, its job, its identity, its Secret, and OCI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.api_server import ApiServer
from tests.unit.reconcile.simulation.identity import SimulatedIdentity
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun, SimulatedRuns
from tests.unit.reconcile.simulation.run_queue import QUEUE_LABEL, SimulatedQueue
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.dependency import DependencyKind
from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.job_run_status import OutputList, RunMetrics, Utilisation
from ocijobs.api.run_binding import ReferencedValue
from ocijobs.reconcile.dependencies import DependencyView, Relations
from ocijobs.reconcile.environment import ValueKey, Values
from ocijobs.reconcile.remote import Operation, Refusal, RunState
from ocijobs.reconcile.run.known import LogLines
from ocijobs.testing import (
    START,
    ManualClock,
    make_metadata,
    make_ready_job,
    make_run,
)

ODD_MICROSECONDS = timedelta(microseconds=123456)
"""Nobody's clock shows whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What does not change in a history.

    Attributes:
        lag: by how many seconds OCI's lists are late; less than the time between two searches.
        log_lag: by how many seconds lines of output are late.
        secret: whether the environment takes a value from a Secret, and the code prints it.
        results: whether results are declared.
        printed: whether the code prints them.
        outputs: whether there are outputs, with results.json among them.
        log: when OCI tells of the run's log; None without logging.
        measured: by how many seconds Monitoring is late with what the run used; None where it has nothing.
        delete_record: whether spec.deletionPolicy is Delete.
        backoff_limit: how often a failed run is tried again.
        ignores: whether the failure policy ignores the exit code that failed runs have.
        deadline: spec.activeDeadlineSeconds.
        pre_running: spec.preRunningDeadlineSeconds.
        waits: whether the run waits for another one, and takes a value from it.
        expires: whether the run is deleted a while after its end.
        queued: whether the run names a queue of Kueue.
        kueue: whether the cluster has Kueue at first.
    """

    lag: float = 0
    log_lag: float = 0
    secret: bool = False
    results: bool = False
    printed: bool = True
    outputs: bool = False
    log: RunState | None = RunState.IN_PROGRESS
    measured: float | None = None
    delete_record: bool = False
    backoff_limit: int = 0
    ignores: bool = False
    deadline: int | None = None
    pre_running: int | None = None
    waits: bool = False
    expires: bool = False
    queued: bool = False
    kueue: bool = True


IGNORES = {"action": "Ignore", "on_exit_codes": {"operator": "In", "values": [3]}}

UPSTREAM = (DependencyKind.RUN, "upstream")


class RunWorld:
    """The surroundings of one OCIJobRun name."""

    def __init__(self, circumstances: Circumstances) -> None:
        self.circumstances = circumstances
        self.clock = ManualClock(START + ODD_MICROSECONDS)
        self.weather = Weather(self.clock)
        self.oci = SimulatedRuns(self.clock, self.weather)
        self.oci.lag = timedelta(seconds=circumstances.lag)
        self.oci.log_known_from = circumstances.log or RunState.DELETED
        self.api: ApiServer[OCIJobRun] = ApiServer()
        self.secrets: list[str] = []
        self.secret_there = True
        self.change_secret()
        self.job: OCIJob | None = None
        self._jobs = 0
        self.create_job()
        self.identity = SimulatedIdentity()
        self.upstream: DependencyView | None = None
        self.queue = SimulatedQueue(self.clock, served=circumstances.kueue)
        self.create_run()

    @property
    def jobs_made(self) -> int:
        """How many OCIJobs of the name there were."""
        return self._jobs

    # What users do.

    def create_run(self) -> None:
        """Create the object; where one of that name is, nothing happens."""
        policy = "Delete" if self.circumstances.delete_record else "Retain"
        given = self.circumstances
        reference = {"kind": "OCIJobRun", "name": "upstream", "result": "best"}
        env = [{"name": "BEST", "value_from": {"result_ref": reference}}] if given.waits else []
        run = make_run(
            metadata=make_metadata("run").model_copy(
                update={"labels": QUEUE_LABEL if given.queued else {}}
            ),
            deletion_policy=policy,
            backoff_limit=given.backoff_limit,
            failure_policy={"rules": [IGNORES]} if given.ignores else None,
            active_deadline_seconds=given.deadline,
            pre_running_deadline_seconds=given.pre_running,
            ttl_seconds_after_finished=300 if given.expires else None,
            env=env,
        )
        self.api.create(run, self.clock.now())

    def end_upstream(self, *, succeeded: bool) -> None:
        """Let the run end that this one waits for; an end is final."""
        if self.upstream is None:
            self.upstream = DependencyView(
                uid="uid-of-upstream",
                phase="Succeeded" if succeeded else "Failed",
                ended=True,
                succeeded=succeeded,
                values={"result:best": "ridge"} if succeeded else {},
            )

    @property
    def relations(self) -> Relations:
        """What is around the run."""
        return Relations(views={UPSTREAM: self.upstream} if self.upstream is not None else {})

    def create_job(self) -> None:
        """Create the OCIJob under a new uid, ready to serve."""
        if self.job is None:
            self._jobs += 1
            self._sync(generation=1)

    def edit_job(self) -> None:
        """Change the OCIJob, which is not taken up yet."""
        if self.job is not None:
            meta = self.job.metadata
            changed = meta.model_copy(update={"generation": meta.generation + 1})
            self.job = self.job.model_copy(update={"metadata": changed})

    def sync_job(self) -> None:
        """Let the OCIJob's last change become a new revision, that is, another OCI job."""
        job = self.job
        if job is None or job.status.observed_generation == job.metadata.generation:
            return
        self._sync(generation=job.metadata.generation, deleted=job.metadata.deletion_timestamp)

    def delete_job(self) -> None:
        """Delete the OCIJob, which goes when `remove_job` is called."""
        if self.job is not None:
            meta = self.job.metadata.model_copy(update={"deletion_timestamp": self.clock.now()})
            self.job = self.job.model_copy(update={"metadata": meta})

    def remove_job(self) -> None:
        """Let an OCIJob go that is being deleted."""
        if self.job is not None and self.job.metadata.deleting:
            self.job = None

    def _sync(self, *, generation: int, deleted: datetime | None = None) -> None:
        env = [{"name": "PLAIN", "value": "x"}]
        if self.circumstances.secret:
            selector = {"name": "secret", "key": "token"}
            env.append({"name": "TOKEN", "value_from": {"secret_key_ref": selector}})  # type: ignore[dict-item]
        uid = f"uid-of-job-{self._jobs}"
        meta = make_metadata("job", uid=uid, generation=generation, finalizer=True, deleted=deleted)
        self.job = make_ready_job(
            metadata=meta,
            revision=f"v1-{self._jobs}-{generation}",
            env=env,
            outputs={"uri": "oci://b@n/$(JOB_RUN_OCID)"} if self.circumstances.outputs else None,
            results=["auc"] if self.circumstances.results else None,
        )
        assert self.job.status.job_id is not None
        self.oci.jobs.add(self.job.status.job_id)

    def change_secret(self) -> None:
        """Give the Secret another value."""
        self.secrets.append(f"hunter{len(self.secrets)}-secret")

    # What the shell reads.

    def values(self, keys: tuple[tuple[ValueKey, bool], ...]) -> Values | Refusal:
        """Read the Secret."""
        return self.weather.call(Operation.READ_VALUES, lambda: self._values(keys))

    def _values(self, keys: tuple[tuple[ValueKey, bool], ...]) -> Values:
        if not self.secret_there:
            return Values(values={}, missing=("there is no Secret secret",))
        version = str(len(self.secrets))
        item = ReferencedValue(kind="Secret", name="secret", uid="u", resource_version=version)
        return Values(values={key: self.secrets[-1] for key, _ in keys}, objects=(item,))

    def log_lines(self, run_id: str) -> LogLines | Refusal:
        """Search the log for the run's last lines and result lines."""
        return self.weather.call(Operation.SEARCH_LOGS, lambda: self._log_lines(run_id))

    def _log_lines(self, run_id: str) -> LogLines:
        run = next(run for run in self.oci.runs if run.id == run_id)
        result = '{"ocijobs.io/results": {"auc": 0.930}}'
        lines = [f"run {run_id}", f"password: {self._secret_of(run)}", result]
        lag = timedelta(seconds=self.circumstances.log_lag)
        ended = run.began(RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)
        late = ended is None or self.clock.now() < ended + lag
        shown = lines[: 1 if late else 3]
        return LogLines(
            tail=shown, results=[s for s in shown if s.startswith("{") and self._prints]
        )

    @property
    def _prints(self) -> bool:
        return self.circumstances.results and self.circumstances.printed

    @staticmethod
    def _secret_of(run: SimulatedRun) -> str:
        if run.request.workload is None:
            return "-"
        (configuration,) = run.request.workload.configurations
        return configuration.environment_variables.get("TOKEN", "-")

    def results(self) -> Mapping[str, str] | Refusal | None:
        """Read results.json, which the driver writes at the end of a run that has outputs."""
        return self.weather.call(
            Operation.READ_RESULTS, lambda: {"auc": "0.930"} if self._prints else None
        )

    def outputs(self) -> OutputList | Refusal:
        """List the outputs."""
        return self.weather.call(
            Operation.LIST_OUTPUTS, lambda: OutputList(count=1, objects=("oci://b@n/model",))
        )

    def utilisation(self, run_id: str) -> RunMetrics | Refusal | None:
        """Ask Monitoring what the run used."""
        return self.weather.call(Operation.READ_UTILISATION, lambda: self._utilisation(run_id))

    def _utilisation(self, run_id: str) -> RunMetrics | None:
        run = next(run for run in self.oci.runs if run.id == run_id)
        ended = run.began(RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)
        late = self.circumstances.measured
        if ended is None or late is None or self.clock.now() < ended + timedelta(seconds=late):
            return None
        return RunMetrics(cpu_utilization=Utilisation(mean=50.0, max=99.5))

    # The end.

    def heal(self) -> None:
        """Let everything work that the run needs, from now on."""
        self.weather.clear()
        self.identity.heal()
        self.secret_there = True
        self.end_upstream(succeeded=True)
        self.api.edit_spec(suspend=False)
        self.queue.generous = True
        self.queue.activate(active=True)
        self.queue.admit()
        if self.job is not None and self.job.metadata.deleting:
            self.job = None
        self.create_job()
        self.sync_job()
